//! Server secrets that are sent where others can read them: seen whatever the verdict is, and kept for the key's page.

use latchkey::gate::Gate;
use latchkey::store::exposures::{self, Exposure};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::kind::KeyKind;
use serde_json::json;

use crate::ask::{forwarded, peer, request, send, verify};
use crate::world::{Made, Wanted, World};

/// What the store knows of the key: way and times.
fn exposed(world: &World, key_id: KeyId) -> Vec<(Exposure, i64)> {
    let scope = world.staff.clone();
    let read =
        move |r: &mut latchkey::store::Reader| exposures::of_key_for_staff(r, &scope, &key_id);
    let found = world.db.read_blocking(read).unwrap();
    found.iter().map(|one| (one.way, one.times)).collect()
}

/// A request with the key in its query, or in a header.
fn asks(
    gate: &Gate,
    key: &Made,
    path: &str,
    host: &'static str,
    proto: &'static str,
    in_query: bool,
) -> u16 {
    let uri = if in_query {
        format!("{path}?key={}", key.secret())
    } else {
        path.to_owned()
    };
    let mut asked = request("GET", "/v1/authorize")
        .insert_header(("X-Forwarded-Method", "GET"))
        .insert_header(("X-Forwarded-Host", host))
        .insert_header(("X-Forwarded-Uri", uri))
        .insert_header(("X-Forwarded-Proto", proto));
    if !in_query {
        asked = asked.insert_header(("X-API-Key", key.secret().to_owned()));
    }
    send(gate, asked).status
}

#[test]
fn a_servers_secret_in_a_url_or_on_an_open_line_is_noted() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    assert_eq!(
        asks(&gate, &key, "/maps/1", "api.example.com", "https", true),
        200
    );
    // Where the product takes no server's key from a query it is refused, and known to others all the same.
    assert_eq!(
        asks(
            &gate,
            &key,
            "/maps/routing",
            "api.example.com",
            "https",
            true
        ),
        401
    );
    for _ in 0..3 {
        assert_eq!(
            asks(&gate, &key, "/maps/1", "api.example.com", "http", false),
            200
        );
    }
    gate.stop();
    let both = [(Exposure::Url, 2), (Exposure::PlainHttp, 3)];
    assert_eq!(exposed(&world, key.key_id), both);
    // It is added to by whoever sees more.
    let gate = world.gate();
    asks(&gate, &key, "/maps/1", "api.example.com", "http", true);
    gate.stop();
    let both = [(Exposure::Url, 3), (Exposure::PlainHttp, 4)];
    assert_eq!(exposed(&world, key.key_id), both);
}

#[test]
fn what_others_cannot_read_and_what_is_public_anyway_is_not_noted() {
    let world = World::new();
    let key = world.plain_key();
    let browser = world.key(Wanted {
        kind: KeyKind::Browser,
        ..Wanted::default()
    });
    let gate = world.gate();
    asks(&gate, &browser, "/maps/1", "api.example.com", "http", true);
    asks(&gate, &key, "/maps/1", "api.example.com", "https", false);
    asks(&gate, &key, "/maps/1", "localhost:8080", "http", false);
    // Somebody who is no proxy of ours says what they like.
    let stranger = forwarded("/v1/authorize")
        .peer_addr(peer("203.0.113.9:1"))
        .insert_header(("X-Forwarded-Proto", "http"))
        .insert_header(("X-API-Key", key.secret().to_owned()));
    send(&gate, stranger);
    verify(
        &gate,
        &json!({"secret": key.secret(), "product": "maps", "dry_run": true}),
    );
    gate.stop();
    assert_eq!(exposed(&world, key.key_id), []);
    assert_eq!(exposed(&world, browser.key_id), []);
}
