//! The documented nginx and Caddy against people who want past it: forged headers, keys in every place, paths that read two ways, a gate
//! that is gone. A proxy that this machine lacks is left out; `needs` says so.

use crate::facts::Facts;
use crate::http::Ask;
use crate::process::{Latchkey, freeze, signal};
use crate::proxy::{Kind, Proxied, Seen};
use data_encoding::BASE64;

/// The identity headers that an admitted request carries, each once.
const IDENTITY: &[&str] = &[
    "Latchkey-Key-Id",
    "Latchkey-Account",
    "Latchkey-Product",
    "Latchkey-Environment",
    "Latchkey-Access",
    "Latchkey-Plan",
    "Latchkey-Request-Id",
    "Latchkey-Secret-Ends",
    "Latchkey-Subject",
    "Latchkey-Assertion",
];

/// What a client has no business to say.
const FORGED: &[&str] = &[
    "Latchkey-Uri",
    "Latchkey-Status",
    "Latchkey-Verdict",
    "Latchkey-Code",
    "Latchkey-Gate-Token",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Forwarded-Host",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "Forwarded",
];

struct Stage {
    latchkey: Latchkey,
    facts: Facts,
    proxy: Proxied,
}

/// A demo behind each proxy.
fn stages() -> Vec<Stage> {
    let stage = |((latchkey, facts), proxy)| Stage {
        latchkey,
        facts,
        proxy,
    };
    Proxied::each(Latchkey::demo, |(latchkey, _)| latchkey.gate.clone())
        .into_iter()
        .map(stage)
        .collect()
}

impl Stage {
    /// A request for the first key's product, without the key.
    fn ask(&self, method: &str, query: &str) -> Ask {
        let (_, route) = self.facts.first();
        Ask::new(method, &format!("{}{query}", route.some_path()))
            .header("Host", &route.some_host())
    }

    fn secret(&self) -> &str {
        &self.facts.first().0.secret
    }

    fn only_seen(&self) -> Seen {
        let mut seen = self.proxy.take_seen();
        assert_eq!(seen.len(), 1, "one request reaches the API");
        seen.remove(0)
    }
}

#[test]
fn t_43_t_41_forged_headers_never_reach_the_gate_or_the_api() {
    for stage in stages() {
        let (key, _) = stage.facts.first();
        let mut ask = stage.ask("GET", "?a=1").header("X-API-Key", stage.secret());
        for name in IDENTITY.iter().chain(FORGED) {
            for spelled in [
                (*name).to_owned(),
                name.to_lowercase(),
                name.replace('-', "_"),
            ] {
                ask = ask.header(&spelled, "forged");
            }
        }
        let answer = ask.send(&stage.proxy.address);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = stage.only_seen();
        assert!(
            !seen.whole.contains("forged"),
            "reached the API:\n{}",
            seen.whole
        );
        for name in IDENTITY {
            assert_eq!(seen.all(name).len(), 1, "{name} in:\n{}", seen.whole);
        }
        assert_eq!(seen.all("Latchkey-Key-Id"), [key.key_id.as_str()]);
        assert_eq!(seen.all("Latchkey-Account"), [key.account.as_str()]);
        assert_eq!(seen.all("X-Forwarded-For"), ["127.0.0.1"]);
        for name in [
            "Latchkey-Uri",
            "Latchkey-Status",
            "Latchkey-Verdict",
            "Latchkey-Gate-Token",
        ] {
            assert!(seen.all(name).is_empty(), "{name} in:\n{}", seen.whole);
        }
    }
}

#[test]
fn t_41_no_forged_header_makes_a_refused_request_pass() {
    for stage in stages() {
        let (_, route) = stage.facts.first();
        let (host, path) = (route.some_host(), route.some_path());
        let forged = [
            ("Latchkey-Status", "200"),
            ("Latchkey-Verdict", "VALID"),
            ("Latchkey_Status", "200"),
            ("Latchkey-Key-Id", "key_aaaaaaaaaaaaaaaa"),
            ("X-Forwarded-Method", "OPTIONS"),
            ("X-Forwarded-Host", host.as_str()),
            ("X-Forwarded-Uri", path.as_str()),
            ("X-Forwarded-For", "10.0.0.1"),
            ("X-Original-URL", path.as_str()),
        ];
        let elsewhere = Ask::get("/")
            .header("Host", "nowhere.invalid")
            .header("X-API-Key", stage.secret());
        for (name, value) in forged {
            let keyless = stage
                .ask("GET", "")
                .header(name, value)
                .send(&stage.proxy.address);
            assert_eq!(keyless.status, 401, "without a key, with {name}: {value}");
            let astray = elsewhere
                .clone()
                .header(name, value)
                .send(&stage.proxy.address);
            assert_eq!(astray.status, 403, "at no product, with {name}: {value}");
        }
        for target in [
            "/_latchkey_ask",
            "/x/../_latchkey_ask",
            "/%5flatchkey_ask",
            "/v1/denied",
        ] {
            let answer = Ask::get(target).send(&stage.proxy.address);
            assert!(
                matches!(answer.status, 401 | 403 | 404),
                "{target}: {}",
                answer.status
            );
        }
        assert!(
            stage.proxy.take_seen().is_empty(),
            "something reached the API"
        );
    }
}

/// A key in each place where one is read; the rest of the query is `a=1`.
fn every_place(stage: &Stage) -> Vec<Ask> {
    let secret = stage.secret();
    let with = |name: &str, value: &str| stage.ask("GET", "?a=1").header(name, value);
    let basic = BASE64.encode(format!("{secret}:").as_bytes());
    let query = |query: String| stage.ask("GET", &query).header("X-API-Key", secret);
    vec![
        with("X-API-Key", secret),
        with("x-api-key", secret).header("X-API-Key", secret),
        with("Authorization", &format!("Bearer {secret}")),
        with("Authorization", &format!("ApiKey {secret}")),
        with("Authorization", &format!("bearer   {secret}")),
        with("Authorization", &format!("Basic {basic}")),
        query(format!("?key={secret}&a=1")),
        query(format!("?a=1&api_key={secret}")),
        query(format!("?key={secret}&a=1"))
            .header("tomtom-api-key", secret)
            .header("Referer", &format!("https://example.com/?key={secret}")),
    ]
}

/// A key that stands twice in the query: taken out whole, or not passed on at all. Spelled with escapes it is no key to
/// Latchkey, so nginx leaves it; Caddy, which reads it as one, does not pass it on.
fn hard_to_take_out(stage: &Stage) -> Vec<Ask> {
    let secret = stage.secret();
    let escaped = secret.replace('_', "%5f");
    let query = |query: String| stage.ask("GET", &query).header("X-API-Key", secret);
    let mut asks = vec![query(format!("?key={secret}&a=1&key={secret}"))];
    if stage.proxy.kind == Kind::Caddy {
        asks.push(query(format!("?%6bey={secret}&a=1")));
        asks.push(query(format!("?a=1&api_key={escaped}")));
    }
    asks
}

#[test]
fn t_43_the_key_reaches_neither_the_api_nor_a_log_of_the_proxy() {
    for stage in stages() {
        let secret = stage.secret();
        let basic = BASE64.encode(format!("{secret}:").as_bytes());
        let asks = every_place(&stage);
        for ask in &asks {
            let answer = ask.send(&stage.proxy.address);
            assert_eq!(answer.status, 200, "{ask:?}: {}", answer.text());
            let seen = stage.only_seen();
            let kept = !seen.whole.contains(secret) && !seen.whole.contains(&basic);
            assert!(kept, "{ask:?} brought the key to the API");
            // Caddy leaves the parameter and takes its value.
            let rest = seen.target.replace("key=&", "").replace("&api_key=", "");
            assert!(rest.ends_with("?a=1"), "{}", seen.target);
        }
        for ask in &hard_to_take_out(&stage) {
            let answer = ask.send(&stage.proxy.address);
            match answer.status {
                200 => {
                    let seen = stage.only_seen();
                    let bare = seen.whole.replace("%5f", "_");
                    assert!(
                        !bare.contains(secret),
                        "{ask:?} brought the key to the API by {:?}",
                        stage.proxy.kind
                    );
                }
                status => assert_eq!((status, stage.proxy.take_seen().len()), (400, 0), "{ask:?}"),
            }
        }
        // Refused ones are logged too, and so is what fails behind the proxy.
        for place in ["?key=", "?other=", "/key=", "?%6bey="] {
            stage
                .ask("GET", &format!("{place}{secret}"))
                .send(&stage.proxy.address);
        }
        freeze(&stage.latchkey.child);
        stage
            .ask("GET", &format!("?key={secret}"))
            .header("X-API-Key", secret)
            .send(&stage.proxy.address);
        signal(&stage.latchkey.child, "CONT");
        let logs = stage.proxy.logs();
        assert!(
            logs.lines().count() >= asks.len(),
            "the access log was written"
        );
        assert!(
            !logs.contains(secret) && !logs.contains(&basic),
            "the key is in the proxy's log"
        );
    }
}

#[test]
fn other_credentials_and_the_body_reach_the_api_as_they_came() {
    for stage in stages() {
        let answer = stage
            .ask("GET", "?b=%20x&c=a+b;d&a=%2F")
            .header("X-API-Key", stage.secret())
            .header("Authorization", "Bearer aaa.bbb.ccc")
            .header("Cookie", "own=1")
            .body("text/plain", "a body\r\nof two lines")
            .send(&stage.proxy.address);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = stage.only_seen();
        assert_eq!(seen.method, "GET");
        assert!(
            seen.target.ends_with("?b=%20x&c=a+b;d&a=%2F"),
            "{}",
            seen.target
        );
        assert_eq!(seen.all("Authorization"), ["Bearer aaa.bbb.ccc"]);
        assert_eq!(seen.all("Cookie"), ["own=1"]);
        assert!(
            seen.whole.ends_with("a body\r\nof two lines"),
            "{}",
            seen.whole
        );
    }
}
