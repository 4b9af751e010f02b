//! Forms that make something: each is good for one thing, however often it is sent.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::time::{DAY_MS, Millis};

use super::columns::readable;
use super::error::{Conflict, Result, unless_unique};
use super::schema::form_ids;
use super::scope::AccountScope;
use super::{Change, Writer};

/// How long a form's id is remembered.
const REMEMBERED_MS: i64 = DAY_MS;

/// Notes that this form made this key.
///
/// # Errors
/// `FormUsed` with what it made, when it was sent before.
pub(super) fn claim(
    change: &mut Change<'_>,
    scope: &AccountScope,
    form_id: &str,
    key_id: &KeyId,
) -> Result<()> {
    let now = change.now();
    let used = form_ids::table
        .filter(form_ids::account_id.eq(scope.account))
        .filter(form_ids::form_id.eq(form_id))
        .select((form_ids::made, form_ids::made_at))
        .first::<(String, i64)>(&mut change.conn)
        .optional()?;
    if let Some((made, made_at)) = used {
        let key_id = readable("key ID", KeyId::parse(&made))?;
        let made_at = Millis(made_at);
        return Err(Conflict::FormUsed { made_at, key_id }.into());
    }
    diesel::insert_into(form_ids::table)
        .values((
            form_ids::account_id.eq(scope.account),
            form_ids::form_id.eq(form_id),
            form_ids::made.eq(key_id.to_string()),
            form_ids::made_at.eq(now.0),
        ))
        .execute(&mut change.conn)
        .map_err(unless_unique(Conflict::Stale))?;
    Ok(())
}

/// Forgets forms that were sent more than a day ago, and says how many.
///
/// # Errors
/// When the database does not answer.
pub fn sweep(writer: &mut Writer) -> Result<usize> {
    let end = writer.now().plus_ms(-REMEMBERED_MS);
    let old = form_ids::table.filter(form_ids::made_at.lt(end.0));
    Ok(diesel::delete(old).execute(&mut writer.conn)?)
}
