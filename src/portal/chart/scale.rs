//! Round numbers for an axis. It draws nothing.

/// Up to three evenly spaced round numbers (1, 2 or 5 times a power of ten, and their multiples), the highest not above
/// `max`. None when there is nothing to measure.
pub(super) fn marks(max: i64) -> Vec<i64> {
    let step = steps().find(|step| step.saturating_mul(3) >= max);
    match step {
        Some(step) if max > 0 => (1..=3)
            .map(|n| n * step)
            .filter(|mark| *mark <= max)
            .collect(),
        _ => Vec::new(),
    }
}

fn steps() -> impl Iterator<Item = i64> {
    let powers = (0..18).scan(1_i64, |power, n| {
        if n > 0 {
            *power *= 10;
        }
        Some(*power)
    });
    powers.flat_map(|power| [power, 2 * power, 5 * power])
}

/// The highest number with a single digit before its zeros that is not above `max`.
pub(super) fn top_mark(max: i64) -> Option<i64> {
    if max < 1 {
        return None;
    }
    let mut power = 1_i64;
    while max / power >= 10 {
        power *= 10;
    }
    Some(max / power * power)
}

/// `200`, `6 k`, `1.5 M`: exact for every mark.
pub(super) fn short(value: i64) -> String {
    for (unit, name) in [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")] {
        if value >= unit {
            let (whole, tenth) = (value / unit, value % unit * 10 / unit);
            return if tenth == 0 {
                format!("{whole}\u{202f}{name}")
            } else {
                format!("{whole}.{tenth}\u{202f}{name}")
            };
        }
    }
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_within_what_is_measured() {
        for (max, expected) in [
            (0, vec![]),
            (1, vec![1]),
            (2, vec![1, 2]),
            (3, vec![1, 2, 3]),
            (4, vec![2, 4]),
            (11, vec![5, 10]),
            (99, vec![50]),
            (440, vec![200, 400]),
            (1_500, vec![500, 1_000, 1_500]),
        ] {
            assert_eq!(marks(max), expected, "{max}");
        }
    }

    #[test]
    fn there_is_always_a_mark_in_the_upper_two_thirds() {
        for max in (1..5_000).chain([i64::MAX / 10, 123_456_789_012]) {
            let highest = marks(max).last().copied().unwrap();
            assert!(
                highest <= max && highest.saturating_mul(3) >= max,
                "{max}: {highest}"
            );
            let top = top_mark(max).unwrap();
            assert!(top <= max && top.saturating_mul(2) > max, "{max}: {top}");
        }
        assert_eq!(top_mark(0), None);
    }

    #[test]
    fn short_numbers_lose_nothing() {
        for (value, text) in [
            (0, "0"),
            (500, "500"),
            (1_000, "1\u{202f}k"),
            (1_500, "1.5\u{202f}k"),
            (400_000, "400\u{202f}k"),
            (1_500_000, "1.5\u{202f}M"),
            (3_000_000_000, "3\u{202f}G"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
