//! What binds an account, and what is used of it.
//!
//! It must not know how the gate holds requests to it.

mod told;

use std::collections::HashMap;

use diesel::sql_types::{BigInt, Binary, SmallInt, Text};
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, QueryableByName, RunQueryDsl, sql_query,
};
use latchkey_rules::code::Code;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::time::{HOUR_MS, Millis};

use super::columns::{key_id, unreadable};
use super::db::each;
use super::error::Result;
use super::schema::{account_days, products};
use super::scope::AccountScope;
use super::{Reader, accounts};

pub use told::tell_of_days;

/// An account's limits and what it has used of its day.
#[derive(Clone, Debug)]
pub struct AccountLimits {
    /// Its plan.
    pub plan: accounts::PlanFacts,
    /// What its keys used of this UTC day, on all nodes: up to a second old.
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

/// What a key was used for today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// The key.
    pub key_id: KeyId,
    /// Its name.
    pub name: String,
    /// Requests that were let through.
    pub allowed: i64,
    /// Requests that were refused by a limit.
    pub limited: i64,
}

#[derive(QueryableByName)]
struct KeyUseRow {
    #[diesel(sql_type = Binary)]
    key_id: Vec<u8>,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    allowed: i64,
    #[diesel(sql_type = BigInt)]
    limited: i64,
}

/// The twenty keys that took most of the account's day, the busiest first.
///
/// # Errors
/// When the database does not answer.
pub fn busiest_keys(reader: &mut Reader, scope: &AccountScope) -> Result<Vec<KeyUse>> {
    let today = reader.now().day_start().0;
    let rows: Vec<KeyUseRow> = each!(&mut reader.conn, conn => {
        sql_query(include_str!("limits/keys.sql"))
            .bind::<SmallInt, _>(Code::Valid.number())
            .bind::<SmallInt, _>(Code::RateLimited.number())
            .bind::<SmallInt, _>(Code::QuotaExceeded.number())
            .bind::<BigInt, _>(today)
            .bind::<BigInt, _>(scope.account)
            .bind::<BigInt, _>(today)
            .load(conn)
    })?;
    let read = |row: KeyUseRow| {
        Ok(KeyUse {
            key_id: key_id(&row.key_id)?,
            name: row.name,
            allowed: row.allowed,
            limited: row.limited,
        })
    };
    rows.into_iter().map(read).collect()
}

/// What became of an account's requests to one product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductOutcome {
    /// The product's slug, where the requests led to one that there still is.
    pub product: Option<String>,
    /// What became of them.
    pub code: Code,
    /// How many.
    pub count: i64,
}

#[derive(QueryableByName)]
struct OutcomeRow {
    #[diesel(sql_type = BigInt)]
    product_row: i64,
    #[diesel(sql_type = SmallInt)]
    outcome: i16,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// What became of the account's requests since the start of the hour that lies so many hours back, by product.
///
/// # Errors
/// When the database does not answer.
pub fn outcomes(
    reader: &mut Reader,
    scope: &AccountScope,
    hours: i64,
) -> Result<Vec<ProductOutcome>> {
    let since = reader.now().plus_ms(-hours * HOUR_MS).hour_start();
    let slugs: HashMap<i64, String> = products::table
        .select((products::id, products::slug))
        .load::<(i64, String)>(&mut reader.conn)?
        .into_iter()
        .collect();
    let Millis(since) = since;
    let rows: Vec<OutcomeRow> = each!(&mut reader.conn, conn => {
        sql_query(include_str!("limits/outcomes.sql"))
            .bind::<BigInt, _>(since)
            .bind::<BigInt, _>(scope.account)
            .bind::<BigInt, _>(since)
            .load(conn)
    })?;
    let read = |row: OutcomeRow| {
        Ok(ProductOutcome {
            product: slugs.get(&row.product_row).cloned(),
            code: Code::from_number(row.outcome).ok_or_else(|| unreadable("code"))?,
            count: row.count,
        })
    };
    rows.into_iter().map(read).collect()
}
