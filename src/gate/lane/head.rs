//! Whether bytes are a request that the lane takes: one that is there whole, and in whose framing nothing is to be weighed.
//!
//! It refuses nothing: whatever is odd, unfinished or wrong is read by the framework, which knows what to answer. The two
//! must never see different requests in the same bytes, so both read heads with the same parser, and what the framework
//! would weigh, the lane leaves alone. It must not know sockets.

use std::mem::MaybeUninit;

use httparse::{Header, Status};

/// As many as the framework takes.
pub(super) const MAX_HEADERS: usize = 96;

/// Digits of a body's length; more are no length that could have arrived.
const LENGTH_DIGITS: usize = 9;

/// A request that is there whole.
#[derive(Debug)]
pub(super) struct Whole<'b, 'h> {
    pub(super) method: &'b str,
    /// Path and query.
    pub(super) target: &'b str,
    pub(super) headers: &'h [Header<'b>],
    pub(super) body: &'b [u8],
    /// Bytes of all of it.
    pub(super) len: usize,
    /// Whether it is the connection's last.
    pub(super) is_last: bool,
}

/// Room for the headers of a request.
pub(super) type Room<'b> = [MaybeUninit<Header<'b>>; MAX_HEADERS];

/// The request at the start of these bytes, if the lane takes it.
pub(super) fn whole<'b, 'h>(bytes: &'b [u8], room: &'h mut Room<'b>) -> Option<Whole<'b, 'h>> {
    let mut parsed = httparse::Request::new(&mut []);
    let Ok(Status::Complete(head_len)) = parsed.parse_with_uninit_headers(bytes, room) else {
        return None;
    };
    let (method, target) = (parsed.method?, parsed.path?);
    let headers: &'h [Header<'b>] = parsed.headers;
    if parsed.version != Some(1) || !is_plain_method(method) || !is_plain_target(target) {
        return None;
    }
    let framing = Framing::of(headers)?;
    let len = head_len.checked_add(framing.body_len)?;
    // Nothing may follow the last one: what does is for the framework to drop.
    if framing.is_last && len != bytes.len() {
        return None;
    }
    Some(Whole {
        method,
        target,
        headers,
        body: bytes.get(head_len..len)?,
        len,
        is_last: framing.is_last,
    })
}

/// A word that every reader takes for a method, after whose request the connection goes on and whose answer has a body.
fn is_plain_method(method: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_uppercase() || byte == b'-';
    !matches!(method, "HEAD" | "CONNECT") && method.bytes().all(is_plain)
}

/// A path, with or without a query, that every reader of addresses reads alike (RFC 3986, 3.3 and 3.4).
fn is_plain_target(target: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte);
    target.starts_with('/') && target.bytes().all(is_plain)
}

/// Where a request ends, and the connection with it.
#[derive(Debug, Default)]
struct Framing {
    body_len: usize,
    is_last: bool,
}

impl Framing {
    /// What the headers say of it, if they say it plainly.
    fn of(headers: &[Header<'_>]) -> Option<Self> {
        let (mut host, mut length, mut connection) = (None, None, None);
        for header in headers {
            let once = match header.name.len() {
                4 if is(header, "host") => &mut host,
                14 if is(header, "content-length") => &mut length,
                10 if is(header, "connection") => &mut connection,
                17 if is(header, "transfer-encoding") => return None,
                7 if is(header, "upgrade") => return None,
                6 if is(header, "expect") => return None,
                _ => continue,
            };
            if once.replace(header.value).is_some() {
                return None;
            }
        }
        host?;
        Some(Self {
            body_len: length.map_or(Some(0), number)?,
            is_last: connection.map_or(Some(false), closes)?,
        })
    }
}

fn is(header: &Header<'_>, name: &str) -> bool {
    header.name.eq_ignore_ascii_case(name)
}

/// Whether the connection is to be closed, where it says nothing else.
fn closes(connection: &[u8]) -> Option<bool> {
    if connection.eq_ignore_ascii_case(b"keep-alive") {
        return Some(false);
    }
    connection.eq_ignore_ascii_case(b"close").then_some(true)
}

fn number(digits: &[u8]) -> Option<usize> {
    let is_plain = digits.len() <= LENGTH_DIGITS && digits.iter().all(u8::is_ascii_digit);
    let digits = std::str::from_utf8(is_plain.then_some(digits)?).ok()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str) -> Option<(usize, String, bool)> {
        let mut room = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let whole = whole(text.as_bytes(), &mut room)?;
        let body = String::from_utf8(whole.body.to_vec()).unwrap();
        Some((whole.len, body, whole.is_last))
    }

    #[test]
    fn what_gateways_send_is_taken() {
        let plain = "GET /v1/authorize HTTP/1.1\r\nHost: a\r\nX-Key: b\r\n\r\n";
        let posted = "POST /v1/verify HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}";
        let kept = "PUT /a/%20?b=(c) HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n";
        let last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        for (text, body, is_last) in [
            (plain, "", false),
            (posted, "{}", false),
            (kept, "", false),
            (last, "", true),
        ] {
            assert_eq!(
                taken(text),
                Some((text.len(), body.to_owned(), is_last)),
                "{text}"
            );
        }
        let two = format!("{posted}{plain}");
        assert_eq!(taken(&two), Some((posted.len(), "{}".to_owned(), false)));
    }

    #[test]
    fn what_is_odd_unfinished_or_wrong_is_left() {
        let with = |line: &str| format!("POST /a HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n{{}}");
        let lines = [
            "Content-Length: 3",
            "Content-Length: +2",
            "Content-Length: 2\r\nContent-Length: 2",
            "Content-Length: 0000000002",
            "Content-Length: 2, 2",
            "Content-Length:",
            "Transfer-Encoding: chunked",
            "transfer-encoding: identity",
            "Connection: close, x",
            "Connection: keep-alive\r\nConnection: close",
            "Connection: close",
            "Upgrade: websocket",
            "Expect: 100-continue",
            "Host: b",
            "no colon",
        ];
        for text in lines.map(with) {
            assert_eq!(taken(&text), None, "{text}");
        }
        for text in [
            "",
            "GET / HTTP/1.1\r\nHost: a\r\n\r",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
            "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
            "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
            "G$T / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nmore",
        ] {
            assert_eq!(taken(text), None, "{text}");
        }
    }
}
