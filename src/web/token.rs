//! Random tokens that open something once or for a while: sessions and one-time links. The database holds digests only
//! (T-08, T-18); what a token opens is not known here.

use std::fmt;

use rand::TryRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::web::error::Error;

/// 256 bits of the operating system's randomness, as text for a cookie or a link.
pub struct Token(Zeroizing<String>);

impl Token {
    /// Draws a new one.
    pub fn generate() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        rand::rngs::SysRng
            .try_fill_bytes(&mut *bytes)
            .map_err(|error| Error::Internal(format!("the system gives no randomness: {error}")))?;
        Ok(Self(Zeroizing::new(
            data_encoding::BASE64URL_NOPAD.encode(&*bytes),
        )))
    }

    /// The text that goes out.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn digest(&self) -> [u8; 32] {
        digest(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What is stored of a token that came in.
pub fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_08_a_token_has_256_bits_and_only_its_digest_is_kept() {
        let (one, two) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_eq!(
            data_encoding::BASE64URL_NOPAD
                .decode(one.expose().as_bytes())
                .unwrap()
                .len(),
            32
        );
        assert_ne!(one.expose(), two.expose());
        assert_eq!(one.digest(), digest(one.expose()));
        assert_eq!(format!("{one:?}"), "[redacted]");
    }
}
