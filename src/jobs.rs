//! What runs by itself: purges and sweeps, a few times an hour, when nobody waits.
//!
//! Must not decide what is old: each part of the store knows that of its own rows.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::store::{self, Db, activity, form_ids, keys, one_time_links, sessions};

/// Between two rounds. A deleted key's secrets go this much after their hour at the latest.
const EVERY: Duration = Duration::from_mins(1);

/// The running jobs; they end when this is dropped.
pub struct Jobs {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Jobs {
    /// Starts them.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(db: Db) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let thread = thread::Builder::new()
            .name("jobs".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                    round(&db);
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
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
pub fn round(db: &Db) {
    purge(db);
    said("sessions", db.batch_blocking(sessions::sweep));
    said("one-time links", db.batch_blocking(one_time_links::sweep));
    said("form ids", db.batch_blocking(form_ids::sweep));
    said(
        "numbers of batches",
        db.batch_blocking(activity::sweep_batches),
    );
}

fn purge(db: &Db) {
    loop {
        let purged = db.batch_change_blocking(keys::purge_due);
        let more = matches!(purged, Ok(1..));
        said("secrets of deleted keys", purged);
        if !more {
            return;
        }
    }
}

fn said(what: &str, swept: store::Result<usize>) {
    match swept {
        Ok(0) => {}
        Ok(count) => tracing::debug!(sweep.what = what, sweep.count = count, "swept"),
        Err(error) => tracing::warn!(sweep.what = what, error = %error, "a sweep failed"),
    }
}
