//! People: who signs in, and of which accounts they are members.
//!
//! It must not know how a password is hashed or checked.

mod create;
mod profile;

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use latchkey_rules::email::Email;
use latchkey_rules::mail::KeyMails;
use latchkey_rules::role::StaffRole;

use super::audit::{Action, Event, record};
use super::columns::{word, word_if};
use super::error::{Error, Result};
use super::schema::users;
use super::scope::{Actor, ActorKind, OperatorScope, RequestFacts};
use super::{Change, Reader, Writer};

pub use create::{NewSignUp, NewUser, create_user, sign_up};
pub(super) use profile::replace_password;
pub use profile::{change_email, change_password, rename, set_key_mails};

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
    /// Of which keys they get mails.
    pub key_mails: KeyMails,
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
        String,
    );
    let (name, email, staff, theme, zone, key_mails) = users::table
        .filter(users::id.eq(handle.0))
        .filter(users::disabled_at.is_null())
        .select((
            users::name,
            users::email,
            users::staff_role,
            users::theme,
            users::zone,
            users::key_mails,
        ))
        .first::<Row>(&mut reader.conn)?;
    Ok(Person {
        name,
        email,
        staff: word_if(staff.as_deref(), StaffRole::from_word)?,
        theme,
        zone,
        key_mails: word(&key_mails, KeyMails::from_word)?,
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
