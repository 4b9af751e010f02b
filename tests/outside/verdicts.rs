//! Every key of the demo at every door: what its state and restrictions imply, written down here a second time.

use crate::facts::{Facts, Key, Product};
use crate::http::Ask;
use crate::process::Latchkey;
use crate::proxy::Proxied;
use serde_json::json;

/// What a request with this key must be told, at a product that the key has.
const IMPLIED: &[(&str, &str)] = &[
    ("active", "VALID"),
    ("rotating", "VALID"),
    ("paused", "KEY_DISABLED"),
    ("disabled", "KEY_DISABLED"),
    ("expired", "KEY_EXPIRED"),
    ("retired", "SECRET_RETIRED"),
    ("deleted", "KEY_NOT_FOUND"),
    ("suspended", "ACCOUNT_SUSPENDED"),
];

/// The status that a code has on the wire.
const STATUS: &[(&str, u16)] = &[
    ("VALID", 200),
    ("KEY_NOT_FOUND", 401),
    ("SECRET_RETIRED", 401),
    ("KEY_EXPIRED", 401),
    ("KEY_DISABLED", 403),
    ("ACCOUNT_SUSPENDED", 403),
    ("PRODUCT_NOT_ASSIGNED", 403),
    ("ORIGIN_NOT_ALLOWED", 403),
    ("IP_NOT_ALLOWED", 403),
];

fn of<T: Copy>(table: &[(&str, T)], word: &str) -> T {
    table
        .iter()
        .find(|(known, _)| *known == word)
        .unwrap_or_else(|| panic!("the table has no row for {word}"))
        .1
}

/// A GET from this machine, without Origin and Referer.
fn implied(key: &Key) -> &'static str {
    match of(IMPLIED, &key.state) {
        "VALID" if !key.domains.is_empty() => "ORIGIN_NOT_ALLOWED",
        "VALID" if !key.ips.is_empty() => "IP_NOT_ALLOWED",
        code => code,
    }
}

/// Asks at each door and names those that say something else.
fn differing(
    latchkey: &Latchkey,
    proxies: &[Proxied],
    key: &Key,
    product: &Product,
    expected: &str,
) -> Vec<String> {
    let mut off = Vec::new();
    let mut note = |door: &str, status: u16, code: &str, right: u16| {
        if (status, code) != (right, expected) {
            off.push(format!(
                "{} ({}, {}) at {} by {door}: {status} {code}, not {right} {expected}",
                key.key_id, key.state, key.account, product.slug
            ));
        }
    };
    let by_slug = latchkey.code(&key.secret, &product.slug);
    note("verify with the slug", 200, &by_slug, 200);
    for route in &product.routes {
        let (host, path) = (route.some_host(), route.some_path());
        let facts = json!({"secret": key.secret, "host": host, "path": path, "method": "GET"});
        let verdict = latchkey.verdict(&facts);
        note(
            "verify with host and path",
            200,
            verdict["code"].as_str().unwrap(),
            200,
        );
        assert_eq!(verdict["valid"], json!(expected == "VALID"));

        let right = of(STATUS, expected);
        let answer = latchkey.authorize("GET", &host, &path, &key.secret);
        let code = answer.header("latchkey-verdict").unwrap_or("VALID");
        note("authorize", answer.status, code, right);

        for proxy in proxies {
            let answer = Ask::get(&path)
                .header("Host", &host)
                .header("X-API-Key", &key.secret)
                .send(&proxy.address);
            let reached = proxy.take_seen().len();
            let code = answer.header("latchkey-verdict").unwrap_or("VALID");
            note(&format!("{:?}", proxy.kind), answer.status, code, right);
            let fits = reached == usize::from(expected == "VALID");
            assert!(fits, "{reached} requests of {} reached the API", key.key_id);
        }
    }
    off
}

fn named<'a>(facts: &'a Facts, slugs: &'a [String]) -> impl Iterator<Item = &'a Product> {
    // A product that also asks for a bearer token says so first; its own tests send one.
    slugs
        .iter()
        .map(|slug| facts.product(slug))
        .filter(|product| !product.token)
}

#[test]
fn each_key_of_the_demo_gets_the_verdict_that_its_state_implies() {
    let (latchkey, facts) = Latchkey::demo();
    let proxies = Proxied::all(&latchkey.gate);
    let mut off = Vec::new();
    for key in &facts.keys {
        let product = named(&facts, &key.products)
            .next()
            .expect("a key has a product");
        off.extend(differing(&latchkey, &proxies, key, product, implied(key)));
    }
    assert!(off.is_empty(), "{}", off.join("\n"));
}

#[test]
fn each_plain_key_is_refused_at_each_product_that_it_lacks() {
    let (latchkey, facts) = Latchkey::demo();
    let proxies = Proxied::all(&latchkey.gate);
    let mut off = Vec::new();
    let mut asked = 0;
    for key in facts.keys.iter().filter(|key| key.is_plain()) {
        for product in facts
            .products
            .iter()
            .filter(|p| !key.products.contains(&p.slug))
        {
            asked += 1;
            let code = "PRODUCT_NOT_ASSIGNED";
            off.extend(differing(&latchkey, &proxies, key, product, code));
        }
    }
    assert!(off.is_empty(), "{}", off.join("\n"));
    assert!(
        asked > 10,
        "only {asked} pairs of a key and a product that it lacks"
    );
}

#[test]
fn the_demo_has_keys_in_every_state_that_it_promises() {
    let (_latchkey, facts) = Latchkey::demo();
    for state in [
        "active",
        "paused",
        "disabled",
        "expired",
        "retired",
        "deleted",
        "suspended",
    ] {
        facts.in_state(state);
    }
    assert!(facts.keys[0].is_plain());
    for key in &facts.keys {
        let person = facts.person(|p| p.account.as_deref() == Some(&key.account));
        assert!(["owner", "developer", "viewer"].contains(&person.role.as_str()));
    }
}
