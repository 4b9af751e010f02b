//! One-time links (T-17, T-18).

use actix_web::http::Method;
use latchkey::store::one_time_links;
use latchkey::web::token::Token;

use crate::world::{ACCOUNT, Actor, BEGIN, PASSWORD, World};

const DAY: i64 = 24 * 60 * 60 * 1000;

pub(crate) async fn link(world: &World, actor: Actor) -> String {
    let (token, handle) = (Token::generate().unwrap(), world.handle(actor).await);
    let digest = token.digest();
    world
        .db
        .change(move |c| one_time_links::create(c, &handle, digest, BEGIN.plus_ms(DAY)))
        .await
        .unwrap();
    assert!(!world.dump().contains(token.expose()));
    format!("/set-password?token={}", token.expose())
}

#[actix_web::test]
async fn t_17_a_link_sets_the_password_once_and_ends_the_sessions() {
    let world = World::new().await;
    let mut old = world.signed_in(Actor::Viewer).await;
    let link = link(&world, Actor::Viewer).await;
    let mut browser = world.browser();
    let before = world.dump();
    let request = browser.request(Method::GET, &link);
    let answer = browser.send(request).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/set-password")),
        "the token leaves the address"
    );
    browser.get("/set-password").await;
    assert_eq!(browser.answer.header("cache-control"), Some("no-store"));
    assert!(browser.text().contains("viewer@example.com"));
    assert_eq!(world.dump(), before, "looking uses nothing up");

    browser
        .submit("Set password", &[("password", "short")])
        .await;
    assert_eq!(browser.answer.status, 422);
    browser
        .submit("Set password", &[("password", "another password, longer")])
        .await;
    assert_eq!(browser.path, "/sign-in");
    assert!(browser.text().contains("Your password is set."));

    old.get(&format!("/accounts/{ACCOUNT}/keys")).await;
    assert!(
        old.path.starts_with("/sign-in"),
        "the sessions from before are over"
    );
    browser.sign_in("viewer@example.com", PASSWORD).await;
    assert_eq!(browser.answer.status, 422);
    browser
        .sign_in("viewer@example.com", "another password, longer")
        .await;
    assert_eq!(browser.path, format!("/accounts/{ACCOUNT}/keys"));

    let mut again = world.browser();
    again.get(&link).await;
    assert_eq!(again.answer.status, 410);
    assert!(again.texts("form[action='/set-password']").is_empty());
}

#[actix_web::test]
async fn t_17_a_link_is_over_after_its_day_also_while_its_form_is_open() {
    let world = World::new().await;
    let link = link(&world, Actor::Viewer).await;
    let mut browser = world.browser();
    browser.get(&link).await;
    assert_eq!(browser.answer.status, 200);
    world.hand.advance_ms(DAY);
    browser
        .submit("Set password", &[("password", "another password, longer")])
        .await;
    assert_eq!(browser.answer.status, 410);
    world.signed_in(Actor::Viewer).await;
}

#[actix_web::test]
async fn a_made_up_token_opens_nothing() {
    let world = World::new().await;
    for token in ["", "x", "a%00b", &"a".repeat(5000), "%3Cscript%3E"] {
        let mut browser = world.browser();
        browser.get(&format!("/set-password?token={token}")).await;
        assert_eq!(browser.answer.status, 410, "{token:.20}");
        assert_eq!(
            browser
                .post("/set-password", &[("password", "another password, longer")])
                .await
                .status,
            410
        );
    }
}

#[actix_web::test]
async fn t_17_nobody_is_there_before_somebody_is_made() {
    let world = World::new().await;
    let mut browser = world.browser();
    for email in ["admin@localhost", "admin@example.org", "root@localhost"] {
        for password in ["admin", "password", "latchkey", ""] {
            browser.sign_in(email, password).await;
            assert_eq!(browser.answer.status, 422);
        }
    }
}
