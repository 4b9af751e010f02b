//! An account's audit log.

use crate::world::{ACCOUNT, Actor, OTHER, World, keys};

fn log() -> String {
    format!("/accounts/{ACCOUNT}/audit")
}

#[actix_web::test]
async fn every_change_stands_there_with_what_was_so_before_and_after() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get(&format!("{}/{key_id}/edit", keys())).await;
    let values = [("name", "Shop window"), ("note", "Mira's.")];
    browser.submit("Save changes", &values).await;
    browser.get(&format!("{}/{key_id}/pause", keys())).await;
    browser.submit("Pause key", &[]).await;
    browser.get(&log()).await;
    let rows = browser.texts("#events tbody tr");
    assert!(
        rows[0].contains("Key paused") && rows[0].contains("until: 21 Nov 2026, 10:10:00 UTC"),
        "{}",
        rows[0]
    );
    assert!(
        rows[1].contains("Key edited") && rows[1].contains("developer@example.com"),
        "{}",
        rows[1]
    );
    assert!(
        rows[1].contains("name: Shop front → Shop window"),
        "{}",
        rows[1]
    );
    assert!(rows[1].contains("note: none → Mira's."), "{}", rows[1]);
    assert!(
        browser
            .attributes("#events a", "href")
            .contains(&format!("{}/{key_id}", keys()))
    );

    browser.submit("Filter", &[("action", "key.edited")]).await;
    assert_eq!(browser.texts("#events tbody tr").len(), 1);
    browser
        .submit("Filter", &[("action", ""), ("q", "nobody")])
        .await;
    assert!(browser.text().contains("Nothing fits this filter"));
    browser.get(&format!("{}?q=%25", log())).await;
    assert!(
        browser.text().contains("Nothing fits"),
        "a % is a % and nothing else"
    );
}

#[actix_web::test]
async fn a_long_log_is_read_page_by_page_and_nothing_is_shown_twice_or_left_out() {
    let world = World::new().await;
    for number in 0..60 {
        world.key(&format!("Key {number}")).await;
        if number % 7 == 0 {
            world.hand.advance_ms(1);
        }
    }
    let mut browser = world.signed_in(Actor::Viewer).await;
    browser.get(&format!("{}?action=key.created", log())).await;
    let mut seen = browser.texts("#events tbody code");
    assert_eq!(seen.len(), 50);
    let next = browser.attributes(".pager a.btn", "href").remove(0);
    browser.get(&format!("{}{next}", log())).await;
    seen.extend(browser.texts("#events tbody code"));
    assert!(browser.attributes(".pager a.btn", "href").is_empty());
    assert_eq!(seen.len(), 60);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 60);
    browser.get(&format!("{}?before=nonsense", log())).await;
    assert_eq!(browser.answer.status, 404);
}

#[actix_web::test]
async fn the_file_has_the_same_changes() {
    let world = World::new().await;
    let key_id = world.key("=Shop").await;
    let mut browser = world.signed_in(Actor::Viewer).await;
    browser
        .get(&format!("{}.csv?action=key.created", log()))
        .await;
    let kind = browser.answer.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("text/csv"));
    assert!(
        browser
            .answer
            .header("content-disposition")
            .unwrap()
            .contains("audit-harbour-vale.csv")
    );
    let lines: Vec<&str> = browser.answer.body.lines().collect();
    assert_eq!(lines[0], "at,actor,actor_kind,from,action,target,changes");
    assert_eq!(lines.len(), 2);
    assert!(
        lines[1].starts_with("2026-11-21T10:00:00Z,developer@example.com,member,"),
        "{}",
        lines[1]
    );
    assert!(lines[1].contains(&format!("key.created,{key_id},")));
}

#[actix_web::test]
async fn nobody_reads_the_log_of_another_account() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut stranger = world.signed_in(Actor::Stranger).await;
    stranger.get(&log()).await;
    assert_eq!(stranger.answer.status, 404);
    stranger.get(&format!("/accounts/{OTHER}/audit")).await;
    assert_eq!(stranger.answer.status, 200);
    assert!(!stranger.answer.body.contains(&key_id));
}
