//! The account's keys, a page at a time.

use diesel::{
    BoolExpressionMethods, Connection, EscapeExpressionMethods, ExpressionMethods, QueryDsl,
    RunQueryDsl, TextExpressionMethods,
};
use latchkey_rules::environment::Environment;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::name::folded;

use super::Key;
use super::load::{KeyRow, keys_of};
use crate::store::Reader;
use crate::store::columns::{contains, key_id};
use crate::store::db::Any;
use crate::store::error::{Error, Result};
use crate::store::schema::{key_products, keys, products};
use crate::store::scope::AccountScope;

/// How many keys a page has at most.
pub const PAGE_AT_MOST: usize = 50;

/// Which of the account's keys, in which order.
#[derive(Clone, Debug, Default)]
pub struct KeyFilter {
    /// Those whose name holds this, or whose key ID this is.
    pub search: Option<String>,
    /// Those of this environment.
    pub environment: Option<Environment>,
    /// Those that are good for the product with this slug.
    pub product: Option<String>,
    /// In which order.
    pub order: KeyOrder,
    /// After this key: the last of the page before.
    pub after: Option<KeyId>,
    /// How many; 0 is as many as a page has at most.
    pub limit: usize,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyOrder {
    /// By name.
    #[default]
    Name,
    /// The newest first.
    Newest,
}

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

type Wanted = keys::BoxedQuery<'static, <Any as Connection>::Backend>;

/// A page of the account's keys that are not deleted.
///
/// # Errors
/// `NotFound` when the page is to begin after a key that the account does not have.
pub fn list(reader: &mut Reader, scope: &AccountScope, filter: &KeyFilter) -> Result<KeyPage> {
    let at_most = match filter.limit {
        0 => PAGE_AT_MOST,
        limit => limit.min(PAGE_AT_MOST),
    };
    let total = wanted(scope, filter).count().get_result(&mut reader.conn)?;
    let mut page = ordered(wanted(scope, filter), filter.order);
    if let Some(after) = &filter.after {
        page = beyond(page, filter.order, &row(reader, scope, after)?);
    }
    let one_more = i64::try_from(at_most + 1).unwrap_or(i64::MAX);
    let mut rows = page.limit(one_more).load::<KeyRow>(&mut reader.conn)?;
    let more = rows.len() > at_most;
    rows.truncate(at_most);
    let next = match rows.last() {
        Some(last) if more => Some(key_id(&last.key_id)?),
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

fn wanted(scope: &AccountScope, filter: &KeyFilter) -> Wanted {
    let mut wanted = keys::table
        .filter(keys::account_id.eq(scope.account))
        .filter(keys::deleted_at.is_null())
        .into_boxed();
    if let Some(text) = &filter.search {
        wanted = match KeyId::parse(text.trim()) {
            Ok(id) => wanted.filter(keys::key_id.eq(id.as_bytes().to_vec())),
            Err(_) => wanted.filter(keys::name_key.like(contains(&folded(text))).escape('\\')),
        };
    }
    if let Some(environment) = filter.environment {
        wanted = wanted.filter(keys::environment.eq(environment.word()));
    }
    if let Some(slug) = &filter.product {
        let good_for = key_products::table
            .inner_join(products::table)
            .filter(products::slug.eq(slug.clone()))
            .select(key_products::key_row);
        wanted = wanted.filter(keys::id.eq_any(good_for));
    }
    wanted
}

fn ordered(wanted: Wanted, order: KeyOrder) -> Wanted {
    match order {
        KeyOrder::Name => wanted.order((keys::name_key.asc(), keys::id.asc())),
        KeyOrder::Newest => wanted.order((keys::created_at.desc(), keys::id.desc())),
    }
}

fn beyond(wanted: Wanted, order: KeyOrder, last: &KeyRow) -> Wanted {
    match order {
        KeyOrder::Name => wanted.filter(
            keys::name_key.gt(last.name_key.clone()).or(keys::name_key
                .eq(last.name_key.clone())
                .and(keys::id.gt(last.id))),
        ),
        KeyOrder::Newest => wanted.filter(
            keys::created_at.lt(last.created_at).or(keys::created_at
                .eq(last.created_at)
                .and(keys::id.lt(last.id))),
        ),
    }
}
