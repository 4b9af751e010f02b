//! Path prefixes, matched by whole segments.

use std::fmt;
use std::str::FromStr;

/// Paths that begin with these segments. It holds only characters that need no escape, so that a path
/// as sent and the same path decoded match alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathPrefix(String);

/// The text is no path prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// No slash at the start.
    #[error("The path “{0}” has to begin with a slash, such as /maps.")]
    NotAbsolute(String),
    /// A wildcard.
    #[error(
        "The path “{0}” has a wildcard. A path holds all paths below it, so leave the wildcard out."
    )]
    Wildcard(String),
    /// An empty segment, or dots.
    #[error("The path “{0}” has an empty segment, or one of dots alone. Write it resolved.")]
    Segment(String),
    /// A character that would have to be encoded in a request.
    #[error(
        "The path “{path}” has the character “{found}”. Use letters, digits and -._~!$&'()+,=:@ only."
    )]
    Character {
        /// The path.
        path: String,
        /// The character.
        found: char,
    },
}

impl PathPrefix {
    /// Reads a prefix. A slash at its end is dropped: `/maps` and `/maps/` are one.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PrefixError> {
        let text = text.trim();
        let owned = || text.to_owned();
        let rest = text
            .strip_prefix('/')
            .ok_or_else(|| PrefixError::NotAbsolute(owned()))?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.is_empty() && text.len() <= 1 {
            return Ok(Self("/".to_owned()));
        }
        if rest.contains('*') {
            return Err(PrefixError::Wildcard(owned()));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-._~!$&'()+,=:@".contains(c);
        if let Some(found) = rest.chars().find(|c| !is_plain(*c)) {
            let path = owned();
            return Err(PrefixError::Character { path, found });
        }
        if rest.split('/').any(|s| matches!(s, "" | "." | "..")) {
            return Err(PrefixError::Segment(owned()));
        }
        Ok(Self(format!("/{rest}")))
    }

    /// The text, without a slash at its end unless it is the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a path lies at or below this one. Case counts.
    #[must_use]
    pub fn holds(&self, path: &str) -> bool {
        if self.0 == "/" {
            return path.starts_with('/');
        }
        path.strip_prefix(self.0.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for PathPrefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}
