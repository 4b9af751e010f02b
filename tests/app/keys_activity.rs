//! A key's counts: on its page, as a chart, as CSV.

use latchkey::store::activity::{self, MeterBatch, MeterRow};
use latchkey::store::replica::{self, RowId};
use latchkey_rules::code::Code;
use latchkey_rules::time::HOUR_MS;

use crate::world::{Actor, BEGIN, World, keys};

/// Counts verdicts of a key, as the meter would.
pub(crate) async fn count(world: &World, key_id: &str, rows: &[(i64, Code, i64)]) {
    let (key_id, rows) = (key_id.to_owned(), rows.to_vec());
    world
        .db
        .write(move |w| {
            let all = replica::keys_page(w, RowId::NONE, 1000)?;
            let key = all
                .iter()
                .find(|key| key.key_id.to_string() == key_id)
                .unwrap();
            let row = |(hours_ago, code, count): &(i64, Code, i64)| MeterRow {
                account: key.account_row,
                key: key.row,
                secret_number: 1,
                product: if code.is_allow() {
                    key.products.first().map(|one| one.product)
                } else {
                    None
                },
                code: *code,
                last: BEGIN.plus_ms(-hours_ago * HOUR_MS),
                count: *count,
                units: if code.is_allow() { *count } else { 0 },
            };
            let batch = MeterBatch {
                callers: Vec::new(),
                node: "n".to_owned(),
                exposures: Vec::new(),
                epoch: 1,
                seq: 1,
                at: BEGIN,
                rows: rows.iter().map(row).collect(),
            };
            activity::flush(w, &batch)?;
            Ok(())
        })
        .await
        .unwrap();
}

#[actix_web::test]
async fn counts_in_the_csv_equal_those_on_the_page() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Viewer).await;
    let key_id = world.key("Shop front").await;
    count(
        &world,
        &key_id,
        &[
            (0, Code::Valid, 40),
            (3, Code::Valid, 2),
            (3, Code::ProductNotAssigned, 5),
            (11, Code::Valid, 100),
            (24 * 20, Code::KeyDisabled, 7),
        ],
    )
    .await;
    let page = format!("{}/{key_id}", keys());
    browser.get(&page).await;
    assert_eq!(browser.one("#today-total"), "47");
    assert!(browser.text().contains("PRODUCT_NOT_ASSIGNED"));
    let last4 = browser.one(".facts dd:nth-of-type(2) code");
    let (_, last4) = last4.split_at(last4.len() - 4);

    let csv = browser
        .get(&format!("{page}/activity.csv?range=today"))
        .await
        .clone();
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(
        csv.header("content-disposition")
            .unwrap()
            .starts_with("attachment; filename=\"activity-key_")
    );
    let mut lines: Vec<&str> = csv.body.split("\r\n").collect();
    assert_eq!(lines.remove(0), "hour,secret,product,outcome,count");
    assert_eq!(lines.pop(), Some(""));
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            format!("2026-11-21T07:00:00Z,{last4},-,PRODUCT_NOT_ASSIGNED,5"),
            format!("2026-11-21T07:00:00Z,{last4},tiles,VALID,2"),
            format!("2026-11-21T10:00:00Z,{last4},tiles,VALID,40"),
        ]
    );
    for (range, total) in [
        ("hour", 40),
        ("today", 47),
        ("week", 147),
        ("30d", 154),
        ("90d", 154),
    ] {
        browser
            .get(&format!("{page}/activity.csv?range={range}"))
            .await;
        let sum: i64 = browser
            .answer
            .body
            .lines()
            .skip(1)
            .map(|line| line.rsplit(',').next().unwrap().parse::<i64>().unwrap())
            .sum();
        assert_eq!(sum, total, "{range}");
        browser.get(&format!("{page}/activity?range={range}")).await;
        assert!(
            browser.one(".stats div:first-child dd") == total.to_string(),
            "{range}: {}",
            browser.text()
        );
    }
    assert_eq!(
        browser
            .get(&format!("{page}/activity.csv?range=year"))
            .await
            .status,
        400
    );
    browser.get(&format!("{page}/first-request")).await;
    assert!(browser.answer.body.contains("VALID") && browser.answer.body.contains("data-done"));
    browser.get(&page).await;
    assert_eq!(browser.texts("svg.chart").len(), 2);
}

#[actix_web::test]
async fn the_days_of_the_chart_are_the_last_thirty() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    count(
        &world,
        &key_id,
        &[(24 * 29, Code::Valid, 3), (24 * 30, Code::Valid, 1000)],
    )
    .await;
    let mut browser = world.signed_in(Actor::Viewer).await;
    browser.get(&format!("{}/{key_id}", keys())).await;
    assert!(browser.text().contains("23 Oct"));
    assert!(!browser.text().contains("1\u{202f}000"));
}
