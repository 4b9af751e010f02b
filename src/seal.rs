//! Seals short texts that the database must hold and nobody must read there: AES-256-GCM under a key of the master key's,
//! each bound to what it belongs to, so that one put elsewhere does not open.
//!
//! Must not know what the texts are for.

pub mod file;

use std::fmt;
use std::sync::Arc;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use rand::TryRng;
use rand::rngs::SysRng;
use zeroize::Zeroizing;

/// The form of what is sealed: this byte, the length of the key's id and the id, the nonce, the ciphertext with its tag.
const FORM: u8 = 1;
const NONCE: usize = 12;

/// Why something cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The system has no random numbers, or the text is longer than anybody's.
    #[error("it could not be sealed")]
    Sealing,
    /// The bytes are of no form that is known.
    #[error("it is not sealed in a known form")]
    Form,
    /// The key that sealed it is not in the master key's file any more.
    #[error("the key that sealed it is not in the master key file")]
    KeyGone,
    /// It was changed, or belongs to something else.
    #[error("it was changed, or belongs elsewhere")]
    Broken,
}

/// The keys of one purpose, by the ids of the master keys that they are drawn from; the first seals.
#[derive(Clone)]
pub struct Seal {
    keys: Arc<Vec<(String, Zeroizing<[u8; 32]>)>>,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal([redacted])")
    }
}

impl Seal {
    /// A seal with these keys, of which the first is in use.
    pub fn new(keys: Vec<(String, Zeroizing<[u8; 32]>)>) -> Self {
        Self {
            keys: Arc::new(keys),
        }
    }

    /// The id of the key that seals.
    pub fn in_use(&self) -> &str {
        self.keys.first().map_or("", |(id, _)| id)
    }

    /// Whether what a key with this id sealed can be opened.
    pub fn knows(&self, id: &str) -> bool {
        self.keys.iter().any(|(known, _)| known == id)
    }

    /// Seals a text that belongs to `about`.
    ///
    /// # Errors
    /// [`SealError::Sealing`].
    pub fn seal(&self, about: &str, text: &str) -> Result<Vec<u8>, SealError> {
        let (id, key) = self.keys.first().ok_or(SealError::Sealing)?;
        let id_length = u8::try_from(id.len()).map_err(|_too_long| SealError::Sealing)?;
        let mut nonce = [0_u8; NONCE];
        SysRng
            .try_fill_bytes(&mut nonce)
            .map_err(|_no_entropy| SealError::Sealing)?;
        let payload = Payload {
            msg: text.as_bytes(),
            aad: about.as_bytes(),
        };
        let closed = cipher(key)
            .encrypt(Nonce::from_slice(&nonce), payload)
            .map_err(|_too_long| SealError::Sealing)?;
        let mut sealed = vec![FORM, id_length];
        sealed.extend_from_slice(id.as_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&closed);
        Ok(sealed)
    }

    /// Opens what was sealed for `about`.
    ///
    /// # Errors
    /// [`SealError::Form`], [`SealError::KeyGone`] or [`SealError::Broken`].
    pub fn open(&self, about: &str, sealed: &[u8]) -> Result<Zeroizing<String>, SealError> {
        let (id, nonce, closed) = parts(sealed).ok_or(SealError::Form)?;
        let (_, key) = self
            .keys
            .iter()
            .find(|(known, _)| known.as_bytes() == id)
            .ok_or(SealError::KeyGone)?;
        let payload = Payload {
            msg: closed,
            aad: about.as_bytes(),
        };
        let text = cipher(key)
            .decrypt(Nonce::from_slice(nonce), payload)
            .map_err(|_tag_is_wrong| SealError::Broken)?;
        String::from_utf8(text)
            .map(Zeroizing::new)
            .map_err(|_not_text| SealError::Broken)
    }
}

fn cipher(key: &[u8; 32]) -> Aes256Gcm {
    Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key))
}

/// The key's id, the nonce, and the rest.
fn parts(sealed: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (form, rest) = sealed.split_first()?;
    let (length, rest) = rest.split_first()?;
    if *form != FORM {
        return None;
    }
    let (id, rest) = rest.split_at_checked(usize::from(*length))?;
    let (nonce, closed) = rest.split_at_checked(NONCE)?;
    Some((id, nonce, closed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(keys: &[(&str, u8)]) -> Seal {
        let keys = keys
            .iter()
            .map(|(id, byte)| ((*id).to_owned(), Zeroizing::new([*byte; 32])));
        Seal::new(keys.collect())
    }

    #[test]
    fn what_is_sealed_opens_only_for_what_it_belongs_to() {
        let ours = seal(&[("k1", 1)]);
        let sealed = ours.seal("mail|mira@example.com", "a token").unwrap();
        assert_eq!(
            *ours.open("mail|mira@example.com", &sealed).unwrap(),
            "a token"
        );
        assert_eq!(
            ours.open("mail|ana@example.com", &sealed),
            Err(SealError::Broken)
        );
        assert!(!sealed.windows(7).any(|part| part == b"a token"));
        assert_ne!(
            sealed,
            ours.seal("mail|mira@example.com", "a token").unwrap()
        );
    }

    #[test]
    fn no_changed_byte_opens() {
        let ours = seal(&[("k1", 1)]);
        let sealed = ours.seal("x", "a token").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(ours.open("x", &changed).is_err(), "byte {at}");
            assert!(ours.open("x", &sealed[..at]).is_err(), "{at} bytes");
        }
    }

    #[test]
    fn an_older_key_opens_and_a_lost_one_is_told() {
        let sealed = seal(&[("k1", 1)]).seal("x", "a token").unwrap();
        let renewed = seal(&[("k2", 2), ("k1", 1)]);
        assert_eq!(*renewed.open("x", &sealed).unwrap(), "a token");
        assert_eq!(
            seal(&[("k2", 2)]).open("x", &sealed),
            Err(SealError::KeyGone)
        );
        assert_eq!(format!("{renewed:?}"), "Seal([redacted])");
    }
}
