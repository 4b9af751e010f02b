//! Every code, but for those of bearer tokens, by every way in which a gateway may ask: alone, in a batch, as forward-auth, and
//! through each proxy with its recipe. Status, body and headers of each are written down here.

use crate::database::Database;
use crate::http::{Answer, Ask};
use crate::needs;
use crate::operator::{Installation, sign_up};
use crate::page::Browser;
use crate::process::Latchkey;
use crate::proxy::Proxied;
use serde_json::{Value, json};
use std::fs;

const CONFIG: &str = r#"
[[product]]
slug = "search"
name = "Search API"
routes = [{ host = "api.example.com", path = "/search" }]

[[product]]
slug = "routing"
name = "Routing API"
routes = [{ host = "api.example.com", path = "/routing" }, { host = "live.example.com", path = "/", environments = ["live"] }]
"#;

const HOST: &str = "api.example.com";
const PATH: &str = "/search/1";
const ORIGIN: &str = "https://app.example.com";

/// A request, and what it has to be told.
struct Row {
    code: &'static str,
    status: u16,
    /// `error.code`.
    word: &'static str,
    /// The secrets that are sent: none, one, two.
    secrets: Vec<String>,
    method: &'static str,
    host: &'static str,
    path: &'static str,
    /// Whether the request says which page it comes from.
    has_origin: bool,
}

impl Row {
    fn new(code: &'static str, status: u16, secret: &str) -> Self {
        let word = match status {
            400 => "BadRequest",
            401 => "Unauthorized",
            403 => "Forbidden",
            429 => "TooManyRequests",
            503 => "ServiceUnavailable",
            _ => "",
        };
        Self {
            code,
            status,
            word,
            secrets: vec![secret.to_owned()],
            method: "GET",
            host: HOST,
            path: PATH,
            has_origin: true,
        }
    }

    fn at(self, method: &'static str, host: &'static str, path: &'static str) -> Self {
        Self {
            method,
            host,
            path,
            ..self
        }
    }

    /// The question as JSON; two keys cannot be asked so.
    fn facts(&self) -> Option<Value> {
        if self.secrets.len() > 1 {
            return None;
        }
        let mut facts =
            json!({"host": self.host, "path": self.path, "method": self.method, "ip": "127.0.0.1"});
        if let Some(secret) = self.secrets.first() {
            facts["secret"] = json!(secret);
        }
        if self.has_origin {
            facts["origin"] = json!(ORIGIN);
        }
        Some(facts)
    }

    /// The request as a client sends it.
    fn ask(&self, method: &str, target: &str) -> Ask {
        let mut ask = Ask::new(method, target);
        if self.has_origin {
            ask = ask.header("Origin", ORIGIN);
        }
        let headers = ["X-API-Key", "Authorization"];
        for (name, secret) in headers.iter().zip(&self.secrets) {
            let scheme = if *name == "Authorization" {
                "ApiKey "
            } else {
                ""
            };
            ask = ask.header(name, &format!("{scheme}{secret}"));
        }
        ask
    }
}

/// Makes a key by the form, with these fields besides.
fn key(
    browser: &mut Browser,
    account: &str,
    name: &str,
    fields: &[(&str, &str)],
) -> (String, String) {
    let usual = [
        ("name", name),
        ("environment", "live"),
        ("products", "search"),
    ];
    let chosen = usual
        .iter()
        .filter(|(name, _)| !fields.iter().any(|(other, _)| other == name));
    let filled: Vec<(&str, &str)> = chosen.chain(fields).copied().collect();
    let page = format!("/accounts/{account}/keys/new");
    browser.get(&page).submit("Create", &filled);
    assert_eq!(browser.status, 200, "{name}: {}", browser.text());
    let secret = browser.find("lk_", |c| c.is_ascii_alphanumeric() || c == '_');
    let id = browser.find("key_", |c| c.is_ascii_lowercase() || c.is_ascii_digit());
    (secret.expect("a secret"), id.expect("a key ID"))
}

/// A key for each code, by its secret.
struct Keys {
    plain: String,
    disabled: String,
    gone: String,
    leaked: String,
    expired: String,
    bound: String,
    elsewhere: String,
    test: String,
    reader: String,
    rated: String,
    counted: String,
    suspended: String,
}

/// An account of its own with its owner at work.
fn account(
    installation: &Installation,
    latchkey: &Latchkey,
    name: &str,
    plan: &str,
) -> (Browser, String) {
    let email = format!("{}@example.com", name.to_lowercase());
    let owner = sign_up(latchkey, name, name, &email);
    let account = owner.account.clone().unwrap();
    installation.done(&["accounts", "set-plan", &account, plan]);
    (Browser::signed_in(&latchkey.portal, &owner), account)
}

fn keys(installation: &Installation, latchkey: &Latchkey, database: &Database) -> Keys {
    for (plan, [minute, burst, day]) in [
        ("free", ["none", "none", "none"]),
        ("starter", ["1", "1", "none"]),
        ("professional", ["none", "none", "1"]),
    ] {
        let limits = ["--per-minute", minute, "--burst", burst, "--per-day", day];
        installation.done(&[&["plans", "set", plan], &limits[..]].concat());
    }
    let (mut one, first) = account(installation, latchkey, "One", "free");
    let alone = |name, plan| {
        let (mut browser, account) = account(installation, latchkey, name, plan);
        key(&mut browser, &account, "a key", &[]).0
    };
    let (rated, counted) = (alone("Two", "starter"), alone("Three", "professional"));
    let suspended = alone("Four", "free");
    let mut made = |name, fields: &[(&str, &str)]| key(&mut one, &first, name, fields);
    let (disabled, disabled_id) = made("disabled", &[]);
    let (gone, gone_id) = made("deleted", &[]);
    let (leaked, leaked_id) = made("leaked", &[]);
    let keys = Keys {
        plain: made("plain", &[]).0,
        expired: made("expired", &[]).0,
        bound: made("bound", &[("domains", "shop.example.com")]).0,
        elsewhere: made("elsewhere", &[("ips", "203.0.113.0/24")]).0,
        test: made("test", &[("environment", "test"), ("products", "routing")]).0,
        reader: made("reader", &[("access", "read")]).0,
        disabled,
        gone,
        leaked,
        rated,
        counted,
        suspended,
    };
    installation.done(&["keys", "disable", &disabled_id, "--reason", "A test"]);
    let page = |id: &str, page: &str| format!("/accounts/{first}/keys/{id}/{page}");
    one.get(&page(&gone_id, "delete"))
        .submit("Delete", &[("name", "deleted")]);
    one.get(&page(&leaked_id, "rotate"))
        .submit("Rotate secret", &[("reason", "leaked")]);
    // What no page does: a day that is over, an account that staff suspended.
    database.run("UPDATE keys SET expires_at = created_at + 1, generation = generation + 1 WHERE name = 'expired'");
    database.run("UPDATE accounts SET suspended_at = 1, suspended_by = 'a test', suspended_reason = 'a test', generation = generation + 1 WHERE slug = 'four'");
    installation.done(&["admin", "new-epoch"]);
    keys
}

/// What each of them is told. The one that the key is gone of stands first.
fn rows(keys: &Keys) -> Vec<Row> {
    let plain = &keys.plain;
    let other = format!("{}x", plain.split_at(plain.len() - 1).0);
    let two_keys = Row {
        secrets: vec![plain.clone(), keys.reader.clone()],
        ..Row::new("REQUEST_INVALID", 400, plain)
    };
    let none = Row {
        secrets: Vec::new(),
        ..Row::new("KEY_MISSING", 401, "")
    };
    let twice = "/search/%252e%252e/x";
    vec![
        Row::new("KEY_NOT_FOUND", 401, &keys.gone),
        two_keys,
        none,
        Row::new("KEY_MALFORMED", 401, &other),
        Row::new("SECRET_RETIRED", 401, &keys.leaked),
        Row::new("KEY_EXPIRED", 401, &keys.expired),
        Row::new("KEY_DISABLED", 403, &keys.disabled),
        Row::new("ACCOUNT_SUSPENDED", 403, &keys.suspended),
        Row::new("PATH_AMBIGUOUS", 403, plain).at("GET", HOST, twice),
        Row::new("PRODUCT_UNKNOWN", 403, plain).at("GET", HOST, "/nothing"),
        Row::new("PRODUCT_NOT_ASSIGNED", 403, plain).at("GET", HOST, "/routing/1"),
        Row::new("ENVIRONMENT_NOT_ALLOWED", 403, &keys.test).at("GET", "live.example.com", "/1"),
        Row::new("ACCESS_NOT_ALLOWED", 403, &keys.reader).at("DELETE", HOST, PATH),
        Row::new("ORIGIN_NOT_ALLOWED", 403, &keys.bound),
        Row::new("IP_NOT_ALLOWED", 403, &keys.elsewhere),
        Row::new("RATE_LIMITED", 429, &keys.rated),
        Row::new("QUOTA_EXCEEDED", 429, &keys.counted),
        Row::new("VALID", 200, plain),
    ]
}

#[test]
fn every_code_is_told_alike_by_every_way() {
    let Some(database) = Database::new() else {
        return;
    };
    let installation = Installation::on_postgres(&database.url);
    fs::write(installation.path().join("latchkey.toml"), CONFIG).unwrap();
    let latchkey = installation.serve();
    let mut rows = rows(&keys(&installation, &latchkey, &database));
    needs::soon("every key is as it was made", || {
        let mut asked = rows.iter().filter_map(|row| Some((row.code, row.facts()?)));
        asked
            .all(|(code, facts)| latchkey.verdict(&facts)["code"] == code)
            .then_some(())
    });
    let proxies = Proxied::all(&latchkey.gate);
    for row in &rows {
        by_every_way(&latchkey, &proxies, row);
    }
    // Out of touch, a well-formed secret that is not known may be new: nobody can say.
    let lost = rows.remove(0);
    database.cut();
    let lost = Row {
        code: "UNAVAILABLE",
        status: 503,
        word: "ServiceUnavailable",
        ..lost
    };
    needs::soon("the gate is out of touch", || {
        let code = latchkey.verdict(&lost.facts().expect("one key"))["code"].clone();
        (code == "UNAVAILABLE").then_some(())
    });
    by_every_way(&latchkey, &proxies, &lost);
    let valid = rows.last().expect("the last row");
    by_every_way(&latchkey, &proxies, valid);
    database.mend();
}

fn by_every_way(latchkey: &Latchkey, proxies: &[Proxied], row: &Row) {
    let mut message = None;
    if let Some(facts) = row.facts() {
        let verdict = latchkey.verdict(&facts);
        is_verdict(&verdict, row, "verify");
        message = verdict["message"].as_str().map(str::to_owned);
        let body = json!({"requests": [facts]});
        let batch = Ask::new("POST", "/v1/verify/batch")
            .json(&body)
            .send(&latchkey.gate);
        assert_eq!(batch.status, 200, "{}", row.code);
        is_verdict(&batch.json()["results"][0], row, "batch");
    }
    let asked = row
        .ask("GET", "/v1/authorize")
        .header("X-Forwarded-Method", row.method)
        .header("X-Forwarded-Host", row.host)
        .header("X-Forwarded-Uri", row.path);
    is_answer(
        &asked.send(&latchkey.gate),
        row,
        message.as_deref(),
        "authorize",
    );
    for proxy in proxies {
        let way = format!("{:?}", proxy.kind);
        let answer = row
            .ask(row.method, row.path)
            .header("Host", row.host)
            .send(&proxy.address);
        is_answer(&answer, row, message.as_deref(), &way);
        let reached = proxy.take_seen().len();
        assert_eq!(
            reached,
            usize::from(row.status == 200),
            "{} by {way}",
            row.code
        );
    }
}

/// A verdict in JSON: always 200, with everything that an answer has.
fn is_verdict(verdict: &Value, row: &Row, way: &str) {
    let told = format!("{} by {way}: {verdict}", row.code);
    assert_eq!(verdict["code"], row.code, "{told}");
    assert_eq!(verdict["valid"], row.status == 200, "{told}");
    let object = verdict.as_object().expect("an object");
    for field in [
        "valid",
        "code",
        "message",
        "key_id",
        "secret_number",
        "account",
        "environment",
        "product",
        "access",
        "limits",
        "expires_at",
        "retires_at",
        "request_id",
    ] {
        assert!(object.contains_key(field), "{field}: {told}");
    }
    // Without the right secret nothing is told of a key.
    let is_known = !matches!(
        row.code,
        "UNAVAILABLE" | "KEY_MISSING" | "KEY_MALFORMED" | "KEY_NOT_FOUND"
    );
    assert_eq!(verdict["key_id"].is_string(), is_known, "{told}");
    let has_limits = matches!(row.code, "RATE_LIMITED" | "QUOTA_EXCEEDED" | "VALID");
    let limits = verdict["limits"].as_array().expect("a list");
    assert_eq!(limits.len(), if has_limits { 3 } else { 0 }, "{told}");
}

/// An answer over HTTP, whoever passes it on.
fn is_answer(answer: &Answer, row: &Row, message: Option<&str>, way: &str) {
    let told = format!(
        "{} by {way}: {} {:?} {}",
        row.code,
        answer.status,
        answer.headers,
        answer.text()
    );
    let all = |name: &str| answer.all(name).collect::<Vec<_>>();
    assert_eq!(answer.status, row.status, "{told}");
    assert_eq!(all("latchkey-request-id").len(), 1, "{told}");
    assert_eq!(all("access-control-allow-origin"), [ORIGIN], "{told}");
    assert!(all("vary").join(",").contains("Origin"), "{told}");
    assert!(all("access-control-allow-credentials").is_empty(), "{told}");
    assert_eq!(
        all("www-authenticate").len(),
        usize::from(row.status == 401),
        "{told}"
    );
    assert_eq!(
        all("retry-after").len(),
        usize::from(matches!(row.status, 429 | 503)),
        "{told}"
    );
    let minute = usize::from(row.code == "RATE_LIMITED");
    assert_eq!(all("x-ratelimit-limit").len(), minute, "{told}");
    assert_eq!(all("x-ratelimit-reset").len(), minute, "{told}");
    let has_policy = matches!(row.code, "RATE_LIMITED" | "QUOTA_EXCEEDED");
    assert_eq!(
        all("ratelimit-policy").len(),
        usize::from(has_policy),
        "{told}"
    );
    if row.status == 200 {
        assert!(all("latchkey-verdict").is_empty(), "{told}");
        return;
    }
    assert_eq!(all("latchkey-verdict"), [row.code], "{told}");
    assert!(
        all("content-type").concat().starts_with("application/json"),
        "{told}"
    );
    let error = &answer.json()["error"];
    assert_eq!(error["code"], row.word, "{told}");
    assert_eq!(error["request_id"], all("latchkey-request-id")[0], "{told}");
    let help = error["help"].as_str().expect("a link");
    assert!(
        help.contains("/r/") && help.ends_with(&format!("?verdict={}", row.code)),
        "{told}"
    );
    // A proxy hands on the code alone, which has a message of its own; it says no less.
    let own = error["message"].as_str().expect("a message");
    assert!(!own.is_empty(), "{told}");
    if let Some(message) = message.filter(|_| way == "authorize") {
        assert_eq!(own, message, "{told}");
    }
}
