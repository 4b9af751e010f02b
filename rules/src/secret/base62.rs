//! Digits of base 62, in the order `0-9A-Za-z`: drawn without bias, and as the spelling of a CRC-32.
//!
//! It must not know what the digits are for.

use rand::CryptoRng;
use zeroize::Zeroizing;

/// Digits that any 32-bit number fits into.
pub(super) const CHECKSUM_CHARS: usize = 6;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The digit that a random byte draws. Six bits make 64 numbers; the two beyond the digits are drawn
/// again rather than folded, which would favour two digits.
fn digit_of(byte: u8) -> Option<char> {
    DIGITS
        .get(usize::from(byte & 0x3f))
        .copied()
        .map(char::from)
}

/// Appends so many random digits, each equally likely.
pub(super) fn push_random<R: CryptoRng + ?Sized>(text: &mut String, count: usize, rng: &mut R) {
    let mut bytes = Zeroizing::new([0_u8; 64]);
    let mut missing = count;
    while missing > 0 {
        rng.fill_bytes(bytes.as_mut_slice());
        for digit in bytes.iter().filter_map(|b| digit_of(*b)).take(missing) {
            text.push(digit);
            missing -= 1;
        }
    }
}

/// CRC-32 (IEEE) of a text, in six digits, padded with zeros on the left.
pub(super) fn checksum(text: &str) -> [u8; CHECKSUM_CHARS] {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM_CHARS];
    for place in digits.iter_mut().rev() {
        let value = usize::try_from(rest % 62).unwrap_or(0);
        *place = DIGITS.get(value).copied().unwrap_or(b'0');
        rest /= 62;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checksum_text(text: &str) -> String {
        checksum(text).map(char::from).iter().collect()
    }

    #[test]
    fn checksums_agree_with_published_examples() {
        // The first is a well-known published one; the others were made with another implementation.
        for (text, expected) in [
            ("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17"),
            ("4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u", "3H50yq"),
            ("lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u", "4MyGIU"),
            (
                "lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw",
                "4RrxHu",
            ),
            ("", "000000"),
        ] {
            assert_eq!(checksum_text(text), expected, "{text}");
        }
        assert_eq!(
            crc32fast::hash(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ"),
            0x2a95_ee6d
        );
    }

    #[test]
    fn every_digit_is_drawn_by_the_same_number_of_bytes() {
        let mut drawn_by = std::collections::BTreeMap::new();
        let mut drawn_again = 0;
        for byte in 0..=u8::MAX {
            match digit_of(byte) {
                Some(digit) => *drawn_by.entry(digit).or_insert(0) += 1,
                None => drawn_again += 1,
            }
        }
        assert_eq!(drawn_by.len(), 62);
        assert!(drawn_by.values().all(|bytes| *bytes == 4), "{drawn_by:?}");
        assert_eq!(drawn_again, 8);
    }
}
