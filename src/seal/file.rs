//! Seals whole files, such as backups: AES-256-GCM in pieces, so that no file is too large, by the STREAM construction, so
//! that no piece can be left out, added or moved.
//!
//! Must not know what the files hold.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aes_gcm::aead::stream::{DecryptorBE32, EncryptorBE32};
use aes_gcm::aead::{KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key};
use rand::TryRng;
use rand::rngs::SysRng;

use super::{Seal, SealError};

/// What a sealed file begins with; then come the length of the key's id, the id, the nonce, and the pieces, each with its tag.
const MAGIC: &[u8] = b"latchkey sealed 1\n";
/// Of the nonce the rest is a piece's number, and whether it is the last.
const NONCE: usize = 7;
const TAG: usize = 16;
const PIECE: usize = 64 * 1024;

/// Why a file cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A file cannot be read or written.
    #[error("{0}")]
    File(#[from] io::Error),
    /// Its content cannot be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Whether the file is a sealed one.
///
/// # Errors
/// When it cannot be read.
pub fn is_sealed(path: &Path) -> io::Result<bool> {
    let mut head = vec![0; MAGIC.len()];
    let length = fill(&mut File::open(path)?, &mut head)?;
    Ok(length == MAGIC.len() && head == MAGIC)
}

impl Seal {
    /// Seals a file as a new one, which only its owner may read.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn seal_file(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        let (id, key) = self.keys.first().ok_or(SealError::Sealing)?;
        let id_length = u8::try_from(id.len()).map_err(|_too_long| SealError::Sealing)?;
        let mut nonce = [0_u8; NONCE];
        SysRng
            .try_fill_bytes(&mut nonce)
            .map_err(|_no_entropy| SealError::Sealing)?;
        let mut head = MAGIC.to_vec();
        head.push(id_length);
        head.extend_from_slice(id.as_bytes());
        head.extend_from_slice(&nonce);
        let mut from = BufReader::new(File::open(from)?);
        let mut to = BufWriter::new(new_file(to)?);
        to.write_all(&head)?;
        let mut sealing = Some(EncryptorBE32::from_aead(cipher(key), (&nonce).into()));
        each_piece(&mut from, to, PIECE, |msg, is_last| {
            let payload = Payload { msg, aad: &head };
            let sealed = match (&mut sealing, is_last) {
                (Some(sealing), false) => sealing.encrypt_next(payload),
                (sealing, _) => sealing
                    .take()
                    .ok_or(SealError::Sealing)?
                    .encrypt_last(payload),
            };
            sealed.map_err(|_too_long| SealError::Sealing)
        })
    }

    /// Opens a sealed file as a new one, which only its owner may read.
    ///
    /// # Errors
    /// When a file cannot be read or written, its key is gone, or it was changed or cut off.
    pub fn open_file(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        let mut from = BufReader::new(File::open(from)?);
        let mut head = vec![0; MAGIC.len() + 1];
        from.read_exact(&mut head)?;
        let id_length = usize::from(head.last().copied().unwrap_or(0));
        let mut rest = vec![0; id_length + NONCE];
        from.read_exact(&mut rest)?;
        head.extend_from_slice(&rest);
        let (id, nonce) = rest.split_at_checked(id_length).ok_or(SealError::Form)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_short| SealError::Form)?;
        let known = self.keys.iter().find(|(known, _)| known.as_bytes() == id);
        let (_, key) = known.ok_or(SealError::KeyGone)?;
        let mut opening = Some(DecryptorBE32::from_aead(cipher(key), (&nonce).into()));
        let to = BufWriter::new(new_file(to)?);
        each_piece(&mut from, to, PIECE + TAG, |msg, is_last| {
            let payload = Payload { msg, aad: &head };
            let opened = match (&mut opening, is_last) {
                (Some(opening), false) => opening.decrypt_next(payload),
                (opening, _) => opening
                    .take()
                    .ok_or(SealError::Broken)?
                    .decrypt_last(payload),
            };
            opened.map_err(|_tag_is_wrong| SealError::Broken)
        })
    }
}

/// Puts what is left of a file through `work`, piece by piece, and writes what comes of each; `work` is told which one is the
/// last, which may be empty.
fn each_piece(
    from: &mut impl Read,
    mut to: BufWriter<File>,
    size: usize,
    mut work: impl FnMut(&[u8], bool) -> Result<Vec<u8>, SealError>,
) -> Result<(), FileError> {
    let (mut piece, mut ahead) = (vec![0; size], vec![0; size]);
    let mut length = fill(from, &mut piece)?;
    loop {
        let next = fill(from, &mut ahead)?;
        to.write_all(&work(piece.get(..length).unwrap_or_default(), next == 0)?)?;
        if next == 0 {
            return Ok(to.into_inner().map_err(io::Error::from)?.sync_all()?);
        }
        std::mem::swap(&mut piece, &mut ahead);
        length = next;
    }
}

fn cipher(key: &[u8; 32]) -> Aes256Gcm {
    Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key))
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Reads until the piece is full or nothing is left; answers how much that was.
fn fill(from: &mut impl Read, piece: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(room) = piece.get_mut(length..).filter(|room| !room.is_empty()) {
        match from.read(room)? {
            0 => break,
            read => length += read,
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use zeroize::Zeroizing;

    use super::*;

    fn seal(id: &str, byte: u8) -> Seal {
        Seal::new(vec![(id.to_owned(), Zeroizing::new([byte; 32]))])
    }

    #[test]
    fn t_62_a_file_of_any_length_comes_back_and_only_with_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, sealed) = (folder.path().join("plain"), folder.path().join("sealed"));
        let opened = folder.path().join("opened");
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let content: Vec<u8> = (0..length)
                .map(|at| u8::try_from(at % 251).unwrap())
                .collect();
            fs::write(&plain, &content).unwrap();
            seal("k1", 7).seal_file(&plain, &sealed).unwrap();
            assert!(is_sealed(&sealed).unwrap() && !is_sealed(&plain).unwrap());
            let mode = fs::metadata(&sealed).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            seal("k1", 7).open_file(&sealed, &opened).unwrap();
            assert_eq!(fs::read(&opened).unwrap(), content, "{length}");
            fs::remove_file(&opened).unwrap();
            let other = seal("k2", 7).open_file(&sealed, &opened).unwrap_err();
            assert!(
                matches!(other, FileError::Seal(SealError::KeyGone)),
                "{other}"
            );
            let wrong = seal("k1", 8).open_file(&sealed, &opened).unwrap_err();
            assert!(
                matches!(wrong, FileError::Seal(SealError::Broken)),
                "{wrong}"
            );
            fs::remove_file(&opened).unwrap();
            fs::remove_file(&sealed).unwrap();
        }
    }

    #[test]
    fn t_62_a_file_that_was_changed_or_cut_off_does_not_open() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, sealed) = (folder.path().join("plain"), folder.path().join("sealed"));
        fs::write(&plain, vec![5; 2 * PIECE + 9]).unwrap();
        seal("k1", 7).seal_file(&plain, &sealed).unwrap();
        let whole = fs::read(&sealed).unwrap();
        let head = MAGIC.len() + 1 + 2 + NONCE;
        let piece = PIECE + TAG;
        let flipped = |at: usize| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            bytes
        };
        let swapped = [
            &whole[..head],
            &whole[head + piece..head + 2 * piece],
            &whole[head..head + piece],
            &whole[head + 2 * piece..],
        ]
        .concat();
        for (what, bytes) in [
            ("a nonce", flipped(head - 1)),
            ("a byte", flipped(head + 10)),
            ("the last byte", flipped(whole.len() - 1)),
            ("a piece cut off", whole[..head + 2 * piece].to_vec()),
            (
                "a piece left out",
                [&whole[..head], &whole[head + piece..]].concat(),
            ),
            ("two pieces exchanged", swapped),
            ("something added", [whole.as_slice(), b"x"].concat()),
        ] {
            fs::write(&sealed, bytes).unwrap();
            let opened = folder.path().join("opened");
            let refused = seal("k1", 7).open_file(&sealed, &opened).unwrap_err();
            assert!(
                matches!(refused, FileError::Seal(SealError::Broken)),
                "{what}: {refused}"
            );
            fs::remove_file(&opened).unwrap();
        }
    }
}
