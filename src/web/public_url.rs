//! The address under which people reach the portal: the only source of absolute links, of the origin that writes must
//! come from, and of the hosts that are answered at all (T-13, T-42). It never believes a request about itself.

use actix_web::http::Uri;

/// A parsed `public_url`: scheme and host, nothing behind them.
#[derive(Clone, Debug)]
pub struct PublicUrl {
    https: bool,
    host: String,
    port: Option<u16>,
}

/// Why a `public_url` is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PublicUrlError {
    /// It is no absolute URL.
    #[error("\"{0}\" is not an address of the form https://keys.example.com")]
    NotAbsolute(String),
    /// It has a path, a query or user information.
    #[error("\"{0}\" must end after the host and port: the portal lives at the root of its host")]
    MoreThanOrigin(String),
    /// Plain http to anything but this machine.
    #[error(
        "\"{0}\" is plain http: sessions would travel readable. Use https, or a loopback address to try things out"
    )]
    PlainHttp(String),
}

impl PublicUrl {
    /// Reads `https://host[:port]`, or plain http for a loopback host.
    pub fn parse(text: &str) -> Result<Self, PublicUrlError> {
        let not_absolute = || PublicUrlError::NotAbsolute(text.to_owned());
        let uri: Uri = text.trim().parse().map_err(|_uri_error| not_absolute())?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(not_absolute()),
        };
        let host = uri
            .host()
            .filter(|host| !host.is_empty())
            .ok_or_else(not_absolute)?;
        let user_info = uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'));
        if user_info || uri.query().is_some() || !matches!(uri.path(), "" | "/") {
            return Err(PublicUrlError::MoreThanOrigin(text.to_owned()));
        }
        let default_port = if https { 443 } else { 80 };
        let url = Self {
            https,
            host: host.to_ascii_lowercase(),
            port: uri.port_u16().filter(|port| *port != default_port),
        };
        if !https && !url.is_loopback() {
            return Err(PublicUrlError::PlainHttp(text.to_owned()));
        }
        Ok(url)
    }

    /// Whether people come over TLS: cookies are `Secure` and `__Host-` then.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The origin as browsers write it: `https://keys.example.com`.
    pub fn origin(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        match self.port {
            Some(port) => format!("{scheme}://{}:{port}", self.host),
            None => format!("{scheme}://{}", self.host),
        }
    }

    /// An absolute link to a path of the portal.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// Whether a request's `Host` is ours. A loopback address also answers to the other names of loopback, at any port,
    /// so that a tunnel or `localhost` reaches a portal that was started on 127.0.0.1.
    pub fn answers_to(&self, host_header: &str) -> bool {
        let (host, port) = split_port(host_header);
        let host = host.to_ascii_lowercase();
        if self.is_loopback() {
            return is_loopback(&host);
        }
        let default_port = if self.https { 443 } else { 80 };
        host == self.host && port.unwrap_or(default_port) == self.port.unwrap_or(default_port)
    }

    /// Whether an `Origin` header names this portal. On loopback, also the other loopback names that the request's own
    /// `Host` may carry: the page then came from there.
    pub fn same_origin(&self, origin: &str, host_header: Option<&str>) -> bool {
        if origin.eq_ignore_ascii_case(&self.origin()) {
            return true;
        }
        let scheme = if self.https { "https" } else { "http" };
        self.is_loopback()
            && host_header
                .is_some_and(|host| self.answers_to(host) && origin == format!("{scheme}://{host}"))
    }

    fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

fn split_port(host_header: &str) -> (&str, Option<u16>) {
    match host_header.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            (host, port.parse().ok())
        }
        _ => (host_header, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_origin_is_taken() {
        for (text, origin) in [
            ("https://keys.example.com", "https://keys.example.com"),
            ("https://KEYS.example.com:443/", "https://keys.example.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(PublicUrl::parse(text).unwrap().origin(), origin, "{text}");
        }
        for text in [
            "keys.example.com",
            "ftp://x.example",
            "https://a.example/x",
            "https://u@a.example",
            "https://a.example/?x",
            "",
        ] {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        assert!(matches!(
            PublicUrl::parse("http://keys.example.com"),
            Err(PublicUrlError::PlainHttp(_))
        ));
        assert!(PublicUrl::parse("http://localhost:1").is_ok());
    }

    #[test]
    fn t_42_other_hosts_are_not_ours() {
        let url = PublicUrl::parse("https://keys.example.com").unwrap();
        for (host, ours) in [
            ("keys.example.com", true),
            ("KEYS.example.com:443", true),
            ("keys.example.com:8443", false),
            ("evil.example", false),
            ("localhost", false),
            ("keys.example.com.evil.example", false),
            ("", false),
        ] {
            assert_eq!(url.answers_to(host), ours, "{host}");
        }
        let url = PublicUrl::parse("http://127.0.0.1:8080").unwrap();
        for (host, ours) in [
            ("localhost:8080", true),
            ("127.0.0.1:9", true),
            ("[::1]:8080", true),
            ("evil.example", false),
            ("127.0.0.1.evil.example", false),
        ] {
            assert_eq!(url.answers_to(host), ours, "{host}");
        }
    }
}
