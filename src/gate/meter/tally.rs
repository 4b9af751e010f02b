//! Verdicts counted at the moment of the decision, in memory, by each thread for itself.
//!
//! It must not know where counts go.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use hashbrown::HashTable;
use latchkey_rules::code::Code;
use latchkey_rules::time::Millis;

use crate::gate::stripe;
use crate::store::replica::RowId;

/// Counts that one thread's table holds between two flushes; some 60 MiB.
const TABLE_CAPACITY: usize = 1024 * 1024;

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

/// How often, in one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) subject: Subject,
    /// When the last of them was; its UTC hour is the one that they are counted in.
    pub(crate) last: Millis,
    pub(crate) times: i64,
    /// What they took off the account's day: what was let through, by its cost.
    pub(crate) units: i64,
}

/// A verdict that is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) subject: Subject,
    /// What it took off the account's day.
    pub(crate) units: i64,
}

/// All counts since they were last taken. Each thread has a table of its own, which only the flusher takes from it: no two
/// verdicts wait for each other.
pub(crate) struct Tally {
    tables: Vec<Mutex<HashTable<Count>>>,
    dropped: AtomicU64,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            tables: (0..stripe::STRIPES).map(|_| Mutex::default()).collect(),
            dropped: AtomicU64::new(0),
        }
    }

    /// Counts verdicts of one instant.
    pub(crate) fn count(&self, counted: impl IntoIterator<Item = Counted>, now: Millis) {
        let Some(table) = self.tables.get(stripe::own()) else {
            return;
        };
        let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
        for counted in counted {
            self.add(&mut table, counted, now);
        }
    }

    fn add(&self, table: &mut HashTable<Count>, counted: Counted, now: Millis) {
        let Counted { subject, units } = counted;
        let hash = hash(&subject);
        let hour = now.hour_start();
        let same = |count: &Count| count.subject == subject && count.last.hour_start() == hour;
        if let Some(count) = table.find_mut(hash, same) {
            count.last = count.last.max(now);
            count.times += 1;
            count.units += units;
        } else if table.len() < TABLE_CAPACITY {
            let first = Count {
                subject,
                last: now,
                times: 1,
                units,
            };
            table.insert_unique(hash, first, |count| self::hash(&count.subject));
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes all counts out. What two threads counted of one subject stands there twice.
    pub(crate) fn take(&self) -> Vec<Count> {
        let mut taken = Vec::new();
        for table in &self.tables {
            let len = table.lock().unwrap_or_else(PoisonError::into_inner).len();
            if len == 0 {
                continue;
            }
            // Made before the lock is taken, so that no verdict waits for memory.
            let room = HashTable::with_capacity(len);
            let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
            let full = mem::replace(&mut *table, room);
            drop(table);
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

    fn counted(key_row: i64, code: Code) -> Counted {
        let subject = Subject {
            account_row: RowId::from_number(1),
            key_row: RowId::from_number(key_row),
            secret_number: 1,
            product_row: RowId::from_number(2),
            code,
        };
        Counted { subject, units: 3 }
    }

    #[test]
    fn verdicts_are_counted_apart_and_taken_once() {
        let tally = Tally::new();
        for key in 0..1_000 {
            tally.count([counted(key, Code::Valid)], Millis(5));
            tally.count([counted(key, Code::Valid)], Millis(9));
            tally.count([counted(key, Code::KeyExpired)], Millis(7));
            tally.count([counted(key, Code::Valid)], Millis(HOUR_MS));
        }
        let taken = tally.take();
        assert_eq!(taken.len(), 3_000);
        assert_eq!(taken.iter().map(|count| count.times).sum::<i64>(), 4_000);
        let first = taken.iter().find(|count| {
            count.subject == counted(7, Code::Valid).subject && count.last == Millis(9)
        });
        let first = first.unwrap();
        assert_eq!((first.times, first.units), (2, 6));
        assert_eq!((tally.take().len(), tally.dropped()), (0, 0));
    }

    #[test]
    fn a_full_table_drops_and_says_so() {
        let tally = Tally::new();
        let keys = i64::try_from(TABLE_CAPACITY).unwrap() + 50_000;
        tally.count((0..keys).map(|key| counted(key, Code::Valid)), Millis(0));
        let kept = u64::try_from(tally.take().len()).unwrap();
        assert_eq!(tally.dropped(), 50_000);
        assert_eq!(kept + tally.dropped(), u64::try_from(keys).unwrap());
    }
}
