//! Who calls: told apart by page or network and by program, for requests that are let through and for those that are not.

use latchkey::gate::Gate;
use latchkey::store::callers::Caller;
use latchkey_rules::caller::AddressDetail;
use serde_json::json;

use crate::ask::{forwarded, request, send, verify};
use crate::world::{Made, World, eventually};

/// Place, agent, allowed, refused.
fn told(callers: &[Caller]) -> Vec<(String, &str, i64, i64)> {
    callers
        .iter()
        .map(|one| {
            (
                one.place.to_string(),
                one.agent.as_str(),
                one.allowed,
                one.refused,
            )
        })
        .collect()
}

fn authorize(gate: &Gate, key: &Made, headers: &[(&'static str, &'static str)]) {
    let mut asked =
        forwarded("/v1/authorize").insert_header(("X-API-Key", key.secret().to_owned()));
    for header in headers {
        asked = asked.insert_header(*header);
    }
    send(gate, asked);
}

#[test]
fn callers_are_told_by_page_or_network_and_program() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    let page = ("Origin", "https://shop.example");
    let chrome = (
        "User-Agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    );
    for _ in 0..3 {
        authorize(&gate, &key, &[page, chrome]);
    }
    authorize(
        &gate,
        &key,
        &[
            ("X-Forwarded-For", "203.0.113.40"),
            ("User-Agent", "axios/1.7.2"),
        ],
    );
    authorize(
        &gate,
        &key,
        &[
            ("X-Forwarded-For", "203.0.113.99"),
            ("User-Agent", "axios/1.7.9"),
        ],
    );
    let asked = json!({
        "secret": key.secret(), "product": "mars", "ip": "2001:db8:7:8::9", "user_agent": "curl/8.5.0",
    });
    verify(&gate, &asked);
    gate.stop();
    let found = world.callers(key.key_id);
    assert_eq!(
        told(&found),
        [
            ("https://shop.example".to_owned(), "Chrome", 3, 0),
            ("203.0.113.0/24".to_owned(), "axios/1.7", 2, 0),
            ("2001:db8:7::/48".to_owned(), "curl/8.5", 0, 1),
        ]
    );
    assert_eq!(found.first().unwrap().products, ["maps"]);
    assert_eq!(found.last().unwrap().products, [""; 0]);
}

#[test]
fn trials_have_no_callers_and_a_secret_in_a_user_agent_is_not_kept() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    let mut asked = json!({"secret": key.secret(), "product": "maps", "dry_run": true});
    verify(&gate, &asked);
    asked = json!({"secret": key.secret(), "product": "maps", "user_agent": key.secret()});
    verify(&gate, &asked);
    gate.stop();
    let found = world.callers(key.key_id);
    assert_eq!(told(&found), [(String::new(), "unnamed", 1, 0)]);
}

#[test]
fn addresses_are_kept_as_the_operator_says() {
    for (detail, place) in [
        (AddressDetail::Network, "203.0.113.0/24"),
        (AddressDetail::Full, "203.0.113.40/32"),
        (AddressDetail::Nothing, ""),
    ] {
        let world = World::new();
        let key = world.plain_key();
        let gate = world.gate_with(|settings| settings.address_detail = detail);
        authorize(&gate, &key, &[("X-Forwarded-For", "203.0.113.40")]);
        gate.stop();
        let found = world.callers(key.key_id);
        assert_eq!(told(&found), [(place.to_owned(), "", 1, 0)]);
    }
}

#[test]
fn callers_show_while_the_gate_runs_and_when_nothing_new_comes() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    authorize(&gate, &key, &[]);
    eventually("the caller is known", || {
        world.callers(key.key_id).len() == 1
    });
    let page = send(&gate, request("GET", "/metrics")).body;
    assert!(page.contains("\nlatchkey_meter_callers_missed_total 0\n"));
}
