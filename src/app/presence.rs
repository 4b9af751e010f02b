//! Tells the other nodes, by way of the database, that this one lives and what it refuses already; and compares its clock with
//! the database's, by which all of them are to agree.
//!
//! It must not know how the log is followed.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::gate::Progress;
use crate::store::nodes::{self, Ack, NodeFacts};
use crate::store::{self, Db, Reader};

/// Between two signs of life.
const EVERY: Duration = Duration::from_secs(5);
/// The same after one that failed.
const AGAIN: Duration = Duration::from_secs(1);
/// A skew of the clocks that is worth a warning, in milliseconds.
const WARNED_OF_MS: u64 = 2_000;

/// The running thread; the node leaves when this is dropped.
pub(super) struct Presence {
    progress: Arc<Progress>,
    thread: Option<JoinHandle<()>>,
}

impl Presence {
    /// Enters the node into the list, and keeps it there.
    pub(super) fn start(db: Db, node: NodeFacts, progress: Arc<Progress>) -> std::io::Result<Self> {
        let own = Arc::clone(&progress);
        let thread = thread::Builder::new()
            .name("presence".to_owned())
            .spawn(move || tell(&db, &node, &own))?;
        Ok(Self {
            progress,
            thread: Some(thread),
        })
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.progress.end();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that tells of this node ended in a panic");
        }
    }
}

fn tell(db: &Db, node: &NodeFacts, progress: &Progress) {
    let mut untold: Vec<Ack> = Vec::new();
    let mut pause = Duration::ZERO;
    let mut is_failing = false;
    let mut is_askew = false;
    loop {
        let news = progress.wait(pause);
        // Whether it left shows by its silence too: a database that is away is not waited for.
        if news.is_over && is_failing {
            return;
        }
        untold.extend(news.acks);
        let (facts, acks) = (node.clone(), untold.clone());
        let noted: store::Result<()> = db.batch_blocking(move |writer| {
            nodes::note(writer, &facts, news.followed.as_ref(), &acks)?;
            if news.is_over {
                nodes::leave(writer, &facts.name)?;
            }
            Ok(())
        });
        if news.is_over {
            return;
        }
        match &noted {
            Ok(()) => {
                is_askew = compare_clocks(db, progress, is_askew);
                untold.clear();
                pause = EVERY;
            }
            Err(error) => {
                if !is_failing {
                    tracing::warn!(%error, "the other nodes cannot be told of this one");
                }
                pause = AGAIN;
            }
        }
        is_failing = noted.is_err();
    }
}

/// Notes how far the clocks are apart, and logs when that becomes, or ceases to be, worth a warning.
fn compare_clocks(db: &Db, progress: &Progress, was_askew: bool) -> bool {
    // What does not answer now is asked again with the next sign of life.
    let Ok(Some(skew)) = db.read_blocking(Reader::clock_skew) else {
        return was_askew;
    };
    progress.note_skew(skew);
    let is_askew = skew.unsigned_abs() > WARNED_OF_MS;
    match (was_askew, is_askew) {
        (false, true) => tracing::warn!(
            skew_ms = skew,
            is_ready = progress.is_in_time(),
            "this node's clock and the database's are apart: keys end earlier or later here than elsewhere"
        ),
        (true, false) => tracing::info!("this node's clock and the database's agree again"),
        _ => {}
    }
    is_askew
}
