//! Where each bar, line and word of the chart stands, as attributes of an SVG: the portal's content policy knows no inline
//! styles. All measures are integers, in tenths of a unit of the view box, so that what is drawn is exact and testable.

use super::layout::{DATES_BELOW, LEAST, Lane, Layout, NAME_ABOVE, column, height, units};
use super::{Counts, SERIES, SERIES_COUNT, scale};

/// The chart as a template prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Drawing {
    /// What is told to those who do not see it.
    pub(crate) label: String,
    /// The view box's width.
    pub(crate) width: String,
    /// Its height.
    pub(crate) height: String,
    /// Where it is shown.
    pub(crate) class: &'static str,
    /// The id of the element that prints the day pointed at; empty for none.
    pub(crate) out: &'static str,
    /// The lanes' names with their height.
    pub(crate) lanes: Vec<(String, &'static str)>,
    /// The lines behind the bars.
    pub(crate) grid: Vec<Line>,
    /// Class and path of each series.
    pub(crate) series: Vec<(&'static str, String)>,
    /// The dates below the axis: place, height, anchor, text.
    pub(crate) ticks: Vec<(String, String, &'static str, String)>,
    /// What reacts to pointing: place, height, width, height, text.
    pub(crate) days: Vec<(String, String, String, String, String)>,
}

/// A line behind the bars, with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Where it begins.
    pub(crate) x1: String,
    /// Where it ends.
    pub(crate) x2: String,
    /// Its height.
    pub(crate) y: String,
    /// Its number.
    pub(crate) label: String,
    /// Whether it is the bottom of a lane.
    pub(crate) axis: bool,
}

/// Draws the days.
pub(super) fn draw(
    layout: &Layout,
    days: &[Counts],
    dates: &[String],
    said: &[String],
    label: &str,
    out: &'static str,
) -> Drawing {
    let most = days
        .iter()
        .map(|day| day.iter().sum::<i64>())
        .max()
        .unwrap_or(0);
    let most_refused = days.iter().map(refused).max().unwrap_or(0);
    let mut paths: [String; SERIES_COUNT] = Default::default();
    for (number, day) in days.iter().enumerate() {
        upper_bar(layout, &mut paths, number, day, most);
        lower_bar(layout, &mut paths, number, day, most_refused);
    }
    let upper = grid(layout, layout.upper, &scale::marks(most), most);
    let top = scale::top_mark(most_refused);
    let lower = grid(layout, layout.lower, top.as_slice(), most_refused);
    Drawing {
        label: label.to_owned(),
        width: units(layout.width),
        height: units(layout.lower.bottom + DATES_BELOW + 50),
        class: layout.class,
        out,
        lanes: vec![
            (name_above(layout.upper), layout.all),
            (name_above(layout.lower), layout.refused),
        ],
        grid: [upper, lower].concat(),
        series: SERIES
            .iter()
            .zip(paths)
            .filter(|(_, path)| !path.is_empty())
            .map(|((class, _), path)| (*class, path))
            .collect(),
        ticks: ticks(layout, dates),
        days: pointed(layout, said),
    }
}

fn refused(day: &Counts) -> i64 {
    day.iter().skip(1).sum()
}

fn name_above(lane: Lane) -> String {
    units(lane.bottom - lane.height - NAME_ABOVE)
}

/// Adds a bar between two heights above a lane's bottom.
fn bar(layout: &Layout, path: &mut String, day: usize, lane: Lane, from: i64, to: i64) {
    let (x, width) = column(layout, day);
    let width = units(width - layout.gap);
    let tall = units(to - from);
    let (left, top) = (units(x + layout.gap / 2), units(lane.bottom - to));
    for piece in [
        "M", &left, " ", &top, "h", &width, "v", &tall, "h-", &width, "z",
    ] {
        path.push_str(piece);
    }
}

/// All requests: what was allowed, and on top of it what was refused, in its own colours where they can be told apart.
fn upper_bar(layout: &Layout, paths: &mut [String], day: usize, counts: &Counts, most: i64) {
    let lane = layout.upper;
    let mut from = 0;
    let mut below = 0;
    let slim = height(lane, refused(counts), most) < 2 * LEAST;
    let main = main_refusal(counts);
    for (series, path) in paths.iter_mut().enumerate() {
        let mut count = counts.get(series).copied().unwrap_or(0);
        if slim && series > 0 {
            // Too thin for stripes: one stripe, in the colour of the most frequent reason.
            count = if series == main { refused(counts) } else { 0 };
        }
        if count == 0 {
            continue;
        }
        below += count;
        let to = height(lane, below, most).max(from + LEAST);
        bar(layout, path, day, lane, from, to);
        from = to;
    }
}

/// The refusals alone, on their own scale.
fn lower_bar(layout: &Layout, paths: &mut [String], day: usize, counts: &Counts, most: i64) {
    let lane = layout.lower;
    let mut from = 0;
    let mut below = 0;
    for (series, path) in paths.iter_mut().enumerate().skip(1) {
        let count = counts.get(series).copied().unwrap_or(0);
        if count == 0 {
            continue;
        }
        below += count;
        let to = height(lane, below, most).max(from + LEAST);
        bar(layout, path, day, lane, from, to);
        from = to;
    }
}

fn main_refusal(counts: &Counts) -> usize {
    let reasons = counts.iter().enumerate().skip(1);
    reasons
        .max_by_key(|(_, count)| **count)
        .map_or(1, |(series, _)| series)
}

fn grid(layout: &Layout, lane: Lane, numbers: &[i64], most: i64) -> Vec<Line> {
    let drawn = |number: i64| Line {
        x1: units(layout.left),
        x2: units(layout.width),
        // Half a unit off, so that a line one unit thick falls on whole pixels.
        y: units(lane.bottom - height(lane, number, most) / 10 * 10 + 5),
        label: scale::short(number),
        axis: number == 0,
    };
    numbers
        .iter()
        .rev()
        .copied()
        .chain([0])
        .map(drawn)
        .collect()
}

/// A date a week, counted back from today.
fn ticks(layout: &Layout, dates: &[String]) -> Vec<(String, String, &'static str, String)> {
    let every = if layout.class == "only-s" { 14 } else { 7 };
    let y = units(layout.lower.bottom + DATES_BELOW);
    let last = dates.len().saturating_sub(1);
    let shown = dates
        .iter()
        .enumerate()
        .filter(|(day, _)| (last - day).is_multiple_of(every));
    shown
        .map(|(day, date)| {
            let (x, width) = column(layout, day);
            let (x, anchor) = if day == last {
                (layout.width, "end")
            } else if day < 2 && every > 7 {
                (x, "start")
            } else {
                (x + width / 2, "middle")
            };
            (units(x), y.clone(), anchor, date.clone())
        })
        .collect()
}

fn pointed(layout: &Layout, said: &[String]) -> Vec<(String, String, String, String, String)> {
    let top = layout.upper.bottom - layout.upper.height;
    let tall = units(layout.lower.bottom - top);
    let days = said.iter().enumerate();
    days.map(|(day, text)| {
        let (x, width) = column(layout, day);
        (
            units(x),
            units(top),
            units(width),
            tall.clone(),
            text.clone(),
        )
    })
    .collect()
}
