//! What the fuzzers found worth keeping still holds. The checks and the corpora are those of `fuzz/`.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

#[path = "../../fuzz/checks/domain.rs"]
mod domain;
#[path = "../../fuzz/checks/forward_auth.rs"]
mod forward_auth;
#[path = "../../fuzz/checks/forwarded_for.rs"]
mod forwarded_for;
#[path = "../../fuzz/checks/ip_list.rs"]
mod ip_list;
#[path = "../../fuzz/checks/lane.rs"]
mod lane;
#[path = "../../fuzz/checks/path.rs"]
mod path;
#[path = "../../fuzz/checks/secret.rs"]
mod secret;

/// Runs a check on every file of a target's corpus.
fn each_of(target: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut files = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let file = entry.unwrap().path();
        let data = std::fs::read(&file).unwrap();
        let outcome = catch_unwind(AssertUnwindSafe(|| check(&data)));
        assert!(outcome.is_ok(), "{}", file.display());
        files += 1;
    }
    assert!(files >= 5, "{} holds {files} files", folder.display());
}

#[test]
fn f_1_the_corpus_of_secrets_holds() {
    each_of("secret", secret::check);
}

#[test]
fn f_2_the_corpus_of_domains_holds() {
    each_of("domain", domain::check);
}

#[test]
fn f_3_the_corpus_of_paths_holds() {
    each_of("path", path::check);
}

#[test]
fn f_4_the_corpus_of_forwarded_addresses_holds() {
    each_of("forwarded_for", forwarded_for::check);
}

#[test]
fn f_5_the_corpus_of_address_lists_holds() {
    each_of("ip_list", ip_list::check);
}

#[test]
fn f_6_the_corpus_of_forward_auth_requests_holds() {
    let rig = forward_auth::Rig::new();
    each_of("forward_auth", |data| rig.check(data));
}

#[test]
fn t_46_the_corpus_of_connections_is_answered_alike_on_the_lane_and_off_it() {
    let rig = lane::Rig::new();
    let taken = Cell::new(0);
    each_of("lane", |data| taken.set(taken.get() + rig.check(data)));
    assert!(taken.get() >= 10, "the lane took {} requests", taken.get());
}

/// Hosts and what stands around them, of pieces that servers and browsers disagree about.
fn odd(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(pieces), 0..7).prop_map(|pieces| pieces.concat())
}

const HOSTS: &[&str] = &[
    "example.com",
    "example",
    ".com",
    "a",
    "*",
    "*.",
    "preview-",
    ".",
    "-",
    "EXAMPLE.com",
    "co.uk",
    "x.co.uk",
    "b\u{fc}cher",
    "xn--bcher-kva",
    "192.0.2.7",
    "[2001:db8::7]",
    "[::ffff:192.0.2.7]",
    "localhost",
    ":8443",
    ":",
    "https://",
    "app://",
    "@",
    "/",
    "\\",
    "?",
    "#",
    "%61",
    " ",
    "null",
    "\u{3002}",
    "\u{ff0e}",
    "0x7f.1",
];

const RANGES: &[&str] = &[
    "192.0.2.0",
    "192.0.2.7",
    "10.0.0.0",
    "0.0.0.0",
    "::ffff:192.0.2.0",
    "::ffff:0:0",
    "2001:db8::",
    "::",
    "/0",
    "/1",
    "/8",
    "/24",
    "/31",
    "/32",
    "/96",
    "/120",
    "/128",
    "/129",
    "\n",
    "\n",
    " ",
    "%eth0",
];

/// Requests and what stands around them, of pieces that readers of HTTP disagree about.
const CONNECTIONS: &[&str] = &[
    "GET /v1/authorize HTTP/1.1\r\n",
    "GET /v1/authorize/maps/1?key={live} HTTP/1.1\r\n",
    "POST /v1/verify HTTP/1.1\r\n",
    "GET http://a/v1/authorize HTTP/1.1\r\n",
    "GET //a/v1 HTTP/1.1\r\n",
    "GET /v1/authorize#a HTTP/1.1\r\n",
    "GET /healthz HTTP/1.0\r\n",
    "OPTIONS * HTTP/1.1\r\n",
    "CONNECT a:1 HTTP/1.1\r\n",
    "HEAD /healthz HTTP/1.1\r\n",
    "Host: gate\r\n",
    "Host: gate\r\n",
    "Host:\r\n",
    "X-API-Key: {live}\r\n",
    "X-Forwarded-Uri: /maps/1\r\n",
    "X-Forwarded-Host: api.example.com\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: 2\r\n",
    "Content-Length: +2\r\n",
    "Content-Length: 2, 2\r\n",
    "content-length:\t2 \r\n",
    "Content-Length: 99999999999999999999\r\n",
    "Content-Length:\r\n",
    "Content-Length : 2\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: identity\r\n",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "Connection: close, keep-alive\r\n",
    "Connection: upgrade\r\n",
    "Connection:\r\n",
    "Upgrade: websocket\r\n",
    "Expect: 100-continue\r\n",
    "Origin: https://a.example\r\n",
    "X: a\n",
    " folded\r\n",
    "X\0: a\r\n",
    "\r\n",
    "\r\n",
    "\r\n",
    "\n",
    "{}",
    "2\r\n{}\r\n0\r\n\r\n",
];

#[test]
fn t_46_what_the_lane_takes_of_a_connection_is_answered_as_off_it() {
    let rig = lane::Rig::new();
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 4_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let taken = Cell::new(0);
    let pieces = prop::collection::vec(prop::sample::select(CONNECTIONS), 1..9);
    let begins = prop::sample::select(&CONNECTIONS[..3]);
    let outcome = runner.run(&(begins, pieces), |(begin, pieces)| {
        let plain = format!("{begin}Host: gate\r\n{}\r\n", pieces.concat());
        let odd = format!("{begin}{}", pieces.concat());
        for connection in [plain, odd] {
            taken.set(taken.get() + rig.check(connection.as_bytes()));
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(taken.get() >= 200, "the lane took {} requests", taken.get());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn f_2_a_domain_lets_in_no_host_that_only_looks_alike(entry in odd(HOSTS), origin in odd(HOSTS)) {
        domain::check(format!("{entry}\n{origin}").as_bytes());
        domain::check(format!("{entry}\nhttps://{origin}").as_bytes());
        domain::check(format!("{entry}\nhttps://{entry}{origin}").as_bytes());
        domain::check(format!("*.example.com\nhttps://{origin}.example.com").as_bytes());
    }

    #[test]
    fn f_5_an_address_is_in_a_list_as_its_bits_say(ranges in odd(RANGES), ip in prop::sample::select(vec![
        [192, 0, 2, 7], [192, 0, 2, 255], [192, 0, 3, 0], [10, 255, 0, 1], [0, 0, 0, 1], [254, 0, 0, 1],
    ]), v6: [u8; 16], near: bool) {
        ip_list::check(&[b"0", &ip[..], ranges.as_bytes()].concat());
        let mut v6 = v6;
        if near {
            v6[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        }
        ip_list::check(&[b"1", &v6[..], ranges.as_bytes()].concat());
    }
}
