//! A request as the gate sees it, whoever read it from the wire: the framework, or the lane for those that arrive whole.

use std::net::IpAddr;

use actix_http::header::HeaderMap;
use actix_http::{HttpMessage, Payload};

use super::heads::Heads;
use crate::gate::Gate;

/// A request, as far as its head goes.
pub(crate) struct Request<'a> {
    /// Path and query, exactly as they came.
    pub(super) target: &'a str,
    pub(super) heads: Heads<'a>,
}

/// A request's body.
pub(crate) enum Body<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// What is still to come.
    Arriving(Payload),
}

/// The lines of a request's headers; those of one name are in their order of arrival.
pub(super) trait HeaderLines<'a> {
    /// Hands on each one's name, in lower case, and its value.
    fn each(&self, take: impl FnMut(&str, &'a [u8]));
}

impl<'a> Request<'a> {
    /// A request that the framework read.
    pub(crate) fn of(request: &'a actix_http::Request, gate: &'a Gate) -> Self {
        let target = request.uri().path_and_query();
        let peer = request.peer_addr().map(|peer| peer.ip());
        Self {
            target: target.map_or("", |target| target.as_str()),
            heads: Heads::read(request.method().as_str(), peer, &request.headers(), gate),
        }
    }

    /// A request whose head was found in these parts.
    pub(crate) fn read(
        (method, target): (&'a str, &'a str),
        headers: &[httparse::Header<'a>],
        peer: Option<IpAddr>,
        gate: &'a Gate,
    ) -> Self {
        Self {
            target,
            heads: Heads::read(method, peer, &headers, gate),
        }
    }

    /// The path, without the query.
    pub(super) fn path(&self) -> &'a str {
        path(self.target)
    }

    /// The path below an endpoint, with its query, exactly as it came.
    pub(super) fn below(&self, endpoint: &str) -> Option<&'a str> {
        below(self.target, endpoint)
    }
}

fn path(target: &str) -> &str {
    let path = target.split_once('?').map(|(path, _)| path);
    path.unwrap_or(target)
}

fn below<'a>(target: &'a str, endpoint: &str) -> Option<&'a str> {
    let below = target.strip_prefix(endpoint);
    below.filter(|below| below.starts_with('/'))
}

impl<'a> HeaderLines<'a> for &'a HeaderMap {
    fn each(&self, mut take: impl FnMut(&str, &'a [u8])) {
        for (name, value) in *self {
            take(name.as_str(), value.as_bytes());
        }
    }
}

impl<'a> HeaderLines<'a> for &[httparse::Header<'a>] {
    fn each(&self, mut take: impl FnMut(&str, &'a [u8])) {
        for header in *self {
            in_lower_case(header.name, |name| take(name, header.value));
        }
    }
}

/// Longer names are none that the gate looks for often.
const SHORT: usize = 64;

/// Hands on the name in lower case, from memory of its own only if it is long.
fn in_lower_case<R>(name: &str, take: impl FnOnce(&str) -> R) -> R {
    let mut short = [0; SHORT];
    let lower = short.get_mut(..name.len()).and_then(|short| {
        short.copy_from_slice(name.as_bytes());
        short.make_ascii_lowercase();
        std::str::from_utf8(short).ok()
    });
    match lower {
        Some(lower) => take(lower),
        None => take(&name.to_ascii_lowercase()),
    }
}

/// What holds no control and nothing beyond ASCII; nothing else is a text in a header here.
pub(super) fn text(value: &[u8]) -> Option<&str> {
    let is_visible = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
    let text = value.iter().all(is_visible).then_some(value)?;
    std::str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_in_lower_case_however_long() {
        for len in [0, 1, SHORT - 1, SHORT, SHORT + 1, 1_000] {
            let name = "X".repeat(len);
            assert_eq!(in_lower_case(&name, str::to_owned), "x".repeat(len));
        }
    }

    #[test]
    fn texts_are_visible_ascii() {
        assert_eq!(text(b"a\tb ~"), Some("a\tb ~"));
        for none in ["\u{e9}".as_bytes(), b"\xff", b"\x7f", b"a\rb", b"\0"] {
            assert_eq!(text(none), None, "{none:?}");
        }
    }

    #[test]
    fn the_target_is_split_at_its_first_question_mark() {
        for (target, whole, rest) in [
            ("/v1/authorize", "/v1/authorize", None),
            ("/v1/authorize?a=/b?c", "/v1/authorize", None),
            ("/v1/authorize/x?a", "/v1/authorize/x", Some("/x?a")),
            ("/v1/authorizer", "/v1/authorizer", None),
            ("", "", None),
        ] {
            assert_eq!(
                (path(target), below(target, "/v1/authorize")),
                (whole, rest)
            );
        }
    }
}
