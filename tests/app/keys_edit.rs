//! Editing a key: every entry read aloud, what is taken away said first, and nobody's change overwritten unseen.

use crate::browser::Browser;
use crate::world::{Actor, World, keys};

async fn open<'w>(world: &'w World, actor: Actor, key_id: &str) -> Browser<'w> {
    let mut browser = world.signed_in(actor).await;
    browser.get(&format!("{}/{key_id}/edit", keys())).await;
    assert_eq!(browser.answer.status, 200);
    browser
}

#[actix_web::test]
async fn what_is_given_is_saved_at_once_and_stands_on_the_keys_page() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = open(&world, Actor::Developer, &key_id).await;
    assert_eq!(browser.attributes("#name", "value"), ["Shop front"]);
    let values = [
        ("name", "Shop window"),
        ("note", "For the till.\nAsk Mira."),
    ];
    browser.submit("Save changes", &values).await;
    assert_eq!(browser.path, format!("{}/{key_id}", keys()));
    assert!(
        browser
            .one("[role=status].band")
            .contains("in force within a second")
    );
    let text = browser.text();
    assert!(
        text.contains("Shop window") && text.contains("Ask Mira."),
        "{text}"
    );
    let dump = world.dump();
    let logged = dump
        .lines()
        .find(|line| line.contains("key.edited"))
        .unwrap();
    assert!(
        logged.contains("Shop front") && logged.contains("Shop window"),
        "{logged}"
    );
    assert!(!logged.contains("access"), "only what differs: {logged}");
}

#[actix_web::test]
async fn what_takes_something_away_is_said_before_it_is_saved() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = open(&world, Actor::Developer, &key_id).await;
    let values = [
        ("access", "read"),
        ("domains", "https://www.example.com/shop, *.eu.example.com"),
        ("ips", "203.0.113.0/24"),
        ("expires", "2026-12-31"),
    ];
    let before = world.dump();
    browser.submit("Save changes", &values).await;
    assert_eq!(browser.answer.status, 200);
    assert_eq!(world.dump(), before, "nothing is saved yet");
    let losses = browser.texts("#losses li");
    assert_eq!(losses.len(), 4, "{losses:?}");
    assert!(losses[0].contains("from Write to Read"));
    assert!(losses[1].contains("page of another domain"));
    assert!(losses[3].contains("1 Jan 2027, 00:00:00 UTC"), "{losses:?}");
    let entries = browser.texts("ol.plain-list li");
    assert!(
        entries[0].contains("https://www.example.com") && entries[0].contains("left away"),
        "{entries:?}"
    );
    assert!(entries[2].contains("256 addresses"), "{entries:?}");

    browser.submit("Save anyway", &[]).await;
    assert_eq!(browser.path, format!("{}/{key_id}", keys()));
    let text = browser.text();
    for part in [
        "https://www.example.com",
        "*.eu.example.com",
        "203.0.113.0/24",
        "Read",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let mut browser = open(&world, Actor::Developer, &key_id).await;
    assert_eq!(browser.attributes("#expires", "value"), ["2026-12-31"]);
    browser.submit("Save changes", &[]).await;
    assert_eq!(
        browser.path,
        format!("{}/{key_id}", keys()),
        "what stays takes nothing away"
    );
}

#[actix_web::test]
async fn each_wrong_entry_is_named_and_what_is_right_is_kept() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = open(&world, Actor::Developer, &key_id).await;
    let values = [
        ("domains", "www.example.com\n*.com\nwww.example.com"),
        ("ips", "203.0.113.7/24"),
        ("expires", "2026-11-20"),
        ("access", "admin"),
    ];
    browser.submit("Save changes", &values).await;
    assert_eq!(browser.answer.status, 422);
    assert!(
        browser
            .one("#domains-error")
            .contains("Allowed domains, entry 2: *.com covers hosts of many owners")
    );
    assert!(
        browser
            .one("#ips-error")
            .contains("the range is 203.0.113.0/24")
    );
    assert!(browser.one("#expires-error").contains("This day is over"));
    assert!(browser.one("#access-error").contains("Only an owner"));
    assert_eq!(browser.texts("#errors li").len(), 4);
    assert!(browser.one("#domains").contains("www.example.com *.com"));
    assert!(browser.texts("ol.plain-list li")[2].contains("entry 1 allows it already"));
    let all = [
        ("products", "nothing"),
        ("generation", "1"),
        ("name", "x"),
        ("access", "read"),
    ];
    browser
        .post(&format!("{}/{key_id}/edit", keys()), &all)
        .await;
    assert!(browser.answer.status == 422 || browser.text().contains("stops working"));
}

#[actix_web::test]
async fn an_owner_gives_admin_access() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = open(&world, Actor::Owner, &key_id).await;
    browser.submit("Save changes", &[("access", "admin")]).await;
    assert_eq!(browser.path, format!("{}/{key_id}", keys()));
    // Whoever is no owner may leave it as it is.
    let mut developer = open(&world, Actor::Developer, &key_id).await;
    developer
        .submit("Save changes", &[("note", "Careful.")])
        .await;
    assert_eq!(developer.path, format!("{}/{key_id}", keys()));
}

#[actix_web::test]
async fn of_two_who_edit_the_second_sees_both_and_overwrites_nothing() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut first = open(&world, Actor::Owner, &key_id).await;
    let mut second = open(&world, Actor::Developer, &key_id).await;
    first
        .submit("Save changes", &[("name", "Till"), ("note", "Theirs.")])
        .await;
    second.submit("Save changes", &[("note", "Mine.")]).await;
    assert_eq!(second.answer.status, 409);
    let band = second.one("[role=alert].band");
    assert!(
        band.contains("Name nowTill") && band.contains("Note nowTheirs."),
        "{band}"
    );
    assert!(
        second.one("#note").contains("Mine."),
        "what was typed is kept"
    );
    assert!(!world.dump().contains("Mine."));
    second.submit("Save changes", &[]).await;
    assert_eq!(
        second.path,
        format!("{}/{key_id}", keys()),
        "having seen it, they go on"
    );
    assert!(second.text().contains("Mine."));
}

#[actix_web::test]
async fn of_two_who_edit_the_second_sees_how_the_key_is_billed_now() {
    let world = World::new().await;
    world.sql("UPDATE accounts SET tier = 'enterprise'");
    let key_id = world.key("Shop front").await;
    let mut first = open(&world, Actor::Owner, &key_id).await;
    let mut second = open(&world, Actor::Developer, &key_id).await;
    first.submit("Save changes", &[("billing", "paying")]).await;
    second.submit("Save changes", &[("note", "Mine.")]).await;
    let band = second.one("[role=alert].band");
    assert!(band.contains("Billing type nowPaying"), "{band}");
}

#[actix_web::test]
async fn a_name_of_another_key_is_refused_at_its_place() {
    let world = World::new().await;
    world.key("Till").await;
    let key_id = world.key("Shop front").await;
    let mut browser = open(&world, Actor::Developer, &key_id).await;
    browser.submit("Save changes", &[("name", "till")]).await;
    assert_eq!(browser.answer.status, 422);
    assert!(browser.one("#name-error").contains("Another key"));
}

#[actix_web::test]
async fn a_secret_is_kept_in_no_text_of_a_key() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get(&format!("{}/new", keys())).await;
    browser
        .submit("Create key", &[("name", "Till"), ("products", "tiles")])
        .await;
    let (secret, key_id) = (browser.one("#secret"), browser.one("#key-id"));
    let mut browser = open(&world, Actor::Developer, &key_id).await;
    browser
        .submit("Save changes", &[("note", &format!("It is {secret}"))])
        .await;
    assert_eq!(browser.answer.status, 422);
    assert!(!browser.answer.body.contains(&secret));
    assert!(!world.dump().contains(&secret));
}
