//! Where a person goes on after signing in (T-56): a path of ours, or the start page. It knows no session.

/// The path to go on at: `wanted` when it can only be a page of this portal, else `/`.
pub fn safe(wanted: &str) -> &str {
    let mut characters = wanted.chars();
    let one_slash = characters.next() == Some('/') && characters.next() != Some('/');
    if one_slash
        && !wanted.contains('\\')
        && !wanted.chars().any(char::is_control)
        && wanted.len() <= 1024
    {
        wanted
    } else {
        "/"
    }
}

/// The sign-in page that leads back to `here`.
pub fn sign_in(here: &str) -> String {
    match safe(here) {
        "/" => "/sign-in".to_owned(),
        path => format!(
            "/sign-in?next={}",
            percent_encoding::utf8_percent_encode(path, percent_encoding::NON_ALPHANUMERIC)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn t_56_only_paths_of_this_portal_survive() {
        for (wanted, goes) in [
            ("/accounts/a/keys?q=x", "/accounts/a/keys?q=x"),
            ("/", "/"),
            ("", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("\\/evil.example", "/"),
            ("https://evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("/\t/evil.example", "/"),
            ("/a\r\nSet-Cookie: x", "/"),
            ("/a\u{0}b", "/"),
        ] {
            assert_eq!(safe(wanted), goes, "{wanted:?}");
        }
    }

    proptest! {
        #[test]
        fn t_56_whatever_is_asked_stays_on_this_origin(wanted in ".{0,40}") {
            let path = safe(&wanted);
            prop_assert!(path.starts_with('/') && !path.starts_with("//") && !path.contains('\\') && !path.chars().any(char::is_control));
        }

        #[test]
        fn t_56_the_way_back_is_read_as_it_was_written(here in "/[a-z/?=&%+ #]{0,30}") {
            let link = sign_in(&here);
            let query = link.strip_prefix("/sign-in").unwrap();
            let back = query.strip_prefix("?next=").map_or("/".to_owned(), |text| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned());
            prop_assert_eq!(safe(&back), safe(&here));
        }
    }
}
