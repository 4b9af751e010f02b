//! Every code, and which of two comes first.

use latchkey::gate::VerdictText;
use latchkey::store::keys::{Disabled, ImportedState};
use latchkey_rules::access::Access;
use latchkey_rules::code::Code;
use latchkey_rules::environment::Environment;
use serde_json::{Value, json};

use crate::ask::{code, forwarded, request, send, verify};
use crate::world::{START, Wanted, World, looked_at_the_log};

fn state(set: impl FnOnce(&mut ImportedState)) -> Wanted {
    let mut state = ImportedState::default();
    set(&mut state);
    Wanted {
        state,
        ..Wanted::default()
    }
}

#[test]
fn each_state_of_a_key_has_its_code() {
    let world = World::new();
    let past = START.plus_secs(-60);
    let made = [
        ("VALID", Wanted::default()),
        (
            "VALID",
            state(|state| state.expires_at = Some(START.plus_secs(60))),
        ),
        ("KEY_EXPIRED", state(|state| state.expires_at = Some(START))),
        ("KEY_EXPIRED", state(|state| state.expires_at = Some(past))),
        (
            "KEY_NOT_FOUND",
            state(|state| state.deleted_at = Some(past)),
        ),
        ("KEY_DISABLED", state(|state| state.paused_at = Some(past))),
        (
            "KEY_DISABLED",
            state(|state| {
                state.paused_at = Some(past);
                state.paused_until = Some(START.plus_secs(60));
            }),
        ),
        (
            "VALID",
            state(|state| {
                state.paused_at = Some(past);
                state.paused_until = Some(START);
            }),
        ),
        (
            "SECRET_RETIRED",
            Wanted {
                secrets: vec![Some(past)],
                ..Wanted::default()
            },
        ),
        (
            "VALID",
            Wanted {
                secrets: vec![Some(START.plus_secs(60))],
                ..Wanted::default()
            },
        ),
        (
            "ORIGIN_NOT_ALLOWED",
            Wanted {
                domains: vec!["example.com"],
                ..Wanted::default()
            },
        ),
        (
            "IP_NOT_ALLOWED",
            Wanted {
                ips: vec!["192.0.2.0/24"],
                ..Wanted::default()
            },
        ),
        (
            "PRODUCT_NOT_ASSIGNED",
            Wanted {
                products: vec!["tiles"],
                ..Wanted::default()
            },
        ),
        (
            "PRODUCT_NOT_ASSIGNED",
            Wanted {
                products: vec![],
                ..Wanted::default()
            },
        ),
    ];
    let made = made.map(|(expected, wanted)| (expected, format!("{wanted:?}"), world.key(wanted)));
    let gate = world.gate();
    for (expected, wanted, key) in made {
        assert_eq!(code(&gate, key.secret(), "maps"), expected, "{wanted}");
    }
}

#[test]
fn disabled_and_paused_are_one_code_with_two_messages() {
    let world = World::new();
    let paused = world.key(state(|state| state.paused_at = Some(START)));
    let disabled = world.plain_key();
    world.disable(disabled.key_id);
    let gate = world.gate();
    let said = |secret: &str| verify(&gate, &json!({"secret": secret, "product": "maps"}));
    let (paused, disabled) = (said(paused.secret()), said(disabled.secret()));
    assert_eq!(
        (&paused["code"], &disabled["code"]),
        (&json!("KEY_DISABLED"), &json!("KEY_DISABLED"))
    );
    assert!(paused["message"].as_str().unwrap().contains("paused"));
    assert_ne!(paused["message"], disabled["message"]);
}

#[test]
fn what_is_asked_for_decides_after_the_key() {
    let world = World::new();
    let maps = world.key(Wanted {
        access: Access::Read,
        ..Wanted::default()
    });
    let all = world.key(Wanted {
        products: vec!["maps", "routing", "tiles", "search"],
        access: Access::Admin,
        ..Wanted::default()
    });
    let gate = world.gate();
    for (expected, key, asked) in [
        ("VALID", &maps, json!({"product": "maps"})),
        (
            "VALID",
            &maps,
            json!({"host": "api.example.com", "path": "/maps/1"}),
        ),
        (
            "VALID",
            &maps,
            json!({"host": "API.example.com.:443", "path": "/maps"}),
        ),
        (
            "VALID",
            &maps,
            json!({"product": "maps", "host": "api.example.com", "path": "/maps/1?x=/../y"}),
        ),
        (
            "VALID",
            &maps,
            json!({"product": "maps", "path": "/maps/1", "method": "HEAD"}),
        ),
        ("PRODUCT_UNKNOWN", &maps, json!({})),
        ("PRODUCT_UNKNOWN", &maps, json!({"path": "/maps/1"})),
        ("PRODUCT_UNKNOWN", &maps, json!({"product": "mars"})),
        ("PRODUCT_UNKNOWN", &maps, json!({"host": "api.example.com"})),
        (
            "PRODUCT_UNKNOWN",
            &maps,
            json!({"host": "api.example.com", "path": "/mapsx"}),
        ),
        (
            "PRODUCT_UNKNOWN",
            &maps,
            json!({"host": "elsewhere.example.com", "path": "/maps"}),
        ),
        (
            "PRODUCT_UNKNOWN",
            &maps,
            json!({"product": "maps", "host": "api.example.com", "path": "/search"}),
        ),
        (
            "PRODUCT_NOT_ASSIGNED",
            &maps,
            json!({"host": "api.example.com", "path": "/maps/routing/1"}),
        ),
        (
            "ACCESS_NOT_ALLOWED",
            &maps,
            json!({"product": "maps", "method": "POST"}),
        ),
        (
            "ACCESS_NOT_ALLOWED",
            &maps,
            json!({"product": "maps", "path": "/maps/admin/x"}),
        ),
        (
            "PATH_AMBIGUOUS",
            &maps,
            json!({"product": "maps", "path": "/maps/%2fadmin"}),
        ),
        (
            "PATH_AMBIGUOUS",
            &maps,
            json!({"host": "api.example.com", "path": "/maps/../search"}),
        ),
        (
            "VALID",
            &all,
            json!({"host": "a.b.tiles.example.com", "path": "/"}),
        ),
        (
            "PRODUCT_UNKNOWN",
            &all,
            json!({"host": "tiles.example.com", "path": "/"}),
        ),
        (
            "VALID",
            &all,
            json!({"host": "api.example.com", "path": "/maps/admin", "method": "PURGE"}),
        ),
        (
            "ENVIRONMENT_NOT_ALLOWED",
            &all,
            json!({"host": "staging.example.com", "path": "/search"}),
        ),
    ] {
        let mut body = asked.clone();
        body["secret"] = json!(key.secret());
        assert_eq!(verify(&gate, &body)["code"], json!(expected), "{asked}");
    }
}

#[test]
fn an_environment_is_judged_by_the_host() {
    let world = World::new();
    let staging = world.key(Wanted {
        products: vec!["search"],
        environment: Environment::Staging,
        ..Wanted::default()
    });
    let gate = world.gate();
    let body =
        json!({"secret": staging.secret(), "host": "staging.example.com", "path": "/search"});
    assert_eq!(verify(&gate, &body)["code"], "VALID");
}

#[test]
fn t_45_a_method_nobody_knows_needs_admin_access_and_case_counts() {
    let world = World::new();
    let write = world.plain_key();
    let admin = world.key(Wanted {
        access: Access::Admin,
        ..Wanted::default()
    });
    let gate = world.gate();
    for method in ["PURGE", "get", "PROPFIND", "CONNECT", "X"] {
        let ask = |secret: &str| {
            verify(
                &gate,
                &json!({"secret": secret, "product": "maps", "method": method}),
            )["code"]
                .clone()
        };
        assert_eq!(ask(write.secret()), "ACCESS_NOT_ALLOWED", "{method}");
        assert_eq!(ask(admin.secret()), "VALID", "{method}");
    }
}

#[test]
fn a_suspended_account_refuses_all_its_keys() {
    let world = World::new();
    let (ours, theirs) = (
        world.plain_key(),
        world.key(Wanted {
            account: "other",
            ..Wanted::default()
        }),
    );
    world.suspend("other");
    let gate = world.gate();
    assert_eq!(code(&gate, theirs.secret(), "maps"), "ACCOUNT_SUSPENDED");
    assert_eq!(code(&gate, ours.secret(), "maps"), "VALID");
}

type Wrong = Box<dyn Fn(&mut Wanted)>;

#[test]
fn the_first_check_that_fails_names_the_verdict() {
    let world = World::new();
    let past = START.plus_secs(-60);
    // Everything is wrong with this key; what is mended first is what was said first.
    let mut wrongs: Vec<(&str, Wrong)> = vec![
        (
            "SECRET_RETIRED",
            Box::new(move |wanted| wanted.secrets = vec![Some(past)]),
        ),
        (
            "KEY_EXPIRED",
            Box::new(move |wanted| wanted.state.expires_at = Some(past)),
        ),
        (
            "KEY_DISABLED",
            Box::new(move |wanted| {
                wanted.state.disabled = Some(Disabled {
                    at: past,
                    by: "a test".to_owned(),
                    reason: "a test".to_owned(),
                    by_policy: false,
                });
            }),
        ),
        (
            "ACCOUNT_SUSPENDED",
            Box::new(|wanted| wanted.account = "other"),
        ),
        (
            "PRODUCT_NOT_ASSIGNED",
            Box::new(|wanted| wanted.products = vec!["tiles"]),
        ),
        (
            "ACCESS_NOT_ALLOWED",
            Box::new(|wanted| wanted.access = Access::Read),
        ),
        (
            "ORIGIN_NOT_ALLOWED",
            Box::new(|wanted| wanted.domains = vec!["example.com"]),
        ),
        (
            "IP_NOT_ALLOWED",
            Box::new(|wanted| wanted.ips = vec!["192.0.2.1/32"]),
        ),
    ];
    world.suspend("other");
    let mut made = Vec::new();
    while !wrongs.is_empty() {
        let mut wanted = Wanted::default();
        for (_, wrong) in &wrongs {
            wrong(&mut wanted);
        }
        made.push((wrongs.remove(0).0, world.key(wanted)));
    }
    made.push(("VALID", world.plain_key()));
    let gate = world.gate();
    for (expected, key) in made {
        let verdict = verify(
            &gate,
            &json!({"secret": key.secret(), "product": "maps", "method": "POST"}),
        );
        assert_eq!(verdict["code"], json!(expected));
    }
}

#[test]
fn without_the_right_secret_nothing_tells_of_a_keys_state() {
    let world = World::new();
    let deleted = world.key(state(|state| state.deleted_at = Some(START.plus_secs(-60))));
    let retired = world.key(Wanted {
        secrets: vec![Some(START)],
        ..Wanted::default()
    });
    let gate = world.gate();
    let mut unknown = retired.secret().to_owned();
    let other = if unknown.as_bytes()[8] == b'a' {
        "b"
    } else {
        "a"
    };
    unknown.replace_range(8..9, other);
    let said = |secret: &str| {
        let mut said = verify(&gate, &json!({"secret": secret, "product": "maps"}));
        said["request_id"] = Value::Null;
        said
    };
    let (deleted, malformed, junk) = (said(deleted.secret()), said(&unknown), said("junk"));
    assert_eq!(deleted["code"], "KEY_NOT_FOUND");
    assert_eq!(malformed["code"], "KEY_MALFORMED");
    assert_eq!(malformed, junk);
    assert_eq!(deleted["message"], malformed["message"]);
    for field in [
        "key_id",
        "secret_number",
        "account",
        "environment",
        "access",
        "expires_at",
    ] {
        assert!(
            deleted[field].is_null() && malformed[field].is_null(),
            "{field}"
        );
    }
}

#[test]
fn an_operators_own_words_and_link_stand_in_every_answer() {
    let world = World::new();
    let key = world.plain_key();
    let own = VerdictText {
        code: Code::KeyDisabled,
        message: Some("Write to Ada.".to_owned()),
        help: Some("https://example.com/disabled".to_owned()),
    };
    let gate = world.gate_with(|settings| settings.verdicts = vec![own]);
    world.disable(key.key_id);
    looked_at_the_log(&gate);
    let asked = json!({"secret": key.secret(), "product": "maps"});
    assert_eq!(verify(&gate, &asked)["message"], "Write to Ada.");
    let with = |endpoint| {
        send(
            &gate,
            forwarded(endpoint).insert_header(("X-API-Key", key.secret())),
        )
    };
    let error = with("/v1/authorize").json()["error"].clone();
    assert_eq!(
        (&error["message"], &error["help"]),
        (
            &json!("Write to Ada."),
            &json!("https://example.com/disabled")
        )
    );
    let denied = request("GET", "/v1/denied")
        .insert_header(("Latchkey-Status", "403"))
        .insert_header(("Latchkey-Verdict", "KEY_DISABLED"));
    assert_eq!(
        send(&gate, denied).json()["error"]["message"],
        "Write to Ada."
    );
    let other = send(&gate, forwarded("/v1/authorize")).json()["error"].clone();
    assert_eq!(
        other["message"],
        Code::KeyMissing.message(),
        "others keep Latchkey's"
    );
    assert!(other["help"].as_str().unwrap().contains("/r/"));
}
