//! The name of one request, for answers, logs and error pages: `req_` and 26 base32 characters, 130 random bits.
//!
//! It opens nothing and never says anything about who asked; it is random so that nobody meets another's by counting.

use std::fmt;

use rand::RngExt;

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const PREFIX: &[u8; 4] = b"req_";
const LEN: usize = 30;

/// A random name, drawn for each request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; LEN]);

impl RequestId {
    /// Draws a new one, from the thread's own generator.
    pub fn generate() -> Self {
        // Twelve digits of five bits from each number; a draw a digit would cost as much as the rest of a verdict.
        let random: [u64; 3] = rand::rng().random();
        let mut id = [0; LEN];
        let (prefix, digits) = id.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX);
        for (digits, mut bits) in digits.chunks_mut(12).zip(random) {
            for digit in digits {
                let [low, ..] = bits.to_le_bytes();
                *digit = ALPHABET.get(usize::from(low & 31)).copied().unwrap_or(b'a');
                bits >>= 5;
            }
        }
        Self(id)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The name as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether the text could be a request id; one that a proxy hands back is shown only then.
    pub fn is_one(text: &str) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        (1..=64).contains(&text.len()) && text.bytes().all(plain)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_form_and_differ() {
        let ids: std::collections::HashSet<String> = (0..1_000)
            .map(|_| RequestId::generate().to_string())
            .collect();
        assert_eq!(ids.len(), 1_000);
        for id in ids {
            let digits = id.strip_prefix("req_").unwrap();
            assert_eq!(digits.len(), 26);
            assert!(digits.bytes().all(|byte| ALPHABET.contains(&byte)));
            assert!(RequestId::is_one(&id));
        }
        for foreign in ["", "a b", "x\"y", "<b>", &"a".repeat(65)] {
            assert!(!RequestId::is_one(foreign));
        }
    }
}
