//! F-5: an address is in a list of ranges when its bits say so, and as IPv4 written as IPv6 too.
//!
//! The bytes: one that is odd for IPv6, the address, then entries, a line each.

use std::net::{IpAddr, Ipv6Addr};

use latchkey_rules::ip_range::IpRange;

pub(crate) fn check(data: &[u8]) {
    let Some((ip, rest)) = address(data) else {
        return;
    };
    for text in String::from_utf8_lossy(rest).lines() {
        let Ok(range) = IpRange::parse(text) else {
            continue;
        };
        let again = IpRange::parse(&range.to_string()).unwrap();
        assert_eq!(again, range, "{text} is kept as {range}");
        let expected = holds(text.trim(), ip);
        assert_eq!(range.holds(ip), expected, "{text} and {ip}");
        if let IpAddr::V4(v4) = ip {
            let mapped = IpAddr::V6(v4.to_ipv6_mapped());
            assert_eq!(range.holds(mapped), expected, "{text} and {mapped}");
        }
    }
}

/// By bits alone. IPv4 is a family of its own, however it is written.
fn holds(text: &str, ip: IpAddr) -> bool {
    let (net, length) = text.split_once('/').unwrap_or((text, "128"));
    let net: IpAddr = net.parse().unwrap();
    let most = if net.is_ipv4() { 32 } else { 128 };
    let mut length = length.parse::<u32>().unwrap().min(most);
    if net.is_ipv4() {
        length += 96;
    }
    let is_v4 = |bits: u128| bits >> 32 == 0xffff;
    let (net, ip) = (bits(net), bits(ip));
    let is_of_v4 = is_v4(net) && length >= 96;
    is_of_v4 == is_v4(ip) && (0..length).all(|place| (net ^ ip) >> (127 - place) & 1 == 0)
}

fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn address(data: &[u8]) -> Option<(IpAddr, &[u8])> {
    let (family, data) = data.split_first()?;
    if family % 2 == 0 {
        let (octets, rest) = data.split_first_chunk::<4>()?;
        Some((IpAddr::from(*octets), rest))
    } else {
        let (octets, rest) = data.split_first_chunk::<16>()?;
        Some((IpAddr::V6(Ipv6Addr::from(*octets)), rest))
    }
}
