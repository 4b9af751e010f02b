//! Which passwords may be chosen, wherever one is chosen (T-02, T-03).

use crate::set_password::link;
use crate::world::{Actor, PASSWORD, World};

const GUESSABLE: &str = "This password is easy to guess.";

#[actix_web::test]
async fn t_03_a_guessable_password_is_refused_wherever_one_is_chosen() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.get("/sign-up").await;
    let typed = |password: &'static str| {
        [
            ("name", "Ada Byron"),
            ("company", "Analytical Engines"),
            ("email", "ada@example.org"),
            ("password", password),
        ]
    };
    for about_her in [
        "analyticalengines",
        "ada@example.org",
        "northwindmaps",
        "password1234",
    ] {
        browser.submit("Create account", &typed(about_her)).await;
        assert_eq!(browser.answer.status, 422, "{about_her}");
        let said = browser.one("#password-error");
        assert!(said.starts_with(GUESSABLE), "{about_her}: {said}");
    }
    browser
        .submit("Create account", &typed("a few plain words for it"))
        .await;
    assert_eq!(browser.path, "/sign-in");

    let link = link(&world, Actor::Viewer).await;
    browser.get(&link).await;
    browser
        .submit("Set password", &[("password", "viewer@example.com")])
        .await;
    assert!(browser.one("#password-error").starts_with(GUESSABLE));

    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get("/profile/password").await;
    let values = [("password", PASSWORD), ("new_password", "qwertyuiop12")];
    browser.submit("Change password", &values).await;
    assert!(browser.one("#new_password-error").starts_with(GUESSABLE));
}

#[actix_web::test]
async fn t_02_a_password_keeps_its_spaces() {
    let world = World::new().await;
    let spaced = "  a password, with room around it  ";
    let link = link(&world, Actor::Viewer).await;
    let mut browser = world.browser();
    browser.get(&link).await;
    browser
        .submit("Set password", &[("password", spaced)])
        .await;
    assert_eq!(browser.path, "/sign-in");
    browser.sign_in("viewer@example.com", spaced.trim()).await;
    assert_eq!(browser.answer.status, 422);
    browser.sign_in("viewer@example.com", spaced).await;
    assert_eq!(browser.answer.status, 200);
}
