//! The account's keys, a page at a time.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::status::Status;

use super::Key;
use super::filter::{KeyFilter, KeyOrder, beyond, ordered, wanted};
use super::load::{KeyRow, keys_of};
use crate::store::Reader;
use crate::store::columns::key_id as read_key_id;
use crate::store::error::{Error, Result};
use crate::store::schema::keys;
use crate::store::scope::AccountScope;

/// How many keys a file has at most.
pub const FILE_AT_MOST: i64 = 20_000;
/// How many keys a page has at most.
pub const PAGE_AT_MOST: usize = 50;

/// A page of keys.
#[derive(Clone, Debug)]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<Key>,
    /// Where the next page begins, if there is one: for [`KeyFilter::after`].
    pub next: Option<KeyId>,
    /// How many there are on all pages.
    pub total: i64,
}

/// A page of the account's keys that are not deleted.
///
/// # Errors
/// `NotFound` when the page is to begin after a key that the account does not have.
pub fn list(reader: &mut Reader, scope: &AccountScope, filter: &KeyFilter) -> Result<KeyPage> {
    let at_most = match filter.limit {
        0 => PAGE_AT_MOST,
        limit => limit.min(PAGE_AT_MOST),
    };
    let now = reader.now();
    let total = wanted(scope, filter, now)
        .count()
        .get_result(&mut reader.conn)?;
    let mut page = ordered(wanted(scope, filter, now), filter.order);
    if let Some(after) = &filter.after {
        page = beyond(page, filter.order, &row(reader, scope, after)?);
    }
    let one_more = i64::try_from(at_most + 1).unwrap_or(i64::MAX);
    let mut rows = page.limit(one_more).load::<KeyRow>(&mut reader.conn)?;
    let more = rows.len() > at_most;
    rows.truncate(at_most);
    let next = match rows.last() {
        Some(last) if more => Some(read_key_id(&last.key_id)?),
        _ => None,
    };
    Ok(KeyPage {
        keys: keys_of(reader, rows)?,
        next,
        total,
    })
}

/// One of the account's keys; a deleted one for as long as the delete can be taken back.
///
/// # Errors
/// `NotFound` when the account has no such key.
pub fn get(reader: &mut Reader, scope: &AccountScope, key_id: &KeyId) -> Result<Key> {
    let row = row(reader, scope, key_id)?;
    let key = keys_of(reader, vec![row])?.pop().ok_or(Error::NotFound)?;
    if key.deleted_at.is_some() && key.purge_at.is_none() {
        return Err(Error::NotFound);
    }
    Ok(key)
}

fn row(reader: &mut Reader, scope: &AccountScope, key_id: &KeyId) -> Result<KeyRow> {
    Ok(keys::table
        .filter(keys::account_id.eq(scope.account))
        .filter(keys::key_id.eq(key_id.as_bytes().as_slice()))
        .select(keys::all_columns)
        .first(&mut reader.conn)?)
}

/// How many of the account's keys stand in each way that is not simply active, and how many are unused; in that order, and
/// only those that there are.
///
/// # Errors
/// When the database does not answer.
pub fn worth_a_look(reader: &mut Reader, scope: &AccountScope) -> Result<Vec<(Worth, i64)>> {
    let now = reader.now();
    let standing = Status::ALL
        .iter()
        .filter(|status| !matches!(status, Status::Active | Status::Deleted));
    let all = standing.map(|status| Worth::Standing(*status));
    let mut found = Vec::new();
    for worth in all.chain([Worth::Unused]) {
        let filter = match worth {
            Worth::Standing(status) => KeyFilter {
                status: Some(status),
                ..KeyFilter::default()
            },
            Worth::Unused => KeyFilter {
                unused: true,
                ..KeyFilter::default()
            },
        };
        let count: i64 = wanted(scope, &filter, now)
            .count()
            .get_result(&mut reader.conn)?;
        if count > 0 {
            found.push((worth, count));
        }
    }
    Ok(found)
}

/// Something about keys that is worth a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// They stand so.
    Standing(Status),
    /// Nobody has used them for long.
    Unused,
}

/// All keys that the filter takes, for a file; at most [`FILE_AT_MOST`].
///
/// # Errors
/// When the database does not answer.
pub fn all(reader: &mut Reader, scope: &AccountScope, filter: &KeyFilter) -> Result<Vec<Key>> {
    let now = reader.now();
    let rows = ordered(wanted(scope, filter, now), filter.order)
        .limit(FILE_AT_MOST)
        .load::<KeyRow>(&mut reader.conn)?;
    keys_of(reader, rows)
}

/// Those of these keys that the account has, by name.
///
/// # Errors
/// When the database does not answer.
pub fn these(reader: &mut Reader, scope: &AccountScope, ids: &[KeyId]) -> Result<Vec<Key>> {
    let ids: Vec<Vec<u8>> = ids.iter().map(|id| id.as_bytes().to_vec()).collect();
    let now = reader.now();
    let rows = ordered(wanted(scope, &KeyFilter::default(), now), KeyOrder::Name)
        .filter(keys::key_id.eq_any(ids))
        .load::<KeyRow>(&mut reader.conn)?;
    keys_of(reader, rows)
}

/// The key whose place this one is to take, while it is there: its ID and name.
///
/// # Errors
/// When the database does not answer.
pub fn replaced_by(
    reader: &mut Reader,
    scope: &AccountScope,
    key_id: &KeyId,
) -> Result<Option<(KeyId, String)>> {
    let old: Option<i64> = row(reader, scope, key_id)?.replaces_row;
    let Some(old) = old else {
        return Ok(None);
    };
    let found: Option<(Vec<u8>, String)> = keys::table
        .filter(keys::account_id.eq(scope.account))
        .filter(keys::id.eq(old))
        .filter(keys::deleted_at.is_null())
        .select((keys::key_id, keys::name))
        .first(&mut reader.conn)
        .optional()?;
    found
        .map(|(id, name)| Ok((read_key_id(&id)?, name)))
        .transpose()
}
