//! A secret shown again: whose may be, to whom, and what it leaves behind.

use latchkey::store::products;
use latchkey::store::scope;
use latchkey_rules::mail::MailKind;

use crate::browser::Browser;
use crate::confirm;
use crate::world::{Actor, PASSWORD, World, create, keys, product};

/// A key of that kind; its secret, and its page.
async fn made(world: &World, values: &[(&str, &str)]) -> (String, String) {
    let mut browser = world.signed_in(Actor::Developer).await;
    create(&mut browser, values).await;
    let secret = browser.one("#secret");
    (secret, format!("{}/{}", keys(), browser.one("#key-id")))
}

async fn widget(world: &World) -> (String, String) {
    let values = [
        ("name", "Widget"),
        ("kind", "browser"),
        ("domains", "www.example.com"),
        ("products", "tiles"),
    ];
    made(world, &values).await
}

/// A key that is good for a product whose secrets can be read again.
async fn backend(world: &World) -> (String, String) {
    world
        .db
        .change(|c| {
            let mut open = product("open", "Open data");
            open.recoverable = true;
            products::add(c, &scope::operator("test"), &open)
        })
        .await
        .unwrap();
    made(world, &[("name", "Back end"), ("products", "open")]).await
}

async fn ask<'w>(world: &'w World, actor: Actor, page: &str) -> Browser<'w> {
    let mut browser = world.signed_in(actor).await;
    browser.get(&format!("{page}/reveal")).await;
    browser
}

#[actix_web::test]
async fn t_30_a_browser_keys_secret_is_shown_again_to_each_of_its_people() {
    let world = World::new().await;
    let (secret, page) = widget(&world).await;
    assert!(!world.dump().contains(&secret), "it is kept sealed");
    for actor in [Actor::Viewer, Actor::Developer, Actor::Owner] {
        let mut browser = world.signed_in(actor).await;
        browser.get(&page).await;
        assert!(
            browser
                .attributes("a", "href")
                .contains(&format!("{page}/reveal"))
        );
        assert!(!browser.answer.body.contains(&secret));
        browser.get(&format!("{page}/reveal")).await;
        browser.submit("Show secret", &[]).await;
        assert_eq!(browser.answer.status, 200);
        assert_eq!(browser.answer.header("cache-control"), Some("no-store"));
        assert_eq!(browser.one("#secret"), secret);
    }
    let dump = world.dump();
    assert_eq!(dump.matches("key.secret_revealed").count(), 3);
    assert!(!dump.contains(&secret));
}

#[actix_web::test]
async fn t_30_a_server_keys_secret_asks_for_the_password_and_tells_its_people() {
    let world = confirm::world().await;
    let (secret, page) = backend(&world).await;
    world.mails().await;
    let mut browser = ask(&world, Actor::Developer, &page).await;
    browser
        .submit("Show secret", &[("password", "not it at all")])
        .await;
    assert_eq!(browser.answer.status, 422);
    assert!(!browser.answer.body.contains(&secret));
    assert!(!world.dump().contains("key.secret_revealed"));
    browser
        .submit("Show secret", &[("password", PASSWORD)])
        .await;
    assert_eq!(browser.one("#secret"), secret, "{}", browser.text());
    let told = world.mails().await;
    assert!(!told.is_empty());
    for mail in told {
        assert_eq!(mail.kind, MailKind::SecretRevealed);
        assert!(!mail.text.contains(&secret));
    }
    let viewer = ask(&world, Actor::Viewer, &page).await;
    assert_eq!(viewer.answer.status, 403);
}

#[actix_web::test]
async fn t_30_what_is_kept_as_a_hash_is_shown_to_nobody() {
    let world = World::new().await;
    let (_, page) = made(&world, &[("name", "Shop"), ("products", "tiles")]).await;
    let browser = ask(&world, Actor::Owner, &page).await;
    assert_eq!(browser.answer.status, 404);
    let mut browser = world.signed_in(Actor::Owner).await;
    browser.get(&page).await;
    assert!(browser.text().contains("Only a hash is kept"));
    let (_, page) = widget(&world).await;
    for stranger in [Actor::Stranger, Actor::Support, Actor::Admin] {
        let browser = ask(&world, stranger, &page).await;
        assert_eq!(browser.answer.status, 404, "{stranger:?}");
    }
}

#[actix_web::test]
async fn t_30_nobody_is_shown_many_secrets_within_an_hour() {
    let world = World::new().await;
    let (secret, page) = widget(&world).await;
    let mut browser = ask(&world, Actor::Viewer, &page).await;
    for _ in 0..20 {
        browser.post(&format!("{page}/reveal"), &[]).await;
        assert_eq!(browser.answer.status, 200);
    }
    browser.post(&format!("{page}/reveal"), &[]).await;
    assert_eq!(browser.answer.status, 429);
    assert!(!browser.answer.body.contains(&secret));
    world.hand.advance_ms(60 * 60 * 1000 + 1);
    browser.post(&format!("{page}/reveal"), &[]).await;
    assert_eq!(browser.answer.status, 200);
}

#[actix_web::test]
async fn t_34_a_ciphertext_that_was_put_elsewhere_does_not_open() {
    let world = World::new().await;
    let (one, page) = widget(&world).await;
    let values = [
        ("name", "Other widget"),
        ("kind", "browser"),
        ("any_site", "yes"),
        ("products", "tiles"),
    ];
    let (other, _) = made(&world, &values).await;
    world.sql(
        "UPDATE secrets SET ciphertext = (SELECT ciphertext FROM secrets ORDER BY key_row DESC LIMIT 1)",
    );
    let mut browser = ask(&world, Actor::Viewer, &page).await;
    browser.submit("Show secret", &[]).await;
    assert_eq!(browser.answer.status, 500);
    for secret in [one, other] {
        assert!(!browser.answer.body.contains(&secret));
    }
}
