//! The headers that every answer of the portal carries (T-53), in one place. They depend on nothing but the scheme and on
//! whether the answer is private.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::web::request_id::RequestId;

/// The header with the request's name.
const REQUEST_ID: HeaderName = HeaderName::from_static("latchkey-request-id");

/// What a page may load, and from where: only from the portal itself.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'";

/// Two years of https only, for this host.
pub const STRICT_TRANSPORT_SECURITY: &str = "max-age=63072000";

const ALWAYS: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Not `no-referrer`: browsers then send `Origin: null` with forms, and writes could not be told from forged ones.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    (header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    (header::CROSS_ORIGIN_EMBEDDER_POLICY, "require-corp"),
    (
        header::PERMISSIONS_POLICY,
        "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    ),
];

/// Sets them. A `private` answer is kept by nobody; the others are asked for again each time, unless they say otherwise
/// themselves, as assets do.
pub fn apply(headers: &mut HeaderMap, https: bool, private: bool) {
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if https {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(STRICT_TRANSPORT_SECURITY),
        );
    }
    if private {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    } else if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache"),
        );
    }
}

/// Says the request's name, which stands in its log line and in the audit events of what it changed.
pub fn name(headers: &mut HeaderMap, id: &RequestId) {
    if let Ok(value) = HeaderValue::from_bytes(id.as_bytes()) {
        headers.insert(REQUEST_ID, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_53_the_policy_lets_nothing_in_from_elsewhere() {
        let directives: Vec<&str> = CONTENT_SECURITY_POLICY.split("; ").collect();
        assert_eq!(directives.first(), Some(&"default-src 'none'"));
        for directive in directives {
            let (_, sources) = directive.split_once(' ').unwrap();
            assert!(matches!(sources, "'self'" | "'none'"), "{directive}");
        }
    }

    #[test]
    fn t_53_https_is_demanded_only_where_there_is_https() {
        for https in [true, false] {
            let mut headers = HeaderMap::new();
            apply(&mut headers, https, false);
            assert_eq!(
                headers.contains_key(header::STRICT_TRANSPORT_SECURITY),
                https
            );
            assert!(!headers.contains_key(header::SERVER));
        }
    }

    #[test]
    fn t_53_a_private_answer_is_not_stored_even_where_it_asked_to_be() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public"));
        apply(&mut headers, true, true);
        assert_eq!(headers.get(header::CACHE_CONTROL).unwrap(), "no-store");
    }
}
