//! The gate is a key oracle: without its token it answers nobody but health checks, where a token is demanded.

use crate::ask::{forwarded, request, send};
use crate::world::{World, digest};

const OLD: &str = "0123456789abcdef0123456789abcdef";
const NEW: &str = "fedcba9876543210fedcba9876543210";

#[test]
fn t_39_every_path_but_health_demands_the_token() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate_with(|settings| {
        settings.require_token = true;
        settings.gate_tokens = vec![digest(OLD), digest(NEW)];
    });
    for (method, path) in [
        ("POST", "/v1/verify"),
        ("POST", "/v1/verify/batch"),
        ("GET", "/v1/authorize"),
        ("GET", "/v1/authorize/maps/1"),
        ("GET", "/v1/nginx/authorize"),
        ("GET", "/v1/denied"),
        ("OPTIONS", "/v1/preflight"),
        ("GET", "/metrics"),
        ("GET", "/nowhere"),
    ] {
        for token in [None, Some(""), Some("junk"), Some(OLD.split_at(1).1)] {
            let mut asked = request(method, path).insert_header(("X-API-Key", key.secret()));
            if let Some(token) = token {
                asked = asked.insert_header(("Latchkey-Gate-Token", token));
            }
            let answer = send(&gate, asked);
            assert_eq!(answer.status, 401, "{method} {path} {token:?}");
            assert!(
                answer
                    .header("www-authenticate")
                    .starts_with("Latchkey-Gate-Token")
            );
        }
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(send(&gate, request("GET", path)).status, 200);
    }
    for token in [OLD, NEW] {
        let asked = forwarded("/v1/authorize")
            .insert_header(("X-API-Key", key.secret()))
            .insert_header(("Latchkey-Gate-Token", token));
        assert_eq!(send(&gate, asked).status, 200);
    }
}

#[test]
fn t_39_a_token_that_is_demanded_and_not_set_admits_nobody() {
    let world = World::new();
    let gate = world.gate_with(|settings| settings.require_token = true);
    let asked = request("GET", "/metrics").insert_header(("Latchkey-Gate-Token", OLD));
    assert_eq!(send(&gate, asked).status, 401);
}
