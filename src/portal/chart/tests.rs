//! What the chart must show, whatever was counted.

use super::*;

const NOW: Millis = Millis(1_795_255_200_000); // 21 Nov 2026, 10:00 UTC

fn chart(counted: &[(i64, Code, i64)]) -> Chart {
    let counted = counted
        .iter()
        .map(|(days_ago, code, count)| (NOW.plus_ms(-days_ago * DAY_MS), *code, *count));
    Chart::of(counted, NOW, "readout")
}

/// The bars of a path: x, top, width, height.
fn bars(path: &str) -> Vec<[f64; 4]> {
    let bars = path.split('M').skip(1);
    bars.map(|bar| {
        let numbers: Vec<f64> = bar
            .split(|c: char| c == ' ' || c.is_ascii_alphabetic())
            .filter(|n| !n.is_empty())
            .map(|n| n.parse().unwrap())
            .collect();
        [numbers[0], numbers[1], numbers[2], numbers[3]]
    })
    .collect()
}

fn path<'a>(lanes: &'a Drawing, class: &str) -> &'a str {
    lanes
        .series
        .iter()
        .find(|(c, _)| *c == class)
        .map_or("", |(_, path)| path)
}

#[test]
fn nothing_counted_is_said_and_draws_no_bar() {
    let empty = chart(&[]);
    assert_eq!(empty.total, 0);
    assert!(empty.wide.series.is_empty());
    assert_eq!(empty.legend, [("c-allow", "Allowed", "0".to_owned())]);
    assert_eq!(empty.days.len(), DAYS);
}

#[test]
fn the_days_are_utc_days_up_to_todays() {
    let shown = chart(&[
        (0, Code::Valid, 3),
        (29, Code::Valid, 4),
        (30, Code::Valid, 50),
        (-1, Code::Valid, 60),
    ]);
    assert_eq!(shown.total, 7, "what lies outside is left out");
    assert_eq!(shown.range, "23 Oct to 21 Nov");
    let (newest, oldest) = (shown.days.first().unwrap(), shown.days.last().unwrap());
    assert_eq!(
        (newest.iso.as_str(), newest.counts[0].as_str()),
        ("2026-11-21", "3")
    );
    assert_eq!(
        (oldest.iso.as_str(), oldest.counts[0].as_str()),
        ("2026-10-23", "4")
    );
    assert_eq!(
        first_day(NOW),
        Millis(1_795_255_200_000 - 36_000_000 - 29 * DAY_MS)
    );
}

#[test]
fn every_outcome_has_its_place_and_the_totals_agree() {
    let counted: Vec<_> = Code::ALL.iter().map(|code| (3, *code, 2)).collect();
    let shown = chart(&counted);
    let all = i64::try_from(Code::ALL.len()).unwrap() * 2;
    assert_eq!((shown.total, shown.refused), (all, all - 2));
    let day = shown.days.iter().find(|day| day.day == "18 Nov").unwrap();
    let in_table: i64 = day
        .counts
        .iter()
        .map(|count| count.parse::<i64>().unwrap())
        .sum();
    assert_eq!(in_table, all);
    let in_legend: i64 = shown
        .legend
        .iter()
        .map(|(_, _, count)| count.parse::<i64>().unwrap())
        .sum();
    assert_eq!(in_legend, all);
    assert_eq!(shown.wide.series.len(), 5);
}

#[test]
fn refusals_have_a_lane_on_their_own_scale() {
    let shown = chart(&[
        (0, Code::Valid, 1_000_000),
        (0, Code::OriginNotAllowed, 5),
        (1, Code::OriginNotAllowed, 10),
    ]);
    for lanes in [&shown.wide, &shown.narrow] {
        let refused = bars(path(lanes, "c-restrict"));
        assert_eq!(refused.len(), 4, "two days in two lanes");
        let (upper, lower): (Vec<_>, Vec<_>) = refused.into_iter().partition(|bar| bar[1] < 160.0);
        assert!(
            upper.iter().all(|bar| bar[3] >= 1.0),
            "five in a million are still seen"
        );
        let heights: Vec<f64> = lower.iter().map(|bar| bar[3]).collect();
        assert!((heights[1] * 2.0 - heights[0]).abs() < 0.2, "{heights:?}");
    }
}

#[test]
fn bars_of_a_day_stand_on_each_other() {
    let shown = chart(&[
        (2, Code::Valid, 10),
        (2, Code::RateLimited, 10),
        (2, Code::KeyExpired, 20),
    ]);
    let top = |class: &str, lane: usize| bars(path(&shown.wide, class))[lane];
    let (allowed, limit, invalid) = (top("c-allow", 0), top("c-limit", 0), top("c-invalid", 0));
    assert!((limit[1] + limit[3] - allowed[1]).abs() < 0.01);
    assert!((invalid[1] + invalid[3] - limit[1]).abs() < 0.01);
    assert!(
        (allowed[1] + allowed[3] - 156.0).abs() < 0.01,
        "it stands on the axis"
    );
    let (limit, invalid) = (top("c-limit", 1), top("c-invalid", 1));
    assert!((limit[1] + limit[3] - 240.0).abs() < 0.01);
    assert!((invalid[1] + invalid[3] - limit[1]).abs() < 0.01);
}

#[test]
fn pointing_at_a_day_says_its_numbers_and_only_where_there_is_a_pointer() {
    let shown = chart(&[
        (7, Code::Valid, 9_120),
        (7, Code::IpNotAllowed, 3),
        (7, Code::QuotaExceeded, 2),
    ]);
    let said: Vec<&str> = shown.wide.days.iter().map(|day| day.4.as_str()).collect();
    assert!(
        said.contains(&"14 Nov: 9\u{202f}120 allowed, 5 refused: restriction 3, rate or quota 2"),
        "{said:?}"
    );
    assert!(said.contains(&"15 Nov: 0 allowed, 0 refused"));
    assert_eq!(shown.wide.out, "readout");
    assert!(shown.narrow.days.is_empty() && shown.narrow.out.is_empty());
}

#[test]
fn today_is_always_named_on_the_axis() {
    let shown = chart(&[(0, Code::Valid, 1)]);
    for (lanes, dates) in [(&shown.wide, 5), (&shown.narrow, 3)] {
        assert_eq!(lanes.ticks.len(), dates);
        assert_eq!(lanes.ticks.last().unwrap().3, "21 Nov");
        assert_eq!(lanes.ticks.last().unwrap().2, "end");
    }
}

#[test]
fn absurd_counts_break_nothing() {
    let shown = chart(&[
        (0, Code::Valid, i64::MAX / 4),
        (0, Code::KeyDisabled, -5),
        (1, Code::KeyDisabled, 1),
    ]);
    assert_eq!(shown.refused, 1);
    assert!(!path(&shown.wide, "c-off").is_empty());
}
