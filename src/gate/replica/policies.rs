//! Restrictions interned: keys that are restricted alike share one policy.
//!
//! Products are kept by their row here, so that a new catalogue renumbers every policy and no key is touched.

use std::collections::HashMap;

use latchkey_rules::access::Access;
use latchkey_rules::domain::DomainPattern;
use latchkey_rules::environment::Environment;
use latchkey_rules::ip_range::IpRange;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::product::ProductIx;

use super::facts::{Policy, Shared};
use crate::store::replica::RowId;

/// What makes two keys restricted alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Restrictions {
    pub(super) access: Access,
    pub(super) environment: Environment,
    pub(super) kind: KeyKind,
    /// Sorted.
    pub(super) product_rows: Vec<RowId>,
    pub(super) domains: Option<Vec<DomainPattern>>,
    pub(super) ips: Option<Vec<IpRange>>,
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
        product_rows: &[RowId],
        list: &mut Shared<Policy>,
    ) -> (u32, bool) {
        if let Some(index) = self.by_restrictions.get(&restrictions) {
            return (*index, false);
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.uses.push(0);
            u32::try_from(self.uses.len() - 1).unwrap_or(u32::MAX)
        });
        list.set(index, policy_of(&restrictions, product_rows));
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
    pub(super) fn renumber(&self, product_rows: &[RowId], list: &mut Shared<Policy>) {
        for (restrictions, index) in &self.by_restrictions {
            list.set(*index, policy_of(restrictions, product_rows));
        }
    }

    fn uses_of(&mut self, index: u32) -> Option<&mut u32> {
        self.uses.get_mut(usize::try_from(index).ok()?)
    }
}

/// A product row that is in no catalogue is left out: the key is then not good for it.
fn policy_of(restrictions: &Restrictions, product_rows: &[RowId]) -> Policy {
    let number = |row: &RowId| {
        let place = product_rows.iter().position(|other| other == row)?;
        u16::try_from(place).ok().map(ProductIx)
    };
    let mut products: Vec<ProductIx> = restrictions
        .product_rows
        .iter()
        .filter_map(number)
        .collect();
    products.sort_unstable();
    Policy {
        access: restrictions.access,
        environment: restrictions.environment,
        kind: restrictions.kind,
        products,
        domains: restrictions.domains.clone(),
        ips: restrictions.ips.clone(),
    }
}
