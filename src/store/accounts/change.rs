//! An account gets another plan, is suspended and resumed.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use latchkey_rules::billing::{Tier, default_for};
use serde_json::json;

use super::{by_row, plan_for, row_of};
use crate::store::Change;
use crate::store::audit::{Action, Event, record};
use crate::store::changes::{ChangeKind, log, next_generation};
use crate::store::error::{Conflict, Result};
use crate::store::schema::{accounts, keys};
use crate::store::scope::Overseer;

/// Gives an account another plan. The keys of a self-serve account are billed as the new plan says.
///
/// # Errors
/// `NotFound`, `PlanUnknown`, `PlanNeedsEnterprise`; `Forbidden` for support.
pub fn set_plan(
    change: &mut Change<'_>,
    by: &impl Overseer,
    slug: &str,
    plan_slug: &str,
) -> Result<()> {
    let actor = by.may_change()?;
    let row = row_of(change, slug)?;
    let before = by_row(change, row)?;
    let plan = plan_for(change, plan_slug, before.tier)?;
    diesel::update(accounts::table.filter(accounts::id.eq(row)))
        .set(accounts::plan_row.eq(plan.id))
        .execute(&mut change.conn)?;
    if before.tier == Tier::SelfServe {
        let billing = default_for(before.tier, plan.is_free);
        diesel::update(keys::table.filter(keys::account_id.eq(row)))
            .set(keys::billing_type.eq(billing.word()))
            .execute(&mut change.conn)?;
    }
    let event = Event {
        account: Some(row),
        action: Action::AccountPlanChanged,
        target: before.slug,
        before: Some(json!({ "plan": before.plan.slug })),
        after: Some(json!({ "plan": plan.slug })),
    };
    record(change, actor, event)?;
    touched(change, row)
}

/// Suspends an account: its keys are refused until it is resumed.
///
/// # Errors
/// `NotFound`; `Stale` when it is suspended; `Forbidden` for support.
pub fn suspend(
    change: &mut Change<'_>,
    by: &impl Overseer,
    slug: &str,
    reason: &str,
) -> Result<()> {
    let actor = by.may_change()?;
    let now = change.now();
    let row = row_of(change, slug)?;
    let suspended = diesel::update(
        accounts::table
            .filter(accounts::id.eq(row))
            .filter(accounts::suspended_at.is_null()),
    )
    .set((
        accounts::suspended_at.eq(now.0),
        accounts::suspended_by.eq(&actor.label),
        accounts::suspended_reason.eq(reason),
    ))
    .execute(&mut change.conn)?;
    if suspended == 0 {
        return Err(Conflict::Stale.into());
    }
    let event = Event {
        account: Some(row),
        action: Action::AccountSuspended,
        target: slug.to_owned(),
        before: None,
        after: Some(json!({ "reason": reason })),
    };
    record(change, actor, event)?;
    touched(change, row)
}

/// Ends an account's suspension.
///
/// # Errors
/// `NotFound`; `Stale` when it is not suspended; `Forbidden` for support.
pub fn resume(change: &mut Change<'_>, by: &impl Overseer, slug: &str) -> Result<()> {
    let actor = by.may_change()?;
    let row = row_of(change, slug)?;
    let resumed = diesel::update(
        accounts::table
            .filter(accounts::id.eq(row))
            .filter(accounts::suspended_at.is_not_null()),
    )
    .set((
        accounts::suspended_at.eq(None::<i64>),
        accounts::suspended_by.eq(None::<String>),
        accounts::suspended_reason.eq(None::<String>),
    ))
    .execute(&mut change.conn)?;
    if resumed == 0 {
        return Err(Conflict::Stale.into());
    }
    let event = Event {
        account: Some(row),
        action: Action::AccountResumed,
        target: slug.to_owned(),
        before: None,
        after: None,
    };
    record(change, actor, event)?;
    touched(change, row)
}

/// The account's row got its next generation, which the change log names.
fn touched(change: &mut Change<'_>, row: i64) -> Result<()> {
    let generation: i64 = accounts::table
        .filter(accounts::id.eq(row))
        .select(accounts::generation)
        .first(&mut change.conn)?;
    let generation = next_generation(generation)?;
    diesel::update(accounts::table.filter(accounts::id.eq(row)))
        .set(accounts::generation.eq(generation))
        .execute(&mut change.conn)?;
    log(change, ChangeKind::Account, row, generation)
}
