//! A warning where a server's secret was sent where others can read it: in a URL, or without encryption.

use latchkey_rules::time::{DAY_MS, Millis};

use crate::store::exposures::{Exposed, Exposure};
use crate::store::keys::Key;
use crate::web::format::number;
use crate::web::frame::Frame;

/// How long a warning stands after the last time.
const WARNED_MS: i64 = 30 * DAY_MS;

/// A warning: what happened, and what to do.
#[derive(Debug)]
pub(in crate::portal) struct Warning {
    pub(in crate::portal) title: &'static str,
    pub(in crate::portal) text: String,
}

/// What to warn of: only secrets that still open the key.
pub(in crate::portal) fn warnings(key: &Key, exposed: &[Exposed], frame: &Frame) -> Vec<Warning> {
    let now = frame.now();
    let opens = |exposed: &&Exposed| {
        let mut secrets = key.secrets.iter();
        let secret =
            secrets.find(|secret| i64::from(secret.number) == i64::from(exposed.secret_number));
        secret.is_some_and(|secret| secret.retires_at.is_none_or(|at| at > now))
    };
    let is_recent = |exposed: &&Exposed| exposed.last_at > now.plus_ms(-WARNED_MS);
    let of = |way: Exposure| {
        let same = exposed.iter().filter(|exposed| exposed.way == way);
        let same: Vec<&Exposed> = same.filter(opens).filter(is_recent).collect();
        let last = same.iter().map(|exposed| exposed.last_at).max()?;
        let times = same.iter().map(|exposed| exposed.times).sum();
        Some(warning(way, times, last, frame))
    };
    [Exposure::Url, Exposure::PlainHttp]
        .into_iter()
        .filter_map(of)
        .collect()
}

fn warning(way: Exposure, times: i64, last: Millis, frame: &Frame) -> Warning {
    let last = frame.when(last).exact;
    let often = match times {
        1 => format!("Once, on {last}."),
        times => format!("{} times, last on {last}.", number(times)),
    };
    match way {
        Exposure::Url => Warning {
            title: "The secret was sent in a URL.",
            text: format!(
                "{often} Browsers, proxies and servers keep URLs in their histories and logs. Send it in a header, then rotate it."
            ),
        },
        Exposure::PlainHttp => Warning {
            title: "The secret was sent over http, without encryption.",
            text: format!(
                "{often} Whoever is on the way can read it. Call the API over https, then rotate it."
            ),
        },
    }
}
