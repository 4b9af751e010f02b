//! Limits through the gate: who is let through how often, what is said of it, and that a day outlives the gate.

use latchkey::gate::Gate;
use latchkey::store::{accounts, products};
use latchkey_rules::environment::Environment;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::limit::Bounds;
use latchkey_rules::secret::{Prefix, Secret};
use latchkey_rules::time::{DAY_MS, HOUR_MS};
use serde_json::{Value, json};

use crate::ask::{Answer, forwarded, request, send, verify};
use crate::world::{Made, Wanted, World, eventually, looked_at_the_log};

/// As the plan Free: twenty at once, then ten a minute.
const FREE: Bounds = Bounds {
    per_second: None,
    per_minute: Some(10),
    burst: Some(20),
    per_day: Some(1_000),
};

fn set_plan(world: &World, bounds: Bounds) {
    world.change(move |change, by| accounts::set_bounds(change, by, "free", &bounds));
}

fn set_rate(world: &World, product: &'static str, per_second: u32) {
    world.change(move |change, by| products::set_rate(change, by, product, Some(per_second)));
}

/// With the plan Free as it is, and a key of it.
fn stage(bounds: Bounds) -> (World, Made, Gate) {
    let world = World::new();
    set_plan(&world, bounds);
    let key = world.key(Wanted {
        products: vec!["maps", "search"],
        ..Wanted::default()
    });
    let gate = world.gate();
    (world, key, gate)
}

fn ask(gate: &Gate, secret: &str, cost: u32) -> Value {
    verify(
        gate,
        &json!({"secret": secret, "product": "maps", "cost": cost}),
    )
}

fn code(gate: &Gate, secret: &str) -> String {
    ask(gate, secret, 1)["code"].as_str().unwrap().to_owned()
}

fn authorize(gate: &Gate, endpoint: &str, secret: &str) -> Answer {
    send(
        gate,
        forwarded(endpoint).insert_header(("X-API-Key", secret)),
    )
}

/// Asks until it is refused, at most so often, and says how often it was not.
fn passes(gate: &Gate, secret: &str, most: usize) -> usize {
    (0..most)
        .take_while(|_| code(gate, secret) == "VALID")
        .count()
}

fn limit<'a>(verdict: &'a Value, name: &str) -> &'a Value {
    let mut limits = verdict["limits"].as_array().unwrap().iter();
    limits.find(|limit| limit["name"] == name).unwrap()
}

#[test]
fn the_free_plan_lets_twenty_pass_at_once_then_ten_a_minute() {
    let (world, key, gate) = stage(FREE);
    assert_eq!(passes(&gate, key.secret(), 100), 20);
    world.hand.advance_ms(5_999);
    assert_eq!(code(&gate, key.secret()), "RATE_LIMITED");
    world.hand.advance_ms(1);
    assert_eq!(
        passes(&gate, key.secret(), 100),
        1,
        "what was refused has used nothing up"
    );
    world.hand.advance_ms(200_000);
    assert_eq!(
        passes(&gate, key.secret(), 100),
        20,
        "it is full, and not fuller"
    );
}

#[test]
fn every_way_of_asking_takes_of_the_same_bucket() {
    let (_world, key, gate) = stage(FREE);
    assert_eq!(ask(&gate, key.secret(), 10)["code"], "VALID");
    assert_eq!(authorize(&gate, "/v1/authorize", key.secret()).status, 200);
    assert_eq!(
        authorize(&gate, "/v1/nginx/authorize", key.secret()).status,
        200
    );
    let one = json!({"secret": key.secret(), "product": "search"});
    let batch = json!({"requests": vec![one; 10]});
    let answer = send(
        &gate,
        request("POST", "/v1/verify/batch").set_payload(batch.to_string()),
    );
    let answer = answer.json();
    let codes: Vec<&str> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|verdict| verdict["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        [["VALID"; 8].as_slice(), &["RATE_LIMITED"; 2]].concat()
    );
}

#[test]
fn a_refusal_says_how_long_to_wait_and_then_it_passes() {
    let (world, key, gate) = stage(FREE);
    assert_eq!(passes(&gate, key.secret(), 100), 20);
    world.hand.advance_ms(1_500);
    let plain = authorize(&gate, "/v1/authorize", key.secret());
    assert_eq!(plain.verdict(), (429, "RATE_LIMITED"));
    assert_eq!(plain.json()["error"]["code"], "TooManyRequests");
    // 2026-11-21T10:15:01.5Z; nineteen and three quarters are missing, which takes 118.5 seconds.
    let head = |name| plain.header(name).to_owned();
    assert_eq!(
        [
            "retry-after",
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset"
        ]
        .map(head),
        ["5", "10", "0", "1795256220"]
    );
    assert_eq!(
        head("ratelimit"),
        "\"minute\";r=0;t=5, \"day\";r=980;t=49499"
    );
    assert_eq!(
        head("ratelimit-policy"),
        "\"minute\";q=10;w=60, \"day\";q=1000;w=86400"
    );
    let nginx = authorize(&gate, "/v1/nginx/authorize", key.secret());
    assert_eq!(
        (nginx.verdict(), nginx.header("latchkey-status")),
        ((403, "RATE_LIMITED"), "429")
    );
    assert_eq!(nginx.header("retry-after"), "5");
    world.hand.advance_ms(5_000);
    let passed = authorize(&gate, "/v1/authorize", key.secret());
    assert_eq!(
        (passed.status, passed.header("x-ratelimit-remaining")),
        (200, "0")
    );
    assert_eq!(passed.header("retry-after"), "");
}

#[test]
fn what_an_allowed_request_is_told_is_what_is_left() {
    let (_world, key, gate) = stage(FREE);
    let verdict = ask(&gate, key.secret(), 7);
    assert_eq!(
        limit(&verdict, "minute"),
        &json!({"name": "minute", "limit": 20, "remaining": 13, "reset": 1_795_256_142})
    );
    let midnight = 1_795_305_600;
    assert_eq!(
        limit(&verdict, "day"),
        &json!({"name": "day", "limit": 1_000, "remaining": 993, "reset": midnight})
    );
    assert!(limit(&verdict, "second")["limit"].is_null());
    let answer = authorize(&gate, "/v1/authorize", key.secret());
    assert_eq!(
        answer.header("x-ratelimit-remaining"),
        "10",
        "at most the limit"
    );
}

#[test]
fn a_cost_is_taken_whole_or_not_at_all_and_one_above_the_bucket_never_passes() {
    let (_world, key, gate) = stage(FREE);
    assert_eq!(ask(&gate, key.secret(), 15)["code"], "VALID");
    let refused = ask(&gate, key.secret(), 6);
    assert_eq!(refused["code"], "RATE_LIMITED");
    assert_eq!(limit(&refused, "minute")["remaining"], 5);
    assert_eq!(
        limit(&refused, "day")["remaining"],
        985,
        "the day gave nothing either"
    );
    let never = ask(&gate, key.secret(), 21);
    assert_eq!(never["code"], "RATE_LIMITED");
    assert!(never["message"].as_str().unwrap().contains("never pass"));
    assert_eq!(ask(&gate, key.secret(), 5)["code"], "VALID");
}

#[test]
fn a_trial_says_what_would_be_and_takes_nothing() {
    let (_world, key, gate) = stage(FREE);
    let trial = json!({"secret": key.secret(), "product": "maps", "dry_run": true});
    for _ in 0..50 {
        let verdict = verify(&gate, &trial);
        assert_eq!(
            (&verdict["code"], &limit(&verdict, "minute")["remaining"]),
            (&json!("VALID"), &json!(19))
        );
    }
    assert_eq!(passes(&gate, key.secret(), 100), 20);
    assert_eq!(verify(&gate, &trial)["code"], "RATE_LIMITED");
}

#[test]
fn two_secrets_of_a_key_share_its_limits() {
    let (world, _key, gate) = stage(FREE);
    let both = world.key(Wanted {
        secrets: vec![Some(crate::world::START.plus_ms(HOUR_MS)), None],
        ..Wanted::default()
    });
    looked_at_the_log(&gate);
    assert_eq!(ask(&gate, &both.secrets[0], 12)["secret_number"], 1);
    assert_eq!(passes(&gate, &both.secrets[1], 100), 8);
    assert_eq!(code(&gate, &both.secrets[0]), "RATE_LIMITED");
}

#[test]
fn a_products_rate_is_held_for_each_key_and_product() {
    let (world, key, gate) = stage(Bounds::default());
    set_rate(&world, "maps", 3);
    looked_at_the_log(&gate);
    assert_eq!(passes(&gate, key.secret(), 100), 3);
    let refused = ask(&gate, key.secret(), 1);
    assert_eq!(limit(&refused, "second")["limit"], 3);
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .contains("within a second")
    );
    let other_product = json!({"secret": key.secret(), "product": "search"});
    assert_eq!(verify(&gate, &other_product)["code"], "VALID");
    let other_key = world.plain_key();
    looked_at_the_log(&gate);
    assert_eq!(passes(&gate, other_key.secret(), 100), 3);
    world.hand.advance_ms(334);
    assert_eq!(passes(&gate, key.secret(), 100), 1);
}

#[test]
fn a_plan_that_changes_binds_at_once_and_keeps_what_was_used() {
    let (world, key, gate) = stage(FREE);
    assert_eq!(passes(&gate, key.secret(), 100), 20);
    set_plan(
        &world,
        Bounds {
            per_minute: Some(60),
            burst: Some(30),
            ..FREE
        },
    );
    eventually("ten more", || code(&gate, key.secret()) == "VALID");
    assert_eq!(passes(&gate, key.secret(), 100), 9);
    set_plan(&world, FREE);
    looked_at_the_log(&gate);
    world.hand.advance_ms(60_000);
    assert_eq!(
        code(&gate, key.secret()),
        "RATE_LIMITED",
        "thirty were used, of which ten came back"
    );
    world.hand.advance_ms(6_000);
    assert_eq!(code(&gate, key.secret()), "VALID");
}

/// A day of thirty requests, and no other limit.
const DAY: Bounds = Bounds {
    per_second: None,
    per_minute: None,
    burst: None,
    per_day: Some(30),
};

#[test]
fn the_day_belongs_to_the_account_and_outlives_the_gate_and_the_clock() {
    let (world, key, gate) = stage(DAY);
    let second = world.plain_key();
    let elsewhere = world.key(Wanted {
        account: "other",
        ..Wanted::default()
    });
    looked_at_the_log(&gate);
    assert_eq!(ask(&gate, key.secret(), 25)["code"], "VALID");
    assert_eq!(passes(&gate, second.secret(), 100), 5);
    let refused = authorize(&gate, "/v1/authorize", key.secret());
    assert_eq!(refused.verdict(), (429, "QUOTA_EXCEEDED"));
    // From 10:15 to midnight.
    assert_eq!(refused.header("retry-after"), "49500");
    assert_eq!(
        refused.header("x-ratelimit-limit"),
        "",
        "there is no limit a minute"
    );
    assert_eq!(code(&gate, elsewhere.secret()), "VALID");
    gate.stop();

    let gate = world.gate();
    assert_eq!(
        code(&gate, second.secret()),
        "QUOTA_EXCEEDED",
        "after a restart too"
    );
    world.hand.set(crate::world::START.plus_ms(-DAY_MS));
    assert_eq!(
        code(&gate, second.secret()),
        "QUOTA_EXCEEDED",
        "the clock was set back"
    );
    world.hand.set(crate::world::START.plus_ms(14 * HOUR_MS));
    assert_eq!(passes(&gate, second.secret(), 100), 30, "a new day");
    gate.stop();
}

#[test]
fn two_gates_share_an_accounts_day() {
    let (world, key, gate) = stage(DAY);
    let second = world.gate_with(|settings| {
        settings.node = "two".to_owned();
        settings.data_dir = settings.data_dir.join("two");
    });
    assert_eq!(ask(&gate, key.secret(), 20)["code"], "VALID");
    eventually("counted", || {
        world.text("SELECT CAST(COALESCE(SUM(count), 0) AS TEXT) AS text FROM account_days") == "20"
    });
    // The other gate learns it with the answer to its own next batch.
    assert_eq!(code(&second, key.secret()), "VALID");
    let left = || limit(&ask_dry(&second, key.secret()), "day")["remaining"].clone();
    eventually("the other gate knows", || left() == 8);
    assert_eq!(passes(&second, key.secret(), 100), 9);
    assert_eq!(code(&second, key.secret()), "QUOTA_EXCEEDED");
    gate.stop();
    second.stop();
}

fn ask_dry(gate: &Gate, secret: &str) -> Value {
    verify(
        gate,
        &json!({"secret": secret, "product": "maps", "dry_run": true}),
    )
}

#[test]
fn what_is_refused_is_counted_and_takes_nothing_of_the_day() {
    let (world, key, gate) = stage(FREE);
    assert_eq!(ask(&gate, key.secret(), 20)["code"], "VALID");
    for _ in 0..5 {
        assert_eq!(code(&gate, key.secret()), "RATE_LIMITED");
    }
    gate.stop();
    let counted = world.activity(key.key_id);
    let mut counts: Vec<(&str, i64)> = counted
        .iter()
        .map(|row| (row.code.as_str(), row.count))
        .collect();
    counts.sort_unstable();
    assert_eq!(counts, [("RATE_LIMITED", 5), ("VALID", 1)]);
    assert_eq!(
        world.text("SELECT CAST(COALESCE(SUM(count), 0) AS TEXT) AS text FROM account_days"),
        "20"
    );
}

#[test]
fn t_51_only_known_keys_have_buckets() {
    let (world, key, gate) = stage(FREE);
    let buckets = || {
        let page = send(&gate, request("GET", "/metrics")).body;
        let mut lines = page.lines();
        let line = lines.find_map(|line| line.strip_prefix("latchkey_limit_buckets "));
        line.unwrap().to_owned()
    };
    for _ in 0..500 {
        let unknown = Secret::generate(&Prefix::default(), Environment::Live, &mut rand::rng());
        let answer = authorize(&gate, "/v1/authorize", unknown.expose());
        assert_eq!(answer.status, 401);
    }
    assert_eq!(buckets(), "0");
    assert_eq!(code(&gate, key.secret()), "VALID");
    assert_eq!(buckets(), "1");
    // A bucket that is full again is given up.
    world.hand.advance_ms(6_000);
    eventually("no bucket is left", || buckets() == "0");
    gate.stop();
}

#[test]
fn t_51_one_address_does_not_use_up_a_browser_key_for_all() {
    let (world, server, _) = stage(FREE);
    let key = world.key(Wanted {
        kind: KeyKind::Browser,
        ..Wanted::default()
    });
    let gate = world.gate_with(|settings| settings.per_address = Some(5));
    let asks = |secret: &str, address: &str, cost: u32, dry_run: bool| {
        let facts = json!({"secret": secret, "product": "maps", "ip": address, "cost": cost, "dry_run": dry_run});
        verify(&gate, &facts)
    };
    let passes = |secret: &str, address: &str| {
        let valid = |_: &usize| asks(secret, address, 1, false)["code"] == "VALID";
        (0..50).take_while(valid).count()
    };
    let first = asks(key.secret(), "203.0.113.7", 1, false);
    let minute = limit(&first, "minute");
    assert_eq!(
        (&minute["limit"], &minute["remaining"]),
        (&json!(5), &json!(4))
    );
    assert_eq!(passes(key.secret(), "203.0.113.7"), 4);
    let refused = asks(key.secret(), "203.0.113.7", 1, false);
    assert_eq!(refused["code"], "RATE_LIMITED");
    assert_eq!(limit(&refused, "minute")["remaining"], 0);
    // What was refused took nothing of the key's own bucket, nor does a trial of the address's.
    assert_eq!(asks(key.secret(), "198.51.100.1", 5, true)["code"], "VALID");
    assert_eq!(passes(key.secret(), "198.51.100.1"), 5);
    assert_eq!(
        asks(key.secret(), "198.51.100.2", 6, false)["code"],
        "RATE_LIMITED",
        "never"
    );
    assert_eq!(passes(key.secret(), "198.51.100.2"), 5);
    // Fifteen of the key's twenty are taken; when they are out, its own bucket refuses.
    assert_eq!(passes(key.secret(), "198.51.100.3"), 5);
    assert_eq!(passes(key.secret(), "198.51.100.4"), 0);
    world.hand.advance_ms(12_000);
    assert_eq!(
        passes(key.secret(), "203.0.113.7"),
        1,
        "of two of the key's, one is this address's"
    );
    // Whoever is not named, and a server's key, is held to the other limits alone.
    assert_eq!(code(&gate, key.secret()), "VALID");
    assert_eq!(passes(server.secret(), "203.0.113.7"), 20);
}
