//! Links that work once: kept by the SHA-256 of their token, used up by the POST that they lead to.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use latchkey_rules::time::{DAY_MS, Millis};

use super::audit::{Action, Event, record};
use super::error::{Error, Result};
use super::schema::{one_time_links, users};
use super::scope::{Actor, ActorKind, RequestFacts};
use super::users::{self as people, UserHandle};
use super::{Change, Reader, Writer, sessions};

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It lets a user set their password.
    SetPassword,
}

impl Purpose {
    /// The word that is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SetPassword => "set_password",
        }
    }
}

/// Makes a link for a user. Their older links of this purpose stop working.
///
/// # Errors
/// `NotFound` when the user is gone.
pub fn create(
    change: &mut Change<'_>,
    user: &UserHandle,
    purpose: Purpose,
    digest: [u8; 32],
    expires_at: Millis,
) -> Result<()> {
    let now = change.now();
    let email = people::person(change, user)?.email;
    diesel::delete(
        one_time_links::table
            .filter(one_time_links::user_id.eq(user.row()))
            .filter(one_time_links::purpose.eq(purpose.word()))
            .filter(one_time_links::used_at.is_null()),
    )
    .execute(&mut change.conn)?;
    diesel::insert_into(one_time_links::table)
        .values((
            one_time_links::digest.eq(digest.as_slice()),
            one_time_links::purpose.eq(purpose.word()),
            one_time_links::user_id.eq(user.row()),
            one_time_links::created_at.eq(now.0),
            one_time_links::expires_at.eq(expires_at.0),
        ))
        .execute(&mut change.conn)?;
    let event = Event {
        account: None,
        action: Action::LinkCreated,
        target: email,
        before: None,
        after: None,
    };
    record(change, &Actor::operator("command line"), event)
}

/// The address of the user whose link this is, while it works.
///
/// # Errors
/// When the database does not answer.
pub fn peek(reader: &mut Reader, digest: &[u8; 32], purpose: Purpose) -> Result<Option<String>> {
    let now = reader.now();
    Ok(one_time_links::table
        .inner_join(users::table)
        .filter(one_time_links::digest.eq(digest.as_slice()))
        .filter(one_time_links::purpose.eq(purpose.word()))
        .filter(one_time_links::used_at.is_null())
        .filter(one_time_links::expires_at.gt(now.0))
        .filter(users::disabled_at.is_null())
        .select(users::email)
        .first(&mut reader.conn)
        .optional()?)
}

/// Uses the link up: sets the password of its user and ends their sessions, or does nothing at all.
///
/// # Errors
/// `NotFound` when the link was used, is over, or never was.
pub fn consume_set_password(
    change: &mut Change<'_>,
    digest: &[u8; 32],
    hash: &str,
    request: RequestFacts,
) -> Result<()> {
    let now = change.now();
    let user: i64 = diesel::update(
        one_time_links::table
            .filter(one_time_links::digest.eq(digest.as_slice()))
            .filter(one_time_links::purpose.eq(Purpose::SetPassword.word()))
            .filter(one_time_links::used_at.is_null())
            .filter(one_time_links::expires_at.gt(now.0)),
    )
    .set(one_time_links::used_at.eq(now.0))
    .returning(one_time_links::user_id)
    .get_result(&mut change.conn)
    .optional()?
    .ok_or(Error::NotFound)?;
    let handle = UserHandle::of(user);
    let person = people::person(change, &handle)?;
    let actor = Actor::user(&person.email, user, ActorKind::Member, request);
    people::store_password(change, &actor, handle, hash)?;
    sessions::delete_of_user(change, &handle)?;
    Ok(())
}

/// Forgets links that ended more than a day ago, and says how many.
///
/// # Errors
/// When the database does not answer.
pub fn sweep(writer: &mut Writer) -> Result<usize> {
    let end = writer.now().plus_ms(-DAY_MS);
    let over = one_time_links::table.filter(one_time_links::expires_at.lt(end.0));
    Ok(diesel::delete(over).execute(&mut writer.conn)?)
}
