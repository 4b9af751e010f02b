//! Paths of requests: the one reading that decides, and the cleaned form that goes to the backend.
//!
//! Proxies and backends disagree about dots, doubled slashes, escapes and parameters. What they could
//! read in two ways is refused here; the rest has one canonical form. This module must not know which
//! product a path belongs to.

mod readings;
mod segments;

use std::borrow::Cow;

use memchr::memchr;

pub(crate) use readings::every_reading_between;
use segments::Segments;

/// Why a path has no canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not begin with a slash.
    #[error("The path has to begin with a slash.")]
    NotAbsolute,
    /// `%2f`, `%5c`, `%00`: characters that must not come out of an escape.
    #[error("The path holds an encoded slash, backslash or NUL.")]
    EncodedSeparator,
    /// A backslash, which some servers read as a slash.
    #[error("The path holds a backslash.")]
    Backslash,
    /// A control character, plain or encoded, or a plain space.
    #[error("The path holds a control character or a space that is not encoded.")]
    Control,
    /// A `#` or `?`, at which some servers stop reading.
    #[error("The path holds a # or ? that is not encoded.")]
    Delimiter,
    /// A `%` without two hexadecimal digits.
    #[error("The path holds a % without two hexadecimal digits after it.")]
    BadEscape,
    /// What decoding once leaves would decode again.
    #[error("The path is encoded twice.")]
    DoubleEncoded,
    /// `..;x`: a dot segment with parameters.
    #[error("The path has a dot segment with parameters.")]
    DotParameters,
    /// More `..` than there are segments.
    #[error("The path climbs above the root.")]
    AboveRoot,
    /// `a//..`: some servers go up from the empty segment, some from `a`.
    #[error("The path goes up from an empty segment.")]
    EmptySegmentUp,
    /// Bytes that are no UTF-8 once decoded.
    #[error("The path is not UTF-8 once decoded.")]
    NotUtf8,
}

/// A request target cut in two at the first `?`: the path, and the query without it.
#[must_use]
pub fn split_target(raw: &str) -> (&str, Option<&str>) {
    // Four times for each verdict: worth a search that looks at many bytes at once.
    let cut = memchr(b'?', raw.as_bytes()).and_then(|at| raw.split_at_checked(at));
    match cut {
        Some((path, query)) => (path, query.strip_prefix('?')),
        None => (raw, None),
    }
}

/// A path as it is matched: decoded once, without `;parameters`, dots resolved, slashes merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical<'a>(Cow<'a, str>);

impl<'a> Canonical<'a> {
    /// The canonical form of a path as it was sent, without its query. A path that already is canonical
    /// is borrowed.
    ///
    /// # Errors
    /// When servers could read the path in more than one way.
    pub fn of(raw_path: &'a str) -> Result<Self, PathError> {
        if is_canonical(raw_path.as_bytes()) {
            return Ok(Self(Cow::Borrowed(raw_path)));
        }
        let segments = Segments::resolve(raw_path)?;
        Ok(Self(Cow::Owned(segments.join(|segment| &segment.name))))
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a path is its own canonical form for sure: nothing to decode, to drop, to resolve, to merge
/// or to refuse. A few canonical paths are not recognised; they take the longer way to the same end.
fn is_canonical(path: &[u8]) -> bool {
    let mut after_slash = false;
    for (index, byte) in path.iter().enumerate() {
        match byte {
            b'/' if after_slash => return false,
            b'/' => after_slash = true,
            _ if index == 0 => return false,
            b'.' if after_slash => return false,
            b'%' | b';' | b'\\' | b'#' | b'?' | 0..=b' ' | 0x7f.. => return false,
            _ => after_slash = false,
        }
    }
    !path.is_empty()
}

/// The target that goes to the backend: dots folded and slashes merged, escapes and `;parameters` as
/// they were sent, then the query without the parameters that carry the key, the rest in order and byte
/// for byte. It always begins with a slash.
///
/// A parameter whose name is percent-encoded is no key and stays.
///
/// # Errors
/// When the path has no canonical form, or the query holds what no request line can.
pub fn forward_uri<'a>(
    raw_target: &'a str,
    key_params: &[impl AsRef<str>],
) -> Result<Cow<'a, str>, PathError> {
    let (path, query) = split_target(raw_target);
    let is_key = |pair: &&str| {
        let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
        key_params.iter().any(|param| param.as_ref() == name)
    };
    let is_as_it_was = is_canonical(path.as_bytes());
    if is_as_it_was
        && query.is_none_or(|query| is_plain(query) && !query.split('&').any(|pair| is_key(&pair)))
    {
        return Ok(Cow::Borrowed(raw_target));
    }
    let mut uri = if is_as_it_was {
        path.to_owned()
    } else {
        Segments::resolve(path)?.join(|segment| segment.raw)
    };
    let Some(query) = query else {
        return Ok(Cow::Owned(uri));
    };
    if query.contains(|c: char| c.is_control() || c == ' ') {
        return Err(PathError::Control);
    }
    if query.contains('#') {
        return Err(PathError::Delimiter);
    }
    let kept = query.split('&').filter(|pair| !is_key(pair));
    for (index, pair) in kept.enumerate() {
        uri.push(if index == 0 { '?' } else { '&' });
        uri.push_str(pair);
    }
    Ok(Cow::Owned(uri))
}

/// Whether a query holds nothing but visible ASCII, and no `#`: what there is to refuse in one is not in there.
pub fn is_plain(query: &str) -> bool {
    query
        .bytes()
        .all(|byte| matches!(byte, b'!'..=b'~') && byte != b'#')
}

#[cfg(test)]
mod tests;
