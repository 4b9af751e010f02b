//! How often a secret was let through, on the secret's own record: what almost every verdict counts.
//!
//! It stands on the line of memory that the decision has just read, so counting waits for no other. It must not know who
//! brings the counts to the database.

use std::sync::atomic::{AtomicU64, Ordering};

use latchkey_rules::time::{HOUR_MS, Millis, SECOND_MS};

use crate::store::replica::RowId;

/// Bits of the count; above them stand the second of the hour in which the last one was, the product, and the hour.
const TIMES_BITS: u32 = 20;
const SECOND_BITS: u32 = 12;
const PRODUCT_BITS: u32 = 12;
const LOW_BITS: u32 = TIMES_BITS + SECOND_BITS;
const TIMES: u64 = (1 << TIMES_BITS) - 1;
const SECONDS: u64 = ((1 << SECOND_BITS) - 1) << TIMES_BITS;
/// Products of larger rows are counted elsewhere, as is everything after the year 2089.
const PRODUCTS: u64 = 1 << PRODUCT_BITS;
const HOURS: u64 = 1 << (64 - LOW_BITS - PRODUCT_BITS);

/// Requests of one hour to one product, in one word. Nothing is waiting while it is 0.
#[derive(Default)]
pub(super) struct Uses(AtomicU64);

/// What a word held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Used {
    /// The second in which the last one was.
    pub(super) last: Millis,
    pub(super) product_row: RowId,
    pub(super) times: i64,
}

impl Uses {
    /// Adds one. False when the word still holds another hour or product, or none of that number fits: it is then to be
    /// counted elsewhere.
    pub(super) fn add(&self, now: Millis, product_row: RowId) -> bool {
        let Some((label, second)) = label(now, product_row) else {
            return false;
        };
        let added = |word: u64| {
            let same = word & !(SECONDS | TIMES) == label && word & TIMES < TIMES;
            let last = second.max(word & SECONDS);
            (word == 0 || same).then(|| label | last | ((word & TIMES) + 1))
        };
        self.0
            .try_update(Ordering::Relaxed, Ordering::Relaxed, added)
            .is_ok()
    }

    /// Takes out what is counted.
    pub(super) fn take(&self) -> Option<Used> {
        // Most are empty: reading leaves their lines as they are.
        if self.0.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let word = self.0.swap(0, Ordering::Relaxed);
        let hour = i64::try_from(word >> (LOW_BITS + PRODUCT_BITS)).unwrap_or(0);
        let product = i64::try_from((word >> LOW_BITS) & (PRODUCTS - 1)).unwrap_or(0);
        let second = i64::try_from((word & SECONDS) >> TIMES_BITS).unwrap_or(0);
        Some(Used {
            last: Millis(hour * HOUR_MS + second * SECOND_MS),
            product_row: RowId::from_number(product),
            times: i64::try_from(word & TIMES).unwrap_or(0),
        })
    }
}

/// What does not change within an hour and product, and the second in its place.
fn label(now: Millis, product_row: RowId) -> Option<(u64, u64)> {
    let seconds = u64::try_from(now.0).ok()? / 1_000;
    let (hour, second) = (seconds / 3_600, seconds % 3_600);
    let product = u64::try_from(product_row.number()).ok()?;
    let fits = hour < HOURS && (1..PRODUCTS).contains(&product);
    fits.then_some((
        (hour << PRODUCT_BITS | product) << LOW_BITS,
        second << TIMES_BITS,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_795_256_100_000);

    fn row(number: i64) -> RowId {
        RowId::from_number(number)
    }

    #[test]
    fn one_hour_and_product_are_counted_and_taken_once() {
        let uses = Uses::default();
        assert_eq!(uses.take(), None);
        for ms in 0..1_000 {
            assert!(uses.add(NOW.plus_ms(ms * 10), row(4_095)));
        }
        assert!(uses.add(NOW, row(4_095)), "a clock that went back");
        assert!(!uses.add(NOW, row(1)), "another product");
        assert!(!uses.add(NOW.plus_ms(HOUR_MS), row(4_095)), "another hour");
        let all = Used {
            last: NOW.plus_ms(9 * SECOND_MS),
            product_row: row(4_095),
            times: 1_001,
        };
        assert_eq!((uses.take(), uses.take()), (Some(all), None));
        assert!(uses.add(NOW, row(1)), "free again");
    }

    #[test]
    fn what_does_not_fit_is_not_counted() {
        let uses = Uses::default();
        for number in [0, -1, 4_096, i64::MAX] {
            assert!(!uses.add(NOW, row(number)), "{number}");
        }
        for at in [Millis(-HOUR_MS), Millis(HOUR_MS << 20), Millis(i64::MAX)] {
            assert!(!uses.add(at, row(1)), "{at:?}");
        }
        assert_eq!(uses.take(), None);
    }

    #[test]
    fn a_full_word_counts_no_further() {
        let (label, second) = label(NOW, row(1)).unwrap();
        let full = label | second | TIMES;
        let uses = Uses(AtomicU64::new(full));
        assert!(!uses.add(NOW, row(1)));
        assert_eq!(uses.take().map(|all| all.times), Some(1_048_575));
    }
}
