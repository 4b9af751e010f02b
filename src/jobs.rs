//! What runs by itself: purges and sweeps, a few times an hour, when nobody waits.
//!
//! Must not decide what is old: each part of the store knows that of its own rows.

mod postman;

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::clock::Clock;
use crate::metrics::{Family, Measured, Page, Words};
use crate::store::{
    self, Change, Db, activity, callers, changes, confirmations, exposures, form_ids, keys, limits,
    nodes, one_time_links, sessions,
};

pub use postman::{Bag, Postman};

/// Between two rounds. A deleted key's secrets go this much after their hour at the latest.
const EVERY: Duration = Duration::from_mins(1);

const RUNS: Family = Family::counter(
    "latchkey_job_runs_total",
    &["job", "outcome"],
    "Runs of what is done by itself, a job each.",
);
const ROWS: Family = Family::counter(
    "latchkey_job_rows_total",
    &["job"],
    "Rows that the job took away, or told of.",
);
const LAST: Family = Family::gauge(
    "latchkey_job_last_success_timestamp_seconds",
    &["job"],
    "When the job last did all of it, since 1970; 0 before the first time.",
);

/// What is done, one after another.
const JOBS: &[&str] = &[
    "secrets",
    "ends",
    "rotations",
    "expiries",
    "days",
    "sessions",
    "links",
    "confirmations",
    "form_ids",
    "batches",
    "callers",
    "changes",
    "nodes",
    "exposures",
];

/// What the jobs count of themselves.
struct Counts {
    clock: Clock,
    done: Words,
    failed: Words,
    rows: Words,
    /// Seconds since 1970.
    last: Words,
}

impl Counts {
    fn new(clock: Clock) -> Self {
        Self {
            clock,
            done: Words::new(JOBS),
            failed: Words::new(JOBS),
            rows: Words::new(JOBS),
            last: Words::new(JOBS),
        }
    }

    /// Counts a run, and says it where somebody should know.
    fn ran(&self, job: &'static str, swept: &store::Result<usize>) {
        match swept {
            Ok(rows) => {
                self.done.count(job);
                self.rows.add(job, u64::try_from(*rows).unwrap_or(u64::MAX));
                let now = u64::try_from(self.clock.now().secs()).unwrap_or(0);
                self.last.set(job, now);
                if *rows > 0 {
                    tracing::debug!(job.name = job, job.rows = rows, "swept");
                }
            }
            Err(error) => {
                self.failed.count(job);
                tracing::warn!(job.name = job, error = %error, "a sweep failed");
            }
        }
    }
}

impl Measured for Counts {
    fn write(&self, page: &mut Page) {
        let mut runs = page.family(&RUNS);
        for (outcome, counts) in [("done", &self.done), ("failed", &self.failed)] {
            for (job, count) in counts.each() {
                runs.sample(&[job, outcome], count);
            }
        }
        page.words(&ROWS, &self.rows);
        page.words(&LAST, &self.last);
    }
}

/// The running jobs; they end when this is dropped.
pub struct Jobs {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    counts: Arc<Counts>,
}

impl Jobs {
    /// Starts them.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(db: Db, clock: Clock) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let counts = Arc::new(Counts::new(clock));
        let own = Arc::clone(&counts);
        let thread = thread::Builder::new()
            .name("jobs".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                    round(&db, &own);
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
            counts,
        })
    }

    /// Those who count what the jobs do.
    pub fn measured(&self) -> Arc<dyn Measured> {
        Arc::<Counts>::clone(&self.counts)
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the jobs ended in a panic");
        }
    }
}

/// Does everything once. What fails is tried again in the next round.
fn round(db: &Db, counts: &Counts) {
    until_none(db, counts, "secrets", keys::purge_due);
    counts.ran("ends", &db.batch_blocking(keys::note_ends));
    until_none(db, counts, "rotations", keys::warn_of_ends);
    until_none(db, counts, "expiries", keys::remind_of_ends);
    until_none(db, counts, "days", limits::tell_of_days);
    counts.ran("sessions", &db.batch_blocking(sessions::sweep));
    counts.ran("links", &db.batch_blocking(one_time_links::sweep));
    counts.ran("confirmations", &db.batch_blocking(confirmations::sweep));
    counts.ran("form_ids", &db.batch_blocking(form_ids::sweep));
    counts.ran("batches", &db.batch_blocking(activity::sweep_batches));
    counts.ran("callers", &db.batch_blocking(callers::sweep));
    counts.ran("changes", &db.batch_change_blocking(changes::sweep));
    counts.ran("nodes", &db.batch_blocking(nodes::sweep));
    counts.ran("exposures", &db.batch_blocking(exposures::sweep));
}

/// A piece at a time until none is left.
fn until_none(
    db: &Db,
    counts: &Counts,
    job: &'static str,
    piece: fn(&mut Change<'_>) -> store::Result<usize>,
) {
    loop {
        let done = db.batch_change_blocking(piece);
        counts.ran(job, &done);
        if !matches!(done, Ok(1..)) {
            return;
        }
    }
}
