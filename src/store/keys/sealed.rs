//! Secrets that can be read again: kept sealed beside their digests, where the key's kind or all of its products allow it.
//!
//! It must not know how they are sealed: it takes bytes and gives them back.

use std::fmt;

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::mail::MailKind;
use latchkey_rules::role::Role;
use latchkey_rules::secret::Digest;
use latchkey_rules::time::HOUR_MS;
use serde_json::json;

use super::change::find_own;
use super::get;
use crate::store::audit::{Action, Event, record};
use crate::store::columns::{digest, key_id as read_key_id};
use crate::store::error::{Conflict, Error, Result};
use crate::store::outbox;
use crate::store::schema::{accounts, audit_events, key_products, keys, products, secrets};
use crate::store::scope::{AccountScope, OperatorScope, lock_account};
use crate::store::{Change, Reader};

/// Secrets that one run of [`rekey`] seals anew.
const PIECE: i64 = 200;

/// A sealed secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The id of the master key that it is sealed with.
    pub by: String,
    /// The sealed bytes.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed(by {})", self.by)
    }
}

/// What a sealed secret is bound to, so that it opens nowhere else: its account, its key and its digest.
pub fn sealed_about(account: &str, key_id: &KeyId, digest: &Digest) -> String {
    let digest = data_encoding::HEXLOWER.encode(digest.as_bytes());
    format!("secrets {account} {key_id} {digest}")
}

/// Whether a secret of such a key may be read again: a browser key's any day, a server key's where every product says so.
pub(super) fn may_be_sealed(
    reader: &mut Reader,
    kind: KeyKind,
    product_rows: &[i64],
) -> Result<bool> {
    if kind == KeyKind::Browser {
        return Ok(true);
    }
    let unwilling: i64 = products::table
        .filter(products::id.eq_any(product_rows.to_vec()))
        .filter(products::recoverable.eq(false))
        .count()
        .get_result(&mut reader.conn)?;
    Ok(unwilling == 0 && !product_rows.is_empty())
}

/// The rows of the key's products.
pub(super) fn product_rows(reader: &mut Reader, key: i64) -> Result<Vec<i64>> {
    Ok(key_products::table
        .filter(key_products::key_row.eq(key))
        .select(key_products::product_row)
        .load(&mut reader.conn)?)
}

/// From now on no secret of the key can be read again.
pub(super) fn forget_sealed(change: &mut Change<'_>, key: i64) -> Result<()> {
    let sealed = secrets::table
        .filter(secrets::key_row.eq(key))
        .filter(secrets::sealed_by.is_not_null());
    diesel::update(sealed)
        .set((
            secrets::ciphertext.eq(None::<Vec<u8>>),
            secrets::sealed_by.eq(None::<String>),
        ))
        .execute(&mut change.conn)?;
    Ok(())
}

/// A secret that is about to be shown.
pub struct Revealed {
    /// Its digest, to which it is bound.
    pub digest: Digest,
    /// The sealed bytes.
    pub bytes: Vec<u8>,
}

/// Takes out the key's newest secret, to be shown to whoever asks. It stands in the audit log before it is shown; of a server
/// key the key's people get a mail. A viewer may have a browser key's alone.
///
/// # Errors
/// `NotFound` when there is no such key or its secret cannot be read again; `Forbidden`; `TooManyReveals` when the person
/// had as many within the hour as `most_per_hour`.
pub fn reveal(
    change: &mut Change<'_>,
    scope: &AccountScope,
    key_id: &KeyId,
    most_per_hour: i64,
) -> Result<Revealed> {
    lock_account(change, scope)?;
    let found = find_own(change, scope, key_id)?;
    let key = get(change, scope, key_id)?;
    if key.kind == KeyKind::Server && scope.role() < Role::Developer {
        return Err(Error::Forbidden);
    }
    let newest: Option<(i16, Vec<u8>, Option<Vec<u8>>)> = secrets::table
        .filter(secrets::key_row.eq(found.row))
        .order(secrets::number.desc())
        .select((secrets::number, secrets::digest, secrets::ciphertext))
        .first(&mut change.conn)
        .optional()?;
    let Some((number, of, Some(bytes))) = newest else {
        return Err(Error::NotFound);
    };
    keep_to_limit(change, scope, most_per_hour)?;
    let event = Event {
        account: Some(found.account),
        action: Action::SecretRevealed,
        target: key_id.to_string(),
        before: None,
        after: Some(json!({ "secret": number })),
    };
    record(change, scope.actor(), event)?;
    if key.kind == KeyKind::Server {
        let actor = &scope.actor().label;
        outbox::tell_of_key(change, MailKind::SecretRevealed, key_id, actor, "")?;
    }
    Ok(Revealed {
        digest: Digest::from_bytes(digest(&of)?),
        bytes,
    })
}

fn keep_to_limit(change: &mut Change<'_>, scope: &AccountScope, most: i64) -> Result<()> {
    let since = change.now().plus_ms(-HOUR_MS);
    let count: i64 = audit_events::table
        .filter(audit_events::account_id.eq(scope.account))
        .filter(audit_events::actor_user_id.eq(scope.user))
        .filter(audit_events::action.eq(Action::SecretRevealed.word()))
        .filter(audit_events::at.gt(since.0))
        .count()
        .get_result(&mut change.conn)?;
    if count >= most {
        return Err(Conflict::TooManyReveals.into());
    }
    Ok(())
}

/// The ids of the master keys that secrets are sealed with.
///
/// # Errors
/// When the database does not answer.
pub fn sealing_keys(reader: &mut Reader) -> Result<Vec<String>> {
    let ids: Vec<Option<String>> = secrets::table
        .filter(secrets::sealed_by.is_not_null())
        .select(secrets::sealed_by)
        .distinct()
        .order(secrets::sealed_by.asc())
        .load(&mut reader.conn)?;
    Ok(ids.into_iter().flatten().collect())
}

/// Seals secrets anew that another key than `in_use` sealed, and says of how many; call it until that is none. `anew` gets
/// what a secret is bound to, and its bytes.
///
/// # Errors
/// When the database does not answer, or `anew` fails.
pub fn rekey(
    change: &mut Change<'_>,
    operator: &OperatorScope,
    in_use: &str,
    anew: impl Fn(&str, &[u8]) -> Result<Sealed>,
) -> Result<usize> {
    type Row = (i64, i16, Vec<u8>, Option<Vec<u8>>, Vec<u8>, String);
    let rows: Vec<Row> = secrets::table
        .inner_join(keys::table.inner_join(accounts::table))
        .filter(secrets::sealed_by.ne(in_use))
        .order((secrets::key_row.asc(), secrets::number.asc()))
        .limit(PIECE)
        .select((
            secrets::key_row,
            secrets::number,
            secrets::digest,
            secrets::ciphertext,
            keys::key_id,
            accounts::slug,
        ))
        .load(&mut change.conn)?;
    let count = rows.len();
    for (key, number, of, bytes, id, account) in rows {
        let about = sealed_about(
            &account,
            &read_key_id(&id)?,
            &Digest::from_bytes(digest(&of)?),
        );
        let sealed = anew(&about, &bytes.unwrap_or_default())?;
        let own = secrets::table.find((key, number));
        diesel::update(own)
            .set((
                secrets::ciphertext.eq(sealed.bytes),
                secrets::sealed_by.eq(sealed.by),
            ))
            .execute(&mut change.conn)?;
    }
    if count > 0 {
        let event = Event {
            account: None,
            action: Action::SecretsRekeyed,
            target: in_use.to_owned(),
            before: None,
            after: Some(json!({ "secrets": count })),
        };
        record(change, operator.actor(), event)?;
    }
    Ok(count)
}
