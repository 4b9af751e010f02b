//! Mails that are to be sent: written with the change that they tell of, gone when a mail server has taken them.
//!
//! It must not know what a mail says, nor how it is sent. A link in a mail comes here sealed.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, RunQueryDsl,
};
use latchkey_rules::email::Email;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::mail::{KeyMails, MailKind, TRIED_FOR_MS, next_try_ms};
use latchkey_rules::time::{MINUTE_MS, Millis};
use sha2::{Digest, Sha256};

use super::columns::{readable, word};
use super::error::{Error, Result};
use super::schema::{accounts, keys, members, outbox, users};
use super::{Reader, Writer};

/// How long a node has for the one mail that it took before another may take it.
const LEASE_MS: i64 = 5 * MINUTE_MS;

/// A link that stands in a mail: what is stored of its token, and the token for the mail alone.
#[derive(Clone)]
pub struct MailedLink {
    /// SHA-256 of the token.
    pub digest: [u8; 32],
    /// The token, sealed.
    pub sealed: Vec<u8>,
}

/// What a mail is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The slug of the account.
    pub account: Option<String>,
    /// The key.
    pub key_id: Option<KeyId>,
    /// The name of the key, or of the account that is to be.
    pub subject: String,
    /// Who did it.
    pub actor: String,
    /// A reason, or a new address.
    pub detail: String,
}

/// Which mail. It can only be handed back to the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailHandle(i64);

/// A mail that is to be sent now.
#[derive(Clone)]
pub struct Mail {
    /// Which.
    pub handle: MailHandle,
    /// The same at each try, so that a mailbox can tell a second copy from a second mail: 32 hexadecimal digits.
    pub message_id: String,
    /// What it tells.
    pub kind: MailKind,
    /// To which address.
    pub email: String,
    /// To whom.
    pub name: String,
    /// What it is about.
    pub about: About,
    /// The token of its link, sealed.
    pub sealed_link: Option<Vec<u8>>,
    /// What that belongs to.
    pub belonging: String,
    /// When what it tells happened.
    pub created_at: Millis,
    /// How often it could not be sent.
    pub tries: i64,
}

/// How many mails wait, and since when the oldest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// How many.
    pub waiting: i64,
    /// Since when.
    pub oldest: Option<Millis>,
}

/// To whom a mail goes.
#[derive(Clone)]
pub(super) struct To {
    pub(super) email: String,
    pub(super) name: String,
}

/// Writes a mail, unless this installation sends none.
pub(super) fn add(
    writer: &mut Writer,
    kind: MailKind,
    to: &To,
    about: &About,
    sealed_link: Option<&[u8]>,
) -> Result<()> {
    if !writer.sends_mail() {
        return Ok(());
    }
    let now = writer.now();
    diesel::insert_into(outbox::table)
        .values((
            outbox::kind.eq(kind.word()),
            outbox::email.eq(&to.email),
            outbox::name.eq(&to.name),
            outbox::account.eq(about.account.as_deref()),
            outbox::key_id.eq(about.key_id.map(|id| id.to_string())),
            outbox::subject.eq(&about.subject),
            outbox::actor.eq(&about.actor),
            outbox::detail.eq(&about.detail),
            outbox::sealed_link.eq(sealed_link),
            outbox::created_at.eq(now.0),
            outbox::next_try_at.eq(now.0),
            outbox::ends_at.eq(now.plus_ms(TRIED_FOR_MS).0),
        ))
        .execute(&mut writer.conn)?;
    Ok(())
}

/// Writes a mail about a key to each of its account's people who want to hear of it.
pub(super) fn tell_of_key(
    writer: &mut Writer,
    kind: MailKind,
    key_id: &KeyId,
    actor: &str,
    detail: &str,
) -> Result<()> {
    type Row = (i64, String, String, Option<i64>);
    if !writer.sends_mail() {
        return Ok(());
    }
    let (account, slug, subject, responsible) = keys::table
        .inner_join(accounts::table)
        .filter(keys::key_id.eq(key_id.as_bytes().as_slice()))
        .select((
            accounts::id,
            accounts::slug,
            keys::name,
            keys::responsible_user_id,
        ))
        .first::<Row>(&mut writer.conn)?;
    let about = About {
        account: Some(slug),
        key_id: Some(*key_id),
        subject,
        actor: actor.to_owned(),
        detail: detail.to_owned(),
    };
    for to in people_of(writer, account, responsible)? {
        add(writer, kind, &to, &about, None)?;
    }
    Ok(())
}

/// Writes a mail about an account to each of its people who want to hear of all that is its.
pub(super) fn tell_of_account(
    writer: &mut Writer,
    kind: MailKind,
    account: i64,
    about: &About,
) -> Result<()> {
    if !writer.sends_mail() {
        return Ok(());
    }
    for to in people_of(writer, account, None)? {
        add(writer, kind, &to, about, None)?;
    }
    Ok(())
}

/// The account's people who hear of all keys, and the one who is responsible if they hear of their own.
fn people_of(reader: &mut Reader, account: i64, responsible: Option<i64>) -> Result<Vec<To>> {
    let of_all = users::key_mails.eq(KeyMails::All.word());
    let of_own = users::key_mails
        .eq(KeyMails::Own.word())
        .and(users::id.eq(responsible.unwrap_or(0)));
    let rows = members::table
        .inner_join(users::table.on(users::id.eq(members::user_id)))
        .filter(members::account_id.eq(account))
        .filter(users::disabled_at.is_null())
        .filter(of_all.or(of_own))
        .order(users::id.asc())
        .select((users::email, users::name))
        .load::<(String, String)>(&mut reader.conn)?;
    Ok(rows
        .into_iter()
        .map(|(email, name)| To { email, name })
        .collect())
}

/// Takes the mail that has been due for longest. Whoever took it has some minutes to say what became of it; after that it
/// is due again, for they may have died.
///
/// # Errors
/// When the database does not answer.
pub fn take_due(writer: &mut Writer) -> Result<Option<Mail>> {
    let now = writer.now();
    let due = outbox::table
        .filter(outbox::next_try_at.le(now.0))
        .filter(outbox::ends_at.gt(now.0))
        .order((outbox::next_try_at.asc(), outbox::id.asc()))
        .select(outbox::id)
        .first::<i64>(&mut writer.conn)
        .optional()?;
    let Some(id) = due else {
        return Ok(None);
    };
    // Asked again, for another node may have taken it between the two statements.
    let taken = diesel::update(
        outbox::table
            .filter(outbox::id.eq(id))
            .filter(outbox::next_try_at.le(now.0)),
    )
    .set(outbox::next_try_at.eq(now.plus_ms(LEASE_MS).0))
    .execute(&mut writer.conn)?;
    if taken == 0 {
        return Ok(None);
    }
    load(writer, id).map(Some)
}

fn load(reader: &mut Reader, id: i64) -> Result<Mail> {
    type Row = (
        String,
        String,
        String,
        Option<String>,
        Option<String>,
        String,
        String,
        String,
        Option<Vec<u8>>,
        i64,
        i64,
    );
    let row = outbox::table
        .filter(outbox::id.eq(id))
        .select((
            outbox::kind,
            outbox::email,
            outbox::name,
            outbox::account,
            outbox::key_id,
            outbox::subject,
            outbox::actor,
            outbox::detail,
            outbox::sealed_link,
            outbox::created_at,
            outbox::tries,
        ))
        .first::<Row>(&mut reader.conn)?;
    let (kind, email, name, account, key_id, subject, actor, detail, sealed_link, at, tries) = row;
    let key_id = key_id.map(|text| readable("key ID", text.parse()));
    let kind = word(&kind, MailKind::from_word)?;
    let to = readable("mail address", Email::parse(&email))?;
    Ok(Mail {
        handle: MailHandle(id),
        message_id: message_id(id, at, &email),
        belonging: belonging(kind, &to),
        kind,
        email,
        name,
        about: About {
            account,
            key_id: key_id.transpose()?,
            subject,
            actor,
            detail,
        },
        sealed_link,
        created_at: Millis(at),
        tries,
    })
}

/// What the sealed link of such a mail belongs to: put into another mail, it does not open.
pub fn belonging(kind: MailKind, email: &Email) -> String {
    format!("mail|{}|{}", kind.word(), email.folded())
}

/// Tells one mail from every other, and nothing about the row.
fn message_id(id: i64, at: i64, email: &str) -> String {
    let digest = Sha256::digest(format!("mail {id} {at} {email}"));
    let half: Vec<u8> = digest.into_iter().take(16).collect();
    data_encoding::HEXLOWER.encode(&half)
}

/// A mail server has it: it is forgotten here.
///
/// # Errors
/// When the database does not answer.
pub fn sent(writer: &mut Writer, handle: MailHandle) -> Result<()> {
    diesel::delete(outbox::table.filter(outbox::id.eq(handle.0))).execute(&mut writer.conn)?;
    Ok(())
}

/// It could not be sent and is tried again later.
///
/// # Errors
/// When the database does not answer.
pub fn failed(writer: &mut Writer, mail: &Mail) -> Result<()> {
    let now = writer.now();
    let tries = mail.tries.saturating_add(1);
    diesel::update(outbox::table.filter(outbox::id.eq(mail.handle.0)))
        .set((
            outbox::tries.eq(tries),
            outbox::next_try_at.eq(now.plus_ms(next_try_ms(tries)).0),
        ))
        .execute(&mut writer.conn)?;
    Ok(())
}

/// Gives up what could not be sent for a day, and says how many that were.
///
/// # Errors
/// When the database does not answer.
pub fn give_up(writer: &mut Writer) -> Result<usize> {
    let now = writer.now();
    Ok(
        diesel::delete(outbox::table.filter(outbox::ends_at.le(now.0)))
            .execute(&mut writer.conn)?,
    )
}

/// How many wait.
///
/// # Errors
/// When the database does not answer.
pub fn queue(reader: &mut Reader) -> Result<Queue> {
    use diesel::dsl::{count_star, min};
    let (waiting, oldest) = outbox::table
        .select((count_star(), min(outbox::created_at)))
        .first::<(i64, Option<i64>)>(&mut reader.conn)?;
    Ok(Queue {
        waiting,
        oldest: oldest.map(Millis),
    })
}

/// The address and name of a user, to write to.
pub(super) fn to_user(reader: &mut Reader, user: i64) -> Result<To> {
    let (email, name) = users::table
        .filter(users::id.eq(user))
        .filter(users::disabled_at.is_null())
        .select((users::email, users::name))
        .first::<(String, String)>(&mut reader.conn)
        .optional()?
        .ok_or(Error::NotFound)?;
    Ok(To { email, name })
}
