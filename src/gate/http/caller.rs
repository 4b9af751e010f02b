//! Who calls: the page and the address that a request comes from.

use std::net::IpAddr;

use latchkey_rules::client_ip::client_ip;
use latchkey_rules::verdict::{Address, Caller};

use super::heads::Heads;
use super::request::text;
use crate::gate::GateSettings;

/// What the headers say, and a way to find out the address.
pub(super) fn caller<'a>(heads: &Heads<'a>, find: &'a dyn Fn() -> Option<IpAddr>) -> Caller<'a> {
    // What is no text is no origin either, and counts as one that is not allowed.
    let said = |value: Option<&'a [u8]>| value.map(|value| text(value).unwrap_or_default());
    Caller {
        origin: said(heads.origin),
        referer: said(heads.referer),
        user_agent: said(heads.user_agent),
        address: Address::AskedFor(find),
    }
}

/// Who is connected, and whom proxies say to stand behind it.
pub(super) struct Sender<'a> {
    peer: Option<IpAddr>,
    /// The first line of `X-Forwarded-For`; nearly always the only one, which costs no list.
    forwarded_for: Option<&'a [u8]>,
    further: Vec<&'a [u8]>,
}

impl<'a> Sender<'a> {
    pub(super) fn new(peer: Option<IpAddr>) -> Self {
        Self {
            peer,
            forwarded_for: None,
            further: Vec::new(),
        }
    }

    /// Adds a line of `X-Forwarded-For`.
    pub(super) fn is_behind(&mut self, line: &'a [u8]) {
        match self.forwarded_for {
            None => self.forwarded_for = Some(line),
            Some(_) => self.further.push(line),
        }
    }

    /// The client's address: the peer, or behind trusted proxies the one that they name (T-40).
    pub(super) fn address(&self, settings: &GateSettings) -> Option<IpAddr> {
        let lines = self.forwarded_for.iter().chain(&self.further);
        let lines = lines.map(|line| text(line).unwrap_or_default());
        let trusted = &settings.trusted_proxies;
        client_ip(self.peer, lines, trusted, settings.unix_trusted)
    }
}
