//! Counted verdicts, by hour: written in numbered batches, read for one key.
//!
//! It must not know how verdicts are counted, nor what a code means.

mod flush;

use std::collections::HashMap;

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use latchkey_rules::code::Code;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::time::Millis;

use super::Reader;
use super::columns::unreadable;
use super::error::Result;
use super::keys::{row_for_staff, row_in_account};
use super::schema::{activity, products, secrets};
use super::scope::{AccountScope, StaffScope};

pub use flush::{DayTotal, Flushed, MeterBatch, MeterRow, days, flush, sweep_batches};

/// A count of a key's verdicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityRow {
    /// The UTC hour, by its start.
    pub hour: Millis,
    /// The number of the secret that was used, within its key.
    pub secret_number: i16,
    /// The last four characters of the secret that was used; `-` when it is known no more.
    pub secret_last4: String,
    /// The product, when the request led to one.
    pub product_slug: Option<String>,
    /// The verdict's code.
    pub code: Code,
    /// How often.
    pub count: i64,
}

/// The key's counts of the hours that begin in `from..to`, oldest first.
///
/// # Errors
/// `NotFound` when the account has no such key.
pub fn of_key(
    reader: &mut Reader,
    scope: &AccountScope,
    key_id: &KeyId,
    from: Millis,
    to: Millis,
) -> Result<Vec<ActivityRow>> {
    let key = row_in_account(reader, scope, key_id)?;
    read(reader, scope.account, key, from, to)
}

/// The same for staff, whose account the key may be of.
///
/// # Errors
/// `NotFound` when there is no such key.
pub fn of_key_for_staff(
    reader: &mut Reader,
    scope: &StaffScope,
    key_id: &KeyId,
    from: Millis,
    to: Millis,
) -> Result<Vec<ActivityRow>> {
    let (account, key) = row_for_staff(reader, scope, key_id)?;
    read(reader, account, key, from, to)
}

fn read(
    reader: &mut Reader,
    account: i64,
    key: i64,
    from: Millis,
    to: Millis,
) -> Result<Vec<ActivityRow>> {
    let last4s: HashMap<i16, String> = secrets::table
        .filter(secrets::key_row.eq(key))
        .select((secrets::number, secrets::last4))
        .load::<(i16, String)>(&mut reader.conn)?
        .into_iter()
        .collect();
    let slugs: HashMap<i64, String> = products::table
        .select((products::id, products::slug))
        .load::<(i64, String)>(&mut reader.conn)?
        .into_iter()
        .collect();
    activity::table
        .filter(activity::account_id.eq(account))
        .filter(activity::key_row.eq(key))
        .filter(activity::hour.ge(from.0))
        .filter(activity::hour.lt(to.0))
        .order((
            activity::hour.asc(),
            activity::secret_number.asc(),
            activity::product_row.asc(),
            activity::outcome.asc(),
        ))
        .select((
            activity::hour,
            activity::secret_number,
            activity::product_row,
            activity::outcome,
            activity::count,
        ))
        .load::<(i64, i16, i64, i16, i64)>(&mut reader.conn)?
        .into_iter()
        .map(|(hour, number, product, outcome, count)| {
            Ok(ActivityRow {
                hour: Millis(hour),
                secret_number: number,
                secret_last4: last4s
                    .get(&number)
                    .cloned()
                    .unwrap_or_else(|| "-".to_owned()),
                product_slug: slugs.get(&product).cloned(),
                code: Code::from_number(outcome).ok_or_else(|| unreadable("code"))?,
                count,
            })
        })
        .collect()
}
