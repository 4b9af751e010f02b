//! A key's page: what it is, what it may open, who used it today and in the last thirty days, and what to do when it is
//! switched off.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::limit::Bounds;
use latchkey_rules::role::Role;
use latchkey_rules::status::Status;
use latchkey_rules::time::Millis;

use super::callers::{self, Callers};
use super::counts::Counts;
use super::exposed::{self, Warning};
use super::proof::{self, Ended, Proof};
use super::rotation::Rotation;
use super::{KeyPath, facts, list, reveal};
use crate::portal::chart::{self, Chart};
use crate::store::accounts::{self, AccountFacts};
use crate::store::activity::{self, ActivityRow};
use crate::store::audit::{self, AuditEntry};
use crate::store::callers::{self as stored_callers, Caller};
use crate::store::exposures::{self, Exposed};
use crate::store::keys::{self, Key, ProductName};
use crate::store::nodes::{self, NodeProof};
use crate::store::scope::AccountScope;
use crate::store::{self, Reader};
use crate::web::error::Error;
use crate::web::format::number;
use crate::web::frame::{self, Frame};
use crate::web::scope::{Member, Viewer};
use crate::web::zone::When;
use crate::web::{Shared, render};

const EVENTS: i64 = 8;
/// The label of the secret in use.
const NEWEST: &str = "Secret";

/// Why a key opens nothing, and what to do about it.
#[derive(Debug)]
struct Off {
    kind: &'static str,
    title: String,
    reason: String,
    since: Option<When>,
    support_href: Option<String>,
    /// The last part of the path that ends it, and what the button says.
    action: Option<(&'static str, &'static str)>,
}

/// One of a key's secrets.
#[derive(Debug)]
struct SecretRow {
    label: &'static str,
    shown: String,
    ends: Option<When>,
    may_reveal: bool,
}

/// Something that was done to the key.
#[derive(Debug)]
struct EventRow {
    actor: String,
    action: &'static str,
    when: When,
}

#[derive(Template)]
#[template(path = "keys/show.html")]
struct ShowView {
    frame: Frame,
    account: String,
    href: String,
    name: String,
    key_id: String,
    environment: &'static str,
    environment_label: &'static str,
    status: &'static str,
    status_label: &'static str,
    kind: &'static str,
    access: &'static str,
    /// What binds the key by second and minute, in words.
    limits: String,
    billing: String,
    products: Vec<String>,
    domains: Vec<String>,
    ips: Vec<String>,
    secrets: Vec<SecretRow>,
    is_hashed: bool,
    rotation: Option<Rotation>,
    created: When,
    created_by: String,
    rotated: Option<When>,
    used: Option<When>,
    expires: Option<When>,
    labels: Vec<String>,
    responsible: String,
    deployed: Vec<String>,
    any_site: bool,
    replaces: Option<(String, String, String)>,
    note: String,
    off: Option<Off>,
    may_change: bool,
    today: Counts,
    callers: Callers,
    callers_since: &'static str,
    chart: Chart,
    warnings: Vec<Warning>,
    proof: Option<Proof>,
    events: Vec<EventRow>,
}

/// All that the page is made from.
struct Read {
    key: Key,
    account: AccountFacts,
    own: Bounds,
    activity: Vec<ActivityRow>,
    callers: Vec<Caller>,
    /// Who still uses the older secret while a rotation runs.
    late: Vec<Caller>,
    /// The key whose place it is to take, and how often that was let through in a week.
    replaces: Option<(KeyId, String, i64)>,
    events: Vec<AuditEntry>,
    /// Which gates refuse what ended of it.
    proved: Option<Vec<NodeProof>>,
    /// Where its secrets were sent that others can read.
    exposed: Vec<Exposed>,
}

pub(super) async fn show(
    member: Member<Viewer>,
    path: Path<KeyPath>,
    mut frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, key_id, now) = (member.scope.clone(), path.key_id()?, frame.now());
    let from = chart::first_day(now);
    let read = shared.db.read(move |r| {
        let key = keys::get(r, &scope, &key_id)?;
        let since = callers::shown_since(&key, now);
        Ok(Read {
            late: callers::late(r, &scope, &key, now)?,
            replaces: replaced(r, &scope, &key_id, now)?,
            callers: stored_callers::of_key(r, &scope, &key_id, None, since)?,
            account: accounts::facts(r, &scope)?,
            own: keys::own_bounds(r, &scope, &key_id)?,
            activity: activity::of_key(r, &scope, &key_id, from, after(now))?,
            events: audit::of_key(r, &scope, &key_id, EVENTS)?,
            proved: proof::proved(&key, now, |at| nodes::proof(r, &scope, &key_id, at))?,
            exposed: exposures::of_key(r, &scope, &key_id)?,
            key,
        })
    });
    let read = read.await?;
    if read.account.suspended.is_some() {
        frame.band = Some(list::suspended(&read.account.name));
    }
    render::ok(&view(frame, &member.scope, &shared, read))
}

fn replaced(
    reader: &mut Reader,
    scope: &AccountScope,
    key_id: &KeyId,
    now: Millis,
) -> store::Result<Option<(KeyId, String, i64)>> {
    let Some((old, name)) = keys::replaced_by(reader, scope, key_id)? else {
        return Ok(None);
    };
    let week = now.plus_ms(-callers::WEEK);
    let rows = activity::of_key(reader, scope, &old, week, after(now))?;
    let used = rows.iter().filter(|row| row.code.is_allow());
    let count = used.map(|row| row.count).sum();
    Ok(Some((old, name, count)))
}

/// What is counted in this very hour belongs to now.
pub(super) fn after(now: Millis) -> Millis {
    now.plus_ms(latchkey_rules::time::HOUR_MS)
}

fn view(frame: Frame, scope: &AccountScope, shared: &Shared, read: Read) -> ShowView {
    let Read {
        key,
        activity,
        callers,
        late,
        replaces,
        events,
        proved,
        exposed,
        account,
        own,
    } = read;
    let now = frame.now();
    let status = key.status(now);
    let products = key.products.iter().map(ProductName::label);
    let counted = activity.iter().map(|row| (row.hour, row.code, row.count));
    ShowView {
        account: scope.slug().to_owned(),
        href: facts::href(scope.slug(), &key),
        name: key.name.clone(),
        key_id: key.key_id.to_string(),
        environment: key.environment.word(),
        environment_label: key.environment.label(),
        status: status.word(),
        status_label: status.label(),
        kind: key.kind.label(),
        access: key.access.label(),
        limits: account.plan.bounds().within(own).rates_in_words(),
        billing: facts::billing(key.billing),
        products: products.collect(),
        domains: key.domains.clone(),
        ips: key.ips.clone(),
        secrets: secrets(&key, reveal::may(scope, &key), &frame),
        is_hashed: key.secrets.first().is_some_and(|one| !one.is_recoverable),
        rotation: Rotation::of(&key, &activity, late, &frame).filter(|_| status != Status::Deleted),
        created: frame.when(key.created_at),
        created_by: key.created_by.clone(),
        rotated: key.last_rotated_at.map(|at| frame.when(at)),
        used: key.last_used_at.map(|at| frame.when(at)),
        expires: key.expires_at.map(|at| frame.when(at)),
        labels: key.labels.clone(),
        responsible: key.responsible.clone(),
        deployed: key.deployed.clone(),
        any_site: key.any_site,
        replaces: replaces.map(replaced_words),
        note: key.note.clone(),
        off: off(&key, status, &frame, shared),
        warnings: exposed::warnings(&key, &exposed, &frame),
        proof: Proof::of(&key, Ended::of(&key, now), proved, &frame),
        may_change: scope.role() >= Role::Developer,
        today: Counts::since(&activity, now.day_start()),
        callers: Callers::few(callers, &frame),
        callers_since: callers::shown_words(&key, now),
        chart: Chart::of(counted, now, "day"),
        events: events
            .iter()
            .map(|event| event_row(event, &frame))
            .collect(),
        frame,
    }
}

fn event_row(event: &AuditEntry, frame: &Frame) -> EventRow {
    EventRow {
        actor: event.actor.clone(),
        action: event.action.label(),
        when: frame.when(event.at),
    }
}

/// The old key's ID, its name, and what its use says.
fn replaced_words((old, name, count): (KeyId, String, i64)) -> (String, String, String) {
    let words = match count {
        0 => "no request on it in the last 7 days: safe to delete".to_owned(),
        1 => "1 request on it in the last 7 days".to_owned(),
        count => format!("{} requests on it in the last 7 days", number(count)),
    };
    (old.to_string(), name, words)
}

fn secrets(key: &Key, may_reveal: bool, frame: &Frame) -> Vec<SecretRow> {
    let row = |label: &'static str, secret: &keys::SecretFacts| SecretRow {
        label,
        shown: facts::shown(key, secret),
        ends: secret.retires_at.map(|at| frame.when(at)),
        may_reveal: may_reveal && label == NEWEST,
    };
    let newest = key.secrets.first().map(|secret| row(NEWEST, secret));
    let older = key.older_secret(frame.now());
    newest
        .into_iter()
        .chain(older.map(|secret| row("Old secret", secret)))
        .collect()
}

/// Until when the key's delete can be taken back.
fn restorable(key: &Key, frame: &Frame) -> Option<Millis> {
    key.purge_at.filter(|until| *until > frame.now())
}

fn off(key: &Key, status: Status, frame: &Frame, shared: &Shared) -> Option<Off> {
    let support_href = frame::support_href(shared, Some(&key.key_id.to_string()));
    match (status, &key.disabled) {
        (Status::Disabled, Some(disabled)) => Some(Off {
            kind: "bad",
            title: format!("{} disabled this key", frame.brand_name),
            reason: disabled.reason.clone(),
            since: Some(frame.when(disabled.at)),
            support_href,
            action: None,
        }),
        (Status::Paused, _) => Some(Off {
            kind: "warn",
            title: "This key is paused".to_owned(),
            reason: match key.paused_until {
                Some(until) => format!(
                    "Its requests are refused until {}, when it resumes by itself.",
                    frame.when(until).exact
                ),
                None => "Its requests are refused until it is resumed.".to_owned(),
            },
            since: key.paused_at.map(|at| frame.when(at)),
            support_href: None,
            action: Some(("resume", "Resume key")),
        }),
        (Status::Expired, _) => Some(Off {
            kind: "warn",
            title: "This key is expired".to_owned(),
            reason: "Its requests are refused. Create a new key to go on.".to_owned(),
            since: key.expires_at.map(|at| frame.when(at)),
            support_href: None,
            action: None,
        }),
        (Status::Deleted, _) => Some(Off {
            kind: "bad",
            title: "This key is deleted".to_owned(),
            reason: match restorable(key, frame) {
                Some(until) => format!(
                    "Its requests are refused. Until {} the delete can be taken back.",
                    frame.when(until).exact
                ),
                None => "Its requests are refused.".to_owned(),
            },
            since: key.deleted_at.map(|at| frame.when(at)),
            support_href,
            action: restorable(key, frame).map(|_| ("restore", "Restore key")),
        }),
        _ => None,
    }
}
