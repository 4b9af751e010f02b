//! Preflights: what a page from elsewhere may ask for, before it does.

use actix_web::test::TestRequest;

use crate::ask::{forwarded, request, send};
use crate::world::World;

fn preflight(endpoint: &str, uri: &str) -> TestRequest {
    forwarded(endpoint)
        .insert_header(("X-Forwarded-Method", "OPTIONS"))
        .insert_header(("X-Forwarded-Uri", uri.to_owned()))
        .insert_header(("Origin", "https://example.com"))
        .insert_header(("Access-Control-Request-Method", "PUT"))
        .insert_header(("Access-Control-Request-Headers", "x-api-key, x-trace"))
}

#[test]
fn a_preflight_is_judged_by_its_product_alone() {
    let world = World::new();
    let gate = world.gate();
    for (uri, status, verdict) in [
        ("/maps/1", 204, ""),
        ("/nowhere", 403, "PRODUCT_UNKNOWN"),
        ("/maps/%2f", 403, "PATH_AMBIGUOUS"),
    ] {
        let answer = send(&gate, preflight("/v1/preflight", uri));
        assert_eq!(answer.verdict(), (status, verdict));
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "https://example.com"
        );
        assert_eq!(answer.header("vary"), "Origin");
        assert!(answer.header("access-control-allow-credentials").is_empty());
    }
    let allowed = send(&gate, preflight("/v1/preflight", "/maps/1"));
    assert!(
        allowed
            .header("access-control-allow-headers")
            .contains("x-trace")
    );
    assert!(
        allowed
            .header("access-control-allow-methods")
            .contains("PUT")
    );
    let below =
        request("OPTIONS", "/v1/preflight/maps/1").insert_header(("Host", "api.example.com"));
    assert_eq!(
        send(
            &gate,
            below.insert_header(("Origin", "https://example.com"))
        )
        .status,
        204
    );
}

#[test]
fn a_preflight_in_nginxs_form_is_a_403_that_says_204() {
    let world = World::new();
    let gate = world.gate();
    let answer = send(&gate, preflight("/v1/nginx/authorize", "/maps/1"));
    assert_eq!(
        (answer.status, answer.header("latchkey-status")),
        (403, "204")
    );
    let answer = send(&gate, preflight("/v1/nginx/authorize", "/nowhere"));
    assert_eq!(
        (answer.status, answer.header("latchkey-status")),
        (403, "403")
    );
}

#[test]
fn authorize_never_lets_a_keyless_options_through() {
    let world = World::new();
    let gate = world.gate();
    assert_eq!(
        send(&gate, preflight("/v1/authorize", "/maps/1")).verdict(),
        (401, "KEY_MISSING")
    );
    let own = request("OPTIONS", "/v1/authorize/maps/1").insert_header(("Host", "api.example.com"));
    assert_eq!(send(&gate, own).verdict(), (401, "KEY_MISSING"));
}
