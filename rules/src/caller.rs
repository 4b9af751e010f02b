//! Who calls with a key, coarsely enough to be kept: the page or network that requests come from, and what sends them.
//!
//! It decides nothing: whoever rotates, pauses or deletes a key reads here whom that reaches.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::client_ip::fold_mapped;
use crate::domain::Origin;

/// Where requests come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CallerPlace {
    /// Pages of this origin: `https://shop.example`.
    Page(Box<str>),
    /// Addresses of this network.
    Network(IpNet),
    /// No page, and no address that is known or kept.
    Unknown,
    /// Places too many to be kept apart.
    Other,
}

/// How much of an address is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressDetail {
    /// Its network: a /24 of IPv4, a /48 of IPv6.
    #[default]
    Network,
    /// All of it.
    Full,
    /// Nothing.
    Nothing,
}

/// A longer `Origin` or `Referer` is read as none: bytes.
const PAGE_BYTES: usize = 4_096;
/// The longest host there is, with a scheme and a port.
const PLACE_BYTES: usize = 300;
/// Where one request comes from, before it is put into words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Whence<'a> {
    /// A page of this origin.
    Page(Origin<'a>),
    /// An address of this network.
    Network(IpNet),
    /// Neither is known, or kept.
    Nowhere,
}

impl<'a> Whence<'a> {
    /// The page in `Origin`, without one that in `Referer`; without either, or when it is no page's, the address.
    #[must_use]
    pub fn of(
        origin: Option<&'a str>,
        referer: Option<&'a str>,
        address: impl FnOnce() -> Option<IpAddr>,
        detail: AddressDetail,
    ) -> Self {
        let page = origin.or(referer).filter(|text| text.len() <= PAGE_BYTES);
        if let Some(page) = page.and_then(Origin::parse) {
            return Self::Page(page);
        }
        if detail == AddressDetail::Nothing {
            return Self::Nowhere;
        }
        address()
            .and_then(|ip| network(ip, detail))
            .map_or(Self::Nowhere, Self::Network)
    }
}

impl From<&Whence<'_>> for CallerPlace {
    fn from(whence: &Whence<'_>) -> Self {
        match whence {
            Whence::Page(origin) => {
                let page = origin.to_string();
                if page.len() > PLACE_BYTES {
                    return Self::Unknown;
                }
                Self::Page(page.into())
            }
            Whence::Network(net) => Self::Network(*net),
            Whence::Nowhere => Self::Unknown,
        }
    }
}

const UNKNOWN: &str = "";
const OTHER: &str = "*";

impl CallerPlace {
    /// Reads what [`fmt::Display`] wrote; whatever else it is, it is a place among others.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        if text == UNKNOWN {
            return Self::Unknown;
        }
        if text.contains("://") {
            return Self::Page(text.into());
        }
        text.parse().map_or(Self::Other, Self::Network)
    }
}

impl fmt::Display for CallerPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page(origin) => f.write_str(origin),
            Self::Network(net) => net.fmt(f),
            Self::Unknown => f.write_str(UNKNOWN),
            Self::Other => f.write_str(OTHER),
        }
    }
}

fn network(ip: IpAddr, detail: AddressDetail) -> Option<IpNet> {
    let ip = fold_mapped(ip);
    let length = match (detail, ip) {
        (AddressDetail::Network, IpAddr::V4(_)) => 24,
        (AddressDetail::Network, IpAddr::V6(_)) => 48,
        _ => return Some(ip.into()),
    };
    IpNet::new(ip, length).ok().map(|net| net.trunc())
}

/// What browsers call themselves, by the token that no other of them sends; those that imitate others come first.
const BROWSERS: [(&str, &str); 10] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("HeadlessChrome/", "Headless Chrome"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
    ("AppleWebKit/", "WebKit"),
];

/// A longer name is none: no secret fits in.
const NAME_CHARS: usize = 32;
/// A longer number is no version's.
const VERSION_DIGITS: usize = 6;
/// What stands for a program whose name cannot be told.
pub const UNNAMED_AGENT: &str = "unnamed";
/// What stands for programs too many to be kept apart. No family is called so.
pub const OTHER_AGENTS: &str = "*";

/// The family of what a `User-Agent` names (RFC 9110, section 10.1.5): a browser's name, or the first product with the
/// first two numbers of its version, as in `HarbourDriver/5.2`. At most 46 characters, all of them letters, digits and
/// `. _ + - /` or blanks; empty for an empty text.
#[must_use]
pub fn agent_family(user_agent: &str) -> String {
    let user_agent = user_agent.trim();
    if user_agent.is_empty() {
        return String::new();
    }
    if let Some(rest) = user_agent.strip_prefix("Mozilla/") {
        return browser(rest);
    }
    product(user_agent)
}

fn browser(rest: &str) -> String {
    // "Mozilla/5.0 (compatible; Examplebot/2.1; …)" is a robot that says so.
    if let Some((_, behind)) = rest.split_once("(compatible; ") {
        return product(behind);
    }
    let known = BROWSERS.iter().find(|(token, _)| rest.contains(token));
    let Some((_, name)) = known else {
        return "Mozilla".to_owned();
    };
    let is_mobile = rest.contains("Mobile");
    format!("{name}{}", if is_mobile { " Mobile" } else { "" })
}

fn product(text: &str) -> String {
    let end = text.find(|c| !is_name_char(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() || name.len() > NAME_CHARS {
        return UNNAMED_AGENT.to_owned();
    }
    match rest.strip_prefix('/').and_then(version) {
        Some(version) => format!("{name}/{version}"),
        None => name.to_owned(),
    }
}

const fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-')
}

/// `5.2` of `5.2.17-beta`.
fn version(text: &str) -> Option<String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let numbers: Vec<&str> = text
        .split('.')
        .map(leading_digits)
        .take(2)
        .take_while(|digits| (1..=VERSION_DIGITS).contains(&digits.len()))
        .collect();
    (!numbers.is_empty()).then(|| numbers.join("."))
}

fn leading_digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len())).0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn agents_are_told_by_family() {
        for (sent, family) in [
            ("", ""),
            ("  ", ""),
            ("curl/8.5.0", "curl/8.5"),
            ("python-requests/2.31.0", "python-requests/2.31"),
            ("HarbourDriver/5.2 (iOS 18.1; en)", "HarbourDriver/5.2"),
            ("axios/v1.7.2", "axios/1.7"),
            ("Go-http-client/1.1", "Go-http-client/1.1"),
            ("okhttp", "okhttp"),
            ("depot scanner 3", "depot"),
            ("app/2024-rc1", "app/2024"),
            ("app/20241128093000", "app"),
            ("Zeichen€/1", "Zeichen"),
            ("€/1", UNNAMED_AGENT),
            ("(nothing)", UNNAMED_AGENT),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
                "Chrome",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
                "Chrome Mobile",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36 Edg/131.0",
                "Edge",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:133.0) Gecko/20100101 Firefox/133.0",
                "Firefox",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
                "Safari Mobile",
            ),
            (
                "Mozilla/5.0 (compatible; Examplebot/2.1; +https://bot.example)",
                "Examplebot/2.1",
            ),
            ("Mozilla/4.0", "Mozilla"),
        ] {
            assert_eq!(agent_family(sent), family, "{sent}");
        }
    }

    #[test]
    fn a_place_is_a_page_before_it_is_a_network() {
        let ip: IpAddr = "203.0.113.40".parse().unwrap();
        let of = |origin, referer, detail| {
            let whence = Whence::of(origin, referer, || Some(ip), detail);
            CallerPlace::from(&whence).to_string()
        };
        let network = AddressDetail::Network;
        for (origin, referer, place) in [
            (
                Some("https://Shop.Example:443"),
                None,
                "https://shop.example",
            ),
            (Some("http://localhost:3000"), None, "http://localhost:3000"),
            (
                None,
                Some("https://shop.example/cart?id=7"),
                "https://shop.example",
            ),
            (
                Some("null"),
                Some("https://shop.example/"),
                "203.0.113.0/24",
            ),
            (Some("https://a@b.example"), None, "203.0.113.0/24"),
            (None, None, "203.0.113.0/24"),
        ] {
            assert_eq!(
                of(origin, referer, network),
                place,
                "{origin:?} {referer:?}"
            );
        }
        assert_eq!(of(None, None, AddressDetail::Full), "203.0.113.40/32");
        assert_eq!(of(None, None, AddressDetail::Nothing), "");
        for (ip, net) in [
            ("2001:db8:7:8::9", "2001:db8:7::/48"),
            ("::ffff:198.51.100.7", "198.51.100.0/24"),
        ] {
            let whence = Whence::of(None, None, || ip.parse().ok(), network);
            assert_eq!(CallerPlace::from(&whence).to_string(), net);
        }
    }

    #[test]
    fn a_page_that_is_longer_than_any_host_is_no_place() {
        for (length, is_known) in [(PLACE_BYTES, true), (PLACE_BYTES + 1, false)] {
            let page = format!("https://{}", "a".repeat(length - "https://".len()));
            let whence = Whence::of(Some(&page), None, || None, AddressDetail::Network);
            let place = CallerPlace::from(&whence);
            assert_eq!(place != CallerPlace::Unknown, is_known, "{length}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sent_a_family_is_short_and_plain(sent in "\\PC{0,200}") {
            let family = agent_family(&sent);
            prop_assert!(family.len() <= 46, "{family}");
            prop_assert!(family.chars().all(|c| is_name_char(c) || c == '/' || c == ' '), "{family}");
        }

        #[test]
        fn a_place_comes_back_from_its_text(ip: IpAddr, full: bool, page in "https?://[a-z]{1,9}(:[1-9][0-9]{0,3})?") {
            let detail = if full { AddressDetail::Full } else { AddressDetail::Network };
            for place in [
                CallerPlace::from(&Whence::of(None, None, || Some(ip), detail)),
                CallerPlace::from(&Whence::of(Some(&page), None, || None, detail)),
                CallerPlace::Unknown,
                CallerPlace::Other,
            ] {
                prop_assert_eq!(CallerPlace::from_text(&place.to_string()), place);
            }
        }
    }
}
