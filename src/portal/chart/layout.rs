//! The measures of the chart: where lanes, columns and heights are. Whole numbers in tenths of a unit of the view box. It
//! knows no series and no date.

use super::DAYS;

/// Tenths of a unit, printed as a decimal number.
pub(super) fn units(tenths: i64) -> String {
    let (whole, tenth) = (tenths / 10, (tenths % 10).abs());
    match (tenth, tenths < 0 && whole == 0) {
        (0, _) => whole.to_string(),
        (_, true) => format!("-0.{tenth}"),
        _ => format!("{whole}.{tenth}"),
    }
}

/// A layout, in tenths.
pub(super) struct Layout {
    pub(super) class: &'static str,
    pub(super) width: i64,
    pub(super) left: i64,
    pub(super) upper: Lane,
    pub(super) lower: Lane,
    pub(super) gap: i64,
    pub(super) all: &'static str,
    pub(super) refused: &'static str,
}

#[derive(Clone, Copy)]
pub(super) struct Lane {
    pub(super) bottom: i64,
    pub(super) height: i64,
}

/// From tablets on.
pub(super) const WIDE: Layout = Layout {
    class: "only-l",
    width: 7_200,
    left: 440,
    upper: Lane {
        bottom: 1_560,
        height: 1_280,
    },
    lower: Lane {
        bottom: 2_400,
        height: 520,
    },
    gap: 40,
    all: "All requests",
    refused: "Refused only, own scale",
};

/// On phones: text would become unreadable if the wide one were shrunk.
pub(super) const NARROW: Layout = Layout {
    class: "only-s",
    width: 3_260,
    left: 360,
    upper: Lane {
        bottom: 1_380,
        height: 1_120,
    },
    lower: Lane {
        bottom: 2_160,
        height: 460,
    },
    gap: 20,
    all: "All requests",
    refused: "Refused only, own scale",
};

/// How far a lane's name stands above it.
pub(super) const NAME_ABOVE: i64 = 120;
/// How far the dates stand below the axis.
pub(super) const DATES_BELOW: i64 = 170;
/// What is there at all is seen: the least height of a bar.
pub(super) const LEAST: i64 = 10;

/// Left edge and width of a day's column, gap included.
pub(super) fn column(layout: &Layout, day: usize) -> (i64, i64) {
    let days = i64::try_from(DAYS).unwrap_or(1);
    let at = |n: i64| layout.left + (layout.width - layout.left) * n / days;
    let day = i64::try_from(day).unwrap_or(0);
    (at(day), at(day + 1) - at(day))
}

pub(super) fn height(lane: Lane, count: i64, most: i64) -> i64 {
    if most == 0 {
        return 0;
    }
    let tall = i128::from(count) * i128::from(lane.height) / i128::from(most);
    i64::try_from(tall).unwrap_or(lane.height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenths_are_printed_as_decimals() {
        for (tenths, text) in [
            (0, "0"),
            (5, "0.5"),
            (10, "1"),
            (123, "12.3"),
            (-5, "-0.5"),
            (-15, "-1.5"),
        ] {
            assert_eq!(units(tenths), text);
        }
    }

    #[test]
    fn columns_fill_the_width_without_a_hole() {
        for layout in [WIDE, NARROW] {
            let mut x = layout.left;
            for day in 0..DAYS {
                let (left, width) = column(&layout, day);
                assert_eq!(left, x);
                assert!(width > layout.gap + LEAST, "a bar would vanish");
                x = left + width;
            }
            assert_eq!(x, layout.width);
        }
    }

    #[test]
    fn a_lane_is_full_at_its_highest_day_and_never_overflows_from_counts() {
        let lane = WIDE.upper;
        assert_eq!(height(lane, 7, 7), lane.height);
        assert_eq!(height(lane, 0, 7), 0);
        assert_eq!(height(lane, i64::MAX, i64::MAX), lane.height);
        assert_eq!(height(lane, 0, 0), 0);
    }
}
