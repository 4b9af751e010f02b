//! One HTTP/1.1 request a connection, written byte for byte: proxies and smugglers need what clients would tidy up.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A request to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// Adds a header line; the same name again is a second line.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn headers<'a>(self, lines: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        lines
            .into_iter()
            .fold(self, |ask, (name, value)| ask.header(name, value))
    }

    pub(crate) fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", kind)
    }

    pub(crate) fn json(self, body: &serde_json::Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// Sends it to `address`, which is its `Host` too unless it has one.
    pub(crate) fn send(&self, address: &str) -> Answer {
        self.try_send(address)
            .unwrap_or_else(|error| panic!("{} {} at {address}: {error}", self.method, self.target))
    }

    pub(crate) fn try_send(&self, address: &str) -> std::io::Result<Answer> {
        let mut lines = vec![format!("{} {} HTTP/1.1", self.method, self.target)];
        let has = |name: &str| {
            self.headers
                .iter()
                .any(|(n, _)| n.eq_ignore_ascii_case(name))
        };
        if !has("host") {
            lines.push(format!("Host: {address}"));
        }
        lines.extend(
            self.headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        if !self.body.is_empty() || matches!(self.method.as_str(), "POST" | "PUT" | "PATCH") {
            lines.push(format!("Content-Length: {}", self.body.len()));
        }
        lines.push("Connection: close\r\n\r\n".to_owned());
        let mut bytes = lines.join("\r\n").into_bytes();
        bytes.extend_from_slice(&self.body);
        let answer = raw(address, &bytes)?;
        Answer::read(&answer, self.method == "HEAD").ok_or_else(|| {
            let text = String::from_utf8_lossy(&answer).into_owned();
            std::io::Error::other(format!("no HTTP answer: {text:?}"))
        })
    }
}

/// Writes these bytes and reads until the other side closes.
pub(crate) fn raw(address: &str, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    raw_within(Duration::from_secs(20), address, bytes)
}

/// The same, waiting for each piece of the answer no longer than this.
pub(crate) fn raw_within(
    longest: Duration,
    address: &str,
    bytes: &[u8],
) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(longest))?;
    stream.set_nodelay(true)?;
    // A server may refuse before it has read all: its answer counts then, not the broken pipe.
    let written = stream.write_all(bytes);
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    if answer.is_empty() {
        written?;
        read?;
    }
    Ok(answer)
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads the first answer out of a connection's bytes.
    pub(crate) fn read(bytes: &[u8], head_alone: bool) -> Option<Self> {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Self {
            status,
            headers,
            body: Vec::new(),
        };
        let rest = &bytes[end + 4..];
        answer.body = if head_alone {
            Vec::new()
        } else if answer.header("transfer-encoding") == Some("chunked") {
            unchunked(rest)?
        } else {
            let length = answer
                .header("content-length")
                .map_or(rest.len(), |n| n.parse().unwrap());
            rest.get(..length)?.to_vec()
        };
        Some(answer)
    }

    /// The first line of this name (lower case).
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{error} in the answer {} {:?}", self.status, self.text())
        })
    }
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|w| w == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 2 + size + 2..)?;
    }
}

#[test]
fn chunks_are_put_together() {
    let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
    assert_eq!(Answer::read(bytes, false).unwrap().text(), "abcde");
}
