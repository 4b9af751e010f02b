//! What one client may take is the operator's to say: each limit at another value than its default, from outside.

use std::time::Duration;

use serde_json::json;

use crate::http::{Answer, Ask, raw_within};
use crate::operator::Installation;
use crate::page::Browser;

const LIMITS: &[(&str, &str)] = &[
    ("LATCHKEY_LIMITS__HEAD_SECONDS", "1"),
    ("LATCHKEY_LIMITS__BODY_SECONDS", "1"),
    ("LATCHKEY_LIMITS__BODY_KIB", "16"),
    ("LATCHKEY_LIMITS__BATCH_KIB", "32"),
    ("LATCHKEY_LIMITS__FAILED_PASSWORDS", "3"),
    ("LATCHKEY_LIMITS__LONGEST_WAIT", "2"),
];

/// Less than the defaults, five and ten seconds, and long enough for a busy machine.
const SOON: Duration = Duration::from_millis(4_500);

#[test]
fn t_60_heads_and_bodies_are_cut_off_when_the_operator_says() {
    let installation = Installation::new();
    let latchkey = installation.serve_with(LIMITS);
    for (address, path) in [
        (&latchkey.gate, "/v1/verify"),
        (&latchkey.portal, "/sign-in"),
    ] {
        let slow = [
            (
                "a head",
                format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nX-Slow: "),
            ),
            (
                "a body",
                format!(
                    "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nOrigin: http://{address}\r\n\
                     Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nhalf"
                ),
            ),
        ];
        for (what, begun) in slow {
            let answer = raw_within(SOON, address, begun.as_bytes());
            let answer = answer.unwrap_or_else(|error| panic!("{what} at {path}: {error}"));
            let status = Answer::read(&answer, false).expect("an answer").status;
            assert_eq!(status, 408, "{what} at {path}");
        }
    }
}

#[test]
fn t_60_bodies_are_as_large_as_the_operator_says() {
    let installation = Installation::new();
    let latchkey = installation.serve_with(LIMITS);
    let padded = |kib: usize| json!({"requests": [{"secret": "x".repeat(kib * 1024 - 40)}]});
    let batch = |kib| {
        Ask::new("POST", "/v1/verify/batch")
            .json(&padded(kib))
            .send(&latchkey.gate)
    };
    assert_eq!([batch(32).status, batch(33).status], [200, 413]);
    let one = |kib: usize| json!({"secret": "x".repeat(kib * 1024 - 13)});
    let verify = |kib| {
        Ask::new("POST", "/v1/verify")
            .json(&one(kib))
            .send(&latchkey.gate)
    };
    assert_eq!([verify(16).status, verify(17).status], [200, 413]);
    let origin = format!("http://{}", latchkey.portal);
    let form = Ask::new("POST", "/sign-in").header("Origin", &origin).body(
        "application/x-www-form-urlencoded",
        format!("email={}", "a".repeat(17 * 1024)),
    );
    assert_eq!(form.send(&latchkey.portal).status, 413);
}

#[test]
fn t_06_wrong_passwords_are_slowed_when_the_operator_says() {
    let installation = Installation::new();
    let latchkey = installation.serve_with(LIMITS);
    let mut browser = Browser::at(&latchkey.portal);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let wrong = [
            ("email", "nobody@example.com"),
            ("password", "not the password"),
        ];
        browser.get("/sign-in").submit("Sign in", &wrong);
        statuses.push(browser.status);
    }
    assert_eq!(statuses, [422, 422, 422, 429]);
}
