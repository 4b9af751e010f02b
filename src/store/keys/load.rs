//! From rows to keys.

use std::collections::{BTreeSet, HashMap};

use diesel::{ExpressionMethods, QueryDsl, Queryable, RunQueryDsl};
use latchkey_rules::access::Access;
use latchkey_rules::billing::BillingType;
use latchkey_rules::environment::Environment;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::time::Millis;

use super::scopes::{self, ProductPart};
use super::{Disabled, Key, ProductName, SecretFacts};
use crate::store::Reader;
use crate::store::columns::{at, key_id, lines, word};
use crate::store::error::Result;
use crate::store::schema::{key_products, keys, products, secrets, users};
use crate::store::scope::{AccountScope, StaffScope};

#[derive(Queryable)]
pub(super) struct KeyRow {
    pub(super) id: i64,
    pub(super) key_id: Vec<u8>,
    pub(super) account_id: i64,
    name: String,
    pub(super) name_key: String,
    kind: String,
    environment: String,
    access: String,
    billing_type: String,
    responsible_user_id: Option<i64>,
    note: String,
    labels: String,
    domains: String,
    ips: String,
    any_site: bool,
    expires_at: Option<i64>,
    pub(super) created_at: i64,
    created_by: String,
    last_rotated_at: Option<i64>,
    pub(super) last_used_at: Option<i64>,
    paused_at: Option<i64>,
    paused_until: Option<i64>,
    disabled_at: Option<i64>,
    disabled_by: Option<String>,
    disabled_reason: Option<String>,
    disabled_kind: Option<String>,
    deleted_at: Option<i64>,
    purge_at: Option<i64>,
    pub(super) generation: i64,
    responsible_name: String,
    deployed: String,
    pub(super) replaces_row: Option<i64>,
}

impl KeyRow {
    fn with(
        self,
        products: Vec<ProductName>,
        secrets: Vec<SecretFacts>,
        people: &HashMap<i64, String>,
    ) -> Result<Key> {
        let person = self.responsible_user_id.and_then(|id| people.get(&id));
        Ok(Key {
            key_id: key_id(&self.key_id)?,
            name: self.name,
            kind: word(&self.kind, KeyKind::from_word)?,
            environment: word(&self.environment, Environment::from_word)?,
            access: word(&self.access, Access::from_word)?,
            products,
            domains: lines(&self.domains),
            ips: lines(&self.ips),
            any_site: self.any_site,
            billing: word(&self.billing_type, BillingType::from_word)?,
            labels: lines(self.labels.trim()),
            responsible: person.cloned().unwrap_or(self.responsible_name),
            deployed: lines(&self.deployed),
            note: self.note,
            expires_at: at(self.expires_at),
            created_at: Millis(self.created_at),
            created_by: self.created_by,
            last_rotated_at: at(self.last_rotated_at),
            last_used_at: at(self.last_used_at),
            paused_at: at(self.paused_at),
            paused_until: at(self.paused_until),
            disabled: self.disabled_at.map(|at| Disabled {
                at: Millis(at),
                by: self.disabled_by.unwrap_or_default(),
                reason: self.disabled_reason.unwrap_or_default(),
                by_policy: self.disabled_kind.as_deref() == Some("policy"),
            }),
            deleted_at: at(self.deleted_at),
            purge_at: at(self.purge_at),
            secrets,
            generation: self.generation,
        })
    }
}

/// The mail addresses of those who answer for keys.
fn people_of(reader: &mut Reader, rows: &[KeyRow]) -> Result<HashMap<i64, String>> {
    let ids: BTreeSet<i64> = rows
        .iter()
        .filter_map(|row| row.responsible_user_id)
        .collect();
    let people = users::table
        .filter(users::id.eq_any(ids))
        .select((users::id, users::email))
        .load::<(i64, String)>(&mut reader.conn)?;
    Ok(people.into_iter().collect())
}

/// The keys of these rows, in their order: three queries for all of them.
pub(super) fn keys_of(reader: &mut Reader, rows: Vec<KeyRow>) -> Result<Vec<Key>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut names = products_of(reader, &ids)?;
    let mut secrets = secrets_of(reader, ids)?;
    let people = people_of(reader, &rows)?;
    rows.into_iter()
        .map(|row| {
            let (names, secrets) = (names.remove(&row.id), secrets.remove(&row.id));
            row.with(
                names.unwrap_or_default(),
                secrets.unwrap_or_default(),
                &people,
            )
        })
        .collect()
}

fn products_of(reader: &mut Reader, keys: &[i64]) -> Result<HashMap<i64, Vec<ProductName>>> {
    let found = key_products::table
        .inner_join(products::table)
        .filter(key_products::key_row.eq_any(keys.to_vec()))
        .order((products::name_key.asc(), products::id.asc()))
        .select((
            key_products::key_row,
            products::name,
            products::slug,
            key_products::scopes,
        ))
        .load::<(i64, String, String, String)>(&mut reader.conn)?;
    let is_whole = found.iter().all(|(.., scopes)| scopes.is_empty());
    let scope_names = if is_whole {
        HashMap::new()
    } else {
        scopes::names(reader)?
    };
    let mut of_keys: HashMap<i64, Vec<ProductName>> = HashMap::new();
    for (key, name, slug, scopes) in found {
        let part = |scope: &str| {
            let known = scope_names.get(&(slug.clone(), scope.to_owned()));
            ProductPart {
                // One that the product no longer has still binds the key.
                name: known.cloned().unwrap_or_else(|| scope.to_owned()),
                slug: scope.to_owned(),
            }
        };
        let parts = scopes.split_whitespace().map(part).collect();
        let product = ProductName { name, slug, parts };
        of_keys.entry(key).or_default().push(product);
    }
    Ok(of_keys)
}

fn secrets_of(reader: &mut Reader, ids: Vec<i64>) -> Result<HashMap<i64, Vec<SecretFacts>>> {
    type Row = (
        i64,
        i16,
        String,
        String,
        i64,
        Option<i64>,
        Option<i64>,
        Option<String>,
    );
    let mut of_keys: HashMap<i64, Vec<SecretFacts>> = HashMap::new();
    let found = secrets::table
        .filter(secrets::key_row.eq_any(ids))
        .order(secrets::number.desc())
        .select((
            secrets::key_row,
            secrets::number,
            secrets::prefix,
            secrets::last4,
            secrets::created_at,
            secrets::retires_at,
            secrets::leaked_at,
            secrets::sealed_by,
        ))
        .load::<Row>(&mut reader.conn)?;
    for (key, number, prefix, last4, created_at, retires_at, leaked_at, sealed_by) in found {
        of_keys.entry(key).or_default().push(SecretFacts {
            number,
            prefix,
            last4,
            created_at: Millis(created_at),
            retires_at: at(retires_at),
            leaked_at: at(leaked_at),
            is_recoverable: sealed_by.is_some(),
        });
    }
    Ok(of_keys)
}

/// The key's row, if it is the account's.
pub(in crate::store) fn row_in_account(
    reader: &mut Reader,
    scope: &AccountScope,
    key_id: &KeyId,
) -> Result<i64> {
    Ok(keys::table
        .filter(keys::account_id.eq(scope.account))
        .filter(keys::key_id.eq(key_id.as_bytes().as_slice()))
        .select(keys::id)
        .first(&mut reader.conn)?)
}

/// The account's and the key's row, whosever it is.
pub(in crate::store) fn row_for_staff(
    reader: &mut Reader,
    _scope: &StaffScope,
    key_id: &KeyId,
) -> Result<(i64, i64)> {
    Ok(keys::table
        .filter(keys::key_id.eq(key_id.as_bytes().as_slice()))
        .select((keys::account_id, keys::id))
        .first(&mut reader.conn)?)
}
