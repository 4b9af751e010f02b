//! One kept connection to a gate: a request, its answer, the next request.

use crate::operator::{HOST, PATH};
use serde_json::json;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    body: String,
}

impl Reply {
    /// The verdict's code, as each way says it: in a header, in JSON, or as the text of an allow.
    pub(crate) fn code(&self) -> &str {
        let in_head = self.head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("latchkey-verdict")
                .then(|| value.trim())
        });
        let in_body = || self.body.split("\"code\":\"").nth(1)?.split('"').next();
        in_head.or_else(in_body).unwrap_or(self.body.trim())
    }

    /// All codes in the body, in their order.
    pub(crate) fn codes(&self) -> Vec<String> {
        let rests = self.body.split("\"code\":\"").skip(1);
        let codes = rests.filter_map(|rest| rest.split('"').next());
        codes.map(str::to_owned).collect()
    }

    /// How often this code stands in the body.
    pub(crate) fn count(&self, code: &str) -> usize {
        self.body.matches(&format!("\"code\":\"{code}\"")).count()
    }
}

/// The connection, opened anew after it broke.
pub(crate) struct Line {
    address: String,
    stream: Option<BufReader<TcpStream>>,
}

impl Line {
    pub(crate) fn to(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            stream: None,
        }
    }

    pub(crate) fn ask(&mut self, request: &[u8]) -> io::Result<Reply> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.open()?,
        };
        stream.get_mut().write_all(request)?;
        let reply = read(&mut stream)?;
        self.stream = Some(stream);
        Ok(reply)
    }

    fn open(&self) -> io::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(BufReader::new(stream))
    }
}

fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Reply> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or(io::ErrorKind::InvalidData)?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    });
    let length = length.and_then(|text| text.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Reply { status, head, body })
}

/// Asks for a verdict on one secret, as JSON.
pub(crate) fn verify(secret: &str, product: &str) -> Vec<u8> {
    let body = json!({"secret": secret, "product": product}).to_string();
    posted("/v1/verify", &body)
}

/// A request with a JSON body.
pub(crate) fn posted(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Asks as a gateway does for a request of one of its clients.
pub(crate) fn authorize(secret: &str) -> Vec<u8> {
    format!(
        "GET /v1/authorize HTTP/1.1\r\nHost: gate\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Host: {HOST}\r\n\
         X-Forwarded-Uri: {PATH}\r\nX-API-Key: {secret}\r\n\r\n"
    )
    .into_bytes()
}
