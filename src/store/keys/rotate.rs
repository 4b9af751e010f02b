//! A key gets a new secret, and the one before it an end, which can come sooner and never later.

use diesel::dsl::{exists, not};
use diesel::{ExpressionMethods, NullableExpressionMethods, QueryDsl, RunQueryDsl};
use latchkey_rules::code::Code;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::mail::MailKind;
use latchkey_rules::rotation::{self, Ending, LiveSecret, RotationReason};
use latchkey_rules::time::{HOUR_MS, Millis};
use serde_json::json;

use super::change::{Found, changed, find_own};
use super::create::insert_secret;
use super::sealed::{forget_sealed, may_be_sealed, product_rows};
use super::{Key, NewSecret, get};
use crate::store::audit::Action;
use crate::store::columns::at;
use crate::store::error::{Conflict, Result};
use crate::store::form_ids;
use crate::store::outbox;
use crate::store::schema::{activity, key_ends, keys, secrets};
use crate::store::scope::{AccountScope, Actor, lock_account};
use crate::store::{Change, Reader, Writer};

/// People are told that an older secret is still used when it has less than this left.
const WARNED_BEFORE_MS: i64 = 4 * HOUR_MS;

/// Still used is what was used within this.
const STILL_USED_MS: i64 = 6 * HOUR_MS;

/// How many are told of in one transaction.
const WARNED_AT_ONCE: i64 = 100;

/// A rotation that is asked for.
pub struct NewRotation {
    /// Of which key.
    pub key_id: KeyId,
    /// The key as it was when the form was shown: whoever was quicker changed it.
    pub generation: i64,
    /// The new secret.
    pub secret: NewSecret,
    /// Why.
    pub reason: RotationReason,
    /// For how long the secret before works on, in milliseconds.
    pub grace_ms: i64,
    /// The form that asks for it: good for one rotation.
    pub form_id: String,
}

/// Rotates.
///
/// # Errors
/// `FormUsed`; `Stale` when the key was changed since the form was shown; `NotFound`; `Forbidden`.
pub fn rotate(change: &mut Change<'_>, scope: &AccountScope, new: &NewRotation) -> Result<Key> {
    lock_account(change, scope)?;
    let found = find_own(change, scope, &new.key_id)?;
    form_ids::claim(change, scope, &new.form_id, &new.key_id)?;
    if found.generation != new.generation {
        return Err(Conflict::Stale.into());
    }
    let now = change.now();
    let live = live(change, &found, now)?;
    let endings = rotation::rotate(&live, now, new.grace_ms, new.reason);
    for ending in &endings {
        end(change, found.row, ending)?;
    }
    if new.reason == RotationReason::Leaked {
        let numbers: Vec<i16> = live.iter().map(|secret| secret.number).collect();
        let leaked = secrets::table
            .filter(secrets::key_row.eq(found.row))
            .filter(secrets::number.eq_any(numbers));
        diesel::update(leaked)
            .set(secrets::leaked_at.eq(now.0))
            .execute(&mut change.conn)?;
    }
    let rows = product_rows(change, found.row)?;
    let kind = get(change, scope, &new.key_id)?.kind;
    let is_kept = may_be_sealed(change, kind, &rows)?;
    forget_sealed(change, found.row)?;
    let number = insert(change, found.row, &new.secret, is_kept)?;
    diesel::update(keys::table.filter(keys::id.eq(found.row)))
        .set(keys::last_rotated_at.eq(now.0))
        .execute(&mut change.conn)?;
    let ends_at = latest(&live, &endings, now);
    let after = json!({
        "reason": new.reason.word(),
        "secret": number,
        "before_ends_at": ends_at.map(|at| at.0),
    });
    changed(
        change,
        scope.actor(),
        &new.key_id,
        &found,
        Action::KeyRotated,
        None,
        Some(after),
    )?;
    let actor = &scope.actor().label;
    let until = ends_at.map(|at| at.0.to_string()).unwrap_or_default();
    outbox::tell_of_key(change, MailKind::KeyRotated, &new.key_id, actor, &until)?;
    get(change, scope, &new.key_id)
}

/// When the last of the secrets from before ends; none when they have ended.
fn latest(live: &[LiveSecret], endings: &[Ending], now: Millis) -> Option<Millis> {
    let end_of = |secret: &LiveSecret| {
        let given = endings.iter().find(|ending| ending.number == secret.number);
        given.map(|ending| ending.at).or(secret.ends_at)
    };
    live.iter()
        .filter_map(end_of)
        .max()
        .filter(|end| *end > now)
}

/// Makes the grace of a key's older secret shorter: so long from now, or over.
///
/// # Errors
/// `Stale` when the key was changed since the form was shown, or has no older secret; `NotFound`; `Forbidden`.
pub fn shorten_grace(
    change: &mut Change<'_>,
    scope: &AccountScope,
    key_id: &KeyId,
    generation: i64,
    grace_ms: i64,
) -> Result<()> {
    lock_account(change, scope)?;
    let found = find_own(change, scope, key_id)?;
    let now = change.now();
    let live = live(change, &found, now)?;
    let ending = live
        .iter()
        .find_map(|secret| secret.ends_at.map(|end| (secret.number, end)));
    let (Some((number, before)), true) = (ending, found.generation == generation) else {
        return Err(Conflict::Stale.into());
    };
    let after = rotation::shortened(before, now, grace_ms);
    end(change, found.row, &Ending { number, at: after })?;
    changed(
        change,
        scope.actor(),
        key_id,
        &found,
        Action::GraceShortened,
        Some(json!({ "ends_at": before.0 })),
        Some(json!({ "ends_at": after.0 })),
    )
}

fn end(change: &mut Change<'_>, key: i64, ending: &Ending) -> Result<()> {
    let is_over = ending.at <= change.now();
    let one = secrets::table
        .filter(secrets::key_row.eq(key))
        .filter(secrets::number.eq(ending.number));
    diesel::update(one)
        .set((
            secrets::retires_at.eq(ending.at.0),
            secrets::ended.eq(is_over),
        ))
        .execute(&mut change.conn)?;
    Ok(())
}

/// Notes which secrets' ends have come, and says how many: from then on a clock that is set back revives none of them.
///
/// # Errors
/// When the database does not answer.
pub fn note_ends(writer: &mut Writer) -> Result<usize> {
    let now = writer.now();
    let over = secrets::table
        .filter(secrets::retires_at.le(now.0))
        .filter(secrets::ended.eq(false));
    let of_secrets = diesel::update(over)
        .set(secrets::ended.eq(true))
        .execute(&mut writer.conn)?;
    Ok(of_secrets + note_ends_of_keys(writer, now)?)
}

/// Ends of keys at a time.
const ENDS_AT_ONCE: i64 = 1_000;

/// A key that gets another end later is over at that one alone: the note names the end that has come.
fn note_ends_of_keys(writer: &mut Writer, now: Millis) -> Result<usize> {
    let noted = key_ends::table
        .filter(key_ends::key_row.eq(keys::id))
        .filter(key_ends::ends_at.nullable().eq(keys::expires_at));
    let over: Vec<(i64, Option<i64>)> = keys::table
        .filter(keys::expires_at.le(now.0))
        .filter(keys::deleted_at.is_null())
        .filter(not(exists(noted)))
        .limit(ENDS_AT_ONCE)
        .select((keys::id, keys::expires_at))
        .load(&mut writer.conn)?;
    for (key, end) in &over {
        diesel::delete(key_ends::table.find(key)).execute(&mut writer.conn)?;
        diesel::insert_into(key_ends::table)
            .values((
                key_ends::key_row.eq(key),
                key_ends::ends_at.eq(end.unwrap_or_default()),
            ))
            .execute(&mut writer.conn)?;
    }
    Ok(over.len())
}

/// The secrets that work now, newest first.
fn live(reader: &mut Reader, found: &Found, now: Millis) -> Result<Vec<LiveSecret>> {
    let rows = secrets::table
        .filter(secrets::key_row.eq(found.row))
        .filter(secrets::ended.eq(false))
        .order(secrets::number.desc())
        .select((secrets::number, secrets::created_at, secrets::retires_at))
        .load::<(i16, i64, Option<i64>)>(&mut reader.conn)?;
    let mut live = Vec::new();
    for (number, created_at, retires_at) in rows {
        let ends_at = at(retires_at);
        if ends_at.is_none_or(|end| end > now) {
            live.push(LiveSecret {
                number,
                ends_at,
                used: was_used(reader, found.account, found.row, number, Millis(created_at))?,
            });
        }
    }
    Ok(live)
}

/// Whether a secret was let through in any hour from this one's on.
fn was_used(
    reader: &mut Reader,
    account: i64,
    key: i64,
    number: i16,
    since: Millis,
) -> Result<bool> {
    let uses = activity::table
        .filter(activity::account_id.eq(account))
        .filter(activity::key_row.eq(key))
        .filter(activity::hour.ge(since.hour_start().0))
        .filter(activity::secret_number.eq(number))
        .filter(activity::outcome.eq(Code::Valid.number()));
    Ok(diesel::select(exists(uses)).get_result(&mut reader.conn)?)
}

fn insert(change: &mut Change<'_>, key: i64, secret: &NewSecret, is_kept: bool) -> Result<i16> {
    let highest: Option<i16> = secrets::table
        .filter(secrets::key_row.eq(key))
        .select(diesel::dsl::max(secrets::number))
        .first(&mut change.conn)?;
    let number = highest.unwrap_or(0).saturating_add(1);
    insert_secret(change, key, number, secret, is_kept)?;
    Ok(number)
}

/// Tells the people of keys whose older secret ends within hours and is still used, once for each; says how many. Call it
/// until that is none.
///
/// # Errors
/// When the database does not answer.
pub fn warn_of_ends(change: &mut Change<'_>) -> Result<usize> {
    let now = change.now();
    let soon = secrets::table
        .inner_join(keys::table)
        .filter(secrets::retires_at.gt(now.0))
        .filter(secrets::retires_at.le(now.plus_ms(WARNED_BEFORE_MS).0))
        .filter(secrets::warned_at.is_null())
        .filter(keys::deleted_at.is_null())
        .order(secrets::retires_at.asc())
        .limit(WARNED_AT_ONCE)
        .select((
            keys::id,
            keys::key_id,
            keys::account_id,
            secrets::number,
            secrets::retires_at,
        ))
        .load::<(i64, Vec<u8>, i64, i16, Option<i64>)>(&mut change.conn)?;
    let actor = Actor::system("rotation");
    for (row, bytes, account, number, ends_at) in &soon {
        let one = secrets::table
            .filter(secrets::key_row.eq(row))
            .filter(secrets::number.eq(number));
        diesel::update(one)
            .set(secrets::warned_at.eq(now.0))
            .execute(&mut change.conn)?;
        if was_used(change, *account, *row, *number, now.plus_ms(-STILL_USED_MS))? {
            let key_id = crate::store::columns::key_id(bytes)?;
            let until = ends_at.unwrap_or_default().to_string();
            let kind = MailKind::SecretEnding;
            outbox::tell_of_key(change, kind, &key_id, &actor.label, &until)?;
        }
    }
    Ok(soon.len())
}
