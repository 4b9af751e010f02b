//! What a forward-auth request asks about: the target, host and method of the request that stands at the proxy.
//!
//! Whoever is believed here can ask for a verdict about another request than the backend gets (T-41). So what a proxy
//! says counts only from a trusted peer, once, under its exact name, and without contradiction. It must not know keys.

use latchkey_rules::path::{is_plain, split_target};

/// What the request's own lines and the proxy's headers say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said<'a> {
    /// The path below the endpoint, with the endpoint's own query.
    pub(crate) below: Option<&'a str>,
    pub(crate) method: &'a str,
    pub(crate) host: Option<&'a [u8]>,
    pub(crate) forwarded_uri: Lines<'a>,
    pub(crate) forwarded_host: Lines<'a>,
    pub(crate) forwarded_method: Lines<'a>,
    /// One of the three with an underscore in place of a hyphen.
    pub(crate) has_twin: bool,
    pub(crate) peer_is_trusted: bool,
}

/// How often a header stands in a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lines<'a> {
    #[default]
    None,
    One(&'a [u8]),
    More,
}

impl<'a> Lines<'a> {
    pub(crate) fn add(&mut self, value: &'a [u8]) {
        *self = match self {
            Self::None => Self::One(value),
            Self::One(_) | Self::More => Self::More,
        };
    }
}

/// The request that is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// Path and query as sent; begins with a slash.
    pub(crate) uri: &'a str,
    pub(crate) host: &'a str,
    pub(crate) method: &'a str,
}

/// Why the request cannot be judged; the text is for the operator who reads the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    #[error(
        "X-Forwarded-Uri, -Host or -Method came from a peer that is not among gate.trusted_proxies."
    )]
    Untrusted,
    #[error("X-Forwarded-Uri, -Host or -Method stands in the request twice, or with underscores.")]
    Repeated,
    #[error("X-Forwarded-Uri and the path below the endpoint differ.")]
    TwoTargets,
    #[error(
        "The request names no target: there is neither X-Forwarded-Uri nor a path below the endpoint."
    )]
    NoTarget,
    #[error("The target, host or method that was forwarded is none.")]
    Unreadable,
}

/// Who is asked about.
pub(crate) fn read<'a>(said: &Said<'a>) -> Result<Target<'a>, TargetError> {
    if said.has_twin {
        return Err(TargetError::Repeated);
    }
    let uri = one(said.forwarded_uri)?;
    let forwarded_host = one(said.forwarded_host)?;
    let forwarded_method = one(said.forwarded_method)?;
    let is_forwarded = uri.is_some() || forwarded_host.is_some() || forwarded_method.is_some();
    if is_forwarded && !said.peer_is_trusted {
        return Err(TargetError::Untrusted);
    }
    let uri = match (said.below, uri) {
        (Some(below), Some(uri)) if below != uri => return Err(TargetError::TwoTargets),
        (Some(uri), _) | (None, Some(uri)) => uri,
        (None, None) => return Err(TargetError::NoTarget),
    };
    let host = match forwarded_host {
        Some(host) => host,
        None => text(said.host.ok_or(TargetError::Unreadable)?)?,
    };
    let method = forwarded_method.unwrap_or(said.method);
    let is_readable = uri.starts_with('/')
        && has_plain_query(uri)
        && !host.is_empty()
        && !host.bytes().any(|byte| matches!(byte, b',' | b' '))
        && !method.is_empty()
        && method.bytes().all(is_token);
    if is_readable {
        Ok(Target { uri, host, method })
    } else {
        Err(TargetError::Unreadable)
    }
}

/// Whether the query holds only what a request line can. What it holds else could not be handed on, and that has to be
/// found before the verdict: a request that is counted as let through must pass.
fn has_plain_query(uri: &str) -> bool {
    let (_, query) = split_target(uri);
    let refused = |c: char| c.is_control() || matches!(c, ' ' | '#');
    query.is_none_or(|query| is_plain(query) || !query.contains(refused))
}

fn one(lines: Lines<'_>) -> Result<Option<&str>, TargetError> {
    match lines {
        Lines::None => Ok(None),
        Lines::One(value) => text(value).map(Some),
        Lines::More => Err(TargetError::Repeated),
    }
}

fn text(value: &[u8]) -> Result<&str, TargetError> {
    std::str::from_utf8(value).map_err(|_bytes| TargetError::Unreadable)
}

/// A character of an HTTP token.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchkey_rules::path::forward_uri;

    fn forwarded<'a>() -> Said<'a> {
        Said {
            method: "GET",
            host: Some(b"latchkey"),
            forwarded_uri: Lines::One(b"/a?b=1"),
            forwarded_host: Lines::One(b"api.example.com"),
            forwarded_method: Lines::One(b"POST"),
            peer_is_trusted: true,
            ..Said::default()
        }
    }

    #[test]
    fn t_41_a_trusted_proxy_says_what_is_asked() {
        let target = read(&forwarded()).unwrap();
        assert_eq!(
            (target.uri, target.host, target.method),
            ("/a?b=1", "api.example.com", "POST")
        );
    }

    #[test]
    fn t_44_a_query_that_cannot_be_handed_on_is_refused_before_the_verdict() {
        for uri in ["/a?b#c", "/a?b c", "/a?b=\u{1}", "/a?b=\u{85}"] {
            let said = Said {
                forwarded_uri: Lines::One(uri.as_bytes()),
                ..forwarded()
            };
            assert_eq!(read(&said), Err(TargetError::Unreadable), "{uri:?}");
            assert!(forward_uri(uri, &["key"]).is_err(), "{uri:?}");
        }
    }

    #[test]
    fn t_41_what_is_absent_is_the_requests_own() {
        let said = Said {
            below: Some("/v2/x?y=1"),
            method: "PURGE",
            host: Some(b"own.example.com"),
            ..Said::default()
        };
        let target = read(&said).unwrap();
        assert_eq!(
            (target.uri, target.host, target.method),
            ("/v2/x?y=1", "own.example.com", "PURGE")
        );
    }

    #[test]
    #[expect(
        clippy::too_many_lines,
        reason = "a table of cases is read line by line, however long"
    )]
    fn t_41_spoofs_and_contradictions_are_refused() {
        use TargetError::{NoTarget, Repeated, TwoTargets, Unreadable, Untrusted};
        let base = forwarded();
        let none = Lines::None;
        for (said, error) in [
            (
                Said {
                    peer_is_trusted: false,
                    ..base
                },
                Untrusted,
            ),
            (
                Said {
                    forwarded_uri: none,
                    forwarded_method: none,
                    below: Some("/a"),
                    peer_is_trusted: false,
                    ..base
                },
                Untrusted,
            ),
            (
                Said {
                    forwarded_uri: Lines::More,
                    ..base
                },
                Repeated,
            ),
            (
                Said {
                    forwarded_host: Lines::More,
                    ..base
                },
                Repeated,
            ),
            (
                Said {
                    forwarded_method: Lines::More,
                    ..base
                },
                Repeated,
            ),
            (
                Said {
                    has_twin: true,
                    ..base
                },
                Repeated,
            ),
            (
                Said {
                    below: Some("/b"),
                    ..base
                },
                TwoTargets,
            ),
            (
                Said {
                    forwarded_uri: none,
                    ..base
                },
                NoTarget,
            ),
            (
                Said {
                    forwarded_uri: Lines::One(b""),
                    ..base
                },
                Unreadable,
            ),
            (
                Said {
                    forwarded_uri: Lines::One(b"http://x/"),
                    ..base
                },
                Unreadable,
            ),
            (
                Said {
                    forwarded_uri: Lines::One(b"/\xff"),
                    ..base
                },
                Unreadable,
            ),
            (
                Said {
                    forwarded_host: Lines::One(b"a.example.com, b.example.com"),
                    ..base
                },
                Unreadable,
            ),
            (
                Said {
                    forwarded_host: Lines::One(b""),
                    ..base
                },
                Unreadable,
            ),
            (
                Said {
                    forwarded_host: none,
                    host: None,
                    ..base
                },
                Unreadable,
            ),
            (
                Said {
                    forwarded_method: Lines::One(b""),
                    ..base
                },
                Unreadable,
            ),
            (
                Said {
                    forwarded_method: Lines::One(b"GET /x"),
                    ..base
                },
                Unreadable,
            ),
        ] {
            assert_eq!(read(&said), Err(error), "{said:?}");
        }
        assert!(
            read(&Said {
                below: Some("/a?b=1"),
                ..base
            })
            .is_ok()
        );
    }
}
