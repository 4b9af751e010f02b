//! The master key and the keys drawn from it: one for each purpose, none of which tells anything of another.
//!
//! Must not know what the drawn keys are used for.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use hkdf::Hkdf;
use rand::TryRng;
use rand::rngs::SysRng;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

const BYTES: usize = 32;

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum MasterKeyError {
    #[error(
        "the master key file {0} does not exist; on PostgreSQL every node needs the same one: make it with \
             (umask 077; echo \"k1 $(openssl rand -hex 32)\" > {0}) and name it in master_key_file"
    )]
    Absent(PathBuf),
    #[error(
        "the master key file {path} may be read by others (mode {mode:03o}): run chmod 600 {path}"
    )]
    Mode { path: PathBuf, mode: u32 },
    #[error("the master key file {path}, line {line}: {problem}")]
    Line {
        path: PathBuf,
        line: usize,
        problem: &'static str,
    },
    #[error("the master key file {0} holds no key")]
    Empty(PathBuf),
    #[error("the master key file {path}: {error}")]
    File { path: PathBuf, error: io::Error },
    #[error("the operating system gives no random numbers")]
    Random,
}

struct Entry {
    id: String,
    key: Zeroizing<[u8; BYTES]>,
}

/// The keys of the file; the first is in use, the others read what they once wrote.
pub struct MasterKeys {
    in_use: Entry,
    older: Vec<Entry>,
}

impl std::fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "MasterKeys({}, {} older)",
            self.in_use.id,
            self.older.len()
        )
    }
}

impl MasterKeys {
    /// Reads the file, which must belong to its owner alone.
    pub fn load(path: &Path) -> Result<Self, MasterKeyError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => MasterKeyError::Absent(path.to_owned()),
            _ => MasterKeyError::File {
                path: path.to_owned(),
                error,
            },
        };
        let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(MasterKeyError::Mode {
                path: path.to_owned(),
                mode,
            });
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
        Self::parse(path, &text)
    }

    /// Reads the file, or makes it with a new key when there is none.
    pub fn load_or_create(path: &Path) -> Result<Self, MasterKeyError> {
        match create(path) {
            Ok(()) => Self::load(path),
            Err(MasterKeyError::File { error, .. })
                if error.kind() == io::ErrorKind::AlreadyExists =>
            {
                Self::load(path)
            }
            Err(other) => Err(other),
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, MasterKeyError> {
        let mut entries: Vec<Entry> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |problem| MasterKeyError::Line {
                path: path.to_owned(),
                line: index + 1,
                problem,
            };
            let entry = entry(line).map_err(wrong)?;
            if entries.iter().any(|other| other.id == entry.id) {
                return Err(wrong("the key's id stands on two lines"));
            }
            entries.push(entry);
        }
        let mut entries = entries.into_iter();
        let in_use = entries
            .next()
            .ok_or_else(|| MasterKeyError::Empty(path.to_owned()))?;
        Ok(Self {
            in_use,
            older: entries.collect(),
        })
    }

    /// The id of the key in use.
    pub fn id(&self) -> &str {
        &self.in_use.id
    }

    /// A key for one purpose, drawn from the key in use by HKDF-SHA-256; the label names the purpose.
    pub fn sub_key<const N: usize>(&self, label: &str) -> Zeroizing<[u8; N]> {
        draw(&self.in_use, label)
    }

    /// A key for one purpose from each master key, with that one's id; the first is in use.
    pub fn sub_keys<const N: usize>(&self, label: &str) -> Vec<(String, Zeroizing<[u8; N]>)> {
        std::iter::once(&self.in_use)
            .chain(&self.older)
            .map(|entry| (entry.id.clone(), draw(entry, label)))
            .collect()
    }
}

fn draw<const N: usize>(entry: &Entry, label: &str) -> Zeroizing<[u8; N]> {
    const { assert!(N > 0 && N <= 255 * 32) };
    let mut key = Zeroizing::new([0; N]);
    let info = ["latchkey v1 ", label];
    let expanded = Hkdf::<Sha256>::new(None, &*entry.key)
        .expand_multi_info(&info.map(str::as_bytes), &mut *key);
    debug_assert!(expanded.is_ok(), "the length is checked when compiled");
    key
}

fn entry(line: &str) -> Result<Entry, &'static str> {
    let (id, key) = line
        .split_once(char::is_whitespace)
        .ok_or("must be the key's id, a space, and the key")?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if id.len() > 32 || !id.bytes().all(plain) {
        return Err("the key's id must be lower-case letters, digits and hyphens, at most 32");
    }
    let key = key.trim().as_bytes();
    let decoded = if key.len() == 2 * BYTES {
        HEXLOWER_PERMISSIVE.decode(key)
    } else {
        BASE64.decode(key)
    };
    let mut decoded = decoded.unwrap_or_default();
    let bytes = <[u8; BYTES]>::try_from(decoded.as_slice()).map(Zeroizing::new);
    decoded.zeroize();
    let key = bytes.map_err(
        |_wrong_length| "the key must be 32 bytes, as 64 hexadecimal digits or in base64",
    )?;
    Ok(Entry {
        id: id.to_owned(),
        key,
    })
}

fn create(path: &Path) -> Result<(), MasterKeyError> {
    let failed = |error| MasterKeyError::File {
        path: path.to_owned(),
        error,
    };
    let mut key = Zeroizing::new([0u8; BYTES]);
    SysRng
        .try_fill_bytes(&mut *key)
        .map_err(|_no_entropy| MasterKeyError::Random)?;
    let mut line = Zeroizing::new(String::with_capacity(80));
    // Writing to a String cannot fail.
    if writeln!(line, "k1 {}", HEXLOWER.encode(&*key)).is_err() {
        return Err(MasterKeyError::Random);
    }
    // Written beside and linked into place: no crash leaves a file without its key, and of two first starts one wins.
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let written = write(&beside, line.as_bytes()).and_then(|()| fs::hard_link(&beside, path));
    let removed = fs::remove_file(&beside);
    written.and(removed).map_err(failed)
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Result<MasterKeys, String> {
        MasterKeys::parse(Path::new("master.key"), text).map_err(|e| e.to_string())
    }

    #[test]
    fn sub_keys_are_hkdf_sha256_with_the_label_as_info() {
        let zeros = format!("k1 {}", "00".repeat(32));
        let keys = keys(&zeros).unwrap();
        let one: Zeroizing<[u8; 32]> = keys.sub_key("session cookies");
        let longer: Zeroizing<[u8; 64]> = keys.sub_key("session cookies");
        assert_eq!(*one, longer[..32]);
        assert_ne!(*one, *keys.sub_key::<32>("audit chain"));
        // python3: HMAC-SHA-256 twice, by RFC 5869, of 32 zero bytes without salt.
        assert_eq!(
            HEXLOWER.encode(&*one),
            "4f290f499dfc7f4986bba8a9024212e0ff2f84c929e295996b821709ed63a038"
        );
    }

    #[test]
    fn the_first_line_is_in_use_and_older_ones_can_still_be_asked() {
        let text = format!(
            "# ours\n\nk2 {}\nk1 {}\n",
            "11".repeat(32),
            BASE64.encode(&[0x22; 32])
        );
        let keys = keys(&text).unwrap();
        assert_eq!(keys.id(), "k2");
        let [first, second] = <[_; 2]>::try_from(keys.sub_keys::<16>("x")).unwrap();
        assert_eq!((first.0.as_str(), second.0.as_str()), ("k2", "k1"));
        assert_eq!(*first.1, *keys.sub_key::<16>("x"));
        assert_ne!(*first.1, *second.1);
        assert_eq!(format!("{keys:?}"), "MasterKeys(k2, 1 older)");
    }

    #[test]
    fn a_broken_line_is_named_without_its_content() {
        let good = "11".repeat(32);
        let table = [
            ("k1", "line 1: must be the key's id"),
            ("K1 zz", "line 1: the key's id must be"),
            ("k1 abcdef123", "line 1: the key must be 32 bytes"),
            (
                &format!("# x\nk1 {good}\nk1 {good}"),
                "line 3: the key's id stands on two lines",
            ),
            ("# nothing", "holds no key"),
        ];
        for (text, expected) in table {
            let message = keys(text).unwrap_err();
            assert!(message.contains(expected), "{message}");
            assert!(!message.contains("abcdef123"), "{message}");
        }
    }

    #[test]
    fn a_new_file_is_its_owners_alone_and_a_readable_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        assert!(matches!(
            MasterKeys::load(&path),
            Err(MasterKeyError::Absent(_))
        ));
        let made: Zeroizing<[u8; 32]> = MasterKeys::load_or_create(&path).unwrap().sub_key("x");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            *made,
            *MasterKeys::load_or_create(&path)
                .unwrap()
                .sub_key::<32>("x")
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = MasterKeys::load(&path).unwrap_err().to_string();
        assert!(
            refused.contains("mode 640") && refused.contains("chmod 600"),
            "{refused}"
        );
    }
}
