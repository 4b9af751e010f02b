//! Pausing, resuming, and taking a delete back.

use crate::browser::Browser;
use crate::world::{Actor, World, keys};

const MINUTE: i64 = 60 * 1000;

async fn paused<'w>(world: &'w World, key_id: &str, minutes: &str) -> Browser<'w> {
    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get(&format!("{}/{key_id}/pause", keys())).await;
    browser.submit("Pause key", &[("minutes", minutes)]).await;
    assert_eq!(browser.path, format!("{}/{key_id}", keys()));
    browser
}

#[actix_web::test]
async fn a_paused_key_resumes_by_itself_or_by_a_button() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = paused(&world, &key_id, "10").await;
    assert_eq!(browser.one(".head .st"), "Paused");
    assert!(
        browser.one("#off").contains("21 Nov 2026, 10:10:00 UTC"),
        "{}",
        browser.one("#off")
    );
    world.hand.advance_ms(10 * MINUTE);
    browser.get(&format!("{}/{key_id}", keys())).await;
    assert_eq!(browser.one(".head .st"), "Active");

    let mut browser = paused(&world, &key_id, "0").await;
    browser.submit("Resume key", &[]).await;
    assert_eq!(browser.one(".head .st"), "Active");
    let dump = world.dump();
    for action in ["key.paused", "key.resumed"] {
        assert!(dump.contains(action), "{action}");
    }
}

#[actix_web::test]
async fn a_time_that_is_not_offered_is_refused_at_its_place() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = world.signed_in(Actor::Developer).await;
    let path = format!("{}/{key_id}/pause", keys());
    browser.post(&path, &[("minutes", "17")]).await;
    assert_eq!(browser.answer.status, 422);
    assert!(
        browser
            .one("#minutes-error")
            .contains("Choose one of the times")
    );
}

#[actix_web::test]
async fn an_accounts_people_cannot_undo_what_staff_disabled() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    paused(&world, &key_id, "0").await;
    let mut admin = world.signed_in(Actor::Admin).await;
    admin.get(&format!("/staff/keys/{key_id}/disable")).await;
    admin
        .submit("Disable key", &[("reason", "It leaked.")])
        .await;
    let mut browser = world.signed_in(Actor::Owner).await;
    browser.get(&format!("{}/{key_id}", keys())).await;
    assert!(browser.texts("#off form").is_empty());
    browser
        .post(&format!("{}/{key_id}/resume", keys()), &[])
        .await;
    assert_eq!(browser.one(".head .st"), "Disabled");
    browser
        .post(&format!("{}/{key_id}/pause", keys()), &[("minutes", "0")])
        .await;
    assert!(
        browser
            .one("[role=status].band")
            .contains("disabled already")
    );
    assert_eq!(browser.one(".head .st"), "Disabled");
}

async fn deleted<'w>(world: &'w World, key_id: &str) -> Browser<'w> {
    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get(&format!("{}/{key_id}/delete", keys())).await;
    browser
        .submit("Delete key", &[("name", "Shop front")])
        .await;
    browser
}

#[actix_web::test]
async fn a_delete_is_taken_back_within_its_hour() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = deleted(&world, &key_id).await;
    assert!(
        browser
            .one("#off")
            .contains("Until 21 Nov 2026, 11:00:00 UTC")
    );
    world.hand.advance_ms(60 * MINUTE - 1);
    browser.submit("Restore key", &[]).await;
    assert_eq!(browser.one(".head .st"), "Active");
    browser.get(&keys()).await;
    assert!(browser.text().contains("Shop front"));

    let mut browser = deleted(&world, &key_id).await;
    world.hand.advance_ms(60 * MINUTE);
    browser
        .post(&format!("{}/{key_id}/restore", keys()), &[])
        .await;
    assert!(
        browser
            .one("[role=status].band")
            .contains("Its time is over")
    );
    assert_eq!(browser.one(".head .st"), "Deleted");
    assert!(browser.texts("#off form").is_empty());
}

#[actix_web::test]
async fn a_key_whose_name_was_taken_meanwhile_stays_deleted_and_says_why() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = deleted(&world, &key_id).await;
    world.key("Shop front").await;
    browser.submit("Restore key", &[]).await;
    assert!(
        browser
            .one("[role=status].band")
            .contains("another key has its name")
    );
    assert_eq!(browser.one(".head .st"), "Deleted");
}
