//! What a proxy with the recipe tells a client that is refused: the true status, our words, and closed when there is nobody to ask.

use crate::facts::Facts;
use crate::http::{Answer, Ask};
use crate::process::{Latchkey, freeze, signal};
use crate::proxy::Proxied;
use serde_json::Value;

const ORIGIN: &str = "https://app.example.com";

fn error(answer: &Answer) -> Value {
    answer.json()["error"].clone()
}

/// An error in the one form, that a page from elsewhere can read.
fn is_ours(answer: &Answer, status: u16, word: &str, code: &str) {
    let told = format!("{} {:?} {}", answer.status, answer.headers, answer.text());
    assert_eq!(answer.status, status, "{told}");
    let error = error(answer);
    assert_eq!(error["code"], word, "{told}");
    for field in ["message", "request_id"] {
        assert!(
            error[field].as_str().is_some_and(|text| !text.is_empty()),
            "{field}: {told}"
        );
    }
    assert!(error.get("help").is_some(), "{told}");
    let all = |name: &str| answer.all(name).collect::<Vec<_>>();
    assert_eq!(all("latchkey-verdict"), [code], "{told}");
    assert_eq!(all("latchkey-request-id").len(), 1, "{told}");
    assert_eq!(all("access-control-allow-origin"), [ORIGIN], "{told}");
    assert!(all("vary").join(",").contains("Origin"), "{told}");
    assert!(all("access-control-allow-credentials").is_empty(), "{told}");
    assert_eq!(
        all("www-authenticate").len(),
        usize::from(status == 401),
        "{told}"
    );
    assert_eq!(
        all("retry-after").len(),
        usize::from(matches!(status, 429 | 503)),
        "{told}"
    );
}

/// A demo behind each proxy.
fn stages() -> impl Iterator<Item = (Latchkey, Facts, Proxied)> {
    Proxied::each(Latchkey::demo, |(latchkey, _)| latchkey.gate.clone())
        .into_iter()
        .map(|((latchkey, facts), proxy)| (latchkey, facts, proxy))
}

#[test]
fn t_49_refusals_keep_their_status_through_a_proxy() {
    for (_latchkey, facts, proxy) in stages() {
        let (key, route) = facts.first();
        let (host, path) = (route.some_host(), route.some_path());
        let bare = |method: &str, target: &str| {
            Ask::new(method, target)
                .header("Host", &host)
                .header("Origin", ORIGIN)
        };
        let with = |secret: &str| bare("GET", &path).header("X-API-Key", secret);
        let disabled = &facts.in_state("disabled").secret;
        let retired = &facts.in_state("retired").secret;
        let two = with(&key.secret).header("Authorization", &format!("Bearer {disabled}"));
        let unclear = bare("GET", &format!("{path}/%252e%252e/x")).header("X-API-Key", &key.secret);
        let astray = Ask::get("/").headers([
            ("Host", "nowhere.invalid"),
            ("Origin", ORIGIN),
            ("X-API-Key", &key.secret),
        ]);
        for (ask, status, word, code) in [
            (two, 400, "BadRequest", "REQUEST_INVALID"),
            (bare("GET", &path), 401, "Unauthorized", "KEY_MISSING"),
            (bare("OPTIONS", &path), 401, "Unauthorized", "KEY_MISSING"),
            (with("junk"), 401, "Unauthorized", "KEY_MALFORMED"),
            (
                bare("POST", &path).header("X-API-Key", retired),
                401,
                "Unauthorized",
                "SECRET_RETIRED",
            ),
            (with(disabled), 403, "Forbidden", "KEY_DISABLED"),
            (unclear, 403, "Forbidden", "PATH_AMBIGUOUS"),
            (astray, 403, "Forbidden", "PRODUCT_UNKNOWN"),
        ] {
            is_ours(&ask.send(&proxy.address), status, word, code);
        }
        assert!(
            proxy.take_seen().is_empty(),
            "a refused request reached the API"
        );
    }
}

#[test]
fn a_key_that_asks_too_often_is_told_through_a_proxy_when_to_come_back() {
    for (_latchkey, facts, proxy) in stages() {
        let mut plain = facts.keys.iter().filter(|key| key.is_plain());
        let key = plain
            .find(|key| key.plan == "free")
            .expect("a key on the plan Free");
        let route = facts.route_of(key);
        let ask = || {
            Ask::new("GET", &route.some_path())
                .header("Host", &route.some_host())
                .header("Origin", ORIGIN)
                .header("X-API-Key", &key.secret)
                .send(&proxy.address)
        };
        let first = ask();
        assert_eq!(
            (first.status, first.header("x-ratelimit-limit")),
            (200, Some("10"))
        );
        assert_eq!(
            first.header("x-ratelimit-remaining"),
            Some("10"),
            "of twenty at once, at most ten a minute"
        );
        let policy = "\"minute\";q=10;w=60, \"day\";q=1000;w=86400";
        assert_eq!(first.header("ratelimit-policy"), Some(policy));
        // Twenty at once and ten a minute: of so many within ten seconds some are too many.
        let refused = (0..40)
            .map(|_| ask())
            .find(|answer| answer.status != 200)
            .expect("one too many");
        is_ours(&refused, 429, "TooManyRequests", "RATE_LIMITED");
        let wait: u64 = refused
            .header("retry-after")
            .expect("a time")
            .parse()
            .expect("seconds");
        assert!((1..=6).contains(&wait), "{wait}");
        assert_eq!(refused.header("x-ratelimit-remaining"), Some("0"));
        assert_eq!(refused.header("x-ratelimit-limit"), Some("10"));
        assert!(
            refused
                .header("ratelimit")
                .expect("what is left")
                .starts_with("\"minute\";r=0;t=")
        );
    }
}

#[test]
fn a_key_that_may_read_does_not_delete_through_a_proxy() {
    for (_latchkey, facts, proxy) in stages() {
        let reader = facts
            .keys
            .iter()
            .find(|k| k.is_plain() && k.access == "read")
            .expect("a key that may read");
        let route = facts.route_of(reader);
        let ask = |method: &str| {
            Ask::new(method, &route.some_path())
                .header("Host", &route.some_host())
                .header("Origin", ORIGIN)
                .header("X-API-Key", &reader.secret)
                .send(&proxy.address)
        };
        is_ours(&ask("DELETE"), 403, "Forbidden", "ACCESS_NOT_ALLOWED");
        assert!(
            proxy.take_seen().is_empty(),
            "a refused request reached the API"
        );
        assert_eq!(ask("GET").status, 200);
        assert_eq!(ask("HEAD").status, 200);
    }
}

#[test]
fn t_49_without_the_gate_a_proxy_closes_with_503() {
    for (mut latchkey, facts, proxy) in stages() {
        let (key, route) = facts.first();
        let ask = Ask::get(&route.some_path())
            .header("Host", &route.some_host())
            .header("Origin", ORIGIN)
            .header("X-API-Key", &key.secret);
        assert_eq!(ask.send(&proxy.address).status, 200);
        assert_eq!(proxy.take_seen().len(), 1);
        freeze(&latchkey.child);
        let silent = ask.send(&proxy.address);
        signal(&latchkey.child, "CONT");
        is_ours(&silent, 503, "ServiceUnavailable", "UNAVAILABLE");
        latchkey.stop();
        is_ours(
            &ask.send(&proxy.address),
            503,
            "ServiceUnavailable",
            "UNAVAILABLE",
        );
        let preflight = Ask::new("OPTIONS", &route.some_path())
            .header("Host", &route.some_host())
            .header("Origin", ORIGIN)
            .header("Access-Control-Request-Method", "GET")
            .send(&proxy.address);
        is_ours(&preflight, 503, "ServiceUnavailable", "UNAVAILABLE");
        assert!(
            proxy.take_seen().is_empty(),
            "a request passed without a verdict"
        );
    }
}

#[test]
fn t_49_denied_renders_what_nginx_cannot_pass_on_and_nothing_else() {
    let (latchkey, _) = Latchkey::demo();
    let refused = Ask::get("/v1/nginx/authorize")
        .header("X-Forwarded-Uri", "/x")
        .send(&latchkey.gate);
    let id = refused
        .header("latchkey-request-id")
        .expect("a refusal has an id")
        .to_owned();
    let denied = |status: &str, verdict: &str| {
        Ask::get("/v1/denied")
            .header("Origin", ORIGIN)
            .header("Latchkey-Status", status)
            .header("Latchkey-Verdict", verdict)
            .header("Latchkey-Request-Id", &id)
            .send(&latchkey.gate)
    };
    let limited = denied("429", "RATE_LIMITED");
    is_ours(&limited, 429, "TooManyRequests", "RATE_LIMITED");
    assert_eq!(
        error(&limited)["request_id"],
        id,
        "the request keeps the id of its verdict"
    );
    assert_eq!(denied("204", "").status, 204);
    is_ours(
        &denied("503", "UNAVAILABLE"),
        503,
        "ServiceUnavailable",
        "UNAVAILABLE",
    );
    for status in ["200", "301", "500", "junk", "", "4290"] {
        assert_eq!(
            denied(status, "VALID").status,
            503,
            "asked to render {status:?}"
        );
    }
    let contradiction = denied("403", "VALID");
    assert_eq!(
        (
            contradiction.status,
            contradiction.header("latchkey-verdict")
        ),
        (403, None)
    );
    let echoed = denied("403", "<b>NO_CODE_OF_OURS</b>");
    let whole = format!("{:?} {}", echoed.headers, echoed.text());
    assert!(!whole.contains("NO_CODE_OF_OURS"), "{whole}");
}

#[test]
fn a_preflight_is_answered_in_front_of_the_api() {
    for (_latchkey, facts, proxy) in stages() {
        let (_, route) = facts.first();
        let preflight = |host: &str| {
            Ask::new("OPTIONS", &route.some_path())
                .header("Host", host)
                .header("Origin", ORIGIN)
                .header("Access-Control-Request-Method", "GET")
                .header("Access-Control-Request-Headers", "x-api-key")
                .send(&proxy.address)
        };
        let answer = preflight(&route.some_host());
        let told = format!("{} {:?}", answer.status, answer.headers);
        assert_eq!(answer.status, 204, "{told}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some(ORIGIN),
            "{told}"
        );
        let allowed = |name: &str| answer.header(name).unwrap_or_default().to_lowercase();
        assert!(
            allowed("access-control-allow-methods").contains("get"),
            "{told}"
        );
        assert!(
            allowed("access-control-allow-headers").contains("x-api-key"),
            "{told}"
        );
        assert_eq!(preflight("nowhere.invalid").status, 403);
        assert!(proxy.take_seen().is_empty(), "a preflight reached the API");
    }
}

#[test]
fn an_answer_can_be_read_by_a_page_from_elsewhere() {
    for (_latchkey, facts, proxy) in stages() {
        let (key, route) = facts.first();
        let answer = Ask::get(&route.some_path())
            .header("Host", &route.some_host())
            .header("Origin", ORIGIN)
            .header("X-API-Key", &key.secret)
            .send(&proxy.address);
        assert_eq!((answer.status, answer.text().as_str()), (200, "reached"));
        assert_eq!(
            answer
                .all("access-control-allow-origin")
                .collect::<Vec<_>>(),
            [ORIGIN]
        );
        for name in ["latchkey-request-id", "access-control-expose-headers"] {
            assert_eq!(answer.all(name).count(), 1, "{name}");
        }
        assert_eq!(answer.all("vary").collect::<Vec<_>>(), ["Origin"]);
        let elsewhere = Ask::get("/")
            .header("Host", "nowhere.invalid")
            .send(&proxy.address);
        assert_eq!(
            elsewhere.all("access-control-allow-origin").count(),
            0,
            "nobody asked from elsewhere"
        );
    }
}
