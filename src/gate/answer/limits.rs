//! What an answer says of the limits: the plain `X-RateLimit-*` of the field, `RateLimit` and `RateLimit-Policy` of the
//! IETF's draft-ietf-httpapi-ratelimit-headers, `Retry-After` (RFC 9110), and the list in a verdict's JSON.

use latchkey_rules::limit::{Fits, LimitName, Rate, Room, whole_seconds};
use latchkey_rules::time::Millis;

use super::lines::{Lines, push_number};
use super::names as name;
use crate::gate::judge::JudgedLimits;

/// Adds what the limits say to an answer that says nothing of them yet.
pub(super) fn head(lines: &mut Lines, judged: &JudgedLimits) {
    if let Some((per_minute, remaining, reset)) = minute(judged) {
        lines.write(name::RATE_LIMIT, |out| push_number(out, per_minute));
        lines.write(name::RATE_REMAINING, |out| push_number(out, remaining));
        lines.write(name::RATE_RESET, |out| push_number(out, reset));
    }
    if judged
        .limits
        .named()
        .into_iter()
        .any(|(_, room)| room.is_some())
    {
        lines.write(name::POLICY, |out| push_list(out, judged, push_policy));
        lines.write(name::ROOM, |out| push_list(out, judged, push_room));
    }
    if let Some(wait) = judged.limits.passes_in() {
        let seconds = whole_seconds(wait).max(1);
        lines.write(name::RETRY_AFTER, |out| push_number(out, seconds));
    }
}

/// The rate a minute, what is left of it, and the second since 1970 at which all of it is there again.
fn minute(judged: &JudgedLimits) -> Option<(u64, u64, u64)> {
    let (rate, room) = (judged.bounds.minute()?, judged.limits.minute?);
    let per_minute = u64::from(rate.per_minute());
    let remaining = room.remaining.min(per_minute);
    Some((per_minute, remaining, reset(judged.now, &room)))
}

/// The second since 1970 at which all of a limit is there again, rounded up.
fn reset(now: Millis, room: &Room) -> u64 {
    let now = u64::try_from(now.0).unwrap_or(0);
    whole_seconds(now.saturating_mul(1_000).saturating_add(room.renewed_in))
}

type Push = fn(&mut Vec<u8>, &JudgedLimits, LimitName, &Room);

fn push_list(out: &mut Vec<u8>, judged: &JudgedLimits, push: Push) {
    let start = out.len();
    for (name, room) in judged.limits.named() {
        let Some(room) = room else { continue };
        if out.len() > start {
            out.extend_from_slice(b", ");
        }
        out.push(b'"');
        out.extend_from_slice(name.word().as_bytes());
        out.push(b'"');
        push(out, judged, name, &room);
    }
}

/// So many requests in so many seconds: the rate that holds in the long run.
fn policy(judged: &JudgedLimits, name: LimitName) -> (u64, u64) {
    let bounds = &judged.bounds;
    match name {
        LimitName::Second => (u64::from(bounds.per_second.unwrap_or(0)), 1),
        LimitName::Minute => (bounds.minute().map_or(0, Rate::per_minute).into(), 60),
        LimitName::Day => (bounds.per_day.unwrap_or(0), 86_400),
    }
}

fn push_policy(out: &mut Vec<u8>, judged: &JudgedLimits, name: LimitName, _room: &Room) {
    let (quota, window) = policy(judged, name);
    push_parameter(out, b";q=", quota);
    push_parameter(out, b";w=", window);
}

/// What is left, and for how many seconds it is meant: of a bucket, never more in that time than its rate gives.
fn push_room(out: &mut Vec<u8>, judged: &JudgedLimits, name: LimitName, room: &Room) {
    let (quota, window) = policy(judged, name);
    let for_seconds = match room.fits {
        Fits::After(wait) => whole_seconds(wait),
        // A day gives nothing back before it ends.
        _ if name == LimitName::Day => whole_seconds(room.renewed_in),
        Fits::Now | Fits::Never => {
            let average = room.remaining.saturating_mul(window).div_ceil(quota.max(1));
            average.max(whole_seconds(room.renewed_in))
        }
    };
    push_parameter(out, b";r=", room.remaining);
    push_parameter(out, b";t=", for_seconds);
}

fn push_parameter(out: &mut Vec<u8>, name: &[u8], number: u64) {
    out.extend_from_slice(name);
    push_number(out, number);
}

/// Appends the list of a verdict's JSON: every limit, with null where there is none; an empty list where the decision did
/// not come to the limits.
pub(super) fn push_json(out: &mut Vec<u8>, judged: Option<&JudgedLimits>) {
    out.push(b'[');
    let named = judged.into_iter().flat_map(|judged| judged.limits.named());
    for (place, (name, room)) in named.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"name\":\"");
        out.extend_from_slice(name.word().as_bytes());
        let at = judged.map_or(Millis(0), |judged| judged.now);
        let numbers = room.map(|room| [room.limit, room.remaining, reset(at, &room)]);
        for (place, name) in ["\",\"limit\":", ",\"remaining\":", ",\"reset\":"]
            .into_iter()
            .enumerate()
        {
            out.extend_from_slice(name.as_bytes());
            match numbers.and_then(|numbers| numbers.get(place).copied()) {
                Some(number) => push_number(out, number),
                None => out.extend_from_slice(b"null"),
            }
        }
        out.push(b'}');
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use latchkey_rules::limit::{Bounds, Limits};

    use super::*;

    fn judged(fits: Fits) -> JudgedLimits {
        let room = |limit, remaining, seconds: u64| Room {
            fits,
            limit,
            remaining,
            renewed_in: seconds * 1_000_000 - 1,
        };
        JudgedLimits {
            bounds: Bounds {
                per_second: None,
                per_minute: Some(10),
                burst: Some(20),
                per_day: Some(1_000),
            },
            limits: Limits {
                second: None,
                minute: Some(room(20, 15, 30)),
                day: Some(room(1_000, 100, 3_600)),
            },
            now: Millis(1_710_460_800_500),
        }
    }

    fn said(judged: &JudgedLimits) -> Vec<(String, String)> {
        let mut lines = Lines::default();
        head(&mut lines, judged);
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
        let mut said: Vec<_> = lines
            .iter()
            .map(|(name, value)| (name.to_owned(), text(value)))
            .collect();
        said.sort_unstable();
        said
    }

    #[test]
    fn the_headers_say_what_is_left_and_when_it_comes_back() {
        let expected = [
            // Fifteen are left, of which ten a minute come back: they are meant for a minute and a half.
            ("ratelimit", "\"minute\";r=15;t=90, \"day\";r=100;t=3600"),
            (
                "ratelimit-policy",
                "\"minute\";q=10;w=60, \"day\";q=1000;w=86400",
            ),
            ("x-ratelimit-limit", "10"),
            ("x-ratelimit-remaining", "10"),
            ("x-ratelimit-reset", "1710460831"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(said(&judged(Fits::Now)), expected);
    }

    #[test]
    fn who_is_to_wait_is_told_whole_seconds() {
        let mut waits = judged(Fits::Now);
        waits.limits.minute = waits.limits.minute.map(|room| Room {
            fits: Fits::After(1_000_001),
            remaining: 0,
            ..room
        });
        let said = said(&waits);
        assert!(
            said.contains(&("retry-after".to_owned(), "2".to_owned())),
            "{said:?}"
        );
        let room = said.iter().find(|(name, _)| name == "ratelimit").unwrap();
        assert!(room.1.starts_with("\"minute\";r=0;t=2, "), "{room:?}");
    }

    #[test]
    fn without_limits_nothing_is_said() {
        let mut none = judged(Fits::Now);
        none.limits = Limits::default();
        assert_eq!(said(&none), []);
        let mut out = Vec::new();
        push_json(&mut out, Some(&none));
        let said: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let name = |place: usize| said[place]["name"].as_str().map(str::to_owned);
        assert_eq!(
            [name(0), name(1), name(2), name(3)],
            [
                Some("second".to_owned()),
                Some("minute".to_owned()),
                Some("day".to_owned()),
                None
            ]
        );
        assert!(said[1]["limit"].is_null() && said[1]["reset"].is_null());
        let mut out = Vec::new();
        push_json(&mut out, None);
        assert_eq!(out, b"[]");
    }
}
