//! Accounts: who owns keys, on which plan, and whether they are suspended.
//!
//! It must not know the limits' meaning; a plan is a row of numbers here.

mod bounds;
mod change;
mod create;

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, RunQueryDsl};
use latchkey_rules::billing::Tier;
use latchkey_rules::limit::Bounds;
use latchkey_rules::name::DisplayName;
use latchkey_rules::role::Role;
use latchkey_rules::slug::Slug;
use latchkey_rules::time::Millis;

use super::Reader;
use super::columns::word;
use super::error::{Conflict, Result};
use super::schema::{accounts, members, plans, users};
use super::scope::{AccountScope, StaffScope};
use super::users::Person;

pub use bounds::set_bounds;
pub use change::{resume, set_plan, suspend};
pub use create::create;
pub(super) use create::{free_slug, insert};

/// A plan's numbers; what is absent is unlimited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFacts {
    /// Its name in paths and commands.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Requests in a second.
    pub per_second: Option<i64>,
    /// Requests in a minute.
    pub per_minute: Option<i64>,
    /// Requests at once.
    pub burst: Option<i64>,
    /// Requests in a UTC day.
    pub per_day: Option<i64>,
    /// Keys in an account.
    pub keys: Option<i64>,
    /// Whether it costs nothing.
    pub is_free: bool,
    /// Whether only an enterprise account may have it.
    pub enterprise_only: bool,
}

#[derive(Queryable)]
pub(super) struct PlanRow {
    pub(super) id: i64,
    slug: String,
    name: String,
    per_second: Option<i64>,
    per_minute: Option<i64>,
    burst: Option<i64>,
    per_day: Option<i64>,
    keys: Option<i64>,
    is_free: bool,
    enterprise_only: bool,
    _position: i16,
    pub(super) generation: i64,
}

impl PlanFacts {
    /// What the gate holds keys and their account to. A number that fits nothing binds nobody.
    pub fn bounds(&self) -> Bounds {
        let rate = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok());
        Bounds {
            per_second: rate(self.per_second),
            per_minute: rate(self.per_minute),
            burst: rate(self.burst),
            per_day: self.per_day.and_then(|number| u64::try_from(number).ok()),
        }
    }
}

impl From<PlanRow> for PlanFacts {
    fn from(row: PlanRow) -> Self {
        Self {
            slug: row.slug,
            name: row.name,
            per_second: row.per_second,
            per_minute: row.per_minute,
            burst: row.burst,
            per_day: row.per_day,
            keys: row.keys,
            is_free: row.is_free,
            enterprise_only: row.enterprise_only,
        }
    }
}

/// A suspension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// Since when.
    pub at: Millis,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// An account as its own people and staff see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// How it buys.
    pub tier: Tier,
    /// Its plan.
    pub plan: PlanFacts,
    /// Whether it is suspended.
    pub suspended: Option<Suspension>,
}

#[derive(Queryable)]
struct AccountRow {
    _id: i64,
    slug: String,
    name: String,
    _name_key: String,
    tier: String,
    _plan_row: i64,
    _created_at: i64,
    suspended_at: Option<i64>,
    suspended_by: Option<String>,
    suspended_reason: Option<String>,
    _generation: i64,
}

impl AccountRow {
    fn with(self, plan: PlanRow) -> Result<AccountFacts> {
        Ok(AccountFacts {
            slug: self.slug,
            name: self.name,
            tier: word(&self.tier, Tier::from_word)?,
            plan: plan.into(),
            suspended: self.suspended_at.map(|at| Suspension {
                at: Millis(at),
                by: self.suspended_by.unwrap_or_default(),
                reason: self.suspended_reason.unwrap_or_default(),
            }),
        })
    }
}

/// An account in its member's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountLink {
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The person's role in it.
    pub role: Role,
}

/// An account to be made.
pub struct NewAccount {
    /// Its slug, which never changes.
    pub slug: Slug,
    /// Its name.
    pub name: DisplayName,
    /// How it buys.
    pub tier: Tier,
    /// Its plan's slug.
    pub plan: String,
}

/// The person's accounts, by name.
///
/// # Errors
/// When the database does not answer.
pub fn of_person(reader: &mut Reader, person: &Person) -> Result<Vec<AccountLink>> {
    members::table
        .inner_join(accounts::table)
        .filter(members::user_id.eq(person.handle().row()))
        .order((accounts::name_key.asc(), accounts::id.asc()))
        .select((accounts::slug, accounts::name, members::role))
        .load::<(String, String, String)>(&mut reader.conn)?
        .into_iter()
        .map(|(slug, name, role)| {
            let role = word(&role, Role::from_word)?;
            Ok(AccountLink { slug, name, role })
        })
        .collect()
}

/// One of an account's people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name.
    pub name: String,
    /// The mail address.
    pub email: String,
}

/// The account's people, by name.
///
/// # Errors
/// When the database does not answer.
pub fn people(reader: &mut Reader, scope: &AccountScope) -> Result<Vec<Member>> {
    let rows = members::table
        .inner_join(users::table)
        .filter(members::account_id.eq(scope.account))
        .order((users::name.asc(), users::id.asc()))
        .select((users::name, users::email))
        .load::<(String, String)>(&mut reader.conn)?;
    let member = |(name, email)| Member { name, email };
    Ok(rows.into_iter().map(member).collect())
}

/// What the account's people see of it.
///
/// # Errors
/// When the database does not answer.
pub fn facts(reader: &mut Reader, scope: &AccountScope) -> Result<AccountFacts> {
    by_row(reader, scope.account)
}

/// What staff see of an account.
///
/// # Errors
/// `NotFound` when there is no account with this slug.
pub fn for_staff(reader: &mut Reader, _scope: &StaffScope, slug: &str) -> Result<AccountFacts> {
    let row = row_of(reader, slug)?;
    by_row(reader, row)
}

pub(super) fn by_row(reader: &mut Reader, row: i64) -> Result<AccountFacts> {
    let (account, plan) = accounts::table
        .inner_join(plans::table)
        .filter(accounts::id.eq(row))
        .select((accounts::all_columns, plans::all_columns))
        .first::<(AccountRow, PlanRow)>(&mut reader.conn)?;
    account.with(plan)
}

/// All plans, from the smallest.
///
/// # Errors
/// When the database does not answer.
pub fn plans(reader: &mut Reader) -> Result<Vec<PlanFacts>> {
    let rows = plan_rows(reader)?;
    Ok(rows.into_iter().map(PlanFacts::from).collect())
}

pub(super) fn plan_rows(reader: &mut Reader) -> Result<Vec<PlanRow>> {
    Ok(plans::table
        .order(plans::position.asc())
        .select(plans::all_columns)
        .load::<PlanRow>(&mut reader.conn)?)
}

pub(super) fn row_of(reader: &mut Reader, slug: &str) -> Result<i64> {
    Ok(accounts::table
        .filter(accounts::slug.eq(slug))
        .select(accounts::id)
        .first(&mut reader.conn)?)
}

/// The plan with this slug, if an account of this tier may have it.
fn plan_for(reader: &mut Reader, slug: &str, tier: Tier) -> Result<PlanRow> {
    let plan = plans::table
        .filter(plans::slug.eq(slug))
        .select(plans::all_columns)
        .first::<PlanRow>(&mut reader.conn)
        .optional()?
        .ok_or_else(|| Conflict::PlanUnknown {
            slug: slug.to_owned(),
        })?;
    if plan.enterprise_only && tier != Tier::Enterprise {
        return Err(Conflict::PlanNeedsEnterprise { plan: plan.name }.into());
    }
    Ok(plan)
}
