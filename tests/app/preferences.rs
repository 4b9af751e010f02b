//! Colours and time zone, without a script, signed in or not.

use crate::world::{Actor, World};

#[actix_web::test]
async fn colours_are_kept_in_the_browser_and_with_the_person() {
    let world = World::new().await;
    let mut anyone = world.browser();
    anyone.get("/preferences").await;
    anyone.submit("Save colours", &[("theme", "dark")]).await;
    assert_eq!(anyone.path, "/preferences");
    assert_eq!(anyone.texts("html[data-theme=dark]").len(), 1);
    anyone.get("/docs").await;
    assert_eq!(anyone.texts("html[data-theme=dark]").len(), 1);

    let mut owner = world.signed_in(Actor::Owner).await;
    owner.get("/preferences").await;
    owner.submit("Save colours", &[("theme", "light")]).await;
    let mut elsewhere = world.signed_in(Actor::Owner).await;
    elsewhere.get("/docs").await;
    assert_eq!(elsewhere.texts("html[data-theme=light]").len(), 1);
}

#[actix_web::test]
async fn the_zone_changes_what_is_read() {
    let world = World::new().await;
    let id = world.key("Checkout web").await;
    let mut support = world.signed_in(Actor::Support).await;
    support.get("/preferences").await;
    support
        .submit("Save time zone", &[("zone", "Asia/Kolkata")])
        .await;
    assert!(support.one("[role=status].band").contains("Asia/Kolkata"));
    let mut elsewhere = world.signed_in(Actor::Support).await;
    elsewhere.get(&format!("/staff/keys/{id}")).await;
    assert!(
        elsewhere
            .one("footer.foot")
            .contains("Times in Asia/Kolkata")
    );
    let chosen = elsewhere.get("/preferences").await.body.clone();
    assert!(chosen.contains("<option selected>Asia/Kolkata</option>"));
}

#[actix_web::test]
async fn the_buttons_of_the_footer_lead_back_to_the_page() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.get("/docs/words").await;
    let form = browser.form("Dark");
    let next = form.fields.iter().find(|(name, _)| name == "next");
    let next = next.unwrap().1.clone();
    browser
        .post(&form.action, &[("theme", "dark"), ("next", &next)])
        .await;
    assert_eq!(browser.path, "/docs/words");
    assert_eq!(
        browser.texts("button[value=dark][aria-pressed=true]").len(),
        1
    );
}

#[actix_web::test]
async fn t_56_a_choice_leads_nowhere_else() {
    let world = World::new().await;
    let mut browser = world.browser();
    for next in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "",
    ] {
        let request = browser
            .request(actix_web::http::Method::POST, "/preferences/theme")
            .set_form([("theme", "dark"), ("next", next)]);
        let answer = browser.send(request).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some("/")),
            "{next}"
        );
    }
}

#[actix_web::test]
async fn what_cannot_be_chosen_is_refused_beside_its_field() {
    let world = World::new().await;
    let mut browser = world.browser();
    for (path, field, value) in [
        ("/preferences/theme", "theme", "neon"),
        ("/preferences/theme", "theme", ""),
        ("/preferences/zone", "zone", "Moon/Tycho"),
        ("/preferences/zone", "zone", "../../etc/passwd"),
    ] {
        browser
            .post(path, &[(field, value), ("next", "/docs")])
            .await;
        assert_eq!(browser.answer.status, 422, "{value}");
        assert_eq!(
            browser.texts(&format!("#{field}-error")).len(),
            1,
            "{value}"
        );
        assert!(browser.cookies.is_empty(), "{value}");
    }
}
