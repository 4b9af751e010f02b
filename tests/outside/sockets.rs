//! Bytes that no honest client sends, at the gate and the portal themselves: two readers must never see two requests.

use crate::http::{Answer, Ask, raw};
use crate::operator::Installation;

/// Requests that two HTTP parsers could cut apart differently; `HOST` is replaced.
const SMUGGLED: &[(&str, &str)] = &[
    (
        "a length and chunks",
        "POST PATH HTTP/1.1\r\nHost: HOST\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: HOST\r\n\r\n",
    ),
    (
        "chunks and a length",
        "POST PATH HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\nContent-Length: 40\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: HOST\r\n\r\n",
    ),
    (
        "two lengths",
        "POST PATH HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\nGET /healthz HTTP/1.1\r\nHost: HOST\r\n\r\n",
    ),
    (
        "a list of lengths",
        "POST PATH HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0, 40\r\n\r\nGET /healthz HTTP/1.1\r\nHost: HOST\r\n\r\n",
    ),
    (
        "a signed length",
        "POST PATH HTTP/1.1\r\nHost: HOST\r\nContent-Length: +0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: HOST\r\n\r\n",
    ),
    (
        "an unknown coding",
        "POST PATH HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "two hosts",
        "GET PATH HTTP/1.1\r\nHost: HOST\r\nHost: other.example.com\r\n\r\n",
    ),
    ("no host", "GET PATH HTTP/1.1\r\nAccept: */*\r\n\r\n"),
    (
        "a name with a space before its colon",
        "POST PATH HTTP/1.1\r\nHost: HOST\r\nContent-Length : 5\r\n\r\nhello",
    ),
];

fn answers(bytes: &[u8]) -> usize {
    bytes
        .windows(9)
        .filter(|w| w.starts_with(b"HTTP/1.1 "))
        .count()
}

#[test]
fn t_46_ambiguous_requests_are_refused_on_both_listeners() {
    let installation = Installation::new();
    let latchkey = installation.serve();
    for (address, path) in [
        (&latchkey.gate, "/v1/verify"),
        (&latchkey.portal, "/sign-in"),
    ] {
        for (what, request) in SMUGGLED {
            let bytes = request.replace("PATH", path).replace("HOST", address);
            let answer = raw(address, bytes.as_bytes()).unwrap();
            assert_eq!(
                answers(&answer),
                1,
                "{what} at {path}: {}",
                String::from_utf8_lossy(&answer)
            );
            let status = Answer::read(&answer, true).expect("an answer").status;
            assert_eq!(status, 400, "{what} at {path}");
        }
    }
}

#[test]
fn t_46_trace_is_refused_everywhere() {
    let installation = Installation::new();
    let latchkey = installation.serve();
    let secret = "lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu";
    let doors = [
        (&latchkey.gate, "/v1/authorize"),
        (&latchkey.gate, "/v1/authorize/x"),
        (&latchkey.gate, "/v1/verify"),
        (&latchkey.gate, "/healthz"),
        (&latchkey.gate, "/nothing/here"),
        (&latchkey.portal, "/"),
        (&latchkey.portal, "/sign-in"),
        (&latchkey.portal, "/nothing/here"),
    ];
    for (address, path) in doors {
        let answer = Ask::new("TRACE", path)
            .header("X-API-Key", secret)
            .send(address);
        assert_eq!(answer.status, 405, "TRACE {path}");
        assert!(
            !answer.text().contains(secret),
            "TRACE {path} repeats the request"
        );
    }
}
