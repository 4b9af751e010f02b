//! A key as staff see it: whosever it is, and never a secret.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::role::Role;

use super::Key;
use super::load::{KeyRow, keys_of};
use crate::store::Reader;
use crate::store::accounts::{self, AccountFacts};
use crate::store::columns::key_id as read_key_id;
use crate::store::error::{Error, Result};
use crate::store::schema::{keys, members, secrets, users};
use crate::store::scope::StaffScope;

/// A key and whose it is.
#[derive(Clone, Debug)]
pub struct StaffKey {
    /// The key.
    pub key: Key,
    /// Its account.
    pub account: AccountFacts,
    /// The account's owners.
    pub owners: Vec<Contact>,
}

/// Whom to write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
}

/// The key with this ID, deleted or not.
///
/// # Errors
/// `NotFound` when there is none.
pub fn find(reader: &mut Reader, _scope: &StaffScope, key_id: &KeyId) -> Result<StaffKey> {
    let row = keys::table
        .filter(keys::key_id.eq(key_id.as_bytes().as_slice()))
        .select(keys::all_columns)
        .first::<KeyRow>(&mut reader.conn)?;
    let account_row = row.account_id;
    let account = accounts::by_row(reader, account_row)?;
    let key = keys_of(reader, vec![row])?.pop().ok_or(Error::NotFound)?;
    let owners = members::table
        .inner_join(users::table)
        .filter(members::account_id.eq(account_row))
        .filter(members::role.eq(Role::Owner.word()))
        .order(users::email_key.asc())
        .select((users::name, users::email))
        .load::<(String, String)>(&mut reader.conn)?
        .into_iter()
        .map(|(name, email)| Contact { name, email })
        .collect();
    Ok(StaffKey {
        key,
        account,
        owners,
    })
}

/// The ID of the key that has, or had, the secret with this digest.
///
/// # Errors
/// `NotFound` when there is none.
pub fn find_by_digest(
    reader: &mut Reader,
    _scope: &StaffScope,
    digest: &[u8; 32],
) -> Result<KeyId> {
    let bytes: Vec<u8> = secrets::table
        .inner_join(keys::table)
        .filter(secrets::digest.eq(digest.as_slice()))
        .select(keys::key_id)
        .first(&mut reader.conn)
        .optional()?
        .ok_or(Error::NotFound)?;
    read_key_id(&bytes)
}
