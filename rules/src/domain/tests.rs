//! Entries against origins: a table of what is meant, and properties against what an attacker would try.

use proptest::prelude::*;

use super::*;

fn pattern(text: &str) -> DomainPattern {
    DomainPattern::parse(text).unwrap().pattern
}

fn covers(entry: &str, origin: &str) -> bool {
    let origin = Origin::parse(origin);
    origin.is_some_and(|origin| pattern(entry).covers(&origin))
}

const COVERED: &[(&str, &str, bool)] = &[
    ("example.com", "https://example.com", true),
    ("example.com", "http://example.com:8080", true),
    ("EXAMPLE.com.", "https://example.com", true),
    ("example.com", "https://Example.COM.", true),
    ("example.com", "https://www.example.com", false),
    ("example.com", "https://example.com.evil.net", false),
    ("example.com", "https://badexample.com", false),
    ("example.com", "https://example.com@evil.net", false),
    ("example.com", "https://evil.net/example.com", false),
    ("example.com", "https://evil.net#example.com", false),
    ("example.com", "https://evil.net\\example.com", false),
    ("example.com", "null", false),
    ("example.com", "example.com", false),
    ("example.com", "", false),
    ("https://example.com", "https://example.com", true),
    ("https://example.com", "http://example.com", false),
    ("https://example.com", "https://example.com:8443", true),
    ("example.com:443", "https://example.com", true),
    ("example.com:443", "http://example.com", false),
    ("example.com:8080", "http://example.com:8080", true),
    ("example.com:8080", "http://example.com:80800", false),
    ("*.example.com", "https://a.example.com", true),
    ("*.example.com", "https://a.b.example.com", true),
    ("*.example.com", "https://example.com", false),
    ("*.example.com", "https://aexample.com", false),
    ("*.example.com", "https://.example.com", false),
    (
        "preview-*.example.com",
        "https://preview-7.example.com",
        true,
    ),
    (
        "preview-*.example.com",
        "https://preview-.example.com",
        true,
    ),
    (
        "preview-*.example.com",
        "https://preview-7.x.example.com",
        false,
    ),
    (
        "preview-*.example.com",
        "https://xpreview-7.example.com",
        false,
    ),
    ("*-app.example.com", "https://shop-app.example.com", true),
    ("a*a.example.com", "https://a.example.com", false),
    ("a*a.example.com", "https://aa.example.com", true),
    ("localhost", "http://localhost:3000", true),
    ("localhost:*", "http://localhost:3000", true),
    ("localhost", "http://localhost.evil.net", false),
    ("127.0.0.1", "http://127.0.0.1:5173", true),
    ("[::1]", "http://[::1]:3000", true),
    ("[0:0:0:0:0:0:0:1]:3000", "http://[::1]:3000", true),
    ("bücher.example", "https://xn--bcher-kva.example", true),
    ("xn--bcher-kva.example", "https://BÜCHER.example", true),
    ("capacitor://localhost", "capacitor://localhost", true),
    ("capacitor://localhost", "http://localhost", false),
];

#[test]
fn t_47_an_entry_covers_what_it_says_and_nothing_else() {
    for (entry, origin, expected) in COVERED {
        assert_eq!(covers(entry, origin), *expected, "{entry} and {origin}");
    }
}

#[test]
fn what_is_no_entry_is_refused_with_the_reason() {
    let table = [
        ("", "empty"),
        ("*", "every site"),
        ("https://*", "every site"),
        ("user@example.com", "user name"),
        ("exa mple.com", "no host"),
        ("example..com", "no host"),
        ("-", ""),
        ("example.com:0", "port"),
        ("example.com:http", "port"),
        ("1https://example.com", "scheme"),
        ("www.*.example.com", "first label"),
        ("*.*.example.com", "first label"),
        ("**.example.com", "first label"),
        ("example.*", "first label"),
        ("*.com", "many owners"),
        ("*.co.uk", "many owners"),
        ("exam*.com", "many owners"),
        ("*.github.io", "many owners"),
        ("*.1.2.3.4", "many owners"),
        ("*.localhost", "many owners"),
        ("1.2.3.4.5", "no host"),
        ("999.0.0.1", "no host"),
        ("[::g]", "no host"),
    ];
    for (text, part) in table.into_iter().filter(|(text, _)| *text != "-") {
        let error = DomainPattern::parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn a_pasted_address_is_cut_down_and_says_so() {
    let table = [
        (
            "https://www.example.com/shop?x=1#y",
            "https://www.example.com",
            true,
        ),
        ("https://www.example.com/", "https://www.example.com", false),
        (" Example.COM ", "example.com", false),
        ("localhost:*", "localhost", false),
    ];
    for (text, shown, was_cut) in table {
        let entry = DomainPattern::parse(text).unwrap();
        assert_eq!(
            (entry.pattern.to_string().as_str(), entry.was_cut),
            (shown, was_cut)
        );
    }
}

#[test]
fn an_entry_that_another_includes_is_known() {
    let table = [
        ("*.example.com", "www.example.com", true),
        ("*.example.com", "*.eu.example.com", true),
        ("*.example.com", "preview-*.example.com", true),
        ("*.example.com", "example.com", false),
        ("example.com", "https://example.com:8443", true),
        ("https://example.com", "example.com", false),
        ("preview-*.example.com", "*.example.com", false),
    ];
    for (one, other, expected) in table {
        assert_eq!(
            pattern(one).includes(&pattern(other)),
            expected,
            "{one} and {other}"
        );
    }
}

/// The rule once more, told by labels instead of by text.
fn reference(entry: &str, host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    let rule: Vec<&str> = entry.split('.').collect();
    let Some((before, after)) = rule[0].split_once('*') else {
        return labels == rule;
    };
    if labels.len() < rule.len() || labels[labels.len() - rule.len() + 1..] != rule[1..] {
        return false;
    }
    let in_front = &labels[..=labels.len() - rule.len()];
    if before.is_empty() && after.is_empty() {
        return in_front.iter().all(|label| !label.is_empty());
    }
    in_front.len() == 1
        && in_front[0].len() >= before.len() + after.len()
        && in_front[0].starts_with(before)
        && in_front[0].ends_with(after)
}

const ENTRIES: [&str; 6] = [
    "a.example.com",
    "example.com",
    "*.example.com",
    "ab*.example.com",
    "*ba.example.com",
    "a*b.example.com",
];

#[test]
fn what_was_probably_meant_is_offered() {
    for (typed, meant) in [
        ("shop.*.example.com", Some("*.shop.example.com")),
        ("https://ada@example.com", Some("https://example.com")),
        ("example.com:99999", Some("example.com")),
        ("*.*.example.com", Some("*.example.com")),
        ("*.com", None),
        ("*", None),
        ("exa mple", None),
    ] {
        assert_eq!(DomainPattern::mended(typed).as_deref(), meant, "{typed}");
    }
}

proptest! {
    #[test]
    fn t_47_hosts_are_covered_as_the_rule_by_labels_says(
        labels in prop::collection::vec("[ab]{1,3}", 0..3),
        ending in prop::sample::select(vec!["example.com", "xample.com", "example.com.net", "a.example.com"]),
    ) {
        let host = labels.iter().map(String::as_str).chain([ending]).collect::<Vec<_>>().join(".");
        for entry in ENTRIES {
            let expected = reference(entry, &host);
            prop_assert_eq!(covers(entry, &format!("https://{host}")), expected, "{} and {}", entry, host);
            let loud = format!("https://{}.:8443", host.to_uppercase());
            prop_assert_eq!(covers(entry, &loud), expected, "{} and {}", entry, loud);
        }
    }

    #[test]
    fn t_47_no_text_around_an_allowed_host_gets_in(before in "[a-z@/#?:.\\\\]{0,4}", after in "[a-z@/#?:.\\\\]{0,4}") {
        let origin = format!("https://{before}example.com{after}");
        if covers("example.com", &origin) {
            let read = Origin::parse(&origin).unwrap();
            prop_assert_eq!(&*read.host, "example.com");
            prop_assert!(before.is_empty(), "{}", origin);
            let authority = after.split(['/', '?', '#', '\\']).next().unwrap();
            let goes_on = authority.starts_with(|c: char| c.is_ascii_alphabetic());
            prop_assert!(!goes_on && !authority.contains('@'), "{}", origin);
        }
    }

    #[test]
    fn what_is_read_again_is_the_same(text in "(https://)?(\\*\\.|[a-z]{1,3}\\*\\.)?[a-z]{1,4}\\.example\\.com(:[1-9][0-9]{0,3})?") {
        let read = pattern(&text);
        prop_assert_eq!(&pattern(&read.to_string()), &read);
    }

    #[test]
    fn nothing_that_is_read_panics(text in "\\PC{0,40}") {
        let entry = DomainPattern::parse(&text);
        let origin = Origin::parse(&text);
        if let (Ok(entry), Some(origin)) = (entry, origin) {
            let _covered = entry.pattern.covers(&origin);
        }
    }
}
