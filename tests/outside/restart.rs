//! A demo that is stopped and started again on the same folder goes on where it was.

use crate::facts::{Facts, Key};
use crate::http::Ask;
use crate::needs;
use crate::page::Browser;
use crate::process::Latchkey;
use serde_json::json;
use tempfile::TempDir;

/// All counts of a key, as its page's CSV has them. Not today's alone: midnight may come between two looks.
fn counts(latchkey: &Latchkey, facts: &Facts, key: &Key) -> Vec<String> {
    let person = facts.person(|p| {
        p.account.as_deref() == Some(&key.account)
            && matches!(p.role.as_str(), "owner" | "developer")
    });
    let mut browser = Browser::signed_in(&latchkey.portal, person);
    let path = format!(
        "/accounts/{}/keys/{}/activity.csv?range=90d",
        key.account, key.key_id
    );
    browser.get(&path);
    assert_eq!(browser.status, 200, "{path}");
    let kind = browser.answer.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("text/csv"), "{kind}");
    let text = browser.html();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("hour,secret,product,outcome,count"));
    lines.map(str::to_owned).collect()
}

fn total(counts: &[String], outcome: &str) -> u64 {
    counts
        .iter()
        .filter(|line| line.contains(&format!(",{outcome},")))
        .map(|line| line.rsplit(',').next().unwrap().parse::<u64>().unwrap())
        .sum()
}

#[test]
fn r_03_sigterm_loses_no_count_and_the_demo_goes_on() {
    let folder = TempDir::new().unwrap();
    let (mut first, facts) = Latchkey::demo_in(folder.path());
    let (key, route) = facts.first();
    let earlier = counts(&first, &facts, key);
    let before = |outcome: &str| total(&earlier, outcome);
    let slug = &key.products[0];
    for _ in 0..17 {
        assert_eq!(first.code(&key.secret, slug), "VALID");
    }
    let ask = json!({"secret": key.secret, "product": slug, "dry_run": true});
    assert_eq!(first.verdict(&ask)["code"], "VALID");
    let lacked = facts
        .products
        .iter()
        .find(|p| !key.products.contains(&p.slug))
        .unwrap();
    assert_eq!(
        first.code(&key.secret, &lacked.slug),
        "PRODUCT_NOT_ASSIGNED"
    );
    assert_eq!(
        first
            .authorize("GET", &route.some_host(), &route.some_path(), &key.secret)
            .status,
        200
    );
    assert!(
        first.stop().success(),
        "SIGTERM ends it well: {}",
        first.logged()
    );

    let (second, again) = Latchkey::demo_in(folder.path());
    assert_eq!(facts, again, "the same people, products and keys");
    let after = counts(&second, &facts, key);
    assert_eq!(total(&after, "VALID"), before("VALID") + 18, "{after:?}");
    let refused = "PRODUCT_NOT_ASSIGNED";
    assert_eq!(total(&after, refused), before(refused) + 1, "{after:?}");
    assert_eq!(second.code(&key.secret, slug), "VALID");
    needs::soon(
        "the next count is added to those before the restart",
        || (total(&counts(&second, &facts, key), "VALID") == before("VALID") + 19).then_some(()),
    );
}

#[test]
fn a_kill_loses_no_key() {
    let folder = TempDir::new().unwrap();
    let (first, facts) = Latchkey::demo_in(folder.path());
    drop(first);
    let (second, again) = Latchkey::demo_in(folder.path());
    assert_eq!(facts, again);
    let (key, _) = facts.first();
    assert_eq!(second.code(&key.secret, &key.products[0]), "VALID");
    let metrics = Ask::get("/metrics").send(&second.gate);
    assert_eq!(metrics.status, 200);
}
