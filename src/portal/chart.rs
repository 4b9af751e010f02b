//! A key's last thirty days by outcome, ready for the chart, its legend and its table. The days are UTC days, as the
//! account's quota counts them. It knows neither store nor request: counted verdicts go in, texts and geometry come out.

mod geometry;
mod layout;
mod scale;

use latchkey_rules::{
    code::{Code, OutcomeGroup},
    time::{DAY_MS, Millis},
};

use geometry::Drawing;

use crate::web::{format::number, zone};

/// How many days are shown.
pub(crate) const DAYS: usize = 30;

/// The series of the chart, from the axis upwards: class, name.
const SERIES: [(&str, &str); SERIES_COUNT] = [
    ("c-allow", "Allowed"),
    ("c-restrict", "Restriction"),
    ("c-limit", "Rate or quota"),
    ("c-invalid", "Invalid or expired"),
    ("c-off", "Disabled"),
];
const SERIES_COUNT: usize = 5;

/// One day's counts, by series.
type Counts = [i64; SERIES_COUNT];

/// The chart and what stands around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chart {
    /// The drawing for a wide place.
    pub(crate) wide: Drawing,
    /// The drawing for a phone.
    pub(crate) narrow: Drawing,
    /// Class, name and total of each series that has any.
    pub(crate) legend: Vec<(&'static str, &'static str, String)>,
    /// The same numbers as a table, newest day first.
    pub(crate) days: Vec<DayRow>,
    /// `23 Oct to 21 Nov`.
    pub(crate) range: String,
    /// How many requests there were.
    pub(crate) total: i64,
    /// How many of them were refused.
    pub(crate) refused: i64,
}

/// One day of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DayRow {
    /// `21 Nov`.
    pub(crate) day: String,
    /// `2026-11-21`.
    pub(crate) iso: String,
    /// The counts, in the order of the legend.
    pub(crate) counts: Vec<String>,
}

impl Chart {
    /// The thirty UTC days up to and with today's. Counts outside of them are left out. `read_out` is the id of the
    /// element that prints the day pointed at.
    pub(crate) fn of(
        counted: impl IntoIterator<Item = (Millis, Code, i64)>,
        now: Millis,
        read_out: &'static str,
    ) -> Self {
        let first = first_day(now);
        let counts = by_day(counted, first);
        let dates: Vec<String> = (0..DAYS)
            .map(|day| zone::utc_day(nth(first, day)))
            .collect();
        let (from, to) = (
            dates.first().map_or("", String::as_str),
            dates.last().map_or("", String::as_str),
        );
        let totals = totals(&counts);
        let total: i64 = totals.iter().sum();
        let refused = total - totals.first().copied().unwrap_or(0);
        let range = format!("{from} to {to}");
        let label = format!(
            "Requests a day by outcome, {range}, UTC: {} allowed, {} refused. The table holds the same numbers.",
            number(total - refused),
            number(refused)
        );
        let said: Vec<String> = dates.iter().zip(&counts).map(said).collect();
        Self {
            wide: geometry::draw(&layout::WIDE, &counts, &dates, &said, &label, read_out),
            narrow: geometry::draw(&layout::NARROW, &counts, &dates, &[], &label, ""),
            legend: legend(&totals),
            days: rows(&counts, &dates, first),
            range,
            total,
            refused,
        }
    }
}

/// The start of the first day that is shown; what the store is asked for begins there.
pub(crate) fn first_day(now: Millis) -> Millis {
    let back = i64::try_from(DAYS).unwrap_or(0) - 1;
    now.day_start().plus_ms(-back * DAY_MS)
}

fn nth(first: Millis, day: usize) -> Millis {
    first.plus_ms(i64::try_from(day).unwrap_or(0) * DAY_MS)
}

fn series_of(code: Code) -> usize {
    match code.outcome_group() {
        OutcomeGroup::Allowed => 0,
        OutcomeGroup::Restriction => 1,
        OutcomeGroup::Limit => 2,
        OutcomeGroup::Invalid => 3,
        // What the gate could not tell was refused without the key being at fault, as with a key that is off.
        OutcomeGroup::Disabled | OutcomeGroup::Unavailable => 4,
    }
}

fn by_day(counted: impl IntoIterator<Item = (Millis, Code, i64)>, first: Millis) -> Vec<Counts> {
    let mut days = vec![[0; SERIES_COUNT]; DAYS];
    for (at, code, count) in counted {
        let day = usize::try_from((at.0 - first.0).div_euclid(DAY_MS)).ok();
        let counts = day.and_then(|day| days.get_mut(day));
        if let Some(cell) = counts.and_then(|counts| counts.get_mut(series_of(code))) {
            *cell += count.max(0);
        }
    }
    days
}

fn totals(days: &[Counts]) -> Counts {
    let mut totals = [0; SERIES_COUNT];
    for day in days {
        for (total, count) in totals.iter_mut().zip(day) {
            *total += count;
        }
    }
    totals
}

/// A series without a single request is left out, but for the first: "Allowed 0" is worth reading.
fn is_shown(series: usize, totals: &Counts) -> bool {
    series == 0 || totals.get(series).is_some_and(|total| *total > 0)
}

fn legend(totals: &Counts) -> Vec<(&'static str, &'static str, String)> {
    let all = SERIES.iter().zip(totals).enumerate();
    let shown = all.filter(|(series, _)| is_shown(*series, totals));
    shown
        .map(|(_, ((class, name), total))| (*class, *name, number(*total)))
        .collect()
}

/// What is printed when one points at a day.
fn said((date, counts): (&String, &Counts)) -> String {
    let allowed = counts.first().copied().unwrap_or(0);
    let refused: i64 = counts.iter().skip(1).sum();
    let mut text = format!(
        "{date}: {} allowed, {} refused",
        number(allowed),
        number(refused)
    );
    let reasons: Vec<String> = SERIES
        .iter()
        .zip(counts)
        .skip(1)
        .filter(|(_, count)| **count > 0)
        .map(|((_, name), count)| format!("{} {}", name.to_lowercase(), number(*count)))
        .collect();
    if !reasons.is_empty() {
        text.push_str(": ");
        text.push_str(&reasons.join(", "));
    }
    text
}

fn rows(counts: &[Counts], dates: &[String], first: Millis) -> Vec<DayRow> {
    let totals = totals(counts);
    let shown = |day: &Counts| {
        let all = day.iter().enumerate();
        all.filter(|(series, _)| is_shown(*series, &totals))
            .map(|(_, count)| number(*count))
            .collect()
    };
    let days = counts.iter().zip(dates).enumerate().rev();
    days.map(|(day, (counts, date))| DayRow {
        day: date.clone(),
        iso: zone::iso(nth(first, day)).chars().take(10).collect(),
        counts: shown(counts),
    })
    .collect()
}

#[cfg(test)]
mod tests;
