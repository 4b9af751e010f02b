//! What staff paste: a key ID, a secret, or neither. A secret leaves here as its digest alone, and what merely looks like
//! one is never handed back to be shown. It knows neither store nor page.

use std::fmt;

use latchkey_rules::{
    key_id::KeyId,
    secret::{Digest, Prefix, Presented},
};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::web::secrecy::{holds_secret, words};

/// A text that may hold a secret: never printed, wiped when dropped.
#[derive(Clone, Default)]
pub(crate) struct Pasted(Zeroizing<String>);

/// What a pasted text is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A key's ID.
    KeyId(KeyId),
    /// A whole secret.
    Secret(Digest),
    /// Nothing at all.
    Nothing,
    /// It begins like a key ID and is none.
    NoKeyId {
        /// The characters behind `key_`.
        characters: usize,
    },
    /// It looks like a secret, and is not a whole one.
    NoSecret,
    /// Something else.
    Else,
}

/// The longest word that is shown again: a key ID has 20 characters, a piece of a secret may have more.
const LONGEST_SHOWN: usize = 24;

impl Pasted {
    /// Reads it, stray spaces, line breaks and quotes aside.
    pub(crate) fn meaning(&self, prefix: &Prefix) -> Meaning {
        let bare = self.bare();
        if bare.is_empty() {
            return Meaning::Nothing;
        }
        let lower = bare.to_ascii_lowercase();
        if let Some(rest) = lower.strip_prefix("key_") {
            return KeyId::parse(&lower).map_or(
                Meaning::NoKeyId {
                    characters: rest.chars().count(),
                },
                Meaning::KeyId,
            );
        }
        match Presented::parse(prefix, &bare) {
            Ok(secret) => Meaning::Secret(secret.digest()),
            Err(_) if holds_secret(prefix, &bare) => Meaning::NoSecret,
            Err(_) => Meaning::Else,
        }
    }

    /// The text to show again; nothing where it might hold a secret or a part of one.
    pub(crate) fn to_show(&self, prefix: &Prefix) -> String {
        let hides = |text: &str| {
            holds_secret(prefix, text) || words(text).any(|word| word.len() > LONGEST_SHOWN)
        };
        if hides(&self.0) || hides(&self.bare()) {
            String::new()
        } else {
            self.0.trim().to_owned()
        }
    }

    fn bare(&self) -> Zeroizing<String> {
        let stray =
            |c: char| c.is_whitespace() || c.is_control() || "\"'`\u{200b}\u{feff}".contains(c);
        Zeroizing::new(self.0.chars().filter(|c| !stray(*c)).collect())
    }
}

impl fmt::Debug for Pasted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<&str> for Pasted {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Pasted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu";
    const ID: &str = "key_abcdefghijklmnop";

    fn meaning(text: &str) -> Meaning {
        Pasted::from(text).meaning(&Prefix::parse("lk").unwrap())
    }

    #[test]
    fn key_ids_are_read_however_they_were_copied() {
        let id = KeyId::parse(ID).unwrap();
        for text in [
            ID,
            " key_abcdefghijklmnop\r\n",
            "key_abcd efgh\tijkl mnop",
            "KEY_ABCDEFGHIJKLMNOP",
            "\"key_abcdefghijklmnop\"",
            "\u{feff}key_abcdefghijklmnop\u{200b}",
        ] {
            assert_eq!(meaning(text), Meaning::KeyId(id), "{text:?}");
        }
    }

    #[test]
    fn a_secret_becomes_its_digest_and_nothing_else() {
        let digest = Digest::of(SECRET);
        assert_eq!(meaning(SECRET), Meaning::Secret(digest));
        assert_eq!(
            meaning(&format!("  '{SECRET}' \n")),
            Meaning::Secret(digest)
        );
        let (head, tail) = SECRET.split_at(30);
        assert_eq!(
            meaning(&format!("{head}\n  {tail}")),
            Meaning::Secret(digest)
        );
    }

    #[test]
    fn what_is_neither_says_what_it_looks_like() {
        assert_eq!(meaning("  "), Meaning::Nothing);
        assert_eq!(meaning("key_abc"), Meaning::NoKeyId { characters: 3 });
        assert_eq!(
            meaning("key_abcdefghijklmn01"),
            Meaning::NoKeyId { characters: 16 }
        );
        let (cut, _) = SECRET.split_at(50);
        assert_eq!(meaning(cut), Meaning::NoSecret);
        assert_eq!(meaning(&SECRET.to_lowercase()), Meaning::NoSecret);
        assert_eq!(meaning("ola@harbourvale.example"), Meaning::Else);
    }

    #[test]
    fn t_30_nothing_with_the_shape_of_a_secret_is_shown_again() {
        let prefix = Prefix::parse("lk").unwrap();
        let (head, tail) = SECRET.split_at(20);
        let split = format!("{head} {tail}");
        let (_, unprefixed) = SECRET.split_at(8);
        let (middle, _) = unprefixed.split_at(32);
        let edited = SECRET.replace("live", "test");
        for text in [
            SECRET,
            &split,
            &edited,
            head,
            unprefixed,
            middle,
            "curl -H 'X-API-Key: lk_live_4fQ2nX7vKp0'",
            "other_staging_abcdef",
        ] {
            assert_eq!(Pasted::from(text).to_show(&prefix), "", "{text}");
        }
        for text in [
            "key_abcdefghijklmnop",
            "key_abc",
            "ola@harbourvale.example",
            "Qm2x",
            "lk_live",
            "lk_staging_…Qm2x",
        ] {
            assert_eq!(Pasted::from(text).to_show(&prefix), text);
        }
        assert_eq!(format!("{:?}", Pasted::from(SECRET)), "[redacted]");
    }
}
