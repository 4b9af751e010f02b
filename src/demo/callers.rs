//! Who sends the requests of the demo's customers. Only tables.
//!
//! Must not know how any of it is stored or sent.

use latchkey_rules::environment::Environment;

use super::keys::{KeyShape, State};

/// A program of a customer, as its requests show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Voice {
    /// The page that it runs on, or else the address that it calls from.
    pub(super) place: &'static str,
    /// Its `User-Agent`.
    pub(super) agent: &'static str,
    /// How much of the key's traffic is its own, of a hundred.
    pub(super) share: u64,
}

impl Voice {
    /// The header that says where it calls from: as a browser would, or as the proxy in front of it.
    pub(super) fn from(&self) -> (&'static str, &'static str) {
        if self.place.contains("://") {
            ("Origin", self.place)
        } else {
            ("X-Forwarded-For", self.place)
        }
    }
}

const fn voice(place: &'static str, agent: &'static str, share: u64) -> Voice {
    Voice {
        place,
        agent,
        share,
    }
}

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
const SAFARI_MOBILE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";

const QUOTES: &[Voice] = &[
    voice("https://www.tessera-freight.example", CHROME, 64),
    voice("https://www.tessera-freight.example", SAFARI_MOBILE, 27),
    voice(
        "https://spring.quotes.tessera-freight.example",
        "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
        9,
    ),
];
const SCANNERS: &[Voice] = &[
    voice("198.51.100.24", "DepotScanner/3.1", 71),
    voice("198.51.100.61", "DepotScanner/2.8", 29),
];
const ROTATING: &[Voice] = &[
    voice("203.0.113.17", "axios/1.7.2", 58),
    voice("198.51.100.8", "axios/1.7.2", 31),
    voice("192.0.2.140", "python-requests/2.31.0", 11),
];
const BACKEND: &[Voice] = &[
    voice("203.0.113.17", "Go-http-client/2.0", 66),
    voice("198.51.100.8", "Go-http-client/2.0", 30),
    voice("192.0.2.140", "curl/8.5.0", 4),
];
const BENCH: &[Voice] = &[
    voice("192.0.2.140", "python-requests/2.31.0", 88),
    voice("2001:db8:41:7::9", "curl/8.5.0", 12),
];

/// Those who call with a key; their shares are a hundred together. The last one is the slowest to change its secret.
pub(super) fn voices(shape: &KeyShape) -> &'static [Voice] {
    match (shape.name, shape.state) {
        ("Quote widget", _) => QUOTES,
        ("Depot scanners", _) => SCANNERS,
        (_, State::Rotating) => ROTATING,
        _ if shape.environment == Environment::Live => BACKEND,
        _ => BENCH,
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::keys;
    use super::*;

    #[test]
    fn the_shares_of_each_keys_callers_are_a_hundred_together() {
        for shape in keys() {
            let voices = voices(&shape);
            let all: u64 = voices.iter().map(|voice| voice.share).sum();
            assert_eq!(all, 100, "{}", shape.name);
        }
    }
}
