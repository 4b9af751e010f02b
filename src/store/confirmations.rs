//! Addresses that wait for their people's word: of a sign-up, or the new one of somebody who has an account. Nothing comes
//! to be before the link in the mail was followed, and a taken address is told of by mail alone (T-05).

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use latchkey_rules::email::Email;
use latchkey_rules::mail::MailKind;
use latchkey_rules::name::DisplayName;
use latchkey_rules::slug::Slug;
use latchkey_rules::time::HOUR_MS;

use super::columns::readable;
use super::error::{Error, Result};
use super::outbox::{self, About, MailedLink, To};
use super::schema::{confirmations, users};
use super::scope::RequestFacts;
use super::users::{self as people, NewSignUp, UserHandle};
use super::{Change, Reader, Writer};

/// How long the link works.
pub const WORKS_FOR_MS: i64 = 24 * HOUR_MS;

/// A sign-up that waits.
pub struct PendingSignUp {
    /// The person's name.
    pub person: DisplayName,
    /// The account's name.
    pub company: DisplayName,
    /// The person's address.
    pub email: Email,
    /// Their password's hash.
    pub password_hash: String,
}

/// What became of asking. The page that asked must not let it show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The address is free: its mail has the link.
    Free,
    /// Somebody has it: the mail tells them so.
    Taken,
}

/// What a link confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// A sign-up: the person and their account are there now.
    SignUp,
    /// The new address of a person.
    Address,
}

/// Keeps a sign-up until its address is confirmed, and writes the mail.
///
/// # Errors
/// When the database does not answer.
pub fn ask_sign_up(writer: &mut Writer, new: &PendingSignUp, link: &MailedLink) -> Result<Asked> {
    if let Some(user) = user_of(writer, &new.email)? {
        let to = outbox::to_user(writer, user)?;
        let about = About::default();
        outbox::add(writer, MailKind::SignUpTaken, &to, &about, None)?;
        return Ok(Asked::Taken);
    }
    let now = writer.now();
    diesel::insert_into(confirmations::table)
        .values((
            confirmations::digest.eq(link.digest.as_slice()),
            confirmations::email.eq(new.email.as_str()),
            confirmations::name.eq(new.person.as_str()),
            confirmations::company.eq(new.company.as_str()),
            confirmations::password_hash.eq(&new.password_hash),
            confirmations::created_at.eq(now.0),
            confirmations::expires_at.eq(now.plus_ms(WORKS_FOR_MS).0),
        ))
        .execute(&mut writer.conn)?;
    let to = To {
        email: new.email.as_str().to_owned(),
        name: new.person.as_str().to_owned(),
    };
    let about = About {
        subject: new.company.as_str().to_owned(),
        ..About::default()
    };
    let kind = MailKind::ConfirmSignUp;
    outbox::add(writer, kind, &to, &about, Some(&link.sealed))?;
    Ok(Asked::Free)
}

/// Keeps somebody's new address until it is confirmed, and writes the mail to it.
///
/// # Errors
/// `NotFound` when the person is gone.
pub fn ask_address(
    writer: &mut Writer,
    user: &UserHandle,
    email: &Email,
    link: &MailedLink,
) -> Result<Asked> {
    let person = outbox::to_user(writer, user.row())?;
    let to = To {
        email: email.as_str().to_owned(),
        ..person.clone()
    };
    match user_of(writer, email)? {
        Some(other) if other != user.row() => {
            let about = About::default();
            let to = outbox::to_user(writer, other)?;
            outbox::add(writer, MailKind::AddressTaken, &to, &about, None)?;
            return Ok(Asked::Taken);
        }
        _ => {}
    }
    let now = writer.now();
    diesel::insert_into(confirmations::table)
        .values((
            confirmations::digest.eq(link.digest.as_slice()),
            confirmations::email.eq(email.as_str()),
            confirmations::user_id.eq(user.row()),
            confirmations::created_at.eq(now.0),
            confirmations::expires_at.eq(now.plus_ms(WORKS_FOR_MS).0),
        ))
        .execute(&mut writer.conn)?;
    let about = About {
        actor: person.email,
        ..About::default()
    };
    let kind = MailKind::ConfirmAddress;
    outbox::add(writer, kind, &to, &about, Some(&link.sealed))?;
    Ok(Asked::Free)
}

/// The enabled user who has an address, whatever its letters' case.
fn user_of(reader: &mut Reader, email: &Email) -> Result<Option<i64>> {
    Ok(users::table
        .filter(users::email_key.eq(email.folded()))
        .select(users::id)
        .first(&mut reader.conn)
        .optional()?)
}

/// The address that a link confirms, while it works.
///
/// # Errors
/// When the database does not answer.
pub fn peek(reader: &mut Reader, digest: &[u8; 32]) -> Result<Option<String>> {
    let now = reader.now();
    Ok(confirmations::table
        .filter(confirmations::digest.eq(digest.as_slice()))
        .filter(confirmations::expires_at.gt(now.0))
        .select(confirmations::email)
        .first(&mut reader.conn)
        .optional()?)
}

/// Uses the link up, and does what waited for it.
///
/// # Errors
/// `NotFound` when the link was used, is over, or never was; `EmailTaken` when somebody was quicker.
pub fn confirm(
    change: &mut Change<'_>,
    digest: &[u8; 32],
    request: RequestFacts,
) -> Result<Confirmed> {
    type Row = (
        String,
        Option<i64>,
        Option<String>,
        Option<String>,
        Option<String>,
    );
    let now = change.now();
    let (email, user, name, company, password_hash) = diesel::delete(
        confirmations::table
            .filter(confirmations::digest.eq(digest.as_slice()))
            .filter(confirmations::expires_at.gt(now.0)),
    )
    .returning((
        confirmations::email,
        confirmations::user_id,
        confirmations::name,
        confirmations::company,
        confirmations::password_hash,
    ))
    .get_result::<Row>(&mut change.conn)
    .optional()?
    .ok_or(Error::NotFound)?;
    let email = readable("mail address", Email::parse(&email))?;
    if let Some(user) = user {
        people::change_email(change, &UserHandle::of(user), &email, request)?;
        return Ok(Confirmed::Address);
    }
    let company = readable("name", DisplayName::parse(&company.unwrap_or_default()))?;
    let new = NewSignUp {
        person: readable("name", DisplayName::parse(&name.unwrap_or_default()))?,
        slug_hint: Slug::from_name(company.as_str()),
        company,
        email,
        password_hash: password_hash.unwrap_or_default(),
        request,
    };
    people::sign_up(change, new)?;
    Ok(Confirmed::SignUp)
}

/// Forgets what was not confirmed in time, and says how many.
///
/// # Errors
/// When the database does not answer.
pub fn sweep(writer: &mut Writer) -> Result<usize> {
    let now = writer.now();
    let over = confirmations::table.filter(confirmations::expires_at.le(now.0));
    Ok(diesel::delete(over).execute(&mut writer.conn)?)
}
