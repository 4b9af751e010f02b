//! Tells the other nodes, by way of the database, that this one lives and what it refuses already.
//!
//! It must not know how the log is followed.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::gate::Progress;
use crate::store::nodes::{self, Ack, NodeFacts};
use crate::store::{self, Db};

/// Between two signs of life.
const EVERY: Duration = Duration::from_secs(5);
/// The same after one that failed.
const AGAIN: Duration = Duration::from_secs(1);

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
