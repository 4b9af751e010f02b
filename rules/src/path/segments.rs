//! The segments of a path: decoded once, checked, dots resolved.

use std::borrow::Cow;

use super::PathError;

/// One segment, as sent and as matched.
pub(super) struct Segment<'a> {
    /// As it was sent.
    pub(super) raw: &'a str,
    /// Decoded, without its parameters.
    pub(super) name: Cow<'a, str>,
}

/// The segments that are left when dots are resolved. Empty ones are still among them.
pub(super) struct Segments<'a> {
    list: Vec<Segment<'a>>,
    ends_in_dots: bool,
}

impl<'a> Segments<'a> {
    /// Reads a path as it was sent.
    pub(super) fn resolve(raw_path: &'a str) -> Result<Self, PathError> {
        let rest = raw_path.strip_prefix('/').ok_or(PathError::NotAbsolute)?;
        let mut list: Vec<Segment<'a>> = Vec::new();
        let mut ends_in_dots = false;
        for raw in rest.split('/') {
            let text = decode(raw)?;
            let has_parameters = text.contains(';');
            let name = without_parameters(text);
            ends_in_dots = matches!(&*name, "." | "..");
            if ends_in_dots && has_parameters {
                return Err(PathError::DotParameters);
            }
            match &*name {
                "." => {}
                ".." => match list.pop() {
                    None => return Err(PathError::AboveRoot),
                    Some(above) if above.name.is_empty() => return Err(PathError::EmptySegmentUp),
                    Some(_) => {}
                },
                _ => list.push(Segment { raw, name }),
            }
        }
        Ok(Self { list, ends_in_dots })
    }

    /// The path again, each segment written as `part` says, those that come out empty merged away. A
    /// path whose last segment comes out empty, or was dots, ends in a slash.
    pub(super) fn join(&self, part: impl for<'s> Fn(&'s Segment<'a>) -> &'s str) -> String {
        let mut path = String::new();
        let mut ends_empty = true;
        for text in self.list.iter().map(part) {
            ends_empty = text.is_empty();
            if !ends_empty {
                path.push('/');
                path.push_str(text);
            }
        }
        if ends_empty || self.ends_in_dots {
            path.push('/');
        }
        path
    }
}

/// A segment without what follows its first `;`.
fn without_parameters(decoded: Cow<'_, str>) -> Cow<'_, str> {
    match decoded {
        Cow::Borrowed(text) => Cow::Borrowed(text.split(';').next().unwrap_or(text)),
        Cow::Owned(mut text) => {
            let end = text.find(';').unwrap_or(text.len());
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}

/// A segment decoded once, or why it may not stand in a path.
pub(super) fn decode(raw: &str) -> Result<Cow<'_, str>, PathError> {
    for c in raw.chars() {
        match c {
            '\\' => return Err(PathError::Backslash),
            '#' | '?' => return Err(PathError::Delimiter),
            ' ' => return Err(PathError::Control),
            _ if c.is_control() => return Err(PathError::Control),
            _ => {}
        }
    }
    if !raw.contains('%') {
        return Ok(Cow::Borrowed(raw));
    }
    let text = String::from_utf8(unescape(raw)?).map_err(|_not_utf8| PathError::NotUtf8)?;
    if text.chars().any(char::is_control) {
        return Err(PathError::Control);
    }
    if has_second_escape(text.as_bytes()) {
        return Err(PathError::DoubleEncoded);
    }
    Ok(Cow::Owned(text))
}

fn unescape(raw: &str) -> Result<Vec<u8>, PathError> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let [first, after @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let (byte, after) = escape(after).ok_or(PathError::BadEscape)?;
        match byte {
            b'/' | b'\\' | 0 => return Err(PathError::EncodedSeparator),
            _ => bytes.push(byte),
        }
        rest = after;
    }
    Ok(bytes)
}

/// The byte that two hexadecimal digits name, and what follows them.
fn escape(after_percent: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, after @ ..] = after_percent else {
        return None;
    };
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    Some((digit(*high)? << 4 | digit(*low)?, after))
}

/// Whether a decoded segment would decode again to something with a meaning in paths: dots, slashes,
/// delimiters, controls, yet another escape, or a lead byte that only over-long spellings have.
fn has_second_escape(decoded: &[u8]) -> bool {
    let has_meaning = |byte: u8| {
        byte.is_ascii_control()
            || matches!(
                byte,
                b'.' | b'/' | b'\\' | b';' | b'%' | b'?' | b'#' | 0xc0 | 0xc1
            )
    };
    decoded
        .split(|byte| *byte == b'%')
        .skip(1)
        .filter_map(escape)
        .any(|(byte, _)| has_meaning(byte))
}
