//! Labels: words by which an account sorts its keys.

use std::collections::BTreeSet;
use std::fmt;

/// Why a label is none, or a list of them too long.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// A character that no label has.
    #[error("{0} is no label: it takes letters, digits, and . _ - : / between them")]
    Character(String),
    /// Too long.
    #[error("a label has at most {MOST_CHARS} characters")]
    TooLong,
    /// Too many.
    #[error("a key has at most {MOST_LABELS} labels")]
    TooMany,
}

/// Characters of a label.
pub const MOST_CHARS: usize = 30;
/// Labels of a key.
pub const MOST_LABELS: usize = 10;

/// A label, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(Box<str>);

impl Label {
    /// Reads a label.
    ///
    /// # Errors
    /// [`LabelError`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, LabelError> {
        let text = text.trim().to_lowercase();
        if text.chars().count() > MOST_CHARS {
            return Err(LabelError::TooLong);
        }
        let is_inner = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '/');
        let ends_well =
            text.starts_with(char::is_alphanumeric) && text.ends_with(char::is_alphanumeric);
        if !ends_well || !text.chars().all(is_inner) {
            return Err(LabelError::Character(text));
        }
        Ok(Self(text.into()))
    }

    /// Reads labels with commas, spaces or line ends between them: each once, in alphabetical order.
    ///
    /// # Errors
    /// [`LabelError`] of the first that is none, or when they are too many.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, LabelError> {
        let texts = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
        let labels: BTreeSet<Self> = texts
            .filter(|text| !text.is_empty())
            .map(Self::parse)
            .collect::<Result<_, _>>()?;
        if labels.len() > MOST_LABELS {
            return Err(LabelError::TooMany);
        }
        Ok(labels.into_iter().collect())
    }

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<Vec<String>, LabelError> {
        let labels = Label::parse_list(text)?;
        Ok(labels.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_list_is_read_whole_or_not_at_all() {
        let read = list(" Team:Maps, mobile\nmobile;v1.2  über ").unwrap();
        assert_eq!(read, ["mobile", "team:maps", "v1.2", "über"]);
        assert_eq!(list(""), Ok(vec![]));
        for wrong in ["a, -b", "a b%", "x-", "<b>"] {
            assert!(
                matches!(list(wrong), Err(LabelError::Character(_))),
                "{wrong}"
            );
        }
        assert_eq!(list(&"x".repeat(31)), Err(LabelError::TooLong));
        let many: Vec<String> = (0..11).map(|n| format!("l{n}")).collect();
        assert_eq!(list(&many.join(" ")), Err(LabelError::TooMany));
        assert_eq!(list(&many.join(" ").replace("l10", "")).unwrap().len(), 10);
    }
}
