//! Who may reach what: the scopes that every function about an account's things takes.
//!
//! A scope is built from an authenticated person and the path, here and nowhere else; it must not know how the person
//! was authenticated.

use std::net::IpAddr;

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use latchkey_rules::billing::Tier;
use latchkey_rules::role::{Role, StaffRole};

use super::columns::word;
use super::error::{Error, Result};
use super::schema::{accounts, members, plans};
use super::users::Person;
use super::{Change, Reader};

/// What is known of the request that asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestFacts {
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// The request's id.
    pub request_id: String,
}

/// Who acts, for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// A mail address, or the name of a command.
    pub label: String,
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// The request's id; empty where there was no request.
    pub request_id: String,
    pub(super) kind: ActorKind,
    pub(super) user: Option<i64>,
}

/// As what somebody acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// A member of the account.
    Member,
    /// Staff.
    Staff,
    /// Whoever runs the installation, by its command line.
    Operator,
    /// A job.
    System,
}

impl ActorKind {
    /// The word that is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Staff => "staff",
            Self::Operator => "operator",
            Self::System => "system",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        [Self::Member, Self::Staff, Self::Operator, Self::System]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

impl Actor {
    /// Whoever runs the installation, by the named means.
    pub fn operator(label: &str) -> Self {
        Self::without_request(label, ActorKind::Operator)
    }

    pub(super) fn system(label: &str) -> Self {
        Self::without_request(label, ActorKind::System)
    }

    /// Somebody who is not signed in, on the named page.
    pub(super) fn page(label: &str, request: RequestFacts) -> Self {
        Self {
            ip: request.ip,
            request_id: request.request_id,
            ..Self::without_request(label, ActorKind::System)
        }
    }

    pub(super) fn user(email: &str, user: i64, kind: ActorKind, request: RequestFacts) -> Self {
        Self {
            label: email.to_owned(),
            ip: request.ip,
            request_id: request.request_id,
            kind,
            user: Some(user),
        }
    }

    fn without_request(label: &str, kind: ActorKind) -> Self {
        Self {
            label: label.to_owned(),
            ip: None,
            request_id: String::new(),
            kind,
            user: None,
        }
    }
}

/// A member in one of their accounts, with the role that the page asks for.
#[derive(Clone, Debug)]
pub struct AccountScope {
    pub(super) account: i64,
    pub(super) user: i64,
    pub(super) person: String,
    at_least: Role,
    slug: String,
    name: String,
    role: Role,
    actor: Actor,
}

impl AccountScope {
    /// The account's slug.
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// The account's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The person's role in it.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Who acts.
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }
}

/// The person's scope in the account with this slug.
///
/// # Errors
/// `NotFound` for a stranger and for an account that does not exist alike; `Forbidden` for a member whose role is too
/// low.
pub fn account(
    reader: &mut Reader,
    person: &Person,
    slug: &str,
    at_least: Role,
    request: RequestFacts,
) -> Result<AccountScope> {
    let user = person.handle().row();
    let (account, slug, name, role) = members::table
        .inner_join(accounts::table)
        .filter(members::user_id.eq(user))
        .filter(accounts::slug.eq(slug))
        .select((accounts::id, accounts::slug, accounts::name, members::role))
        .first::<(i64, String, String, String)>(&mut reader.conn)?;
    let role = word(&role, Role::from_word)?;
    if role < at_least {
        return Err(Error::Forbidden);
    }
    Ok(AccountScope {
        account,
        user,
        person: person.name.clone(),
        at_least,
        slug,
        name,
        role,
        actor: Actor::user(&person.email, user, ActorKind::Member, request),
    })
}

/// What a change of an account's things starts from.
pub(super) struct Locked {
    pub(super) tier: Tier,
    pub(super) plan_is_free: bool,
    pub(super) plan_keys: Option<i64>,
}

/// Begins a change of the account's things: nobody else changes them meanwhile, and the person still has the role that
/// the scope was built with.
pub(super) fn lock_account(change: &mut Change<'_>, scope: &AccountScope) -> Result<Locked> {
    let role = members::table
        .filter(members::user_id.eq(scope.user))
        .filter(members::account_id.eq(scope.account))
        .select(members::role)
        .first::<String>(&mut change.conn)
        .optional()?
        .ok_or(Error::NotFound)?;
    if word(&role, Role::from_word)? < scope.at_least {
        return Err(Error::Forbidden);
    }
    let (tier, plan_is_free, plan_keys) = accounts::table
        .inner_join(plans::table)
        .filter(accounts::id.eq(scope.account))
        .select((accounts::tier, plans::is_free, plans::keys))
        .first::<(String, bool, Option<i64>)>(&mut change.conn)?;
    Ok(Locked {
        tier: word(&tier, Tier::from_word)?,
        plan_is_free,
        plan_keys,
    })
}

/// Staff, with the role that the page asks for.
#[derive(Clone, Debug)]
pub struct StaffScope {
    role: StaffRole,
    actor: Actor,
}

impl StaffScope {
    /// The person's staff role.
    pub const fn role(&self) -> StaffRole {
        self.role
    }

    /// Who acts.
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }
}

/// The person's scope as staff.
///
/// # Errors
/// `NotFound` for whoever is not staff, `Forbidden` for staff whose role is too low.
pub fn staff(person: &Person, at_least: StaffRole, request: RequestFacts) -> Result<StaffScope> {
    let role = person.staff.ok_or(Error::NotFound)?;
    if role < at_least {
        return Err(Error::Forbidden);
    }
    let user = person.handle().row();
    Ok(StaffScope {
        role,
        actor: Actor::user(&person.email, user, ActorKind::Staff, request),
    })
}

/// Whoever runs the installation.
#[derive(Clone, Debug)]
pub struct OperatorScope {
    actor: Actor,
}

impl OperatorScope {
    /// Who acts.
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }
}

/// The operator's scope, by the named means: `command line`, `demo`. No request ever gets one.
pub fn operator(label: &str) -> OperatorScope {
    OperatorScope {
        actor: Actor::operator(label),
    }
}

/// Who may act on any account: an admin, or the operator.
pub trait Overseer: sealed::Sealed {
    /// Who acts, when they may change things.
    ///
    /// # Errors
    /// `Forbidden` for support, who look and change nothing.
    fn may_change(&self) -> Result<&Actor>;
}

impl Overseer for StaffScope {
    fn may_change(&self) -> Result<&Actor> {
        match self.role {
            StaffRole::Admin => Ok(&self.actor),
            StaffRole::Support => Err(Error::Forbidden),
        }
    }
}

impl Overseer for OperatorScope {
    fn may_change(&self) -> Result<&Actor> {
        Ok(&self.actor)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::StaffScope {}
    impl Sealed for super::OperatorScope {}
}
