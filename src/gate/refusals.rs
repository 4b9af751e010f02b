//! Refusals in the log: a few of each code a second, each with how many were left out before it (T-54). An allow is never
//! logged.
//!
//! It must not know secrets, queries or addresses, so it can write none of them down.

use std::sync::atomic::{AtomicU64, Ordering};

use latchkey_rules::code::Code;
use latchkey_rules::key_id::KeyId;

use super::judge::{Ask, Judged};
use crate::clock::Clock;
use crate::metrics::{Family, Page};
use crate::web::request_id::RequestId;

const UNLOGGED: Family = Family::counter(
    "latchkey_refusals_unlogged_total",
    &["code"],
    "Refusals that the log left out, since there were more than ten of their code in a second.",
);

/// Lines of one code in one second.
const A_SECOND: u64 = 10;

/// What a log line tells of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: Code,
    /// The key, if its secret was presented.
    pub(super) key_id: Option<KeyId>,
}

impl Refusal {
    /// What there is to tell of a verdict; nothing of an allow, nor of a trial.
    pub(super) fn of(judged: &Judged<'_>, ask: &Ask<'_>) -> Option<Self> {
        (judged.code != Code::Valid && ask.counted).then(|| Self {
            code: judged.code,
            key_id: judged.key.map(|key| key.key_id),
        })
    }
}

/// What each code may still log.
pub(super) struct Refusals {
    clock: Clock,
    codes: Vec<Budget>,
}

#[derive(Default)]
struct Budget {
    /// The second of monotonic time, and in the last 32 bits how many lines it had.
    spent: AtomicU64,
    /// Refusals without a line.
    left_out: AtomicU64,
    /// How many of those the last line told.
    told: AtomicU64,
}

impl Refusals {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            codes: Code::ALL.iter().map(|_| Budget::default()).collect(),
        }
    }

    /// Writes the refusal's line, if there is one and its code has a line left. Called after the verdict, when no lock of
    /// the replica is held: whoever reads the log may be slow.
    pub(super) fn note(&self, refusal: Option<Refusal>, id: &RequestId) {
        let Some(refusal) = refusal else { return };
        let Some(left_out) = self.admit(refusal.code) else {
            return;
        };
        let key_id = refusal.key_id.map(tracing::field::display);
        tracing::info!(request.id = %id, verdict.code = refusal.code.as_str(), key.id = key_id, verdict.left_out = left_out, "refused");
    }

    /// How many refusals of the code had no line since the last one that had; nothing when this one has none either.
    fn admit(&self, code: Code) -> Option<u64> {
        let budget = self.budget(code)?;
        let second = self.clock.monotonic().as_secs();
        let spend = |spent: u64| spent_with_one_more(spent, second);
        let order = Ordering::Relaxed;
        if budget.spent.try_update(order, order, spend).is_err() {
            budget.left_out.fetch_add(1, order);
            return None;
        }
        let left_out = budget.left_out.load(order);
        Some(left_out.saturating_sub(budget.told.fetch_max(left_out, order)))
    }

    fn budget(&self, code: Code) -> Option<&Budget> {
        let place = Code::ALL.iter().position(|known| *known == code)?;
        self.codes.get(place)
    }

    pub(super) fn write(&self, page: &mut Page) {
        let mut unlogged = page.family(&UNLOGGED);
        for (code, budget) in Code::ALL.iter().zip(&self.codes) {
            if *code != Code::Valid {
                unlogged.sample(&[code.as_str()], budget.left_out.load(Ordering::Relaxed));
            }
        }
    }
}

/// One more line in that second, if there is one left. A thread that read the clock before the last line was written counts
/// in that line's second.
fn spent_with_one_more(spent: u64, second: u64) -> Option<u64> {
    let (last, lines) = (spent >> 32, spent & 0xffff_ffff);
    let (second, lines) = if second > last {
        (second, 0)
    } else {
        (last, lines)
    };
    (lines < A_SECOND).then_some(second << 32 | (lines + 1))
}

#[cfg(test)]
mod tests {
    use latchkey_rules::time::Millis;

    use super::*;

    #[test]
    fn a_thread_that_is_late_opens_no_new_second() {
        let mut spent = 0;
        for _ in 0..A_SECOND {
            spent = spent_with_one_more(spent, 7).unwrap();
        }
        assert_eq!(spent_with_one_more(spent, 6), None);
        assert_eq!(spent_with_one_more(spent, 7), None);
        assert_eq!(spent_with_one_more(spent, 8), Some(8 << 32 | 1));
    }

    #[test]
    fn t_54_ten_refusals_of_a_code_have_a_line_in_a_second_and_the_next_tells_of_the_others() {
        let (clock, hand) = Clock::movable(Millis(0));
        let refusals = Refusals::new(clock);
        let of = |code: Code, count: usize| -> Vec<u64> {
            (0..count).filter_map(|_| refusals.admit(code)).collect()
        };
        assert_eq!(of(Code::KeyNotFound, 1_000), [0; 10]);
        assert_eq!(of(Code::KeyMissing, 3), [0; 3], "each code has its own");
        hand.advance_ms(999);
        assert!(of(Code::KeyNotFound, 5).is_empty());
        hand.advance_ms(1);
        assert_eq!(of(Code::KeyNotFound, 11), [995, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let mut page = Page::default();
        refusals.write(&mut page);
        let text = page.text();
        assert!(text.contains("{code=\"KEY_NOT_FOUND\"} 996\n"), "{text}");
        assert!(!text.contains("\"VALID\""), "an allow is no refusal");
    }
}
