//! Where pages and addresses come from, each spelled out by hand beside what it means: nothing here is parsed by anybody.

use std::net::IpAddr;

/// The left-most label of an allowed domain.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Host {
    Exact(&'static str),
    /// One or more labels before this.
    Below(&'static str),
    /// One label that begins and ends so, before the rest.
    Label(&'static str, &'static str, &'static str),
}

/// An allowed domain as it is written, and what that means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Domain {
    pub(crate) text: &'static str,
    pub(crate) scheme: Option<&'static str>,
    pub(crate) host: Host,
    pub(crate) port: Option<u16>,
}

const fn domain(
    text: &'static str,
    scheme: Option<&'static str>,
    host: Host,
    port: Option<u16>,
) -> Domain {
    Domain {
        text,
        scheme,
        host,
        port,
    }
}

pub(crate) const DOMAINS: &[Domain] = &[
    domain("example.com", None, Host::Exact("example.com"), None),
    domain(
        "https://www.example.com",
        Some("https"),
        Host::Exact("www.example.com"),
        None,
    ),
    domain("*.example.com", None, Host::Below("example.com"), None),
    domain(
        "shop-*.example.com",
        None,
        Host::Label("shop-", "", "example.com"),
        None,
    ),
    domain(
        "*-eu.example.com:8443",
        None,
        Host::Label("", "-eu", "example.com"),
        Some(8443),
    ),
    domain("localhost", None, Host::Exact("localhost"), None),
    domain(
        "http://203.0.113.7:8080",
        Some("http"),
        Host::Exact("203.0.113.7"),
        Some(8080),
    ),
];

/// What a page's `Origin` or `Referer` says, and what that means; nothing for what is no origin.
pub(crate) type Page = (&'static str, Option<(&'static str, &'static str, u16)>);

pub(crate) const PAGES: &[Page] = &[
    ("https://example.com", Some(("https", "example.com", 443))),
    (
        "http://EXAMPLE.com/a/page?with=query",
        Some(("http", "example.com", 80)),
    ),
    (
        "https://www.example.com",
        Some(("https", "www.example.com", 443)),
    ),
    (
        "http://www.example.com",
        Some(("http", "www.example.com", 80)),
    ),
    (
        "https://a.b.example.com:8443",
        Some(("https", "a.b.example.com", 8443)),
    ),
    (
        "https://shop-7.example.com",
        Some(("https", "shop-7.example.com", 443)),
    ),
    (
        "https://shop-.example.com/",
        Some(("https", "shop-.example.com", 443)),
    ),
    (
        "https://x-eu.example.com:8443",
        Some(("https", "x-eu.example.com", 8443)),
    ),
    (
        "https://x-eu.example.com",
        Some(("https", "x-eu.example.com", 443)),
    ),
    (
        "https://x.shop-7.example.com",
        Some(("https", "x.shop-7.example.com", 443)),
    ),
    ("http://localhost:3000", Some(("http", "localhost", 3000))),
    (
        "http://203.0.113.7:8080",
        Some(("http", "203.0.113.7", 8080)),
    ),
    (
        "https://badexample.com",
        Some(("https", "badexample.com", 443)),
    ),
    (
        "https://example.com.evil.example",
        Some(("https", "example.com.evil.example", 443)),
    ),
    ("https://example.com@evil.example", None),
    ("null", None),
    ("", None),
    ("example.com", None),
    ("https://", None),
];

/// Whether the domain covers the page.
pub(crate) fn covers(domain: &Domain, page: (&str, &str, u16)) -> bool {
    let (scheme, host, port) = page;
    let host_fits = match domain.host {
        Host::Exact(name) => host == name,
        Host::Below(rest) => host.ends_with(&format!(".{rest}")),
        Host::Label(begin, end, rest) => {
            host.strip_suffix(&format!(".{rest}")).is_some_and(|label| {
                !label.contains('.')
                    && label.len() >= begin.len() + end.len()
                    && label.starts_with(begin)
                    && label.ends_with(end)
            })
        }
    };
    host_fits
        && domain.scheme.is_none_or(|own| own == scheme)
        && domain.port.is_none_or(|own| own == port)
}

/// A range of addresses as it is written: its first address and how many bits are fixed.
pub(crate) type Range = (&'static str, &'static str, usize);

pub(crate) const RANGES: &[Range] = &[
    ("203.0.113.7", "203.0.113.7", 32),
    ("198.51.100.0/24", "198.51.100.0", 24),
    ("192.0.2.64/26", "192.0.2.64", 26),
    ("2001:db8:7::/48", "2001:db8:7::", 48),
    ("2001:db8::1", "2001:db8::1", 128),
];

pub(crate) const ADDRESSES: &[&str] = &[
    "203.0.113.7",
    "203.0.113.8",
    "198.51.100.255",
    "198.51.101.0",
    "192.0.2.127",
    "192.0.2.128",
    "::ffff:198.51.100.9",
    "2001:db8:7:ffff::1",
    "2001:db8:8::1",
    "2001:db8::1",
];

fn bits(text: &str) -> Vec<bool> {
    let bytes = match text.parse().expect("an address") {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        // Mapped IPv4 is IPv4.
        IpAddr::V6(ip) => ip
            .to_ipv4_mapped()
            .map_or(ip.octets().to_vec(), |ip| ip.octets().to_vec()),
    };
    bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1))
        .collect()
}

/// Whether the range holds the address, bit by bit.
pub(crate) fn holds(range: &Range, address: &str) -> bool {
    let (first, address) = (bits(range.1), bits(address));
    first.len() == address.len() && (0..range.2).all(|place| first[place] == address[place])
}
