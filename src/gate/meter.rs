//! The meter: counts verdicts as they are decided and brings the counts to the database, each exactly once.
//!
//! A thread takes the counts each second as one numbered batch. A batch is one transaction that also notes its number,
//! so one that was written is never written again. What cannot be written at once (the database is away, or a second
//! brought more different counts than a second may write) waits in memory, merged, and in a journal on disk. Beyond
//! a limit counts are dropped, and the drops counted. It must not know HTTP or the verdict.

mod callers;
mod exposures;
mod flusher;
mod journal;
mod outbox;
mod pending;
mod roll;
pub(crate) mod tally;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use latchkey_rules::caller::AddressDetail;
use latchkey_rules::time::Millis;
use latchkey_rules::verdict::Caller;

use callers::Callers;
use exposures::Exposures;
pub(crate) use flusher::{Flusher, Shared};
use tally::{Count, Counted, Subject, Tally};

use crate::store::callers::CallerCount;
use crate::store::exposures::{Exposure, ExposureCount};
use crate::store::replica::RowId;

/// Between two flushes: with the time that a flush takes it stays below the second that a kill may lose.
const FLUSH: Duration = Duration::from_millis(750);

/// One flush.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Batch {
    node: String,
    epoch: i64,
    seq: i64,
    at: Millis,
    rows: Vec<Count>,
    /// Who called. This much is lost with the process: it is there for people to read, not to be added up.
    callers: Vec<CallerCount>,
    /// Which secrets were sent where others can read them; likewise.
    exposures: Vec<ExposureCount>,
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
    /// Requests whose caller found no room on the way to the database.
    callers_missed: AtomicU64,
    /// The running gate's epoch.
    pub(crate) epoch: AtomicU64,
}

/// Where verdicts are counted.
pub(crate) struct Meter {
    tally: Tally,
    callers: Callers,
    exposures: Exposures,
    address_detail: AddressDetail,
    pub(crate) counts: MeterCounts,
    stopping: Mutex<bool>,
    bell: Condvar,
}

impl Meter {
    pub(crate) fn new(address_detail: AddressDetail) -> Self {
        Self {
            tally: Tally::new(),
            callers: Callers::new(),
            exposures: Exposures::default(),
            address_detail,
            counts: MeterCounts::default(),
            stopping: Mutex::new(false),
            bell: Condvar::new(),
        }
    }

    /// Counts verdicts of one instant.
    pub(crate) fn count(&self, counted: impl IntoIterator<Item = Counted>, now: Millis) {
        self.tally.count(counted, now);
    }

    /// Notes who sent a request, beside its count.
    pub(crate) fn note_caller(&self, subject: &Subject, caller: &Caller<'_>, now: Millis) {
        self.callers.note(subject, caller, self.address_detail, now);
    }

    /// Notes that a secret was sent where others can read it.
    pub(crate) fn note_exposure(&self, key: RowId, secret_number: u16, way: Exposure, now: Millis) {
        self.exposures.note(key, secret_number, way, now);
    }

    /// Requests that were counted, but not who sent them.
    pub(crate) fn callers_missed(&self) -> u64 {
        self.callers.missed() + self.counts.callers_missed.load(Ordering::Relaxed)
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

    /// Blocks until the next flush is due; false when the meter stops.
    fn goes_on(&self) -> bool {
        let stopping = self.stopping.lock().unwrap_or_else(PoisonError::into_inner);
        let (stopping, _) = self
            .bell
            .wait_timeout_while(stopping, FLUSH, |stopping| !*stopping)
            .unwrap_or_else(PoisonError::into_inner);
        !*stopping
    }
}
