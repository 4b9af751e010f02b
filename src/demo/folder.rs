//! The folder that the demo lives in: one of its own that goes with it, or one that stays.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rand::RngExt;

/// The demo's folder.
pub(super) struct Folder {
    path: PathBuf,
    goes: bool,
}

impl Folder {
    /// The folder that was asked for, made if it is not there; else a new one that goes with the demo.
    pub(super) fn open(wanted: Option<&Path>) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        builder.mode(0o700);
        let Some(path) = wanted else {
            let number: u64 = rand::rng().random();
            let path = std::env::temp_dir().join(format!("latchkey-demo-{number:016x}"));
            // Not recursive: a folder that is there already is somebody else's.
            builder.create(&path)?;
            return Ok(Self { path, goes: true });
        };
        builder.recursive(true).create(path)?;
        Ok(Self {
            path: path.to_owned(),
            goes: false,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it stays when the demo ends.
    pub(super) const fn stays(&self) -> bool {
        !self.goes
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.goes
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            let folder = self.path.display();
            tracing::warn!(%folder, %error, "the demo's folder could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_folder_of_its_own_is_private_and_goes_with_the_demo() {
        let folder = Folder::open(None).unwrap();
        let path = folder.path().to_owned();
        fs::write(path.join("kept"), "x").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_that_was_asked_for_stays() {
        let parent = tempfile::tempdir().unwrap();
        let wanted = parent.path().join("a/b");
        drop(Folder::open(Some(&wanted)).unwrap());
        assert!(wanted.exists());
    }
}
