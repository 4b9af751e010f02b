//! The plans' numbers, and how an operator changes them.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use latchkey_rules::limit::Bounds;
use serde_json::{Value, json};

use super::{PlanFacts, PlanRow};
use crate::store::Change;
use crate::store::audit::{Action, Event, record};
use crate::store::changes::{ChangeKind, log, next_generation};
use crate::store::error::{Error, Result};
use crate::store::schema::plans;
use crate::store::scope::Overseer;

/// Gives a plan other bounds. All its accounts are held to them within a second; what was used stays used.
///
/// # Errors
/// `NotFound` when there is no such plan; `Forbidden` for support.
pub fn set_bounds(
    change: &mut Change<'_>,
    by: &impl Overseer,
    slug: &str,
    bounds: &Bounds,
) -> Result<()> {
    let actor = by.may_change()?;
    let before: Option<PlanRow> = plans::table
        .filter(plans::slug.eq(slug))
        .first(&mut change.conn)
        .optional()?;
    let before = before.ok_or(Error::NotFound)?;
    let (row, generation) = (before.id, next_generation(before.generation)?);
    diesel::update(plans::table.filter(plans::id.eq(row)))
        .set((
            plans::per_second.eq(bounds.per_second.map(i64::from)),
            plans::per_minute.eq(bounds.per_minute.map(i64::from)),
            plans::burst.eq(bounds.burst.map(i64::from)),
            plans::per_day.eq(bounds.per_day.and_then(|day| i64::try_from(day).ok())),
            plans::generation.eq(generation),
        ))
        .execute(&mut change.conn)?;
    let event = Event {
        account: None,
        action: Action::PlanChanged,
        target: slug.to_owned(),
        before: Some(in_json(&PlanFacts::from(before).bounds())),
        after: Some(in_json(bounds)),
    };
    record(change, actor, event)?;
    log(change, ChangeKind::Plan, row, generation)
}

fn in_json(bounds: &Bounds) -> Value {
    json!({
        "per_second": bounds.per_second,
        "per_minute": bounds.per_minute,
        "burst": bounds.burst,
        "per_day": bounds.per_day,
    })
}
