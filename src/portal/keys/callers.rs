//! Who calls with a key: a table that the key's page, and every page that takes something away from callers, has; a piece
//! that is looked at again and again; and a page of the last seven days.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use latchkey_rules::caller::{CallerPlace, OTHER_AGENTS, UNNAMED_AGENT};
use latchkey_rules::time::{DAY_MS, HOUR_MS, Millis};

use super::{KeyPath, facts};
use crate::store::callers::{self, Caller};
use crate::store::keys::{self, Key};
use crate::store::scope::AccountScope;
use crate::store::{self, Reader};
use crate::web::error::Error;
use crate::web::format::number;
use crate::web::frame::Frame;
use crate::web::scope::{Member, Viewer};
use crate::web::zone::When;
use crate::web::{Shared, render};

/// How many a key's page shows.
const FEW: usize = 8;
/// How many are shown at most.
const MOST: usize = 50;

/// How far back the key's page looks, from the hour that holds the instant.
pub(in crate::portal) const DAY: i64 = DAY_MS;
/// How far back a page looks that ends something.
pub(super) const WEEK: i64 = 7 * DAY_MS;

/// A caller, as a table shows it.
#[derive(Debug)]
pub(in crate::portal) struct Line {
    pub(in crate::portal) place: String,
    /// Whether the place is spelled as machines do.
    pub(in crate::portal) is_exact: bool,
    pub(in crate::portal) agent: String,
    pub(in crate::portal) products: String,
    pub(in crate::portal) requests: String,
    pub(in crate::portal) refused: String,
    pub(in crate::portal) last: When,
}

/// Callers, those with the most requests first.
#[derive(Debug, Default)]
pub(in crate::portal) struct Callers {
    pub(in crate::portal) lines: Vec<Line>,
    /// What the callers that are not shown have sent.
    pub(in crate::portal) rest: Option<String>,
}

impl Callers {
    /// The first few, for a key's page.
    pub(in crate::portal) fn few(callers: Vec<Caller>, frame: &Frame) -> Self {
        Self::of(callers, frame, FEW)
    }

    /// All that are kept apart.
    pub(super) fn all(callers: Vec<Caller>, frame: &Frame) -> Self {
        Self::of(callers, frame, MOST)
    }

    fn of(mut callers: Vec<Caller>, frame: &Frame, most: usize) -> Self {
        let rest = callers.split_off(most.min(callers.len()));
        let requests: i64 = rest.iter().map(Caller::requests).sum();
        let rest = match rest.len() {
            0 => None,
            1 => Some(format!("One more caller: {} requests", number(requests))),
            more => Some(format!(
                "{more} more callers: {} requests",
                number(requests)
            )),
        };
        let line = |caller: &Caller| line(caller, frame);
        Self {
            lines: callers.iter().map(line).collect(),
            rest,
        }
    }
}

fn line(caller: &Caller, frame: &Frame) -> Line {
    let place = &caller.place;
    Line {
        place: match place {
            CallerPlace::Unknown => "Unknown address".to_owned(),
            CallerPlace::Other => "Other places".to_owned(),
            CallerPlace::Page(_) | CallerPlace::Network(_) => place.to_string(),
        },
        is_exact: matches!(place, CallerPlace::Page(_) | CallerPlace::Network(_)),
        agent: match caller.agent.as_str() {
            "" => "no user agent".to_owned(),
            UNNAMED_AGENT => "a program without a name".to_owned(),
            OTHER_AGENTS => "other programs".to_owned(),
            agent => agent.to_owned(),
        },
        products: if caller.products.is_empty() {
            "none".to_owned()
        } else {
            caller.products.join(", ")
        },
        requests: number(caller.requests()),
        refused: number(caller.refused),
        last: frame.when(caller.last_at),
    }
}

/// From when on a key's page tells who calls: of a paused key since its pause, of every other for a day.
pub(super) fn shown_since(key: &Key, now: Millis) -> Millis {
    let day = now.plus_ms(-DAY);
    match key.paused_at {
        Some(paused_at) if key.disabled.is_none() => paused_at.max(day),
        _ => day,
    }
}

/// `last 24 hours`.
pub(super) fn shown_words(key: &Key, now: Millis) -> &'static str {
    let since = shown_since(key, now);
    if since == now.plus_ms(-DAY) {
        "last 24 hours"
    } else {
        "since the hour of its pause"
    }
}

/// Who used the older secret of a running rotation in this hour or the one before.
pub(super) fn late(
    reader: &mut Reader,
    scope: &AccountScope,
    key: &Key,
    now: Millis,
) -> store::Result<Vec<Caller>> {
    let Some(older) = key.older_secret(now) else {
        return Ok(Vec::new());
    };
    let since = now.plus_ms(-HOUR_MS);
    callers::of_key(reader, scope, &key.key_id, Some(older.number), since)
}

/// The key that a path names, with who called with it in so many milliseconds.
pub(super) async fn read_with_key(
    shared: &Shared,
    scope: &AccountScope,
    path: &KeyPath,
    since: Millis,
) -> Result<(Key, Vec<Caller>), Error> {
    let (scope, key_id) = (scope.clone(), path.key_id()?);
    let read = shared.db.read(move |r| {
        let key = keys::get(r, &scope, &key_id)?;
        let found = callers::of_key(r, &scope, &key_id, None, since)?;
        Ok((key, found))
    });
    Ok(read.await?)
}

/// The table as a piece of the key's page.
#[derive(Template)]
#[template(path = "keys/calling.html")]
struct CallingView {
    callers: Callers,
}

pub(super) async fn calling(
    member: Member<Viewer>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, key_id, now) = (member.scope.clone(), path.key_id()?, frame.now());
    let read = shared.db.read(move |r| {
        let key = keys::get(r, &scope, &key_id)?;
        let since = shown_since(&key, now);
        let found = callers::of_key(r, &scope, &key_id, None, since)?;
        Ok(found)
    });
    let found = read.await?;
    render::ok(&CallingView {
        callers: Callers::few(found, &frame),
    })
}

/// One of a key's secrets, with who called with it.
#[derive(Debug)]
struct OfSecret {
    label: &'static str,
    shown: String,
    callers: Callers,
}

#[derive(Template)]
#[template(path = "keys/callers.html")]
struct CallersView {
    frame: Frame,
    keys_href: String,
    href: String,
    name: String,
    secrets: Vec<OfSecret>,
}

pub(super) async fn week(
    member: Member<Viewer>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, key_id, now) = (member.scope.clone(), path.key_id()?, frame.now());
    let read = shared.db.read(move |r| {
        let key = keys::get(r, &scope, &key_id)?;
        let mut found = Vec::new();
        for secret in &key.secrets {
            let number = Some(secret.number);
            let since = now.plus_ms(-WEEK);
            found.push(callers::of_key(r, &scope, &key_id, number, since)?);
        }
        Ok((key, found))
    });
    let (key, found) = read.await?;
    let secrets = key.secrets.iter().zip(found).enumerate();
    let of_secret = |(place, (secret, found))| OfSecret {
        label: if place == 0 { "Secret" } else { "Old secret" },
        shown: facts::shown(&key, secret),
        callers: Callers::all(found, &frame),
    };
    render::ok(&CallersView {
        secrets: secrets.map(of_secret).collect(),
        keys_href: facts::list_href(member.scope.slug()),
        href: facts::href(member.scope.slug(), &key),
        name: key.name.clone(),
        frame,
    })
}
