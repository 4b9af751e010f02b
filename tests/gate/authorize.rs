//! Forward-auth: what an admitted request carries on, and what a refused one is told.

use actix_web::test::TestRequest;
use latchkey::store::keys::ImportedState;
use latchkey_rules::kind::KeyKind;

use crate::ask::{Answer, forwarded, request, send};
use crate::world::{START, Wanted, World};

const HEADERS: [&str; 12] = [
    "latchkey-key-id",
    "latchkey-account",
    "latchkey-product",
    "latchkey-environment",
    "latchkey-access",
    "latchkey-plan",
    "latchkey-request-id",
    "latchkey-secret-ends",
    "latchkey-subject",
    "latchkey-assertion",
    "latchkey-uri",
    "access-control-allow-origin",
];

fn with_key(asked: TestRequest, secret: &str) -> TestRequest {
    asked.insert_header(("X-API-Key", secret.to_owned()))
}

#[test]
fn t_43_an_allow_always_emits_every_header() {
    let world = World::new();
    let key = world.plain_key();
    let ending = world.key(Wanted {
        state: ImportedState {
            expires_at: Some(START.plus_secs(7_200)),
            ..ImportedState::default()
        },
        secrets: vec![Some(START.plus_secs(3_600)), None],
        ..Wanted::default()
    });
    let gate = world.gate();
    for endpoint in ["/v1/authorize", "/v1/nginx/authorize"] {
        let asked = with_key(forwarded(endpoint), key.secret())
            .insert_header(("Origin", "https://example.com"));
        let answer = send(&gate, asked);
        assert_eq!((answer.status, answer.body.as_str()), (200, "VALID\n"));
        let said = HEADERS.map(|name| answer.header(name));
        let id = key.key_id.to_string();
        let request_id = answer.header("latchkey-request-id");
        assert_eq!(
            said,
            [
                &id,
                "acme",
                "maps",
                "live",
                "write",
                "free",
                request_id,
                "-",
                "-",
                "-",
                "/maps/1",
                "https://example.com"
            ]
        );
        assert_eq!(answer.header("vary"), "Origin");
        assert!(
            request_id.len() == 30 && answer.header("access-control-allow-credentials").is_empty()
        );
    }
    let ends = |secret: &str| {
        send(&gate, with_key(forwarded("/v1/authorize"), secret))
            .header("latchkey-secret-ends")
            .to_owned()
    };
    assert_eq!(ends(&ending.secrets[0]), "Sat, 21 Nov 2026 11:15:00 GMT");
    assert_eq!(ends(&ending.secrets[1]), "Sat, 21 Nov 2026 12:15:00 GMT");
}

#[test]
fn the_uri_that_goes_on_is_clean_and_without_the_key() {
    let world = World::new();
    let key = world.key(Wanted {
        products: vec!["maps", "search", "tiles"],
        ..Wanted::default()
    });
    let gate = world.gate();
    let secret = key.secret();
    for (uri, expected) in [
        (
            format!("/maps/1?key={secret}&a=1"),
            "/maps/1?a=1".to_owned(),
        ),
        (
            format!("/maps/1?a=1&api_key={secret}"),
            "/maps/1?a=1".to_owned(),
        ),
        (format!("/maps/1?key={secret}"), "/maps/1".to_owned()),
        (
            format!("/maps//x/./1;v=2?b=%20&key={secret}&a"),
            "/maps/x/1;v=2?b=%20&a".to_owned(),
        ),
        (
            "/maps/caf%C3%A9?q=a+b".to_owned(),
            "/maps/caf%C3%A9?q=a+b".to_owned(),
        ),
        ("/maps?key=berlin&x=1".to_owned(), "/maps?x=1".to_owned()),
        (
            "/maps?k%65y=berlin".to_owned(),
            "/maps?k%65y=berlin".to_owned(),
        ),
        // A product that reads no key from the query: the parameter is the backend's own, unless a secret stands there.
        (
            "/search?key=berlin&x=1".to_owned(),
            "/search?key=berlin&x=1".to_owned(),
        ),
        (
            format!("/search?key={secret}&x=1"),
            "/search?x=1".to_owned(),
        ),
    ] {
        let asked = with_key(forwarded("/v1/authorize"), secret)
            .insert_header(("X-Forwarded-Uri", uri.clone()));
        let answer = send(&gate, asked);
        assert_eq!(
            (answer.status, answer.header("latchkey-uri")),
            (200, expected.as_str()),
            "{uri}"
        );
    }
}

#[test]
fn the_key_is_read_where_the_product_allows() {
    let world = World::new();
    let products = vec!["maps", "routing", "search"];
    let server = world.key(Wanted {
        products: products.clone(),
        ..Wanted::default()
    });
    let browser = world.key(Wanted {
        kind: KeyKind::Browser,
        products,
        ..Wanted::default()
    });
    let gate = world.gate();
    // maps takes any key from the query, routing those of browsers, search none.
    for (path, of_server, of_browser, of_junk) in [
        ("/maps/1", (200, ""), (200, ""), (401, "KEY_MALFORMED")),
        (
            "/maps/routing/1",
            (401, "KEY_MISSING"),
            (200, ""),
            (401, "KEY_MALFORMED"),
        ),
        (
            "/search",
            (401, "KEY_MISSING"),
            (401, "KEY_MISSING"),
            (401, "KEY_MISSING"),
        ),
        (
            "/nowhere",
            (401, "KEY_MISSING"),
            (403, "PRODUCT_UNKNOWN"),
            (401, "KEY_MALFORMED"),
        ),
    ] {
        for (secret, expected) in [
            (server.secret(), of_server),
            (browser.secret(), of_browser),
            ("junk", of_junk),
        ] {
            let asked = forwarded("/v1/authorize")
                .insert_header(("X-Forwarded-Uri", format!("{path}?key={secret}")));
            assert_eq!(send(&gate, asked).verdict(), expected, "{path}");
        }
    }
    let basic = data_encoding::BASE64.encode(format!("{}:", server.secret()).as_bytes());
    for value in [
        format!("Bearer {}", server.secret()),
        format!("apikey {}", server.secret()),
        format!("Basic {basic}"),
    ] {
        let asked = forwarded("/v1/authorize").insert_header(("Authorization", value));
        assert_eq!(send(&gate, asked).status, 200);
    }
}

#[test]
fn two_different_keys_are_refused_and_equal_ones_are_one() {
    let world = World::new();
    let (one, two) = (world.plain_key(), world.plain_key());
    let gate = world.gate();
    let both = |other: &str| {
        let asked = with_key(forwarded("/v1/authorize"), one.secret());
        send(
            &gate,
            asked.insert_header(("Authorization", format!("Bearer {other}"))),
        )
    };
    assert_eq!(both(two.secret()).verdict(), (400, "REQUEST_INVALID"));
    assert_eq!(both(one.secret()).status, 200);
    let twice = with_key(forwarded("/v1/authorize"), one.secret())
        .append_header(("X-API-Key", two.secret().to_owned()));
    assert_eq!(send(&gate, twice).verdict(), (400, "REQUEST_INVALID"));
}

#[test]
fn an_operators_own_header_carries_the_key() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate_with(|settings| settings.key_headers.push("Tomtom-Api-Key".to_owned()));
    let asked =
        forwarded("/v1/authorize").insert_header(("tomtom-api-key", key.secret().to_owned()));
    assert_eq!(send(&gate, asked).status, 200);
}

#[test]
fn a_refusal_has_its_status_challenge_and_reason() {
    let world = World::new();
    let key = world.plain_key();
    let off = world.plain_key();
    world.disable(off.key_id);
    let gate = world.gate();
    let ask = |secret: &str, uri: &str| {
        let asked = forwarded("/v1/authorize").insert_header(("X-Forwarded-Uri", uri.to_owned()));
        let asked = if secret.is_empty() {
            asked
        } else {
            with_key(asked, secret)
        };
        send(
            &gate,
            asked.insert_header(("Origin", "https://example.com")),
        )
    };
    for (answer, status, verdict, word, challenge) in [
        (
            ask("", "/maps/1"),
            401,
            "KEY_MISSING",
            "Unauthorized",
            "ApiKey realm=\"maps\"",
        ),
        (
            ask("junk", "/maps/1"),
            401,
            "KEY_MALFORMED",
            "Unauthorized",
            "ApiKey realm=\"maps\"",
        ),
        (
            ask("", "/nowhere"),
            401,
            "KEY_MISSING",
            "Unauthorized",
            "ApiKey realm=\"latchkey\"",
        ),
        (
            ask(off.secret(), "/maps/1"),
            403,
            "KEY_DISABLED",
            "Forbidden",
            "",
        ),
        (
            ask(key.secret(), "/maps/..%2fx"),
            403,
            "PATH_AMBIGUOUS",
            "Forbidden",
            "",
        ),
        (
            ask(key.secret(), "/nowhere"),
            403,
            "PRODUCT_UNKNOWN",
            "Forbidden",
            "",
        ),
        (
            ask(key.secret(), "/search"),
            403,
            "PRODUCT_NOT_ASSIGNED",
            "Forbidden",
            "",
        ),
    ] {
        assert_eq!(answer.verdict(), (status, verdict));
        assert_eq!(answer.json()["error"]["code"], word);
        assert_eq!(answer.header("www-authenticate"), challenge);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "https://example.com"
        );
        assert_eq!(
            (answer.header("vary"), answer.header("content-type")),
            ("Origin", "application/json")
        );
        assert!(
            answer.header("latchkey-key-id").is_empty(),
            "a refusal names no key"
        );
    }
}

#[test]
fn malformed_unknown_and_deleted_look_the_same() {
    let world = World::new();
    let deleted = world.key(Wanted {
        state: ImportedState {
            deleted_at: Some(START),
            ..ImportedState::default()
        },
        ..Wanted::default()
    });
    let unknown = "lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu";
    let gate = world.gate();
    let shape = |answer: &Answer| {
        let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        (
            answer.status,
            names,
            answer.json()["error"]["message"].clone(),
        )
    };
    let answers = [deleted.secret(), unknown, "junk"]
        .map(|secret| send(&gate, with_key(forwarded("/v1/authorize"), secret)));
    let shapes = answers.each_ref().map(shape);
    assert_eq!(shapes[0], shapes[1]);
    assert_eq!(shapes[0], shapes[2]);
    assert_eq!(answers[0].verdict(), (401, "KEY_NOT_FOUND"));
}

#[test]
fn t_49_nginx_gets_nothing_but_200_401_and_403() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    let ask = |secret: &str, uri: &str| {
        let asked = with_key(forwarded("/v1/nginx/authorize"), secret);
        send(
            &gate,
            asked.insert_header(("X-Forwarded-Uri", uri.to_owned())),
        )
    };
    for (answer, status, truth, verdict) in [
        (ask(key.secret(), "/maps/1"), 200, "", ""),
        (ask("junk", "/maps/1"), 401, "401", "KEY_MALFORMED"),
        (ask(key.secret(), "/nowhere"), 403, "403", "PRODUCT_UNKNOWN"),
        (ask(key.secret(), "no-path"), 403, "400", "REQUEST_INVALID"),
    ] {
        assert_eq!(answer.verdict(), (status, verdict));
        assert_eq!(answer.header("latchkey-status"), truth);
    }
}

#[test]
fn denied_renders_what_nginx_hands_on() {
    let world = World::new();
    let gate = world.gate();
    let told = |status: &str, verdict: &str, id: &str| {
        let asked = request("GET", "/v1/denied").insert_header(("Origin", "https://example.com"));
        let asked = asked.insert_header(("Latchkey-Status", status.to_owned()));
        let asked = asked.insert_header(("Latchkey-Verdict", verdict.to_owned()));
        send(
            &gate,
            asked.insert_header(("Latchkey-Request-Id", id.to_owned())),
        )
    };
    for (status, verdict, rendered, word) in [
        ("400", "REQUEST_INVALID", 400, "BadRequest"),
        ("401", "KEY_EXPIRED", 401, "Unauthorized"),
        ("403", "PRODUCT_NOT_ASSIGNED", 403, "Forbidden"),
        ("429", "RATE_LIMITED", 429, "TooManyRequests"),
        ("503", "UNAVAILABLE", 503, "ServiceUnavailable"),
        ("500", "", 503, "ServiceUnavailable"),
        ("200", "VALID", 503, "ServiceUnavailable"),
        ("", "", 503, "ServiceUnavailable"),
        ("junk", "junk", 503, "ServiceUnavailable"),
    ] {
        let answer = told(status, verdict, "req_abc");
        assert_eq!(answer.status, rendered, "{status} {verdict}");
        let body = answer.json();
        assert_eq!(
            (&body["error"]["code"], &body["error"]["request_id"]),
            (&word.into(), &"req_abc".into())
        );
        assert_eq!(answer.header("latchkey-request-id"), "req_abc");
        assert_eq!(
            answer.header("retry-after").is_empty(),
            !matches!(rendered, 429 | 503)
        );
        assert_eq!(
            answer.header("www-authenticate").is_empty(),
            rendered != 401
        );
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "https://example.com"
        );
        let said = if rendered == 503 {
            "UNAVAILABLE"
        } else {
            verdict
        };
        assert_eq!(answer.header("latchkey-verdict"), said);
    }
    for (status, verdict) in [("403", "VALID"), ("401", "RATE_LIMITED")] {
        assert_eq!(
            told(status, verdict, "req_abc").header("latchkey-verdict"),
            ""
        );
    }
    let forged = told("403", "<script>", "\"><script>");
    assert!(forged.header("latchkey-verdict").is_empty() && !forged.body.contains("<script>"));
    let preflight = told("204", "", "");
    assert_eq!((preflight.status, preflight.body.as_str()), (204, ""));
    assert_eq!(
        preflight.header("access-control-allow-origin"),
        "https://example.com"
    );
    assert!(
        preflight
            .header("access-control-allow-methods")
            .contains("DELETE")
    );
}
