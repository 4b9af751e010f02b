//! The public name of a key: `key_` and 16 characters. It opens nothing and may stand anywhere.

use std::fmt;
use std::str::FromStr;

use rand::Rng;

const PREFIX: &str = "key_";
const CHARS: usize = 16;
const BYTES: usize = 10;
/// RFC 4648 base32 in lower case; ten bytes are exactly sixteen digits, so there is no padding.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A key's ID: 80 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; BYTES]);

/// The text is no key ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A key ID is “key_” followed by 16 lower-case letters and digits from 2 to 7.")]
pub struct KeyIdError;

impl KeyId {
    /// A new one.
    pub fn generate<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let mut bytes = [0; BYTES];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The one with these bytes, as they are stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes, as they are stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// Reads a key ID spelled exactly.
    ///
    /// # Errors
    /// When it is anything but `key_` and 16 base32 digits in lower case.
    pub fn parse(text: &str) -> Result<Self, KeyIdError> {
        let digits = text.strip_prefix(PREFIX).ok_or(KeyIdError)?.as_bytes();
        if digits.len() != CHARS {
            return Err(KeyIdError);
        }
        let mut value: u128 = 0;
        for digit in digits {
            let five_bits: u8 = match digit {
                b'a'..=b'z' => digit - b'a',
                b'2'..=b'7' => digit - b'2' + 26,
                _ => return Err(KeyIdError),
            };
            value = value << 5 | u128::from(five_bits);
        }
        let mut bytes = [0; BYTES];
        for (place, byte) in bytes
            .iter_mut()
            .zip(value.to_be_bytes().into_iter().skip(6))
        {
            *place = byte;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(KeyIdText::of(self).as_str())
    }
}

/// A key ID written out, without a place on the heap: it stands in every answer of the gate.
#[derive(Clone, Copy)]
pub struct KeyIdText([u8; PREFIX.len() + CHARS]);

impl KeyIdText {
    /// Writes it out.
    #[must_use]
    pub fn of(id: &KeyId) -> Self {
        let mut text = [b'a'; PREFIX.len() + CHARS];
        let (prefix, digits) = text.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX.as_bytes());
        // Five bytes are eight digits.
        let groups = id.0.chunks_exact(5).zip(digits.chunks_exact_mut(8));
        for (bytes, digits) in groups {
            let mut bits = bytes
                .iter()
                .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            for digit in digits.iter_mut().rev() {
                let five_bits = usize::try_from(bits & 31).unwrap_or(0);
                *digit = ALPHABET.get(five_bits).copied().unwrap_or(b'a');
                bits >>= 5;
            }
        }
        Self(text)
    }

    /// The text, as the bytes that it is.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_and_text_agree_with_rfc_4648() {
        // BASE32("foobarfoob") of RFC 4648's alphabet, in lower case.
        let id = KeyId::from_bytes(*b"foobarfoob");
        assert_eq!(id.to_string(), "key_mzxw6ytbojtg633c");
        assert_eq!(format!("{id:?}"), id.to_string());
        assert_eq!(
            KeyId::from_bytes([0; 10]).to_string(),
            "key_aaaaaaaaaaaaaaaa"
        );
        assert_eq!(
            KeyId::from_bytes([0xff; 10]).to_string(),
            "key_7777777777777777"
        );
    }

    #[test]
    fn only_the_exact_spelling_is_a_key_id() {
        for wrong in [
            "",
            "key_",
            "mzxw6ytbojtg633c",
            "key_mzxw6ytbojtg633",
            "key_mzxw6ytbojtg633cc",
            "KEY_mzxw6ytbojtg633c",
            "key_MZXW6YTBOJTG633C",
            "key_mzxw6ytbojtg6331",
            "key_mzxw6ytbojtg633 ",
            " key_mzxw6ytbojtg633c",
            "key_mzxw6ytbojtg63é",
            "key-mzxw6ytbojtg633c",
        ] {
            assert_eq!(wrong.parse::<KeyId>(), Err(KeyIdError), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(bytes: [u8; 10]) {
            let id = KeyId::from_bytes(bytes);
            prop_assert_eq!(KeyId::parse(&id.to_string()), Ok(id));
            prop_assert_eq!(id.as_bytes(), &bytes);
        }

        #[test]
        fn no_text_but_the_written_one_reads_as_an_id(text in "key_[a-z2-7]{16}") {
            prop_assert_eq!(KeyId::parse(&text).unwrap().to_string(), text);
        }
    }
}
