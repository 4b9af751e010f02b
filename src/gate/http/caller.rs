//! Who calls: the page and the address that a request comes from.

use std::net::IpAddr;

use actix_http::header::HeaderValue;
use actix_http::{HttpMessage, Request};
use latchkey_rules::client_ip::client_ip;
use latchkey_rules::verdict::{Address, Caller};

use super::heads::Heads;
use crate::gate::GateSettings;

/// What the headers say, and a way to find out the address.
pub(super) fn caller<'a>(heads: &Heads<'a>, find: &'a dyn Fn() -> Option<IpAddr>) -> Caller<'a> {
    Caller {
        origin: heads.origin.map(text),
        referer: heads.referer.map(text),
        user_agent: heads.user_agent.map(text),
        address: Address::AskedFor(find),
    }
}

/// What is no text is no origin either, and counts as one that is not allowed.
fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or_default()
}

/// The client's address: the peer, or behind trusted proxies the one that they name (T-40).
pub(super) fn address(request: &Request, settings: &GateSettings) -> Option<IpAddr> {
    let lines: Vec<&str> = request
        .headers()
        .get_all("x-forwarded-for")
        .map(text)
        .collect();
    let peer = request.peer_addr().map(|peer| peer.ip());
    let trusted = &settings.trusted_proxies;
    client_ip(peer, lines, trusted, settings.unix_trusted)
}
