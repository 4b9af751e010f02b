//! The keys of an account: made, shown, counted, deleted.

use latchkey::store::activity::{self, MeterBatch, MeterRow};
use latchkey::store::replica::{self, RowId};
use latchkey_rules::code::Code;
use latchkey_rules::time::{DAY_MS, HOUR_MS};

use crate::browser::Browser;
use crate::world::{ACCOUNT, Actor, BEGIN, OTHER, Plan, World};

fn keys() -> String {
    format!("/accounts/{ACCOUNT}/keys")
}

async fn create<'a>(browser: &mut Browser<'_>, values: &[(&'a str, &'a str)]) {
    browser.get(&format!("{}/new", keys())).await;
    browser.submit("Create key", values).await;
}

#[actix_web::test]
async fn t_32_a_secret_is_shown_once_in_the_answer_itself() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get(&format!("{}/new", keys())).await;
    let form = browser.form("Create key");
    let mut fields: Vec<(&str, &str)> = form
        .fields
        .iter()
        .map(|(name, value)| {
            (
                name.as_str(),
                if name == "name" {
                    "Shop front"
                } else {
                    value.as_str()
                },
            )
        })
        .collect();
    fields.push(("products", "tiles"));
    let answer = browser.post(&form.action, &fields).await.clone();
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (200, Some("no-store"))
    );
    let (secret, key_id) = (browser.one("#secret"), browser.one("#key-id"));
    assert!(
        browser
            .one("#line-curl")
            .contains(&format!("-H 'X-API-Key: {secret}'"))
    );
    assert_eq!(browser.one("#line-env"), format!("NORTHWIND_KEY={secret}"));
    assert!(
        browser.texts("#line-js").len() == 1
            && browser.texts("#line-py").len() == 1
            && browser.texts("#line-ignore").len() == 1
    );

    let before = world.dump();
    let again = browser.post(&form.action, &fields).await.clone();
    assert_eq!(again.status, 409);
    assert!(
        !again.body.contains(&secret)
            && again.body.contains(&key_id)
            && again.body.contains("21 Nov 2026, 10:00:00 UTC")
    );
    assert_eq!(world.dump(), before, "no second key");
    for path in [
        keys(),
        format!("{}/{key_id}", keys()),
        format!("{}/{key_id}/activity", keys()),
        format!("{}/{key_id}/delete", keys()),
        format!("{}/{key_id}/first-request", keys()),
    ] {
        browser.get(&path).await;
        assert_eq!(browser.answer.status, 200, "{path}");
        assert!(!browser.answer.body.contains(&secret), "{path}");
    }
}

#[actix_web::test]
async fn t_33_the_database_holds_no_secret_in_any_writing() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    create(
        &mut browser,
        &[("name", "Shop front"), ("products", "tiles")],
    )
    .await;
    let secret = browser.one("#secret");
    let dump = world.dump().to_lowercase();
    for written in [
        secret.clone(),
        data_encoding::HEXLOWER.encode(secret.as_bytes()),
        data_encoding::BASE64.encode(secret.as_bytes()),
        secret[8..40].to_owned(),
    ] {
        assert!(!dump.contains(&written.to_lowercase()));
    }
}

#[actix_web::test]
async fn what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    create(
        &mut browser,
        &[("name", "Shop front"), ("products", "tiles")],
    )
    .await;
    let long = "x".repeat(81);
    for (name, says) in [
        ("", "empty"),
        (long.as_str(), "81 characters"),
        ("a\u{202e}b", "U+202E"),
        ("a\u{7}b", "U+0007"),
        ("Shop front", "Another key"),
        ("  SHOP front ", "Another key"),
    ] {
        let before = world.dump();
        create(
            &mut browser,
            &[
                ("name", name),
                ("environment", "staging"),
                ("products", "search"),
            ],
        )
        .await;
        assert_eq!(browser.answer.status, 422, "{name:?}");
        assert!(
            browser.one("#name-error").contains(says),
            "{name:?}: {}",
            browser.one("#name-error")
        );
        assert_eq!(
            browser
                .texts("#name[aria-invalid=true][aria-describedby~=name-error]")
                .len(),
            1
        );
        assert_eq!(browser.texts("#errors a[href='#name']").len(), 1);
        assert!(browser.one("title").starts_with("Create key (1 error)"));
        assert_eq!(
            browser
                .texts("input[name=environment][value=staging][checked]")
                .len(),
            1
        );
        assert_eq!(
            browser
                .texts("input[name=products][value=search][checked]")
                .len(),
            1
        );
        assert_eq!(
            browser
                .texts("input[name=products][value=tiles][checked]")
                .len(),
            0
        );
        assert_eq!(world.dump(), before);
    }
    create(&mut browser, &[("name", "Other")]).await;
    assert!(
        browser
            .one("#products-error")
            .contains("at least one product")
    );
}

#[actix_web::test]
async fn what_no_page_offers_is_refused() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    let path = format!("{}/new", keys());
    let id = "0123456789abcdef0123";
    for (fields, status, says) in [
        (
            vec![
                ("name", "a"),
                ("kind", "server"),
                ("environment", "live"),
                ("products", "nothing"),
                ("form_id", id),
            ],
            422,
            "There is no product",
        ),
        (
            vec![
                ("name", "a"),
                ("kind", "server"),
                ("environment", "moon"),
                ("products", "tiles"),
                ("form_id", id),
            ],
            422,
            "Choose one of the environments",
        ),
        (
            vec![
                ("name", "a"),
                ("kind", "root"),
                ("environment", "live"),
                ("products", "tiles"),
                ("form_id", id),
            ],
            400,
            "kind",
        ),
        (
            vec![
                ("name", "a"),
                ("kind", "server"),
                ("environment", "live"),
                ("products", "tiles"),
                ("form_id", ""),
            ],
            400,
            "form_id",
        ),
        (
            vec![
                ("name", "a"),
                ("name", "b"),
                ("kind", "server"),
                ("form_id", id),
            ],
            400,
            "more than once",
        ),
    ] {
        let before = world.dump();
        let answer = browser.post(&path, &fields).await;
        assert_eq!(answer.status, status, "{fields:?}");
        assert!(answer.body.contains(says), "{fields:?}");
        assert_eq!(world.dump(), before);
    }
}

#[actix_web::test]
async fn an_account_holds_as_many_keys_as_the_operator_says() {
    let world = World::planned(Plan {
        keys_per_account: 1,
        ..Plan::default()
    })
    .await;
    let mut browser = world.signed_in(Actor::Developer).await;
    create(&mut browser, &[("name", "One"), ("products", "tiles")]).await;
    assert_eq!(browser.answer.status, 200);
    create(&mut browser, &[("name", "Two"), ("products", "tiles")]).await;
    assert_eq!(browser.answer.status, 422);
    assert!(
        browser.one("#name-error").contains("1 keys already"),
        "{}",
        browser.one("#name-error")
    );
}

#[actix_web::test]
async fn the_list_is_narrowed_without_scripts() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    for (name, environment) in [
        ("Shop front", "live"),
        ("Driver app", "staging"),
        ("Laptop", "test"),
    ] {
        create(
            &mut browser,
            &[
                ("name", name),
                ("environment", environment),
                ("products", "tiles"),
            ],
        )
        .await;
    }
    browser.get(&keys()).await;
    assert_eq!(browser.texts("#keys tbody tr").len(), 3);
    assert!(browser.one(".head p").starts_with("3 keys"));
    let key_id = browser.texts("#keys tbody tr code").remove(0);
    for (values, names) in [
        (vec![("q", "DRIVER")], vec!["Driver app"]),
        (vec![("q", key_id.as_str())], vec!["Driver app"]),
        (vec![("environment", "test")], vec!["Laptop"]),
        (vec![("status", "disabled")], vec![]),
        (
            vec![("status", "active"), ("q", "o")],
            vec!["Laptop", "Shop front"],
        ),
    ] {
        browser.get(&keys()).await;
        for (name, value) in &values {
            if *name != "q" {
                assert_eq!(
                    browser
                        .texts(&format!("select[name={name}] option[value={value}]"))
                        .len(),
                    1
                );
            }
        }
        browser.submit("Filter", &values).await;
        assert_eq!(browser.texts("#keys tbody .kn > a"), names, "{values:?}");
        assert_eq!(browser.answer.status, 200);
    }
}

#[actix_web::test]
async fn a_key_is_deleted_only_by_its_name() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = world.signed_in(Actor::Owner).await;
    let path = format!("{}/{key_id}/delete", keys());
    for typed in ["", "shop front", "Shop", "Shop frontier"] {
        let before = world.dump();
        browser.get(&path).await;
        browser.submit("Delete key", &[("name", typed)]).await;
        assert_eq!(browser.answer.status, 422, "{typed}");
        assert!(browser.one("#name-error").contains("Shop front"));
        assert_eq!(world.dump(), before);
    }
    browser.get(&path).await;
    browser
        .submit("Delete key", &[("name", " Shop front ")])
        .await;
    assert_eq!(browser.path, keys());
    assert!(!browser.answer.body.contains(&key_id));
    browser.get(&keys()).await;
    assert!(
        browser.texts("[role=status].band").is_empty(),
        "the sentence is said once"
    );
}

/// Counts verdicts of a key, as the meter would.
async fn count(world: &World, key_id: &str, rows: &[(i64, Code, i64)]) {
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
                    key.product_rows.first().copied()
                } else {
                    None
                },
                code: *code,
                hour: BEGIN.plus_ms(-hours_ago * HOUR_MS),
                count: *count,
            };
            let batch = MeterBatch {
                node: "n".to_owned(),
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
    let last4 = &last4[last4.len() - 4..];

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
async fn the_owner_reads_why_a_key_is_off_and_whom_to_ask() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let off = key_id.clone();
    world
        .db
        .change(move |c| {
            latchkey::store::keys::disable(
                c,
                &latchkey::store::scope::operator("test"),
                &off.parse().unwrap(),
                "Found in a public repository <b>today</b>",
            )
        })
        .await
        .unwrap();
    let mut browser = world.signed_in(Actor::Viewer).await;
    browser.get(&format!("{}/{key_id}", keys())).await;
    let band = browser.one("#off");
    assert!(
        band.contains("Northwind Maps disabled this key")
            && band.contains("Found in a public repository <b>today</b>"),
        "{band}"
    );
    assert_eq!(browser.one("#off-key-id"), key_id);
    assert!(browser.answer.body.contains(&format!(
        "mailto:help@northwind.example?subject=Key%20{key_id}"
    )));
    assert!(browser.text().contains("Disabled"));
    browser.get(&keys()).await;
    assert!(browser.one(".head p").contains("1 disabled"));
}

#[actix_web::test]
async fn a_suspended_account_says_so_on_its_pages() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    world
        .db
        .change(|c| {
            latchkey::store::accounts::suspend(
                c,
                &latchkey::store::scope::operator("test"),
                ACCOUNT,
                "unpaid",
            )
        })
        .await
        .unwrap();
    let mut browser = world.signed_in(Actor::Owner).await;
    for path in [keys(), format!("{}/{key_id}", keys())] {
        browser.get(&path).await;
        assert!(
            browser
                .one(".band.bad")
                .contains("Harbour & Vale is suspended")
        );
    }
}

const NASTY: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg/onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "{{7*7}}{% raw %}",
    "javascript:alert(1)",
    "&lt;script&gt;",
    "<iframe src=//evil.example>",
];

fn harmless(browser: &Browser<'_>, what: &str) {
    for selector in [
        "script:not([src])",
        "[onerror]",
        "[onload]",
        "img[src=x]",
        "iframe",
        "a[href^='javascript:']",
        "[style]",
    ] {
        assert!(browser.texts(selector).is_empty(), "{selector} from {what}");
    }
    assert_eq!(browser.texts("script").len(), 1, "{what}");
}

#[actix_web::test]
async fn t_55_what_people_type_never_becomes_an_element() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Owner).await;
    for text in NASTY {
        create(&mut browser, &[("name", text), ("products", "tiles")]).await;
        harmless(&browser, text);
        let key_id = browser.one("#key-id");
        let path = format!("{}/{key_id}", keys());
        for path in [
            path.clone(),
            format!("{path}/delete"),
            format!("{path}/activity"),
            keys(),
        ] {
            browser.get(&path).await;
            assert_eq!(browser.answer.status, 200);
            harmless(&browser, text);
            assert!(
                browser
                    .text()
                    .contains(&text.split_whitespace().collect::<Vec<_>>().join(" ")),
                "{text} on {path}"
            );
        }
        browser.get(&format!("{path}/delete")).await;
        browser
            .submit("Delete key", &[("name", &format!("{text}x"))])
            .await;
        harmless(&browser, text);
        assert_eq!(browser.answer.status, 422);
        browser.get(&format!("{path}/delete")).await;
        browser.submit("Delete key", &[("name", text)]).await;
        harmless(&browser, text);
        browser.get(&keys()).await;
        let coded: String =
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .collect();
        browser.get(&format!("{}?q={coded}", keys())).await;
        harmless(&browser, text);
        let mut other = world.browser();
        other.get(&format!("/sign-in?next={coded}")).await;
        harmless(&other, text);
        other
            .submit("Sign in", &[("email", text), ("password", text)])
            .await;
        harmless(&other, text);
        other.get("/sign-up").await;
        other
            .submit(
                "Create account",
                &[
                    ("name", text),
                    ("company", text),
                    ("email", text),
                    ("password", text),
                ],
            )
            .await;
        harmless(&other, text);
        other.get(&format!("/{coded}")).await;
        harmless(&other, text);
    }
}

#[actix_web::test]
async fn a_member_of_two_accounts_can_change_between_them() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Owner).await;
    browser.get(&keys()).await;
    assert!(!browser.answer.body.contains(OTHER));
    assert!(
        browser
            .texts(".nav a[aria-current]")
            .contains(&"Keys".to_owned())
    );
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
    assert!(browser.text().contains("23 Oct"), "{}", DAY_MS);
    assert!(!browser.text().contains("1\u{202f}000"));
}
