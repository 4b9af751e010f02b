//! What people change of themselves. Whoever else holds the account hears of it by mail (T-19).

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use latchkey_rules::email::Email;
use latchkey_rules::mail::{KeyMails, MailKind};
use latchkey_rules::name::DisplayName;
use serde_json::json;

use super::{UserHandle, person, store_password};
use crate::store::audit::{Action, Event, record};
use crate::store::error::{Conflict, Error, Result, unless_unique};
use crate::store::one_time_links;
use crate::store::outbox::{self, About, To};
use crate::store::schema::users;
use crate::store::scope::{Actor, ActorKind, RequestFacts};
use crate::store::sessions;
use crate::store::{Change, Writer};

/// Changes a person's name.
///
/// # Errors
/// `NotFound` when they are gone.
pub fn rename(
    change: &mut Change<'_>,
    handle: &UserHandle,
    name: &DisplayName,
    request: RequestFacts,
) -> Result<()> {
    let before = person(change, handle)?;
    diesel::update(users::table.filter(users::id.eq(handle.row())))
        .set(users::name.eq(name.as_str()))
        .execute(&mut change.conn)?;
    let actor = Actor::user(&before.email, handle.row(), ActorKind::Member, request);
    let event = Event {
        account: None,
        action: Action::UserRenamed,
        target: before.email,
        before: Some(json!({ "name": before.name })),
        after: Some(json!({ "name": name.as_str() })),
    };
    record(change, &actor, event)
}

/// Replaces a person's password with another, ends their sessions and links, and tells them by mail.
///
/// # Errors
/// `NotFound` when they are gone.
pub fn change_password(
    change: &mut Change<'_>,
    handle: &UserHandle,
    hash: &str,
    request: RequestFacts,
) -> Result<()> {
    let email = person(change, handle)?.email;
    let actor = Actor::user(&email, handle.row(), ActorKind::Member, request);
    replace_password(change, &actor, *handle, hash)
}

pub(in crate::store) fn replace_password(
    change: &mut Change<'_>,
    actor: &Actor,
    handle: UserHandle,
    hash: &str,
) -> Result<()> {
    store_password(change, actor, handle, hash)?;
    sessions::delete_of_user(change, &handle)?;
    one_time_links::end_all(change, handle.row())?;
    let to = outbox::to_user(change, handle.row())?;
    let kind = MailKind::PasswordChanged;
    outbox::add(change, kind, &to, &About::default(), None)
}

/// Gives a person another mail address, and tells the old one. Links that the old one was sent open nothing any more.
///
/// # Errors
/// `EmailTaken`; `NotFound` when they are gone.
pub fn change_email(
    change: &mut Change<'_>,
    handle: &UserHandle,
    email: &Email,
    request: RequestFacts,
) -> Result<()> {
    let before = person(change, handle)?;
    diesel::update(users::table.filter(users::id.eq(handle.row())))
        .set((
            users::email.eq(email.as_str()),
            users::email_key.eq(email.folded()),
        ))
        .execute(&mut change.conn)
        .map_err(unless_unique(Conflict::EmailTaken))?;
    one_time_links::end_all(change, handle.row())?;
    let to = To {
        email: before.email.clone(),
        name: before.name,
    };
    let about = About {
        detail: email.as_str().to_owned(),
        ..About::default()
    };
    outbox::add(change, MailKind::AddressChanged, &to, &about, None)?;
    let actor = Actor::user(&before.email, handle.row(), ActorKind::Member, request);
    let event = Event {
        account: None,
        action: Action::EmailChanged,
        target: email.as_str().to_owned(),
        before: Some(json!({ "email": before.email })),
        after: Some(json!({ "email": email.as_str() })),
    };
    record(change, &actor, event)
}

/// Keeps of which keys a person wants mails.
///
/// # Errors
/// `NotFound` when they are gone.
pub fn set_key_mails(writer: &mut Writer, handle: &UserHandle, choice: KeyMails) -> Result<()> {
    let changed = diesel::update(users::table.filter(users::id.eq(handle.row())))
        .set(users::key_mails.eq(choice.word()))
        .execute(&mut writer.conn)?;
    if changed == 0 {
        return Err(Error::NotFound);
    }
    Ok(())
}
