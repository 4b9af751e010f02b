//! Passwords that are known from breaches, looked up in a file on this machine: nothing of a password leaves it (T-03).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use data_encoding::HEXUPPER_PERMISSIVE;
use sha1::{Digest, Sha1};

use crate::web::password::Password;

/// A SHA-1 digest in hexadecimal digits.
const DIGITS: usize = 40;
/// No line is longer: a digest, a colon and a count.
const LONGEST: usize = 64;

/// A file of SHA-1 digests, one a line in hexadecimal digits and in ascending order, each with `:` and a count behind it or
/// without: the form in which Have I Been Pwned gives them out. It is read where it lies, about forty short reads a password.
#[derive(Clone, Debug)]
pub struct Breached {
    file: Arc<File>,
    length: u64,
}

impl Breached {
    /// Opens the file.
    ///
    /// # Errors
    /// When it cannot be read, or its first line is no digest.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let breached = Self {
            file: Arc::new(file),
            length,
        };
        breached.digest_at(0)?;
        Ok(breached)
    }

    /// Whether the password is in it.
    ///
    /// # Errors
    /// When the file cannot be read any more.
    pub fn has(&self, password: &Password) -> io::Result<bool> {
        let wanted: [u8; 20] = Sha1::digest(password.expose().as_bytes()).into();
        // The first line that starts at `low` or later may be it; none that starts at `high` or later is.
        let (mut low, mut high) = (0, self.length);
        while low < high {
            let middle = low + (high - low) / 2;
            let start = self.line_from(middle)?;
            if start >= high {
                high = middle;
                continue;
            }
            match self.digest_at(start)?.cmp(&wanted) {
                std::cmp::Ordering::Equal => return Ok(true),
                std::cmp::Ordering::Less => low = start + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(false)
    }

    /// Where the first line starts that starts at this place or later; the file's length if none does.
    fn line_from(&self, place: u64) -> io::Result<u64> {
        let Some(before) = place.checked_sub(1) else {
            return Ok(0);
        };
        let mut text = [0; LONGEST];
        let read = self.file.read_at(&mut text, before)?;
        let end = text.iter().take(read).position(|byte| *byte == b'\n');
        match end.map(u64::try_from) {
            Some(Ok(end)) => Ok(place + end),
            _ if read < LONGEST => Ok(self.length),
            _ => Err(no_list()),
        }
    }

    fn digest_at(&self, start: u64) -> io::Result<[u8; 20]> {
        let mut digits = [0; DIGITS];
        self.file.read_exact_at(&mut digits, start)?;
        let mut digest = [0; 20];
        HEXUPPER_PERMISSIVE
            .decode_mut(&digits, &mut digest)
            .map_err(|_partial| no_list())?;
        Ok(digest)
    }
}

fn no_list() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "a line is no SHA-1 digest in 40 hexadecimal digits",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    use proptest::prelude::*;

    fn password(text: &str) -> Password {
        Password::from(text.to_owned())
    }

    fn list(
        known: &[String],
        counted: bool,
        last_newline: bool,
    ) -> (tempfile::NamedTempFile, Breached) {
        let mut lines: Vec<String> = known
            .iter()
            .map(|text| HEXUPPER_PERMISSIVE.encode(&Sha1::digest(text.as_bytes())))
            .collect();
        lines.sort_unstable();
        let lines: Vec<String> = lines
            .into_iter()
            .zip(1_u64..)
            .map(|(digest, count)| {
                let count = if counted {
                    format!(":{}", count.pow(3))
                } else {
                    String::new()
                };
                digest + &count
            })
            .collect();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(lines.join("\n").as_bytes()).unwrap();
        if last_newline {
            file.write_all(b"\n").unwrap();
        }
        let breached = Breached::open(file.path()).unwrap();
        (file, breached)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn t_03_what_stands_in_the_file_is_found_and_nothing_else(
            count in 1_usize..60,
            counted: bool,
            last_newline: bool,
        ) {
            let known: Vec<String> = (0..count).map(|n| format!("known {n}")).collect();
            let (_file, breached) = list(&known, counted, last_newline);
            for text in &known {
                prop_assert!(breached.has(&password(text)).unwrap(), "{text}");
            }
            for n in 0..60 {
                let unknown = password(&format!("unknown {n}"));
                prop_assert!(!breached.has(&unknown).unwrap());
            }
        }
    }

    #[test]
    fn a_file_of_something_else_is_refused() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        assert!(Breached::open(file.path()).is_err());
        file.write_all(b"password1234\nqwertyuiop12\nand some more of them, in plain words\n")
            .unwrap();
        assert!(Breached::open(file.path()).is_err());
        assert!(Breached::open(Path::new("/nowhere/at/all")).is_err());
    }
}
