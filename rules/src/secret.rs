//! The credential itself: `<prefix>_<environment>_<43 random characters><6 of checksum>`.
//!
//! A secret never prints itself: it cannot be compared, cloned, shown or serialised, and it is wiped
//! from memory when dropped. What is stored is its [`Digest`].

mod base62;

use std::fmt;

use rand::CryptoRng;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::environment::Environment;

/// Random characters of a secret: 256 bits.
pub const RANDOM_CHARS: usize = 43;
/// Characters of the checksum.
pub const CHECKSUM_CHARS: usize = base62::CHECKSUM_CHARS;
const LAST: usize = 4;

worded! {
    /// How a stored digest was made.
    pub enum HashKind {
        /// SHA-256 of the whole secret.
        Sha256 => "sha256", "SHA-256";
    }
}

/// The operator's prefix: 2 to 12 lower-case letters and digits, the first a letter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Prefix(String);

/// The text is no prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "A prefix has 2 to 12 lower-case letters and digits and begins with a letter, such as “lk”."
)]
pub struct PrefixError;

impl Prefix {
    /// Reads a prefix.
    ///
    /// # Errors
    /// When it has another form than `[a-z][a-z0-9]{1,11}`.
    pub fn parse(text: &str) -> Result<Self, PrefixError> {
        let is_prefix = (2..=12).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if is_prefix {
            Ok(Self(text.to_owned()))
        } else {
            Err(PrefixError)
        }
    }

    /// The text, without the underscore after it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self("lk".to_owned())
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A secret that was just made.
pub struct Secret {
    text: Zeroizing<String>,
    /// How many bytes stand before the random part, the underscores with them.
    head: usize,
}

impl Secret {
    /// Draws a new one.
    pub fn generate<R: CryptoRng + ?Sized>(
        prefix: &Prefix,
        environment: Environment,
        rng: &mut R,
    ) -> Self {
        let word = environment.word();
        let head = prefix.0.len() + word.len() + 2;
        // The whole length at once: a string that grows leaves its older copies in memory.
        let mut text = Zeroizing::new(String::with_capacity(head + RANDOM_CHARS + CHECKSUM_CHARS));
        text.push_str(&prefix.0);
        text.push('_');
        text.push_str(word);
        text.push('_');
        base62::push_random(&mut text, RANDOM_CHARS, rng);
        let checksum = base62::checksum(&text);
        text.extend(checksum.map(char::from));
        Self { text, head }
    }

    /// The secret in plain text: for the one answer that shows it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What may be shown of it any day: `lk_live_…RrxH`.
    #[must_use]
    pub fn shown(&self) -> String {
        let head = self.text.get(..self.head).unwrap_or_default();
        format!("{head}…{}", self.last4())
    }

    /// Its last four characters.
    #[must_use]
    pub fn last4(&self) -> &str {
        last4(&self.text)
    }

    /// What is stored of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What may be shown of a secret of which only this is known: `lk_live_…RrxH`.
#[must_use]
pub fn shown(prefix: &Prefix, environment: Environment, last4: &str) -> String {
    format!("{prefix}_{}_…{last4}", environment.word())
}

fn last4(text: &str) -> &str {
    text.len()
        .checked_sub(LAST)
        .and_then(|start| text.get(start..))
        .unwrap_or_default()
}

/// A text that somebody presented and that is a well-formed secret: right prefix, environment, length
/// and checksum. Whether it opens anything is another question.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    text: &'a str,
    environment: Environment,
}

/// The text is no well-formed secret. It is not part of the error: it may be somebody's password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("This is not a complete secret: part of it is missing or was changed.")]
pub struct Malformed;

impl<'a> Presented<'a> {
    /// Reads a secret. Its checksum is over all that stands before it, so that one changed character,
    /// or `test` edited into `live`, is told apart from a secret that is merely unknown.
    ///
    /// # Errors
    /// When any part of it is wrong; which part is not said.
    pub fn parse(prefix: &Prefix, text: &'a str) -> Result<Self, Malformed> {
        let environment = shape(prefix, text).ok_or(Malformed)?;
        let (body, checksum) = text
            .split_at_checked(text.len() - CHECKSUM_CHARS)
            .ok_or(Malformed)?;
        // The checksum is made anew and compared, never decoded: it has one spelling only.
        if base62::checksum(body) == *checksum.as_bytes() {
            Ok(Self { text, environment })
        } else {
            Err(Malformed)
        }
    }

    /// The environment that stands in it.
    #[must_use]
    pub const fn environment(&self) -> Environment {
        self.environment
    }

    /// What a key is looked up by.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.text)
    }

    /// Its last four characters.
    #[must_use]
    pub fn last4(&self) -> &'a str {
        last4(self.text)
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Whether a text has the form of a secret, its checksum aside: what a scanner would stop at.
#[must_use]
pub fn has_shape(prefix: &Prefix, text: &str) -> bool {
    shape(prefix, text).is_some()
}

fn shape(prefix: &Prefix, text: &str) -> Option<Environment> {
    let rest = text.strip_prefix(prefix.as_str())?.strip_prefix('_')?;
    let (word, random) = rest.split_once('_')?;
    let environment = Environment::from_word(word)?;
    // Counted rather than looked for: the compiler then looks at many bytes at a time.
    let fitting = random.bytes().filter(u8::is_ascii_alphanumeric).count();
    let is_random = random.len() == RANDOM_CHARS + CHECKSUM_CHARS && fitting == random.len();
    is_random.then_some(environment)
}

/// What is stored of a secret: SHA-256 of the whole text. A secret holds 256 random bits, so that the
/// digest needs no salt and tells nothing.
#[derive(Clone, Copy)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of a secret's text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// The digest with these bytes, as they are stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, as they are stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both are the same, in a time that does not tell where they differ.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other)
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

impl Zeroize for Secret {
    fn zeroize(&mut self) {
        self.text.zeroize();
    }
}

#[cfg(test)]
mod tests;
