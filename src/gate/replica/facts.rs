//! What many keys share: products, policies, accounts. Interned, referenced by index, and replaced as a whole.
//!
//! Readers load one [`Facts`] for a decision, inside the shard's lock; so an index that a record names is always there.

use std::sync::Arc;

use latchkey_rules::access::Access;
use latchkey_rules::domain::DomainPattern;
use latchkey_rules::environment::Environment;
use latchkey_rules::ip_range::IpRange;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::limit::Bounds;
use latchkey_rules::product::{Catalogue, ProductIx, ProductScopes};
use smol_str::SmolStr;

use crate::store::replica::RowId;

/// Everything that keys refer to.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(crate) catalogue: Arc<Catalogue>,
    /// The store's row of each product, by its place in the catalogue.
    pub(super) product_rows: Arc<Vec<RowId>>,
    /// How often a second a key may ask for each, by its place in the catalogue.
    pub(super) product_rates: Arc<Vec<Option<u32>>>,
    pub(super) policies: Shared<Policy>,
    pub(super) accounts: Shared<Account>,
    pub(super) plans: Arc<Vec<Plan>>,
}

/// What restricts a key, shared by all keys that are restricted alike.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) access: Access,
    pub(crate) environment: Environment,
    pub(crate) kind: KeyKind,
    /// Sorted.
    pub(crate) products: Vec<ProductIx>,
    /// Of those that it has not as a whole, what it has.
    pub(crate) scopes: Vec<ProductScopes>,
    pub(crate) domains: Option<Vec<DomainPattern>>,
    pub(crate) ips: Option<Vec<IpRange>>,
    /// The key's own bounds.
    pub(crate) bounds: Bounds,
}

/// What a decision and its answer need of an account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) row: RowId,
    pub(super) generation: i64,
    /// Kept in place: an answer names it, and a text elsewhere would be one more line of memory to wait for.
    pub(crate) slug: SmolStr,
    pub(super) plan_row: RowId,
    pub(crate) suspended: bool,
}

/// A plan: what it is called, and its bounds.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(super) row: RowId,
    pub(super) generation: i64,
    pub(crate) slug: Arc<str>,
    pub(crate) bounds: Bounds,
}

impl Facts {
    /// The row of a product, for the meter.
    pub(crate) fn product_row(&self, product: ProductIx) -> Option<RowId> {
        self.product_rows.get(usize::from(product.0)).copied()
    }

    /// How often a second a key may ask for a product, if that says so.
    pub(crate) fn product_rate(&self, product: ProductIx) -> Option<u32> {
        *self.product_rates.get(usize::from(product.0))?
    }

    /// An account's plan: one of a handful.
    pub(super) fn plan_of(&self, account: &Account) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.row == account.plan_row)
    }
}

/// Items of one chunk of a [`Shared`].
const CHUNK: usize = 256;

/// A list that is cheap to copy and to change in one place: its chunks are shared between the copies.
#[derive(Clone)]
pub(super) struct Shared<T> {
    chunks: Vec<Arc<Vec<T>>>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T: Clone> Shared<T> {
    pub(super) fn get(&self, index: u32) -> Option<&T> {
        let index = usize::try_from(index).ok()?;
        self.chunks.get(index / CHUNK)?.get(index % CHUNK)
    }

    /// Sets the item at `index`, which is at most the one after the last.
    pub(super) fn set(&mut self, index: u32, item: T) {
        let Ok(index) = usize::try_from(index) else {
            return;
        };
        if index / CHUNK == self.chunks.len() {
            self.chunks.push(Arc::new(Vec::with_capacity(1)));
        }
        let Some(chunk) = self.chunks.get_mut(index / CHUNK).map(Arc::make_mut) else {
            return;
        };
        match chunk.get_mut(index % CHUNK) {
            Some(old) => *old = item,
            None => chunk.push(item),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_not_seen_by_an_older_copy() {
        let mut list = Shared::default();
        for number in 0..600_u32 {
            list.set(number, number);
        }
        let older = list.clone();
        list.set(300, 7);
        assert_eq!((older.get(300), list.get(300)), (Some(&300), Some(&7)));
        assert_eq!((list.get(599), list.get(600)), (Some(&599), None));
    }
}
