//! A key's page warns of a secret that was sent where others can read it.

use latchkey::store::activity::{self, MeterBatch};
use latchkey::store::exposures::{Exposure, ExposureCount};
use latchkey::store::replica::{self, RowId};
use latchkey_rules::time::DAY_MS;

use crate::world::{Actor, BEGIN, World, keys};

async fn exposed(world: &World, seq: i64, secret_number: i16, way: Exposure, times: i64) {
    let told = world.db.batch(move |w| {
        let key = replica::keys_page(w, RowId::NONE, 1)?.remove(0).row;
        let batch = MeterBatch {
            node: "n".to_owned(),
            exposures: vec![ExposureCount {
                key,
                secret_number,
                way,
                times,
                last_at: BEGIN,
            }],
            epoch: 1,
            seq,
            at: BEGIN,
            rows: Vec::new(),
            callers: Vec::new(),
        };
        activity::flush(w, &batch).map(drop)
    });
    told.await.unwrap();
}

#[actix_web::test]
async fn the_key_page_says_how_often_and_what_to_do() {
    let world = World::new().await;
    let id = world.key("Shop front").await;
    let page = format!("{}/{id}", keys());
    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get(&page).await;
    assert!(browser.texts(".band.warn").is_empty());
    exposed(&world, 1, 1, Exposure::Url, 1).await;
    exposed(&world, 2, 1, Exposure::PlainHttp, 1_200).await;
    browser.get(&page).await;
    let bands = browser.texts(".band.warn");
    assert_eq!(bands.len(), 2, "{bands:?}");
    assert!(
        bands[0].contains("The secret was sent in a URL. Once, on 21 Nov 2026, 10:00:00 UTC."),
        "{bands:?}"
    );
    assert!(bands[0].contains("Rotate secret"), "{bands:?}");
    assert!(
        bands[1].contains("over http, without encryption."),
        "{bands:?}"
    );
    assert!(bands[1].contains("times, last on 21 Nov 2026"), "{bands:?}");
    let mut support = world.signed_in(Actor::Support).await;
    support.get(&format!("/staff/keys/{id}")).await;
    assert_eq!(support.texts(".band.warn").len(), 2);
    assert!(!support.text().contains("Rotate secret"));

    // A month later nobody is warned any more, nor of a secret that the key does not have.
    world.hand.advance_ms(30 * DAY_MS);
    exposed(&world, 3, 2, Exposure::Url, 5).await;
    browser.get("/sign-in").await;
    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get(&page).await;
    assert!(browser.texts(".band.warn").is_empty());
}
