//! What holds of paths.

use proptest::prelude::*;

use super::*;

/// For whoever takes no parameter away.
const NO_KEYS: &[&str] = &[];

fn canonical(raw: &str) -> Result<String, PathError> {
    Canonical::of(raw).map(|path| path.as_str().to_owned())
}

#[test]
fn t_44_a_path_has_one_canonical_form() {
    for (raw, expected) in [
        ("/", "/"),
        ("/maps", "/maps"),
        ("/maps/", "/maps/"),
        ("/Maps/1/2.png", "/Maps/1/2.png"),
        ("//", "/"),
        ("/maps//1///2", "/maps/1/2"),
        ("/./maps", "/maps"),
        ("/maps/.", "/maps/"),
        ("/maps/./1", "/maps/1"),
        ("/maps/..", "/"),
        ("/maps/1/..", "/maps/"),
        ("/maps/../search", "/search"),
        ("/a/b/../../c", "/c"),
        ("/maps/...", "/maps/..."),
        ("/maps/.hidden", "/maps/.hidden"),
        ("/maps/..a/b", "/maps/..a/b"),
        ("/%6Daps", "/maps"),
        ("/maps/%2e/1", "/maps/1"),
        ("/maps/%2E%2e/search", "/search"),
        ("/maps/.%2e/search", "/search"),
        ("/caf%C3%A9/%20x", "/café/ x"),
        ("/café", "/café"),
        ("/a%3Fb%23c", "/a?b#c"),
        ("/100%25", "/100%"),
        ("/50%25ab", "/50%ab"),
        ("/maps;v=1/x;y", "/maps/x"),
        ("/maps%3Bv=1/x", "/maps/x"),
        ("/maps/;v=1", "/maps/"),
        ("/;a/b", "/b"),
        ("/a//b/../c", "/a/c"),
        ("/a+b", "/a+b"),
        ("/a:b@c,d=e&f!$'()*~_-", "/a:b@c,d=e&f!$'()*~_-"),
    ] {
        assert_eq!(canonical(raw).as_deref(), Ok(expected), "{raw}");
    }
}

#[test]
fn t_44_what_servers_read_in_two_ways_is_refused() {
    use PathError::*;
    for (raw, error) in [
        ("", NotAbsolute),
        ("maps", NotAbsolute),
        ("*", NotAbsolute),
        ("http://example.com/maps", NotAbsolute),
        ("/a%2fb", EncodedSeparator),
        ("/a%2Fb", EncodedSeparator),
        ("/a%5cb", EncodedSeparator),
        ("/a%5Cb", EncodedSeparator),
        ("/a%00", EncodedSeparator),
        ("/a\\..\\b", Backslash),
        ("/a\0", Control),
        ("/a\r\nb", Control),
        ("/a%0d%0ab", Control),
        ("/a%7f", Control),
        ("/a%C2%85", Control),
        ("/a b", Control),
        ("/a\tb", Control),
        ("/a#/../b", Delimiter),
        ("/a?b", Delimiter),
        ("/a%", BadEscape),
        ("/a%2", BadEscape),
        ("/a%zz", BadEscape),
        ("/a%+1", BadEscape),
        ("/a%u002e", BadEscape),
        ("/%252e%252e/b", DoubleEncoded),
        ("/%25%32%65/b", DoubleEncoded),
        ("/a%252fb", DoubleEncoded),
        ("/a%255cb", DoubleEncoded),
        ("/a%2500", DoubleEncoded),
        ("/a%25252e", DoubleEncoded),
        ("/a%25c0%25ae", DoubleEncoded),
        ("/a/..;/b", DotParameters),
        ("/a/..;x=1/b", DotParameters),
        ("/a/.;x", DotParameters),
        ("/a/%2e%2e;x/b", DotParameters),
        ("/a/..%3bx/b", DotParameters),
        ("/..", AboveRoot),
        ("/../a", AboveRoot),
        ("/a/../../b", AboveRoot),
        ("/a/%2e%2e/%2e%2e", AboveRoot),
        ("/a//../b", EmptySegmentUp),
        ("/a//b/../../c", EmptySegmentUp),
        ("/a/;x/../b", EmptySegmentUp),
        ("//../a", EmptySegmentUp),
        ("/a//./../b", EmptySegmentUp),
        ("/%ff", NotUtf8),
        ("/%c0%ae%c0%ae/a", NotUtf8),
        ("/%C3", NotUtf8),
        ("/%ed%a0%80", NotUtf8),
    ] {
        assert_eq!(canonical(raw), Err(error), "{raw}");
        if !raw.contains('?') {
            assert_eq!(forward_uri(raw, NO_KEYS), Err(error), "{raw}");
        }
    }
}

#[test]
fn a_path_that_is_canonical_is_borrowed() {
    for path in ["/", "/maps", "/maps/1/2.png", "/a/"] {
        assert!(matches!(Canonical::of(path), Ok(Canonical(Cow::Borrowed(same))) if same == path));
    }
}

#[test]
fn targets_are_cut_at_the_first_question_mark() {
    assert_eq!(split_target("/a?b?c"), ("/a", Some("b?c")));
    assert_eq!(split_target("/a?"), ("/a", Some("")));
    assert_eq!(split_target("/a"), ("/a", None));
}

#[test]
fn the_forwarded_target_is_folded_but_never_decoded_or_encoded() {
    for (raw, expected) in [
        ("/", "/"),
        ("/maps/1", "/maps/1"),
        ("/maps//1/./2/../3", "/maps/1/3"),
        ("//evil.example/x", "/evil.example/x"),
        ("/caf%c3%a9/%20;v=1", "/caf%c3%a9/%20;v=1"),
        ("/%6daps/%2e%2e/x", "/x"),
        ("/maps/;v=1", "/maps/;v=1"),
        ("/maps/;v=1/.", "/maps/;v=1/"),
        ("/maps/..", "/"),
        ("/a?x=%2f..%5c&y=//", "/a?x=%2f..%5c&y=//"),
        ("/a?", "/a?"),
        ("/a?x?y", "/a?x?y"),
    ] {
        assert_eq!(forward_uri(raw, &["key"]).as_deref(), Ok(expected), "{raw}");
    }
    for (raw, error) in [
        ("/a?x=\r\nB: c", PathError::Control),
        ("/a?x=1 2", PathError::Control),
        ("/a?x#y", PathError::Delimiter),
        ("/a%2fb?x", PathError::EncodedSeparator),
    ] {
        assert_eq!(forward_uri(raw, &["key"]), Err(error), "{raw}");
    }
}

#[test]
fn t_43_the_key_leaves_the_query_and_the_rest_stays_byte_for_byte() {
    for (raw, expected) in [
        ("/a?key=S", "/a"),
        ("/a?key=S&key=S", "/a"),
        ("/a?key", "/a"),
        ("/a?key=", "/a"),
        ("/a?key=S&x=1", "/a?x=1"),
        ("/a?x=1&key=S", "/a?x=1"),
        ("/a?x=1&key=S&y=%20+2", "/a?x=1&y=%20+2"),
        ("/a?x=1&&key=S&", "/a?x=1&&"),
        ("/a?api_key=S&key=T&x", "/a?x"),
        ("/a?b=key&keys=1&mykey=2", "/a?b=key&keys=1&mykey=2"),
        ("/a?KEY=S", "/a?KEY=S"),
        ("/a?x=1?key=S", "/a?x=1?key=S"),
        // A percent-encoded name is no key: the gate does not read it, so it does not take it away.
        ("/a?%6bey=S", "/a?%6bey=S"),
    ] {
        assert_eq!(
            forward_uri(raw, &["key", "api_key"]).as_deref(),
            Ok(expected),
            "{raw}"
        );
    }
}

/// A path encoded again, as a careful client would.
fn encoded(path: &str) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(byte.into());
        } else {
            write!(text, "%{byte:02X}").unwrap();
        }
    }
    text
}

/// Paths with all that makes them hard.
fn hard_path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-c]{1,2}",
        1 => prop::sample::select(vec![
            ".", "..", "", ";", ";x", "%2e", "%2E", "%2f", "%5c", "%25", "%252e", "%3b", "%20", "%c3%a9",
            "%ff", "%00", "%", "é", "\\", "a;b=c", "..;", "%61", "+", "%3f", "%23", "...",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec((prop::bool::weighted(0.6), piece), 0..10).prop_map(|pieces| {
        let mut path = "/".to_owned();
        for (slash, piece) in pieces {
            if slash {
                path.push('/');
            }
            path.push_str(&piece);
        }
        path
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn f_3_the_canonical_path_encoded_again_is_its_own_canonical_path(raw in hard_path()) {
        if let Ok(path) = canonical(&raw) {
            prop_assert_eq!(canonical(&encoded(&path)), Ok(path));
        }
    }

    #[test]
    fn f_3_any_text_that_has_a_canonical_path_is_stable(raw in "/\\PC{0,20}") {
        if let Ok(path) = canonical(&raw) {
            prop_assert_eq!(canonical(&encoded(&path)), Ok(path));
        }
    }

    #[test]
    fn a_canonical_path_has_no_dots_no_gaps_and_no_parameters(raw in hard_path()) {
        if let Ok(path) = canonical(&raw) {
            prop_assert!(path.starts_with('/') && !path.contains("//") && !path.contains(';'));
            prop_assert!(!path.split('/').any(|segment| segment == "." || segment == ".."));
            prop_assert!(!path.contains('\\') && !path.chars().any(char::is_control));
        }
    }

    #[test]
    fn the_short_way_and_the_long_way_agree(raw in hard_path()) {
        if is_canonical(raw.as_bytes()) {
            let segments = Segments::resolve(&raw).unwrap();
            prop_assert_eq!(segments.join(|segment| &segment.name), raw.as_str());
            prop_assert_eq!(segments.join(|segment| segment.raw), raw.as_str());
        }
    }

    #[test]
    fn the_backend_gets_the_path_that_was_judged(raw in hard_path()) {
        let forwarded = forward_uri(&raw, NO_KEYS);
        prop_assert_eq!(forwarded.clone().map(|_| ()), canonical(&raw).map(|_| ()));
        if let Ok(forwarded) = forwarded {
            prop_assert_eq!(canonical(&forwarded), canonical(&raw));
            prop_assert!(forwarded.starts_with('/') && !forwarded.contains("//"));
            prop_assert_eq!(forward_uri(&forwarded, NO_KEYS), Ok(forwarded.clone()));
        }
    }

    #[test]
    fn t_43_no_key_parameter_is_left(pairs in prop::collection::vec("(key|api_key|x|)(=[a-z%0-9]{0,3})?", 0..6)) {
        let target = format!("/a?{}", pairs.join("&"));
        let uri = forward_uri(&target, &["key", "api_key"]).unwrap();
        let names: Vec<_> = split_target(&uri).1.unwrap_or_default().split('&').map(|p| p.split('=').next()).collect();
        prop_assert!(!names.contains(&Some("key")) && !names.contains(&Some("api_key")));
        let others = pairs.iter().filter(|p| !p.split('=').next().unwrap().ends_with("key")).cloned().collect::<Vec<_>>();
        prop_assert_eq!(split_target(&uri).1.unwrap_or_default(), others.join("&"));
    }
}
