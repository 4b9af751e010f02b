//! The bounds that an account's owner sets for one of its keys, below those of the plan.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::limit::Bounds;
use latchkey_rules::role::Role;
use serde_json::{Value, json};

use super::change::{changed, find_own};
use super::row_in_account;
use crate::store::audit::Action;
use crate::store::error::{Conflict, Error, Result};
use crate::store::replica::bounds_of;
use crate::store::schema::key_bounds;
use crate::store::scope::{AccountScope, lock_account};
use crate::store::{Change, Reader};

/// The key's own bounds.
///
/// # Errors
/// `NotFound` when the account has no such key.
pub fn own_bounds(reader: &mut Reader, scope: &AccountScope, key_id: &KeyId) -> Result<Bounds> {
    let key = row_in_account(reader, scope, key_id)?;
    let row = key_bounds::table
        .filter(key_bounds::key_row.eq(key))
        .first(&mut reader.conn)
        .optional()?;
    Ok(row.map(bounds_of).unwrap_or_default().1)
}

/// Gives the key other bounds of its own; without any it has those of its plan. A bound above the plan's binds nobody.
///
/// # Errors
/// `Stale` when the key was changed since that generation; `NotFound`; `Forbidden` to all but owners.
pub fn set_own_bounds(
    change: &mut Change<'_>,
    scope: &AccountScope,
    key_id: &KeyId,
    generation: i64,
    bounds: &Bounds,
) -> Result<()> {
    lock_account(change, scope)?;
    if scope.role() < Role::Owner {
        return Err(Error::Forbidden);
    }
    let found = find_own(change, scope, key_id)?;
    if found.generation != generation {
        return Err(Conflict::Stale.into());
    }
    let before = own_bounds(change, scope, key_id)?;
    diesel::delete(key_bounds::table.filter(key_bounds::key_row.eq(found.row)))
        .execute(&mut change.conn)?;
    if *bounds != Bounds::default() {
        diesel::insert_into(key_bounds::table)
            .values((
                key_bounds::key_row.eq(found.row),
                key_bounds::per_second.eq(bounds.per_second.map(i64::from)),
                key_bounds::per_minute.eq(bounds.per_minute.map(i64::from)),
                key_bounds::burst.eq(bounds.burst.map(i64::from)),
            ))
            .execute(&mut change.conn)?;
    }
    changed(
        change,
        scope.actor(),
        key_id,
        &found,
        Action::KeyBoundsChanged,
        Some(in_json(&before)),
        Some(in_json(bounds)),
    )
}

/// Gives a new key the bounds of the one that it is made like.
pub(super) fn copy(change: &mut Change<'_>, from: i64, to: i64) -> Result<()> {
    type Row = (i64, Option<i64>, Option<i64>, Option<i64>);
    let own: Option<Row> = key_bounds::table
        .filter(key_bounds::key_row.eq(from))
        .first(&mut change.conn)
        .optional()?;
    let Some((_, per_second, per_minute, burst)) = own else {
        return Ok(());
    };
    diesel::insert_into(key_bounds::table)
        .values((
            key_bounds::key_row.eq(to),
            key_bounds::per_second.eq(per_second),
            key_bounds::per_minute.eq(per_minute),
            key_bounds::burst.eq(burst),
        ))
        .execute(&mut change.conn)?;
    Ok(())
}

fn in_json(bounds: &Bounds) -> Value {
    json!({
        "per_second": bounds.per_second,
        "per_minute": bounds.per_minute,
        "burst": bounds.burst,
    })
}
