//! Keys that are bound to domains and addresses, at every door: what the entry says is what is let in (T-47, T-48).

use actix_web::test::TestRequest;
use serde_json::json;

use crate::ask::{forwarded, peer, request, send, verify};
use crate::world::{Made, Wanted, World};

fn with(asked: TestRequest, key: &Made) -> TestRequest {
    asked.insert_header(("X-API-Key", key.secret().to_owned()))
}

#[test]
fn t_47_a_key_with_domains_opens_for_their_pages_alone() {
    let world = World::new();
    let key = world.key(Wanted {
        domains: vec!["shop.example.com", "*.preview.example.com"],
        ..Wanted::default()
    });
    let gate = world.gate();
    let table: [(&[(&str, &str)], bool); 10] = [
        (&[("Origin", "https://shop.example.com")], true),
        (&[("Origin", "https://a.b.preview.example.com:8443")], true),
        (&[("Referer", "https://shop.example.com/cart?x=1")], true),
        (&[("Origin", "https://shop.example.com.evil.net")], false),
        (&[("Origin", "null")], false),
        (
            &[("Origin", "null"), ("Referer", "https://shop.example.com/")],
            false,
        ),
        (
            &[
                ("Origin", "https://evil.net"),
                ("Referer", "https://shop.example.com/"),
            ],
            false,
        ),
        (&[("Referer", "https://evil.net/shop.example.com")], false),
        (&[("Origin", "\u{e9}")], false),
        (&[], false),
    ];
    for (headers, opens) in table {
        let asked = headers
            .iter()
            .fold(with(forwarded("/v1/authorize"), &key), |asked, header| {
                asked.insert_header((header.0, header.1.as_bytes()))
            });
        let answer = send(&gate, asked);
        let expected = if opens {
            (200, "VALID")
        } else {
            (403, "ORIGIN_NOT_ALLOWED")
        };
        let met = if answer.status == 200 {
            (200, "VALID")
        } else {
            answer.verdict()
        };
        assert_eq!(met, expected, "{headers:?}");
        let mut body = json!({"secret": key.secret(), "product": "maps"});
        for (name, value) in headers {
            body[name.to_lowercase()] = json!(value);
        }
        assert_eq!(verify(&gate, &body)["code"], expected.1, "{body}");
    }
    let said = verify(&gate, &json!({"secret": key.secret(), "product": "maps"}));
    assert!(
        said["message"]
            .as_str()
            .unwrap()
            .contains("neither Origin nor Referer")
    );
}

#[test]
fn t_48_a_key_with_addresses_opens_for_them_alone() {
    let world = World::new();
    let key = world.key(Wanted {
        ips: vec!["192.0.2.0/24", "2001:db8::/32"],
        ..Wanted::default()
    });
    let gate = world.gate();
    let table = [
        ("127.0.0.1:1", Some("192.0.2.7"), true),
        ("127.0.0.1:1", Some("2001:db8::7"), true),
        ("127.0.0.1:1", Some("::ffff:192.0.2.7"), true),
        ("127.0.0.1:1", Some("203.0.113.1, 192.0.2.7"), true),
        ("127.0.0.1:1", Some("192.0.2.7, 203.0.113.1"), false),
        ("127.0.0.1:1", Some("192.0.2.7, junk"), false),
        ("127.0.0.1:1", Some("192.0.3.7"), false),
        ("127.0.0.1:1", None, false),
        // Nobody that is not trusted says where a request comes from.
        ("198.51.100.1:1", Some("192.0.2.7"), false),
        ("192.0.2.9:1", Some("198.51.100.1"), true),
    ];
    for (from, forwarded_for, opens) in table {
        let asked = with(request("GET", "/v1/authorize/maps/1"), &key)
            .peer_addr(peer(from))
            .insert_header(("Host", "api.example.com"));
        let asked = match forwarded_for {
            Some(line) => asked.insert_header(("X-Forwarded-For", line)),
            None => asked,
        };
        let answer = send(&gate, asked);
        let met = if answer.status == 200 {
            "VALID"
        } else {
            answer.verdict().1
        };
        let expected = if opens { "VALID" } else { "IP_NOT_ALLOWED" };
        assert_eq!(met, expected, "{from} {forwarded_for:?}");
    }
    let ask = |ip: Option<&str>| {
        let body = json!({"secret": key.secret(), "product": "maps", "ip": ip.unwrap_or_default()});
        verify(&gate, &body)["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(ask(Some("192.0.2.255")), "VALID");
    assert_eq!(ask(Some("192.0.3.0")), "IP_NOT_ALLOWED");
    assert_eq!(ask(None), "IP_NOT_ALLOWED");
}

#[test]
fn a_key_with_scopes_opens_their_paths_alone_at_every_door() {
    let world = World::new();
    let key = world.key(Wanted {
        products: vec!["maps", "routing"],
        scopes: vec!["maps:places"],
        ..Wanted::default()
    });
    let gate = world.gate();
    for (path, code) in [
        ("/maps/places/7", "VALID"),
        ("/maps/names", "VALID"),
        ("/maps/streets/1", "ACCESS_NOT_ALLOWED"),
        ("/maps", "ACCESS_NOT_ALLOWED"),
        ("/maps/placesx", "ACCESS_NOT_ALLOWED"),
        ("/maps/routing/x", "VALID"),
    ] {
        let asked = with(request("GET", "/v1/authorize"), &key)
            .insert_header(("X-Forwarded-Host", "api.example.com"))
            .insert_header(("X-Forwarded-Uri", path));
        let asked = send(&gate, asked);
        let met = if asked.status == 200 {
            "VALID"
        } else {
            asked.verdict().1
        };
        assert_eq!(met, code, "{path}");
        let body = json!({"secret": key.secret(), "host": "api.example.com", "path": path});
        assert_eq!(verify(&gate, &body)["code"], code, "{path}");
    }
    // Without a path nobody knows which part is asked for.
    let said = verify(&gate, &json!({"secret": key.secret(), "product": "maps"}));
    assert_eq!(said["code"], "ACCESS_NOT_ALLOWED");
    assert_eq!(
        said["message"],
        "This API key is good for places of maps, and the request names no path."
    );
}

#[test]
fn a_scope_that_a_product_lost_opens_nothing_and_one_that_it_got_opens_again() {
    let world = World::new();
    let key = world.key(Wanted {
        scopes: vec!["maps:places"],
        ..Wanted::default()
    });
    let gate = world.gate();
    let body = json!({"secret": key.secret(), "host": "api.example.com", "path": "/maps/places"});
    assert_eq!(verify(&gate, &body)["code"], "VALID");
    drop(gate);
    world.sql("UPDATE product_scopes SET slug = 'elsewhere' WHERE slug = 'places'");
    assert_eq!(verify(&world.gate(), &body)["code"], "ACCESS_NOT_ALLOWED");
    world.sql("UPDATE product_scopes SET slug = 'places' WHERE slug = 'elsewhere'");
    assert_eq!(verify(&world.gate(), &body)["code"], "VALID");
}
