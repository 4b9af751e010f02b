//! Instants as people read them, in their own time zone, exact in UTC beside it. It reads no clock: now is passed in.

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use latchkey_rules::time::Millis;

/// The time zone in which a person reads.
#[derive(Clone, Debug)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// An instant, ready to print: `<time datetime="{iso}" title="{utc}">{text}</time>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    /// Relative below 48 hours, a date after.
    pub text: String,
    /// Date and time of day in the person's zone.
    pub exact: String,
    /// The same in UTC, for the title.
    pub utc: String,
    /// ISO 8601, for machines.
    pub iso: String,
}

impl Default for Zone {
    fn default() -> Self {
        Self {
            name: "UTC".to_owned(),
            zone: TimeZone::UTC,
        }
    }
}

impl Zone {
    /// The zone of that IANA name; unknown names are UTC.
    pub fn named(name: &str) -> Self {
        Self::parse(name).unwrap_or_default()
    }

    /// The zone of that IANA name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        let sane = name.len() <= 64
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+'));
        let zone = if sane {
            TimeZone::get(name).ok()?
        } else {
            return None;
        };
        Some(Self {
            name: name.to_owned(),
            zone,
        })
    }

    /// Its name, as in the footer.
    pub fn label(&self) -> &str {
        &self.name
    }

    /// An instant for people, seen from `now`.
    pub fn when(&self, at: Millis, now: Millis) -> When {
        let text = relative(at, now).unwrap_or_else(|| self.date(at));
        When {
            text,
            exact: format!(
                "{}, {} {}",
                self.date(at),
                self.print("%H:%M:%S", at),
                self.abbreviation(at)
            ),
            utc: utc(at),
            iso: iso(at),
        }
    }

    /// `14 Mar 2026` in this zone.
    pub fn date(&self, at: Millis) -> String {
        self.print("%-d %b %Y", at)
    }

    /// `14 Mar`, for the ends of a chart.
    pub fn day(&self, at: Millis) -> String {
        self.print("%-d %b", at)
    }

    fn abbreviation(&self, at: Millis) -> String {
        self.print("%Z", at)
    }

    fn print(&self, format: &str, at: Millis) -> String {
        print_in(&self.zone, format, at)
    }
}

/// `2026-11-21T10:00:00Z`.
pub fn iso(at: Millis) -> String {
    print_in(&TimeZone::UTC, "%Y-%m-%dT%H:%M:%SZ", at)
}

/// `21 Nov 2026, 10:00:00 UTC`.
pub fn utc(at: Millis) -> String {
    print_in(&TimeZone::UTC, "%-d %b %Y, %H:%M:%S UTC", at)
}

/// `21 Nov` by the UTC calendar.
pub fn utc_day(at: Millis) -> String {
    print_in(&TimeZone::UTC, "%-d %b", at)
}

/// `10:00` by the UTC clock.
pub fn utc_hour(at: Millis) -> String {
    print_in(&TimeZone::UTC, "%H:%M", at)
}

fn print_in(zone: &TimeZone, format: &str, at: Millis) -> String {
    // An instant outside of the calendar cannot be shown; it must not fail the page either.
    let Ok(instant) = Timestamp::from_millisecond(at.0) else {
        return "out of range".to_owned();
    };
    strtime::format(format, &instant.to_zoned(zone.clone())).unwrap_or_else(|_| instant.to_string())
}

/// `18 s ago`, `in 3 h`; nothing from 48 hours on.
fn relative(at: Millis, now: Millis) -> Option<String> {
    let seconds = now.0.saturating_sub(at.0) / 1000;
    let distance = match seconds.unsigned_abs() {
        0 => return Some("now".to_owned()),
        s @ 1..=59 => format!("{s} s"),
        s @ 60..=3599 => format!("{} min", s / 60),
        s @ 3600..=172_799 => format!("{} h", s / 3600),
        _ => return None,
    };
    Some(if seconds > 0 {
        format!("{distance} ago")
    } else {
        format!("in {distance}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Millis = Millis(1_795_255_200_000); // 21 Nov 2026, 10:00:00 UTC

    #[test]
    fn near_is_relative_and_far_is_a_date() {
        let zone = Zone::default();
        for (seconds, text) in [
            (0, "now"),
            (18, "18 s ago"),
            (60, "1 min ago"),
            (7_199, "1 h ago"),
            (172_799, "47 h ago"),
            (172_800, "21 Nov 2026"),
            (-30, "in 30 s"),
            (-7_200, "in 2 h"),
        ] {
            assert_eq!(
                zone.when(AT, Millis(AT.0 + seconds * 1000)).text,
                text,
                "{seconds}"
            );
        }
    }

    #[test]
    fn the_zone_changes_what_is_read_and_never_what_is_meant() {
        let oslo = Zone::named("Europe/Oslo").when(AT, Millis(AT.0 + 400_000_000));
        assert_eq!(oslo.exact, "21 Nov 2026, 11:00:00 CET");
        assert_eq!(oslo.utc, "21 Nov 2026, 10:00:00 UTC");
        assert_eq!(oslo.iso, "2026-11-21T10:00:00Z");
        assert_eq!(
            Zone::named("Pacific/Kiritimati").date(Millis(AT.0 + 3_600_000)),
            "22 Nov 2026"
        );
    }

    #[test]
    fn odd_names_and_instants_do_no_harm() {
        assert_eq!(Zone::named("../../etc/passwd").label(), "UTC");
        assert_eq!(Zone::named("Nowhere/Land").label(), "UTC");
        assert_eq!(iso(Millis(i64::MAX)), "out of range");
    }
}
