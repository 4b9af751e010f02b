//! The way to the database: a thread that writes one batch at a time, so that whoever hands it one need not wait for a
//! database that does not answer.
//!
//! It must not know what becomes of a batch that is not written.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use super::Batch;
use super::tally::{Count, Subject};
use crate::store::activity::{self, DayTotal, MeterBatch, MeterRow};
use crate::store::replica::RowId;
use crate::store::{self, Db};

/// How long an answer is waited for; a flush is due again after it.
const PATIENCE: Duration = Duration::from_millis(600);

/// What became of an attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// It is written.
    Done,
    /// The database does not answer, or has not yet: the batch may be written and may not.
    Away,
    /// The database refuses it.
    Refused,
}

/// The writing thread's hand.
pub(super) struct Outbox {
    batches: Sender<MeterBatch>,
    answers: Receiver<(Attempt, Vec<DayTotal>)>,
    /// Whether the thread still is at a batch.
    is_busy: bool,
}

impl Outbox {
    pub(super) fn open(db: Db) -> io::Result<Self> {
        let (batches, to_write) = mpsc::channel();
        let (answer, answers) = mpsc::channel();
        let write = move || {
            for batch in to_write {
                if answer.send(write(&db, batch)).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new()
            .name("gate-outbox".to_owned())
            .spawn(write)?;
        Ok(Self {
            batches,
            answers,
            is_busy: false,
        })
    }

    /// Tries a batch, and says what the days come to that it adds to. After [`Attempt::Away`] the same one has to be tried again, and no other: the thread may still be
    /// at it, and then this is its answer.
    pub(super) fn attempt(&mut self, batch: &Batch) -> (Attempt, Vec<DayTotal>) {
        if !self.is_busy {
            if self.batches.send(to_store(batch)).is_err() {
                return (Attempt::Away, Vec::new());
            }
            self.is_busy = true;
        }
        match self.answers.recv_timeout(PATIENCE) {
            Ok(answer) => {
                self.is_busy = false;
                answer
            }
            Err(_not_yet) => (Attempt::Away, Vec::new()),
        }
    }
}

fn write(db: &Db, batch: MeterBatch) -> (Attempt, Vec<DayTotal>) {
    match db.batch_blocking(move |writer| activity::flush(writer, &batch)) {
        Ok((_, days)) => (Attempt::Done, days),
        Err(store::Error::Unavailable(_)) => (Attempt::Away, Vec::new()),
        Err(error) => {
            tracing::error!(%error, "the database refuses a batch of activity");
            (Attempt::Refused, Vec::new())
        }
    }
}

fn to_store(batch: &Batch) -> MeterBatch {
    MeterBatch {
        node: batch.node.clone(),
        epoch: batch.epoch,
        seq: batch.seq,
        at: batch.at,
        rows: batch.rows.iter().map(to_row).collect(),
        callers: batch.callers.clone(),
        exposures: batch.exposures.clone(),
    }
}

fn to_row(count: &Count) -> MeterRow {
    let subject = &count.subject;
    MeterRow {
        account: subject.account_row,
        key: subject.key_row,
        secret_number: secret_number(subject),
        product: product(subject),
        code: subject.code,
        last: count.last,
        count: count.times,
        units: count.units,
    }
}

/// As the store keeps it.
pub(super) fn secret_number(subject: &Subject) -> i16 {
    i16::try_from(subject.secret_number).unwrap_or(i16::MAX)
}

/// The product, if the request led to one.
pub(super) fn product(subject: &Subject) -> Option<RowId> {
    (subject.product_row != RowId::NONE).then_some(subject.product_row)
}
