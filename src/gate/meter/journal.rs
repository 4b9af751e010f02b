//! A file beside the database that remembers counts which are not written yet, so that a kill loses none of them.
//!
//! Entries are only ever added: counted, sent as a batch of that number, settled. Read back from the start they say what
//! waits, and which batch may or may not have reached the database. It must not know when that happens.

mod entries;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};

use super::Batch;
use super::pending::Pending;
use super::tally::Count;
use entries::{Entry, Next, Row, Rows, batch_of, count_of, frame, next, written_of};

/// A journal that has grown beyond this is written anew, with what still waits alone.
const LARGE: u64 = 64 * 1024 * 1024;

/// The journal of one running gate.
pub(super) struct Journal {
    path: PathBuf,
    file: Option<File>,
    len: u64,
    /// Whether every entry up to now was written; else the next one begins it anew.
    is_whole: bool,
    /// The entry that is being written, kept for its memory.
    bytes: Vec<u8>,
    /// Held for its lock.
    _lock: Option<File>,
}

/// What an earlier run left.
#[derive(Default)]
pub(super) struct Left {
    pub(super) pending: Pending,
    pub(super) in_flight: Option<Batch>,
}

impl Journal {
    /// Opens the journal of this folder, and reads what is left in it. A second gate on the same folder gets a journal of
    /// its own and reads nothing.
    pub(super) fn open(folder: &Path, epoch: i64) -> (Self, Left) {
        let lock = match lock(folder) {
            Ok(lock) => lock,
            Err(error) => {
                tracing::warn!(%error, folder = %folder.display(), "activity cannot be kept on disk while the database is away");
                None
            }
        };
        let name = if lock.is_some() {
            "journal".to_owned()
        } else {
            format!("journal-{epoch}")
        };
        let mut journal = Self {
            path: folder.join(name),
            file: None,
            len: 0,
            is_whole: true,
            bytes: Vec::new(),
            _lock: lock,
        };
        let left = journal.read();
        (journal, left)
    }

    /// Notes counts that wait.
    pub(super) fn counted(&mut self, counts: &[Count]) -> io::Result<()> {
        self.append(&Entry::Counted(Rows(counts)))
    }

    /// Notes that some of what waits was given a number.
    pub(super) fn sent(&mut self, batch: &Batch) -> io::Result<()> {
        self.append(&Entry::Sent(written_of(batch)))
    }

    /// Notes that the batch needs no further attempt.
    pub(super) fn settled(&mut self, batch: &Batch) -> io::Result<()> {
        self.append(&Entry::Settled(batch.epoch, batch.seq))
    }

    /// Whether it holds less than it should, or much more.
    pub(super) fn wants_rewriting(&self) -> bool {
        !self.is_whole || self.len > LARGE
    }

    /// Writes it anew, whole or not at all.
    pub(super) fn rewrite(
        &mut self,
        pending: &Pending,
        in_flight: Option<&Batch>,
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        frame(&mut bytes, &Entry::Counted(Rows(pending.all())))?;
        if let Some(batch) = in_flight {
            frame(&mut bytes, &Entry::Counted(Rows(&batch.rows)))?;
            frame(&mut bytes, &Entry::Sent(written_of(batch)))?;
        }
        self.file = None;
        write_whole(&self.path, &bytes)?;
        self.len = u64::try_from(bytes.len()).unwrap_or(0);
        self.is_whole = true;
        Ok(())
    }

    /// Nothing waits any more.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        if self.len == 0 && self.is_whole {
            return Ok(());
        }
        self.file = None;
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.len = 0;
        self.is_whole = true;
        Ok(())
    }

    /// Puts a batch that the database refuses aside, where a person can look at it.
    pub(super) fn reject(&self, batch: &Batch) -> io::Result<()> {
        let folder = self.path.with_file_name("rejected");
        let name = format!("{}-{}.json", batch.epoch, batch.seq);
        write_whole(&folder.join(name), &serde_json::to_vec(&written_of(batch))?)
    }

    fn append(&mut self, entry: &Entry<Rows<'_>>) -> io::Result<()> {
        if !self.is_whole {
            return Err(io::Error::other("the journal is to be written anew"));
        }
        let mut bytes = mem::take(&mut self.bytes);
        bytes.clear();
        let written = frame(&mut bytes, entry)
            .and_then(|()| self.file().and_then(|file| file.write_all(&bytes)));
        if written.is_err() {
            self.is_whole = false;
            self.file = None;
        }
        self.len += u64::try_from(bytes.len()).unwrap_or(0);
        self.bytes = bytes;
        written
    }

    fn file(&mut self) -> io::Result<&mut File> {
        let file = if let Some(file) = self.file.take() {
            file
        } else {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            OpenOptions::new()
                .append(true)
                .create(true)
                .open(&self.path)?
        };
        Ok(self.file.insert(file))
    }

    /// Reads the journal from its start. A last entry that was cut off was never acted upon; what cannot be read is put
    /// aside for a person.
    fn read(&mut self) -> Left {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::error!(%error, "the journal of activity cannot be read");
                }
                return Left::default();
            }
        };
        let mut left = Left::default();
        let mut rest: &[u8] = &bytes;
        while !rest.is_empty() {
            match next(rest) {
                Next::Entry(entry, behind) => {
                    left.take(entry);
                    rest = behind;
                }
                Next::End => {
                    self.is_whole = false;
                    break;
                }
                Next::Spoilt => {
                    self.is_whole = false;
                    self.put_aside();
                    break;
                }
            }
        }
        self.len = u64::try_from(bytes.len()).unwrap_or(0);
        left
    }

    fn put_aside(&self) {
        let aside = self.path.with_extension("unreadable");
        let file = aside.display();
        match fs::copy(&self.path, &aside) {
            Ok(_) => {
                tracing::error!(%file, "part of the journal of activity cannot be read and is put aside");
            }
            Err(error) => {
                tracing::error!(%error, "part of the journal of activity cannot be read, nor put aside");
            }
        }
    }
}

impl Left {
    fn take(&mut self, entry: Entry<Vec<Row>>) {
        match entry {
            Entry::Counted(rows) => {
                let counts = rows.into_iter().map(count_of).collect();
                // What was kept once is kept again, however much it is.
                let lost = self.pending.add(counts, usize::MAX);
                debug_assert!(lost.is_empty());
            }
            Entry::Sent(written) => {
                let batch = batch_of(written);
                self.pending.subtract(&batch.rows);
                self.in_flight = Some(batch);
            }
            Entry::Settled(epoch, seq) => {
                self.in_flight = self
                    .in_flight
                    .take()
                    .filter(|batch| (batch.epoch, batch.seq) != (epoch, seq));
            }
        }
    }
}

/// The folder's lock, or nothing when another gate holds it.
fn lock(folder: &Path) -> io::Result<Option<File>> {
    fs::create_dir_all(folder)?;
    let file = File::create(folder.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let unfinished = path.with_extension("part");
    let mut file = File::create(&unfinished)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_data());
    drop(file);
    if let Err(error) = written {
        fs::remove_file(&unfinished)?;
        return Err(error);
    }
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests;
