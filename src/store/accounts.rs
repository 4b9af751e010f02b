//! Accounts: who owns keys, on which plan, and whether they are suspended.
//!
//! It must not know the limits' meaning; a plan is a row of numbers here.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, RunQueryDsl};
use latchkey_rules::billing::{Tier, default_for};
use latchkey_rules::name::DisplayName;
use latchkey_rules::role::Role;
use latchkey_rules::slug::{self, Slug};
use latchkey_rules::time::Millis;
use serde_json::json;

use super::audit::{Action, Event, record};
use super::changes::{ChangeKind, log, next_generation};
use super::columns::{unreadable, word};
use super::error::{Conflict, Error, Result, unless_unique};
use super::schema::{accounts, keys, members, plans};
use super::scope::{AccountScope, Actor, OperatorScope, Overseer, StaffScope};
use super::users::Person;
use super::{Change, Reader};

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
    id: i64,
    slug: String,
    name: String,
    _name_key: String,
    tier: String,
    _plan_row: i64,
    _created_at: i64,
    suspended_at: Option<i64>,
    suspended_by: Option<String>,
    suspended_reason: Option<String>,
    generation: i64,
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

/// Makes an account.
///
/// # Errors
/// `SlugTaken`, `PlanUnknown`, `PlanNeedsEnterprise`.
pub fn create(change: &mut Change<'_>, scope: &OperatorScope, new: &NewAccount) -> Result<()> {
    insert(change, scope.actor(), new)?;
    Ok(())
}

pub(super) fn insert(change: &mut Change<'_>, actor: &Actor, new: &NewAccount) -> Result<i64> {
    let now = change.now();
    let plan = plan(change, &new.plan, new.tier)?;
    let row: i64 = diesel::insert_into(accounts::table)
        .values((
            accounts::slug.eq(new.slug.as_str()),
            accounts::name.eq(new.name.as_str()),
            accounts::name_key.eq(new.name.folded()),
            accounts::tier.eq(new.tier.word()),
            accounts::plan_row.eq(plan.id),
            accounts::created_at.eq(now.0),
            accounts::generation.eq(1),
        ))
        .returning(accounts::id)
        .get_result(&mut change.conn)
        .map_err(unless_unique(Conflict::SlugTaken))?;
    log(change, ChangeKind::Account, row, 1)?;
    let event = Event {
        account: Some(row),
        action: Action::AccountCreated,
        target: new.slug.to_string(),
        before: None,
        after: Some(json!({ "tier": new.tier.word(), "plan": plan.slug })),
    };
    record(change, actor, event)?;
    Ok(row)
}

fn plan(reader: &mut Reader, slug: &str, tier: Tier) -> Result<PlanRow> {
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

/// Gives an account another plan. The keys of a self-serve account are billed as the new plan says.
///
/// # Errors
/// `NotFound`, `PlanUnknown`, `PlanNeedsEnterprise`; `Forbidden` for support.
pub fn set_plan(
    change: &mut Change<'_>,
    by: &impl Overseer,
    slug: &str,
    plan_slug: &str,
) -> Result<()> {
    let actor = by.may_change()?;
    let row = row_of(change, slug)?;
    let before = by_row(change, row)?;
    let plan = plan(change, plan_slug, before.tier)?;
    diesel::update(accounts::table.filter(accounts::id.eq(row)))
        .set(accounts::plan_row.eq(plan.id))
        .execute(&mut change.conn)?;
    if before.tier == Tier::SelfServe {
        let billing = default_for(before.tier, plan.is_free);
        diesel::update(keys::table.filter(keys::account_id.eq(row)))
            .set(keys::billing_type.eq(billing.word()))
            .execute(&mut change.conn)?;
    }
    let event = Event {
        account: Some(row),
        action: Action::AccountPlanChanged,
        target: before.slug,
        before: Some(json!({ "plan": before.plan.slug })),
        after: Some(json!({ "plan": plan.slug })),
    };
    record(change, actor, event)?;
    touched(change, row)
}

/// Suspends an account: its keys are refused until it is resumed.
///
/// # Errors
/// `NotFound`; `Stale` when it is suspended; `Forbidden` for support.
pub fn suspend(
    change: &mut Change<'_>,
    by: &impl Overseer,
    slug: &str,
    reason: &str,
) -> Result<()> {
    let actor = by.may_change()?;
    let now = change.now();
    let row = row_of(change, slug)?;
    let suspended = diesel::update(
        accounts::table
            .filter(accounts::id.eq(row))
            .filter(accounts::suspended_at.is_null()),
    )
    .set((
        accounts::suspended_at.eq(now.0),
        accounts::suspended_by.eq(&actor.label),
        accounts::suspended_reason.eq(reason),
    ))
    .execute(&mut change.conn)?;
    if suspended == 0 {
        return Err(Conflict::Stale.into());
    }
    let event = Event {
        account: Some(row),
        action: Action::AccountSuspended,
        target: slug.to_owned(),
        before: None,
        after: Some(json!({ "reason": reason })),
    };
    record(change, actor, event)?;
    touched(change, row)
}

/// Ends an account's suspension.
///
/// # Errors
/// `NotFound`; `Stale` when it is not suspended; `Forbidden` for support.
pub fn resume(change: &mut Change<'_>, by: &impl Overseer, slug: &str) -> Result<()> {
    let actor = by.may_change()?;
    let row = row_of(change, slug)?;
    let resumed = diesel::update(
        accounts::table
            .filter(accounts::id.eq(row))
            .filter(accounts::suspended_at.is_not_null()),
    )
    .set((
        accounts::suspended_at.eq(None::<i64>),
        accounts::suspended_by.eq(None::<String>),
        accounts::suspended_reason.eq(None::<String>),
    ))
    .execute(&mut change.conn)?;
    if resumed == 0 {
        return Err(Conflict::Stale.into());
    }
    let event = Event {
        account: Some(row),
        action: Action::AccountResumed,
        target: slug.to_owned(),
        before: None,
        after: None,
    };
    record(change, actor, event)?;
    touched(change, row)
}

/// The account's row got its next generation, which the change log names.
fn touched(change: &mut Change<'_>, row: i64) -> Result<()> {
    let account = accounts::table
        .filter(accounts::id.eq(row))
        .select(accounts::all_columns)
        .first::<AccountRow>(&mut change.conn)?;
    let generation = next_generation(account.generation)?;
    diesel::update(accounts::table.filter(accounts::id.eq(account.id)))
        .set(accounts::generation.eq(generation))
        .execute(&mut change.conn)?;
    log(change, ChangeKind::Account, row, generation)
}

pub(super) fn row_of(reader: &mut Reader, slug: &str) -> Result<i64> {
    Ok(accounts::table
        .filter(accounts::slug.eq(slug))
        .select(accounts::id)
        .first(&mut reader.conn)?)
}

/// The first slug of `hint`, `hint-2`, `hint-3` … that no account has.
pub(super) fn free_slug(reader: &mut Reader, hint: &Slug) -> Result<Slug> {
    for number in 1..1_000 {
        let candidate = if number == 1 {
            hint.clone()
        } else {
            numbered(hint, number)?
        };
        match row_of(reader, candidate.as_str()) {
            Err(Error::NotFound) => return Ok(candidate),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Err(Conflict::SlugTaken.into())
}

fn numbered(hint: &Slug, number: i32) -> Result<Slug> {
    let tail = format!("-{number}");
    let room = slug::MAX_CHARS - tail.len();
    let head: String = hint.as_str().chars().take(room).collect();
    Slug::parse(&format!("{}{tail}", head.trim_end_matches('-'))).map_err(|_| unreadable("slug"))
}
