//! What binds an account and its keys, and what is used of it.
//!
//! It must not know how the gate holds requests to it.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::limit::Bounds;

use super::error::Result;
use super::keys::row_in_account;
use super::replica::bounds_of;
use super::schema::{account_days, key_bounds};
use super::scope::AccountScope;
use super::{Reader, accounts};

/// An account's limits and what it has used of its day.
#[derive(Clone, Debug)]
pub struct AccountLimits {
    /// Its plan.
    pub plan: accounts::PlanFacts,
    /// Requests of this UTC day, by all its keys on all nodes: up to a second old.
    pub used_today: i64,
}

/// The account's limits, and what is used of its day.
///
/// # Errors
/// When the database does not answer.
pub fn of_account(reader: &mut Reader, scope: &AccountScope) -> Result<AccountLimits> {
    let today = reader.now().day_start();
    let used: Option<i64> = account_days::table
        .filter(account_days::account_id.eq(scope.account))
        .filter(account_days::day.eq(today.0))
        .select(account_days::count)
        .first(&mut reader.conn)
        .optional()?;
    Ok(AccountLimits {
        plan: accounts::facts(reader, scope)?.plan,
        used_today: used.unwrap_or(0),
    })
}

/// The bounds that the key's owner set below the plan's.
///
/// # Errors
/// `NotFound` when the account has no such key.
pub fn own_of_key(reader: &mut Reader, scope: &AccountScope, key_id: &KeyId) -> Result<Bounds> {
    let key = row_in_account(reader, scope, key_id)?;
    let row = key_bounds::table
        .filter(key_bounds::key_row.eq(key))
        .first(&mut reader.conn)
        .optional()?;
    Ok(row.map(bounds_of).unwrap_or_default().1)
}
