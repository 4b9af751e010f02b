//! Paths in verdicts: what is allowed leads to one place however it is read.

use proptest::prelude::*;

use super::*;
use crate::path::{Canonical, forward_uri};

const HOST: &str = "api.example.com";

fn host() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![HOST, "wide.example.com"])
}

fn code_at(path: &str) -> Code {
    code(key(&[MAPS, SEARCH]), "GET", at(HOST, path))
}

#[test]
fn t_44_a_path_whose_readings_lead_to_two_places_is_refused() {
    for path in [
        // Another product as sent than resolved.
        "/a/%62/x",
        "/a//b",
        "/a/x/../b",
        "/a/./b",
        "/a/b;v=1",
        "/a/b/../x",
        "/a/b/%2e%2e/x",
        "/%61/b",
        "//a/b",
        "/z/../a",
        // Another access.
        "/a/%63",
        "/a//c",
        "/a/c/../x",
        "/a/x/../c",
        "/a/c;v=1/x",
        // Alike as sent and resolved, and yet another product when read halfway.
        "/a/b/../%62/x",
        "/a/b/..//b/x",
        "/a/b/../b;v=1/x",
        "/a/b/%2e%2e/%62/x",
        "/a/./%62/%2e%2e/a",
        // No canonical form.
        "/a/..;/b",
        "/a/b%2f..%2fx",
        "/a\\b",
        "/a/%252e%252e/b",
        "/a/b/../../../a",
        "/a//../b",
        "/a/%ff",
        "a/x",
        "*",
    ] {
        assert_eq!(code_at(path), Code::PathAmbiguous, "{path}");
    }
}

#[test]
fn t_44_a_product_at_the_root_does_not_hide_the_one_below_it() {
    let code_at = |path| code(key(&[MAPS, SEARCH]), "GET", at("wide.example.com", path));
    for path in ["/z", "/z%20", "/z//y", "/z/x/../y", "/a/x;v=1"] {
        assert_eq!(code_at(path), Code::Valid, "{path}");
    }
    for path in [
        "/%61",
        "/z/../a",
        "//a",
        "/;v/a/%2e%2e/z",
        "/%3Bv/a/%2E./z",
        "/a/../z",
        "/a%3B/x",
    ] {
        assert_eq!(code_at(path), Code::PathAmbiguous, "{path}");
    }
}

#[test]
fn t_44_odd_spellings_that_lead_to_one_place_are_judged() {
    for path in [
        "/a",
        "/a/",
        "/a/x%20y",
        "/a/x//y",
        "/a/x/../y",
        "/a/x;v=1",
        "/a/caf%C3%A9",
        "/a/b/x%20;v=1//./y",
        "/a/x/%2e%2e/y",
        "/a/x?../../b",
    ] {
        assert_eq!(code_at(path), Code::Valid, "{path}");
    }
}

/// Paths made of what servers disagree about.
fn odd_path() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec![
        "a", "b", "c", "t", "x", "%61", "%62", "%63", "%74", "t;v=1", "a;v=1", "b;v=1", "c;",
        ";v=1", "", ".", "..", "%2e", "%2e%2e", ".%2E", "x%20y", "%3b", "%3B", "b%3Bv", "b%3bv",
        "B", "ab", "...",
    ]);
    let start = prop::sample::select(vec!["", "/a", "/a", "/a", "/a/b", "/a/c", "/a/t", "/a/s"]);
    (start, prop::collection::vec(segment, 0..6)).prop_map(|(start, segments)| {
        segments
            .iter()
            .fold(start.to_owned(), |path, segment| path + "/" + segment)
    })
}

/// The readings of some servers, written from what they do rather than from our own steps.
mod servers {
    pub(super) fn decoded(path: &str) -> String {
        let mut bytes = Vec::new();
        let mut rest = path.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            let hex = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
            match hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
                Some(byte) if *first == b'%' => {
                    bytes.push(byte);
                    rest = &after[2..];
                }
                _ => bytes.push(*first),
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    pub(super) fn without_parameters(path: &str) -> String {
        let names: Vec<_> = path
            .split('/')
            .map(|segment| segment.split(';').next().unwrap())
            .collect();
        names.join("/")
    }

    pub(super) fn merged(path: &str) -> String {
        let mut text = path.to_owned();
        while text.contains("//") {
            text = text.replace("//", "/");
        }
        text
    }

    /// Dots resolved as RFC 3986 5.2.4 says.
    pub(super) fn resolved(path: &str) -> String {
        let mut kept: Vec<&str> = Vec::new();
        let segments: Vec<_> = path.split('/').skip(1).collect();
        for (index, segment) in segments.iter().enumerate() {
            let is_last = index + 1 == segments.len();
            match *segment {
                "." => {}
                ".." => {
                    kept.pop();
                }
                other => kept.push(other),
            }
            if is_last && matches!(*segment, "." | "..") {
                kept.push("");
            }
        }
        format!("/{}", kept.join("/"))
    }
}

fn leads(catalogue: &Catalogue, host: &str, path: &str) -> Option<(ProductIx, bool)> {
    let route = catalogue.match_route(host, path)?;
    Some((route.product, catalogue.is_admin(route.product, path)))
}

/// Whether a reading of the path is within the scope that a key of these tests has of Maps.
fn is_within(catalogue: &Catalogue, host: &str, path: &str) -> bool {
    let product = catalogue.match_route(host, path).unwrap().product;
    let own = scoped(&["tiles"]);
    product != MAPS || own[0].scopes.meets(catalogue.scopes_at(product, path))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn f_3_an_allow_means_that_raw_and_canonical_path_agree(host in host(), path in odd_path()) {
        let facts = KeyFacts { access: Access::Admin, ..key(&[MAPS, SEARCH]) };
        if let Ok(grant) = judge(facts, "GET", at(host, &path)) {
            let catalogue = catalogue();
            let place = Some((grant.product, grant.needed == Access::Admin));
            let canonical = Canonical::of(&path).unwrap();
            prop_assert_eq!(leads(&catalogue, host, &path), place);
            prop_assert_eq!(leads(&catalogue, host, canonical.as_str()), place);
        }
    }

    #[test]
    fn t_44_an_allow_means_that_servers_of_every_habit_agree(host in host(), path in odd_path(), bound in any::<bool>()) {
        use servers::{decoded, merged, resolved, without_parameters};
        let own = scoped(&["tiles"]);
        let facts = KeyFacts { access: Access::Admin, scopes: &own[..usize::from(bound)], ..key(&[MAPS, SEARCH]) };
        if let Ok(grant) = judge(facts, "GET", at(host, &path)) {
            let catalogue = catalogue();
            let place = Some((grant.product, grant.needed == Access::Admin));
            for seen in [
                decoded(&path),
                merged(&path),
                resolved(&path),
                without_parameters(&path),
                merged(&resolved(&path)),
                resolved(&merged(&path)),
                resolved(&merged(&decoded(&path))),
                merged(&resolved(&decoded(&path))),
                decoded(&resolved(&path)),
                resolved(&without_parameters(&path)),
                resolved(&merged(&decoded(&without_parameters(&path)))),
                resolved(&merged(&without_parameters(&decoded(&path)))),
            ] {
                prop_assert_eq!(leads(&catalogue, host, &seen), place, "{} read as {}", path, seen);
                prop_assert!(!bound || is_within(&catalogue, host, &seen), "{} read as {}", path, seen);
            }
        }
    }

    #[test]
    fn f_3_what_goes_to_the_backend_would_be_judged_the_same(host in host(), path in odd_path()) {
        let facts = KeyFacts { access: Access::Admin, ..key(&[MAPS, SEARCH]) };
        if let Ok(grant) = judge(facts, "GET", at(host, &path)) {
            let forwarded = forward_uri(&path, &["key"]).unwrap();
            prop_assert_eq!(judge(facts, "GET", at(host, &forwarded)), Ok(grant), "{} sent on as {}", path, forwarded);
        }
    }
}
