//! Support finds a key and sees how it stands, and nobody on staff sees a secret.

use latchkey::portal;
use latchkey::store::activity::{self, MeterBatch, MeterRow};
use latchkey::store::replica::{self, RowId};
use latchkey::store::{accounts, scope};
use latchkey_rules::code::Code;
use latchkey_rules::time::{DAY_MS, HOUR_MS};

use crate::browser::Browser;
use crate::world::{ACCOUNT, Actor, BEGIN, World};

/// A key of the account, made on the page: its ID and its secret.
async fn made(world: &World, name: &str) -> (String, String) {
    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get(&format!("/accounts/{ACCOUNT}/keys/new")).await;
    let values = [("name", name), ("products", "tiles")];
    browser.submit("Create key", &values).await;
    (browser.one("#key-id"), browser.one("#secret"))
}

async fn look_up(browser: &mut Browser<'_>, q: &str) {
    browser.get("/staff/look-up").await;
    browser.submit("Look up", &[("q", q)]).await;
}

#[actix_web::test]
async fn support_sees_state_owner_products_and_last_use() {
    let world = World::new().await;
    let (id, _) = made(&world, "Checkout web").await;
    let mut browser = world.signed_in(Actor::Support).await;
    for typed in [
        id.clone(),
        format!("  {id} \r\n"),
        id.to_uppercase(),
        format!("\"{}\"", id.replace('_', "_ ")),
    ] {
        look_up(&mut browser, &typed).await;
        assert_eq!(browser.path, format!("/staff/keys/{id}"), "{typed:?}");
    }
    assert_eq!(browser.answer.status, 200);
    assert_eq!(browser.one("h1"), "Checkout web");
    assert_eq!(browser.one(".head .st.active"), "Active");
    assert_eq!(browser.one(".head .env.live"), "Production");
    assert_eq!(browser.one("#key-id"), id);
    let page = browser.text();
    for says in [
        "Harbour & Vale",
        "owner@example.com",
        "Plan: Free",
        "Map tiles",
        "Last usedNever",
        "No request today",
    ] {
        assert!(page.contains(says), "{says}: {page}");
    }
    browser.get("/staff").await;
    assert_eq!(browser.path, "/staff/look-up");
}

#[actix_web::test]
async fn t_30_a_pasted_secret_leads_to_its_key_and_is_kept_nowhere() {
    let world = World::new().await;
    let (id, secret) = made(&world, "Checkout web").await;
    let mut browser = world.signed_in(Actor::Support).await;
    let before = world.dump();
    let (head, tail) = secret.split_at(20);
    for typed in [secret.clone(), format!(" '{head}\n{tail}' ")] {
        look_up(&mut browser, &typed).await;
        assert_eq!(browser.path, format!("/staff/keys/{id}"));
        assert!(!browser.answer.body.contains(&secret));
    }
    assert_eq!(world.dump(), before, "looking up writes nothing");
}

#[actix_web::test]
async fn what_is_not_found_says_what_can_be_looked_up() {
    let world = World::new().await;
    let (_, secret) = made(&world, "Checkout web").await;
    let mut browser = world.signed_in(Actor::Support).await;
    let other = "nw_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu";
    let (cut, _) = secret.split_at(40);
    let (_, unprefixed) = secret.split_at(8);
    let changed = secret.replace("_live_", "_test_");
    for (typed, says, shown_again) in [
        ("", "Enter a key ID or a secret", true),
        ("key_abcdefghijklmnop", "No key has the ID", true),
        ("key_abc", "this has 3", true),
        ("key_abcdefghijklmn01", "digits 2 to 7", true),
        ("ola@example.com", "neither a key ID nor a secret", true),
        (other, "not a complete secret", false),
        (cut, "not a complete secret", false),
        (changed.as_str(), "not a complete secret", false),
        (unprefixed, "not a complete secret", false),
    ] {
        look_up(&mut browser, typed).await;
        assert_eq!(browser.answer.status, 422, "{typed}");
        assert_eq!(browser.path, "/staff/look-up");
        assert!(
            browser.one("#q-error").contains(says),
            "{typed}: {}",
            browser.one("#q-error")
        );
        assert!(browser.one("title").contains("(1 error)"));
        assert_eq!(browser.texts("#errors a[href='#q']").len(), 1);
        assert!(browser.text().contains("What can be looked up"));
        let value = browser.form("Look up").fields[0].1.clone();
        assert_eq!(value, if shown_again { typed } else { "" });
    }
}

#[actix_web::test]
async fn t_30_no_staff_page_holds_a_secret() {
    let world = World::new().await;
    let (id, secret) = made(&world, "Checkout web").await;
    let digest = latchkey_rules::secret::Digest::of(&secret);
    let mut browser = world.signed_in(Actor::Admin).await;
    let mut seen = 0;
    for route in portal::routes() {
        if route.writes() || !route.path.starts_with("/staff/") {
            continue;
        }
        browser.get(&route.path.replace("{key_id}", &id)).await;
        assert_eq!(browser.answer.status, 200, "{}", route.path);
        let body = &browser.answer.body;
        for held in [
            secret.clone(),
            secret.split_at(8).1.to_owned(),
            data_encoding::BASE64.encode(secret.as_bytes()),
            data_encoding::HEXLOWER.encode(digest.as_bytes()),
        ] {
            assert!(!body.contains(&held), "{}", route.path);
        }
        seen += 1;
    }
    assert!(seen >= 3, "only {seen} pages were looked at");
}

#[actix_web::test]
async fn what_was_counted_is_shown_by_day_outcome_and_secret() {
    let world = World::new().await;
    let (id, secret) = made(&world, "Checkout web").await;
    let counts = [
        (Code::Valid, 0, 1_200),
        (Code::OriginNotAllowed, 0, 7),
        (Code::KeyDisabled, DAY_MS, 30),
        (Code::Valid, 40 * DAY_MS, 9_999),
    ];
    world
        .db
        .write(move |w| {
            let key = replica::keys_page(w, RowId::NONE, 10)?.remove(0);
            let rows = counts.into_iter().map(|(code, ago, count)| MeterRow {
                account: key.account_row,
                key: key.row,
                secret_number: 1,
                product: None,
                code,
                last: BEGIN.plus_ms(-ago - HOUR_MS),
                count,
                units: if code.is_allow() { count } else { 0 },
            });
            let batch = MeterBatch {
                callers: Vec::new(),
                node: "test".to_owned(),
                exposures: Vec::new(),
                epoch: 1,
                seq: 1,
                at: BEGIN,
                rows: rows.collect(),
            };
            activity::flush(w, &batch)
        })
        .await
        .unwrap();
    let mut browser = world.signed_in(Actor::Support).await;
    browser.get(&format!("/staff/keys/{id}")).await;
    let stats = browser.texts(".stats dd");
    assert!(stats[0].starts_with("1 207"), "{stats:?}");
    assert_eq!((stats[1].as_str(), stats[2].as_str()), ("1 200", "7"));
    assert!(
        stats[3].starts_with("1 237") && stats[3].contains("37 refused"),
        "{stats:?}"
    );
    let rows = browser.texts("section[aria-labelledby=today] tbody tr");
    let (_, last4) = secret.split_at(secret.len() - 4);
    assert_eq!(rows.last().unwrap(), &format!("VALIDnone…{last4}1 200"));
    let refused = format!("ORIGIN_NOT_ALLOWEDnone…{last4}7");
    assert!(rows.contains(&refused), "{rows:?}");
    for class in ["c-allow", "c-restrict", "c-off"] {
        let drawn = browser.texts(&format!("svg.chart path.{class}")).len();
        assert_eq!(drawn, 2, "{class}, wide and narrow");
    }
    let table = browser.texts("details.more tbody tr");
    assert_eq!(table.len(), 30);
    assert_eq!(table[0], "21 Nov1 20070");
    assert_eq!(table[1], "20 Nov0030");
}

#[actix_web::test]
async fn what_decides_about_every_request_is_said_at_the_top() {
    let world = World::new().await;
    let (id, _) = made(&world, "Checkout web").await;
    world
        .db
        .change(|c| accounts::suspend(c, &scope::operator("test"), ACCOUNT, "Unpaid since March"))
        .await
        .unwrap();
    let mut owner = world.signed_in(Actor::Owner).await;
    owner
        .get(&format!("/accounts/{ACCOUNT}/keys/{id}/delete"))
        .await;
    owner
        .submit("Delete key", &[("name", "Checkout web")])
        .await;
    let mut admin = world.signed_in(Actor::Admin).await;
    look_up(&mut admin, &id).await;
    assert_eq!(admin.path, format!("/staff/keys/{id}"));
    let bands = admin.texts("main .band");
    assert_eq!(bands.len(), 2, "{bands:?}");
    assert!(bands[0].starts_with("Deleted.") && bands[0].contains("21 Nov 2026, 11:00:00 UTC"));
    assert!(bands[1].contains("ACCOUNT_SUSPENDED") && bands[1].contains("Unpaid since March"));
    let actions = admin.text();
    assert!(!actions.contains("Disable key") && !actions.contains("Enable key"));
}

#[actix_web::test]
async fn t_27_a_key_that_is_not_there_is_404_for_staff() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Admin).await;
    for id in ["key_abcdefghijklmnop", "key_1", "KEY_ABCDEFGHIJKLMNOP", "7"] {
        for page in ["", "/disable"] {
            browser.get(&format!("/staff/keys/{id}{page}")).await;
            assert_eq!(browser.answer.status, 404, "{id}{page}");
        }
    }
}
