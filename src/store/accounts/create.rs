//! An account comes to be.

use diesel::{ExpressionMethods, RunQueryDsl};
use latchkey_rules::slug::{self, Slug};
use serde_json::json;

use super::{NewAccount, plan_for, row_of};
use crate::store::audit::{Action, Event, record};
use crate::store::changes::{ChangeKind, log};
use crate::store::columns::readable;
use crate::store::error::{Conflict, Error, Result, unless_unique};
use crate::store::schema::accounts;
use crate::store::scope::{Actor, OperatorScope};
use crate::store::{Change, Reader};

/// Makes an account.
///
/// # Errors
/// `SlugTaken`, `PlanUnknown`, `PlanNeedsEnterprise`.
pub fn create(change: &mut Change<'_>, scope: &OperatorScope, new: &NewAccount) -> Result<()> {
    insert(change, scope.actor(), new)?;
    Ok(())
}

pub(in crate::store) fn insert(
    change: &mut Change<'_>,
    actor: &Actor,
    new: &NewAccount,
) -> Result<i64> {
    let now = change.now();
    let plan = plan_for(change, &new.plan, new.tier)?;
    let row: i64 = diesel::insert_into(accounts::table)
        .values((
            accounts::slug.eq(new.slug.as_str()),
            accounts::name.eq(new.name.as_str()),
            accounts::name_key.eq(new.name.folded()),
            accounts::tier.eq(new.tier.word()),
            accounts::plan_row.eq(plan.id),
            accounts::created_at.eq(now.0),
            accounts::generation.eq(1),
        ))
        .returning(accounts::id)
        .get_result(&mut change.conn)
        .map_err(unless_unique(Conflict::SlugTaken))?;
    log(change, ChangeKind::Account, row, 1)?;
    let event = Event {
        account: Some(row),
        action: Action::AccountCreated,
        target: new.slug.to_string(),
        before: None,
        after: Some(json!({ "tier": new.tier.word(), "plan": plan.slug })),
    };
    record(change, actor, event)?;
    Ok(row)
}

/// The first slug of `hint`, `hint-2`, `hint-3` … that no account has.
pub(in crate::store) fn free_slug(reader: &mut Reader, hint: &Slug) -> Result<Slug> {
    for number in 1..1_000 {
        let candidate = if number == 1 {
            hint.clone()
        } else {
            numbered(hint, number)?
        };
        match row_of(reader, candidate.as_str()) {
            Err(Error::NotFound) => return Ok(candidate),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Err(Conflict::SlugTaken.into())
}

fn numbered(hint: &Slug, number: i32) -> Result<Slug> {
    let tail = format!("-{number}");
    let room = slug::MAX_CHARS - tail.len();
    let head: String = hint.as_str().chars().take(room).collect();
    let slug = format!("{}{tail}", head.trim_end_matches('-'));
    readable("slug", Slug::parse(&slug))
}
