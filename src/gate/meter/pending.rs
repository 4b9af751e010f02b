//! Counts that wait for the database, merged: what is counted again before it is written is one row still.
//!
//! It must not know files or the database.

use std::collections::{HashMap, VecDeque};

use latchkey_rules::time::Millis;

use super::tally::{Count, Subject};

/// What one waiting count takes in memory, by and large.
pub(super) const ENTRY_BYTES: u64 = 128;

/// Waiting counts, the longest waiting first.
#[derive(Default)]
pub(super) struct Pending {
    times: HashMap<(Subject, Millis), i64>,
    order: VecDeque<(Subject, Millis)>,
}

impl Pending {
    /// Adds counts; at most `limit` different ones are kept. Answers those that found no room.
    pub(super) fn add(&mut self, counts: Vec<Count>, limit: usize) -> Vec<Count> {
        let mut lost = Vec::new();
        for count in counts {
            let place = (count.subject, count.hour);
            if let Some(times) = self.times.get_mut(&place) {
                *times += count.times;
            } else if self.times.len() < limit {
                self.times.insert(place, count.times);
                self.order.push_back(place);
            } else {
                lost.push(count);
            }
        }
        lost
    }

    /// Takes out those that waited longest, at most so many.
    pub(super) fn take(&mut self, most: usize) -> Vec<Count> {
        let mut taken = Vec::with_capacity(most.min(self.order.len()));
        while taken.len() < most {
            let Some(place) = self.order.pop_front() else {
                break;
            };
            if let Some(times) = self.times.remove(&place) {
                taken.push(count_of(place, times));
            }
        }
        taken
    }

    /// Takes these counts out again.
    pub(super) fn subtract(&mut self, counts: &[Count]) {
        for count in counts {
            let place = (count.subject, count.hour);
            if let Some(times) = self.times.get_mut(&place) {
                *times -= count.times;
                if *times <= 0 {
                    self.times.remove(&place);
                }
            }
        }
        self.order.retain(|place| self.times.contains_key(place));
    }

    /// All of them, in order.
    pub(super) fn all(&self) -> Vec<Count> {
        let times = |place: &(Subject, Millis)| {
            let times = self.times.get(place)?;
            Some(count_of(*place, *times))
        };
        self.order.iter().filter_map(times).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.times.is_empty()
    }
}

const fn count_of((subject, hour): (Subject, Millis), times: i64) -> Count {
    Count {
        subject,
        hour,
        times,
    }
}

#[cfg(test)]
mod tests {
    use latchkey_rules::code::Code;

    use super::*;
    use crate::store::replica::RowId;

    fn count(key: i64, times: i64) -> Count {
        let subject = Subject {
            account_row: RowId::from_number(1),
            key_row: RowId::from_number(key),
            secret_number: 1,
            product_row: RowId::NONE,
            code: Code::Valid,
        };
        count_of((subject, Millis(0)), times)
    }

    #[test]
    fn counts_merge_and_leave_in_their_order() {
        let mut pending = Pending::default();
        assert_eq!(
            pending.add(vec![count(1, 1), count(2, 1), count(1, 4)], 3),
            []
        );
        assert_eq!(
            pending.add(vec![count(3, 1), count(4, 7), count(2, 1)], 3),
            [count(4, 7)]
        );
        assert_eq!(pending.take(2), [count(1, 5), count(2, 2)]);
        assert_eq!(pending.add(vec![count(1, 1)], 3), []);
        assert_eq!(pending.all(), [count(3, 1), count(1, 1)]);
        pending.subtract(&[count(3, 1), count(9, 9)]);
        assert_eq!(
            (pending.take(9), pending.is_empty()),
            (vec![count(1, 1)], true)
        );
    }
}
