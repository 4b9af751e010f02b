//! What nobody should send: the right status, a message at its place, and nothing of what was sent.

use actix_web::http::Method;
use serde_json::json;

use crate::ask::{Answer, forwarded, request, send};
use crate::world::World;

const SECRET: &str = "lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu";

fn is_error(answer: &Answer, status: u16, word: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    let body = answer.json();
    let error = body["error"].as_object().unwrap();
    let mut names: Vec<&String> = error.keys().collect();
    names.sort();
    assert_eq!(names, ["code", "help", "message", "request_id"]);
    assert_eq!(error["code"], word);
    assert_eq!(error["request_id"], answer.header("latchkey-request-id"));
    let help = format!(
        "https://portal.example.com/r/{}?verdict={}",
        answer.header("latchkey-request-id"),
        answer.header("latchkey-verdict")
    );
    assert_eq!(error["help"], help);
    assert!(!answer.body.contains(SECRET), "the answer quotes a secret");
}

#[test]
fn t_28_broken_json_and_unknown_fields_are_named_with_their_place() {
    let world = World::new();
    let gate = world.gate();
    for (body, said) in [
        ("", "line 1"),
        ("{", "line 1"),
        ("{\n  \"secret\": x\n}", "line 2, column 13"),
        ("[]", "line 1"),
        ("[\"lk_live_x\"]", "line 1"),
        ("{\"secrt\": \"a\"}", "`secrt`"),
        (
            "{\"secret\":\"a\",\"secret\":\"b\"}",
            "duplicate field `secret`",
        ),
        ("{\"secret\": 5}", "line 1"),
        ("{\"dry_run\": \"yes\"}", "line 1"),
        ("{\"cost\": 0}", "1 to 1,000"),
        ("{\"cost\": 1001}", "1 to 1,000"),
        ("{\"cost\": 1.5}", "line 1"),
        ("{\"cost\": -1}", "line 1"),
        ("{\"ip\": \"nowhere\"}", "address"),
        ("\u{feff}{}", "line 1"),
    ] {
        let answer = send(&gate, request("POST", "/v1/verify").set_payload(body));
        is_error(&answer, 400, "BadRequest");
        assert_eq!(answer.header("latchkey-verdict"), "REQUEST_INVALID");
        let message = answer.json()["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(message.contains(said), "{body}: {message}");
    }
    for (body, said) in [
        ("{\"requests\": {}}", "line 1"),
        ("{\"requests\": [[]]}", "line 1"),
        ("[[]]", "line 1"),
        ("{\"requests\": [{\"secrt\": \"a\"}]}", "`secrt`"),
        ("{\"requests\": [{}, {\"cost\": 0}]}", "place 1"),
        ("{}", "missing field `requests`"),
        ("{\"requests\": [], \"x\": 1}", "`x`"),
    ] {
        let answer = send(&gate, request("POST", "/v1/verify/batch").set_payload(body));
        is_error(&answer, 400, "BadRequest");
        let message = answer.json()["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(message.contains(said), "{body}: {message}");
    }
}

#[test]
fn t_33_an_error_never_quotes_a_secret() {
    let world = World::new();
    let gate = world.gate();
    for body in [
        format!("{{\"cost\": \"{SECRET}\"}}"),
        format!("{{\"dry_run\": \"{SECRET}\"}}"),
        format!("{{\"{SECRET}\": 1}}"),
        format!("{{\"ip\": \"{SECRET}\"}}"),
        format!("{{\"requests\": \"{SECRET}\"}}"),
        format!("\"{SECRET}\""),
    ] {
        for path in ["/v1/verify", "/v1/verify/batch"] {
            is_error(
                &send(&gate, request("POST", path).set_payload(body.clone())),
                400,
                "BadRequest",
            );
        }
    }
}

#[test]
fn t_60_a_body_has_its_limit() {
    let world = World::new();
    let gate = world.gate();
    let padded = |len: usize| format!("{{\"secret\":\"{}\"}}", "x".repeat(len - 13));
    let sent = |path: &str, body: String| send(&gate, request("POST", path).set_payload(body));
    assert_eq!(sent("/v1/verify", padded(64 * 1024)).status, 200);
    is_error(
        &sent("/v1/verify", padded(64 * 1024 + 1)),
        413,
        "PayloadTooLarge",
    );
    is_error(
        &sent("/v1/verify/batch", padded(512 * 1024 + 1)),
        413,
        "PayloadTooLarge",
    );
    let batch = |items: usize| json!({"requests": vec![json!({}); items]}).to_string();
    assert_eq!(sent("/v1/verify/batch", batch(1_000)).status, 200);
    is_error(
        &sent("/v1/verify/batch", batch(1_001)),
        413,
        "PayloadTooLarge",
    );
    is_error(
        &sent("/v1/verify/batch", batch(100_000)),
        413,
        "PayloadTooLarge",
    );
}

#[test]
fn t_60_a_packed_body_is_refused_unread() {
    let world = World::new();
    let gate = world.gate();
    for coding in ["gzip", "br", "deflate", "zstd", "x"] {
        let packed = request("POST", "/v1/verify")
            .insert_header(("Content-Encoding", coding))
            .set_payload("{}");
        is_error(&send(&gate, packed), 415, "UnsupportedMediaType");
    }
    let plain = request("POST", "/v1/verify")
        .insert_header(("Content-Encoding", "identity"))
        .set_payload("{}");
    assert_eq!(send(&gate, plain).status, 200);
}

#[test]
fn t_46_trace_is_refused_everywhere_and_other_methods_where_they_make_no_sense() {
    let world = World::new();
    let gate = world.gate();
    for path in [
        "/v1/authorize",
        "/v1/authorize/x",
        "/v1/nginx/authorize",
        "/v1/denied",
        "/v1/preflight",
        "/v1/verify",
        "/metrics",
        "/x",
    ] {
        let answer = send(&gate, forwarded(path).method(Method::TRACE));
        is_error(&answer, 405, "MethodNotAllowed");
        assert!(!answer.header("allow").is_empty());
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(send(&gate, request("TRACE", path)).status, 405);
    }
    for path in ["/v1/verify", "/v1/verify/batch"] {
        let answer = send(&gate, request("GET", path));
        is_error(&answer, 405, "MethodNotAllowed");
        assert_eq!(answer.header("allow"), "POST");
    }
    is_error(&send(&gate, request("GET", "/nowhere")), 404, "NotFound");
    is_error(&send(&gate, request("GET", "/v1/verify/")), 404, "NotFound");
}
