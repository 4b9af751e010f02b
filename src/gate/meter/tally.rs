//! Verdicts counted at the moment of the decision, in shards, in memory.
//!
//! It must not know where counts go.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use hashbrown::HashTable;
use latchkey_rules::code::Code;
use latchkey_rules::time::Millis;

use crate::store::replica::RowId;

const SHARDS: usize = 64;
/// Counts that one shard holds between two flushes: a million in all, some 60 MiB.
const SHARD_CAPACITY: usize = 16 * 1024;

/// What is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Subject {
    pub(crate) account_row: RowId,
    pub(crate) key_row: RowId,
    pub(crate) secret_number: u16,
    /// `RowId::NONE` where no product was found.
    pub(crate) product_row: RowId,
    pub(crate) code: Code,
}

/// How often, in which hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) subject: Subject,
    pub(crate) hour: Millis,
    pub(crate) times: i64,
}

/// All counts since they were last taken.
pub(crate) struct Tally {
    shards: Vec<Mutex<HashTable<Count>>>,
    dropped: AtomicU64,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            dropped: AtomicU64::new(0),
        }
    }

    /// Counts one verdict.
    pub(crate) fn count(&self, subject: Subject, now: Millis) {
        let hash = hash(&subject);
        let shard = usize::try_from(hash >> 40).unwrap_or(0) % SHARDS;
        let Some(shard) = self.shards.get(shard) else {
            return;
        };
        let hour = now.hour_start();
        let mut counts = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |count: &Count| count.subject == subject && count.hour == hour;
        if let Some(count) = counts.find_mut(hash, same) {
            count.times += 1;
        } else if counts.len() < SHARD_CAPACITY {
            let first = Count {
                subject,
                hour,
                times: 1,
            };
            counts.insert_unique(hash, first, |count| self::hash(&count.subject));
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes all counts out.
    pub(crate) fn take(&self) -> Vec<Count> {
        let mut taken = Vec::new();
        for shard in &self.shards {
            let mut counts = shard.lock().unwrap_or_else(PoisonError::into_inner);
            if counts.is_empty() {
                continue;
            }
            let room = HashTable::with_capacity(counts.len());
            let full = mem::replace(&mut *counts, room);
            drop(counts);
            taken.extend(full);
        }
        taken
    }

    /// Verdicts that found no room.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// Rows are ours and grow by one: multiplying spreads them, and nobody can choose them.
fn hash(subject: &Subject) -> u64 {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let rest =
        u64::from(subject.secret_number) << 16 | u64::from(subject.code.number().unsigned_abs());
    let mut hash = subject.key_row.number().unsigned_abs().wrapping_mul(SPREAD);
    hash = (hash ^ subject.product_row.number().unsigned_abs() ^ rest << 24).wrapping_mul(SPREAD);
    (hash ^ hash >> 29).wrapping_mul(SPREAD)
}

#[cfg(test)]
mod tests {
    use latchkey_rules::time::HOUR_MS;

    use super::*;

    fn subject(key_row: i64, code: Code) -> Subject {
        Subject {
            account_row: RowId::from_number(1),
            key_row: RowId::from_number(key_row),
            secret_number: 1,
            product_row: RowId::from_number(2),
            code,
        }
    }

    #[test]
    fn verdicts_are_counted_apart_and_taken_once() {
        let tally = Tally::new();
        for key in 0..1_000 {
            tally.count(subject(key, Code::Valid), Millis(5));
            tally.count(subject(key, Code::Valid), Millis(9));
            tally.count(subject(key, Code::KeyExpired), Millis(7));
            tally.count(subject(key, Code::Valid), Millis(HOUR_MS));
        }
        let taken = tally.take();
        assert_eq!(taken.len(), 3_000);
        assert_eq!(taken.iter().map(|count| count.times).sum::<i64>(), 4_000);
        let first = taken
            .iter()
            .find(|count| count.subject == subject(7, Code::Valid) && count.hour == Millis(0));
        let first = first.unwrap();
        assert_eq!(first.times, 2);
        assert_eq!((tally.take().len(), tally.dropped()), (0, 0));
    }

    #[test]
    fn a_full_shard_drops_and_says_so() {
        let tally = Tally::new();
        let keys = i64::try_from(SHARDS * SHARD_CAPACITY).unwrap() + 50_000;
        for key in 0..keys {
            tally.count(subject(key, Code::Valid), Millis(0));
        }
        let kept = u64::try_from(tally.take().len()).unwrap();
        assert!(tally.dropped() >= 50_000);
        assert_eq!(kept + tally.dropped(), u64::try_from(keys).unwrap());
    }
}
