//! The meter: counts verdicts as they are decided and brings the counts to the database, each exactly once.
//!
//! A thread takes the counts each second as one numbered batch. A batch is one transaction that also notes its number,
//! so one that was written is never written again. While the database is away batches wait, on disk where that is
//! possible; beyond [`QUEUE_LIMIT`] they are dropped and the drops counted. It must not know HTTP or the verdict.

mod spill;
pub(crate) mod tally;

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use latchkey_rules::time::Millis;
use rand::RngExt;

use crate::clock::Clock;
use crate::store::activity::{self, MeterBatch, MeterRow};
use crate::store::replica::RowId;
use crate::store::{self, Db};

use super::contact::{Contact, Freshness};
use spill::Spill;
use tally::{Count, Subject, Tally};

/// Between two flushes.
const FLUSH: Duration = Duration::from_secs(1);
/// Bytes of batches that wait, in memory and on disk together.
const QUEUE_LIMIT: u64 = 64 * 1024 * 1024;
/// How often a batch is tried that the database refuses.
const TRIES: u8 = 3;

/// One flush.
#[derive(Clone, Debug)]
struct Batch {
    epoch: i64,
    seq: i64,
    at: Millis,
    rows: Vec<Count>,
}

/// What the meter says of itself.
#[derive(Default)]
pub(crate) struct MeterCounts {
    /// Bytes that wait.
    pub(crate) queued: AtomicU64,
    /// Verdicts that are lost for want of room.
    pub(crate) dropped: AtomicU64,
    /// Batches that the database refused.
    pub(crate) rejected: AtomicU64,
    pub(crate) written: AtomicU64,
}

/// Where verdicts are counted.
pub(crate) struct Meter {
    tally: Tally,
    pub(crate) counts: MeterCounts,
    stopping: Mutex<bool>,
    bell: Condvar,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self {
            tally: Tally::new(),
            counts: MeterCounts::default(),
            stopping: Mutex::new(false),
            bell: Condvar::new(),
        }
    }

    /// Counts one verdict.
    pub(crate) fn count(&self, subject: Subject, now: Millis) {
        self.tally.count(subject, now);
    }

    /// Verdicts that are lost for want of room.
    pub(crate) fn dropped(&self) -> u64 {
        self.tally.dropped() + self.counts.dropped.load(Ordering::Relaxed)
    }

    /// Ends the flushing thread after one last flush.
    pub(crate) fn stop(&self) {
        *self.stopping.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_all();
    }

    /// Blocks for a second; false when the meter stops.
    fn goes_on(&self) -> bool {
        let stopping = self.stopping.lock().unwrap_or_else(PoisonError::into_inner);
        let (stopping, _) = self
            .bell
            .wait_timeout_while(stopping, FLUSH, |stopping| !*stopping)
            .unwrap_or_else(PoisonError::into_inner);
        !*stopping
    }
}

/// The thread's own part: what waits, and where it goes.
pub(crate) struct Flusher {
    meter: Arc<Meter>,
    contact: Arc<Contact>,
    db: Db,
    clock: Clock,
    node: String,
    epoch: i64,
    seq: i64,
    spill: Spill,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    held: Held,
    bytes: u64,
    tries: u8,
}

enum Held {
    InMemory(Batch),
    OnDisk(PathBuf),
}

/// What became of an attempt.
enum Attempt {
    Done,
    Away,
    Refused,
}

impl Flusher {
    /// A flusher with a new epoch; what an earlier run left on disk waits before anything new.
    pub(crate) fn new(
        meter: Arc<Meter>,
        contact: Arc<Contact>,
        db: Db,
        clock: Clock,
        node: String,
        data_dir: &Path,
    ) -> Self {
        let spill = Spill::new(data_dir);
        let left = spill.left().unwrap_or_else(|error| {
            tracing::warn!(%error, "the folder of waiting activity cannot be read");
            Vec::new()
        });
        let waiting = left.into_iter().map(|(path, bytes)| Waiting {
            held: Held::OnDisk(path),
            bytes,
            tries: 0,
        });
        Self {
            meter,
            contact,
            db,
            clock,
            node,
            epoch: rand::rng().random_range(1..i64::MAX),
            seq: 0,
            spill,
            waiting: waiting.collect(),
        }
    }

    /// Flushes each second until the meter stops, then once more.
    pub(crate) fn run(mut self) {
        while self.meter.goes_on() {
            self.flush();
        }
        self.flush();
        self.spill_all();
        self.report();
    }

    fn flush(&mut self) {
        self.take();
        // A frozen database is not asked: the answer would take its whole deadline while counts pile up in memory.
        if self.contact.freshness() == Freshness::InTouch {
            self.write_waiting();
        } else {
            self.spill_all();
        }
        self.report();
    }

    /// Takes what was counted since the last time.
    fn take(&mut self) {
        let rows = self.meter.tally.take();
        if rows.is_empty() {
            return;
        }
        let bytes = u64::try_from(rows.len() * size_of::<Count>()).unwrap_or(u64::MAX);
        if self.queued() + bytes > QUEUE_LIMIT {
            let lost: i64 = rows.iter().map(|row| row.times).sum();
            let lost = u64::try_from(lost).unwrap_or(0);
            let before = self.meter.counts.dropped.fetch_add(lost, Ordering::Relaxed);
            if before == 0 {
                tracing::error!("activity is lost: the database is away and no more can wait");
            }
            return;
        }
        self.seq += 1;
        let batch = Batch {
            epoch: self.epoch,
            seq: self.seq,
            at: self.clock.now(),
            rows,
        };
        self.waiting.push_back(Waiting {
            held: Held::InMemory(batch),
            bytes,
            tries: 0,
        });
    }

    fn write_waiting(&mut self) {
        while let Some(mut first) = self.waiting.pop_front() {
            match self.attempt(&first) {
                Attempt::Done => {
                    forget(&first.held);
                    self.meter.counts.written.fetch_add(1, Ordering::Relaxed);
                }
                Attempt::Refused if first.tries + 1 >= TRIES => self.reject(first),
                Attempt::Refused => {
                    first.tries += 1;
                    self.waiting.push_front(first);
                    return;
                }
                Attempt::Away => {
                    self.waiting.push_front(first);
                    return self.spill_all();
                }
            }
        }
    }

    fn attempt(&self, waiting: &Waiting) -> Attempt {
        let batch = match &waiting.held {
            Held::InMemory(batch) => to_store(&self.node, batch),
            Held::OnDisk(path) => match spill::read(path) {
                Ok((node, batch)) => to_store(&node, &batch),
                Err(error) => {
                    tracing::error!(%error, file = %path.display(), "a file of waiting activity cannot be read");
                    return Attempt::Refused;
                }
            },
        };
        match self
            .db
            .batch_blocking(move |writer| activity::flush(writer, &batch))
        {
            Ok(_) => Attempt::Done,
            Err(store::Error::Unavailable(_)) => Attempt::Away,
            Err(error) => {
                tracing::error!(%error, "the database refuses a batch of activity");
                Attempt::Refused
            }
        }
    }

    /// Puts what waits in memory onto the disk, so that a kill loses nothing of it.
    fn spill_all(&mut self) {
        for waiting in &mut self.waiting {
            let Held::InMemory(batch) = &waiting.held else {
                continue;
            };
            match self.spill.write(&self.node, batch) {
                Ok(path) => waiting.held = Held::OnDisk(path),
                // It stays in memory; the disk may have room again in a second.
                Err(error) => {
                    return tracing::warn!(%error, "waiting activity cannot be written to disk");
                }
            }
        }
    }

    fn reject(&self, waiting: Waiting) {
        self.meter.counts.rejected.fetch_add(1, Ordering::Relaxed);
        let (node, batch) = match waiting.held {
            Held::InMemory(batch) => (self.node.clone(), batch),
            Held::OnDisk(path) => match spill::read(&path) {
                Ok(read) => {
                    forget(&Held::OnDisk(path));
                    read
                }
                // What cannot be read is put out of the way under a name that nobody reads.
                Err(_) => return rename_unreadable(&path),
            },
        };
        if let Err(error) = self.spill.reject(&node, &batch) {
            tracing::error!(%error, "a refused batch of activity cannot be kept and is lost");
        }
    }

    fn queued(&self) -> u64 {
        self.waiting.iter().map(|waiting| waiting.bytes).sum()
    }

    fn report(&self) {
        self.meter
            .counts
            .queued
            .store(self.queued(), Ordering::Relaxed);
    }
}

fn forget(held: &Held) {
    if let Held::OnDisk(path) = held
        && let Err(error) = fs::remove_file(path)
    {
        // Harmless: its number tells the database that it was written.
        tracing::warn!(%error, file = %path.display(), "a written batch of activity cannot be removed");
    }
}

fn rename_unreadable(path: &Path) {
    if let Err(error) = fs::rename(path, path.with_extension("unreadable")) {
        tracing::error!(%error, file = %path.display(), "an unreadable file of activity cannot be put aside");
    }
}

fn to_store(node: &str, batch: &Batch) -> MeterBatch {
    MeterBatch {
        node: node.to_owned(),
        epoch: batch.epoch,
        seq: batch.seq,
        at: batch.at,
        rows: batch.rows.iter().map(to_row).collect(),
    }
}

fn to_row(count: &Count) -> MeterRow {
    let Subject {
        account_row,
        key_row,
        secret_number,
        product_row,
        code,
    } = count.subject;
    MeterRow {
        account: account_row,
        key: key_row,
        secret_number: i16::try_from(secret_number).unwrap_or(i16::MAX),
        product: (product_row != RowId::NONE).then_some(product_row),
        code,
        hour: count.hour,
        count: count.times,
    }
}
