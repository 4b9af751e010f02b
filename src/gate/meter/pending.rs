//! Counts that wait for the database, merged: what is counted again before it is written is one row still.
//!
//! They leave in the order of the table's primary key, going round: rows that are written together then lie together
//! on the database's pages, and one page is written where rows in the order of their arrival would take hundreds.
//! It must not know files or the database.

use std::mem;

use latchkey_rules::time::Millis;

use super::tally::{Count, Subject};
use crate::store::replica::RowId;

/// What one waiting count takes in memory, by and large.
pub(super) const ENTRY_BYTES: u64 = 128;

/// Where a count stands in its table: the primary key, in its order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    account_row: RowId,
    key_row: RowId,
    hour: Millis,
    secret_number: u16,
    product_row: RowId,
    outcome: i16,
}

/// Waiting counts.
#[derive(Default)]
pub(super) struct Pending {
    /// In the order of their places, one for each. A busy gate adds as many as wait, so that adding is merging two lists.
    counts: Vec<Count>,
    /// Where the last ones that left stood: the next ones are those behind it.
    hand: Option<Place>,
}

impl Pending {
    /// Adds counts; at most `limit` different ones are kept. Answers those that found no room.
    pub(super) fn add(&mut self, mut counts: Vec<Count>, limit: usize) -> Vec<Count> {
        counts.sort_unstable_by_key(place_of);
        let mut room = limit.saturating_sub(self.counts.len());
        let mut merged: Vec<Count> = Vec::with_capacity(self.counts.len() + counts.len());
        let mut lost = Vec::new();
        let mut waiting = mem::take(&mut self.counts).into_iter().peekable();
        for count in counts {
            let place = place_of(&count);
            while let Some(other) = waiting.next_if(|other| place_of(other) <= place) {
                merged.push(other);
            }
            match merged.last_mut() {
                Some(same) if place_of(same) == place => {
                    same.last = same.last.max(count.last);
                    same.times += count.times;
                    same.units += count.units;
                }
                _ if room > 0 => {
                    room -= 1;
                    merged.push(count);
                }
                _ => lost.push(count),
            }
        }
        merged.extend(waiting);
        self.counts = merged;
        lost
    }

    /// Takes out the next ones, at most so many. Every count has its turn within one round.
    pub(super) fn take(&mut self, most: usize) -> Vec<Count> {
        let behind = self.hand.map_or(0, |hand| {
            self.counts.partition_point(|count| place_of(count) <= hand)
        });
        let end = self.counts.len().min(behind.saturating_add(most));
        let mut next: Vec<Count> = self.counts.drain(behind..end).collect();
        // Then those in front of the hand; what stood behind it has gone.
        let rest = behind.min(most - next.len());
        next.extend(self.counts.drain(..rest));
        self.hand = next.last().map(place_of);
        next
    }

    /// Takes these counts out again.
    pub(super) fn subtract(&mut self, counts: &[Count]) {
        for count in counts {
            let known = self.counts.binary_search_by_key(&place_of(count), place_of);
            if let Some(known) = known.ok().and_then(|at| self.counts.get_mut(at)) {
                known.times -= count.times;
                known.units -= count.units;
            }
        }
        self.counts.retain(|count| count.times > 0);
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Count] {
        &self.counts
    }

    pub(super) fn len(&self) -> usize {
        self.counts.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

fn place_of(count: &Count) -> Place {
    let Subject {
        account_row,
        key_row,
        secret_number,
        product_row,
        code,
    } = count.subject;
    Place {
        account_row,
        key_row,
        hour: count.last.hour_start(),
        secret_number,
        product_row,
        outcome: code.number(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use latchkey_rules::code::Code;
    use proptest::prelude::*;

    use super::*;

    fn count(key: i64, times: i64) -> Count {
        Count {
            subject: Subject {
                account_row: RowId::from_number(1),
                key_row: RowId::from_number(key),
                secret_number: 1,
                product_row: RowId::NONE,
                code: Code::Valid,
            },
            last: Millis(0),
            times,
            units: times,
        }
    }

    fn all(pending: &Pending) -> Vec<Count> {
        pending.all().to_vec()
    }

    #[test]
    fn counts_merge_and_leave_in_the_order_of_their_table() {
        let mut pending = Pending::default();
        let some = vec![count(3, 1), count(1, 1), count(3, 4)];
        assert_eq!(pending.add(some, 3), []);
        let more = vec![count(2, 1), count(4, 7), count(1, 1)];
        assert_eq!(pending.add(more, 3), [count(4, 7)]);
        assert_eq!(pending.take(2), [count(1, 2), count(2, 1)]);
        assert_eq!(all(&pending), [count(3, 5)]);
        pending.subtract(&[count(3, 2), count(9, 9)]);
        assert_eq!(all(&pending), [count(3, 3)]);
        pending.subtract(&[count(3, 3)]);
        assert_eq!((pending.take(9), pending.is_empty()), (vec![], true));
    }

    #[test]
    fn every_count_has_its_turn_within_one_round() {
        let mut pending = Pending::default();
        let round: Vec<Count> = (1..=5).map(|key| count(key, 1)).collect();
        assert_eq!(pending.add(round, 9), []);
        assert_eq!(pending.take(2), [count(1, 1), count(2, 1)]);
        // What has been written waits for its next turn, however often it is counted again.
        assert_eq!(pending.add(vec![count(1, 1), count(2, 1)], 9), []);
        assert_eq!(pending.take(2), [count(3, 1), count(4, 1)]);
        assert_eq!(pending.take(2), [count(5, 1), count(1, 1)]);
        assert_eq!(pending.take(9), [count(2, 1)]);
    }

    proptest! {
        #[test]
        fn merged_counts_are_those_of_a_map(
            steps in prop::collection::vec((prop::collection::vec((0..40_i64, 1..9_i64), 0..30), 0..20_usize), 1..12)
        ) {
            let (mut pending, mut map) = (Pending::default(), BTreeMap::new());
            for (added, most) in steps {
                for (key, times) in &added {
                    *map.entry(*key).or_insert(0) += times;
                }
                let added = added.iter().map(|(key, times)| count(*key, *times));
                prop_assert_eq!(pending.add(added.collect(), 99), []);
                let taken = pending.take(most);
                prop_assert_eq!(taken.len(), most.min(map.len()));
                for count in taken {
                    let key = count.subject.key_row.number();
                    prop_assert_eq!(map.remove(&key), Some(count.times));
                }
                let left: Vec<Count> = map.iter().map(|(key, times)| count(*key, *times)).collect();
                prop_assert_eq!(all(&pending), left);
            }
        }
    }
}
