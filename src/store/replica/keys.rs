//! Keys with their products and secrets, by the ten thousand.

use std::collections::HashMap;

use diesel::dsl::max;
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, Queryable, RunQueryDsl};
use latchkey_rules::access::Access;
use latchkey_rules::domain::DomainPattern;
use latchkey_rules::environment::Environment;
use latchkey_rules::ip_range::IpRange;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::limit::Bounds;
use latchkey_rules::secret::Digest;
use latchkey_rules::time::{DAY_MS, Millis};

use super::RowId;
use crate::store::Reader;
use crate::store::columns::{at, digest, key_id, word};
use crate::store::db::each;
use crate::store::error::Result;
use crate::store::schema::{key_bounds, key_ends, key_products, keys, secrets};

/// How long the digest of a retired secret is kept, so that its use is told from an unknown one.
const RETIRED_KEPT_MS: i64 = 90 * DAY_MS;

/// A key, as the gate needs it.
#[derive(Clone, Debug)]
pub struct ReplicaKey {
    /// Its row.
    pub row: RowId,
    /// Its generation.
    pub generation: i64,
    /// Its public name.
    pub key_id: KeyId,
    /// Its account's row.
    pub account_row: RowId,
    /// Its environment.
    pub environment: Environment,
    /// Its kind.
    pub kind: KeyKind,
    /// What it may do.
    pub access: Access,
    /// The products that it is good for.
    pub products: Vec<ReplicaAssignment>,
    /// The domains that it is bound to, if it is bound to any. One that cannot be read covers nothing.
    pub domains: Option<Vec<DomainPattern>>,
    /// The addresses that it is bound to, likewise.
    pub ips: Option<Vec<IpRange>>,
    /// Its own bounds.
    pub bounds: Bounds,
    /// When it expires.
    pub expires: ReplicaEnd,
    /// Whether it is on.
    pub standing: ReplicaStanding,
    /// Deleted: it is to be held no more.
    pub deleted: bool,
    /// Its secrets: those that work, and those retired within 90 days.
    pub secrets: Vec<ReplicaSecret>,
}

impl ReplicaKey {
    /// Whether something of it is over: the key, or a secret that some program may still have.
    pub fn has_ended(&self, now: Millis) -> bool {
        let is_off = match self.standing {
            ReplicaStanding::Enabled => false,
            ReplicaStanding::Disabled => true,
            ReplicaStanding::Paused { until } => until.is_none_or(|until| until > now),
        };
        let is_over = |end: &ReplicaEnd| end.is_over || end.at.is_some_and(|at| at <= now);
        self.deleted
            || is_off
            || is_over(&self.expires)
            || self.secrets.iter().any(|secret| is_over(&secret.retires))
    }
}

/// A product that a key is good for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaAssignment {
    /// The product's row.
    pub product: RowId,
    /// The slugs of the scopes that it is bound to, a space between; none is the whole product.
    pub scopes: Box<str>,
}

/// When something ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplicaEnd {
    /// The instant, if there is one.
    pub at: Option<Millis>,
    /// Whether it has come: it is then over at any time that a clock may show.
    pub is_over: bool,
}

/// Whether a key is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaStanding {
    /// On.
    Enabled,
    /// Switched off by staff or a policy.
    Disabled,
    /// Switched off by its account until this instant; without one until it is resumed.
    Paused {
        /// When it resumes by itself.
        until: Option<Millis>,
    },
}

/// A secret, as the gate needs it.
#[derive(Clone, Debug)]
pub struct ReplicaSecret {
    /// Its number within the key.
    pub number: i16,
    /// SHA-256 of its text.
    pub digest: Digest,
    /// When it ends.
    pub retires: ReplicaEnd,
    /// Its last four characters.
    pub last4: String,
}

#[derive(Queryable)]
struct KeyRow {
    id: i64,
    generation: i64,
    key_id: Vec<u8>,
    account_id: i64,
    environment: String,
    kind: String,
    access: String,
    domains: String,
    ips: String,
    expires_at: Option<i64>,
    disabled_at: Option<i64>,
    paused_at: Option<i64>,
    paused_until: Option<i64>,
    deleted_at: Option<i64>,
}

type ProductRow = (i64, i64, String);
/// A key's row; its requests a second, a minute and at once.
pub(in crate::store) type BoundsRow = (i64, Option<i64>, Option<i64>, Option<i64>);
type SecretRow = (i64, i16, Vec<u8>, Option<i64>, String, bool);

macro_rules! key_columns {
    () => {
        (
            keys::id,
            keys::generation,
            keys::key_id,
            keys::account_id,
            keys::environment,
            keys::kind,
            keys::access,
            keys::domains,
            keys::ips,
            keys::expires_at,
            keys::disabled_at,
            keys::paused_at,
            keys::paused_until,
            keys::deleted_at,
        )
    };
}

macro_rules! secret_columns {
    () => {
        (
            secrets::key_row,
            secrets::number,
            secrets::digest,
            secrets::retires_at,
            secrets::last4,
            secrets::ended,
        )
    };
}

/// The last key's row, deleted or not.
///
/// # Errors
/// When the database does not answer.
pub fn last_key(reader: &mut Reader) -> Result<RowId> {
    let last: Option<i64> = keys::table.select(max(keys::id)).first(&mut reader.conn)?;
    Ok(RowId(last.unwrap_or(0)))
}

/// The keys after a row that are not deleted, at most `limit`, in order: five queries a page, by ranges of rows.
///
/// # Errors
/// When the database does not answer.
pub fn keys_page(reader: &mut Reader, after: RowId, limit: i64) -> Result<Vec<ReplicaKey>> {
    let oldest_retired = reader.now().plus_ms(-RETIRED_KEPT_MS);
    let rows: Vec<KeyRow> = each!(&mut reader.conn, conn => keys::table
        .filter(keys::id.gt(after.0))
        .filter(keys::deleted_at.is_null())
        .order(keys::id.asc())
        .limit(limit)
        .select(key_columns!())
        .load(conn))?;
    let Some(last) = rows.last().map(|row| row.id) else {
        return Ok(Vec::new());
    };
    let products: Vec<ProductRow> = each!(&mut reader.conn, conn => key_products::table
        .filter(key_products::key_row.gt(after.0))
        .filter(key_products::key_row.le(last))
        .order((key_products::key_row.asc(), key_products::product_row.asc()))
        .select(key_products::all_columns)
        .load(conn))?;
    let secrets: Vec<SecretRow> = each!(&mut reader.conn, conn => secrets::table
        .filter(secrets::key_row.gt(after.0))
        .filter(secrets::key_row.le(last))
        .filter(secrets::retires_at.is_null().or(secrets::retires_at.gt(oldest_retired.0)))
        .order((secrets::key_row.asc(), secrets::number.asc()))
        .select(secret_columns!())
        .load(conn))?;
    let bounds: Vec<BoundsRow> = each!(&mut reader.conn, conn => key_bounds::table
        .filter(key_bounds::key_row.gt(after.0))
        .filter(key_bounds::key_row.le(last))
        .load(conn))?;
    let ends: Vec<EndRow> = each!(&mut reader.conn, conn => key_ends::table
        .filter(key_ends::key_row.gt(after.0))
        .filter(key_ends::key_row.le(last))
        .load(conn))?;
    let rare = Rare::of(bounds, ends);
    merge(rows, products, secrets, &rare)
}

/// Joins three lists that are ordered by key, in one pass.
fn merge(
    rows: Vec<KeyRow>,
    products: Vec<ProductRow>,
    secrets: Vec<SecretRow>,
    rare: &Rare,
) -> Result<Vec<ReplicaKey>> {
    let (mut products, mut secrets) = (
        products.into_iter().peekable(),
        secrets.into_iter().peekable(),
    );
    let mut page = Vec::with_capacity(rows.len());
    for row in rows {
        // Rows of keys that are deleted may stand in between: they are passed over.
        while products.next_if(|(key, ..)| *key < row.id).is_some() {}
        while secrets.next_if(|(key, ..)| *key < row.id).is_some() {}
        let mut of_key = Vec::new();
        while let Some(found) = products.next_if(|(key, ..)| *key == row.id) {
            of_key.push(assignment(found));
        }
        let mut kept = Vec::new();
        while let Some(found) = secrets.next_if(|(key, ..)| *key == row.id) {
            kept.push(secret(found)?);
        }
        page.push(row.with(of_key, kept, rare)?);
    }
    Ok(page)
}

/// These keys, deleted ones too, as many as there are.
///
/// # Errors
/// When the database does not answer.
pub fn keys_by_rows(reader: &mut Reader, rows: &[RowId]) -> Result<Vec<ReplicaKey>> {
    let oldest_retired = reader.now().plus_ms(-RETIRED_KEPT_MS);
    let mut found = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(1_000) {
        let ids: Vec<i64> = chunk.iter().map(|row| row.0).collect();
        let rows: Vec<KeyRow> = keys::table
            .filter(keys::id.eq_any(ids.clone()))
            .select(key_columns!())
            .load(&mut reader.conn)?;
        let mut products: HashMap<i64, Vec<ReplicaAssignment>> = HashMap::new();
        let product_rows: Vec<ProductRow> = key_products::table
            .filter(key_products::key_row.eq_any(ids.clone()))
            .order((key_products::key_row.asc(), key_products::product_row.asc()))
            .select(key_products::all_columns)
            .load(&mut reader.conn)?;
        for row in product_rows {
            products.entry(row.0).or_default().push(assignment(row));
        }
        let mut kept: HashMap<i64, Vec<ReplicaSecret>> = HashMap::new();
        let secret_rows: Vec<SecretRow> = secrets::table
            .filter(secrets::key_row.eq_any(ids.clone()))
            .filter(
                secrets::retires_at
                    .is_null()
                    .or(secrets::retires_at.gt(oldest_retired.0)),
            )
            .order((secrets::key_row.asc(), secrets::number.asc()))
            .select(secret_columns!())
            .load(&mut reader.conn)?;
        for row in secret_rows {
            kept.entry(row.0).or_default().push(secret(row)?);
        }
        let bounds: Vec<BoundsRow> = key_bounds::table
            .filter(key_bounds::key_row.eq_any(ids.clone()))
            .load(&mut reader.conn)?;
        let ends: Vec<EndRow> = key_ends::table
            .filter(key_ends::key_row.eq_any(ids))
            .load(&mut reader.conn)?;
        let rare = Rare::of(bounds, ends);
        for row in rows {
            let (products, kept) = (products.remove(&row.id), kept.remove(&row.id));
            let (products, kept) = (products.unwrap_or_default(), kept.unwrap_or_default());
            found.push(row.with(products, kept, &rare)?);
        }
    }
    Ok(found)
}

/// A key's row, and an end of its that has come.
type EndRow = (i64, i64);

/// What few keys have.
struct Rare {
    bounds: HashMap<i64, Bounds>,
    ends: HashMap<i64, i64>,
}

impl Rare {
    fn of(bounds: Vec<BoundsRow>, ends: Vec<EndRow>) -> Self {
        Self {
            bounds: bounds.into_iter().map(bounds_of).collect(),
            ends: ends.into_iter().collect(),
        }
    }
}

/// A key's row, and the bounds of its own.
pub(in crate::store) fn bounds_of(row: BoundsRow) -> (i64, Bounds) {
    let (key, per_second, per_minute, burst) = row;
    let rate = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok());
    let bounds = Bounds {
        per_second: rate(per_second),
        per_minute: rate(per_minute),
        burst: rate(burst),
        per_day: None,
    };
    (key, bounds)
}

fn assignment((_, product, scopes): ProductRow) -> ReplicaAssignment {
    ReplicaAssignment {
        product: RowId(product),
        scopes: scopes.into(),
    }
}

fn secret((_, number, bytes, retires_at, last4, ended): SecretRow) -> Result<ReplicaSecret> {
    Ok(ReplicaSecret {
        number,
        digest: Digest::from_bytes(digest(&bytes)?),
        retires: ReplicaEnd {
            at: at(retires_at),
            is_over: ended,
        },
        last4,
    })
}

/// The entries of a list, kept one a line; none where the key is bound to nothing. An entry that cannot be read is left out,
/// and the key stays bound.
fn bound_to<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    (!text.is_empty()).then(|| text.lines().filter_map(read).collect())
}

impl KeyRow {
    fn with(
        self,
        products: Vec<ReplicaAssignment>,
        secrets: Vec<ReplicaSecret>,
        rare: &Rare,
    ) -> Result<ReplicaKey> {
        let ended_at = rare.ends.get(&self.id).copied();
        let standing = if self.disabled_at.is_some() {
            ReplicaStanding::Disabled
        } else if self.paused_at.is_some() {
            ReplicaStanding::Paused {
                until: at(self.paused_until),
            }
        } else {
            ReplicaStanding::Enabled
        };
        Ok(ReplicaKey {
            row: RowId(self.id),
            generation: self.generation,
            key_id: key_id(&self.key_id)?,
            account_row: RowId(self.account_id),
            environment: word(&self.environment, Environment::from_word)?,
            kind: word(&self.kind, KeyKind::from_word)?,
            access: word(&self.access, Access::from_word)?,
            products,
            domains: bound_to(&self.domains, |text| {
                DomainPattern::parse(text).ok().map(|entry| entry.pattern)
            }),
            ips: bound_to(&self.ips, |text| IpRange::parse(text).ok()),
            bounds: rare.bounds.get(&self.id).copied().unwrap_or_default(),
            expires: ReplicaEnd {
                at: at(self.expires_at),
                is_over: ended_at.is_some() && ended_at == self.expires_at,
            },
            standing,
            deleted: self.deleted_at.is_some(),
            secrets,
        })
    }
}
