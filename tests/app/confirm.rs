//! Signing up and another address where mail is sent: nothing comes to be before the link was followed.

use latchkey_rules::mail::MailKind;

use crate::mailbox::Arrived;
use crate::world::{Actor, PASSWORD, Plan, World};

const DAY: i64 = 24 * 60 * 60 * 1000;

const NEW: [(&str, &str); 4] = [
    ("name", "Ada Byron"),
    ("company", "Analytical Engines"),
    ("email", "Ada@example.org"),
    ("password", "a password for the engine"),
];

pub(crate) async fn world() -> World {
    World::planned(Plan {
        mail: true,
        ..Plan::default()
    })
    .await
}

async fn sign_up(world: &World, values: &[(&str, &str)]) -> Arrived {
    let mut browser = world.browser();
    browser.get("/sign-up").await;
    browser.submit("Create account", values).await;
    assert_eq!(browser.path, "/sign-in");
    world.mail().await
}

#[actix_web::test]
async fn t_18_a_sign_up_waits_for_its_link_which_works_once() {
    let world = world().await;
    let mail = sign_up(&world, &NEW).await;
    assert_eq!(
        (mail.kind, mail.to.as_str()),
        (MailKind::ConfirmSignUp, "Ada@example.org")
    );
    assert_eq!(mail.subject, "Confirm your mail address for Northwind Maps");
    assert!(mail.text.contains("Analytical Engines") && mail.html.contains("Hello Ada Byron"));

    let mut browser = world.browser();
    browser.sign_in("ada@example.org", NEW[3].1).await;
    assert_eq!(browser.answer.status, 422, "there is nobody yet");

    let token = mail.link().split_once('=').unwrap().1.to_owned();
    assert!(!world.dump().contains(&token), "the token is kept nowhere");
    browser.get(&mail.link()).await;
    assert_eq!(browser.path, "/confirm", "the token leaves the address");
    assert!(browser.text().contains("Ada@example.org"));
    let before = world.dump();
    browser.get("/confirm").await;
    assert_eq!(world.dump(), before, "looking uses nothing up");
    browser.submit("Confirm address", &[]).await;
    assert_eq!(browser.path, "/sign-in", "nobody is signed in by it");
    assert!(browser.text().contains("your account is ready"));
    browser.sign_in("ada@example.org", NEW[3].1).await;
    assert_eq!(browser.path, "/accounts/analytical-engines/keys");

    let mut again = world.browser();
    again.get(&mail.link()).await;
    assert_eq!(again.answer.status, 410);
}

#[actix_web::test]
async fn t_18_a_sign_up_is_over_after_its_day() {
    let world = world().await;
    let mail = sign_up(&world, &NEW).await;
    let mut browser = world.browser();
    browser.get(&mail.link()).await;
    world.hand.advance_ms(DAY);
    browser.submit("Confirm address", &[]).await;
    assert_eq!(browser.answer.status, 410);
    assert!(!world.dump().contains("analytical-engines"));
}

#[actix_web::test]
async fn t_05_a_taken_address_is_told_by_mail_alone() {
    let world = world().await;
    let mut answers = Vec::new();
    for email in ["owner@example.com", "onwer@example.com"] {
        let mut browser = world.browser();
        browser.get("/sign-up").await;
        let mut values = NEW;
        values[2].1 = email;
        browser.submit("Create account", &values).await;
        answers.push((
            browser.answer.status,
            browser.answer.body.len(),
            browser.text().replace("onwer", "owner"),
        ));
    }
    assert_eq!(answers[0], answers[1]);
    let kinds: Vec<_> = world.mails().await.iter().map(|m| m.kind).collect();
    assert_eq!(kinds, [MailKind::SignUpTaken, MailKind::ConfirmSignUp]);
}

#[actix_web::test]
async fn the_first_of_two_sign_ups_to_be_confirmed_has_the_address() {
    let world = world().await;
    let first = sign_up(&world, &NEW).await;
    let mut other = NEW;
    other[1].1 = "Difference Engines";
    let second = sign_up(&world, &other).await;
    let mut browser = world.browser();
    browser.get(&second.link()).await;
    browser.submit("Confirm address", &[]).await;
    assert_eq!(browser.path, "/sign-in");
    browser.get(&first.link()).await;
    browser.submit("Confirm address", &[]).await;
    assert_eq!(browser.answer.status, 410);
    let dump = world.dump();
    assert!(dump.contains("difference-engines") && !dump.contains("analytical-engines"));
}

#[actix_web::test]
async fn t_07_an_address_gets_three_mails_an_hour_and_the_page_does_not_tell() {
    let world = world().await;
    let mut pages = Vec::new();
    for _ in 0..4 {
        let mut browser = world.browser();
        browser.get("/sign-up").await;
        browser.submit("Create account", &NEW).await;
        pages.push(browser.text());
    }
    assert_eq!(world.mails().await.len(), 3);
    assert!(pages.iter().all(|page| *page == pages[0]));
    world.hand.advance_ms(60 * 60 * 1000);
    sign_up(&world, &NEW).await;
}

#[actix_web::test]
async fn another_address_is_in_use_once_it_is_confirmed_and_the_old_one_is_told() {
    let world = world().await;
    let mut browser = world.signed_in(Actor::Owner).await;
    browser.get("/reset").await;
    browser
        .submit("Send link", &[("email", "owner@example.com")])
        .await;
    let reset = world.mail().await.link();
    browser.get("/profile/email").await;
    let values = [("email", "new@example.com"), ("password", PASSWORD)];
    browser.submit("Change mail address", &values).await;
    assert_eq!(browser.path, "/profile");
    assert!(browser.text().contains("on its way to new@example.com"));
    assert!(browser.text().contains("owner@example.com"));
    let mail = world.mail().await;
    assert_eq!(
        (mail.kind, mail.to.as_str()),
        (MailKind::ConfirmAddress, "new@example.com")
    );
    assert!(mail.text.contains("instead of owner@example.com"));

    browser.get(&mail.link()).await;
    browser.submit("Confirm address", &[]).await;
    assert_eq!(browser.path, "/profile");
    assert!(browser.text().contains("new@example.com"));
    let told = world.mail().await;
    assert_eq!(
        (told.kind, told.to.as_str()),
        (MailKind::AddressChanged, "owner@example.com")
    );
    let mut late = world.browser();
    late.get(&reset).await;
    assert_eq!(
        late.answer.status, 410,
        "what the old address was sent opens nothing"
    );
    let mut elsewhere = world.browser();
    elsewhere.sign_in("owner@example.com", PASSWORD).await;
    assert_eq!(elsewhere.answer.status, 422);
    elsewhere.sign_in("new@example.com", PASSWORD).await;
    assert_eq!(elsewhere.answer.status, 200);
}

#[actix_web::test]
async fn t_05_another_address_that_is_taken_is_told_to_its_owner_alone() {
    let world = world().await;
    let mut pages = Vec::new();
    for email in ["viewer@example.com", "viewre@example.com"] {
        let mut browser = world.signed_in(Actor::Owner).await;
        browser.get("/profile/email").await;
        let values = [("email", email), ("password", PASSWORD)];
        browser.submit("Change mail address", &values).await;
        pages.push(browser.text().replace("viewre", "viewer"));
    }
    assert_eq!(pages[0], pages[1]);
    let mails = world.mails().await;
    let told: Vec<_> = mails.iter().map(|m| (m.kind, m.to.as_str())).collect();
    assert_eq!(
        told,
        [
            (MailKind::AddressTaken, "viewer@example.com"),
            (MailKind::ConfirmAddress, "viewre@example.com"),
        ]
    );
}
