//! The list of keys and a key's own page.

use crate::world::{ACCOUNT, Actor, OTHER, World, create, keys};

#[actix_web::test]
async fn the_list_is_narrowed_without_scripts() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    for (name, environment) in [
        ("Shop front", "live"),
        ("Driver app", "staging"),
        ("Laptop", "test"),
    ] {
        create(
            &mut browser,
            &[
                ("name", name),
                ("environment", environment),
                ("products", "tiles"),
            ],
        )
        .await;
    }
    browser.get(&keys()).await;
    assert_eq!(browser.texts("#keys tbody tr").len(), 3);
    assert!(browser.one(".head p").starts_with("3 keys"));
    let key_id = browser.texts("#keys tbody tr code").remove(0);
    for (values, names) in [
        (vec![("q", "DRIVER")], vec!["Driver app"]),
        (vec![("q", key_id.as_str())], vec!["Driver app"]),
        (vec![("environment", "test")], vec!["Laptop"]),
        (vec![("status", "disabled")], vec![]),
        (
            vec![("status", "active"), ("q", "o")],
            vec!["Laptop", "Shop front"],
        ),
    ] {
        browser.get(&keys()).await;
        for (name, value) in &values {
            if *name != "q" {
                assert_eq!(
                    browser
                        .texts(&format!("select[name={name}] option[value={value}]"))
                        .len(),
                    1
                );
            }
        }
        browser.submit("Filter", &values).await;
        assert_eq!(browser.texts("#keys tbody .kn > a"), names, "{values:?}");
        assert_eq!(browser.answer.status, 200);
    }
}

#[actix_web::test]
async fn the_owner_reads_why_a_key_is_off_and_whom_to_ask() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let off = key_id.clone();
    world
        .db
        .change(move |c| {
            latchkey::store::keys::disable(
                c,
                &latchkey::store::scope::operator("test"),
                &off.parse().unwrap(),
                "Found in a public repository <b>today</b>",
            )
        })
        .await
        .unwrap();
    let mut browser = world.signed_in(Actor::Viewer).await;
    browser.get(&format!("{}/{key_id}", keys())).await;
    let band = browser.one("#off");
    assert!(
        band.contains("Northwind Maps disabled this key")
            && band.contains("Found in a public repository <b>today</b>"),
        "{band}"
    );
    assert_eq!(browser.one("#off-key-id"), key_id);
    assert!(browser.answer.body.contains(&format!(
        "mailto:help@northwind.example?subject=Key%20{key_id}"
    )));
    assert!(browser.text().contains("Disabled"));
    browser.get(&keys()).await;
    assert!(browser.one(".head p").contains("1 disabled"));
}

#[actix_web::test]
async fn a_suspended_account_says_so_on_its_pages() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    world
        .db
        .change(|c| {
            latchkey::store::accounts::suspend(
                c,
                &latchkey::store::scope::operator("test"),
                ACCOUNT,
                "unpaid",
            )
        })
        .await
        .unwrap();
    let mut browser = world.signed_in(Actor::Owner).await;
    for path in [keys(), format!("{}/{key_id}", keys())] {
        browser.get(&path).await;
        assert!(
            browser
                .one(".band.bad")
                .contains("Harbour & Vale is suspended")
        );
    }
}

#[actix_web::test]
async fn an_account_of_others_is_named_nowhere() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Owner).await;
    browser.get(&keys()).await;
    assert!(!browser.answer.body.contains(OTHER));
    assert!(
        browser
            .texts(".nav a[aria-current]")
            .contains(&"Keys".to_owned())
    );
}
