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
            422,
            "Choose where the key is used.",
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

#[actix_web::test]
async fn everything_that_a_key_can_be_is_said_on_one_form_and_comes_back_on_the_next() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Owner).await;
    let values = [
        ("name", "Shop widget"),
        ("kind", "browser"),
        ("products", "tiles"),
        ("domains", "shop.example.com"),
        ("localhost", "yes"),
        ("ips", "203.0.113.0/24"),
        ("expires", "2027-03-31"),
        ("labels", "Mobile, team:maps"),
        ("responsible", "Team Shop"),
        ("deployed", "shop-web repository\nthe app"),
        ("note", "Ask Mira."),
    ];
    create(&mut browser, &values).await;
    assert_eq!(browser.answer.status, 200, "{}", browser.text());
    let key_id = browser.one("#key-id");
    browser.get(&format!("{}/{key_id}", keys())).await;
    let text = browser.text();
    for said in [
        "Team Shop",
        "mobile",
        "team:maps",
        "shop-web repository",
        "Browser",
        "Read",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    browser.get(&format!("{}/{key_id}/edit", keys())).await;
    assert_eq!(browser.one("#domains"), "shop.example.com localhost");
    assert_eq!(
        browser.attributes("#labels", "value"),
        ["mobile, team:maps"]
    );
    assert_eq!(browser.attributes("#responsible", "value"), ["Team Shop"]);
    assert_eq!(browser.one("#deployed"), "shop-web repository the app");
    assert_eq!(browser.attributes("#expires", "value"), ["2027-03-31"]);
    assert!(
        browser
            .attributes("input[name=localhost]", "value")
            .is_empty()
    );
    browser.get(&format!("{}/{key_id}/rotate", keys())).await;
    assert!(browser.text().contains("shop-web repository"));
}

#[actix_web::test]
async fn a_browser_key_names_its_sites_or_says_that_any_may_use_it() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    let values = [
        ("name", "Widget"),
        ("kind", "browser"),
        ("products", "tiles"),
    ];
    create(&mut browser, &values).await;
    assert_eq!(browser.answer.status, 422);
    assert!(browser.one("#domains-error").contains("Name the sites"));
    let values = [values.as_slice(), &[("any_site", "yes")]].concat();
    create(&mut browser, &values).await;
    assert_eq!(browser.answer.status, 200);
    let key_id = browser.one("#key-id");
    browser.get(&format!("{}/{key_id}", keys())).await;
    assert!(browser.text().contains("Any site, as confirmed"));
}

#[actix_web::test]
async fn what_is_risky_is_asked_about_once_and_then_made() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Owner).await;
    for (values, said) in [
        (
            vec![("name", "prod import"), ("environment", "test")],
            "says production",
        ),
        (
            vec![
                ("name", "Widget"),
                ("kind", "browser"),
                ("any_site", "yes"),
                ("access", "write"),
            ],
            "everybody can write",
        ),
        (vec![("name", "Console"), ("access", "admin")], "for ever"),
    ] {
        let before = world.dump();
        let values = [values.as_slice(), &[("products", "tiles")]].concat();
        create(&mut browser, &values).await;
        assert!(
            browser.one("#cautions").contains(said),
            "{}",
            browser.text()
        );
        assert_eq!(world.dump(), before, "nothing was made");
        browser.submit("Create it anyway", &[]).await;
        assert_eq!(browser.texts("#secret").len(), 1, "{}", browser.text());
    }
    let key_id = browser.one("#key-id");
    browser.get(&format!("{}/{key_id}/edit", keys())).await;
    assert_eq!(
        browser.attributes("#expires", "value"),
        ["2027-02-19"],
        "90 days"
    );
}

#[actix_web::test]
async fn only_an_owner_makes_a_key_that_may_do_everything() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    let values = [
        ("name", "Console"),
        ("access", "admin"),
        ("products", "tiles"),
    ];
    create(&mut browser, &values).await;
    assert_eq!(browser.answer.status, 422);
    assert!(browser.one("#access-error").contains("Only an owner"));
}

#[actix_web::test]
async fn a_button_beside_an_entry_mends_it_and_makes_nothing() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    let domains = "example.com\nshop.*.example.com, ada@example.org";
    let values = [
        ("name", "Shop"),
        ("products", "tiles"),
        ("domains", domains),
    ];
    create(&mut browser, &values).await;
    assert_eq!(browser.answer.status, 422);
    let buttons = browser.texts("button[name=fix]");
    assert_eq!(
        buttons,
        [
            "Use *.shop.example.com",
            "Remove entry 2",
            "Use example.org",
            "Remove entry 3"
        ]
    );
    let before = world.dump();
    browser.submit("Use *.shop.example.com", &[]).await;
    assert_eq!(browser.answer.status, 200);
    assert_eq!(
        browser.one("#domains"),
        "example.com *.shop.example.com ada@example.org"
    );
    browser.submit("Remove entry 3", &[]).await;
    assert_eq!(browser.one("#domains"), "example.com *.shop.example.com");
    assert_eq!(browser.attributes("#name", "value"), ["Shop"]);
    assert_eq!(world.dump(), before);
    browser.submit("Create key", &[]).await;
    assert_eq!(browser.texts("#secret").len(), 1, "{}", browser.text());
}

#[actix_web::test]
async fn who_answers_for_a_key_is_a_member_or_a_name() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get(&format!("{}/new", keys())).await;
    let own = browser.attributes("#responsible", "value");
    assert_eq!(own, [Actor::Developer.email()]);
    let values = [
        ("name", "a"),
        ("products", "tiles"),
        ("responsible", "eve@elsewhere.example"),
    ];
    create(&mut browser, &values).await;
    assert!(browser.one("#responsible-error").contains("no member"));
}
