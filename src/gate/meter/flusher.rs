//! Brings counts to the database: straight away where it can, by way of the journal where it cannot.
//!
//! It must not know who counts.

use std::collections::HashMap;
use std::io;
use std::mem;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use latchkey_rules::code::Code;
use latchkey_rules::time::Millis;
use rand::RngExt;

use super::journal::Journal;
use super::outbox::{Attempt, Outbox};
use super::pending::{ENTRY_BYTES, Pending};
use super::roll::Roll;
use super::tally::{Count, Subject};
use super::{Batch, Meter};
use crate::clock::Clock;
use crate::gate::contact::{Contact, Freshness};
use crate::gate::limiter::{At, Limiter, monotonic};
use crate::gate::replica::{Admitted, Replica};
use crate::store::Db;
use crate::store::activity::DayTotal;
use crate::store::callers::CallerCount;
use crate::store::exposures::ExposureCount;
use crate::store::replica::RowId;

/// Rows of one batch, and of one second: writing more would take the processor away from deciding. A row that waits
/// gathers counts meanwhile, so that a busy gate writes the fewer rows a verdict the busier it is.
const BATCH_ROWS: usize = 4_000;
/// Who called goes along with every so many'th flush: fewer rows are written for the same callers.
const CALLERS_EVERY: u8 = 3;
/// Callers' rows of one batch.
const CALLER_ROWS: usize = 2_000;
/// Exposures of one batch; what is left out is seen again.
const EXPOSURES: usize = 1_000;
/// Bytes of counts that wait.
const QUEUE_LIMIT: u64 = 64 * 1024 * 1024;
/// How often a batch is tried that the database refuses.
const TRIES: u8 = 3;

/// The thread's own part: what waits, and where it goes.
pub(crate) struct Flusher {
    shared: Shared,
    outbox: Outbox,
    clock: Clock,
    node: String,
    epoch: i64,
    seq: i64,
    journal: Journal,
    pending: Pending,
    roll: Roll,
    /// Secrets that were sent where others can read them, and which no batch holds yet.
    exposures: Vec<ExposureCount>,
    /// Flushes since callers went along.
    flushes: u8,
    in_flight: Option<InFlight>,
    /// How often full buckets were given up.
    swept: usize,
    /// Whether the journal's last failure was told.
    journal_failing: bool,
}

/// What it shares with those who decide.
pub(crate) struct Shared {
    pub(crate) meter: Arc<Meter>,
    pub(crate) replica: Arc<Replica>,
    pub(crate) contact: Arc<Contact>,
    pub(crate) limiter: Arc<Limiter>,
}

/// A batch that has its number, and may or may not be written: only this very batch may be tried again.
struct InFlight {
    batch: Batch,
    refusals: u8,
}

impl Flusher {
    /// A flusher with a new epoch; what an earlier run left waits before anything new.
    pub(crate) fn new(
        shared: Shared,
        db: Db,
        clock: Clock,
        node: String,
        data_dir: &Path,
    ) -> io::Result<Self> {
        let epoch = rand::rng().random_range(1..i64::MAX);
        let shown = u64::try_from(epoch).unwrap_or(0);
        shared.meter.counts.epoch.store(shown, Ordering::Relaxed);
        let (journal, left) = Journal::open(&data_dir.join("spill"), epoch);
        let in_flight = left.in_flight.map(|batch| InFlight { batch, refusals: 0 });
        Ok(Self {
            shared,
            outbox: Outbox::open(db)?,
            clock,
            node,
            epoch,
            seq: 0,
            journal,
            pending: left.pending,
            roll: Roll::default(),
            exposures: Vec::new(),
            flushes: 0,
            in_flight,
            swept: 0,
            journal_failing: false,
        })
    }

    /// Flushes each second until the meter stops, then until nothing waits.
    pub(crate) fn run(mut self) {
        while self.shared.meter.goes_on() {
            self.flush();
            self.report();
            self.sweep();
        }
        self.flushes = CALLERS_EVERY;
        self.flush();
        while self.is_waiting() && self.in_touch() && self.send() == Attempt::Done {}
        self.mend_journal();
        self.report();
    }

    fn sweep(&mut self) {
        let at = At {
            micros: monotonic(&self.clock),
            now: self.shared.contact.not_back(self.clock.now()),
        };
        self.swept = self.swept.wrapping_add(1);
        self.shared.limiter.sweep(self.swept, at);
    }

    fn flush(&mut self) {
        let mut fresh = self.shared.meter.tally.take();
        self.shared
            .replica
            .take_admitted(|admitted| fresh.push(count_of(admitted)));
        self.roll.add(self.shared.meter.callers.take());
        self.exposures.extend(self.shared.meter.exposures.take());
        self.exposures.truncate(EXPOSURES);
        self.flushes = self.flushes.saturating_add(1);
        let in_touch = self.in_touch();
        if in_touch && !self.is_waiting() && fresh.len() <= BATCH_ROWS {
            if !fresh.is_empty() || self.callers_are_due() || !self.exposures.is_empty() {
                self.write_fresh(fresh);
            }
            return;
        }
        self.keep(fresh);
        // A frozen database is not asked: its answer would take the whole deadline, while counts pile up unjournalled.
        if in_touch {
            let before = self.in_flight.is_some();
            let attempt = self.send();
            if before && attempt == Attempt::Done && self.is_waiting() {
                self.send();
            }
        }
        self.mend_journal();
    }

    fn in_touch(&self) -> bool {
        self.shared.contact.freshness() == Freshness::InTouch
    }

    fn callers_are_due(&self) -> bool {
        self.flushes >= CALLERS_EVERY && !self.roll.is_empty()
    }

    fn due_callers(&mut self) -> Vec<CallerCount> {
        if !self.callers_are_due() {
            return Vec::new();
        }
        self.flushes = 0;
        self.roll.take(CALLER_ROWS)
    }

    fn is_waiting(&self) -> bool {
        self.in_flight.is_some() || !self.pending.is_empty()
    }

    /// The everyday case: one second's counts go straight to the database.
    fn write_fresh(&mut self, fresh: Vec<Count>) {
        let batch = self.number(fresh);
        if self.attempt(&batch) != Attempt::Done {
            let noted = self
                .journal
                .counted(&batch.rows)
                .and_then(|()| self.journal.sent(&batch));
            self.told(noted);
            self.in_flight = Some(InFlight { batch, refusals: 1 });
        }
    }

    /// Keeps counts for later, in memory and in the journal.
    fn keep(&mut self, fresh: Vec<Count>) {
        if fresh.is_empty() {
            return;
        }
        let noted = self.journal.counted(&fresh);
        self.told(noted);
        let limit = usize::try_from(QUEUE_LIMIT / ENTRY_BYTES).unwrap_or(usize::MAX);
        let lost = self.pending.add(fresh, limit);
        let times = lost.iter().map(|count| count.times).sum::<i64>();
        let times = u64::try_from(times).unwrap_or(0);
        if times > 0
            && self
                .shared
                .meter
                .counts
                .dropped
                .fetch_add(times, Ordering::Relaxed)
                == 0
        {
            tracing::error!("activity is lost: the database is away and no more can wait");
        }
    }

    /// Tries the batch that has a number, else gives one to what waited longest.
    fn send(&mut self) -> Attempt {
        let Some(mut flight) = self.next_flight() else {
            return Attempt::Done;
        };
        let attempt = self.attempt(&flight.batch);
        if attempt == Attempt::Refused {
            flight.refusals += 1;
        }
        if attempt == Attempt::Done || flight.refusals >= TRIES {
            if attempt == Attempt::Refused {
                self.reject(&flight.batch);
            }
            let noted = self.journal.settled(&flight.batch);
            self.told(noted);
            return Attempt::Done;
        }
        self.in_flight = Some(flight);
        attempt
    }

    fn next_flight(&mut self) -> Option<InFlight> {
        if self.in_flight.is_some() {
            return self.in_flight.take();
        }
        let rows = self.pending.take(BATCH_ROWS);
        if rows.is_empty() {
            return None;
        }
        let batch = self.number(rows);
        let noted = self.journal.sent(&batch);
        self.told(noted);
        Some(InFlight { batch, refusals: 0 })
    }

    fn number(&mut self, rows: Vec<Count>) -> Batch {
        self.seq += 1;
        Batch {
            node: self.node.clone(),
            epoch: self.epoch,
            seq: self.seq,
            at: self.clock.now(),
            callers: self.due_callers(),
            exposures: mem::take(&mut self.exposures),
            rows,
        }
    }

    fn attempt(&mut self, batch: &Batch) -> Attempt {
        let (attempt, days) = self.outbox.attempt(batch);
        if attempt == Attempt::Done {
            self.shared
                .meter
                .counts
                .written
                .fetch_add(1, Ordering::Relaxed);
        }
        self.settle(batch, &days);
        attempt
    }

    /// Tells the limits what the days come to that the batch added to.
    fn settle(&self, batch: &Batch, days: &[DayTotal]) {
        let mut written: HashMap<(RowId, Millis), i64> = HashMap::new();
        for count in &batch.rows {
            let day = (count.subject.account_row, count.last.day_start());
            *written.entry(day).or_default() += count.units;
        }
        for total in days {
            let units = written.get(&(total.account, total.day)).copied();
            let units = u64::try_from(units.unwrap_or(0)).unwrap_or(0);
            self.shared.limiter.settle(total, units);
        }
    }

    fn reject(&self, batch: &Batch) {
        self.shared
            .meter
            .counts
            .rejected
            .fetch_add(1, Ordering::Relaxed);
        if let Err(error) = self.journal.reject(batch) {
            tracing::error!(%error, "a refused batch of activity cannot be kept and is lost");
        }
    }

    /// Brings the journal in line with what waits: gone when nothing does, written anew when part of it failed.
    fn mend_journal(&mut self) {
        let mended = if !self.is_waiting() {
            self.journal.clear()
        } else if self.journal.wants_rewriting() {
            let in_flight = self.in_flight.as_ref().map(|flight| &flight.batch);
            self.journal.rewrite(&self.pending, in_flight)
        } else {
            return;
        };
        self.told(mended);
    }

    /// Says once that the journal cannot be written; counts are then safe from all but a kill.
    fn told(&mut self, written: io::Result<()>) {
        let failing = written.is_err();
        if let Err(error) = written
            && !self.journal_failing
        {
            tracing::warn!(%error, "activity that waits for the database cannot be written to disk");
        }
        self.journal_failing = failing;
    }

    fn report(&self) {
        let missed = &self.shared.meter.counts.callers_missed;
        missed.store(self.roll.missed(), Ordering::Relaxed);
        let in_flight = self
            .in_flight
            .as_ref()
            .map_or(0, |flight| flight.batch.rows.len());
        let waiting = u64::try_from(self.pending.len() + in_flight).unwrap_or(u64::MAX);
        self.shared
            .meter
            .counts
            .queued
            .store(waiting * ENTRY_BYTES, Ordering::Relaxed);
    }
}

/// What a key's record has counted: requests that were let through.
fn count_of(admitted: &Admitted) -> Count {
    Count {
        subject: Subject {
            account_row: admitted.account_row,
            key_row: admitted.key_row,
            secret_number: admitted.secret_number,
            product_row: admitted.product_row,
            code: Code::Valid,
        },
        last: admitted.last,
        times: admitted.times,
        // A record counts what costs one.
        units: admitted.times,
    }
}
