//! Mail addresses, as far as a form can know them: whether one works, only a mail can tell.

use std::fmt;

/// The most bytes of an address.
pub const MAX_BYTES: usize = 254;
const MAX_LOCAL_BYTES: usize = 64;
const MAX_LABEL_BYTES: usize = 63;

/// A mail address that could be one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

/// What is wrong with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Nothing was typed.
    #[error("The mail address is empty. It looks like name@example.com.")]
    Empty,
    /// Longer than mail allows.
    #[error("The mail address is longer than {MAX_BYTES} bytes, more than mail can carry.")]
    TooLong,
    /// No `@`, or more than one.
    #[error("The mail address needs exactly one “@”, as in name@example.com.")]
    At,
    /// The part before the `@`.
    #[error("The part before “@” has to have 1 to {MAX_LOCAL_BYTES} characters.")]
    Local,
    /// The part after the `@`.
    #[error("The part after “@” is no domain. It looks like example.com.")]
    Domain,
    /// A character that an address cannot hold.
    #[error("Character {position} of the mail address cannot be in one. Remove it.")]
    Character {
        /// Where it stands, counted from 1.
        position: usize,
    },
}

/// What would change the meaning of a mail's head, or of the page that shows the address.
fn is_refused(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || matches!(
            c,
            '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | ':' | '"' | '\\'
        )
        || matches!(c, '\u{00ad}' | '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL_BYTES).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_alphanumeric() || c == '-')
}

impl Email {
    /// Reads an address, without the white space around it.
    ///
    /// # Errors
    /// Says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(EmailError::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(EmailError::TooLong);
        }
        if let Some(index) = text.chars().position(is_refused) {
            return Err(EmailError::Character {
                position: index + 1,
            });
        }
        let (local, domain) = text.split_once('@').ok_or(EmailError::At)?;
        if domain.contains('@') {
            return Err(EmailError::At);
        }
        if !(1..=MAX_LOCAL_BYTES).contains(&local.len()) {
            return Err(EmailError::Local);
        }
        let is_domain = domain.split('.').all(is_label)
            && (domain.contains('.') || domain.eq_ignore_ascii_case("localhost"));
        if is_domain {
            Ok(Self(text.to_owned()))
        } else {
            Err(EmailError::Domain)
        }
    }

    /// The address as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as it is compared: in lower case. No mail provider of note tells two people apart
    /// by capitals.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl AsRef<str> for Email {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_addresses_are_read() {
        for (typed, kept) in [
            (" Anna.deVries@Example.com ", "Anna.deVries@Example.com"),
            ("a+b_c%d@mail.example.co.uk", "a+b_c%d@mail.example.co.uk"),
            ("o'brien@example.ie", "o'brien@example.ie"),
            ("dev@localhost", "dev@localhost"),
            ("ü@bücher.example", "ü@bücher.example"),
        ] {
            assert_eq!(Email::parse(typed).unwrap().as_str(), kept);
        }
        assert_eq!(
            Email::parse("Anna@EXAMPLE.com").unwrap().folded(),
            "anna@example.com"
        );
    }

    #[test]
    fn an_address_prints_as_it_was_typed() {
        let email = Email::parse("Anna@Example.com").unwrap();
        assert_eq!(email.to_string(), "Anna@Example.com");
        assert_eq!(email.as_ref(), "Anna@Example.com");
        assert_eq!(format!("{email:?}"), "\"Anna@Example.com\"");
    }

    #[test]
    fn an_address_of_254_bytes_is_the_longest() {
        let longest = format!("xx@{}.com", vec!["a".repeat(61); 4].join("."));
        assert_eq!(longest.len(), MAX_BYTES);
        assert!(Email::parse(&longest).is_ok());
        assert_eq!(
            Email::parse(&format!("x{longest}")),
            Err(EmailError::TooLong)
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let long_local = format!("{}@example.com", "x".repeat(65));
        let too_long = format!("x@{}.com", "a.".repeat(130));
        for (typed, error) in [
            ("", EmailError::Empty),
            ("  ", EmailError::Empty),
            (&too_long, EmailError::TooLong),
            ("anna", EmailError::At),
            ("a@b@example.com", EmailError::At),
            ("@example.com", EmailError::Local),
            (&long_local, EmailError::Local),
            ("anna@", EmailError::Domain),
            ("anna@example", EmailError::Domain),
            ("anna@.com", EmailError::Domain),
            ("anna@example..com", EmailError::Domain),
            ("anna@example.com.", EmailError::Domain),
            ("anna@-example.com", EmailError::Domain),
            ("anna@exa_mple.com", EmailError::Domain),
            ("an na@example.com", EmailError::Character { position: 3 }),
            (
                "a@example.com\r\nBcc: b@c.de",
                EmailError::Character { position: 14 },
            ),
            ("<a@example.com>", EmailError::Character { position: 1 }),
            (
                "a\u{202e}b@example.com",
                EmailError::Character { position: 2 },
            ),
            ("a\0@example.com", EmailError::Character { position: 2 }),
        ] {
            assert_eq!(Email::parse(typed), Err(error), "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn an_address_read_again_is_itself(text in "\\PC{0,12}@\\PC{0,12}\\.[a-z]{2,3}") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(Email::parse(email.as_str()), Ok(email.clone()));
                prop_assert!(!email.as_str().chars().any(|c| c.is_control() || c.is_whitespace()));
            }
        }
    }
}
