//! From what a column holds to what it means.

use latchkey_rules::key_id::KeyId;
use latchkey_rules::time::Millis;

use super::error::{Error, Result};

/// A stored word as the thing it names.
pub(super) fn word<T>(text: &str, from_word: impl FnOnce(&str) -> Option<T>) -> Result<T> {
    from_word(text).ok_or_else(|| unreadable("word"))
}

/// A stored word that may be absent.
pub(super) fn word_if<T>(
    text: Option<&str>,
    from_word: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>> {
    text.map(|text| word(text, from_word)).transpose()
}

pub(super) fn key_id(bytes: &[u8]) -> Result<KeyId> {
    readable("key ID", bytes.try_into()).map(KeyId::from_bytes)
}

pub(super) fn digest(bytes: &[u8]) -> Result<[u8; 32]> {
    readable("digest", bytes.try_into())
}

pub(super) const fn at(ms: Option<i64>) -> Option<Millis> {
    match ms {
        Some(ms) => Some(Millis(ms)),
        None => None,
    }
}

/// A list kept one entry a line.
pub(super) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// What finds this text anywhere, however many `%` it holds. Goes with `ESCAPE '\'`.
pub(super) fn contains(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// What a parser made of a column. What the parser says is left out: it may quote the value.
pub(super) fn readable<T, E>(what: &str, read: Result<T, E>) -> Result<T> {
    read.map_err(|_may_quote_it| unreadable(what))
}

pub(super) fn unreadable(what: &str) -> Error {
    Error::Database(format!("a stored {what} cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_29_what_like_would_read_as_a_wildcard_is_escaped() {
        assert_eq!(contains(r"50%_\x"), r"%50\%\_\\x%");
    }

    #[test]
    fn a_stored_value_of_the_wrong_shape_is_an_error_and_not_a_guess() {
        assert!(key_id(&[1; 9]).is_err());
        assert!(digest(&[1; 33]).is_err());
        assert!(word("nonsense", |_| None::<u8>).is_err());
        assert_eq!(word_if(None, |_| None::<u8>), Ok(None));
    }
}
