//! What the store counts of itself: how often and how long it was asked, what failed, what waits.
//!
//! It must not know what was asked.

use std::time::Duration;

use super::queue::Lane;
use crate::metrics::{Family, Histogram, Page, Words};
use crate::store::error::{Error, Result};

const SECONDS: Family = Family::histogram(
    "latchkey_database_seconds",
    &["operation"],
    "How long an answer of the database took, with the wait for a connection. The gate's reading of the change log is not in it.",
);
const FAILURES: Family = Family::counter(
    "latchkey_database_failures_total",
    &["reason"],
    "Answers of the database that were none: it was away or too slow (unavailable), or it failed (failed).",
);
const QUEUE: Family = Family::gauge(
    "latchkey_database_queue_length",
    &["queue"],
    "Work that waits for a connection.",
);

const BOUNDS: &[Duration] = &[
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// What is done with the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Read,
    Write,
    /// A write that nobody waits for.
    Batch,
}

impl Operation {
    /// Where it queues up.
    pub(super) const fn lane(self) -> Lane {
        match self {
            Self::Read | Self::Write => Lane::People,
            Self::Batch => Lane::Batches,
        }
    }
}

/// How much work waits for a connection.
pub(super) struct Waiting {
    pub(super) reads: usize,
    pub(super) writes: usize,
    pub(super) batches: usize,
}

#[derive(Debug)]
pub(super) struct Counts {
    reads: Histogram,
    writes: Histogram,
    batches: Histogram,
    failures: Words,
}

impl Counts {
    pub(super) fn new() -> Self {
        Self {
            reads: Histogram::new(BOUNDS),
            writes: Histogram::new(BOUNDS),
            batches: Histogram::new(BOUNDS),
            failures: Words::new(&["unavailable", "failed"]),
        }
    }

    /// Counts an answer. That something is not there, or is there already, is an answer like any other.
    pub(super) fn answered<T>(&self, operation: Operation, took: Duration, answer: &Result<T>) {
        let histogram = match operation {
            Operation::Read => &self.reads,
            Operation::Write => &self.writes,
            Operation::Batch => &self.batches,
        };
        histogram.observe(took);
        match answer {
            Err(Error::Unavailable(_)) => self.failures.count("unavailable"),
            Err(Error::Database(_)) => self.failures.count("failed"),
            _ => {}
        }
    }

    pub(super) fn write(&self, page: &mut Page, waiting: &Waiting) {
        let mut seconds = page.family(&SECONDS);
        seconds.histogram(&["read"], &self.reads);
        seconds.histogram(&["write"], &self.writes);
        seconds.histogram(&["batch"], &self.batches);
        page.words(&FAILURES, &self.failures);
        let mut queue = page.family(&QUEUE);
        queue.sample(&["read"], waiting.reads);
        queue.sample(&["write"], waiting.writes);
        queue.sample(&["batch"], waiting.batches);
    }
}
