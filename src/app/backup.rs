//! Backups of the whole installation but for its keyring, and their restore.
//!
//! Must not know tables, or how a database is copied.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use latchkey_rules::time::SECOND_MS;

use super::{MasterKeys, database_url, make_folder};
use crate::clock::Clock;
use crate::config::Config;
use crate::config::master_key::MasterKeyError;
use crate::gate::revocations;
use crate::seal::Seal;
use crate::seal::file::{FileError, is_sealed};
use crate::store::nodes::{self, Node};
use crate::store::revocations::{Settled, Standing, settle};
use crate::store::{CopyError, Db, PutBack, put_back, scope};

/// Why a backup was not made, or not restored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be copied, or the copy not be put in place.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The master key cannot be read.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// A file cannot be sealed, or not be opened.
    #[error("{file} cannot be {what}: {why}.")]
    Sealed {
        /// Which file.
        file: String,
        /// `sealed` or `opened`.
        what: &'static str,
        /// Why.
        why: FileError,
    },
    /// A log of revocations cannot be read.
    #[error("{file} cannot be read: {why}.")]
    Log {
        /// Which one.
        file: String,
        /// What the system said.
        why: io::Error,
    },
    /// A file that was needed for the moment cannot be removed.
    #[error("{file} cannot be removed: {why}.")]
    Leftover {
        /// Which one.
        file: String,
        /// What the system said.
        why: io::Error,
    },
    /// The data folder cannot be used.
    #[error("{0}")]
    Folder(String),
    /// Somebody still serves.
    #[error(
        "{node} still serves: it was heard {seconds} s ago. Stop every node first; one that was killed is silent for long enough in a few seconds."
    )]
    Serving {
        /// Which node.
        node: String,
        /// How long ago.
        seconds: i64,
    },
}

/// What a restore did.
#[derive(Debug)]
pub struct Restored {
    /// Where the database is that stood there before, if it was a file.
    pub kept: Option<PathBuf>,
    /// What was ended again.
    pub settled: Settled,
    /// Whether there was a log of revocations to go by.
    pub has_log: bool,
}

/// Copies the database to a new file that only its owner may read, sealed with the master key if that is wanted.
///
/// # Errors
/// When the file is there already, or cannot be written.
pub fn backup(config: &Config, db: &Db, to: &Path, sealed: bool) -> Result<(), Error> {
    if !sealed {
        return Ok(db.backup(to)?);
    }
    let seal = seal(&master_keys_of(config)?);
    let plain = beside(to, "plain");
    db.backup(&plain)?;
    let done = seal.seal_file(&plain, to).map_err(|why| Error::Sealed {
        file: to.display().to_string(),
        what: "sealed",
        why,
    });
    remove(&plain)?;
    done
}

/// Puts a backup in the database's place, and ends again what the logs say was ended after it was made.
///
/// # Errors
/// When somebody still serves, or a file cannot be read; then nothing was changed.
pub fn restore(
    config: &Config,
    clock: &Clock,
    from: &Path,
    logs: &[PathBuf],
    by: &str,
) -> Result<Restored, Error> {
    make_folder(&config.data_dir).map_err(|error| Error::Folder(error.to_string()))?;
    refuse_while_served(config, clock)?;
    let own = config.data_dir.join(revocations::FILE);
    let own = (logs.is_empty() && own.exists()).then_some(own);
    let logs: Vec<&PathBuf> = logs.iter().chain(&own).collect();
    let mut lines: Vec<Standing> = Vec::new();
    for log in &logs {
        lines.extend(revocations::read(log).map_err(|why| Error::Log {
            file: log.display().to_string(),
            why,
        })?);
    }
    let is_sealed = is_sealed(from).map_err(|why| Error::Log {
        file: from.display().to_string(),
        why,
    })?;
    let put = |file: &Path| {
        let operator = scope::operator(by);
        put_back(&database_url(config), file, clock.clone(), |change| {
            settle(change, &operator, &lines)
        })
    };
    let put = if is_sealed {
        let plain = config.data_dir.join("restore.plain");
        remove(&plain)?;
        let seal = seal(&master_keys_of(config)?);
        let opened = seal.open_file(from, &plain).map_err(|why| Error::Sealed {
            file: from.display().to_string(),
            what: "opened",
            why,
        });
        let put = opened.and_then(|()| Ok(put(&plain)?));
        remove(&plain)?;
        put?
    } else {
        put(from)?
    };
    let PutBack { kept, settled } = put;
    Ok(Restored {
        kept,
        settled,
        has_log: !logs.is_empty(),
    })
}

/// The keys that are there: a backup, or a restore, is no moment to make one up.
fn master_keys_of(config: &Config) -> Result<MasterKeys, Error> {
    Ok(MasterKeys::load(&config.master_key_path())?)
}

fn seal(keys: &MasterKeys) -> Seal {
    Seal::new(keys.sub_keys("backups"))
}

/// A database that nobody can read has no list of nodes either; then the operator's word is all there is.
fn refuse_while_served(config: &Config, clock: &Clock) -> Result<(), Error> {
    let Ok(db) = Db::open(&database_url(config), clock.clone()) else {
        return Ok(());
    };
    let Ok(nodes) = db.read_blocking(nodes::all) else {
        return Ok(());
    };
    let now = clock.now();
    let silent_ms = |node: &Node| now.0 - node.heard_at.0;
    let serves = |node: &&Node| node.left_at.is_none() && silent_ms(node) < nodes::SILENT_MS;
    match nodes.iter().find(serves) {
        None => Ok(()),
        Some(node) => Err(Error::Serving {
            node: node.name.clone(),
            seconds: (silent_ms(node) / SECOND_MS).max(0),
        }),
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    PathBuf::from(format!("{}.{end}", path.display()))
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(Error::Leftover {
            file: path.display().to_string(),
            why,
        }),
        _ => Ok(()),
    }
}
