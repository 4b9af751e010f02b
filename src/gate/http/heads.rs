//! A request's headers, read in one pass: what the gate needs of them, and how often each stood there.

use std::net::IpAddr;

use super::caller::Sender;
use super::request::HeaderLines;
use crate::gate::answer::names;
use crate::gate::read_key::KeyReader;
use crate::gate::target::Said;
use crate::gate::{Gate, GateSettings};

const AUTHORIZATION: &str = "authorization";

/// What the gate reads of a request's headers.
pub(super) struct Heads<'a> {
    /// What could be the key, but for the query.
    pub(super) key: KeyReader<'a, 'a>,
    /// What is said of the request that is asked about.
    pub(super) said: Said<'a>,
    pub(super) sender: Sender<'a>,
    pub(super) origin: Option<&'a [u8]>,
    pub(super) referer: Option<&'a [u8]>,
    pub(super) user_agent: Option<&'a [u8]>,
    pub(super) gate_token: Option<&'a [u8]>,
    pub(super) asks_method: Option<&'a [u8]>,
    pub(super) asks_headers: Option<&'a [u8]>,
    pub(super) is_encoded: bool,
    /// Whether a trusted proxy says that the request came over http without encryption.
    pub(super) is_plain: bool,
    pub(super) content_length: Option<&'a [u8]>,
    /// What a proxy was told of a refusal that it asks to see written out.
    pub(super) told: Told<'a>,
}

/// A refusal as the gate told it to a proxy.
#[derive(Clone, Copy, Default)]
pub(super) struct Told<'a> {
    pub(super) status: Option<&'a [u8]>,
    pub(super) verdict: Option<&'a [u8]>,
    pub(super) request_id: Option<&'a [u8]>,
}

impl<'a> Heads<'a> {
    pub(super) fn read(
        method: &'a str,
        peer: Option<IpAddr>,
        lines: &impl HeaderLines<'a>,
        gate: &'a Gate,
    ) -> Self {
        let settings = gate.settings();
        let mut heads = Self {
            key: KeyReader::new(&settings.prefix),
            said: Said {
                method,
                peer_is_trusted: settings.trusts(peer),
                ..Said::default()
            },
            sender: Sender::new(peer),
            origin: None,
            referer: None,
            user_agent: None,
            gate_token: None,
            asks_method: None,
            asks_headers: None,
            is_encoded: false,
            is_plain: false,
            content_length: None,
            told: Told::default(),
        };
        let mut has_authorization = false;
        lines.each(|name, value| {
            has_authorization |= name == AUTHORIZATION;
            heads.take(name, value, settings);
        });
        // Read last, so that a key header beside it is where the key counts as read, in whichever order they came.
        if has_authorization {
            lines.each(|name, value| {
                if name == AUTHORIZATION {
                    heads.key.authorization(value);
                }
            });
        }
        heads
    }

    fn take(&mut self, name: &str, value: &'a [u8], settings: &GateSettings) {
        match name {
            "host" => self.said.host = Some(value),
            "origin" => self.origin = self.origin.or(Some(value)),
            "referer" => self.referer = self.referer.or(Some(value)),
            "user-agent" => self.user_agent = self.user_agent.or(Some(value)),
            "x-forwarded-uri" => self.said.forwarded_uri.add(value),
            "x-forwarded-host" => self.said.forwarded_host.add(value),
            "x-forwarded-method" => self.said.forwarded_method.add(value),
            "x-forwarded-for" => self.sender.is_behind(value),
            "latchkey-gate-token" => self.gate_token = Some(value),
            "access-control-request-method" => self.asks_method = Some(value),
            "access-control-request-headers" => self.asks_headers = Some(value),
            "x-forwarded-proto" => {
                self.is_plain |= self.said.peer_is_trusted && value == b"http";
            }
            "content-encoding" => self.is_encoded |= value != b"identity",
            "content-length" => self.content_length = Some(value),
            names::STATUS => self.told.status = self.told.status.or(Some(value)),
            names::VERDICT => self.told.verdict = self.told.verdict.or(Some(value)),
            names::REQUEST_ID => self.told.request_id = self.told.request_id.or(Some(value)),
            _ if settings.is_key_header(name) => self.key.header(value),
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
