//! Standard error of a server whose log programs read: an object a line, whatever happens, and nothing in it of what clients
//! send.

use crate::http::Ask;
use crate::needs;
use crate::operator::{HOST, Installation, PATH, PRODUCT, make_key, sign_up};
use crate::page::Browser;
use crate::process::{Latchkey, free_address, run_by};
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use tempfile::TempDir;

const JSON: (&str, &str) = ("LATCHKEY_LOG__FORMAT", "json");

/// Every line as an object with its time, its gravity and its words.
fn lines(said: &str) -> Vec<Value> {
    said.lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{error} in the line: {line}\nof:\n{said}"));
            for field in ["timestamp", "level", "message"] {
                assert!(value[field].is_string(), "no {field}: {line}");
            }
            value
        })
        .collect()
}

fn with(lines: &[Value], message: &str) -> Vec<Value> {
    let has = |line: &&Value| line["message"] == message;
    lines.iter().filter(has).cloned().collect()
}

/// Requests with a word of ours in every place that a client can write to.
fn send_everywhere(latchkey: &Latchkey) {
    let place = |place: &str| format!("canary-in-the-{place}");
    for door in [&latchkey.portal, &latchkey.gate] {
        for target in [
            format!("/sign-in?next={}", place("query")),
            format!("/{}", place("path")),
            format!("/accounts/{}/keys?q={}", place("account"), place("query")),
            format!("/v1/authorize{PATH}?key={}", place("query")),
            format!("/v1/nginx/authorize?{}", place("query")),
        ] {
            for method in ["GET", "POST", "canary-in-the-method"] {
                Ask::new(method, &target)
                    .header(
                        "Authorization",
                        &format!("Bearer {}", place("authorization")),
                    )
                    .header(
                        "Cookie",
                        &format!("lk_session={0}; lk_flash={0}", place("cookie")),
                    )
                    .header("X-API-Key", &place("key"))
                    .header("X-Forwarded-Host", HOST)
                    .header("X-Forwarded-Uri", &format!("/x?{}", place("forwarded")))
                    .header("User-Agent", &place("agent"))
                    .header("Referer", &format!("http://x/?{}", place("referer")))
                    .header("Origin", &format!("http://{}", place("origin")))
                    .header("Latchkey-Gate-Token", &place("token"))
                    .body("application/x-www-form-urlencoded", place("body"))
                    .send(door);
            }
        }
    }
}

#[test]
fn t_61_each_log_line_is_an_object_and_holds_nothing_that_clients_send() {
    let installation = Installation::new().without_limits();
    let mut latchkey = installation.serve_with(&[JSON]);
    let owner = sign_up(&latchkey, "Olga Owner", "Owner Maps", "olga@owner.example");
    let mut browser = Browser::signed_in(&latchkey.portal, &owner);
    let made = make_key(&mut browser, owner.account.as_deref().unwrap(), "A key");
    browser.get(&format!("{}?q=canary-in-the-search", made.path));
    send_everywhere(&latchkey);
    assert!(latchkey.stop().success());

    let said = latchkey.logged();
    assert!(!said.contains("canary"), "{said}");
    let lines = lines(&said);
    let answered = with(&lines, "answered");
    assert!(answered.len() > 20, "{said}");
    for line in &answered {
        for field in ["request.id", "http.method", "http.route"] {
            assert!(line[field].is_string(), "no {field}: {line}");
        }
        assert!(
            line["http.status"].is_u64() && line["http.duration_ms"].is_number(),
            "{line}"
        );
        let route = line["http.route"].as_str().unwrap();
        assert!(
            !route.contains('?') && !route.contains(&made.key_id),
            "{line}"
        );
    }
    let page = "/accounts/{account}/keys/{key_id}";
    assert!(
        answered.iter().any(|line| line["http.route"] == page),
        "{said}"
    );
    assert!(
        answered.iter().any(|line| line["http.route"] == "other"),
        "{said}"
    );
}

#[test]
fn t_54_refusals_are_logged_ten_a_second_and_code_and_allows_are_not() {
    let installation = Installation::new().without_limits();
    let mut latchkey = installation.serve_with(&[JSON]);
    let owner = sign_up(&latchkey, "Olga Owner", "Owner Maps", "olga@owner.example");
    let mut browser = Browser::signed_in(&latchkey.portal, &owner);
    let made = make_key(&mut browser, owner.account.as_deref().unwrap(), "A key");
    let began = needs::now();
    for _ in 0..200 {
        assert_eq!(latchkey.code(&made.secret, "nowhere"), "PRODUCT_UNKNOWN");
        assert_eq!(latchkey.code(&made.secret, PRODUCT), "VALID");
    }
    let seconds = began.elapsed().as_secs() + 2;
    let page = Ask::get("/metrics").send(&latchkey.gate).text();
    assert!(latchkey.stop().success());
    let said = latchkey.logged();
    let refused = with(&lines(&said), "refused");
    assert!(
        !refused.is_empty() && u64::try_from(refused.len()).unwrap() <= 10 * seconds,
        "{said}"
    );
    let mut left_out = 0;
    for line in &refused {
        assert_eq!(line["verdict.code"], "PRODUCT_UNKNOWN", "{line}");
        assert_eq!(line["key.id"], made.key_id.as_str(), "{line}");
        assert!(
            line["request.id"].as_str().unwrap().starts_with("req_"),
            "{line}"
        );
        left_out += line["verdict.left_out"].as_u64().unwrap();
    }
    let unlogged = 200 - refused.len();
    let counted =
        format!("latchkey_refusals_unlogged_total{{code=\"PRODUCT_UNKNOWN\"}} {unlogged}\n");
    assert!(page.contains(&counted), "{counted} in {page}");
    assert!(left_out <= u64::try_from(unlogged).unwrap(), "{said}");
    assert!(!said.contains("VALID"), "an allow was logged");
}

#[test]
fn t_61_a_server_that_does_not_start_says_why_in_an_object_too() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let free = free_address();
    let here = ("LATCHKEY_PORTAL__LISTEN", free.as_str());
    let installation = Installation::new().without_limits();
    let newer = installation.path().join("not-a-folder");
    fs::write(&newer, "").unwrap();
    for (variable, code, says) in [
        (
            ("LATCHKEY_GATE__LISTEN", taken.as_str()),
            1,
            "cannot listen",
        ),
        (
            ("LATCHKEY_DATA_DIR", newer.to_str().unwrap()),
            1,
            "not-a-folder",
        ),
        (
            ("LATCHKEY_MASTER_KEY_FILE", newer.to_str().unwrap()),
            78,
            "not-a-folder",
        ),
        (("LATCHKEY_GATE__LISTEN", "everywhere"), 78, "gate.listen"),
        (
            ("DATABASE_URL", "postgres://u:canary-password@127.0.0.1:1/x"),
            1,
            "cannot be opened",
        ),
    ] {
        let ended = installation.run_with(&["serve"], &[JSON, here, variable]);
        assert_eq!(ended.code, Some(code), "{variable:?}: {}", ended.said);
        let lines = lines(&ended.said);
        let said = |line: &Value| line["message"].as_str().unwrap().contains(says);
        assert!(lines.iter().any(said), "{variable:?}: {}", ended.said);
        assert!(!ended.said.contains("canary"), "{}", ended.said);
    }
    fs::write(installation.path().join("latchkey.toml"), "[log\nformat").unwrap();
    let ended = installation.run_with(&["serve"], &[JSON]);
    assert_eq!(
        (ended.code, lines(&ended.said).len()),
        (Some(78), 1),
        "{}",
        ended.said
    );
}

/// With too few descriptors something breaks at every place in turn, also where a library panics.
#[test]
fn t_61_a_panic_is_an_object_too() {
    let mut panics = 0;
    for descriptors in 4..200 {
        let folder = TempDir::new().unwrap();
        let (portal, gate) = (free_address(), free_address());
        let variables = [
            JSON,
            ("LATCHKEY_PORTAL__LISTEN", portal.as_str()),
            ("LATCHKEY_GATE__LISTEN", gate.as_str()),
        ];
        let limit = format!("ulimit -n {descriptors}; exec timeout 2 \"$0\" \"$@\"");
        let ended = run_by(&["sh", "-c", &limit], folder.path(), &["serve"], &variables);
        let of_loader =
            |line: &&str| line.contains("shared librar") || line.starts_with("timeout:");
        if ended.said.lines().any(|line| of_loader(&line)) {
            continue;
        }
        let lines = lines(&ended.said);
        panics += with(&lines, "panicked").len();
        if !with(&lines, "serving").is_empty() {
            break;
        }
    }
    assert!(
        panics > 0,
        "nothing panicked: the test looks in the wrong place"
    );
}
