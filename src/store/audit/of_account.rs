//! The events of an account, newest first, a page at a time.

use diesel::{
    BoolExpressionMethods, Connection, EscapeExpressionMethods, ExpressionMethods, QueryDsl,
    RunQueryDsl, TextExpressionMethods,
};
use latchkey_rules::time::Millis;

use super::{Action, AuditEntry};
use crate::store::Reader;
use crate::store::columns::{contains, word};
use crate::store::db::Any;
use crate::store::error::Result;
use crate::store::schema::audit_events;
use crate::store::scope::{AccountScope, ActorKind};

/// How many events a file has at most.
pub const FILE_AT_MOST: i64 = 10_000;

/// Which events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this action.
    pub action: Option<Action>,
    /// Whose actor or thing holds this.
    pub search: Option<String>,
    /// Before these: where the page before ended.
    pub before: Option<AuditPlace>,
}

/// A place in the list that tells no number of the database: an instant, and how many of its events came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditPlace {
    /// The instant.
    pub at: Millis,
    /// How many events of it were shown.
    pub shown: i64,
}

/// A page of events.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// The events, and of which thing each is.
    pub events: Vec<AuditEntry>,
    /// Where the next page begins, if there is one.
    pub next: Option<AuditPlace>,
}

type Wanted = audit_events::BoxedQuery<'static, <Any as Connection>::Backend>;

/// A page of at most so many of the account's events.
///
/// # Errors
/// When the database does not answer.
pub fn of_account(
    reader: &mut Reader,
    scope: &AccountScope,
    filter: &AuditFilter,
    limit: i64,
) -> Result<AuditPage> {
    type Row = (
        i64,
        String,
        String,
        Option<String>,
        String,
        String,
        Option<String>,
        Option<String>,
    );
    let limit = limit.clamp(1, FILE_AT_MOST);
    let skipped = filter.before.map_or(0, |place| place.shown);
    let rows = wanted(scope, filter)
        .order(audit_events::id.desc())
        .offset(skipped)
        .limit(limit + 1)
        .select((
            audit_events::at,
            audit_events::actor_kind,
            audit_events::actor,
            audit_events::ip,
            audit_events::action,
            audit_events::target,
            audit_events::before,
            audit_events::after,
        ))
        .load::<Row>(&mut reader.conn)?;
    let has_more = i64::try_from(rows.len()).is_ok_and(|count| count > limit);
    let taken = usize::try_from(limit).unwrap_or(usize::MAX);
    let events: Result<Vec<AuditEntry>> = rows
        .into_iter()
        .take(taken)
        .map(|(at, kind, actor, ip, action, target, before, after)| {
            Ok(AuditEntry {
                at: Millis(at),
                actor_kind: word(&kind, ActorKind::from_word)?,
                actor,
                ip,
                action: word(&action, Action::from_word)?,
                target,
                before,
                after,
            })
        })
        .collect();
    let events = events?;
    let next = if has_more {
        place_after(&events, filter)
    } else {
        None
    };
    Ok(AuditPage { events, next })
}

fn wanted(scope: &AccountScope, filter: &AuditFilter) -> Wanted {
    let mut query = audit_events::table
        .filter(audit_events::account_id.eq(scope.account))
        .into_boxed();
    if let Some(action) = filter.action {
        query = query.filter(audit_events::action.eq(action.word()));
    }
    if let Some(text) = &filter.search {
        let pattern = contains(text);
        let actor = audit_events::actor.like(pattern.clone()).escape('\\');
        query = query.filter(actor.or(audit_events::target.like(pattern).escape('\\')));
    }
    if let Some(place) = filter.before {
        query = query.filter(audit_events::at.le(place.at.0));
    }
    query
}

/// After the last of these.
fn place_after(events: &[AuditEntry], filter: &AuditFilter) -> Option<AuditPlace> {
    let at = events.last()?.at;
    let of_instant = events.iter().filter(|event| event.at == at).count();
    let earlier = filter.before.filter(|place| place.at == at);
    let shown = i64::try_from(of_instant).unwrap_or(0) + earlier.map_or(0, |place| place.shown);
    Some(AuditPlace { at, shown })
}
