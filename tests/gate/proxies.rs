//! Who is believed about the request at the proxy's door (T-40, T-41, F-6).

use actix_web::test::TestRequest;
use latchkey_rules::code::Code;
use proptest::prelude::*;

use crate::ask::{forwarded, peer, request, send};
use crate::world::{Made, World};

fn with(asked: TestRequest, key: &Made) -> TestRequest {
    asked.insert_header(("X-API-Key", key.secret().to_owned()))
}

#[test]
fn t_41_only_a_trusted_peer_says_what_is_asked() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    for (from, status) in [
        ("127.0.0.1:1", 200),
        ("[::1]:1", 200),
        ("[::ffff:127.0.0.1]:1", 200),
        ("127.0.0.2:1", 400),
        ("10.0.0.1:1", 400),
        ("[2001:db8::1]:1", 400),
    ] {
        let answer = send(
            &gate,
            with(forwarded("/v1/authorize"), &key).peer_addr(peer(from)),
        );
        assert_eq!(answer.status, status, "{from}");
    }
    let wider =
        world.gate_with(|settings| settings.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()]);
    let from = |gate, from| {
        send(
            gate,
            with(forwarded("/v1/authorize"), &key).peer_addr(peer(from)),
        )
        .status
    };
    assert_eq!(
        (from(&wider, "10.9.8.7:1"), from(&wider, "127.0.0.1:1")),
        (200, 400)
    );
}

#[test]
fn t_41_a_unix_socket_is_trusted_by_its_own_setting() {
    let world = World::new();
    let key = world.plain_key();
    let asked = || {
        TestRequest::with_uri("/v1/authorize")
            .insert_header(("Host", "gate.internal"))
            .insert_header(("X-Forwarded-Host", "api.example.com"))
            .insert_header(("X-Forwarded-Uri", "/maps/1"))
    };
    assert_eq!(send(&world.gate(), with(asked(), &key)).status, 200);
    let closed = world.gate_with(|settings| settings.unix_trusted = false);
    assert_eq!(
        send(&closed, with(asked(), &key)).verdict(),
        (400, "REQUEST_INVALID")
    );
}

#[test]
fn t_41_a_program_may_ask_by_the_path_below_from_anywhere() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    let below = |uri: &str| {
        with(request("GET", uri).peer_addr(peer("10.0.0.1:1")), &key)
            .insert_header(("Host", "api.example.com"))
    };
    let answer = send(&gate, below("/v1/authorize/maps/1?a=1&key=x&b=2"));
    assert_eq!(
        (answer.status, answer.header("latchkey-uri")),
        (200, "/maps/1?a=1&b=2")
    );
    assert_eq!(
        send(&gate, below("/v1/authorize")).verdict(),
        (400, "REQUEST_INVALID")
    );
    assert_eq!(
        send(&gate, below("/v1/authorize?uri=/maps/1")).verdict(),
        (400, "REQUEST_INVALID")
    );
}

#[test]
fn t_41_spoofs_are_refused() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    let base = || with(forwarded("/v1/authorize"), &key);
    for (what, asked) in [
        (
            "two URIs",
            base().append_header(("X-Forwarded-Uri", "/maps/1")),
        ),
        (
            "two hosts",
            base().append_header(("X-Forwarded-Host", "api.example.com")),
        ),
        (
            "two methods",
            base().append_header(("X-Forwarded-Method", "GET")),
        ),
        (
            "a twin",
            base().insert_header(("X_Forwarded_Uri", "/maps/1")),
        ),
        (
            "half a twin",
            base().insert_header(("X-Forwarded_Host", "api.example.com")),
        ),
        (
            "a twin of the method",
            base().insert_header(("X_Forwarded-Method", "GET")),
        ),
        (
            "a list of hosts",
            base().insert_header(("X-Forwarded-Host", "api.example.com, evil.example.com")),
        ),
        ("no path", base().insert_header(("X-Forwarded-Uri", "maps"))),
        (
            "a whole URL",
            base().insert_header(("X-Forwarded-Uri", "https://api.example.com/maps/1")),
        ),
        (
            "an empty host",
            base().insert_header(("X-Forwarded-Host", "")),
        ),
        (
            "a method with a space",
            base().insert_header(("X-Forwarded-Method", "GET /")),
        ),
        ("two targets", with(forwarded("/v1/authorize/search"), &key)),
    ] {
        assert_eq!(
            send(&gate, asked).verdict(),
            (400, "REQUEST_INVALID"),
            "{what}"
        );
    }
    let agreeing = with(forwarded("/v1/authorize/maps/1"), &key);
    assert_eq!(send(&gate, agreeing).status, 200);
}

#[test]
fn t_41_no_setting_comes_from_the_endpoints_own_query() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    let asked = with(
        forwarded("/v1/authorize?product=search&method=PURGE&host=x&key=junk&uri=/search"),
        &key,
    );
    let answer = send(&gate, asked);
    assert_eq!(
        (answer.status, answer.header("latchkey-uri")),
        (200, "/maps/1")
    );
}

#[test]
fn t_45_method_overrides_are_ignored() {
    let world = World::new();
    let key = world.key(crate::world::Wanted {
        access: latchkey_rules::access::Access::Read,
        ..crate::world::Wanted::default()
    });
    let gate = world.gate();
    for header in [
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X-Original-Method",
    ] {
        let asked = with(forwarded("/v1/authorize"), &key)
            .insert_header(("X-Forwarded-Method", "DELETE"))
            .insert_header((header, "GET"));
        assert_eq!(
            send(&gate, asked).verdict(),
            (403, "ACCESS_NOT_ALLOWED"),
            "{header}"
        );
    }
}

#[test]
fn t_40_the_forwarded_for_lines_may_repeat() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    let asked = with(forwarded("/v1/authorize"), &key)
        .append_header(("X-Forwarded-For", "192.0.2.1"))
        .append_header(("X-Forwarded-For", "junk, 192.0.2.2"));
    assert_eq!(send(&gate, asked).status, 200);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn f_6_any_forward_auth_request_gets_a_listed_code_and_only_a_live_key_an_allow(
        uri in prop_oneof!["[ -~]{0,40}", "/maps[/.;%a-f0-9?&=]{0,20}", Just("/maps/1".to_owned())],
        host in prop_oneof!["[ -~]{0,20}", Just("api.example.com".to_owned())],
        method in prop_oneof!["[!-~]{0,8}", Just("GET".to_owned())],
        key in prop_oneof!["[ -~]{0,60}", "lk_live_[0-9A-Za-z]{49}", Just("live".to_owned()), Just(String::new())],
        below in prop_oneof![Just(String::new()), "/[a-z/.;%0-9]{0,10}"],
    ) {
        thread_local! {
            static GATE: (World, Made, latchkey::gate::Gate) = {
                let world = World::new();
                let key = world.plain_key();
                let gate = world.gate();
                (world, key, gate)
            };
        }
        GATE.with(|(_world, live, gate)| {
            let secret = if key == "live" { live.secret() } else { &key };
            let endpoint = format!("/v1/authorize{below}");
            prop_assume!(endpoint.parse::<actix_web::http::Uri>().is_ok());
            let asked = request("GET", &endpoint)
                .insert_header(("X-Forwarded-Uri", uri.clone()))
                .insert_header(("X-Forwarded-Host", host.clone()))
                .insert_header(("X-Forwarded-Method", method.clone()))
                .insert_header(("X-API-Key", secret.to_owned()));
            let answer = send(gate, asked);
            if answer.status == 200 {
                prop_assert_eq!(&key, "live");
                prop_assert!(answer.header("latchkey-uri").starts_with('/'));
            } else {
                let code = Code::ALL.iter().find(|code| code.as_str() == answer.header("latchkey-verdict"));
                prop_assert_eq!(code.map(|code| code.http_status()), Some(answer.status));
            }
            Ok(())
        })?;
    }
}
