//! A person's own pages, and the mails that tell of what happens (T-12, T-19).

use latchkey_rules::mail::MailKind;

use crate::confirm::world;
use crate::world::{ACCOUNT, Actor, PASSWORD, World, keys};

const ANOTHER: &str = "another password, longer";

#[actix_web::test]
async fn t_12_a_name_is_changed_with_the_password_alone() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get("/profile/name").await;
    assert_eq!(browser.attributes("#name", "value"), ["Person Developer"]);
    let wrong = [("name", "Grace Hopper"), ("password", "not my password")];
    browser.submit("Change name", &wrong).await;
    assert_eq!(browser.answer.status, 422);
    assert_eq!(browser.attributes("#name", "value"), ["Grace Hopper"]);
    assert!(browser.one("#password-error").contains("not your password"));
    let right = [("name", "Grace Hopper"), ("password", PASSWORD)];
    browser.submit("Change name", &right).await;
    assert_eq!(browser.path, "/profile");
    assert!(browser.one(".me b").contains("Grace Hopper"));
}

#[actix_web::test]
async fn t_58_no_line_break_gets_into_a_name() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get("/profile/name").await;
    let values = [
        ("name", "Grace\r\nBcc: x@example.com"),
        ("password", PASSWORD),
    ];
    browser.submit("Change name", &values).await;
    assert_eq!(browser.answer.status, 422);
    assert!(browser.texts("#name-error").len() == 1);
}

#[actix_web::test]
async fn t_11_another_password_ends_the_other_sessions_and_is_told() {
    let world = world().await;
    let mut elsewhere = world.signed_in(Actor::Developer).await;
    let mut browser = world.signed_in(Actor::Developer).await;
    let before = browser.cookies.clone();
    browser.get("/profile/password").await;
    let table = [
        (
            ("password", "not my password"),
            ("new_password", ANOTHER),
            "password",
        ),
        (
            ("password", PASSWORD),
            ("new_password", "short"),
            "new_password",
        ),
        (
            ("password", PASSWORD),
            ("new_password", PASSWORD),
            "new_password",
        ),
    ];
    for (current, new, bad) in table {
        browser.submit("Change password", &[current, new]).await;
        assert_eq!(browser.answer.status, 422);
        assert_eq!(browser.texts(&format!("#{bad}-error")).len(), 1, "{bad}");
    }
    let values = [("password", PASSWORD), ("new_password", ANOTHER)];
    browser.submit("Change password", &values).await;
    assert_eq!(browser.path, "/profile", "this session goes on");
    assert_ne!(
        browser.cookies.get("lk_session"),
        before.get("lk_session"),
        "with a new token"
    );
    elsewhere.get(&keys()).await;
    assert!(elsewhere.path.starts_with("/sign-in"));
    let told = world.mail().await;
    assert_eq!(
        (told.kind, told.to.as_str()),
        (MailKind::PasswordChanged, "developer@example.com")
    );
    elsewhere.sign_in("developer@example.com", ANOTHER).await;
    assert_eq!(elsewhere.answer.status, 200);
}

#[actix_web::test]
async fn without_a_mail_server_an_address_is_changed_at_once() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Owner).await;
    browser.get("/profile/email").await;
    let taken = [("email", "viewer@example.com"), ("password", PASSWORD)];
    browser.submit("Change mail address", &taken).await;
    assert_eq!(browser.answer.status, 422);
    let free = [("email", "new@example.com"), ("password", PASSWORD)];
    browser.submit("Change mail address", &free).await;
    assert_eq!(browser.path, "/profile");
    let mut elsewhere = world.browser();
    elsewhere.sign_in("new@example.com", PASSWORD).await;
    assert_eq!(elsewhere.answer.status, 200);
}

async fn choose(world: &World, actor: Actor, choice: &str) {
    let mut browser = world.signed_in(actor).await;
    browser.get("/profile").await;
    browser.submit("Save mails", &[("mails", choice)]).await;
    assert_eq!(browser.path, "/profile");
    let chosen = browser.attributes("input[name=mails][checked]", "value");
    assert_eq!(chosen, [choice]);
}

#[actix_web::test]
async fn t_19_a_keys_people_are_told_of_what_happens_to_it() {
    let world = world().await;
    choose(&world, Actor::Viewer, "none").await;
    choose(&world, Actor::Owner, "own").await;
    let key_id = world.key("Shop front").await;
    let made = world.mail().await;
    assert_eq!(
        (made.kind, made.to.as_str(), made.subject.as_str()),
        (
            MailKind::KeyCreated,
            "developer@example.com",
            "New key: Shop front"
        )
    );
    assert!(made.text.contains(&key_id) && made.text.contains("developer@example.com made a key"));

    choose(&world, Actor::Owner, "all").await;
    let mut admin = world.signed_in(Actor::Admin).await;
    admin.get(&format!("/staff/keys/{key_id}/disable")).await;
    let reason = [("reason", "It is in a public repository")];
    admin.submit("Disable key", &reason).await;
    let told = world.mails().await;
    let to: Vec<_> = told.iter().map(|m| (m.kind, m.to.as_str())).collect();
    assert_eq!(
        to,
        [
            (MailKind::KeyDisabled, "developer@example.com"),
            (MailKind::KeyDisabled, "owner@example.com"),
        ]
    );
    for form in [&told[0].text, &told[0].html] {
        assert!(form.contains("It is in a public repository"), "{form}");
        assert!(form.contains("help@northwind.example"), "{form}");
        assert!(
            !form.contains("admin@example.com"),
            "staff are not named: {form}"
        );
    }

    admin.submit("Enable key", &[]).await;
    assert_eq!(world.mails().await[0].kind, MailKind::KeyEnabled);

    choose(&world, Actor::Developer, "none").await;
    let mut owner = world.signed_in(Actor::Owner).await;
    owner.get(&format!("{}/{key_id}/delete", keys())).await;
    owner.submit("Delete key", &[("name", "Shop front")]).await;
    let gone = world.mail().await;
    assert_eq!(
        (gone.kind, gone.to.as_str()),
        (MailKind::KeyDeleted, "owner@example.com")
    );
    assert!(gone.text.contains(&format!("/accounts/{ACCOUNT}/keys")));
}

#[actix_web::test]
async fn t_33_no_mail_holds_a_secret() {
    let world = world().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get(&format!("{}/new", keys())).await;
    browser
        .submit("Create key", &[("name", "Till"), ("products", "tiles")])
        .await;
    let secret = browser.one("#secret");
    let mails = world.mails().await;
    assert!(!mails.is_empty());
    for mail in mails {
        for part in [&mail.subject, &mail.text, &mail.html] {
            assert!(
                !part.contains(secret.trim_start_matches("nw_live_")),
                "{part}"
            );
        }
    }
}
