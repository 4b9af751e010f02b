//! A key is deleted and purged by its account, switched off and on by staff.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::mail::MailKind;
use latchkey_rules::time::{MINUTE_MS, Millis};
use serde_json::json;

use crate::store::audit::{Action, Event, record};
use crate::store::changes::{ChangeKind, log, next_generation};
use crate::store::columns::{at, key_id as read_key_id};
use crate::store::error::{Conflict, Error, Result};
use crate::store::outbox;
use crate::store::schema::{keys, secrets};
use crate::store::scope::{AccountScope, Actor, Overseer, lock_account};
use crate::store::{Change, Reader};

/// For how long a delete can be taken back.
pub const RESTORABLE_MS: i64 = 60 * MINUTE_MS;

/// How many keys are purged in one transaction.
const PURGED_AT_ONCE: i64 = 500;

/// What a change of a key needs of its row.
pub(super) struct Found {
    pub(super) row: i64,
    pub(super) account: i64,
    pub(super) generation: i64,
    name: String,
    pub(super) disabled: bool,
    pub(super) deleted: bool,
    pub(super) purge_at: Option<Millis>,
}

/// Deletes a key: it is refused from now on, and its secrets go when the delete can be taken back no more.
///
/// # Errors
/// `NotFound` when the account has no such key, or has deleted it already.
pub fn delete(change: &mut Change<'_>, scope: &AccountScope, key_id: &KeyId) -> Result<()> {
    lock_account(change, scope)?;
    let now = change.now();
    let found = find_own(change, scope, key_id)?;
    diesel::update(keys::table.filter(keys::id.eq(found.row)))
        .set((
            keys::deleted_at.eq(now.0),
            keys::purge_at.eq(now.plus_ms(RESTORABLE_MS).0),
        ))
        .execute(&mut change.conn)?;
    let before = json!({ "name": found.name });
    changed(
        change,
        scope.actor(),
        key_id,
        &found,
        Action::KeyDeleted,
        Some(before),
        None,
    )?;
    let actor = &scope.actor().label;
    outbox::tell_of_key(change, MailKind::KeyDeleted, key_id, actor, "")
}

/// Switches a key off.
///
/// # Errors
/// `NotFound`; `Stale` when it is off already; `Forbidden` for support.
pub fn disable(
    change: &mut Change<'_>,
    by: &impl Overseer,
    key_id: &KeyId,
    reason: &str,
) -> Result<()> {
    let actor = by.may_change()?;
    let now = change.now();
    let found = find_live(change, key_id, false)?;
    diesel::update(keys::table.filter(keys::id.eq(found.row)))
        .set((
            keys::disabled_at.eq(now.0),
            keys::disabled_by.eq(&actor.label),
            keys::disabled_reason.eq(reason),
            keys::disabled_kind.eq("staff"),
        ))
        .execute(&mut change.conn)?;
    let after = json!({ "reason": reason });
    changed(
        change,
        actor,
        key_id,
        &found,
        Action::KeyDisabled,
        None,
        Some(after),
    )?;
    outbox::tell_of_key(change, MailKind::KeyDisabled, key_id, &actor.label, reason)
}

/// Switches a key on again; the reason, where one is given, stands in the audit log.
///
/// # Errors
/// `NotFound`; `Stale` when it is on; `Forbidden` for support.
pub fn enable(
    change: &mut Change<'_>,
    by: &impl Overseer,
    key_id: &KeyId,
    reason: Option<&str>,
) -> Result<()> {
    let actor = by.may_change()?;
    let found = find_live(change, key_id, true)?;
    diesel::update(keys::table.filter(keys::id.eq(found.row)))
        .set((
            keys::disabled_at.eq(None::<i64>),
            keys::disabled_by.eq(None::<String>),
            keys::disabled_reason.eq(None::<String>),
            keys::disabled_kind.eq(None::<String>),
        ))
        .execute(&mut change.conn)?;
    changed(
        change,
        actor,
        key_id,
        &found,
        Action::KeyEnabled,
        None,
        reason.map(|reason| json!({ "reason": reason })),
    )?;
    let said = reason.unwrap_or_default();
    outbox::tell_of_key(change, MailKind::KeyEnabled, key_id, &actor.label, said)
}

/// A key of the account that is not deleted.
pub(super) fn find_own(reader: &mut Reader, scope: &AccountScope, key_id: &KeyId) -> Result<Found> {
    let found = find(reader, key_id)?;
    if found.deleted || found.account != scope.account {
        return Err(Error::NotFound);
    }
    Ok(found)
}

fn find_live(reader: &mut Reader, key_id: &KeyId, disabled: bool) -> Result<Found> {
    let found = find(reader, key_id)?;
    if found.deleted {
        return Err(Error::NotFound);
    }
    if found.disabled != disabled {
        return Err(Conflict::Stale.into());
    }
    Ok(found)
}

pub(super) fn find(reader: &mut Reader, key_id: &KeyId) -> Result<Found> {
    type Row = (i64, i64, i64, String, Option<i64>, Option<i64>, Option<i64>);
    let (row, account, generation, name, disabled_at, deleted_at, purge_at) = keys::table
        .filter(keys::key_id.eq(key_id.as_bytes().as_slice()))
        .select((
            keys::id,
            keys::account_id,
            keys::generation,
            keys::name,
            keys::disabled_at,
            keys::deleted_at,
            keys::purge_at,
        ))
        .first::<Row>(&mut reader.conn)
        .optional()?
        .ok_or(Error::NotFound)?;
    Ok(Found {
        row,
        account,
        generation,
        name,
        disabled: disabled_at.is_some(),
        deleted: deleted_at.is_some(),
        purge_at: at(purge_at),
    })
}

/// The key's row gets its next generation; the change log and the audit log hear of it.
pub(super) fn changed(
    change: &mut Change<'_>,
    actor: &Actor,
    key_id: &KeyId,
    found: &Found,
    action: Action,
    before: Option<serde_json::Value>,
    after: Option<serde_json::Value>,
) -> Result<()> {
    let generation = next_generation(found.generation)?;
    diesel::update(keys::table.filter(keys::id.eq(found.row)))
        .set(keys::generation.eq(generation))
        .execute(&mut change.conn)?;
    log(change, ChangeKind::Key, found.row, generation)?;
    let event = Event {
        account: Some(found.account),
        action,
        target: key_id.to_string(),
        before,
        after,
    };
    record(change, actor, event)
}

/// Takes the secrets of keys whose delete can be taken back no more, and says of how many; call it until that is none.
///
/// # Errors
/// When the database does not answer.
pub fn purge_due(change: &mut Change<'_>) -> Result<usize> {
    let now = change.now();
    let due = keys::table
        .filter(keys::purge_at.le(now.0))
        .order(keys::purge_at.asc())
        .limit(PURGED_AT_ONCE)
        .select((keys::id, keys::key_id))
        .load::<(i64, Vec<u8>)>(&mut change.conn)?;
    let actor = Actor::system("purge");
    for (row, bytes) in &due {
        diesel::delete(secrets::table.filter(secrets::key_row.eq(row)))
            .execute(&mut change.conn)?;
        diesel::update(keys::table.filter(keys::id.eq(row)))
            .set(keys::purge_at.eq(None::<i64>))
            .execute(&mut change.conn)?;
        let key_id = read_key_id(bytes)?;
        let found = find(change, &key_id)?;
        changed(
            change,
            &actor,
            &key_id,
            &found,
            Action::KeyPurged,
            None,
            None,
        )?;
    }
    Ok(due.len())
}
