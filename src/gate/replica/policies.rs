//! Restrictions interned: keys that are restricted alike share one policy.
//!
//! Products are kept by their row here, so that a new catalogue renumbers every policy and no key is touched.

use std::collections::HashMap;

use latchkey_rules::access::Access;
use latchkey_rules::domain::DomainPattern;
use latchkey_rules::environment::Environment;
use latchkey_rules::ip_range::IpRange;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::limit::Bounds;
use latchkey_rules::product::{Catalogue, ProductIx, ProductScopes};

use super::facts::{Policy, Shared};
use crate::store::replica::{ReplicaAssignment, RowId};

/// What makes two keys restricted alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Restrictions {
    pub(super) access: Access,
    pub(super) environment: Environment,
    pub(super) kind: KeyKind,
    /// Sorted.
    pub(super) products: Vec<ReplicaAssignment>,
    pub(super) domains: Option<Vec<DomainPattern>>,
    pub(super) ips: Option<Vec<IpRange>>,
    pub(super) bounds: Bounds,
}

/// The products as they are now: their rows, by their places in the catalogue.
pub(super) struct KnownProducts<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) rows: &'a [RowId],
}

impl KnownProducts<'_> {
    /// A product that is in no catalogue is left out: the key is then not good for it.
    fn number(&self, row: RowId) -> Option<ProductIx> {
        let place = self.rows.iter().position(|other| *other == row)?;
        u16::try_from(place).ok().map(ProductIx)
    }

    /// What the key has of it, where that is not the whole product.
    fn scopes(&self, assignment: &ReplicaAssignment) -> Option<ProductScopes> {
        let slugs: Vec<&str> = assignment.scopes.split(' ').collect();
        let product = self.number(assignment.product)?;
        let known = self.catalogue.get(product)?;
        (!assignment.scopes.is_empty()).then(|| ProductScopes {
            product,
            scopes: known.scopes_named(&slugs),
        })
    }
}

/// Every policy in use, with the number of records that name it.
#[derive(Default)]
pub(super) struct Policies {
    by_restrictions: HashMap<Restrictions, u32>,
    uses: Vec<u32>,
    free: Vec<u32>,
}

impl Policies {
    /// The policy's index, and whether it had to be made; it is then in `list`, which is yet to be published.
    pub(super) fn intern(
        &mut self,
        restrictions: Restrictions,
        known: &KnownProducts<'_>,
        list: &mut Shared<Policy>,
    ) -> (u32, bool) {
        if let Some(index) = self.by_restrictions.get(&restrictions) {
            return (*index, false);
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.uses.push(0);
            u32::try_from(self.uses.len() - 1).unwrap_or(u32::MAX)
        });
        list.set(index, policy_of(&restrictions, known));
        self.by_restrictions.insert(restrictions, index);
        (index, true)
    }

    /// One more record names the policy.
    pub(super) fn hold(&mut self, index: u32) {
        if let Some(uses) = self.uses_of(index) {
            *uses += 1;
        }
    }

    /// One record less names it.
    pub(super) fn release(&mut self, index: u32) {
        if let Some(uses) = self.uses_of(index) {
            *uses = uses.saturating_sub(1);
        }
    }

    /// Gives the indices of policies that no record names to later ones.
    pub(super) fn sweep(&mut self) {
        let uses = &self.uses;
        let free = &mut self.free;
        self.by_restrictions.retain(|_, index| {
            let place = usize::try_from(*index).unwrap_or(usize::MAX);
            let is_held = uses.get(place).is_none_or(|uses| *uses > 0);
            if !is_held {
                free.push(*index);
            }
            is_held
        });
    }

    /// Writes every policy anew, since products have other numbers now.
    pub(super) fn renumber(&self, known: &KnownProducts<'_>, list: &mut Shared<Policy>) {
        for (restrictions, index) in &self.by_restrictions {
            list.set(*index, policy_of(restrictions, known));
        }
    }

    fn uses_of(&mut self, index: u32) -> Option<&mut u32> {
        self.uses.get_mut(usize::try_from(index).ok()?)
    }
}

fn policy_of(restrictions: &Restrictions, known: &KnownProducts<'_>) -> Policy {
    let assigned = &restrictions.products;
    let numbers = assigned.iter().map(|one| one.product);
    let mut products: Vec<ProductIx> = numbers.filter_map(|row| known.number(row)).collect();
    products.sort_unstable();
    let scopes = assigned.iter().filter_map(|one| known.scopes(one));
    Policy {
        access: restrictions.access,
        environment: restrictions.environment,
        kind: restrictions.kind,
        products,
        scopes: scopes.collect(),
        domains: restrictions.domains.clone(),
        ips: restrictions.ips.clone(),
        bounds: restrictions.bounds,
    }
}
