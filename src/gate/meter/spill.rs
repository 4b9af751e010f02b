//! Batches that wait on disk while the database is away.
//!
//! It must not know when a batch is written to the database.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use latchkey_rules::code::Code;
use latchkey_rules::time::Millis;
use serde::{Deserialize, Serialize};

use super::Batch;
use super::tally::{Count, Subject};
use crate::store::replica::RowId;

/// The folder of waiting batches.
pub(super) struct Spill {
    folder: PathBuf,
}

/// Account, key, secret number, product (0 for none), outcome, hour, count.
type Row = (i64, i64, u16, i64, i16, i64, i64);

/// A batch as it stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    node: String,
    epoch: i64,
    seq: i64,
    at: i64,
    rows: Vec<Row>,
}

impl Spill {
    pub(super) fn new(data_dir: &Path) -> Self {
        Self {
            folder: data_dir.join("spill"),
        }
    }

    /// Writes the batch as a file of its own: whole or not at all.
    pub(super) fn write(&self, node: &str, batch: &Batch) -> io::Result<PathBuf> {
        let path = self.folder.join(name_of(batch));
        write_file(&path, &to_bytes(node, batch)?)?;
        Ok(path)
    }

    /// Puts a batch that the database refuses aside, where a person can look at it.
    pub(super) fn reject(&self, node: &str, batch: &Batch) -> io::Result<PathBuf> {
        let path = self.folder.join("rejected").join(name_of(batch));
        write_file(&path, &to_bytes(node, batch)?)?;
        Ok(path)
    }

    /// The files that an earlier run left, the oldest first, with their sizes.
    pub(super) fn left(&self) -> io::Result<Vec<(PathBuf, u64)>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut left = Vec::new();
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if path.extension().is_some_and(|end| end == "json") {
                let facts = entry.metadata()?;
                left.push((facts.modified()?, path, facts.len()));
            }
        }
        left.sort();
        Ok(left.into_iter().map(|(_, path, len)| (path, len)).collect())
    }
}

/// Reads a file back: the node that counted, and the batch.
pub(super) fn read(path: &Path) -> io::Result<(String, Batch)> {
    let written: Written = serde_json::from_slice(&fs::read(path)?)?;
    let rows = written.rows.into_iter().map(count_of).collect();
    let batch = Batch {
        epoch: written.epoch,
        seq: written.seq,
        at: Millis(written.at),
        rows,
    };
    Ok((written.node, batch))
}

fn name_of(batch: &Batch) -> String {
    format!("{}-{}.json", batch.epoch, batch.seq)
}

fn to_bytes(node: &str, batch: &Batch) -> io::Result<Vec<u8>> {
    let row = |count: &Count| {
        let subject = &count.subject;
        let (account, key) = (subject.account_row.number(), subject.key_row.number());
        let (product, outcome) = (subject.product_row.number(), subject.code.number());
        (
            account,
            key,
            subject.secret_number,
            product,
            outcome,
            count.hour.0,
            count.times,
        )
    };
    let written = Written {
        node: node.to_owned(),
        epoch: batch.epoch,
        seq: batch.seq,
        at: batch.at.0,
        rows: batch.rows.iter().map(row).collect(),
    };
    Ok(serde_json::to_vec(&written)?)
}

fn count_of(row: Row) -> Count {
    let (account, key, secret_number, product, outcome, hour, times) = row;
    Count {
        subject: Subject {
            account_row: RowId::from_number(account),
            key_row: RowId::from_number(key),
            secret_number,
            product_row: RowId::from_number(product),
            // A number of a newer version stands for something that was not let through.
            code: Code::from_number(outcome).unwrap_or(Code::Unavailable),
        },
        hour: Millis(hour),
        times,
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let unfinished = path.with_extension("part");
    let mut file = fs::File::create(&unfinished)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_data());
    if let Err(error) = written {
        drop(file);
        fs::remove_file(&unfinished)?;
        return Err(error);
    }
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(seq: i64) -> Batch {
        let subject = Subject {
            account_row: RowId::from_number(1),
            key_row: RowId::from_number(2),
            secret_number: 3,
            product_row: RowId::from_number(4),
            code: Code::Valid,
        };
        let count = Count {
            subject,
            hour: Millis(3_600_000),
            times: 5,
        };
        Batch {
            epoch: 6,
            seq,
            at: Millis(9),
            rows: vec![count],
        }
    }

    #[test]
    fn a_batch_comes_back_from_disk_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let spill = Spill::new(folder.path());
        assert_eq!(spill.left().unwrap(), []);
        let path = spill.write("node", &batch(1)).unwrap();
        spill.reject("node", &batch(2)).unwrap();
        let left = spill.left().unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].0, path);
        let (node, read) = read(&path).unwrap();
        assert_eq!(node, "node");
        assert_eq!(
            (read.epoch, read.seq, read.at, &read.rows),
            (6, 1, Millis(9), &batch(1).rows)
        );
    }

    #[test]
    fn a_file_that_is_none_of_ours_is_an_error_and_not_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        fs::write(&path, b"{\"node\":").unwrap();
        assert!(read(&path).is_err());
    }
}
