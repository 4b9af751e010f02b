//! An answer on its way out: as bytes of HTTP/1.1, or for the framework to send.

use std::borrow::Cow;

use actix_http::body::BoxBody;
use actix_http::header::{HeaderName, HeaderValue};
use actix_http::{ConnectionType, Response, StatusCode};
use actix_web::web::Bytes;

use super::Answer;
use super::lines::push_number;

impl Answer {
    /// Appends the answer as it goes out (RFC 9112), with the connection's own lines. `date` is the instant as HTTP writes
    /// it; `is_last` says that the connection ends with it.
    pub(crate) fn write(&self, out: &mut Vec<u8>, date: &[u8], is_last: bool) {
        out.reserve(self.lines.as_bytes().len() + self.body.len() + 192);
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(self.status.as_str().as_bytes());
        out.push(b' ');
        let reason = self.status.canonical_reason().unwrap_or_default();
        out.extend_from_slice(reason.as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(self.lines.as_bytes());
        // An answer without content says nothing of its length either (RFC 9110, 8.6).
        if self.status != StatusCode::NO_CONTENT {
            out.extend_from_slice(b"content-length: ");
            push_number(out, u64::try_from(self.body.len()).unwrap_or(u64::MAX));
            out.extend_from_slice(b"\r\n");
        }
        if is_last {
            out.extend_from_slice(b"connection: close\r\n");
        }
        out.extend_from_slice(b"date: ");
        out.extend_from_slice(date);
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(&self.body);
    }

    /// The same for the framework to send.
    pub(crate) fn into_response(self) -> Response<BoxBody> {
        let body: Bytes = match self.body {
            Cow::Borrowed(body) => Bytes::from_static(body),
            Cow::Owned(body) => Bytes::from(body),
        };
        let mut response = Response::with_body(self.status, BoxBody::new(body));
        for (name, value) in self.lines.iter() {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_bytes(value);
            if let (Ok(name), Ok(value)) = (name, value) {
                response.headers_mut().append(name, value);
            }
        }
        if self.closes {
            response
                .head_mut()
                .set_connection_type(ConnectionType::Close);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(answer: &Answer, is_last: bool) -> String {
        let mut out = b"before ".to_vec();
        answer.write(&mut out, b"Thu, 14 Mar 2024 21:20:00 GMT", is_last);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_answer_is_written_with_its_length_and_date() {
        let answer = Answer::new(StatusCode::TOO_MANY_REQUESTS, b"{}").of_type("application/json");
        assert_eq!(
            written(&answer, false),
            "before HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\
             date: Thu, 14 Mar 2024 21:20:00 GMT\r\n\r\n{}"
        );
        let nothing = Answer::new(StatusCode::NO_CONTENT, b"");
        assert_eq!(
            written(&nothing, true),
            "before HTTP/1.1 204 No Content\r\nconnection: close\r\ndate: Thu, 14 Mar 2024 21:20:00 GMT\r\n\r\n"
        );
    }
}
