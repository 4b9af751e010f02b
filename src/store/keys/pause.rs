//! What an account does to its own key and can take back: it pauses and resumes it, and restores one that it deleted.

use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, RunQueryDsl};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::time::Millis;
use serde_json::json;

use super::change::{changed, find, find_own};
use super::create::keep_to_limit;
use crate::store::Change;
use crate::store::audit::Action;
use crate::store::error::{Conflict, Error, Result, unless_unique};
use crate::store::schema::{keys, secrets};
use crate::store::scope::{AccountScope, lock_account};

/// Pauses a key, until it resumes by itself or is resumed. A paused key can be paused anew, with another end.
///
/// # Errors
/// `Stale` when it is disabled; `NotFound`; `Forbidden`.
pub fn pause(
    change: &mut Change<'_>,
    scope: &AccountScope,
    key_id: &KeyId,
    until: Option<Millis>,
) -> Result<()> {
    lock_account(change, scope)?;
    let now = change.now();
    let found = find_own(change, scope, key_id)?;
    if found.disabled {
        return Err(Conflict::Stale.into());
    }
    diesel::update(keys::table.filter(keys::id.eq(found.row)))
        .set((
            keys::paused_at.eq(now.0),
            keys::paused_until.eq(until.map(|at| at.0)),
        ))
        .execute(&mut change.conn)?;
    let after = json!({ "until": until.map(|at| at.0) });
    let action = Action::KeyPaused;
    changed(
        change,
        scope.actor(),
        key_id,
        &found,
        action,
        None,
        Some(after),
    )
}

/// Resumes a paused key. One that staff disabled stays disabled.
///
/// # Errors
/// `Stale` when it is not paused; `NotFound`; `Forbidden`.
pub fn resume(change: &mut Change<'_>, scope: &AccountScope, key_id: &KeyId) -> Result<()> {
    lock_account(change, scope)?;
    let found = find_own(change, scope, key_id)?;
    let paused = diesel::update(
        keys::table
            .filter(keys::id.eq(found.row))
            .filter(keys::paused_at.is_not_null()),
    )
    .set((
        keys::paused_at.eq(None::<i64>),
        keys::paused_until.eq(None::<i64>),
    ))
    .execute(&mut change.conn)?;
    if paused == 0 {
        return Err(Conflict::Stale.into());
    }
    let action = Action::KeyResumed;
    changed(change, scope.actor(), key_id, &found, action, None, None)
}

/// Takes a delete back, while its hour lasts and unless a secret that worked is known to have leaked.
///
/// # Errors
/// `NotFound` when there is nothing to take back; `NameTaken` when another key has its name by now; `TooManyKeys`;
/// `Forbidden`.
pub fn restore(
    change: &mut Change<'_>,
    scope: &AccountScope,
    key_id: &KeyId,
    keys_per_account: i64,
) -> Result<()> {
    let account = lock_account(change, scope)?;
    let now = change.now();
    let found = find(change, key_id)?;
    let may = found.deleted
        && found.account == scope.account
        && found.purge_at.is_some_and(|at| at > now)
        && !has_leaked(change, found.row, now)?;
    if !may {
        return Err(Error::NotFound);
    }
    keep_to_limit(change, scope, &account, keys_per_account)?;
    diesel::update(keys::table.filter(keys::id.eq(found.row)))
        .set((
            keys::deleted_at.eq(None::<i64>),
            keys::purge_at.eq(None::<i64>),
        ))
        .execute(&mut change.conn)
        .map_err(unless_unique(Conflict::NameTaken))?;
    let action = Action::KeyRestored;
    changed(change, scope.actor(), key_id, &found, action, None, None)
}

/// Whether a secret that would work again is known to have leaked.
fn has_leaked(change: &mut Change<'_>, key: i64, now: Millis) -> Result<bool> {
    let live = secrets::retires_at
        .is_null()
        .or(secrets::retires_at.gt(now.0));
    let leaked = secrets::table
        .filter(secrets::key_row.eq(key))
        .filter(secrets::leaked_at.is_not_null())
        .filter(live);
    Ok(diesel::select(diesel::dsl::exists(leaked)).get_result(&mut change.conn)?)
}
