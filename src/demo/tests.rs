//! The demo as the suites from outside find it.

use std::collections::HashSet;
use std::path::Path;

use latchkey_rules::code::Code;
use latchkey_rules::verdict::{Address, Asked, Caller, Target};
use serde_json::Value;

use super::*;
use crate::gate::{Ask, AskedKey, Gate, GateSettings};

const PORTAL: &str = "http://127.0.0.1:8080";
const GATE: &str = "http://127.0.0.1:8081";

fn options(data: &Path) -> Options {
    Options {
        portal: ([127, 0, 0, 1], 8080).into(),
        gate: ([127, 0, 0, 1], 8081).into(),
        traffic: false,
        json: true,
        data: Some(data.to_owned()),
    }
}

struct Demo {
    config: Config,
    clock: Clock,
    line: String,
}

/// Starts a demo in a folder, as far as to the line that it prints.
fn start(data: &Path) -> Demo {
    let options = options(data);
    let clock = Clock::system();
    let folder = Folder::open(Some(data)).unwrap();
    let config = config(&options, &folder).unwrap();
    let products = catalogue::products(options.gate).unwrap();
    let kept = prepared(&config, &products, &clock).unwrap();
    let line = kept.line(PORTAL, GATE, catalogue::lines(&products), clock.now());
    Demo {
        config,
        clock,
        line: printed::json(&line),
    }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    value[name].as_array().unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

#[test]
fn every_key_gets_the_verdict_that_its_state_implies() {
    let data = tempfile::tempdir().unwrap();
    let demo = start(data.path());
    let db = app::open_database(&demo.config, demo.clock.clone(), true).unwrap();
    let settings = GateSettings::local(data.path().to_owned(), PORTAL);
    let gate = Gate::start(db, demo.clock.clone(), settings).unwrap();
    let line: Value = serde_json::from_str(&demo.line).unwrap();
    let ask = |secret: &str, product: &str| {
        let asked = Asked {
            target: Target::Slug(product),
            method: "GET",
            caller: &Caller {
                origin: Some("https://www.tessera-freight.example"),
                address: Address::Is("198.51.100.24".parse().ok()),
                ..Caller::NOBODY
            },
        };
        let key = AskedKey::Text(secret);
        gate.judge(
            &Ask {
                key,
                asked,
                cost: 1,
                is_plain: false,
                counted: false,
            },
            &mut |judged| judged.code,
        )
    };
    for key in list(&line, "keys") {
        let implied = match text(key, "state") {
            "active" | "rotating" => Code::Valid,
            "paused" | "disabled" => Code::KeyDisabled,
            "expired" => Code::KeyExpired,
            "retired" => Code::SecretRetired,
            "deleted" => Code::KeyNotFound,
            "suspended" => Code::AccountSuspended,
            other => panic!("the state {other}"),
        };
        let secret = text(key, "secret");
        let its: Vec<&str> = list(key, "products")
            .iter()
            .map(|p| p.as_str().unwrap())
            .collect();
        for product in &its {
            assert_eq!(ask(secret, product), implied, "{}", text(key, "key_id"));
        }
        if text(key, "state") == "active" {
            for product in list(&line, "products").iter().map(|p| text(p, "slug")) {
                let lacks = !its.contains(&product);
                assert!(!lacks || ask(secret, product) == Code::ProductNotAssigned);
            }
        }
    }
    gate.stop();
}

#[test]
fn a_demo_that_goes_on_prints_the_same_line() {
    let data = tempfile::tempdir().unwrap();
    let first = start(data.path()).line;
    assert!(!first.contains('\n'));
    assert_eq!(start(data.path()).line, first);
}

#[test]
fn the_file_that_keeps_secrets_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let data = tempfile::tempdir().unwrap();
    start(data.path());
    let file = data.path().join(KEPT_FILE);
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn somebodys_database_is_not_made_a_demo() {
    let data = tempfile::tempdir().unwrap();
    let folder = Folder::open(Some(data.path())).unwrap();
    let config = config(&options(data.path()), &folder).unwrap();
    drop(app::open_database(&config, Clock::system(), true).unwrap());
    let refused = prepared(&config, &[], &Clock::system());
    assert!(matches!(refused, Err(Error::NotADemo { .. })));
}

#[test]
fn the_sample_requests_follow_the_gate() {
    let data = tempfile::tempdir().unwrap();
    let demo = start(data.path());
    let elsewhere = catalogue::products(([127, 0, 0, 2], 9000).into()).unwrap();
    prepared(&demo.config, &elsewhere, &demo.clock).unwrap();
    let db = app::open_database(&demo.config, demo.clock, true).unwrap();
    let found = db.read_blocking(stored::all).unwrap();
    for product in found {
        let url = &product.sample.url;
        assert!(
            url.starts_with("http://127.0.0.2:9000/v1/authorize/"),
            "{url}"
        );
        let hosts: HashSet<String> = product.routes.iter().map(|r| r.host.to_string()).collect();
        assert!(hosts.contains("127.0.0.2") && !hosts.contains("127.0.0.1"));
    }
}

#[test]
fn the_line_holds_what_the_suites_from_outside_rely_on() {
    let data = tempfile::tempdir().unwrap();
    let line: Value = serde_json::from_str(&start(data.path()).line).unwrap();
    let fields = |value: &Value| -> Vec<String> {
        let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(
        fields(&line),
        ["gate", "keys", "people", "portal", "products"]
    );
    assert_eq!(
        fields(&line["people"][0]),
        ["account", "email", "password", "role"]
    );
    assert_eq!(fields(&line["products"][0]), ["routes", "slug", "token"]);
    assert_eq!(fields(&line["products"][0]["routes"][0]), ["host", "path"]);
    let of_key = [
        "access",
        "account",
        "domains",
        "environment",
        "ips",
        "key_id",
        "kind",
        "plan",
        "products",
        "secret",
        "state",
    ];
    assert_eq!(fields(&line["keys"][0]), of_key);
    assert_eq!(list(&line, "keys").len(), 42);
    assert!(["professional", "enterprise"].contains(&text(&line["keys"][0], "plan")));
    assert_eq!(text(&line["keys"][0], "state"), "active");
    let roles: HashSet<&str> = list(&line, "people")
        .iter()
        .map(|p| text(p, "role"))
        .collect();
    assert_eq!(
        roles,
        HashSet::from(["owner", "developer", "viewer", "support", "admin"])
    );
    let staff = list(&line, "people")
        .iter()
        .filter(|p| p["account"].is_null());
    assert_eq!(staff.count(), 2);
}

#[test]
fn others_cannot_reach_the_demo() {
    let mut options = options(Path::new("/nowhere"));
    assert!(keep_to_this_machine(&options).is_ok());
    for address in ["0.0.0.0:8081", "192.0.2.7:8081", "127.0.0.1:0", "[::]:8081"] {
        options.gate = address.parse().unwrap();
        let refused = keep_to_this_machine(&options);
        assert!(matches!(refused, Err(Error::Address(off)) if off == options.gate));
    }
    options.gate = "[::1]:8081".parse().unwrap();
    assert!(keep_to_this_machine(&options).is_ok());
}
