//! How fresh the replica is, and how requests ask for it to be refreshed early.
//!
//! Ages are computed from the clock by whoever asks, so that a follower that hangs in a frozen database makes the
//! replica older rather than silent. It must not know the database or the replica.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use latchkey_rules::time::Millis;
use tokio::sync::watch;

use crate::clock::Clock;

/// Beyond this age an unknown secret may be a new one.
const IN_TOUCH: Duration = Duration::from_secs(1);
/// Early polls a second, over all requests.
const EARLY_POLLS: u32 = 20;
/// The longest that a request waits for an early poll.
pub(crate) const EARLY_WAIT: Duration = Duration::from_millis(300);

/// How old the replica is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// What is unknown does not exist.
    InTouch,
    /// What is known still holds; what is unknown may be new.
    Stale,
    /// Nothing may be concluded any more.
    TooOld,
}

/// What the follower and the requests share.
pub(crate) struct Contact {
    clock: Clock,
    max_staleness: Duration,
    /// When the last successful look at the log began, in monotonic milliseconds, and one more; 0 before the first.
    seen: AtomicU64,
    /// The latest time of day that the follower has met.
    latest: AtomicI64,
    early: Mutex<Early>,
    wake: Condvar,
    done: watch::Sender<u64>,
    stopping: AtomicBool,
    asked: AtomicU64,
}

struct Early {
    /// The number of the look that is asked for next.
    next: u64,
    wanted: bool,
    tokens: u32,
    /// When tokens were last handed out, in whole seconds of monotonic time.
    second: u64,
}

/// What the follower does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Looks at the log; this is the number of the look.
    Look(u64),
    /// Ends.
    Stop,
}

impl Contact {
    pub(crate) fn new(clock: Clock, max_staleness: Duration) -> Self {
        Self {
            clock,
            max_staleness,
            seen: AtomicU64::new(0),
            latest: AtomicI64::new(i64::MIN),
            early: Mutex::new(Early {
                next: 1,
                wanted: false,
                tokens: EARLY_POLLS,
                second: 0,
            }),
            wake: Condvar::new(),
            done: watch::Sender::new(0),
            stopping: AtomicBool::new(false),
            asked: AtomicU64::new(0),
        }
    }

    /// Since when nothing was heard from the log.
    pub(crate) fn age(&self) -> Duration {
        match self.seen.load(Ordering::Acquire) {
            0 => Duration::MAX,
            seen => self
                .clock
                .monotonic()
                .saturating_sub(Duration::from_millis(seen - 1)),
        }
    }

    pub(crate) fn freshness(&self) -> Freshness {
        let age = self.age();
        if age > self.max_staleness {
            Freshness::TooOld
        } else if age > IN_TOUCH {
            Freshness::Stale
        } else {
            Freshness::InTouch
        }
    }

    /// Asks for an early look at the log. Nothing comes back when this second's are used up; else the number of a look
    /// that begins after this call.
    pub(crate) fn ask(&self) -> Option<u64> {
        let second = self.clock.monotonic().as_secs();
        let mut early = self.lock();
        if early.second != second {
            early.second = second;
            early.tokens = EARLY_POLLS;
        }
        if !early.wanted {
            early.tokens = early.tokens.checked_sub(1)?;
            early.wanted = true;
            self.asked.fetch_add(1, Ordering::Relaxed);
            self.wake.notify_one();
        }
        Some(early.next)
    }

    /// Has the next look begin now. It is not held against what requests may ask for.
    pub(crate) fn poke(&self) {
        self.lock().wanted = true;
        self.wake.notify_one();
    }

    /// Early looks that requests asked for.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Waits until the look with that number is over, but never longer than [`EARLY_WAIT`].
    pub(crate) async fn wait_for(&self, look: u64) {
        let mut done = self.done.subscribe();
        let over = tokio::time::timeout(EARLY_WAIT, done.wait_for(|done| *done >= look)).await;
        // Whether it came in time or not, the replica is asked again and says what is known.
        drop(over);
    }

    /// Blocks the follower until `pause` is over, a request asks, or the gate stops.
    pub(crate) fn next(&self, pause: Duration) -> Next {
        let idle = |early: &mut Early| !early.wanted && !self.is_stopping();
        let (mut early, _) = self
            .wake
            .wait_timeout_while(self.lock(), pause, idle)
            .unwrap_or_else(PoisonError::into_inner);
        if self.is_stopping() {
            return Next::Stop;
        }
        early.wanted = false;
        let look = early.next;
        early.next += 1;
        Next::Look(look)
    }

    /// A look that began at `began` (monotonic) saw everything up to then.
    pub(crate) fn seen(&self, began: Duration) {
        let ms = u64::try_from(began.as_millis()).unwrap_or(u64::MAX - 1);
        self.seen.store(ms + 1, Ordering::Release);
    }

    /// Notes the time of day, with each look.
    pub(crate) fn pass(&self) {
        self.latest.fetch_max(self.clock.now().0, Ordering::Relaxed);
    }

    /// The time by which ends are judged. It does not go back when the clock is set back: what has ended stays so (T-52).
    pub(crate) fn not_back(&self, now: Millis) -> Millis {
        Millis(now.0.max(self.latest.load(Ordering::Relaxed)))
    }

    /// The look is over, whether it succeeded or not.
    pub(crate) fn over(&self, look: u64) {
        self.done.send_replace(look);
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        // Under the lock, so that a follower about to sleep does not miss it.
        let early = self.lock();
        self.wake.notify_all();
        drop(early);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Early> {
        self.early.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact() -> (Contact, crate::clock::Hand) {
        let (clock, hand) = Clock::movable(Millis(1_000_000));
        (Contact::new(clock, Duration::from_mins(5)), hand)
    }

    #[test]
    fn t_49_the_age_grows_while_nothing_is_heard() {
        let (contact, hand) = contact();
        assert_eq!(contact.freshness(), Freshness::TooOld);
        contact.seen(Duration::ZERO);
        assert_eq!(contact.freshness(), Freshness::InTouch);
        hand.advance_ms(1_000);
        assert_eq!(contact.freshness(), Freshness::InTouch);
        hand.advance_ms(1);
        assert_eq!(contact.freshness(), Freshness::Stale);
        hand.advance_ms(299_000);
        assert_eq!(contact.freshness(), Freshness::TooOld);
    }

    #[test]
    fn t_50_early_looks_are_shared_and_at_most_twenty_a_second() {
        let (contact, hand) = contact();
        assert_eq!(contact.ask(), Some(1));
        assert_eq!(contact.ask(), Some(1));
        for look in 1..=20 {
            assert_eq!(contact.ask(), Some(look));
            assert_eq!(contact.next(Duration::ZERO), Next::Look(look));
        }
        assert_eq!(contact.ask(), None);
        hand.advance_ms(1_000);
        assert_eq!(contact.ask(), Some(21));
    }

    #[test]
    fn r_09_t_52_a_clock_set_back_does_not_take_ends_back() {
        let (contact, hand) = contact();
        assert_eq!(contact.not_back(Millis(7)), Millis(7));
        contact.pass();
        hand.set(Millis(500_000));
        contact.pass();
        assert_eq!(contact.not_back(Millis(500_000)), Millis(1_000_000));
        assert_eq!(contact.not_back(Millis(1_000_001)), Millis(1_000_001));
    }

    #[test]
    fn a_stopped_follower_ends_at_once() {
        let (contact, _hand) = contact();
        contact.stop();
        assert_eq!(contact.next(Duration::from_mins(1)), Next::Stop);
    }
}
