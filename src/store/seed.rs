//! Thousands of keys in one transaction, for measuring.
//!
//! It must not be used for anybody's real keys: it writes one audit event a call, not one a key.

use diesel::dsl::max;
use diesel::{ExpressionMethods, Insertable, QueryDsl, RunQueryDsl, sql_query};
use latchkey_rules::access::Access;
use latchkey_rules::billing::default_for;
use latchkey_rules::code::Code;
use latchkey_rules::environment::Environment;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::name::{KeyName, folded};
use latchkey_rules::secret::HashKind;
use latchkey_rules::time::Millis;
use serde_json::json;

use super::accounts;
use super::activity::{MeterBatch, MeterRow, flush};
use super::audit::{Action, Event, record};
use super::changes::renew;
use super::db::each;
use super::error::{Conflict, Result, unless_unique};
use super::keys::NewSecret;
use super::products::rows_of_all;
use super::replica::RowId;
use super::schema::accounts::table as accounts_table;
use super::schema::{key_products, keys, secrets};
use super::scope::OperatorScope;
use super::{Change, Reader, Writer};

/// Rows in a statement: both databases take so many bound values.
const CHUNK: usize = 1_000;

/// A key to be made with many others.
pub struct SeedKey {
    /// Its public name.
    pub key_id: KeyId,
    /// Its name.
    pub name: KeyName,
    /// Its environment.
    pub environment: Environment,
    /// What it may do.
    pub access: Access,
    /// Its secret.
    pub secret: NewSecret,
}

#[derive(Insertable)]
#[diesel(table_name = keys, treat_none_as_default_value = false)]
struct KeyRow<'a> {
    id: i64,
    key_id: &'a [u8],
    account_id: i64,
    name: &'a str,
    name_key: String,
    kind: &'a str,
    environment: &'a str,
    access: &'a str,
    billing_type: &'a str,
    created_at: i64,
    created_by: &'a str,
    generation: i64,
}

#[derive(Insertable)]
#[diesel(table_name = secrets, treat_none_as_default_value = false)]
struct SecretRow<'a> {
    key_row: i64,
    number: i16,
    digest: &'a [u8],
    hash_kind: &'a str,
    prefix: &'a str,
    last4: &'a str,
    created_at: i64,
}

#[derive(Insertable, Clone, Copy)]
#[diesel(table_name = key_products, treat_none_as_default_value = false)]
struct ProductRow {
    key_row: i64,
    product_row: i64,
}

/// Whether nobody uses the database yet: it has no account.
///
/// # Errors
/// When the database does not answer.
pub fn is_empty(reader: &mut Reader, _scope: &OperatorScope) -> Result<bool> {
    let accounts: i64 = accounts_table.count().get_result(&mut reader.conn)?;
    Ok(accounts == 0)
}

/// Makes these keys in an account, each good for all these products, and begins the change log anew.
///
/// # Errors
/// `NotFound` when there is no such account; `NameTaken`, `ProductUnknown`.
pub fn keys(
    change: &mut Change<'_>,
    scope: &OperatorScope,
    account: &str,
    products: &[String],
    new: &[SeedKey],
) -> Result<()> {
    let row = accounts::row_of(change, account)?;
    let facts = accounts::by_row(change, row)?;
    let billing = default_for(facts.tier, facts.plan.is_free).word();
    let products = rows_of_all(change, products)?;
    let now = change.now().0;
    let last: Option<i64> = keys::table.select(max(keys::id)).first(&mut change.conn)?;
    let mut next = last.unwrap_or(0) + 1;
    for chunk in new.chunks(CHUNK) {
        let ids = next..;
        let key_rows: Vec<KeyRow<'_>> = ids
            .clone()
            .zip(chunk)
            .map(|(id, key)| KeyRow {
                id,
                key_id: key.key_id.as_bytes(),
                account_id: row,
                name: key.name.as_str(),
                name_key: folded(key.name.as_str()),
                kind: KeyKind::Server.word(),
                environment: key.environment.word(),
                access: key.access.word(),
                billing_type: billing,
                created_at: now,
                created_by: &scope.actor().label,
                generation: 1,
            })
            .collect();
        each!(&mut change.conn, conn => diesel::insert_into(keys::table).values(&key_rows).execute(conn))
            .map_err(unless_unique(Conflict::NameTaken))?;
        let secret_rows: Vec<SecretRow<'_>> = ids
            .zip(chunk)
            .map(|(id, key)| SecretRow {
                key_row: id,
                number: 1,
                digest: key.secret.digest.as_bytes(),
                hash_kind: HashKind::Sha256.word(),
                prefix: key.secret.prefix.as_str(),
                last4: &key.secret.last4,
                created_at: now,
            })
            .collect();
        each!(&mut change.conn, conn => diesel::insert_into(secrets::table).values(&secret_rows).execute(conn))?;
        assign(change, &key_rows, &products)?;
        next += i64::try_from(chunk.len()).unwrap_or(0);
    }
    keep_sequence(change)?;
    renew(change)?;
    let event = Event {
        account: Some(row),
        action: Action::KeysSeeded,
        target: account.to_owned(),
        before: None,
        after: Some(json!({ "keys": new.len() })),
    };
    record(change, scope.actor(), event)
}

/// Adds requests to every key of an account, in the hour of `at`: some that were let through, and for every tenth key some
/// that were refused.
///
/// # Errors
/// `NotFound` when there is no such account; `ProductUnknown`.
pub fn activity(
    writer: &mut Writer,
    _scope: &OperatorScope,
    account: &str,
    product: &str,
    at: Millis,
) -> Result<()> {
    let row = accounts::row_of(writer, account)?;
    let product = rows_of_all(writer, &[product.to_owned()])?.pop();
    let keys: Vec<i64> = keys::table
        .filter(keys::account_id.eq(row))
        .select(keys::id)
        .load(&mut writer.conn)?;
    let counted = |key: i64, code: Code, count: i64| MeterRow {
        account: RowId::from_number(row),
        key: RowId::from_number(key),
        secret_number: 1,
        product: product.map(RowId::from_number),
        code,
        last: at,
        count,
        units: if code.is_allow() { count } else { 0 },
    };
    let allowed = keys
        .iter()
        .map(|key| counted(*key, Code::Valid, 100 + key % 900));
    let refused = keys.iter().filter(|key| *key % 10 == 0);
    let refused = refused.map(|key| counted(*key, Code::AccessNotAllowed, 1 + key % 9));
    let batch = MeterBatch {
        node: format!("seed {account}"),
        exposures: Vec::new(),
        epoch: 1,
        seq: at.0,
        at,
        rows: allowed.chain(refused).collect(),
        callers: Vec::new(),
    };
    flush(writer, &batch).map(|_written| ())
}

fn assign(change: &mut Change<'_>, keys: &[KeyRow<'_>], products: &[i64]) -> Result<()> {
    let rows: Vec<ProductRow> = keys
        .iter()
        .flat_map(|key| {
            products.iter().map(|product| ProductRow {
                key_row: key.id,
                product_row: *product,
            })
        })
        .collect();
    for chunk in rows.chunks(CHUNK) {
        each!(&mut change.conn, conn => diesel::insert_into(key_products::table).values(chunk).execute(conn))?;
    }
    Ok(())
}

/// PostgreSQL does not see ids that were given to it; SQLite does.
fn keep_sequence(change: &mut Change<'_>) -> Result<()> {
    if !change.is_file() {
        sql_query(
            "SELECT setval(pg_get_serial_sequence('keys', 'id'), (SELECT MAX(id) FROM keys))",
        )
        .execute(&mut change.conn)?;
    }
    Ok(())
}
