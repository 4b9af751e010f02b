//! The page of metrics of a working installation: its form, its labels, and how little it grows with what is behind it.

use crate::exposition::{self, Family};
use crate::http::Ask;
use crate::operator::{HOST, Installation, PATH, PRODUCT, make_key, sign_up};
use crate::page::Browser;
use crate::process::Latchkey;
use std::collections::{BTreeMap, BTreeSet};

const CODES: &[&str] = &[
    "UNAVAILABLE",
    "REQUEST_INVALID",
    "KEY_MISSING",
    "KEY_MALFORMED",
    "KEY_NOT_FOUND",
    "SECRET_RETIRED",
    "KEY_EXPIRED",
    "KEY_DISABLED",
    "ACCOUNT_SUSPENDED",
    "PATH_AMBIGUOUS",
    "PRODUCT_UNKNOWN",
    "PRODUCT_NOT_ASSIGNED",
    "ENVIRONMENT_NOT_ALLOWED",
    "ACCESS_NOT_ALLOWED",
    "ORIGIN_NOT_ALLOWED",
    "IP_NOT_ALLOWED",
    "TOKEN_MISSING",
    "TOKEN_EXPIRED",
    "TOKEN_INVALID",
    "TOKEN_NOT_AUTHORIZED",
    "RATE_LIMITED",
    "QUOTA_EXCEEDED",
    "VALID",
];

/// Every label with every value that it may have. A family that is not here may have none.
const LABELS: &[(&str, &str, &[&str])] = &[
    ("latchkey_verdicts_total", "code", CODES),
    ("latchkey_refusals_unlogged_total", "code", CODES),
    (
        "latchkey_key_source_total",
        "source",
        &["header", "authorization", "query"],
    ),
    ("latchkey_gate_requests_total", "endpoint", ENDPOINTS),
    ("latchkey_gate_seconds", "endpoint", ENDPOINTS),
    (
        "latchkey_database_seconds",
        "operation",
        &["read", "write", "batch"],
    ),
    (
        "latchkey_database_failures_total",
        "reason",
        &["unavailable", "failed"],
    ),
    (
        "latchkey_database_queue_length",
        "queue",
        &["read", "write", "batch"],
    ),
    (
        "latchkey_portal_requests_total",
        "method",
        &["GET", "POST", "other"],
    ),
    (
        "latchkey_portal_requests_total",
        "status",
        &["2xx", "3xx", "4xx", "5xx"],
    ),
    (
        "latchkey_sign_ins_total",
        "outcome",
        &["admitted", "refused", "slowed"],
    ),
    ("latchkey_sign_ups_total", "outcome", &["created", "taken"]),
    (
        "latchkey_one_time_links_total",
        "outcome",
        &["used", "over"],
    ),
    ("latchkey_sessions_total", "event", &["begun", "ended"]),
    ("latchkey_job_runs_total", "job", JOBS),
    ("latchkey_job_runs_total", "outcome", &["done", "failed"]),
    ("latchkey_job_rows_total", "job", JOBS),
    ("latchkey_job_last_success_timestamp_seconds", "job", JOBS),
    ("latchkey_spill_bytes", "kind", &["journal", "rejected"]),
    ("latchkey_build_info", "database", &["SQLite", "PostgreSQL"]),
];

const ENDPOINTS: &[&str] = &[
    "authorize",
    "nginx",
    "verify",
    "batch",
    "denied",
    "preflight",
    "metrics",
    "nowhere",
];

const JOBS: &[&str] = &[
    "secrets",
    "ends",
    "rotations",
    "expiries",
    "days",
    "sessions",
    "links",
    "confirmations",
    "form_ids",
    "batches",
    "callers",
    "changes",
    "nodes",
    "exposures",
];

fn scraped(latchkey: &Latchkey) -> (String, BTreeMap<String, Family>) {
    let answer = Ask::get("/metrics").send(&latchkey.gate);
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type").unwrap_or_default();
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text();
    let families = exposition::parse(&text).unwrap_or_else(|why| panic!("{why}\n{text}"));
    (text, families)
}

/// Whether a label may have this value. A route is a pattern of ours: what stood in its place has braces around it.
fn is_closed(family: &str, label: &str, value: &str) -> bool {
    match (family, label) {
        ("latchkey_portal_requests_total", "route") => {
            let segments = value.trim_start_matches('/').split('/');
            let plain = |text: &str| {
                text.chars()
                    .all(|c| c.is_ascii_lowercase() || "-._".contains(c))
            };
            value == "other"
                || value.starts_with('/')
                    && segments
                        .into_iter()
                        .all(|s| plain(s) || s.starts_with('{') && s.ends_with('}'))
        }
        ("latchkey_build_info", "version") => value == env!("CARGO_PKG_VERSION"),
        ("latchkey_node_info", "epoch") => value.parse::<u64>().is_ok(),
        ("latchkey_node_info", "node") => value.contains("127.0.0.1:"),
        (_, "le") => true,
        _ => LABELS
            .iter()
            .any(|(f, l, values)| (*f, *l) == (family, label) && values.contains(&value)),
    }
}

fn figure(families: &BTreeMap<String, Family>, name: &str, labels: &[(&str, &str)]) -> f64 {
    let wanted = |(label, value): &(&str, &str)| ((*label).to_owned(), (*value).to_owned());
    let wanted: BTreeMap<String, String> = labels.iter().map(wanted).collect();
    let base = name.trim_end_matches("_count");
    let samples = families.get(name).or_else(|| families.get(base));
    let mut samples = samples.into_iter().flat_map(|family| &family.samples);
    let found = samples.find(|sample| sample.name == name && sample.labels == wanted);
    found.unwrap_or_else(|| panic!("no {name}{labels:?}")).value
}

/// A sample's name, its labels, and its value or the least of it.
type Wanted<'a> = (&'a str, &'a [(&'a str, &'a str)], f64);

/// An installation after some work, and what its metrics must not name.
struct Worked {
    latchkey: Latchkey,
    unnamed: Vec<String>,
    _installation: Installation,
}

fn worked() -> Worked {
    let installation = Installation::new().without_limits();
    let latchkey = installation.serve();
    let owner = sign_up(&latchkey, "Olga Owner", "Owner Maps", "olga@owner.example");
    let account = owner.account.as_deref().unwrap();
    let mut browser = Browser::signed_in(&latchkey.portal, &owner);
    let made = make_key(&mut browser, account, "A \"key\" of\\mine");
    browser.get(&made.path);
    browser.get("/wp-login.php?user=admin");
    Ask::new("BREW", "/sign-in").send(&latchkey.portal);
    Browser::at(&latchkey.portal).get("/sign-in").submit(
        "Sign in",
        &[
            ("email", "nobody@owner.example"),
            ("password", "never set by anybody"),
        ],
    );
    for _ in 0..3 {
        assert_eq!(latchkey.code(&made.secret, PRODUCT), "VALID");
    }
    latchkey.authorize("GET", HOST, PATH, &made.secret);
    latchkey.authorize("GET", HOST, "/elsewhere", &made.secret);
    Ask::get(&format!("/{account}")).send(&latchkey.gate);
    let mut unnamed = vec![account.to_owned(), made.key_id];
    unnamed.extend(["olga", "Olga", "wp-login", "elsewhere", "BREW"].map(str::to_owned));
    Worked {
        latchkey,
        unnamed,
        _installation: installation,
    }
}

#[test]
fn t_54_every_label_of_a_working_installation_has_a_value_of_a_closed_list() {
    let worked = worked();
    let (text, families) = scraped(&worked.latchkey);
    for (name, family) in &families {
        for sample in &family.samples {
            for (label, value) in &sample.labels {
                assert!(is_closed(name, label, value), "{name}: {label}={value:?}");
            }
        }
    }
    for name in &worked.unnamed {
        assert!(!text.contains(name), "the metrics name {name}");
    }
}

#[test]
fn the_metrics_count_what_was_done() {
    let worked = worked();
    let (text, families) = scraped(&worked.latchkey);
    let page = "/accounts/{account}/keys/{key_id}";
    let shown = [("method", "GET"), ("route", page), ("status", "2xx")];
    let exact: [Wanted<'_>; 9] = [
        (
            "latchkey_gate_requests_total",
            &[("endpoint", "verify")],
            3.0,
        ),
        (
            "latchkey_gate_requests_total",
            &[("endpoint", "authorize")],
            2.0,
        ),
        (
            "latchkey_gate_requests_total",
            &[("endpoint", "nowhere")],
            1.0,
        ),
        ("latchkey_verdicts_total", &[("code", "VALID")], 4.0),
        (
            "latchkey_verdicts_total",
            &[("code", "PRODUCT_UNKNOWN")],
            1.0,
        ),
        ("latchkey_sign_ups_total", &[("outcome", "created")], 1.0),
        ("latchkey_sign_ins_total", &[("outcome", "admitted")], 2.0),
        ("latchkey_sign_ins_total", &[("outcome", "refused")], 1.0),
        ("latchkey_portal_requests_total", &shown, 1.0),
    ];
    for (name, labels, value) in exact {
        let found = figure(&families, name, labels);
        assert!((found - value).abs() < 1e-9, "{name}{labels:?}: {text}");
    }
    // The first request of each endpoint is timed.
    let least: [Wanted<'_>; 5] = [
        (
            "latchkey_gate_seconds_count",
            &[("endpoint", "verify")],
            1.0,
        ),
        (
            "latchkey_database_seconds_count",
            &[("operation", "read")],
            4.0,
        ),
        ("process_resident_memory_bytes", &[], 1.0),
        ("process_open_fds", &[], 1.0),
        ("latchkey_replica_bytes", &[], 1.0),
    ];
    for (name, labels, value) in least {
        let found = figure(&families, name, labels);
        assert!(found >= value, "{name}{labels:?}: {text}");
    }
}

#[test]
fn t_54_ten_thousand_accounts_have_fewer_than_five_thousand_series() {
    let installation = Installation::new().without_limits();
    let seeded = installation.done(&[
        "dev",
        "seed",
        "--keys",
        "10000",
        "--keys-each",
        "1",
        "--out",
        "secrets.out",
    ]);
    assert!(
        seeded.printed.contains("10000 accounts"),
        "{}",
        seeded.printed
    );
    let latchkey = installation.serve();
    let secrets = std::fs::read_to_string(installation.path().join("secrets.out")).unwrap();
    for secret in secrets.lines().step_by(20) {
        Ask::get("/v1/authorize")
            .header("X-API-Key", secret)
            .header("X-Forwarded-Host", "seed.example")
            .header("X-Forwarded-Uri", "/maps")
            .send(&latchkey.gate);
    }
    for number in 0..50 {
        Ask::get(&format!("/accounts/seed-{number}/keys")).send(&latchkey.portal);
    }
    let (text, families) = scraped(&latchkey);
    let series: BTreeSet<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' ').map(|(series, _)| series))
        .collect();
    assert!((figure(&families, "latchkey_replica_keys", &[]) - 10_000.0).abs() < 1e-9);
    assert!(series.len() < 5_000, "{} series", series.len());
    assert!(!text.contains("seed-"), "an account is named");
}
