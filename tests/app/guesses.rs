//! How often passwords may be guessed (T-06, T-12).

use crate::world::{Actor, PASSWORD, World};

const WRONG: &str = "not the password at all";

#[actix_web::test]
async fn t_06_the_eleventh_guess_has_to_wait_for_a_known_and_an_unknown_address_alike() {
    let world = World::new().await;
    let mut pages = Vec::new();
    for email in ["developer@example.com", "nobody-here@example.com"] {
        let mut browser = world.browser();
        for _ in 0..10 {
            browser.sign_in(email, WRONG).await;
            assert_eq!(browser.answer.status, 422);
        }
        browser.sign_in(email, PASSWORD).await;
        assert_eq!(browser.answer.status, 429, "not even the right one");
        assert_eq!(browser.answer.header("retry-after"), Some("1"));
        assert_eq!(browser.attributes("#email", "value"), [email]);
        let said = browser.one("#password-error");
        assert_eq!(
            said,
            "Too many tries have failed. Wait 1 second, then try again."
        );
        pages.push(browser.text().replace(email, ""));
        assert!(!browser.cookies.contains_key("lk_device"));
    }
    assert_eq!(pages[0], pages[1]);
    world.hand.advance_ms(1_000);
    let mut browser = world.browser();
    browser.sign_in("developer@example.com", PASSWORD).await;
    assert_eq!(browser.answer.status, 200);
    assert!(browser.cookies.contains_key("lk_device"));
}

#[actix_web::test]
async fn t_06_whoever_guesses_does_not_lock_the_owner_out() {
    let world = World::new().await;
    let mut owner = world.signed_in(Actor::Owner).await;
    owner.submit("Sign out", &[]).await;
    let mut stranger = world.browser();
    for _ in 0..12 {
        stranger.sign_in("owner@example.com", WRONG).await;
    }
    assert_eq!(stranger.answer.status, 429);
    // The cookie of somebody else's device is none of this address.
    let mut other = world.signed_in(Actor::Developer).await;
    other.submit("Sign out", &[]).await;
    other.sign_in("owner@example.com", PASSWORD).await;
    assert_eq!(other.answer.status, 429);
    // Nor is one that was not signed here.
    let device = other.cookies.get_mut("lk_device").unwrap();
    let theirs = owner.cookies["lk_device"].value().to_owned();
    device.set_value(format!("{theirs}x"));
    other.sign_in("owner@example.com", PASSWORD).await;
    assert_eq!(other.answer.status, 429);
    owner.sign_in("owner@example.com", PASSWORD).await;
    assert_eq!(owner.answer.status, 200);
}

#[actix_web::test]
async fn t_12_the_password_is_asked_for_again_and_cannot_be_guessed_in_a_session() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    let before = world.dump();
    let pages = [
        ("/profile/name", "Change name", ("name", "Grace Hopper")),
        (
            "/profile/email",
            "Change mail address",
            ("email", "grace@example.com"),
        ),
        (
            "/profile/password",
            "Change password",
            ("new_password", "another password, longer"),
        ),
    ];
    for round in 0..4 {
        for (page, button, value) in pages {
            browser.get(page).await;
            for password in ["", WRONG] {
                browser
                    .submit(button, &[value, ("password", password)])
                    .await;
                assert_eq!(browser.answer.status, 422, "{page}");
                assert_eq!(browser.texts("#password-error").len(), 1, "{page}");
            }
        }
        assert!(world.dump() == before, "round {round}");
    }
    browser.get("/profile/name").await;
    let right = [("name", "Grace Hopper"), ("password", PASSWORD)];
    browser.submit("Change name", &right).await;
    let said = browser.one("#password-error");
    assert!(said.contains("Too many tries"), "{said}");
    world.hand.advance_ms(5 * 60_000);
    browser.submit("Change name", &right).await;
    assert_eq!(browser.path, "/profile");
}
