//! How far the replica has followed the change log, and which ends it has learned of, for whoever tells the other nodes; and
//! what that one finds out about this node's clock.
//!
//! It must not know who that is, or the database.

use std::mem;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::store::nodes::{Ack, Followed};

/// Acknowledgements that wait to be told; more are left out.
const ACKS_AT_MOST: usize = 100_000;

/// Beyond this a node's clock and the database's are so far apart that the node is not ready: it would end keys at another time
/// than the others (T-52).
const MOST_SKEW_MS: u64 = 30_000;

/// What the follower says, and whoever waits for it.
#[derive(Default)]
pub struct Progress {
    state: Mutex<State>,
    bell: Condvar,
    skew_ms: AtomicI64,
}

#[derive(Default)]
struct State {
    followed: Option<Followed>,
    acks: Vec<Ack>,
    is_over: bool,
}

/// What there is to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// How far the log is followed; nothing where no gate follows it.
    pub followed: Option<Followed>,
    /// What is refused since the last news.
    pub acks: Vec<Ack>,
    /// Whether the node ends: there will be no more.
    pub is_over: bool,
}

impl Progress {
    /// Notes how far the log is followed, and what is refused now.
    pub(crate) fn followed(&self, followed: Followed, acks: &mut Vec<Ack>) {
        let mut state = self.lock();
        state.followed = Some(followed);
        let room = ACKS_AT_MOST.saturating_sub(state.acks.len());
        acks.truncate(room);
        let has_acks = !acks.is_empty();
        state.acks.append(acks);
        drop(state);
        if has_acks {
            self.bell.notify_all();
        }
    }

    /// Waits for something that is refused now, for the end, or for the pause to be over.
    pub fn wait(&self, pause: Duration) -> News {
        let idle = |state: &mut State| state.acks.is_empty() && !state.is_over;
        let (mut state, _) = self
            .bell
            .wait_timeout_while(self.lock(), pause, idle)
            .unwrap_or_else(PoisonError::into_inner);
        News {
            followed: state.followed,
            acks: mem::take(&mut state.acks),
            is_over: state.is_over,
        }
    }

    /// Notes how many milliseconds the database's clock is ahead of this node's; negative when it is behind.
    pub fn note_skew(&self, ms: i64) {
        self.skew_ms.store(ms, Ordering::Relaxed);
    }

    /// How many milliseconds the database's clock is ahead of this node's, as far as is known.
    pub fn skew_ms(&self) -> i64 {
        self.skew_ms.load(Ordering::Relaxed)
    }

    /// Whether this node's clock is near enough to the database's.
    pub fn is_in_time(&self) -> bool {
        self.skew_ms().unsigned_abs() <= MOST_SKEW_MS
    }

    /// Has whoever waits end.
    pub fn end(&self) {
        self.lock().is_over = true;
        self.bell.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
