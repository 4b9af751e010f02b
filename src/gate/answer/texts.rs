//! The texts of an answer's headers, one after another in one piece of memory: each header is a slice of it.

use std::ops::Range;

use actix_http::header::HeaderValue;
use actix_web::web::Bytes;

use super::NOTHING;

/// Texts that are being written.
pub(super) struct Texts(Vec<u8>);

impl Texts {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(super) fn push(&mut self, text: &str) -> Range<usize> {
        self.push_bytes(text.as_bytes())
    }

    pub(super) fn push_bytes(&mut self, text: &[u8]) -> Range<usize> {
        self.write(|out| out.extend_from_slice(text))
    }

    pub(super) fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Range<usize> {
        let start = self.0.len();
        write(&mut self.0);
        start..self.0.len()
    }

    pub(super) fn done(self) -> WrittenTexts {
        WrittenTexts(Bytes::from(self.0))
    }
}

/// Texts that are written.
pub(super) struct WrittenTexts(Bytes);

impl WrittenTexts {
    /// The text at that place; one that can be no header's becomes `-`.
    pub(super) fn value(&self, place: Range<usize>) -> HeaderValue {
        HeaderValue::from_maybe_shared(self.0.slice(place)).unwrap_or(NOTHING)
    }
}

/// Appends a whole number in decimal digits.
pub(super) fn push_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_whole() {
        for number in [0, 7, 10, 909, 12_345, 65_535, u64::MAX] {
            let mut out = Vec::new();
            push_number(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }
}
