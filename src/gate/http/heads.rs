//! A request's headers, read in one pass: what the gate needs of them, and how often each stood there.

use actix_http::header::{self, HeaderValue};
use actix_http::{HttpMessage, Request};

use crate::gate::read_key::KeyReader;
use crate::gate::target::Said;
use crate::gate::{Gate, GateSettings};

/// What the gate reads of a request's headers.
pub(super) struct Heads<'a> {
    /// What could be the key, but for the query.
    pub(super) key: KeyReader<'a, 'a>,
    /// What is said of the request that is asked about.
    pub(super) said: Said<'a>,
    pub(super) origin: Option<&'a HeaderValue>,
    pub(super) referer: Option<&'a HeaderValue>,
    pub(super) user_agent: Option<&'a HeaderValue>,
    pub(super) gate_token: Option<&'a HeaderValue>,
    pub(super) asks_method: Option<&'a HeaderValue>,
    pub(super) asks_headers: Option<&'a HeaderValue>,
    pub(super) is_encoded: bool,
    /// Whether a trusted proxy says that the request came over http without encryption.
    pub(super) is_plain: bool,
    pub(super) content_length: Option<&'a HeaderValue>,
}

impl<'a> Heads<'a> {
    pub(super) fn read(request: &'a Request, gate: &'a Gate) -> Self {
        let settings = gate.settings();
        let mut heads = Self {
            key: KeyReader::new(&settings.prefix),
            said: Said {
                method: request.method().as_str(),
                peer_is_trusted: settings.trusts(request.peer_addr().map(|peer| peer.ip())),
                ..Said::default()
            },
            origin: None,
            referer: None,
            user_agent: None,
            gate_token: None,
            asks_method: None,
            asks_headers: None,
            is_encoded: false,
            is_plain: false,
            content_length: None,
        };
        let mut has_authorization = false;
        for (name, value) in request.headers() {
            has_authorization |= name == header::AUTHORIZATION;
            heads.take(name.as_str(), value, settings);
        }
        if has_authorization {
            for value in request.headers().get_all(header::AUTHORIZATION) {
                heads.key.authorization(value.as_bytes());
            }
        }
        heads
    }

    fn take(&mut self, name: &str, value: &'a HeaderValue, settings: &GateSettings) {
        match name {
            "host" => self.said.host = Some(value.as_bytes()),
            "origin" => self.origin = self.origin.or(Some(value)),
            "referer" => self.referer = self.referer.or(Some(value)),
            "user-agent" => self.user_agent = self.user_agent.or(Some(value)),
            "x-forwarded-uri" => self.said.forwarded_uri.add(value.as_bytes()),
            "x-forwarded-host" => self.said.forwarded_host.add(value.as_bytes()),
            "x-forwarded-method" => self.said.forwarded_method.add(value.as_bytes()),
            "latchkey-gate-token" => self.gate_token = Some(value),
            "access-control-request-method" => self.asks_method = Some(value),
            "access-control-request-headers" => self.asks_headers = Some(value),
            "x-forwarded-proto" => {
                self.is_plain |= self.said.peer_is_trusted && value.as_bytes() == b"http";
            }
            "content-encoding" => self.is_encoded |= value.as_bytes() != b"identity",
            "content-length" => self.content_length = Some(value),
            _ if settings.is_key_header(name) => self.key.header(value.as_bytes()),
            _ => self.said.has_twin |= is_twin(name),
        }
    }
}

/// Whether it is one of the three names that say what is asked, with an underscore in place of a hyphen: some proxies
/// hand those on from the client.
fn is_twin(name: &str) -> bool {
    let same = |exact: &str| {
        let pairs = exact.bytes().zip(name.bytes());
        exact.len() == name.len()
            && pairs
                .into_iter()
                .all(|(a, b)| a == b || (a == b'-' && b == b'_'))
    };
    name.bytes().any(|byte| byte == b'_')
        && ["x-forwarded-uri", "x-forwarded-host", "x-forwarded-method"]
            .into_iter()
            .any(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_41_every_underscore_twin_is_recognised_and_nothing_else() {
        for twin in [
            "x_forwarded_uri",
            "x_forwarded-uri",
            "x-forwarded_host",
            "x_forwarded_method",
        ] {
            assert!(is_twin(twin), "{twin}");
        }
        for other in [
            "x-forwarded-uri",
            "x_forwarded_for",
            "xx_forwarded_uri",
            "x_forwarded_ur",
            "x_forwarded.uri",
        ] {
            assert!(!is_twin(other), "{other}");
        }
    }
}
