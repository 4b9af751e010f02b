//! Counts that wait for the database, merged: what is counted again before it is written is one row still.
//!
//! They leave in the order of the table's primary key, going round: rows that are written together then lie together
//! on the database's pages, and one page is written where rows in the order of their arrival would take hundreds.
//! It must not know files or the database.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;

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
    counts: BTreeMap<Place, Count>,
    /// Where the last ones that left stood: the next ones are those behind it.
    hand: Option<Place>,
}

impl Pending {
    /// Adds counts; at most `limit` different ones are kept. Answers those that found no room.
    pub(super) fn add(&mut self, counts: Vec<Count>, limit: usize) -> Vec<Count> {
        let mut lost = Vec::new();
        for count in counts {
            let has_room = self.counts.len() < limit;
            match self.counts.entry(place_of(&count)) {
                Entry::Occupied(mut known) => known.get_mut().times += count.times,
                Entry::Vacant(place) if has_room => {
                    place.insert(count);
                }
                Entry::Vacant(_) => lost.push(count),
            }
        }
        lost
    }

    /// Takes out the next ones, at most so many. Every count has its turn within one round.
    pub(super) fn take(&mut self, most: usize) -> Vec<Count> {
        let behind = match self.hand {
            Some(hand) => (Bound::Excluded(hand), Bound::Unbounded),
            None => (Bound::Unbounded, Bound::Unbounded),
        };
        let rest = self.counts.range(behind);
        let next: Vec<Place> = rest
            .chain(self.counts.iter())
            .take(most.min(self.counts.len()))
            .map(|(place, _)| *place)
            .collect();
        self.hand = next.last().copied();
        next.iter()
            .filter_map(|place| self.counts.remove(place))
            .collect()
    }

    /// Takes these counts out again.
    pub(super) fn subtract(&mut self, counts: &[Count]) {
        for count in counts {
            if let Entry::Occupied(mut known) = self.counts.entry(place_of(count)) {
                known.get_mut().times -= count.times;
                if known.get().times <= 0 {
                    known.remove();
                }
            }
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Count> {
        self.counts.values()
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
        hour: count.hour,
        secret_number,
        product_row,
        outcome: code.number(),
    }
}

#[cfg(test)]
mod tests {
    use latchkey_rules::code::Code;

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
            hour: Millis(0),
            times,
        }
    }

    fn all(pending: &Pending) -> Vec<Count> {
        pending.all().copied().collect()
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
}
