//! The buckets of one shard: one for each key that is not at rest, one for each key and product with a limit a second.
//!
//! It must not know what a request costs or what the limits say together.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use latchkey_rules::limit::{Bucket, Micros, Rate};

/// A bucket, with the rate that it was last taken from at: whether it is full again is judged by that. Aligned, so that
/// none stands on two lines of memory.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(super) struct Held<Of> {
    pub(super) of: Of,
    pub(super) bucket: Bucket,
    pub(super) rate: Rate,
}

const _: () = assert!(size_of::<Held<i64>>() == 32);

/// Whose a bucket is: a key's, or a key's for one product.
pub(super) trait Owner: Copy + Eq {
    fn spread(self) -> u64;
}

impl Owner for i64 {
    fn spread(self) -> u64 {
        spread(self, 0)
    }
}

impl Owner for (i64, i64) {
    fn spread(self) -> u64 {
        spread(self.0, self.1)
    }
}

/// Buckets of one kind.
pub(super) struct Table<Of>(HashTable<Held<Of>>);

impl<Of: Owner> Table<Of> {
    pub(super) fn of(&self, of: Of) -> Bucket {
        let held = self.0.find(of.spread(), |held| held.of == of);
        held.map(|held| held.bucket).unwrap_or_default()
    }

    pub(super) fn place(&mut self, of: Of) -> Entry<'_, Held<Of>> {
        let same = |held: &Held<Of>| held.of == of;
        self.0.entry(of.spread(), same, |held| held.of.spread())
    }

    pub(super) fn take(&mut self, of: Of, rate: Rate, cost: u32, now: Micros) {
        let new = Held {
            of,
            bucket: Bucket::default(),
            rate,
        };
        let held = self.place(of).or_insert(new).into_mut();
        held.rate = rate;
        held.bucket.take(rate, cost, now);
    }

    pub(super) fn sweep(&mut self, now: Micros) {
        self.0.retain(|held| !held.bucket.is_full(held.rate, now));
        if self.0.len() < self.0.capacity() / 4 {
            self.0.shrink_to_fit(|held| held.of.spread());
        }
    }
}

impl<Of> Default for Table<Of> {
    fn default() -> Self {
        Self(HashTable::new())
    }
}

#[derive(Default)]
pub(super) struct Buckets {
    pub(super) seconds: Table<(i64, i64)>,
    pub(super) minutes: Table<i64>,
}

impl Buckets {
    pub(super) fn sweep(&mut self, now: Micros) {
        self.seconds.sweep(now);
        self.minutes.sweep(now);
    }

    pub(super) fn len(&self) -> usize {
        self.seconds.0.len() + self.minutes.0.len()
    }
}

/// Rows are ours and grow by one: multiplying spreads them, and nobody can choose them.
pub(super) fn spread(row: i64, product: i64) -> u64 {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let hash = row.unsigned_abs().wrapping_mul(SPREAD);
    let hash = (hash ^ product.unsigned_abs() ^ hash >> 32).wrapping_mul(SPREAD);
    (hash ^ hash >> 29).wrapping_mul(SPREAD)
}
