//! A person comes to be: by signing up, or by the operator's word.

use diesel::{ExpressionMethods, RunQueryDsl};
use latchkey_rules::billing::Tier;
use latchkey_rules::email::Email;
use latchkey_rules::name::DisplayName;
use latchkey_rules::role::{Role, StaffRole};
use latchkey_rules::slug::Slug;
use serde_json::json;

use super::UserHandle;
use crate::store::Change;
use crate::store::accounts::{self, NewAccount};
use crate::store::audit::{Action, Event, record};
use crate::store::error::{Conflict, Result, unless_unique};
use crate::store::schema::{members, users};
use crate::store::scope::{Actor, ActorKind, OperatorScope, RequestFacts};

/// A sign-up.
pub struct NewSignUp {
    /// The person's name.
    pub person: DisplayName,
    /// The account's name.
    pub company: DisplayName,
    /// The person's address.
    pub email: Email,
    /// Their password's hash.
    pub password_hash: String,
    /// The account's slug, when it is free; else the first free one with a number behind it.
    pub slug_hint: Slug,
    /// The request.
    pub request: RequestFacts,
}

/// A user made by the operator.
pub struct NewUser {
    /// Their name.
    pub name: DisplayName,
    /// Their address.
    pub email: Email,
    /// Their staff role.
    pub staff: Option<StaffRole>,
    /// The account that they are a member of, and as what.
    pub member_of: Option<(Slug, Role)>,
    /// Their password's hash; without one they need a one-time link.
    pub password_hash: Option<String>,
}

/// Makes a user, an account of their own (self-serve, plan Free), and them its owner.
///
/// # Errors
/// `EmailTaken`; the page that asks must not let that show.
pub fn sign_up(change: &mut Change<'_>, new: NewSignUp) -> Result<()> {
    let user = insert(
        change,
        &new.person,
        &new.email,
        None,
        Some(&new.password_hash),
    )?;
    let actor = Actor::user(new.email.as_str(), user, ActorKind::Member, new.request);
    let slug = accounts::free_slug(change, &new.slug_hint)?;
    let account = NewAccount {
        slug,
        name: new.company,
        tier: Tier::SelfServe,
        plan: "free".to_owned(),
    };
    let account = accounts::insert(change, &actor, &account)?;
    record(change, &actor, user_created(&new.email))?;
    join(
        change,
        &actor,
        account,
        user,
        Role::Owner,
        new.email.as_str(),
    )
}

/// Makes a user by the operator's word.
///
/// # Errors
/// `EmailTaken`; `NotFound` when the account is not there.
pub fn create_user(
    change: &mut Change<'_>,
    scope: &OperatorScope,
    new: &NewUser,
) -> Result<UserHandle> {
    let user = insert(
        change,
        &new.name,
        &new.email,
        new.staff,
        new.password_hash.as_deref(),
    )?;
    record(change, scope.actor(), user_created(&new.email))?;
    if let Some((slug, role)) = &new.member_of {
        let account = accounts::row_of(change, slug.as_str())?;
        join(
            change,
            scope.actor(),
            account,
            user,
            *role,
            new.email.as_str(),
        )?;
    }
    Ok(UserHandle(user))
}

fn insert(
    change: &mut Change<'_>,
    name: &DisplayName,
    email: &Email,
    staff: Option<StaffRole>,
    password_hash: Option<&str>,
) -> Result<i64> {
    let now = change.now();
    diesel::insert_into(users::table)
        .values((
            users::email.eq(email.as_str()),
            users::email_key.eq(email.folded()),
            users::name.eq(name.as_str()),
            users::password_hash.eq(password_hash),
            users::staff_role.eq(staff.map(StaffRole::word)),
            users::created_at.eq(now.0),
        ))
        .returning(users::id)
        .get_result(&mut change.conn)
        .map_err(unless_unique(Conflict::EmailTaken))
}

fn user_created(email: &Email) -> Event {
    Event {
        account: None,
        action: Action::UserCreated,
        target: email.as_str().to_owned(),
        before: None,
        after: None,
    }
}

fn join(
    change: &mut Change<'_>,
    actor: &Actor,
    account: i64,
    user: i64,
    role: Role,
    email: &str,
) -> Result<()> {
    let now = change.now();
    diesel::insert_into(members::table)
        .values((
            members::account_id.eq(account),
            members::user_id.eq(user),
            members::role.eq(role.word()),
            members::created_at.eq(now.0),
        ))
        .execute(&mut change.conn)?;
    let event = Event {
        account: Some(account),
        action: Action::MemberAdded,
        target: email.to_owned(),
        before: None,
        after: Some(json!({ "role": role.word() })),
    };
    record(change, actor, event)
}
