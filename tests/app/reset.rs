//! Another password by a link in a mail (T-18).

use latchkey_rules::mail::MailKind;

use crate::confirm::world;
use crate::mailbox::Arrived;
use crate::world::{ACCOUNT, Actor, PASSWORD, World};

const ANOTHER: &str = "another password, longer";

async fn ask(world: &World, email: &str) -> (u16, usize, Vec<(String, String)>) {
    let mut browser = world.browser();
    browser.get("/sign-in").await;
    assert!(
        browser
            .attributes("main a", "href")
            .contains(&"/reset".to_owned())
    );
    browser.get("/reset").await;
    browser.submit("Send link", &[("email", email)]).await;
    assert_eq!(browser.path, "/sign-in");
    let answer = &browser.answer;
    let headers = answer.headers.iter().filter(|(name, _)| {
        !["x-request-id", "latchkey-request-id", "date"].contains(&name.as_str())
    });
    (answer.status, answer.body.len(), headers.cloned().collect())
}

#[actix_web::test]
async fn t_18_a_reset_ends_every_session_and_signs_nobody_in() {
    let world = world().await;
    let mut old = world.signed_in(Actor::Viewer).await;
    ask(&world, "VIEWER@example.com").await;
    let mail = world.mail().await;
    assert_eq!(
        (mail.kind, mail.to.as_str()),
        (MailKind::ResetPassword, "viewer@example.com")
    );
    let token = mail.link().split_once('=').unwrap().1.to_owned();
    assert!(!world.dump().contains(&token));

    let mut browser = world.browser();
    browser.get(&mail.link()).await;
    assert_eq!(
        browser.path, "/set-password",
        "the token leaves the address"
    );
    browser
        .submit("Set password", &[("password", ANOTHER)])
        .await;
    assert_eq!(browser.path, "/sign-in", "nobody is signed in by it");
    old.get(&format!("/accounts/{ACCOUNT}/keys")).await;
    assert!(old.path.starts_with("/sign-in"), "every session is over");
    browser.sign_in("viewer@example.com", PASSWORD).await;
    assert_eq!(browser.answer.status, 422);
    browser.sign_in("viewer@example.com", ANOTHER).await;
    assert_eq!(browser.path, format!("/accounts/{ACCOUNT}/keys"));

    let told = world.mail().await;
    assert_eq!(told.kind, MailKind::PasswordChanged);
    assert!(
        told.text.contains("21 November 2026, 10:00 UTC"),
        "{}",
        told.text
    );
    let mut again = world.browser();
    again.get(&mail.link()).await;
    assert_eq!(again.answer.status, 410);
    assert!(
        again
            .attributes("main a", "href")
            .contains(&"/reset".to_owned())
    );
}

#[actix_web::test]
async fn t_18_a_reset_works_for_half_an_hour_and_the_first_used_ends_the_others() {
    let world = world().await;
    ask(&world, "viewer@example.com").await;
    ask(&world, "viewer@example.com").await;
    let links: Vec<String> = world.mails().await.iter().map(Arrived::link).collect();
    let mut browser = world.browser();
    browser.get(&links[0]).await;
    browser
        .submit("Set password", &[("password", ANOTHER)])
        .await;
    assert_eq!(browser.path, "/sign-in");
    let mut late = world.browser();
    late.get(&links[1]).await;
    assert_eq!(late.answer.status, 410, "another one was used");

    world.mails().await;
    ask(&world, "developer@example.com").await;
    let link = world.mail().await.link();
    let mut late = world.browser();
    late.get(&link).await;
    world.hand.advance_ms(30 * 60 * 1000);
    late.submit("Set password", &[("password", ANOTHER)]).await;
    assert_eq!(late.answer.status, 410, "half an hour is over");
}

#[actix_web::test]
async fn t_05_a_known_and_an_unknown_address_get_the_same_answer() {
    let world = world().await;
    let known = ask(&world, "viewer@example.com").await;
    let unknown = ask(&world, "viewre@example.com").await;
    assert_eq!(known, unknown);
    assert_eq!(world.mail().await.to, "viewer@example.com");
}

#[actix_web::test]
async fn without_a_mail_server_support_gives_the_link() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.get("/reset").await;
    assert!(browser.text().contains("sends no mail"));
    assert!(
        browser
            .texts("form")
            .iter()
            .all(|form| !form.contains("Send link"))
    );
    browser
        .post("/reset", &[("email", "viewer@example.com")])
        .await;
    assert_eq!(browser.answer.status, 403);
}
