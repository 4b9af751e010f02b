//! Rotating a key from its page: the new secret once, the old one's end, and both changed by nobody unseen.

use latchkey_rules::mail::MailKind;

use crate::browser::Browser;
use crate::confirm;
use crate::world::{Actor, World, keys};

const HOUR: i64 = 60 * 60 * 1000;

async fn open<'w>(world: &'w World, key_id: &str) -> Browser<'w> {
    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get(&format!("{}/{key_id}", keys())).await;
    assert!(
        browser
            .attributes("a", "href")
            .contains(&format!("{}/{key_id}/rotate", keys()))
    );
    browser.get(&format!("{}/{key_id}/rotate", keys())).await;
    browser
}

#[actix_web::test]
async fn t_32_a_rotation_shows_the_new_secret_once_and_a_second_sending_rotates_nothing() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = open(&world, &key_id).await;
    assert!(browser.text().contains("This cannot be undone."));
    let chosen = browser.attributes("input[type=radio][checked]", "value");
    assert_eq!(chosen, ["routine", "48"]);
    let form = browser.form("Rotate secret");
    browser.submit("Rotate secret", &[]).await;
    assert_eq!(browser.answer.status, 200);
    assert_eq!(browser.answer.header("cache-control"), Some("no-store"));
    let secret = browser.one("#secret");
    assert!(secret.starts_with("nw_live_"));
    assert!(
        browser
            .text()
            .contains("The old one works until 23 Nov 2026, 10:00:00 UTC"),
        "{}",
        browser.text()
    );
    assert!(!world.dump().contains(&secret));

    let fields: Vec<(&str, &str)> = form
        .fields
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    browser.post(&form.action, &fields).await;
    assert_eq!(browser.answer.status, 409);
    assert!(browser.text().contains("It rotated this key at"));
    assert!(!browser.answer.body.contains(&secret));

    browser.get(&format!("{}/{key_id}", keys())).await;
    let text = browser.text();
    assert!(
        text.contains("Rotation in progress") && text.contains("48 h 0 min"),
        "{text}"
    );
    assert!(
        text.contains("Old secret") && text.contains("Rotating"),
        "{text}"
    );
}

#[actix_web::test]
async fn a_leak_ends_the_old_secret_at_once_and_says_what_to_do() {
    let world = confirm::world().await;
    let key_id = world.key("Shop front").await;
    world.mails().await;
    let mut browser = open(&world, &key_id).await;
    browser
        .submit("Rotate secret", &[("reason", "leaked")])
        .await;
    assert!(browser.text().contains("The old one is refused."));
    assert_eq!(browser.texts("main ol li").len(), 4, "{}", browser.text());
    let told = world.mails().await;
    assert!(told.iter().all(|mail| mail.kind == MailKind::KeyRotated));
    assert!(
        told[0].text.contains("The old one is refused."),
        "{}",
        told[0].text
    );
    browser.get(&format!("{}/{key_id}", keys())).await;
    assert!(!browser.text().contains("Rotation in progress"));
    browser.get(&format!("{}/{key_id}/grace", keys())).await;
    assert_eq!(browser.path, format!("{}/{key_id}", keys()));
    assert!(browser.text().contains("there is nothing to end"));
}

#[actix_web::test]
async fn rotating_again_says_what_becomes_of_each_secret() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = open(&world, &key_id).await;
    browser.submit("Rotate secret", &[("grace", "24")]).await;
    let mut browser = open(&world, &key_id).await;
    assert!(
        browser.text().contains("was never used: it is replaced"),
        "{}",
        browser.text()
    );
    browser.submit("Rotate secret", &[("grace", "3")]).await;
    assert!(
        browser
            .text()
            .contains("The old one works until 22 Nov 2026, 10:00:00 UTC"),
        "the first keeps its end: {}",
        browser.text()
    );
}

#[actix_web::test]
async fn what_is_missing_is_said_at_its_place() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = open(&world, &key_id).await;
    let form_id = browser.attributes("input[name=form_id]", "value").remove(0);
    let path = format!("{}/{key_id}/rotate", keys());
    let fields = [
        ("reason", "because"),
        ("grace", "72"),
        ("generation", "1"),
        ("form_id", &form_id),
    ];
    browser.post(&path, &fields).await;
    assert_eq!(browser.answer.status, 422);
    assert!(browser.one("#reason-error").contains("Choose why"));
    assert!(
        browser
            .one("#grace-error")
            .contains("Choose one of the times")
    );
    browser
        .post(
            &path,
            &[
                ("reason", "routine"),
                ("grace", "48"),
                ("generation", "1"),
                ("form_id", "x"),
            ],
        )
        .await;
    assert_eq!(browser.answer.status, 400);
}

#[actix_web::test]
async fn who_comes_second_sees_that_the_key_was_changed() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut first = open(&world, &key_id).await;
    let mut second = open(&world, &key_id).await;
    first.submit("Rotate secret", &[]).await;
    second.submit("Rotate secret", &[("grace", "3")]).await;
    assert_eq!(second.answer.status, 409);
    let text = second.text();
    assert!(
        text.contains("Nothing was rotated.") && text.contains("A rotation is in progress"),
        "{text}"
    );
    let chosen = second.attributes("input[type=radio][checked]", "value");
    assert_eq!(chosen, ["routine", "3"], "what was chosen is kept");
    second.submit("Rotate secret", &[]).await;
    assert_eq!(second.answer.status, 200, "having looked, they go on");
}

#[actix_web::test]
async fn the_grace_is_shortened_and_ended() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = open(&world, &key_id).await;
    browser.submit("Rotate secret", &[("grace", "24")]).await;
    let grace = format!("{}/{key_id}/grace", keys());
    browser.get(&grace).await;
    assert_eq!(
        browser.attributes("input[name=grace]", "value"),
        ["0", "1", "3"]
    );
    assert_eq!(
        browser.attributes("input[name=grace][checked]", "value"),
        ["0"]
    );
    assert!(
        browser.text().contains("was not used since the rotation"),
        "{}",
        browser.text()
    );
    browser
        .submit("End or shorten grace", &[("grace", "3")])
        .await;
    assert!(
        browser
            .one("[role=status].band")
            .contains("21 Nov 2026, 13:00:00 UTC")
    );
    world.hand.advance_ms(HOUR);
    browser.get(&grace).await;
    assert_eq!(browser.attributes("input[name=grace]", "value"), ["0", "1"]);
    browser
        .submit("End or shorten grace", &[("grace", "0")])
        .await;
    assert!(
        browser
            .one("[role=status].band")
            .contains("refused from now on")
    );
    assert!(!browser.text().contains("Rotation in progress"));
}

#[actix_web::test]
async fn a_viewer_sees_a_rotation_and_cannot_end_it() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    open(&world, &key_id)
        .await
        .submit("Rotate secret", &[])
        .await;
    let mut viewer = world.signed_in(Actor::Viewer).await;
    viewer.get(&format!("{}/{key_id}", keys())).await;
    assert!(viewer.text().contains("Rotation in progress"));
    let links = viewer.attributes("main a", "href");
    assert!(
        links
            .iter()
            .all(|href| !href.ends_with("/rotate") && !href.ends_with("/grace"))
    );
}

#[actix_web::test]
async fn a_grace_may_last_until_a_time_within_two_days() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = open(&world, &key_id).await;
    for (until, said) in [
        ("", "Type a day and a time"),
        ("soon", "Type a day and a time"),
        ("2026-11-21T09:59", "This time is over"),
        ("2026-11-23T10:01", "at most 48 hours"),
    ] {
        let values = [("grace", "until"), ("until", until)];
        browser.submit("Rotate secret", &values).await;
        assert_eq!(browser.answer.status, 422, "{until}");
        assert!(browser.one("#until-error").contains(said), "{until}");
    }
    let values = [("grace", "until"), ("until", "2026-11-22T18:30")];
    browser.submit("Rotate secret", &values).await;
    assert!(
        browser
            .text()
            .contains("The old one works until 22 Nov 2026, 18:30:00 UTC"),
        "{}",
        browser.text()
    );
}
