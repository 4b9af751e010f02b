//! People: who signs in, and of which accounts they are members.
//!
//! It must not know how a password is hashed or checked.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use latchkey_rules::billing::Tier;
use latchkey_rules::email::Email;
use latchkey_rules::name::DisplayName;
use latchkey_rules::role::{Role, StaffRole};
use latchkey_rules::slug::Slug;
use serde_json::json;

use super::accounts::{self, NewAccount};
use super::audit::{Action, Event, record};
use super::columns::word_if;
use super::error::{Conflict, Error, Result, unless_unique};
use super::schema::{members, users};
use super::scope::{Actor, ActorKind, OperatorScope, RequestFacts};
use super::{Change, Reader, Writer};

/// Which user. It tells nothing and can only be handed back to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UserHandle(i64);

impl UserHandle {
    pub(super) const fn of(row: i64) -> Self {
        Self(row)
    }

    pub(super) const fn row(self) -> i64 {
        self.0
    }

    /// As text for the state of a session, which the server alone keeps.
    pub fn to_text(self) -> String {
        format!("u{:x}", self.0)
    }

    /// Reads what [`UserHandle::to_text`] wrote.
    pub fn from_text(text: &str) -> Option<Self> {
        let row = i64::from_str_radix(text.strip_prefix('u')?, 16).ok()?;
        (row > 0).then_some(Self(row))
    }
}

/// An authenticated person.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their name.
    pub name: String,
    /// Their mail address.
    pub email: String,
    /// Their staff role.
    pub staff: Option<StaffRole>,
    /// The theme they chose.
    pub theme: Option<String>,
    /// The time zone they chose.
    pub zone: Option<String>,
    handle: UserHandle,
}

impl Person {
    /// Which user they are.
    pub const fn handle(&self) -> UserHandle {
        self.handle
    }
}

/// What a sign-in compares with.
#[derive(Clone)]
pub struct Credentials {
    /// Which user.
    pub handle: UserHandle,
    /// Their password's hash; none until a one-time link set one.
    pub password_hash: Option<String>,
    /// Their staff role.
    pub staff: Option<StaffRole>,
}

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

/// The user with this address, for the operator.
///
/// # Errors
/// When the database does not answer.
pub fn find(
    reader: &mut Reader,
    _scope: &OperatorScope,
    email: &Email,
) -> Result<Option<UserHandle>> {
    Ok(credentials(reader, &email.folded())?.map(|c| c.handle))
}

/// What a sign-in with this folded address compares with.
///
/// # Errors
/// When the database does not answer.
pub fn credentials(reader: &mut Reader, email_folded: &str) -> Result<Option<Credentials>> {
    users::table
        .filter(users::email_key.eq(email_folded))
        .filter(users::disabled_at.is_null())
        .select((users::id, users::password_hash, users::staff_role))
        .first::<(i64, Option<String>, Option<String>)>(&mut reader.conn)
        .optional()?
        .map(|(id, password_hash, staff)| {
            Ok(Credentials {
                handle: UserHandle(id),
                password_hash,
                staff: word_if(staff.as_deref(), StaffRole::from_word)?,
            })
        })
        .transpose()
}

/// The person that a session belongs to.
///
/// # Errors
/// `NotFound` when they are gone or disabled.
pub fn person(reader: &mut Reader, handle: &UserHandle) -> Result<Person> {
    type Row = (
        String,
        String,
        Option<String>,
        Option<String>,
        Option<String>,
    );
    let (name, email, staff, theme, zone) = users::table
        .filter(users::id.eq(handle.0))
        .filter(users::disabled_at.is_null())
        .select((
            users::name,
            users::email,
            users::staff_role,
            users::theme,
            users::zone,
        ))
        .first::<Row>(&mut reader.conn)?;
    Ok(Person {
        name,
        email,
        staff: word_if(staff.as_deref(), StaffRole::from_word)?,
        theme,
        zone,
        handle: *handle,
    })
}

/// Replaces a password's hash with a stronger one of the same password.
///
/// # Errors
/// `NotFound` when the user is gone.
pub fn set_password(change: &mut Change<'_>, handle: &UserHandle, hash: &str) -> Result<()> {
    let person = person(change, handle)?;
    let actor = Actor::user(
        &person.email,
        handle.0,
        ActorKind::Member,
        RequestFacts::default(),
    );
    store_password(change, &actor, *handle, hash)
}

/// Stores a password's hash.
pub(super) fn store_password(
    change: &mut Change<'_>,
    actor: &Actor,
    handle: UserHandle,
    hash: &str,
) -> Result<()> {
    let email: String = diesel::update(users::table.filter(users::id.eq(handle.0)))
        .set(users::password_hash.eq(hash))
        .returning(users::email)
        .get_result(&mut change.conn)?;
    let event = Event {
        account: None,
        action: Action::PasswordSet,
        target: email,
        before: None,
        after: None,
    };
    record(change, actor, event)
}

/// Keeps how the person wants pages to look.
///
/// # Errors
/// `NotFound` when the user is gone.
pub fn set_preferences(
    writer: &mut Writer,
    handle: &UserHandle,
    theme: Option<&str>,
    zone: Option<&str>,
) -> Result<()> {
    let changed = diesel::update(users::table.filter(users::id.eq(handle.0)))
        .set((users::theme.eq(theme), users::zone.eq(zone)))
        .execute(&mut writer.conn)?;
    if changed == 0 {
        return Err(Error::NotFound);
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_survives_its_text_and_nothing_else_makes_one() {
        let handle = UserHandle(4711);
        assert_eq!(UserHandle::from_text(&handle.to_text()), Some(handle));
        for text in ["", "u", "u-1", "u0", "4711", "ux"] {
            assert_eq!(UserHandle::from_text(text), None, "{text}");
        }
    }
}
