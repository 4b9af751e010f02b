//! Links that work once: kept by the SHA-256 of their token, used up by the POST that they lead to.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use latchkey_rules::mail::MailKind;
use latchkey_rules::time::{DAY_MS, MINUTE_MS, Millis};

use super::audit::{Action, Event, record};
use super::error::{Error, Result};
use super::outbox::{self, About, MailedLink};
use super::schema::{one_time_links, users};
use super::scope::{Actor, ActorKind, RequestFacts};
use super::users::{self as people, UserHandle};
use super::{Change, Reader, Writer};

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It lets a user set their first password; the operator made it.
    SetPassword,
    /// It lets a user set another password; they asked for it.
    ResetPassword,
}

impl Purpose {
    /// The word that is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SetPassword => "set_password",
            Self::ResetPassword => "reset_password",
        }
    }
}

/// How long a link to reset a password works.
pub const RESET_WORKS_FOR_MS: i64 = 30 * MINUTE_MS;

/// Makes a link with which a user sets their first password. Older ones stop working.
///
/// # Errors
/// `NotFound` when the user is gone.
pub fn create(
    change: &mut Change<'_>,
    user: &UserHandle,
    digest: [u8; 32],
    expires_at: Millis,
) -> Result<()> {
    let email = people::person(change, user)?.email;
    delete_unused(change, user.row(), &[Purpose::SetPassword])?;
    keep(
        change,
        user.row(),
        Purpose::SetPassword,
        &digest,
        expires_at,
    )?;
    record(
        change,
        &Actor::operator("command line"),
        link_created(email),
    )
}

/// Writes a mail with a link to reset a password, if somebody has this folded address, and says whether. Older links go
/// on working: whoever asks again must not take them away.
///
/// # Errors
/// When the database does not answer.
pub fn ask_reset(
    change: &mut Change<'_>,
    email_folded: &str,
    link: &MailedLink,
    request: RequestFacts,
) -> Result<bool> {
    let Some(known) = people::credentials(change, email_folded)? else {
        return Ok(false);
    };
    let user = known.handle.row();
    let ends = change.now().plus_ms(RESET_WORKS_FOR_MS);
    keep(change, user, Purpose::ResetPassword, &link.digest, ends)?;
    let to = outbox::to_user(change, user)?;
    let about = About::default();
    let kind = MailKind::ResetPassword;
    outbox::add(change, kind, &to, &about, Some(&link.sealed))?;
    let actor = Actor::page("password reset", request);
    record(change, &actor, link_created(to.email))?;
    Ok(true)
}

/// Ends whatever links a user has: what they were sent before must not open what is theirs now.
pub(super) fn end_all(writer: &mut Writer, user: i64) -> Result<()> {
    delete_unused(
        writer,
        user,
        &[Purpose::SetPassword, Purpose::ResetPassword],
    )
}

fn link_created(email: String) -> Event {
    Event {
        account: None,
        action: Action::LinkCreated,
        target: email,
        before: None,
        after: None,
    }
}

fn delete_unused(writer: &mut Writer, user: i64, purposes: &[Purpose]) -> Result<()> {
    let words: Vec<&str> = purposes.iter().map(|purpose| purpose.word()).collect();
    diesel::delete(
        one_time_links::table
            .filter(one_time_links::user_id.eq(user))
            .filter(one_time_links::purpose.eq_any(words))
            .filter(one_time_links::used_at.is_null()),
    )
    .execute(&mut writer.conn)?;
    Ok(())
}

fn keep(
    writer: &mut Writer,
    user: i64,
    purpose: Purpose,
    digest: &[u8; 32],
    expires_at: Millis,
) -> Result<()> {
    let now = writer.now();
    diesel::insert_into(one_time_links::table)
        .values((
            one_time_links::digest.eq(digest.as_slice()),
            one_time_links::purpose.eq(purpose.word()),
            one_time_links::user_id.eq(user),
            one_time_links::created_at.eq(now.0),
            one_time_links::expires_at.eq(expires_at.0),
        ))
        .execute(&mut writer.conn)?;
    Ok(())
}

/// Whose link it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkOwner {
    /// Their name.
    pub name: String,
    /// Their mail address.
    pub email: String,
}

/// The user whose link this is, while it works.
///
/// # Errors
/// When the database does not answer.
pub fn peek(reader: &mut Reader, digest: &[u8; 32]) -> Result<Option<LinkOwner>> {
    let now = reader.now();
    let owner: Option<(String, String)> = one_time_links::table
        .inner_join(users::table)
        .filter(one_time_links::digest.eq(digest.as_slice()))
        .filter(one_time_links::used_at.is_null())
        .filter(one_time_links::expires_at.gt(now.0))
        .filter(users::disabled_at.is_null())
        .select((users::name, users::email))
        .first(&mut reader.conn)
        .optional()?;
    Ok(owner.map(|(name, email)| LinkOwner { name, email }))
}

/// Uses the link up: sets the password of its user, ends their sessions and other links, and tells them by mail; or does
/// nothing at all.
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
    people::replace_password(change, &actor, handle, hash)
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
