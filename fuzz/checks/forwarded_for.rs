//! F-4: what a client adds on the left of `X-Forwarded-For` changes nothing.
//!
//! The bytes: a client's address (four, or sixteen when the first is odd), then texts a line each: what the proxies wrote
//! to the right of the client, then the lines that the client itself sent. The last of them comes to stand in the line
//! that the first proxy appends to.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use latchkey_rules::client_ip::{client_ip, contains, fold_mapped};

const TRUSTED: [&str; 4] = [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "::1/128",
    "::ffff:192.168.0.0/112",
];
const PEERS: [Option<&str>; 3] = [Some("127.0.0.1"), Some("::ffff:10.0.0.1"), None];

pub(crate) fn check(data: &[u8]) {
    let Some((client, rest)) = client_of(data) else {
        return;
    };
    let trusted = TRUSTED.map(|net| net.parse::<IpNet>().unwrap());
    if trusted.iter().any(|net| contains(net, client)) {
        return;
    }
    let text = String::from_utf8_lossy(rest);
    let (proxies, sent) = text.split_once('\n').unwrap_or((&text, ""));
    let written = if proxies.is_empty() {
        client.to_string()
    } else {
        format!("{client},{proxies}")
    };
    for peer in PEERS.map(|peer| peer.map(|peer| peer.parse::<IpAddr>().unwrap())) {
        let walk = |lines: &[&str]| client_ip(peer, lines.iter().copied(), &trusted, true);
        let alone = walk(&[&written]);
        let mut lines: Vec<&str> = sent.split('\n').collect();
        lines.push(&written);
        assert_eq!(walk(&lines), alone, "in lines of its own: {lines:?}");
        lines.pop();
        let appended = format!("{},{written}", lines.pop().unwrap_or_default());
        lines.push(&appended);
        assert_eq!(walk(&lines), alone, "in one line: {lines:?}");
        if proxies.is_empty() {
            assert_eq!(alone, Some(fold_mapped(client)));
        }
    }
}

fn client_of(data: &[u8]) -> Option<(IpAddr, &[u8])> {
    if data.first()? % 2 == 0 {
        let (octets, rest) = data.split_first_chunk::<4>()?;
        Some((IpAddr::from(*octets), rest))
    } else {
        let (octets, rest) = data.split_first_chunk::<16>()?;
        Some((IpAddr::V6(Ipv6Addr::from(*octets)), rest))
    }
}
