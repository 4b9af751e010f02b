//! Allowed domains: entries as people write them, the pages that they cover, and the page that a request comes from. Form and
//! gate read entries with the same parser, so what is accepted is what is enforced.
//!
//! An entry is `[scheme://]host[:port]`. A host alone stands for itself with any scheme and port. A `*` may stand once, in the
//! left-most label: alone for one label or more, beside other characters for any run of them, never for a dot.
//!
//! It must not know which header an origin came from.

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Why an entry is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// Nothing stands there.
    #[error("the entry is empty")]
    Empty,
    /// A bare `*`.
    #[error(
        "a * alone is every site; to allow that, leave the list empty and say that any site may use the key"
    )]
    EverySite,
    /// A name and password before the host.
    #[error("it holds a user name; write the host alone")]
    UserInfo,
    /// Characters that no host has.
    #[error("{0} is no host")]
    NoHost(String),
    /// A port that is none.
    #[error("the port must be a number from 1 to 65535, or left away for any port")]
    Port,
    /// A scheme that is none.
    #[error("what stands before :// must be a scheme such as https")]
    Scheme,
    /// A wildcard that is not in the first label, or stands twice.
    #[error("a * may stand once, in the first label of the host")]
    Wildcard,
    /// The fixed part covers hosts of many owners.
    #[error(
        "{0} covers hosts of many owners; what follows the * must hold a whole registered domain, such as *.example.com"
    )]
    TooWide(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum HostRule {
    /// This host.
    Exact(Box<str>),
    /// Any labels in front of this one.
    Below(Box<str>),
    /// A first label that begins and ends like that, in front of this one.
    Label {
        begin: Box<str>,
        end: Box<str>,
        rest: Box<str>,
    },
}

/// An allowed domain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DomainPattern {
    scheme: Option<Box<str>>,
    host: HostRule,
    port: Option<u16>,
}

/// An entry that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it stands for.
    pub pattern: DomainPattern,
    /// Whether a path, query or fragment was left away.
    pub was_cut: bool,
}

impl DomainPattern {
    /// Reads an entry.
    ///
    /// # Errors
    /// [`DomainError`] says what is wrong and how to mend it.
    pub fn parse(text: &str) -> Result<Entry, DomainError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(DomainError::Empty);
        }
        if matches!(text, "*" | "*:*" | "http://*" | "https://*") {
            return Err(DomainError::EverySite);
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(read_scheme(scheme)?), rest),
            None => (None, text),
        };
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        if authority.contains('@') {
            return Err(DomainError::UserInfo);
        }
        let (host, port) = split_port(authority);
        let port = match port {
            None | Some("*") => None,
            Some(port) => Some(read_port(port)?),
        };
        let pattern = Self {
            scheme,
            host: read_rule(host)?,
            port,
        };
        let was_cut = !matches!(tail, "" | "/");
        Ok(Entry { pattern, was_cut })
    }

    /// What was probably meant by a text that is no entry: without its user name, its port, or with its wildcard in front.
    #[must_use]
    pub fn mended(text: &str) -> Option<String> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let rest = rest.rsplit('@').next().unwrap_or(rest);
        let (host, _) = split_port(rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest));
        let fixed: Vec<&str> = host
            .split('.')
            .filter(|label| !label.is_empty() && !label.contains('*'))
            .collect();
        let scheme = if is_scheme(scheme) {
            format!("{scheme}://")
        } else {
            String::new()
        };
        let wild = format!("{scheme}*.{}", fixed.join("."));
        let candidates = [format!("{scheme}{host}"), host.to_owned(), wild];
        let is_entry = |candidate: &String| *candidate != text && Self::parse(candidate).is_ok();
        candidates.into_iter().find(is_entry)
    }

    /// Whether a page of this origin is covered.
    #[must_use]
    pub fn covers(&self, origin: &Origin<'_>) -> bool {
        let is_scheme = |scheme: &str| scheme.eq_ignore_ascii_case(origin.scheme);
        self.scheme.as_deref().is_none_or(is_scheme)
            && self.port.is_none_or(|port| origin.port == Some(port))
            && self.host.covers(&origin.host)
    }

    /// Whether every page that the other covers is covered too, as far as that is plain to see.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        let scheme = self.scheme.is_none() || self.scheme == other.scheme;
        let port = self.port.is_none() || self.port == other.port;
        scheme && port && self.host.includes(&other.host)
    }

    /// What it covers, as the end of a sentence: "every host below example.com".
    #[must_use]
    pub fn in_words(&self) -> String {
        let host = match &self.host {
            HostRule::Exact(host) => format!("{host} alone"),
            HostRule::Below(rest) => format!("every host below {rest}, and not {rest} itself"),
            HostRule::Label { begin, end, rest } => match (&**begin, &**end) {
                (begin, "") => format!("hosts of {rest} whose first label begins with {begin}"),
                ("", end) => format!("hosts of {rest} whose first label ends with {end}"),
                (begin, end) => format!(
                    "hosts of {rest} whose first label begins with {begin} and ends with {end}"
                ),
            },
        };
        let scheme = self.scheme.as_ref().map(|scheme| format!(", by {scheme}"));
        let port = self.port.map(|port| format!(", on port {port}"));
        format!(
            "{host}{}{}",
            scheme.unwrap_or_default(),
            port.unwrap_or_default()
        )
    }
}

impl fmt::Display for DomainPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = &self.scheme {
            write!(f, "{scheme}://")?;
        }
        match &self.host {
            HostRule::Exact(host) => f.write_str(host)?,
            HostRule::Below(rest) => write!(f, "*.{rest}")?,
            HostRule::Label { begin, end, rest } => write!(f, "{begin}*{end}.{rest}")?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl HostRule {
    fn covers(&self, host: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *host,
            Self::Below(rest) => below(host, rest).is_some(),
            Self::Label { begin, end, rest } => below(host, rest).is_some_and(|label| {
                label.len() >= begin.len() + end.len()
                    && label.starts_with(&**begin)
                    && label.ends_with(&**end)
                    && !label.contains('.')
            }),
        }
    }

    fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Exact(host)) => self.covers(host),
            (Self::Below(mine), Self::Below(other)) => {
                mine == other || below(other, mine).is_some()
            }
            (Self::Below(mine), Self::Label { rest, .. }) => {
                mine == rest || below(rest, mine).is_some()
            }
            _ => self == other,
        }
    }
}

/// The labels of a host that stand in front of `rest`, if some do.
fn below<'h>(host: &'h str, rest: &str) -> Option<&'h str> {
    let labels = host.strip_suffix(rest)?.strip_suffix('.')?;
    (!labels.is_empty() && !labels.starts_with('.')).then_some(labels)
}

fn read_scheme(text: &str) -> Result<Box<str>, DomainError> {
    is_scheme(text)
        .then(|| text.to_ascii_lowercase().into())
        .ok_or(DomainError::Scheme)
}

fn is_scheme(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// Host and port, with the brackets of an IPv6 address left around it.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let after_brackets = authority.rfind(']').map_or(0, |at| at + 1);
    let (head, tail) = authority.split_at(after_brackets);
    match tail.split_once(':') {
        Some((rest, port)) if head.is_empty() => (rest, Some(port)),
        Some(("", port)) => (head, Some(port)),
        _ => (authority, None),
    }
}

fn read_port(text: &str) -> Result<u16, DomainError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| *port > 0 && plain);
    port.ok_or(DomainError::Port)
}

fn read_rule(host: &str) -> Result<HostRule, DomainError> {
    let Some((first, rest)) = host.split_once('*') else {
        return read_host(host).map(|host| HostRule::Exact(host.into()));
    };
    let (end, rest) = rest.split_once('.').ok_or(DomainError::Wildcard)?;
    if first.contains('.') || end.contains('*') || rest.contains('*') {
        return Err(DomainError::Wildcard);
    }
    let too_wide = || DomainError::TooWide(host.to_owned());
    let rest = read_host(rest)?;
    let is_name = rest.parse::<Ipv4Addr>().is_err() && !rest.starts_with('[');
    if !is_name || psl::domain_str(&rest).is_none() {
        return Err(too_wide());
    }
    if first.is_empty() && end.is_empty() {
        return Ok(HostRule::Below(rest.into()));
    }
    let label = |part: &str| {
        let part = part.to_ascii_lowercase();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_plain = part.bytes().all(plain);
        is_plain
            .then_some(part)
            .ok_or_else(|| DomainError::NoHost(host.to_owned()))
    };
    Ok(HostRule::Label {
        begin: label(first)?.into(),
        end: label(end)?.into(),
        rest: rest.into(),
    })
}

/// A host in lower-case punycode without a dot at its end; IPv4 as it is, IPv6 in brackets.
fn read_host(text: &str) -> Result<String, DomainError> {
    let wrong = || DomainError::NoHost(text.to_owned());
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let address: Ipv6Addr = inner.parse().map_err(|_no_address| wrong())?;
        return Ok(format!("[{address}]"));
    }
    let host = idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::URL)
        .map_err(|_no_name| wrong())?;
    let host = host.strip_suffix('.').unwrap_or(&host);
    let label = |label: &str| !label.is_empty() && label.len() <= 63;
    if host.is_empty() || host.len() > 253 || !host.split('.').all(label) {
        return Err(wrong());
    }
    // What ends in a number is an IPv4 address or nothing (WHATWG URL, host parsing).
    let last = host.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) && host.parse::<Ipv4Addr>().is_err() {
        return Err(wrong());
    }
    Ok(host.to_owned())
}

/// The page that a request comes from: what an `Origin` header holds, or a `Referer`'s beginning.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin<'a> {
    scheme: &'a str,
    host: Cow<'a, str>,
    port: Option<u16>,
}

impl<'a> Origin<'a> {
    /// Reads an origin or an address. `null`, and whatever else is no origin, is none: it is never covered.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, _) = rest.split_at(end);
        if !is_scheme(scheme) || authority.contains('@') {
            return None;
        }
        let (host, port) = split_port(authority);
        let port = match port {
            Some(port) => Some(read_port(port).ok()?),
            None => default_port(scheme),
        };
        let plain = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
        };
        // What browsers send is in its final form already.
        let is_final = !host.is_empty()
            && !host.ends_with('.')
            && !host.starts_with('.')
            && host.bytes().all(plain);
        let host = if is_final && !host.contains("..") && !host.contains("xn--") {
            Cow::Borrowed(host)
        } else {
            Cow::Owned(read_host(host).ok()?)
        };
        Some(Self { scheme, host, port })
    }
}

/// As browsers write it: without a port that the scheme has anyway.
impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match self.port {
            Some(port) if default_port(self.scheme) != Some(port) => write!(f, ":{port}"),
            _ => Ok(()),
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "https" | "wss" => Some(443),
        "http" | "ws" => Some(80),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
