//! Cross-site writes are refused without tokens (T-13): the browser says where a request comes from. It knows no session:
//! signing in is protected as everything else is.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName};

use crate::web::public_url::PublicUrl;

/// Whether a method may change something.
pub fn is_unsafe(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether an unsafe request comes from a page of this portal: `Sec-Fetch-Site` must be `same-origin`; only where it is
/// absent, `Origin` must be ours. Two lines of either are refused.
pub fn is_ours(headers: &HeaderMap, public_url: &PublicUrl) -> bool {
    match lines(headers, HeaderName::from_static("sec-fetch-site")) {
        Lines::One(site) => site == "same-origin",
        Lines::Many => false,
        Lines::None => match lines(headers, header::ORIGIN) {
            Lines::One(origin) => public_url.same_origin(origin, host(headers)),
            _ => false,
        },
    }
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
}

enum Lines<'a> {
    None,
    One(&'a str),
    Many,
}

fn lines(headers: &HeaderMap, name: HeaderName) -> Lines<'_> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Lines::None,
        (Some(value), None) => value.to_str().map_or(Lines::Many, Lines::One),
        _ => Lines::Many,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(name.parse().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn t_13_only_this_portals_pages_may_write() {
        let url = PublicUrl::parse("https://keys.example.com").unwrap();
        let ours = "https://keys.example.com";
        for (pairs, good) in [
            (vec![("sec-fetch-site", "same-origin")], true),
            (
                vec![
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "https://evil.example"),
                ],
                true,
            ),
            (vec![("sec-fetch-site", "same-site")], false),
            (
                vec![("sec-fetch-site", "same-site"), ("origin", ours)],
                false,
            ),
            (
                vec![("sec-fetch-site", "cross-site"), ("origin", ours)],
                false,
            ),
            (vec![("sec-fetch-site", "none"), ("origin", ours)], false),
            (vec![("sec-fetch-site", "")], false),
            (
                vec![
                    ("sec-fetch-site", "same-origin"),
                    ("sec-fetch-site", "cross-site"),
                ],
                false,
            ),
            (vec![("origin", ours)], true),
            (vec![("origin", "null")], false),
            (
                vec![("origin", "https://keys.example.com.evil.example")],
                false,
            ),
            (vec![("origin", "http://keys.example.com")], false),
            (vec![("origin", ours), ("origin", ours)], false),
            (vec![("referer", "https://keys.example.com/keys")], false),
            (vec![], false),
        ] {
            assert_eq!(is_ours(&headers(&pairs), &url), good, "{pairs:?}");
        }
    }

    #[test]
    fn t_13_on_loopback_the_host_asked_for_is_an_origin_too() {
        let url = PublicUrl::parse("http://127.0.0.1:8080").unwrap();
        assert!(is_ours(
            &headers(&[
                ("host", "localhost:8080"),
                ("origin", "http://localhost:8080")
            ]),
            &url
        ));
        assert!(!is_ours(
            &headers(&[
                ("host", "localhost:8080"),
                ("origin", "http://localhost:9999")
            ]),
            &url
        ));
        assert!(!is_ours(
            &headers(&[("host", "evil.example"), ("origin", "http://evil.example")]),
            &url
        ));
    }
}
