//! The JSON of verify and batch: every field, always, in its form.

use latchkey::store::keys::ImportedState;
use serde_json::{Value, json};

use crate::ask::{request, send, verify};
use crate::world::{START, Wanted, World};

/// The fields of every verdict.
const FIELDS: [&str; 14] = [
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
    "access_checked",
];

fn fields(verdict: &Value) -> Vec<&str> {
    verdict
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// What is said where nothing is limited.
fn unlimited() -> Value {
    let nothing = |name| json!({"name": name, "limit": null, "remaining": null, "reset": null});
    ["second", "minute", "day"].map(nothing).into()
}

#[test]
fn a_verdict_has_every_field() {
    let world = World::new();
    let key = world.key(Wanted {
        state: ImportedState {
            expires_at: Some(START.plus_secs(86_400)),
            ..ImportedState::default()
        },
        secrets: vec![Some(START.plus_secs(3_600)), None],
        ..Wanted::default()
    });
    let gate = world.gate();
    let mut old = verify(
        &gate,
        &json!({"secret": key.secrets[0], "host": "api.example.com", "path": "/maps/1"}),
    );
    assert!(old["request_id"].as_str().unwrap().starts_with("req_"));
    assert!(!old["message"].as_str().unwrap().is_empty());
    old["request_id"] = Value::Null;
    old["message"] = Value::Null;
    assert_eq!(
        old,
        json!({
            "valid": true, "code": "VALID", "message": null, "key_id": key.key_id.to_string(), "secret_number": 1,
            "account": "acme", "environment": "live", "product": "maps", "access": "write", "limits": unlimited(),
            "expires_at": "2026-11-22T10:15:00Z", "retires_at": "2026-11-21T11:15:00Z", "request_id": null,
        })
    );
    let new = verify(&gate, &json!({"secret": key.secret(), "product": "maps"}));
    assert_eq!(
        (&new["secret_number"], &new["retires_at"]),
        (&json!(2), &Value::Null)
    );
    assert_eq!(new["access_checked"], "method");
}

#[test]
fn a_refusal_has_every_field_too() {
    let world = World::new();
    let key = world.key(Wanted {
        products: vec!["tiles"],
        ..Wanted::default()
    });
    let gate = world.gate();
    for body in [
        json!({}),
        json!({"secret": "junk"}),
        json!({"secret": key.secret(), "product": "maps"}),
    ] {
        let verdict = verify(&gate, &body);
        assert_eq!(verdict["valid"], false);
        let expected: Vec<&str> = FIELDS
            .into_iter()
            .filter(|field| *field != "access_checked")
            .collect();
        let mut found = fields(&verdict);
        found.sort_unstable();
        let mut sorted = expected;
        sorted.sort_unstable();
        assert_eq!(found, sorted);
    }
    let refused = verify(&gate, &json!({"secret": key.secret(), "product": "maps"}));
    assert_eq!(
        (&refused["product"], &refused["account"]),
        (&json!("maps"), &json!("acme"))
    );
}

#[test]
fn every_fact_of_the_protocol_is_taken() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    let all = json!({
        "secret": key.secret(), "product": "maps", "host": "api.example.com", "path": "/maps/1", "method": "GET",
        "origin": "https://example.com", "referer": "https://example.com/x", "ip": "192.0.2.7", "country": "DE",
        "user_agent": "curl/8", "token": "a.b.c", "cost": 3, "dry_run": false,
    });
    assert_eq!(verify(&gate, &all)["code"], "VALID");
    let nulls = json!({"secret": key.secret(), "product": "maps", "host": null, "path": null, "method": null, "cost": null, "dry_run": null});
    assert_eq!(verify(&gate, &nulls)["code"], "VALID");
}

#[test]
fn a_missing_key_is_said_so() {
    let world = World::new();
    let gate = world.gate();
    for body in [
        json!({"product": "maps"}),
        json!({"secret": null}),
        json!({"secret": ""}),
    ] {
        assert_eq!(verify(&gate, &body)["code"], "KEY_MISSING");
    }
}

#[test]
fn the_only_product_of_an_installation_need_not_be_named() {
    let world = World::new();
    world.sql("DELETE FROM product_routes; DELETE FROM product_admin_prefixes; DELETE FROM products WHERE slug <> 'maps';");
    let key = world.plain_key();
    let gate = world.gate();
    assert_eq!(
        verify(&gate, &json!({"secret": key.secret()}))["code"],
        "VALID"
    );
    assert_eq!(
        verify(&gate, &json!({"secret": key.secret(), "path": "/x"}))["code"],
        "VALID"
    );
}

#[test]
fn a_batch_is_answered_in_its_order() {
    let world = World::new();
    let (one, two) = (
        world.plain_key(),
        world.key(Wanted {
            products: vec!["tiles"],
            ..Wanted::default()
        }),
    );
    let gate = world.gate();
    let questions: Vec<Value> = (0..1_000)
        .map(|place| match place % 4 {
            0 => json!({"secret": one.secret(), "product": "maps"}),
            1 => json!({"secret": two.secret(), "product": "maps"}),
            2 => json!({"secret": "junk"}),
            _ => json!({}),
        })
        .collect();
    let answer = send(
        &gate,
        request("POST", "/v1/verify/batch").set_payload(json!({"requests": questions}).to_string()),
    );
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "application/json")
    );
    let answer = answer.json();
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), 1_000);
    let codes = [
        "VALID",
        "PRODUCT_NOT_ASSIGNED",
        "KEY_MALFORMED",
        "KEY_MISSING",
    ];
    for (place, result) in results.iter().enumerate() {
        assert_eq!(result["code"], codes[place % 4], "at place {place}");
    }
    let empty = send(
        &gate,
        request("POST", "/v1/verify/batch").set_payload("{\"requests\":[]}"),
    );
    assert_eq!(empty.json(), json!({"results": []}));
}
