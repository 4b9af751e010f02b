//! Allowed IP addresses: entries as people write them. Form and gate read them with the same parser.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::client_ip;

/// Why an entry is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IpRangeError {
    /// Nothing stands there.
    #[error("the entry is empty")]
    Empty,
    /// A zone behind a link-local address.
    #[error("it holds a zone (%…), which means something on one machine only")]
    Zone,
    /// No address and no range.
    #[error("it must be an address such as 203.0.113.7, or a range such as 203.0.113.0/24")]
    NoRange,
    /// Bits are set that the range does not hold; the range that was meant.
    #[error("it has bits set behind its prefix; the range is {0}")]
    HostBits(String),
    /// Every address.
    #[error("it is every address; leave the list empty for that")]
    EveryAddress,
}

/// An allowed address or range; IPv4 written as IPv6 is IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpRange(IpNet);

impl IpRange {
    /// Reads an entry.
    ///
    /// # Errors
    /// [`IpRangeError`] says what is wrong and how to mend it.
    pub fn parse(text: &str) -> Result<Self, IpRangeError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(IpRangeError::Empty);
        }
        if text.contains('%') {
            return Err(IpRangeError::Zone);
        }
        let net = client_ip::network(text).ok_or(IpRangeError::NoRange)?;
        if net.trunc() != net {
            return Err(IpRangeError::HostBits(shown(client_ip::fold_mapped_net(
                net.trunc(),
            ))));
        }
        let net = client_ip::fold_mapped_net(net);
        if net.prefix_len() == 0 {
            return Err(IpRangeError::EveryAddress);
        }
        Ok(Self(net))
    }

    /// What was probably meant by a text that is no entry: without its zone, or without the bits behind its prefix.
    #[must_use]
    pub fn mended(text: &str) -> Option<String> {
        let text = text.trim();
        let (address, _) = text.split_once('%').unwrap_or((text, ""));
        match Self::parse(address) {
            Ok(range) if address != text => Some(range.to_string()),
            Err(IpRangeError::HostBits(meant)) => Some(meant),
            _ => None,
        }
    }

    /// Whether it holds the address.
    #[must_use]
    pub fn holds(&self, ip: IpAddr) -> bool {
        self.0.contains(&client_ip::fold_mapped(ip))
    }

    /// Whether it holds everything that the other does.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        self.0.contains(&other.0)
    }

    /// What it covers, as the end of a sentence: "256 addresses".
    #[must_use]
    pub fn in_words(&self) -> String {
        let free = self.0.max_prefix_len() - self.0.prefix_len();
        match free {
            0 => "one address".to_owned(),
            1..=63 => format!("{} addresses", 1_u64 << free),
            _ => format!("2^{free} addresses"),
        }
    }
}

/// A range of one address is written as the address.
fn shown(net: IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() {
        net.addr().to_string()
    } else {
        net.to_string()
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(self.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_probably_meant_is_offered() {
        for (typed, meant) in [
            ("203.0.113.7/24", Some("203.0.113.0/24")),
            ("fe80::1%eth0", Some("fe80::1")),
            ("0.0.0.0/0", None),
            ("nonsense", None),
        ] {
            assert_eq!(IpRange::mended(typed).as_deref(), meant, "{typed}");
        }
    }

    #[test]
    fn t_48_ranges_are_read_and_what_is_wrong_is_named_with_the_fix() {
        let table: &[(&str, Result<&str, &str>)] = &[
            ("203.0.113.7", Ok("203.0.113.7")),
            (" 203.0.113.0/24 ", Ok("203.0.113.0/24")),
            ("203.0.113.7/32", Ok("203.0.113.7")),
            ("2001:DB8::/32", Ok("2001:db8::/32")),
            ("::ffff:203.0.113.0/120", Ok("203.0.113.0/24")),
            ("::ffff:203.0.113.7", Ok("203.0.113.7")),
            ("203.0.113.7/24", Err("the range is 203.0.113.0/24")),
            ("2001:db8::1/64", Err("the range is 2001:db8::/64")),
            ("fe80::1%eth0", Err("zone")),
            ("203.0.113", Err("must be an address")),
            ("010.0.0.0/8", Err("must be an address")),
            ("010.0.0.1", Err("must be an address")),
            ("::ffff:0:010.0.0.0/120", Err("must be an address")),
            ("10.0.0.0/08", Err("must be an address")),
            ("10.0.0.0/+8", Err("must be an address")),
            ("10.0.0.0/33", Err("must be an address")),
            ("example.com", Err("must be an address")),
            ("0.0.0.0/0", Err("every address")),
            ("", Err("empty")),
        ];
        for (text, expected) in table {
            match (IpRange::parse(text), expected) {
                (Ok(range), Ok(shown)) => assert_eq!(range.to_string(), *shown, "{text}"),
                (Err(error), Err(part)) => {
                    assert!(error.to_string().contains(part), "{text}: {error}");
                }
                (read, _) => panic!("{text}: {read:?}"),
            }
        }
    }

    #[test]
    fn a_range_says_how_much_it_holds() {
        let table = [
            ("203.0.113.7", "one address"),
            ("203.0.113.0/24", "256 addresses"),
            ("2001:db8::/32", "2^96 addresses"),
        ];
        for (text, words) in table {
            assert_eq!(IpRange::parse(text).unwrap().in_words(), words);
        }
    }

    /// Bit by bit: the first `length` of both are the same.
    fn reference(net: u32, length: u32, ip: u32) -> bool {
        (0..length).all(|bit| (net >> (31 - bit)) & 1 == (ip >> (31 - bit)) & 1)
    }

    proptest! {
        #[test]
        fn t_48_an_address_is_in_a_range_as_its_bits_say(net: u32, length in 1_u32..=32, ip: u32, near in 0_u32..=32) {
            let net = net & (u32::MAX << (32 - length));
            let range = IpRange::parse(&format!("{}/{length}", std::net::Ipv4Addr::from(net))).unwrap();
            // Far away, and only so many bits away.
            for ip in [ip, net ^ (1_u32.checked_shl(near).unwrap_or(0))] {
                let v4 = std::net::Ipv4Addr::from(ip);
                let expected = reference(net, length, ip);
                prop_assert_eq!(range.holds(IpAddr::V4(v4)), expected);
                prop_assert_eq!(range.holds(IpAddr::V6(v4.to_ipv6_mapped())), expected);
            }
        }

        #[test]
        fn what_is_read_again_is_the_same(net: u128, length in 1_u32..=128) {
            let net = net & (u128::MAX << (128 - length));
            let text = format!("{}/{length}", std::net::Ipv6Addr::from(net));
            if let Ok(range) = IpRange::parse(&text) {
                prop_assert_eq!(IpRange::parse(&range.to_string()), Ok(range));
            }
        }
    }
}
