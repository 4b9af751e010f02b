//! Making a key: its form, its errors, its secret.

use crate::world::{Actor, Plan, World, create, keys};

#[actix_web::test]
async fn t_32_a_secret_is_shown_once_in_the_answer_itself() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get(&format!("{}/new", keys())).await;
    let form = browser.form("Create key");
    let mut fields: Vec<(&str, &str)> = form
        .fields
        .iter()
        .map(|(name, value)| {
            (
                name.as_str(),
                if name == "name" {
                    "Shop front"
                } else {
                    value.as_str()
                },
            )
        })
        .collect();
    fields.push(("products", "tiles"));
    let answer = browser.post(&form.action, &fields).await.clone();
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (200, Some("no-store"))
    );
    let (secret, key_id) = (browser.one("#secret"), browser.one("#key-id"));
    assert!(
        browser
            .one("#line-curl")
            .contains(&format!("-H 'X-API-Key: {secret}'"))
    );
    assert_eq!(browser.one("#line-env"), format!("NORTHWIND_KEY={secret}"));
    assert!(
        browser.texts("#line-js").len() == 1
            && browser.texts("#line-py").len() == 1
            && browser.texts("#line-ignore").len() == 1
    );

    let before = world.dump();
    let again = browser.post(&form.action, &fields).await.clone();
    assert_eq!(again.status, 409);
    assert!(
        !again.body.contains(&secret)
            && again.body.contains(&key_id)
            && again.body.contains("21 Nov 2026, 10:00:00 UTC")
    );
    assert_eq!(world.dump(), before, "no second key");
    for path in [
        keys(),
        format!("{}/{key_id}", keys()),
        format!("{}/{key_id}/activity", keys()),
        format!("{}/{key_id}/delete", keys()),
        format!("{}/{key_id}/first-request", keys()),
    ] {
        browser.get(&path).await;
        assert_eq!(browser.answer.status, 200, "{path}");
        assert!(!browser.answer.body.contains(&secret), "{path}");
    }
}

#[actix_web::test]
async fn t_33_the_database_holds_no_secret_in_any_writing() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    create(
        &mut browser,
        &[("name", "Shop front"), ("products", "tiles")],
    )
    .await;
    let secret = browser.one("#secret");
    let dump = world.dump().to_lowercase();
    for written in [
        secret.clone(),
        data_encoding::HEXLOWER.encode(secret.as_bytes()),
        data_encoding::BASE64.encode(secret.as_bytes()),
        secret.get(8..40).unwrap().to_owned(),
    ] {
        assert!(!dump.contains(&written.to_lowercase()));
    }
}

#[actix_web::test]
async fn t_33_a_secret_typed_as_a_name_is_neither_kept_nor_shown_again() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    create(
        &mut browser,
        &[("name", "Shop front"), ("products", "tiles")],
    )
    .await;
    let secret = browser.one("#secret");
    for typed in [secret.clone(), format!("old one: {secret}")] {
        create(&mut browser, &[("name", &typed), ("products", "tiles")]).await;
        assert_eq!(browser.answer.status, 422);
        assert!(browser.text().contains("This holds a secret"));
        assert!(!browser.answer.body.contains(&secret));
    }
    assert!(!world.dump().contains(&secret));
}

#[actix_web::test]
async fn what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    create(
        &mut browser,
        &[("name", "Shop front"), ("products", "tiles")],
    )
    .await;
    let long = "x".repeat(81);
    for (name, says) in [
        ("", "empty"),
        (long.as_str(), "81 characters"),
        ("a\u{202e}b", "U+202E"),
        ("a\u{7}b", "U+0007"),
        ("Shop front", "Another key"),
        ("  SHOP front ", "Another key"),
    ] {
        let before = world.dump();
        create(
            &mut browser,
            &[
                ("name", name),
                ("environment", "staging"),
                ("products", "search"),
            ],
        )
        .await;
        assert_eq!(browser.answer.status, 422, "{name:?}");
        assert!(
            browser.one("#name-error").contains(says),
            "{name:?}: {}",
            browser.one("#name-error")
        );
        assert_eq!(
            browser
                .texts("#name[aria-invalid=true][aria-describedby~=name-error]")
                .len(),
            1
        );
        assert_eq!(browser.texts("#errors a[href='#name']").len(), 1);
        assert!(browser.one("title").starts_with("Create key (1 error)"));
        assert_eq!(
            browser
                .texts("input[name=environment][value=staging][checked]")
                .len(),
            1
        );
        assert_eq!(
            browser
                .texts("input[name=products][value=search][checked]")
                .len(),
            1
        );
        assert_eq!(
            browser
                .texts("input[name=products][value=tiles][checked]")
                .len(),
            0
        );
        assert_eq!(world.dump(), before);
    }
    create(&mut browser, &[("name", "Other")]).await;
    assert!(
        browser
            .one("#products-error")
            .contains("at least one product")
    );
}

#[actix_web::test]
async fn what_no_page_offers_is_refused() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    let path = format!("{}/new", keys());
    let id = "0123456789abcdef0123";
    for (fields, status, says) in [
        (
            vec![
                ("name", "a"),
                ("kind", "server"),
                ("environment", "live"),
                ("products", "nothing"),
                ("form_id", id),
            ],
            422,
            "There is no product",
        ),
        (
            vec![
                ("name", "a"),
                ("kind", "server"),
                ("environment", "moon"),
                ("products", "tiles"),
                ("form_id", id),
            ],
            422,
            "Choose one of the environments",
        ),
        (
            vec![
                ("name", "a"),
                ("kind", "root"),
                ("environment", "live"),
                ("products", "tiles"),
                ("form_id", id),
            ],
            400,
            "kind",
        ),
        (
            vec![
                ("name", "a"),
                ("kind", "server"),
                ("environment", "live"),
                ("products", "tiles"),
                ("form_id", ""),
            ],
            400,
            "form_id",
        ),
        (
            vec![
                ("name", "a"),
                ("name", "b"),
                ("kind", "server"),
                ("form_id", id),
            ],
            400,
            "more than once",
        ),
    ] {
        let before = world.dump();
        let answer = browser.post(&path, &fields).await;
        assert_eq!(answer.status, status, "{fields:?}");
        assert!(answer.body.contains(says), "{fields:?}");
        assert_eq!(world.dump(), before);
    }
}

#[actix_web::test]
async fn an_account_holds_as_many_keys_as_the_operator_says() {
    let world = World::planned(Plan {
        keys_per_account: 1,
        ..Plan::default()
    })
    .await;
    let mut browser = world.signed_in(Actor::Developer).await;
    create(&mut browser, &[("name", "One"), ("products", "tiles")]).await;
    assert_eq!(browser.answer.status, 200);
    create(&mut browser, &[("name", "Two"), ("products", "tiles")]).await;
    assert_eq!(browser.answer.status, 422);
    assert!(
        browser.one("#name-error").contains("1 keys already"),
        "{}",
        browser.one("#name-error")
    );
}
