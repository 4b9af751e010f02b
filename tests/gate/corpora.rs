//! What the fuzzers found worth keeping still holds. The checks and the corpora are those of `fuzz/`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use proptest::prelude::*;

#[path = "../../fuzz/checks/domain.rs"]
mod domain;
#[path = "../../fuzz/checks/forward_auth.rs"]
mod forward_auth;
#[path = "../../fuzz/checks/forwarded_for.rs"]
mod forwarded_for;
#[path = "../../fuzz/checks/ip_list.rs"]
mod ip_list;
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
