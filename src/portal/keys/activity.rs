//! A key's activity over a stretch of time: the page, and the same counts as CSV.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use latchkey_rules::code::Code;
use latchkey_rules::time::{DAY_MS, HOUR_MS, Millis};
use serde::Deserialize;

use super::counts::Counts;
use super::{KeyPath, csv, facts, show};
use crate::portal::chart::Chart;
use crate::store::activity::{self, ActivityRow};
use crate::store::keys;
use crate::web::error::Error;
use crate::web::format::number;
use crate::web::frame::Frame;
use crate::web::scope::{Member, Viewer};
use crate::web::{Shared, render, zone};

/// A stretch of time up to now. Days are UTC days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Hour,
    Today,
    Week,
    Days30,
    Days90,
}

impl Range {
    const ALL: [Self; 5] = [
        Self::Hour,
        Self::Today,
        Self::Week,
        Self::Days30,
        Self::Days90,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Today => "today",
            Self::Week => "week",
            Self::Days30 => "30d",
            Self::Days90 => "90d",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Hour => "Hour",
            Self::Today => "Today",
            Self::Week => "7 d",
            Self::Days30 => "30 d",
            Self::Days90 => "90 d",
        }
    }

    fn from(self, now: Millis) -> Millis {
        let days_back = |days: i64| now.day_start().plus_ms(-days * DAY_MS);
        match self {
            Self::Hour => now.plus_ms(-HOUR_MS).hour_start(),
            Self::Today => days_back(0),
            Self::Week => days_back(6),
            Self::Days30 => days_back(29),
            Self::Days90 => days_back(89),
        }
    }

    /// Whether its table has a row an hour; else a row a day.
    fn is_short(self) -> bool {
        matches!(self, Self::Hour | Self::Today)
    }
}

/// The range asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    range: Option<String>,
}

impl Asked {
    fn range(&self, otherwise: Range) -> Result<Range, Error> {
        let Some(word) = &self.range else {
            return Ok(otherwise);
        };
        let unknown =
            || Error::BadRequest("The range is one of hour, today, week, 30d, 90d.".to_owned());
        Range::ALL
            .into_iter()
            .find(|range| range.word() == word)
            .ok_or_else(unknown)
    }
}

/// One row of the table.
#[derive(Debug, PartialEq, Eq)]
struct Slot {
    text: String,
    iso: String,
    total: String,
    allowed: String,
    refused: String,
}

#[derive(Template)]
#[template(path = "keys/activity.html")]
struct ActivityView {
    frame: Frame,
    keys_href: String,
    name: String,
    href: String,
    range: &'static str,
    ranges: Vec<(&'static str, &'static str)>,
    since: String,
    counts: Counts,
    /// The thirty days drawn, in place of the table; other ranges have the table.
    chart: Chart,
    is_drawn: bool,
    slots: Vec<Slot>,
    slot_label: &'static str,
}

pub(super) async fn show(
    member: Member<Viewer>,
    path: Path<KeyPath>,
    asked: Query<Asked>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, key_id, now) = (member.scope.clone(), path.key_id()?, frame.now());
    let range = asked.range(Range::Days30)?;
    let from = range.from(now);
    let (key, rows) = shared
        .db
        .read(move |r| {
            Ok((
                keys::get(r, &scope, &key_id)?,
                activity::of_key(r, &scope, &key_id, from, show::after(now))?,
            ))
        })
        .await?;
    let view = ActivityView {
        keys_href: facts::list_href(member.scope.slug()),
        name: key.name.clone(),
        href: facts::href(member.scope.slug(), &key),
        range: range.word(),
        ranges: Range::ALL.map(|one| (one.word(), one.label())).to_vec(),
        since: zone::utc(from),
        counts: Counts::since(&rows, from),
        chart: Chart::of(counted(&rows), now, "day"),
        is_drawn: range == Range::Days30,
        slots: slots(&rows, range),
        slot_label: if range.is_short() { "Hour" } else { "Day" },
        frame,
    };
    render::ok(&view)
}

pub(super) async fn download(
    member: Member<Viewer>,
    path: Path<KeyPath>,
    asked: Query<Asked>,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, key_id, now) = (member.scope, path.key_id()?, shared.clock.now());
    let range = asked.range(Range::Today)?;
    let rows = shared.db.read(move |r| {
        keys::get(r, &scope, &key_id)?;
        activity::of_key(r, &scope, &key_id, range.from(now), show::after(now))
    });
    let mut text = csv::line(&["hour", "secret", "product", "outcome", "count"]);
    for row in rows.await? {
        let product = row.product_slug.as_deref().unwrap_or("-");
        text.push_str(&csv::line(&[
            &zone::iso(row.hour),
            &row.secret_last4,
            product,
            row.code.as_str(),
            &row.count.to_string(),
        ]));
    }
    let name = format!(
        "attachment; filename=\"activity-{key_id}-{}.csv\"",
        range.word()
    );
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(text))
}

fn counted(rows: &[ActivityRow]) -> impl Iterator<Item = (Millis, Code, i64)> {
    rows.iter().map(|row| (row.hour, row.code, row.count))
}

/// The rows added up by hour or by UTC day, newest first.
fn slots(rows: &[ActivityRow], range: Range) -> Vec<Slot> {
    let start = |at: Millis| {
        if range.is_short() {
            at.hour_start()
        } else {
            at.day_start()
        }
    };
    let mut sums: BTreeMap<Millis, (i64, i64)> = BTreeMap::new();
    for row in rows {
        let (total, allowed) = sums.entry(start(row.hour)).or_default();
        *total += row.count;
        *allowed += if row.code.is_allow() { row.count } else { 0 };
    }
    let slot = |(at, (total, allowed)): (Millis, (i64, i64))| Slot {
        text: if range.is_short() {
            zone::utc_hour(at)
        } else {
            zone::utc_day(at)
        },
        iso: zone::iso(at),
        total: number(total),
        allowed: number(allowed),
        refused: number(total - allowed),
    };
    sums.into_iter().rev().map(slot).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_795_257_600_000); // 21 Nov 2026, 10:40 UTC

    #[test]
    fn today_is_the_utc_day_and_a_week_has_seven() {
        for (range, from) in [
            (Range::Hour, "2026-11-21T09:00:00Z"),
            (Range::Today, "2026-11-21T00:00:00Z"),
            (Range::Week, "2026-11-15T00:00:00Z"),
            (Range::Days30, "2026-10-23T00:00:00Z"),
            (Range::Days90, "2026-08-24T00:00:00Z"),
        ] {
            assert_eq!(zone::iso(range.from(NOW)), from, "{range:?}");
        }
    }

    #[test]
    fn a_range_is_one_of_five_words() {
        let asked = |word: &str| {
            Asked {
                range: Some(word.to_owned()),
            }
            .range(Range::Today)
        };
        for range in Range::ALL {
            assert_eq!(asked(range.word()).unwrap(), range);
        }
        assert!(matches!(asked("year"), Err(Error::BadRequest(_))));
        assert_eq!(Asked::default().range(Range::Today).unwrap(), Range::Today);
    }

    #[test]
    fn hours_add_up_to_days_newest_first() {
        let row = |hour: Millis, code, count| ActivityRow {
            secret_number: 1,
            hour,
            secret_last4: "Qm2x".to_owned(),
            product_slug: None,
            code,
            count,
        };
        let start = NOW.day_start();
        let rows = [
            row(start.plus_ms(-HOUR_MS), Code::Valid, 5),
            row(start, Code::Valid, 1),
            row(start.plus_ms(HOUR_MS), Code::KeyDisabled, 2),
        ];
        let days: Vec<_> = slots(&rows, Range::Week)
            .into_iter()
            .map(|slot| (slot.text, slot.total, slot.refused))
            .collect();
        assert_eq!(
            days,
            [
                ("21 Nov".to_owned(), "3".to_owned(), "2".to_owned()),
                ("20 Nov".to_owned(), "5".to_owned(), "0".to_owned())
            ]
        );
        assert_eq!(slots(&rows, Range::Today).len(), 3);
    }
}
