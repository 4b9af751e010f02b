//! A rotation that is not over: the time left, and who of the two secrets carries how much, hour by hour. It knows neither
//! store nor request: a key and its counts go in, texts and geometry come out.

use std::fmt::Write as _;

use latchkey_rules::code::Code;
use latchkey_rules::time::{HOUR_MS, MINUTE_MS, Millis};

use super::callers::Callers;
use super::facts;
use crate::store::activity::ActivityRow;
use crate::store::callers::Caller;
use crate::store::keys::Key;
use crate::web::frame::Frame;
use crate::web::zone::When;

/// Without a use for so long, the older secret is called safe to end.
const QUIET_HOURS: i64 = 6;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 40.0;

/// A running rotation, ready to be printed.
#[derive(Debug)]
pub(super) struct Rotation {
    /// `31 h 12 min`.
    pub(super) left: String,
    pub(super) left_ms: i64,
    pub(super) ends: When,
    pub(super) began: When,
    pub(super) old: String,
    pub(super) new: String,
    /// `92.4 %` of the last hours' requests, `-` without any.
    pub(super) old_share: String,
    pub(super) new_share: String,
    pub(super) drawing: Drawing,
    /// What the older secret's use says about ending it.
    pub(super) advice: String,
    pub(super) safe: bool,
    /// Who used the older secret in this hour or the one before.
    pub(super) late: Callers,
}

/// The shares of each hour as two paths in a box of 760 by 40.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Drawing {
    pub(super) old: String,
    pub(super) new: String,
    pub(super) now_x: String,
    pub(super) label: String,
}

/// What both secrets carried in an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Hour {
    old: i64,
    new: i64,
}

impl Hour {
    const fn total(self) -> i64 {
        self.old.saturating_add(self.new)
    }
}

impl Rotation {
    /// The rotation of a key, if its older secret works on.
    pub(super) fn of(
        key: &Key,
        counts: &[ActivityRow],
        late: Vec<Caller>,
        frame: &Frame,
    ) -> Option<Self> {
        let now = frame.now();
        let (newest, older) = (key.secrets.first()?, key.older_secret(now)?);
        let ends_at = older.retires_at?;
        let began_at = newest.created_at;
        let hours = hours(counts, older.number, newest.number, began_at, now);
        let recent = hours
            .iter()
            .rev()
            .take(2)
            .fold(Hour::default(), |sum, hour| Hour {
                old: sum.old.saturating_add(hour.old),
                new: sum.new.saturating_add(hour.new),
            });
        let left_ms = ends_at.0.saturating_sub(now.0);
        let last_use = last_use(counts, older.number);
        let safe = is_quiet(last_use, began_at, now);
        Some(Self {
            left: left(left_ms),
            left_ms,
            ends: frame.when(ends_at),
            began: frame.when(began_at),
            old: facts::shown(key, older),
            new: facts::shown(key, newest),
            old_share: share(recent.old, recent.total()),
            new_share: share(recent.new, recent.total()),
            drawing: draw(&hours, slots(began_at, ends_at), began_at, now),
            advice: advice(safe, last_use, frame),
            safe,
            late: Callers::few(late, frame),
        })
    }
}

/// The hour in which a secret was last let through.
fn last_use(counts: &[ActivityRow], number: i16) -> Option<Millis> {
    let is_use = |row: &&ActivityRow| row.secret_number == number && row.code == Code::Valid;
    counts.iter().filter(is_use).map(|row| row.hour).max()
}

/// Whether nobody used it for so long that ending it should hurt nobody. Counts know the hour of a use, not its minute.
fn is_quiet(last_use: Option<Millis>, began_at: Millis, now: Millis) -> bool {
    let since = last_use.map_or(began_at, |hour| hour.plus_ms(HOUR_MS).max(began_at));
    since.plus_ms(QUIET_HOURS * HOUR_MS) <= now
}

fn advice(safe: bool, last_use: Option<Millis>, frame: &Frame) -> String {
    match (safe, last_use) {
        (true, _) => {
            format!("The old secret was not used for {QUIET_HOURS} hours: it is safe to end it.")
        }
        (false, Some(hour)) if hour >= frame.now().hour_start() => {
            "The old secret was used within this hour. Whoever uses it after its end is refused."
                .to_owned()
        }
        (false, Some(hour)) => format!(
            "The old secret was last used in the hour from {}. Without a use for {QUIET_HOURS} hours it is safe to end it.",
            frame.when(hour).exact
        ),
        (false, None) => format!(
            "The old secret was not used since the rotation. Without a use for {QUIET_HOURS} hours it is safe to end it."
        ),
    }
}

/// The hours from the rotation's to now's.
fn hours(counts: &[ActivityRow], old: i16, new: i16, began_at: Millis, now: Millis) -> Vec<Hour> {
    let first = began_at.hour_start();
    let length = slots(began_at, now.plus_ms(1));
    let mut hours = vec![Hour::default(); length];
    for row in counts.iter().filter(|row| row.code == Code::Valid) {
        let slot = row.hour.0.saturating_sub(first.0).div_euclid(HOUR_MS);
        let hour = usize::try_from(slot)
            .ok()
            .and_then(|slot| hours.get_mut(slot));
        let Some(hour) = hour else { continue };
        if row.secret_number == old {
            hour.old = hour.old.saturating_add(row.count);
        } else if row.secret_number == new {
            hour.new = hour.new.saturating_add(row.count);
        }
    }
    hours
}

/// How many hours a stretch of time touches, at least one and at most four days' worth.
fn slots(from: Millis, to: Millis) -> usize {
    let whole = to.0.saturating_sub(1).saturating_sub(from.hour_start().0);
    usize::try_from(whole.div_euclid(HOUR_MS) + 1)
        .unwrap_or(1)
        .clamp(1, 96)
}

/// `31 h 12 min`, `12 min`.
fn left(ms: i64) -> String {
    let minutes = ms.div_euclid(MINUTE_MS).max(0);
    match (minutes / 60, minutes % 60) {
        (0, 0) => "less than a minute".to_owned(),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// In tenths of a per cent, rounded.
fn share(part: i64, whole: i64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let tenths = (i128::from(part) * 2000 + i128::from(whole)) / (i128::from(whole) * 2);
    match (part, tenths) {
        (1.., 0) => "< 0.1 %".to_owned(),
        _ if tenths % 10 == 0 => format!("{} %", tenths / 10),
        _ => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

fn draw(hours: &[Hour], slots: usize, began_at: Millis, now: Millis) -> Drawing {
    let slot = WIDTH / f64::from(u16::try_from(slots).unwrap_or(1));
    let (gap, bar) = (slot * 0.1, slot * 0.8);
    let mut drawing = Drawing::default();
    for (number, hour) in (0_u16..).zip(hours.iter().take(slots)) {
        if hour.total() == 0 {
            continue;
        }
        let x = f64::from(number) * slot + gap;
        let old = HEIGHT * ratio(hour.old, hour.total());
        let new = HEIGHT - old;
        // Writing to a String cannot fail.
        let _written = write!(drawing.new, "M{x:.1} 0h{bar:.1}v{new:.1}h-{bar:.1}z");
        let _written = write!(drawing.old, "M{x:.1} {new:.1}h{bar:.1}v{old:.1}h-{bar:.1}z");
    }
    let passed = now.0.saturating_sub(began_at.hour_start().0);
    let all = HOUR_MS.saturating_mul(i64::try_from(slots).unwrap_or(1));
    drawing.now_x = format!("{:.1}", WIDTH * ratio(passed, all).min(1.0));
    let with_any = || hours.iter().filter(|hour| hour.total() > 0);
    let of = |hour: Option<&Hour>| hour.map(|hour| share(hour.old, hour.total()));
    drawing.label = match (of(with_any().next()), of(with_any().next_back())) {
        (Some(first), Some(last)) => format!(
            "Share of requests by secret for each hour since the rotation: the old secret’s went from {first} to {last}"
        ),
        _ => "No request since the rotation".to_owned(),
    };
    drawing
}

/// A part of a whole, from 0 to 1, exact enough for a drawing.
fn ratio(part: i64, whole: i64) -> f64 {
    let thousandths = i128::from(part) * 10_000 / i128::from(whole.max(1));
    f64::from(i32::try_from(thousandths.clamp(0, 10_000)).unwrap_or(0)) / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: Millis = Millis(1_795_255_200_000);

    fn row(hours: i64, secret_number: i16, count: i64) -> ActivityRow {
        ActivityRow {
            hour: BEGAN.hour_start().plus_ms(hours * HOUR_MS),
            secret_number,
            secret_last4: "-".to_owned(),
            product_slug: None,
            code: Code::Valid,
            count,
        }
    }

    #[test]
    fn each_hour_has_what_both_secrets_carried() {
        let counts = [
            row(-1, 1, 9),
            row(0, 1, 3),
            row(1, 2, 1),
            row(1, 1, 1),
            row(1, 7, 5),
        ];
        let now = BEGAN.plus_ms(HOUR_MS + 5);
        let expected = [Hour { old: 3, new: 0 }, Hour { old: 1, new: 1 }];
        assert_eq!(hours(&counts, 1, 2, BEGAN, now), expected);
    }

    #[test]
    fn a_drawing_covers_the_grace_and_marks_now() {
        let hours = [Hour { old: 1, new: 0 }, Hour { old: 1, new: 3 }];
        let now = BEGAN.hour_start().plus_ms(HOUR_MS);
        let drawn = draw(&hours, 2, BEGAN, now);
        assert_eq!(drawn.now_x, "380.0");
        assert_eq!(
            drawn.old,
            "M38.0 0.0h304.0v40.0h-304.0zM418.0 30.0h304.0v10.0h-304.0z"
        );
        assert!(
            drawn.label.ends_with("went from 100 % to 25 %"),
            "{}",
            drawn.label
        );
        let nothing = draw(&[Hour::default()], 48, BEGAN, now);
        assert_eq!(
            (nothing.old.as_str(), nothing.label.as_str()),
            ("", "No request since the rotation")
        );
    }

    #[test]
    fn shares_and_times_read_well() {
        let table = [
            (0, 0, "-"),
            (1, 3, "33.3 %"),
            (2, 3, "66.7 %"),
            (3, 3, "100 %"),
            (0, 3, "0 %"),
            (1, 5000, "< 0.1 %"),
        ];
        for (part, whole, expected) in table {
            assert_eq!(share(part, whole), expected);
        }
        let table = [
            (31 * HOUR_MS + 12 * MINUTE_MS, "31 h 12 min"),
            (MINUTE_MS, "1 min"),
            (MINUTE_MS - 1, "less than a minute"),
        ];
        for (ms, expected) in table {
            assert_eq!(left(ms), expected);
        }
    }

    #[test]
    fn an_old_secret_is_safe_to_end_six_hours_after_its_last_use() {
        let used = BEGAN.hour_start().plus_ms(2 * HOUR_MS);
        assert!(!is_quiet(Some(used), BEGAN, used.plus_ms(7 * HOUR_MS - 1)));
        assert!(is_quiet(Some(used), BEGAN, used.plus_ms(7 * HOUR_MS)));
        assert!(!is_quiet(None, BEGAN, BEGAN.plus_ms(6 * HOUR_MS - 1)));
        assert!(is_quiet(None, BEGAN, BEGAN.plus_ms(6 * HOUR_MS)));
        let before = BEGAN.plus_ms(-30 * HOUR_MS);
        assert!(is_quiet(Some(before), BEGAN, BEGAN.plus_ms(6 * HOUR_MS)));
    }
}
