//! The name of one request, for logs and error pages. It never says anything about who asked.

use std::fmt;

use rand::RngExt;

/// A random name, `req_` and 16 characters, drawn for each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// Draws a new one.
    pub fn generate() -> Self {
        let bytes: [u8; 10] = rand::rng().random();
        let mut name = String::with_capacity(20);
        name.push_str("req_");
        data_encoding::BASE32_NOPAD_VISUAL.encode_append(&bytes, &mut name);
        name.make_ascii_lowercase();
        Self(name)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_short_lower_case_and_fresh() {
        let (one, two) = (RequestId::generate(), RequestId::generate());
        assert_eq!(one.as_str().len(), 20);
        assert!(one.as_str().starts_with("req_"));
        assert!(
            one.as_str()
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        );
        assert_ne!(one, two);
    }
}
