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
        let value = self
            .0
            .iter()
            .fold(0_u128, |value, byte| value << 8 | u128::from(*byte));
        let mut text = String::with_capacity(PREFIX.len() + CHARS);
        text.push_str(PREFIX);
        for place in (0..CHARS).rev() {
            let five_bits = usize::try_from(value >> (place * 5) & 31).unwrap_or(0);
            text.extend(ALPHABET.get(five_bits).copied().map(char::from));
        }
        f.pad(&text)
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
