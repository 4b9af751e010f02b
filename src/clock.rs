//! The time: the one place that reads it.
//!
//! It must not know what the time is wanted for.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use latchkey_rules::time::Millis;

/// Where the time comes from: the system, or a test's hand.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    System { start: Instant },
    Moved(Arc<Moved>),
}

#[derive(Debug)]
struct Moved {
    now: AtomicI64,
    /// Milliseconds since the start, which no setting of the clock turns back.
    passed: AtomicI64,
}

impl Clock {
    /// The system's clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the place that reads the time"
    )]
    pub fn system() -> Self {
        Self {
            source: Source::System {
                start: Instant::now(),
            },
        }
    }

    /// A clock that stands still until its hand moves it.
    pub fn movable(start: Millis) -> (Self, Hand) {
        let moved = Arc::new(Moved {
            now: AtomicI64::new(start.0),
            passed: AtomicI64::new(0),
        });
        let clock = Self {
            source: Source::Moved(Arc::clone(&moved)),
        };
        (clock, Hand { moved })
    }

    /// The time of day, UTC. It may be set back.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the place that reads the time"
    )]
    pub fn now(&self) -> Millis {
        match &self.source {
            Source::System { .. } => Millis(since_1970(SystemTime::now())),
            Source::Moved(moved) => Millis(moved.now.load(Ordering::SeqCst)),
        }
    }

    /// What has passed since the clock was made. It never goes back.
    pub fn monotonic(&self) -> Duration {
        match &self.source {
            Source::System { start } => start.elapsed(),
            Source::Moved(moved) => {
                let ms = moved.passed.load(Ordering::SeqCst);
                Duration::from_millis(u64::try_from(ms).unwrap_or(0))
            }
        }
    }
}

fn since_1970(at: SystemTime) -> i64 {
    let (sign, gap) = match at.duration_since(UNIX_EPOCH) {
        Ok(after) => (1, after),
        Err(before) => (-1, before.duration()),
    };
    i64::try_from(gap.as_millis()).map_or(i64::MAX, |ms| sign * ms)
}

/// What moves a movable clock.
#[derive(Clone, Debug)]
pub struct Hand {
    moved: Arc<Moved>,
}

impl Hand {
    /// Lets time pass: the time of day and the monotonic time both go on.
    pub fn advance_ms(&self, ms: i64) {
        self.moved.now.fetch_add(ms, Ordering::SeqCst);
        self.moved.passed.fetch_add(ms.max(0), Ordering::SeqCst);
    }

    /// Sets the time of day, also back; monotonic time does not notice.
    pub fn set(&self, now: Millis) {
        self.moved.now.store(now.0, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_movable_clock_moves_only_by_its_hand() {
        let (clock, hand) = Clock::movable(Millis(1_000));
        assert_eq!(clock.now(), Millis(1_000));
        hand.advance_ms(250);
        assert_eq!(clock.now(), Millis(1_250));
        assert_eq!(clock.monotonic(), Duration::from_millis(250));
        hand.set(Millis(5));
        assert_eq!(clock.now(), Millis(5));
        assert_eq!(clock.monotonic(), Duration::from_millis(250));
    }

    #[test]
    fn the_system_clock_counts_from_1970() {
        // Any day on which this runs lies after 2026-01-01 and before the year 2200.
        let now = Clock::system().now();
        assert!(now > Millis(1_767_225_600_000) && now < Millis(7_258_118_400_000));
        assert_eq!(since_1970(UNIX_EPOCH - Duration::from_millis(7)), -7);
    }
}
