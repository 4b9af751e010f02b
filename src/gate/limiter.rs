//! Where limits are kept while the gate runs: a bucket for each key that is not at rest, one for each key and product with
//! a limit a second, and what each account has used of its day. All of a request's limits give, or none does.
//!
//! Buckets are this node's own; a day is shared by all nodes through what the flusher brings back. A bucket that is full
//! again is as good as none, so only keys in use take memory. It must not know requests, secrets or the database.

pub(crate) mod addresses;
mod buckets;

use std::hint::black_box;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use latchkey_rules::limit::{Bounds, Bucket, Limits, Micros, Rate, Room, Taking, day};
use latchkey_rules::time::{DAY_MS, Millis};

use crate::clock::Clock;
use crate::store::activity::DayTotal;
use crate::store::replica::RowId;
use buckets::{Buckets, Held, spread};

/// Locks over the buckets, and over the days: enough that two threads seldom meet.
const SHARDS: usize = 64;
const SHARDS_A_TURN: usize = 8;

/// What a request asks of the limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand {
    pub(crate) key_row: i64,
    pub(crate) product_row: RowId,
    pub(crate) account_row: RowId,
    pub(crate) bounds: Bounds,
    pub(crate) cost: u32,
}

impl Demand {
    /// Whose limit a second it is.
    fn pair(&self) -> (i64, i64) {
        (self.key_row, self.product_row.number())
    }
}

/// When it asks: on the clock that never goes back, and by the time of day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) micros: Micros,
    pub(crate) now: Millis,
}

/// The time by which buckets fill.
pub(crate) fn monotonic(clock: &Clock) -> Micros {
    let passed = clock.monotonic().as_micros();
    Micros(u64::try_from(passed).unwrap_or(u64::MAX))
}

/// All buckets and days.
pub(crate) struct Limiter {
    buckets: Vec<Mutex<Buckets>>,
    days: Vec<Mutex<Days>>,
}

impl Limiter {
    pub(crate) fn new() -> Self {
        Self {
            buckets: (0..SHARDS).map(|_| Mutex::default()).collect(),
            days: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    /// What the limits say to a request. If all of them have room they give what it costs, unless it is a trial.
    pub(crate) fn ask(&self, demand: &Demand, at: At, is_trial: bool) -> Limits {
        let (second, minute) = (demand.bounds.second(), demand.bounds.minute());
        if let (None, Some(rate)) = (second, minute) {
            return self.ask_one(demand, rate, at, is_trial);
        }
        let has_rate = second.is_some() || minute.is_some();
        // Always in this order, so that no two wait for each other.
        let mut buckets = has_rate
            .then(|| lock(&self.buckets, demand.key_row))
            .flatten();
        let mut day = Open::day(&self.days, demand, at);
        let look = |buckets: Option<&Buckets>, day: Option<&Open<'_>>, cost| Limits {
            second: second.zip(buckets).map(|(rate, buckets)| {
                buckets
                    .seconds
                    .of(demand.pair())
                    .look(rate, cost, at.micros)
            }),
            minute: minute.zip(buckets).map(|(rate, buckets)| {
                buckets
                    .minutes
                    .of(demand.key_row)
                    .look(rate, cost, at.micros)
            }),
            day: day.map(|day| day.look(cost)),
        };
        let limits = look(buckets.as_deref(), day.as_ref(), demand.cost);
        if limits.taking() != Taking::Taken {
            return limits.untaken(&look(buckets.as_deref(), day.as_ref(), 0));
        }
        if is_trial {
            return limits;
        }
        if let Some(buckets) = buckets.as_deref_mut() {
            if let Some(rate) = second {
                buckets
                    .seconds
                    .take(demand.pair(), rate, demand.cost, at.micros);
            }
            if let Some(rate) = minute {
                buckets
                    .minutes
                    .take(demand.key_row, rate, demand.cost, at.micros);
            }
        }
        if let Some(day) = &mut day {
            day.take(demand.cost);
        }
        limits
    }

    /// The same for a key without a limit a second, which is almost every one: its bucket is looked for once.
    fn ask_one(&self, demand: &Demand, rate: Rate, at: At, is_trial: bool) -> Limits {
        let mut buckets = lock(&self.buckets, demand.key_row);
        let mut day = Open::day(&self.days, demand, at);
        let place = buckets
            .as_deref_mut()
            .map(|buckets| buckets.minutes.place(demand.key_row));
        let mut bucket = match &place {
            Some(Entry::Occupied(held)) => held.get().bucket,
            _ => Bucket::default(),
        };
        let look = |day: Option<&Open<'_>>, cost| Limits {
            second: None,
            minute: Some(bucket.look(rate, cost, at.micros)),
            day: day.map(|day| day.look(cost)),
        };
        let limits = look(day.as_ref(), demand.cost);
        if limits.taking() != Taking::Taken {
            return limits.untaken(&look(day.as_ref(), 0));
        }
        if is_trial {
            return limits;
        }
        bucket.take(rate, demand.cost, at.micros);
        if let Some(place) = place {
            place.insert(Held {
                of: demand.key_row,
                bucket,
                rate,
            });
        }
        if let Some(day) = &mut day {
            day.take(demand.cost);
        }
        limits
    }

    /// Reads the buckets of many keys, of which nothing is said: the processor fetches them together here, where each of
    /// the decisions that follow would wait for its own.
    pub(crate) fn warm(&self, key_rows: impl Iterator<Item = i64>) {
        let shards: Vec<_> = self.buckets.iter().map(open).collect();
        let fill = |key_row| {
            let buckets = shards.get(shard_of(key_row))?;
            Some(buckets.minutes.of(key_row))
        };
        key_rows.filter_map(fill).for_each(|bucket| {
            black_box(bucket);
        });
    }

    /// Takes in what the database holds of accounts' days, and that so much of it had been waiting here.
    pub(crate) fn settle(&self, total: &DayTotal, written: u64) {
        let Some(mut days) = lock(&self.days, total.account.number()) else {
            return;
        };
        let account = total.account.number();
        let place = days.place(account);
        let used = days.at(place);
        if used.day > total.day {
            return;
        }
        let waiting = if used.day == total.day {
            used.waiting
        } else {
            0
        };
        let settled = DayUsed {
            account,
            day: total.day,
            known: u64::try_from(total.used).unwrap_or(0),
            waiting: waiting.saturating_sub(written),
        };
        days.set(place, settled);
    }

    /// Gives up buckets that are full again, and days that are over: each turn those of a few shards.
    pub(crate) fn sweep(&self, turn: usize, at: At) {
        let first = turn.wrapping_mul(SHARDS_A_TURN) % SHARDS;
        let today = at.now.day_start();
        for buckets in self.buckets.iter().skip(first).take(SHARDS_A_TURN) {
            open(buckets).sweep(at.micros);
        }
        for days in self.days.iter().skip(first).take(SHARDS_A_TURN) {
            open(days).0.retain(|used| used.day >= today);
        }
    }

    /// How many buckets are held.
    pub(crate) fn len(&self) -> usize {
        self.buckets.iter().map(|buckets| open(buckets).len()).sum()
    }
}

fn open<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(shards: &[Mutex<T>], row: i64) -> Option<MutexGuard<'_, T>> {
    shards.get(shard_of(row)).map(open)
}

fn shard_of(row: i64) -> usize {
    // Bits that the tables within a shard do not go by.
    usize::try_from(spread(row, 0) >> 40).unwrap_or(0) % SHARDS
}

/// What an account has used of a day.
#[derive(Clone, Copy, Debug, Default)]
struct DayUsed {
    account: i64,
    /// Its first instant.
    day: Millis,
    /// What the database knew last, of all nodes.
    known: u64,
    /// What was let through here and is not in that.
    waiting: u64,
}

#[derive(Default)]
struct Days(HashTable<DayUsed>);

impl Days {
    fn place(&self, account: i64) -> Option<usize> {
        let same = |used: &DayUsed| used.account == account;
        self.0.find_bucket_index(spread(account, 0), same)
    }

    fn at(&self, place: Option<usize>) -> DayUsed {
        let found = place.and_then(|place| self.0.get_bucket(place));
        found.copied().unwrap_or_default()
    }

    /// Puts it where the account was found to stand, or else to the others.
    fn set(&mut self, place: Option<usize>, used: DayUsed) {
        if let Some(held) = place.and_then(|place| self.0.get_bucket_mut(place)) {
            *held = used;
            return;
        }
        let hash = |other: &DayUsed| spread(other.account, 0);
        self.0.insert_unique(spread(used.account, 0), used, hash);
    }
}

/// The day of one account, held open for one request.
struct Open<'a> {
    days: MutexGuard<'a, Days>,
    /// Where it stands among them.
    place: Option<usize>,
    /// As it is now.
    used: DayUsed,
    per_day: u64,
    ends_in: u64,
}

impl<'a> Open<'a> {
    /// Nothing for an account without a limit a day.
    fn day(days: &'a [Mutex<Days>], demand: &Demand, at: At) -> Option<Self> {
        let per_day = demand.bounds.per_day?;
        let account = demand.account_row.number();
        let today = at.now.day_start();
        let left_ms = today.plus_ms(DAY_MS).0.saturating_sub(at.now.0);
        let days = lock(days, account)?;
        let place = days.place(account);
        let known = days.at(place);
        let new = DayUsed {
            account,
            day: today,
            ..DayUsed::default()
        };
        Some(Self {
            used: if known.day >= today { known } else { new },
            days,
            place,
            per_day,
            ends_in: u64::try_from(left_ms).unwrap_or(0) * 1_000,
        })
    }

    fn look(&self, cost: u32) -> Room {
        let used = self.used.known + self.used.waiting;
        day(self.per_day, used, cost, self.ends_in)
    }

    fn take(&mut self, cost: u32) {
        self.used.waiting += u64::from(cost);
        self.days.set(self.place, self.used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_795_256_100_000);

    fn demand(key_row: i64, bounds: Bounds, cost: u32) -> Demand {
        Demand {
            key_row,
            product_row: RowId::from_number(1),
            account_row: RowId::from_number(7),
            bounds,
            cost,
        }
    }

    fn at(micros: u64) -> At {
        At {
            micros: Micros(micros),
            now: NOW,
        }
    }

    const BOUNDS: Bounds = Bounds {
        per_second: Some(2),
        per_minute: Some(60),
        burst: Some(5),
        per_day: Some(8),
    };

    #[test]
    fn all_of_them_give_or_none_does() {
        let limiter = Limiter::new();
        let ask = |key, cost, micros| {
            let limits = limiter.ask(&demand(key, BOUNDS, cost), at(micros), false);
            let left = limits.named().map(|(_, room)| room.unwrap().remaining);
            (limits.taking() == Taking::Taken, left)
        };
        assert_eq!(ask(1, 2, 0), (true, [0, 3, 6]));
        assert_eq!(
            ask(1, 1, 0),
            (false, [0, 3, 6]),
            "the second refuses for all"
        );
        assert_eq!(ask(1, 2, 1_000_000), (true, [0, 2, 4]));
        assert_eq!(
            ask(2, 2, 1_000_000),
            (true, [0, 3, 2]),
            "another key has its own buckets"
        );
        assert_eq!(ask(2, 1, 3_000_000), (true, [1, 4, 1]));
        assert_eq!(
            ask(3, 2, 3_000_000),
            (false, [2, 5, 1]),
            "the day refuses for all"
        );
    }

    #[test]
    fn a_bucket_that_is_full_again_is_given_up() {
        let limiter = Limiter::new();
        for key in 0..1_000 {
            let bounds = Bounds {
                per_day: None,
                ..BOUNDS
            };
            limiter.ask(&demand(key, bounds, 1), at(0), false);
        }
        assert_eq!(limiter.len(), 2_000);
        let turns = SHARDS / SHARDS_A_TURN;
        (0..turns).for_each(|turn| limiter.sweep(turn, at(999_999)));
        assert_eq!(
            limiter.len(),
            1_000,
            "half a second fills the one, a second the other"
        );
        (0..turns).for_each(|turn| limiter.sweep(turn, at(1_000_000)));
        assert_eq!(limiter.len(), 0);
    }

    #[test]
    fn what_was_written_is_no_more_waiting_and_an_older_day_says_nothing() {
        let limiter = Limiter::new();
        let left = || {
            let bounds = Bounds {
                per_day: Some(100),
                ..Bounds::default()
            };
            let limits = limiter.ask(&demand(1, bounds, 1), at(0), true);
            limits.day.unwrap().remaining + 1
        };
        let total = |used, day: Millis| DayTotal {
            account: RowId::from_number(7),
            day,
            used,
        };
        let bounds = Bounds {
            per_day: Some(100),
            ..Bounds::default()
        };
        limiter.ask(&demand(1, bounds, 30), at(0), false);
        assert_eq!(left(), 70);
        // Twenty of these thirty are written, beside forty of another node.
        limiter.settle(&total(60, NOW.day_start()), 20);
        assert_eq!(left(), 30);
        limiter.settle(&total(99, NOW.day_start().plus_ms(-DAY_MS)), 10);
        assert_eq!(left(), 30);
        limiter.settle(&total(70, NOW.day_start()), 10);
        assert_eq!(left(), 30);
    }
}
