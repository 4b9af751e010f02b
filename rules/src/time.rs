//! Instants, as whole milliseconds since 1970 in UTC.
//!
//! It must not know a clock: an instant is always handed in.

/// Milliseconds in a second.
pub const SECOND_MS: i64 = 1_000;
/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Milliseconds in a day.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// This instant moved by so many milliseconds; it stops at the ends of what can be written.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// This instant moved by so many seconds.
    #[must_use]
    pub const fn plus_secs(self, secs: i64) -> Self {
        Self(self.0.saturating_add(secs.saturating_mul(SECOND_MS)))
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(SECOND_MS)
    }

    /// The start of the UTC hour that this instant lies in.
    #[must_use]
    pub const fn hour_start(self) -> Self {
        self.floor(HOUR_MS)
    }

    /// The start of the UTC day that this instant lies in.
    #[must_use]
    pub const fn day_start(self) -> Self {
        self.floor(DAY_MS)
    }

    const fn floor(self, unit_ms: i64) -> Self {
        // Saturating: the first partial hour before the earliest instant has no start of its own.
        Self(self.0.saturating_sub(self.0.rem_euclid(unit_ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_days_begin_where_utc_says() {
        // 2026-11-21T10:59:59.999Z
        let at = Millis(1_795_258_799_999);
        assert_eq!(at.hour_start(), Millis(1_795_255_200_000));
        assert_eq!(at.day_start(), Millis(1_795_219_200_000));
        assert_eq!(at.secs(), 1_795_258_799);
        assert_eq!(at.plus_ms(1).hour_start(), at.plus_ms(1));
    }

    #[test]
    fn instants_before_1970_round_down_too() {
        assert_eq!(Millis(-1).secs(), -1);
        assert_eq!(Millis(-1).day_start(), Millis(-DAY_MS));
    }

    #[test]
    fn moving_past_the_ends_stops_there() {
        assert_eq!(Millis(i64::MAX).plus_secs(1), Millis(i64::MAX));
        assert_eq!(Millis(i64::MIN).plus_ms(-1), Millis(i64::MIN));
        assert_eq!(Millis(i64::MIN).day_start(), Millis(i64::MIN));
    }
}
