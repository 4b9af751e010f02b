//! Who is calling: the address of the client behind proxies that are trusted, and only those.
//!
//! It must not know which header the lines came from, nor any request.

use std::net::{IpAddr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};

/// The client's address. `peer` is who is connected (`None`: a Unix socket), `forwarded` are the
/// `X-Forwarded-For` lines in the order received.
///
/// A peer that is not trusted is the client. Behind a trusted one, the entries are read from the right,
/// each written by the proxy to the right of it: the first that is not trusted itself is the client.
/// What stands further left came from the client and is never read. An entry that is no address stops
/// the walk at the proxy that wrote it.
pub fn client_ip<'a, I>(
    peer: Option<IpAddr>,
    forwarded: I,
    trusted: &[IpNet],
    unix_trusted: bool,
) -> Option<IpAddr>
where
    I: IntoIterator<Item = &'a str>,
    I::IntoIter: DoubleEndedIterator,
{
    let is_trusted = |ip: IpAddr| trusted.iter().any(|net| contains(net, ip));
    let mut nearest = peer.map(fold_mapped);
    if !nearest.map_or(unix_trusted, is_trusted) {
        return nearest;
    }
    let entries = forwarded
        .into_iter()
        .rev()
        .flat_map(|line| line.rsplit(','));
    for entry in entries {
        let Some(ip) = address(entry.trim()) else {
            return nearest;
        };
        nearest = Some(ip);
        if !is_trusted(ip) {
            return nearest;
        }
    }
    nearest
}

/// An address, as some proxies write it also with the port.
fn address(entry: &str) -> Option<IpAddr> {
    let plain = entry.parse::<IpAddr>().ok();
    let with_port = || entry.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    plain.or_else(with_port).map(fold_mapped)
}

/// Reads an address or a network. An address is read as strictly beside a length as alone: in `010.0.0.0` some see ten and some, by the rules of C, eight.
#[must_use]
pub fn network(text: &str) -> Option<IpNet> {
    let Some((address, length)) = text.split_once('/') else {
        let address: IpAddr = text.parse().ok()?;
        return Some(address.into());
    };
    let is_plain = length == "0" || !length.starts_with(['0', '+']);
    let length = length.parse().ok().filter(|_| is_plain)?;
    IpNet::new(address.parse().ok()?, length).ok()
}

/// Whether a network holds an address, IPv4 written as IPv6 counting as IPv4 on both sides.
#[must_use]
pub fn contains(net: &IpNet, ip: IpAddr) -> bool {
    fold_mapped_net(*net).contains(&fold_mapped(ip))
}

/// IPv4-mapped IPv6 (`::ffff:192.0.2.1`) as the IPv4 address that it is.
#[must_use]
pub const fn fold_mapped(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// A range of IPv4-mapped IPv6 as the IPv4 range that it is.
#[must_use]
pub fn fold_mapped_net(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    v6.addr()
        .to_ipv4_mapped()
        .zip(v6.prefix_len().checked_sub(96))
        .and_then(|(addr, prefix_len)| Ipv4Net::new(addr, prefix_len).ok())
        .map_or(net, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nets(list: &[&str]) -> Vec<IpNet> {
        list.iter().map(|net| net.parse().unwrap()).collect()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn t_40_the_client_is_the_peer_unless_the_peer_is_trusted() {
        let trusted = nets(&["127.0.0.1/32", "::1/128", "10.0.0.0/8"]);
        let walk = |peer: &str, lines: &[&str]| {
            client_ip(Some(ip(peer)), lines.iter().copied(), &trusted, true)
        };
        for (peer, lines, client) in [
            ("203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
            (
                "127.0.0.1",
                &["1.1.1.1, 198.51.100.1, 10.0.0.3", "10.1.2.3"],
                "198.51.100.1",
            ),
            ("127.0.0.1", &["10.0.0.3, 10.0.0.4"], "10.0.0.3"),
            // Junk stops the walk at the proxy that wrote it.
            ("127.0.0.1", &["junk"], "127.0.0.1"),
            ("127.0.0.1", &[""], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1,"], "127.0.0.1"),
            (
                "127.0.0.1",
                &["198.51.100.1, unknown, 10.0.0.3"],
                "10.0.0.3",
            ),
            ("127.0.0.1", &["198.51.100.1, fe80::1%eth0"], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1, 010.0.0.3"], "127.0.0.1"),
            // Ports, and IPv4 written as IPv6.
            ("127.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("127.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("::ffff:127.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            (
                "127.0.0.1",
                &["198.51.100.1, ::ffff:10.0.0.3"],
                "198.51.100.1",
            ),
            ("::1", &["2001:db8::1"], "2001:db8::1"),
        ] {
            assert_eq!(walk(peer, lines), Some(ip(client)), "{peer} {lines:?}");
        }
    }

    #[test]
    fn t_40_a_unix_peer_has_no_address_of_its_own() {
        let trusted = nets(&["127.0.0.1/32"]);
        let lines = ["198.51.100.1"];
        assert_eq!(
            client_ip(None, lines, &trusted, true),
            Some(ip("198.51.100.1"))
        );
        assert_eq!(client_ip(None, lines, &trusted, false), None);
        assert_eq!(client_ip(None, ["junk"], &trusted, true), None);
    }

    #[test]
    fn ranges_written_as_mapped_ipv6_hold_their_ipv4_addresses() {
        let net: IpNet = "::ffff:10.0.0.0/104".parse().unwrap();
        assert!(contains(&net, ip("10.1.2.3")) && contains(&net, ip("::ffff:10.1.2.3")));
        assert!(!contains(&net, ip("11.1.2.3")));
        let all: IpNet = "::/0".parse().unwrap();
        assert!(contains(&all, ip("2001:db8::1")) && !contains(&all, ip("10.1.2.3")));
    }

    proptest! {
        #[test]
        fn f_4_entries_added_on_the_left_change_nothing(
            added in prop::collection::vec("([0-9.]{1,15}|[ -~&&[^,]]{0,20}|10\\.0\\.0\\.[0-9])(,[ -~]{0,10})?", 0..4),
            client: [u8; 4],
            proxies in prop::collection::vec(any::<u8>(), 0..4),
            in_one_line: bool,
        ) {
            let trusted = nets(&["127.0.0.0/8", "10.0.0.0/8"]);
            let client = IpAddr::from(client);
            prop_assume!(!trusted.iter().any(|net| net.contains(&client)));
            let written = std::iter::once(client.to_string())
                .chain(proxies.iter().map(|n| format!("10.0.0.{n}")))
                .collect::<Vec<_>>()
                .join(", ");
            let with_added = if in_one_line {
                vec![added.iter().cloned().chain([written]).collect::<Vec<_>>().join(",")]
            } else {
                added.iter().cloned().chain([written]).collect()
            };
            let lines = with_added.iter().map(String::as_str);
            prop_assert_eq!(client_ip(Some(ip("127.0.0.1")), lines, &trusted, true), Some(client));
        }
    }
}
