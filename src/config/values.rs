//! What the settings may hold: each parser takes text and gives a value, or says what is allowed ("must be …").
//!
//! Must not repeat the text it was given: it may be a secret.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::IpNet;
use latchkey_rules::client_ip::network;

/// Where a listener is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// An address and port.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl Listen {
    /// Reads `127.0.0.1:8081`, `[::1]:8081` or `unix:/run/latchkey/gate.sock`.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.strip_prefix("unix:") {
            Some(path) if Path::new(path).is_absolute() => Ok(Self::Unix(PathBuf::from(path))),
            Some(_) => Err(
                "must give the socket's whole path, such as unix:/run/latchkey/gate.sock"
                    .to_owned(),
            ),
            None => text.parse().map(Self::Tcp).map_err(|_address_error| {
                "must be an address and port, such as 127.0.0.1:8080, or unix:/path".to_owned()
            }),
        }
    }

    /// Whether only this machine can reach it.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The address under which people reach the portal: scheme, host and port, nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Reads an address; plain http is allowed on loopback alone.
    pub fn parse(text: &str) -> Result<Self, String> {
        let allowed =
            || "must be an address such as https://keys.example.com, without a path".to_owned();
        let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
        let (scheme, authority) = text.split_once("://").ok_or_else(allowed)?;
        let (host, _port) = split_port(authority)
            .filter(|(host, _)| is_host(host))
            .ok_or_else(allowed)?;
        match scheme {
            "https" => Ok(Self(text)),
            "http" if matches!(host, "localhost" | "127.0.0.1" | "[::1]") => Ok(Self(text)),
            "http" => Err(
                "must begin with https:// unless its host is localhost, 127.0.0.1 or [::1]: \
                           browsers refuse the session's cookie on plain http"
                    .to_owned(),
            ),
            _ => Err(allowed()),
        }
    }

    /// The address of a portal that listens on this machine alone.
    pub fn of_listener(address: SocketAddr) -> Self {
        let host = if address.is_ipv6() {
            "[::1]"
        } else {
            "127.0.0.1"
        };
        Self(format!("http://{host}:{}", address.port()))
    }

    /// The address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => Some((host, Some(port.parse().ok()?))),
        _ => Some((authority, None)),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(v6) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        return v6.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    host.len() <= 253 && host.split('.').all(label)
}

/// Peers whose forwarded headers are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    /// Address ranges.
    pub networks: Vec<IpNet>,
    /// Whether peers on a Unix socket are among them.
    pub unix: bool,
}

impl TrustedProxies {
    /// Loopback and Unix peers: the gate's default.
    pub fn this_machine() -> Self {
        let loopback = [
            IpAddr::from([127, 0, 0, 1]),
            IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        ];
        Self {
            networks: loopback.into_iter().map(IpNet::from).collect(),
            unix: true,
        }
    }
}

/// One entry of a list of trusted proxies.
pub(super) enum TrustedProxy {
    Network(IpNet),
    Unix,
}

pub(super) fn trusted_proxy(text: &str) -> Result<TrustedProxy, String> {
    if text == "unix" {
        return Ok(TrustedProxy::Unix);
    }
    match network(text) {
        Some(network) if network.prefix_len() == 0 => {
            Err("must not be every address: then any client could say who it is".to_owned())
        }
        Some(network) if network.trunc() == network => Ok(TrustedProxy::Network(network)),
        Some(network) => Err(format!(
            "must have no bits set behind its prefix; {} may be meant",
            network.trunc()
        )),
        None => Err("must be an address, a range such as 10.0.0.0/8, or unix".to_owned()),
    }
}

/// A token that gateways show; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct GateToken(Arc<str>);

impl GateToken {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if (32..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(Arc::from(text)))
        } else {
            Err("must be 32 to 256 visible ASCII characters, such as the output of: openssl rand -hex 32".to_owned())
        }
    }

    /// The token itself, to compare with.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for GateToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Text for people, on one line.
pub(super) fn words(text: &str, longest: usize) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > longest || text.chars().any(char::is_control) {
        return Err(format!("must be 1 to {longest} characters on one line"));
    }
    Ok(text.to_owned())
}

/// An address that pages link to.
pub(super) fn link(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\');
    match rest {
        Some(rest) if !rest.is_empty() && text.len() <= 2000 && text.chars().all(plain) => {
            Ok(text.to_owned())
        }
        _ => Err("must be an address that begins with https:// or http://".to_owned()),
    }
}

/// The name of an HTTP header in which a key is read.
pub(super) fn header_name(text: &str) -> Result<String, String> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if text.is_empty() || text.len() > 64 || !text.bytes().all(token) {
        return Err("must be a header's name: letters, digits and hyphens, at most 64".to_owned());
    }
    let lower = text.to_ascii_lowercase();
    let ours = lower.starts_with("latchkey-") || lower.starts_with("x-forwarded-");
    let in_use = [
        "authorization",
        "cookie",
        "host",
        "content-length",
        "content-type",
        "connection",
        "origin",
        "referer",
    ];
    if ours || in_use.contains(&lower.as_str()) {
        return Err("must not be a header that has a meaning of its own".to_owned());
    }
    Ok(text.to_owned())
}

/// The name of a query parameter in which a key is read.
pub(super) fn query_name(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if text.is_empty() || text.len() > 40 || !text.bytes().all(plain) {
        return Err(
            "must be a parameter's name: letters, digits, hyphen, underscore and dot, at most 40"
                .to_owned(),
        );
    }
    Ok(text.to_owned())
}

/// The name of an environment variable, for the lines that people copy.
pub(super) fn env_var_name(text: &str) -> Result<String, String> {
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let begins_well = text.bytes().next().is_some_and(|b| b.is_ascii_uppercase());
    if plain && begins_well && text.len() <= 60 {
        Ok(text.to_owned())
    } else {
        Err("must be a variable's name: capital letters, digits and underscores, such as ACME_API_KEY".to_owned())
    }
}

/// One of a few words.
pub(super) fn one_of<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    words
        .iter()
        .find(|(word, _)| *word == text)
        .map(|(_, value)| *value)
        .ok_or_else(|| {
            let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            format!("must be one of {}", allowed.join(", "))
        })
}

/// A path on this machine.
pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() || text.contains('\0') {
        return Err("must be a path".to_owned());
    }
    Ok(PathBuf::from(text))
}
