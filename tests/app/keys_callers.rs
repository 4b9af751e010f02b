//! Who calls with a key, on its page and on every page that takes something away from callers.

use latchkey::store::activity::{self, MeterBatch};
use latchkey::store::callers::CallerCount;
use latchkey::store::replica::{self, RowId};
use latchkey_rules::caller::CallerPlace;
use latchkey_rules::time::HOUR_MS;

use crate::world::{Actor, BEGIN, World, keys};

/// Lets callers call with the key's first secret, so many hours ago: place, program, allowed, refused.
async fn call(world: &World, key_id: &str, hours_ago: i64, calls: &[(&str, &str, i64, i64)]) {
    let id = key_id.parse().unwrap();
    let calls: Vec<_> = calls
        .iter()
        .map(|(place, agent, allowed, refused)| {
            (
                CallerPlace::from_text(place),
                (*agent).to_owned(),
                *allowed,
                *refused,
            )
        })
        .collect();
    world
        .db
        .batch(move |w| {
            let page = replica::keys_page(w, RowId::NONE, 100)?;
            let key = page.into_iter().find(|key| key.key_id == id).unwrap();
            let hour = BEGIN.plus_ms(-hours_ago * HOUR_MS).hour_start();
            let count = |(place, agent, allowed, refused)| CallerCount {
                account: key.account_row,
                key: key.row,
                secret_number: 1,
                product: key.products.first().map(|one| one.product),
                hour,
                place,
                agent,
                allowed,
                refused,
                last_at: hour.plus_ms(60_000),
            };
            let batch = MeterBatch {
                node: "n".to_owned(),
                exposures: Vec::new(),
                epoch: 1,
                seq: hours_ago,
                at: BEGIN,
                rows: Vec::new(),
                callers: calls.into_iter().map(count).collect(),
            };
            activity::flush(w, &batch).map(drop)
        })
        .await
        .unwrap();
}

#[actix_web::test]
async fn the_key_page_shows_the_last_days_callers_and_the_next_page_the_weeks() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    call(
        &world,
        &key_id,
        1,
        &[("203.0.113.0/24", "axios/1.7", 1_200, 3), ("", "", 2, 0)],
    )
    .await;
    call(
        &world,
        &key_id,
        50,
        &[("https://shop.example", "Chrome", 7, 0)],
    )
    .await;
    let mut browser = world.signed_in(Actor::Viewer).await;
    let page = format!("{}/{key_id}", keys());
    browser.get(&page).await;
    let rows = browser.texts("section[aria-labelledby=callers-h] tbody tr");
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[0].contains("203.0.113.0/24axios/1.7"), "{rows:?}");
    let plain: String = rows[0].chars().filter(|c| !c.is_whitespace()).collect();
    assert!(plain.contains("tiles12033"), "requests, refused: {rows:?}");
    assert!(rows[1].contains("Unknown addressno user agent"), "{rows:?}");
    browser.get(&format!("{page}/calling")).await;
    assert_eq!(browser.texts("tbody tr"), rows);
    browser.get(&format!("{page}/callers")).await;
    assert_eq!(browser.texts("tbody tr").len(), 3);
    assert!(browser.text().contains("https://shop.example"));
}

#[actix_web::test]
async fn pages_that_end_something_say_whom_that_reaches() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    call(
        &world,
        &key_id,
        30,
        &[("203.0.113.0/24", "axios/1.7", 12, 0)],
    )
    .await;
    let mut browser = world.signed_in(Actor::Developer).await;
    let page = format!("{}/{key_id}", keys());
    for path in ["rotate", "delete"] {
        browser.get(&format!("{page}/{path}")).await;
        let rows = browser.texts("tbody tr");
        assert_eq!(rows.len(), 1, "{path}");
        assert!(rows[0].contains("axios/1.7"), "{path}: {rows:?}");
    }
    browser.get(&format!("{page}/rotate")).await;
    browser
        .submit("Rotate secret", &[("reason", "leaked")])
        .await;
    assert!(
        browser
            .text()
            .contains("Look for callers below that are not yours")
    );
    assert!(browser.texts("tbody tr")[0].contains("203.0.113.0/24"));
}

#[actix_web::test]
async fn a_rotation_and_its_end_name_who_still_uses_the_old_secret() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = world.signed_in(Actor::Developer).await;
    let page = format!("{}/{key_id}", keys());
    browser.get(&format!("{page}/rotate")).await;
    browser.submit("Rotate secret", &[]).await;
    call(
        &world,
        &key_id,
        5,
        &[("https://early.example", "Chrome", 9, 0)],
    )
    .await;
    call(
        &world,
        &key_id,
        0,
        &[("203.0.113.0/24", "axios/1.7", 12, 0)],
    )
    .await;
    browser.get(&page).await;
    let late = browser.texts("section[aria-labelledby=rot] tbody tr");
    assert_eq!(late.len(), 1, "{late:?}");
    assert!(late[0].contains("axios/1.7"), "{late:?}");
    browser.get(&format!("{page}/grace")).await;
    assert_eq!(browser.texts("tbody tr"), late);
}

#[actix_web::test]
async fn more_callers_than_a_table_has_room_for_are_summed_below_it() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let nets: Vec<String> = (0..60).map(|net| format!("198.51.{net}.0/24")).collect();
    let calls: Vec<_> = nets
        .iter()
        .map(|net| (net.as_str(), "curl/8.5", 2, 0))
        .collect();
    call(&world, &key_id, 1, &calls).await;
    let mut browser = world.signed_in(Actor::Viewer).await;
    let page = format!("{}/{key_id}", keys());
    browser.get(&page).await;
    assert!(browser.text().contains("52 more callers: 104 requests"));
    browser.get(&format!("{page}/callers")).await;
    assert!(browser.text().contains("10 more callers: 20 requests"));
}
