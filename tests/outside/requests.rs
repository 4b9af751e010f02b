//! Forward-auth under requests that nobody would think of.

use crate::facts::Facts;
use crate::http::Ask;
use crate::process::Latchkey;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::cell::Cell;

/// The codes that forward-auth may give, each with its status.
const REFUSALS: &[(u16, &[&str])] = &[
    (400, &["REQUEST_INVALID"]),
    (
        401,
        &[
            "KEY_MISSING",
            "KEY_MALFORMED",
            "KEY_NOT_FOUND",
            "SECRET_RETIRED",
            "KEY_EXPIRED",
            "TOKEN_MISSING",
            "TOKEN_EXPIRED",
            "TOKEN_INVALID",
        ],
    ),
    (
        403,
        &[
            "KEY_DISABLED",
            "ACCOUNT_SUSPENDED",
            "PATH_AMBIGUOUS",
            "PRODUCT_UNKNOWN",
            "PRODUCT_NOT_ASSIGNED",
            "ENVIRONMENT_NOT_ALLOWED",
            "ACCESS_NOT_ALLOWED",
            "ORIGIN_NOT_ALLOWED",
            "IP_NOT_ALLOWED",
            "TOKEN_NOT_AUTHORIZED",
        ],
    ),
    (429, &["RATE_LIMITED", "QUOTA_EXCEEDED"]),
];

fn pick(words: Vec<String>) -> impl Strategy<Value = String> {
    proptest::sample::select(words)
}

/// The parts that requests are put together from: of what the demo has, of what attackers send, and noise.
#[derive(Clone)]
struct Parts {
    host: BoxedStrategy<String>,
    uri: BoxedStrategy<String>,
    method: BoxedStrategy<String>,
    secret: BoxedStrategy<String>,
}

/// What may stand behind a path.
fn tail() -> BoxedStrategy<String> {
    prop_oneof![
        Just(String::new()),
        "(/\\.\\.|/%2e%2e|%2f|%5c|;x|//|/a|%00|%zz|\\?key=|&){0,6}",
        "[!-~éß\u{202e}☃]{0,20}",
    ]
    .boxed()
}

fn parts(facts: &Facts) -> Parts {
    let routes: Vec<_> = facts.products.iter().flat_map(|p| &p.routes).collect();
    let hosts: Vec<String> = routes.iter().map(|r| r.some_host()).collect();
    let paths: Vec<String> = routes.iter().map(|r| r.some_path()).collect();
    let secrets: Vec<String> = facts.keys.iter().map(|k| k.secret.clone()).collect();
    let path = prop_oneof![4 => pick(paths), 1 => Just(String::new())];
    let uri = (path, tail()).prop_map(|(path, tail)| path + &tail);
    let with_key =
        (uri.clone(), pick(secrets.clone())).prop_map(|(uri, s)| format!("{uri}?key={s}&a=1"));
    let usual = ["GET", "POST", "DELETE", "OPTIONS", "HEAD"]
        .map(str::to_owned)
        .to_vec();
    Parts {
        host: prop_oneof![4 => pick(hosts), 1 => "[a-z.:*,\\[\\]]{0,12}"].boxed(),
        uri: prop_oneof![3 => uri, 1 => with_key].boxed(),
        method: prop_oneof![3 => pick(usual), 1 => "[A-Z]{1,9}"].boxed(),
        secret: prop_oneof![4 => pick(secrets), 1 => "lk_live_[0-9A-Za-z]{49}", 1 => "[ -~]{0,60}"]
            .boxed(),
    }
}

/// Address, host, method and secret of a request that passes unless its tail, or a header beside it, prevents that.
fn good(facts: &Facts) -> impl Strategy<Value = [String; 4]> + use<> {
    let keys = facts.keys.iter().filter(|key| key.is_plain());
    let pairs: Vec<[String; 3]> = keys
        .map(|key| (key, facts.route_of(key)))
        .map(|(key, route)| [route.some_path(), route.some_host(), key.secret.clone()])
        .collect();
    (proptest::sample::select(pairs), tail())
        .prop_map(|([path, host, secret], tail)| [path + &tail, host, "GET".to_owned(), secret])
}

/// Header lines beside those that a proxy sends, some of them a second time.
fn more_headers(parts: &Parts) -> impl Strategy<Value = Vec<(String, String)>> + use<> {
    let names = [
        "X-API-Key",
        "Authorization",
        "X-Forwarded-Uri",
        "X-Forwarded-Method",
        "X-Forwarded-Host",
        "X-Forwarded-For",
        "X_Forwarded_Uri",
        "Origin",
        "Referer",
        "Latchkey-Status",
        "Access-Control-Request-Method",
        "Content-Encoding",
    ];
    let parts = parts.clone();
    let value = prop_oneof![
        parts.host,
        parts.uri,
        parts.method,
        parts.secret.clone(),
        parts.secret.prop_map(|s| format!("Bearer {s}")),
        "[ -~]{0,30}",
    ];
    prop::collection::vec((pick(names.map(str::to_owned).to_vec()), value), 0..3)
}

fn request(facts: &Facts) -> impl Strategy<Value = Ask> + use<> {
    let parts = parts(facts);
    let more = more_headers(&parts);
    let own = parts.method.clone();
    let below = prop_oneof![3 => Just(String::new()), 1 => "(/[a-z.%0-9;]{0,8}){1,4}"];
    let names = [
        "X-Forwarded-Uri",
        "X-Forwarded-Host",
        "X-Forwarded-Method",
        "X-API-Key",
    ];
    let any = [parts.uri, parts.host, parts.method, parts.secret]
        .map(|part| prop::option::weighted(0.8, part));
    let forwarded = prop_oneof![2 => any, 1 => good(facts).prop_map(|parts| parts.map(Some))];
    (own, below, forwarded, more).prop_map(move |(own, below, forwarded, more)| {
        let mut ask = Ask::new(&own, &format!("/v1/authorize{below}"));
        for (name, value) in names.iter().zip(forwarded) {
            ask = value.iter().fold(ask, |ask, value| ask.header(name, value));
        }
        more.iter()
            .fold(ask, |ask, (name, value)| ask.header(name, value))
    })
}

#[test]
fn f_6_any_forward_auth_request_gets_a_listed_code_and_passes_only_with_a_live_key() {
    let (latchkey, facts) = Latchkey::demo();
    let live: Vec<&str> = facts
        .keys
        .iter()
        .filter(|key| matches!(key.state.as_str(), "active" | "rotating"))
        .map(|key| key.secret.as_str())
        .collect();
    let config = Config {
        cases: 600,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let passed = Cell::new(0);
    let judged = runner.run(&request(&facts), |ask| {
        let answer = ask
            .try_send(&latchkey.gate)
            .map_err(|error| TestCaseError::fail(format!("{ask:?}: {error}")))?;
        let code = answer.header("latchkey-verdict").unwrap_or_default();
        match answer.status {
            200 => {
                passed.set(passed.get() + 1);
                let sent = format!("{ask:?}");
                prop_assert!(
                    live.iter().any(|secret| sent.contains(secret)),
                    "let through: {}",
                    sent
                );
                prop_assert!(
                    answer
                        .header("latchkey-key-id")
                        .is_some_and(|id| id.starts_with("key_"))
                );
            }
            // What is not HTTP is refused before anybody thinks of keys, and TRACE always is.
            400 | 431 if code.is_empty() => {}
            405 => prop_assert!(format!("{ask:?}").contains("TRACE"), "405 to {:?}", ask),
            status => {
                let listed = REFUSALS
                    .iter()
                    .any(|(s, codes)| *s == status && codes.contains(&code));
                prop_assert!(listed, "{} {:?} to {:?}", status, code, ask);
            }
        }
        Ok(())
    });
    if let Err(error) = judged {
        panic!("{error}");
    }
    assert!(
        passed.get() > 20,
        "only {} of them passed: the parts no longer fit the demo",
        passed.get()
    );
}
