//! When in a day and a week a kind of program asks, and the dice of the demo's past.
//!
//! Whole numbers throughout: the same key and hour always give the same counts.

use latchkey_rules::access::Access;
use latchkey_rules::environment::Environment;
use latchkey_rules::time::{DAY_MS, HOUR_MS, Millis};

use super::keys::KeyShape;

/// When a kind of program asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rhythm {
    /// While people write programs.
    Office,
    /// While vans are on the road.
    Road,
    /// While people look at pages.
    Web,
    /// While nobody waits.
    Night,
}

impl Rhythm {
    pub(super) fn of(key: &KeyShape) -> Self {
        if key.environment != Environment::Live {
            Self::Office
        } else if key.name.starts_with("Nightly") {
            Self::Night
        } else if key.access == Access::Read {
            Self::Web
        } else {
            Self::Road
        }
    }

    /// Each UTC hour's share of the day, in thousandths.
    const fn hours(self) -> [u64; 24] {
        match self {
            Self::Office => [
                0, 0, 0, 0, 0, 5, 30, 80, 110, 115, 110, 90, 80, 105, 110, 90, 50, 20, 5, 0, 0, 0,
                0, 0,
            ],
            Self::Road => [
                8, 6, 6, 8, 16, 36, 62, 78, 80, 76, 72, 66, 62, 64, 66, 66, 62, 52, 40, 28, 18, 12,
                9, 7,
            ],
            Self::Web => [
                12, 8, 6, 5, 6, 10, 20, 34, 44, 50, 54, 58, 60, 56, 54, 56, 62, 72, 80, 82, 72, 50,
                30, 19,
            ],
            Self::Night => [
                170, 190, 180, 120, 60, 20, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 20, 40, 50, 60,
                80,
            ],
        }
    }

    /// Each weekday's measure in hundredths, from Monday.
    const fn weekdays(self) -> [u64; 7] {
        match self {
            Self::Office => [104, 108, 106, 104, 90, 8, 5],
            Self::Road => [108, 104, 102, 104, 112, 46, 22],
            Self::Web => [94, 92, 95, 98, 104, 122, 118],
            Self::Night => [104, 104, 104, 104, 104, 40, 60],
        }
    }

    /// How many thousandths of a request an hour has, when a day has `daily` requests.
    pub(super) fn thousandths(self, daily: u64, hour: Millis) -> u64 {
        let day = hour.0.div_euclid(DAY_MS);
        // 1970 began on a Thursday.
        let weekday = at(&self.weekdays(), (day + 3).rem_euclid(7));
        let share = at(&self.hours(), hour.0.rem_euclid(DAY_MS) / HOUR_MS);
        daily * share * weekday / 100
    }
}

fn at(shares: &[u64], place: i64) -> u64 {
    let place = usize::try_from(place).ok();
    place
        .and_then(|place| shares.get(place))
        .copied()
        .unwrap_or(0)
}

/// Dice that fall alike for the same key, hour and purpose.
pub(super) fn dice(key: u64, hour: Millis, purpose: u64) -> u64 {
    let mut x = key
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(hour.0.unsigned_abs())
        .wrapping_add(purpose.wrapping_mul(0xd1b5_4a32_d192_ed03));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Whole requests out of thousandths: the rest is one more with its own likelihood.
pub(super) fn whole(thousandths: u64, dice: u64) -> u64 {
    thousandths / 1_000 + u64::from(dice % 1_000 < thousandths % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_whole() {
        for rhythm in [Rhythm::Office, Rhythm::Road, Rhythm::Web, Rhythm::Night] {
            assert_eq!(rhythm.hours().iter().sum::<u64>(), 1_000, "{rhythm:?}");
        }
    }

    #[test]
    fn programmers_rest_on_the_weekend() {
        // 2026-11-20 was a Friday.
        let friday = Millis(1_795_132_800_000);
        let week = |rhythm: Rhythm, day: i64| {
            rhythm.thousandths(1_000, friday.plus_ms(day * DAY_MS + 10 * HOUR_MS))
        };
        assert!(week(Rhythm::Office, 0) > 9 * week(Rhythm::Office, 1));
        assert!(week(Rhythm::Web, 1) > week(Rhythm::Web, 0));
    }

    #[test]
    fn whole_requests_add_up_to_the_thousandths() {
        let sum: u64 = (0..10_000)
            .map(|hour| whole(1_250, dice(3, Millis(hour), 1)))
            .sum();
        assert!((12_200..12_800).contains(&sum), "{sum}");
    }
}
