//! Hosts: as products name them, and as requests do.

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

const MAX_BYTES: usize = 253;

/// Which hosts a pair is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostPattern {
    /// One host, in its normal form.
    Exact(String),
    /// All hosts with one or more labels before this suffix, which begins with its dot: `*.example.com`
    /// is `.example.com` here.
    Wildcard(String),
    /// Every host.
    Any,
}

/// The text is no host pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// A whole URL, or a path after the host.
    #[error(
        "“{0}” is more than a host. Write the host alone, such as api.example.com; the path goes into its own field."
    )]
    MoreThanAHost(String),
    /// A port.
    #[error(
        "“{0}” names a port. A product is the same on every port, so write the host without it."
    )]
    Port(String),
    /// A `*` elsewhere than as the whole first label.
    #[error(
        "In “{0}” the wildcard is not the whole first label. Write *.example.com, or * for every host."
    )]
    Wildcard(String),
    /// Letters beyond ASCII.
    #[error("“{0}” has letters beyond ASCII. Write its xn-- form, which is what browsers send.")]
    NotAscii(String),
    /// No host.
    #[error("“{0}” is no host. It looks like api.example.com.")]
    NoHost(String),
}

impl HostPattern {
    /// Reads a host pattern: a host, `*.` and a host, or `*`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let text = text.trim();
        let owned = || text.to_owned();
        if text == "*" {
            return Ok(Self::Any);
        }
        if text.contains(['/', '?', '#', '@']) {
            return Err(HostError::MoreThanAHost(owned()));
        }
        if !text.is_ascii() {
            return Err(HostError::NotAscii(owned()));
        }
        let (is_wildcard, host) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if host.contains('*') {
            return Err(HostError::Wildcard(owned()));
        }
        let normal = normal_host(host).ok_or_else(|| HostError::NoHost(owned()))?;
        let after_v6 = host.rsplit(']').next().unwrap_or(host);
        if after_v6.contains(':') {
            return Err(HostError::Port(owned()));
        }
        if is_wildcard && normal.starts_with('[') {
            return Err(HostError::Wildcard(owned()));
        }
        Ok(if is_wildcard {
            Self::Wildcard(format!(".{normal}"))
        } else {
            Self::Exact(normal.into_owned())
        })
    }

    /// Whether a host in its normal form is one of these.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => host == name,
            Self::Wildcard(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
            Self::Any => true,
        }
    }

    /// How much of the host is fixed: the longer, the more specific a wildcard.
    pub(super) fn suffix_len(&self) -> usize {
        match self {
            Self::Exact(name) | Self::Wildcard(name) => name.len(),
            Self::Any => 0,
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.pad(name),
            Self::Wildcard(suffix) => write!(f, "*{suffix}"),
            Self::Any => f.pad("*"),
        }
    }
}

impl FromStr for HostPattern {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// A host as it is compared: in lower case, without port and trailing dot, IPv6 in its short form.
/// `None` when it is no host. One that already is in this form is borrowed.
#[must_use]
pub fn normal_host(host: &str) -> Option<Cow<'_, str>> {
    if let Some(rest) = host.strip_prefix('[') {
        let (inner, after) = rest.split_once(']')?;
        let address: Ipv6Addr = inner.parse().ok()?;
        return is_port(after).then(|| Cow::Owned(format!("[{address}]")));
    }
    let colon = host.bytes().position(|byte| byte == b':');
    let (name, port) = host.split_at(colon.unwrap_or(host.len()));
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut labels = name.as_bytes().split(|byte| *byte == b'.');
    let is_name = (1..=MAX_BYTES).contains(&name.len()) && labels.all(is_label);
    if !is_name || !is_port(port) {
        return None;
    }
    Some(if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    })
}

/// Nothing, or a colon and digits.
fn is_port(text: &str) -> bool {
    text.is_empty()
        || text
            .strip_prefix(':')
            .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
}

fn is_label(label: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    !label.is_empty() && label.iter().all(fits)
}
