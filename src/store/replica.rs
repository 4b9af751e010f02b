//! What the gate keeps in memory: pages of whole tables, and single rows after a change.
//!
//! It must not know how the gate arranges them. No scope is asked for: the gate decides for all accounts alike.

mod keys;

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use latchkey_rules::product::ProductFacts;

use super::Reader;
use super::accounts::{PlanFacts, plan_rows};
use super::changes::ChangeKind;
use super::db::each;
use super::error::Result;
use super::products::stored;
use super::schema::accounts;

pub(super) use keys::bounds_of;
pub use keys::{
    ReplicaAssignment, ReplicaEnd, ReplicaKey, ReplicaSecret, ReplicaStanding, keys_by_rows,
    keys_page, last_key,
};

/// Which row. It means nothing but to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(pub(super) i64);

impl RowId {
    /// Before every row: where paging begins.
    pub const NONE: Self = Self(0);

    /// As a number, for the gate's own memory and its spilled batches. It is shown to nobody.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The row with this number, as [`RowId::number`] gave it.
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }
}

/// How many rows there are, and a sum that differs when one is missing or of another generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub count: i64,
    /// The sum.
    pub sum: i64,
}

impl Tally {
    /// A row that is held: keys that are not deleted, and all accounts, products and plans.
    pub fn add(&mut self, kind: ChangeKind, row: RowId, generation: i64) {
        self.count += 1;
        self.sum += mix(kind, row, generation);
    }

    /// A row that is held no more, or no more with this generation.
    pub fn remove(&mut self, kind: ChangeKind, row: RowId, generation: i64) {
        self.count -= 1;
        self.sum -= mix(kind, row, generation);
    }
}

/// The same integers as in `changes/checksum.sql`. The cube is what makes an exchange of two rows' generations show.
fn mix(kind: ChangeKind, row: RowId, generation: i64) -> i64 {
    const M: i64 = 2_147_483_647;
    let x = ((row.0 % M) * 1_103_515_245
        + (generation % M) * 1_013_904_223
        + i64::from(kind.number()) * 69_069)
        % M;
    ((x * x) % M) * x % M
}

/// A product.
#[derive(Clone, Debug)]
pub struct ReplicaProduct {
    /// Its row.
    pub row: RowId,
    /// Its generation.
    pub generation: i64,
    /// What the catalogue needs.
    pub facts: ProductFacts,
    /// Whether it also needs a bearer token.
    pub needs_token: bool,
    /// How often a second a key may ask for it.
    pub per_second: Option<u32>,
}

/// A plan.
#[derive(Clone, Debug)]
pub struct ReplicaPlan {
    /// Its row.
    pub row: RowId,
    /// Its generation.
    pub generation: i64,
    /// Its numbers.
    pub facts: PlanFacts,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaAccount {
    /// Its row.
    pub row: RowId,
    /// Its generation.
    pub generation: i64,
    /// Its slug.
    pub slug: String,
    /// Its plan's row.
    pub plan_row: RowId,
    /// Whether its keys are refused.
    pub suspended: bool,
}

/// All products, in the order in which they were added.
///
/// # Errors
/// When the database does not answer.
pub fn products(reader: &mut Reader) -> Result<Vec<ReplicaProduct>> {
    Ok(stored(reader)?
        .into_iter()
        .map(|stored| ReplicaProduct {
            row: RowId(stored.row),
            generation: stored.generation,
            facts: stored.product.facts(),
            needs_token: stored.product.needs_token,
            per_second: stored.product.per_second,
        })
        .collect())
}

/// All plans.
///
/// # Errors
/// When the database does not answer.
pub fn plans(reader: &mut Reader) -> Result<Vec<ReplicaPlan>> {
    Ok(plan_rows(reader)?
        .into_iter()
        .map(|plan| ReplicaPlan {
            row: RowId(plan.id),
            generation: plan.generation,
            facts: plan.into(),
        })
        .collect())
}

type AccountRow = (i64, i64, String, i64, Option<i64>);

const ACCOUNT: (
    accounts::id,
    accounts::generation,
    accounts::slug,
    accounts::plan_row,
    accounts::suspended_at,
) = (
    accounts::id,
    accounts::generation,
    accounts::slug,
    accounts::plan_row,
    accounts::suspended_at,
);

fn account((row, generation, slug, plan_row, suspended_at): AccountRow) -> ReplicaAccount {
    ReplicaAccount {
        row: RowId(row),
        generation,
        slug,
        plan_row: RowId(plan_row),
        suspended: suspended_at.is_some(),
    }
}

/// The accounts after a row, at most `limit`, in order.
///
/// # Errors
/// When the database does not answer.
pub fn accounts_page(reader: &mut Reader, after: RowId, limit: i64) -> Result<Vec<ReplicaAccount>> {
    let rows: Vec<AccountRow> = each!(&mut reader.conn, conn => accounts::table
        .filter(accounts::id.gt(after.0))
        .order(accounts::id.asc())
        .limit(limit)
        .select(ACCOUNT)
        .load(conn))?;
    Ok(rows.into_iter().map(account).collect())
}

/// These accounts, as many as there are.
///
/// # Errors
/// When the database does not answer.
pub fn accounts_by_rows(reader: &mut Reader, rows: &[RowId]) -> Result<Vec<ReplicaAccount>> {
    let mut found = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(1_000) {
        let ids = chunk.iter().map(|row| row.0);
        let rows: Vec<AccountRow> = accounts::table
            .filter(accounts::id.eq_any(ids.collect::<Vec<_>>()))
            .select(ACCOUNT)
            .load(&mut reader.conn)?;
        found.extend(rows.into_iter().map(account));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rows_that_exchange_their_generations_differ_in_the_sum() {
        let (one, two) = (RowId(1), RowId(2));
        let mut before = Tally::default();
        before.add(ChangeKind::Key, one, 3);
        before.add(ChangeKind::Key, two, 4);
        let mut after = Tally::default();
        after.add(ChangeKind::Key, one, 4);
        after.add(ChangeKind::Key, two, 3);
        assert_eq!(before.count, after.count);
        assert_ne!(before.sum, after.sum);
        after.remove(ChangeKind::Key, one, 4);
        after.remove(ChangeKind::Key, two, 3);
        assert_eq!(after, Tally::default());
    }

    #[test]
    fn the_sum_stays_within_what_both_databases_compute_exactly() {
        for row in [0, 1, 2_147_483_646, 2_147_483_647, i64::MAX] {
            let mixed = mix(ChangeKind::Plan, RowId(row), i64::MAX);
            assert!((0..2_147_483_647).contains(&mixed));
        }
    }
}
