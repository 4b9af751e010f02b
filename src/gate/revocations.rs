//! The log of revocations: a file beside the database that remembers how keys stood after each change, so that a backup from
//! before one revives nothing. A line is JSON, of one key; of a key's lines the one with the highest generation holds.
//!
//! It must not know the change log, or what a restore does with the file.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use latchkey_rules::key_id::KeyId;

use crate::store::changes::Epoch;
use crate::store::revocations::Standing;

/// The file's name in the data folder.
pub const FILE: &str = "revocations.log";

/// A file that is longer when it is opened is written anew, with the last line of each key alone.
const LARGE: u64 = 64 * 1024 * 1024;

/// Lines that wait for a disk that refuses them; more are left out, and said so.
const WAITING: usize = 100_000;

/// The file, and what could not be written yet.
pub(crate) struct Revocations {
    path: PathBuf,
    waiting: Vec<Standing>,
    is_failing: bool,
    /// The last line that was there when it was opened.
    last: Option<Standing>,
}

impl Revocations {
    /// Opens the file of this data folder, if there is one, and looks for its end.
    pub(crate) fn open(folder: &Path) -> Self {
        let path = folder.join(FILE);
        let last = shorten(&path).and_then(|()| last_line(&path));
        if let Err(error) = &last {
            tracing::error!(%error, file = %path.display(), "the log of revocations cannot be read");
        }
        Self {
            path,
            waiting: Vec::new(),
            is_failing: false,
            last: last.ok().flatten(),
        }
    }

    /// Up to where that change log was read when the file's last line was written; nothing for another log.
    pub(crate) fn place_in(&self, epoch: Epoch) -> Option<i64> {
        self.last.as_ref()?.place_in(epoch)
    }

    /// Adds lines, which are on disk when this returns unless the disk refuses; then they wait for the next time.
    pub(crate) fn add(&mut self, lines: impl IntoIterator<Item = Standing>) {
        self.waiting.extend(lines);
        if self.waiting.is_empty() {
            return;
        }
        match append(&self.path, &self.waiting) {
            Ok(()) => {
                self.waiting.clear();
                self.is_failing = false;
            }
            Err(error) => {
                if !self.is_failing {
                    tracing::error!(%error, file = %self.path.display(), "revocations cannot be written beside the database");
                }
                self.is_failing = true;
                self.waiting.truncate(WAITING);
            }
        }
    }
}

/// All lines of such a file. One that was cut off by a kill is left out; the next start has written it again.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path) -> io::Result<Vec<Standing>> {
    let lines = BufReader::new(File::open(path)?).lines();
    lines
        .filter_map(|line| {
            line.map(|line| serde_json::from_str(&line).ok())
                .transpose()
        })
        .collect()
}

fn append(path: &Path, lines: &[Standing]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(lines.len() * 160);
    for line in lines {
        // A line that was cut off before this one ends here.
        bytes.push(b'\n');
        serde_json::to_writer(&mut bytes, line).map_err(io::Error::other)?;
    }
    bytes.push(b'\n');
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(&bytes)?;
    file.sync_data()
}

fn last_line(path: &Path) -> io::Result<Option<Standing>> {
    if !path.exists() {
        return Ok(None);
    }
    Ok(read(path)?.pop())
}

fn shorten(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(facts) if facts.len() > LARGE => {}
        _ => return Ok(()),
    }
    let mut last: HashMap<KeyId, (usize, Standing)> = HashMap::new();
    for (place, line) in read(path)?.into_iter().enumerate() {
        let Some(id) = line.key_id() else { continue };
        let is_older = |known: &(usize, Standing)| known.1.generation() > line.generation();
        if !last.get(&id).is_some_and(is_older) {
            last.insert(id, (place, line));
        }
    }
    let mut lines: Vec<(usize, Standing)> = last.into_values().collect();
    lines.sort_unstable_by_key(|(place, _)| *place);
    let lines: Vec<Standing> = lines.into_iter().map(|(_, line)| line).collect();
    let part = path.with_extension("part");
    if part.exists() {
        fs::remove_file(&part)?;
    }
    append(&part, &lines)?;
    fs::rename(&part, path)
}
