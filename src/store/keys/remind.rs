//! A key's people hear of its end before it comes.

use diesel::dsl::{exists, not};
use diesel::{ExpressionMethods, NullableExpressionMethods, QueryDsl, RunQueryDsl};
use latchkey_rules::mail::{MailKind, REMINDED_DAYS};
use latchkey_rules::time::DAY_MS;

use crate::store::Change;
use crate::store::columns::key_id;
use crate::store::error::Result;
use crate::store::outbox;
use crate::store::schema::{key_reminders, keys};
use crate::store::scope::Actor;

/// Keys of one run.
const AT_ONCE: i64 = 100;

/// Tells the people of keys that expire within so many days as [`REMINDED_DAYS`] has, once for each; says of how many. Who made
/// or changed the end within those days knows of it. Call it until that is none.
///
/// # Errors
/// When the database does not answer.
pub fn remind_of_ends(change: &mut Change<'_>) -> Result<usize> {
    let now = change.now();
    let mut told = 0;
    // The nearest first: a key hears of one of them at a time.
    for days in REMINDED_DAYS.iter().rev().copied() {
        let within = i64::from(days + 1) * DAY_MS;
        let told_of_it = key_reminders::table
            .filter(key_reminders::days.le(days))
            .filter(key_reminders::ends_at.nullable().eq(keys::expires_at))
            .filter(key_reminders::key_row.eq(keys::id));
        let due = keys::table
            .filter(keys::expires_at.gt(now.0))
            .filter(keys::expires_at.le(now.plus_ms(within).0))
            .filter(keys::deleted_at.is_null())
            .filter(keys::disabled_at.is_null())
            .filter(not(exists(told_of_it)))
            .order(keys::expires_at.asc())
            .limit(AT_ONCE)
            .select((keys::id, keys::key_id, keys::expires_at, keys::created_at))
            .load::<(i64, Vec<u8>, Option<i64>, i64)>(&mut change.conn)?;
        told += due.len();
        for (row, bytes, expires_at, created_at) in due {
            let end = expires_at.unwrap_or_default();
            note(change, row, end, days)?;
            if created_at <= end - within {
                let actor = Actor::system("expiry");
                let key_id = key_id(&bytes)?;
                let kind = MailKind::KeyExpiring;
                outbox::tell_of_key(change, kind, &key_id, &actor.label, &end.to_string())?;
            }
        }
    }
    Ok(told)
}

fn note(change: &mut Change<'_>, key: i64, end: i64, days: i16) -> Result<()> {
    diesel::delete(key_reminders::table.find(key)).execute(&mut change.conn)?;
    diesel::insert_into(key_reminders::table)
        .values((
            key_reminders::key_row.eq(key),
            key_reminders::ends_at.eq(end),
            key_reminders::days.eq(days),
        ))
        .execute(&mut change.conn)?;
    Ok(())
}
