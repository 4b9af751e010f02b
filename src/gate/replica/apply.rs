//! The one writer of the replica.
//!
//! The order makes every decision consistent: what keys share is published before a record names it, and an index is
//! given to something else only after no record names it any more. It must not know where rows come from.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hashbrown::{HashMap, HashSet};
use latchkey_rules::product::{Catalogue, CatalogueError, ProductFacts};
use smol_str::SmolStr;

use crate::store::changes::ChangeKind;
use crate::store::replica::{
    ReplicaAccount, ReplicaKey, ReplicaPlan, ReplicaProduct, RowId, Tally,
};

use super::facts::{Account, Facts, Plan, Shared};
use super::policies::{KnownProducts, Policies, Restrictions};
use super::record::{Beside, Line, NONE, Record};
use super::rows::Rows;
use super::shard::Shard;
use super::{Replica, admitted, pack, shard_of, unpack};

/// Writes what the store says into the replica.
pub(crate) struct Applier {
    replica: Arc<Replica>,
    facts: Facts,
    /// Whether `facts` holds what is not published yet.
    unpublished: bool,
    policies: Policies,
    accounts: HashMap<RowId, u32>,
    rows: Rows,
    /// Keys without a secret, by their generation: nothing of them is served, but the store counts them.
    bare: HashMap<RowId, i64>,
    products: Vec<(RowId, i64)>,
    tally: Tally,
    /// The accounts that the load under way has seen.
    seen: HashSet<RowId>,
}

impl Applier {
    /// A writer, and the empty replica that it writes.
    pub(crate) fn new() -> Self {
        let facts = Facts {
            catalogue: Arc::default(),
            product_rows: Arc::default(),
            product_rates: Arc::default(),
            policies: Shared::default(),
            accounts: Shared::default(),
            plans: Arc::default(),
        };
        Self {
            replica: Arc::new(Replica::new(facts.clone())),
            facts,
            unpublished: false,
            policies: Policies::default(),
            accounts: HashMap::new(),
            rows: Rows::default(),
            bare: HashMap::new(),
            products: Vec::new(),
            tally: Tally::default(),
            seen: HashSet::new(),
        }
    }

    pub(crate) fn replica(&self) -> Arc<Replica> {
        Arc::clone(&self.replica)
    }

    /// What is held, to be compared with what the store says of its own.
    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    /// Whether the account is known; a key is not taken in before its account.
    pub(crate) fn knows_account(&self, row: RowId) -> bool {
        self.accounts.contains_key(&row)
    }

    /// All products, anew.
    pub(crate) fn set_products(
        &mut self,
        products: &[ReplicaProduct],
    ) -> Result<(), CatalogueError> {
        let facts: Vec<ProductFacts> = products
            .iter()
            .map(|product| product.facts.clone())
            .collect();
        self.facts.catalogue = Arc::new(Catalogue::build(facts)?);
        for (row, generation) in self.products.drain(..) {
            self.tally.remove(ChangeKind::Product, row, generation);
        }
        for product in products {
            self.tally
                .add(ChangeKind::Product, product.row, product.generation);
            self.products.push((product.row, product.generation));
        }
        let rows: Vec<RowId> = products.iter().map(|product| product.row).collect();
        let known = KnownProducts {
            catalogue: &self.facts.catalogue,
            rows: &rows,
        };
        self.policies.renumber(&known, &mut self.facts.policies);
        let rates = products.iter().map(|product| product.per_second);
        self.facts.product_rates = Arc::new(rates.collect());
        self.facts.product_rows = Arc::new(rows);
        self.unpublished = true;
        self.publish();
        Ok(())
    }

    /// All plans, anew.
    pub(crate) fn set_plans(&mut self, plans: &[ReplicaPlan]) {
        for plan in self.facts.plans.iter() {
            self.tally
                .remove(ChangeKind::Plan, plan.row, plan.generation);
        }
        for plan in plans {
            self.tally.add(ChangeKind::Plan, plan.row, plan.generation);
        }
        let plan = |plan: &ReplicaPlan| Plan {
            row: plan.row,
            generation: plan.generation,
            slug: Arc::from(plan.facts.slug.as_str()),
            bounds: plan.facts.bounds(),
        };
        self.facts.plans = Arc::new(plans.iter().map(plan).collect());
        self.unpublished = true;
        self.publish();
    }

    /// Writes accounts.
    pub(crate) fn put_accounts(&mut self, accounts: &[ReplicaAccount]) {
        for account in accounts {
            let next = u32::try_from(self.accounts.len()).unwrap_or(NONE);
            let index = *self.accounts.entry(account.row).or_insert(next);
            if let Some(old) = self.facts.accounts.get(index) {
                self.tally
                    .remove(ChangeKind::Account, old.row, old.generation);
            }
            self.tally
                .add(ChangeKind::Account, account.row, account.generation);
            self.seen.insert(account.row);
            let written = Account {
                row: account.row,
                generation: account.generation,
                slug: SmolStr::new(&account.slug),
                plan_row: account.plan_row,
                suspended: account.suspended,
            };
            self.facts.accounts.set(index, written);
            self.unpublished = true;
        }
        self.publish();
    }

    /// Writes keys: new ones, changed ones, deleted ones.
    pub(crate) fn put_keys(&mut self, keys: &[ReplicaKey]) {
        let shared: Vec<Option<(u32, u32)>> = keys.iter().map(|key| self.intern(key)).collect();
        self.publish();
        for (key, shared) in keys.iter().zip(shared) {
            match shared {
                Some((policy, account)) => self.write_key(key, policy, account),
                None => self.remove_key(key.row),
            }
        }
    }

    /// Takes a key out with all its secrets.
    pub(crate) fn remove_key(&mut self, row: RowId) {
        let places = self.places_of(row);
        self.count_out(row);
        self.rows.set(row.number(), NONE);
        for place in places {
            self.remove(place, row);
        }
    }

    /// Begins a full load over what is there.
    pub(crate) fn begin_load(&mut self) {
        self.rows.forget_seen();
        self.seen.clear();
        let bare: Vec<RowId> = self.bare.keys().copied().collect();
        for row in bare {
            self.count_out(row);
        }
    }

    /// Ends it: keys that it did not bring are gone.
    pub(crate) fn finish_load(&mut self) {
        for row in self.rows.unseen() {
            self.remove_key(RowId::from_number(row));
        }
        self.policies.sweep();
        self.forget_accounts();
    }

    /// Gives up what no key uses any more.
    pub(crate) fn tidy(&mut self) {
        self.policies.sweep();
    }

    /// Accounts that the load did not bring: their keys are gone, so they stand aside without being counted.
    fn forget_accounts(&mut self) {
        let gone: Vec<(RowId, u32)> = self
            .accounts
            .iter()
            .filter(|(row, _)| !self.seen.contains(*row))
            .map(|(row, index)| (*row, *index))
            .collect();
        for (row, index) in gone {
            let Some(account) = self.facts.accounts.get(index) else {
                continue;
            };
            let suspended = Account {
                suspended: true,
                ..account.clone()
            };
            self.tally
                .remove(ChangeKind::Account, row, account.generation);
            self.facts.accounts.set(index, suspended);
            self.unpublished = true;
        }
        self.publish();
        self.seen = HashSet::new();
    }

    /// What the key shares with others; nothing for a deleted one.
    fn intern(&mut self, key: &ReplicaKey) -> Option<(u32, u32)> {
        if key.deleted {
            return None;
        }
        let account = *self.accounts.get(&key.account_row)?;
        let mut products = key.products.clone();
        products.sort_unstable();
        let restrictions = Restrictions {
            access: key.access,
            environment: key.environment,
            kind: key.kind,
            products,
            domains: key.domains.clone(),
            ips: key.ips.clone(),
            bounds: key.bounds,
        };
        let known = KnownProducts {
            catalogue: &self.facts.catalogue,
            rows: &self.facts.product_rows,
        };
        let (policy, made) = self
            .policies
            .intern(restrictions, &known, &mut self.facts.policies);
        self.unpublished |= made;
        Some((policy, account))
    }

    fn write_key(&mut self, key: &ReplicaKey, policy: u32, account: u32) {
        let row = key.row;
        let before = self.places_of(row);
        self.count_out(row);
        let mut after = Vec::with_capacity(key.secrets.len());
        let mut secrets: Vec<_> = key.secrets.iter().collect();
        secrets.sort_unstable_by_key(|secret| secret.number);
        let mut next = NONE;
        for secret in secrets {
            let line = Line {
                policy,
                account,
                number: u16::try_from(secret.number).unwrap_or(u16::MAX),
                expires: key.expires,
                retires: secret.retires,
                standing: key.standing,
            };
            let record = Record::new(*secret.digest.as_bytes(), &line);
            let beside = Beside::new(&key.key_id, row.number(), key.generation, next);
            if let Some(place) = self.put(record, beside) {
                after.push(place);
                next = place;
            }
        }
        self.rows.set(row.number(), next);
        if next == NONE {
            self.bare.insert(row, key.generation);
        }
        self.tally.add(ChangeKind::Key, row, key.generation);
        self.replica.keys.fetch_add(1, Ordering::Relaxed);
        for place in before {
            if !after.contains(&place) {
                self.remove(place, row);
            }
        }
    }

    fn put(&mut self, record: Record, beside: Beside) -> Option<u32> {
        let shard = shard_of(&record.digest);
        let replica = Arc::clone(&self.replica);
        let mut written = replica.write(shard)?;
        let old = written.find(&record.digest);
        let old = old.and_then(|slot| self.let_go(&written, slot));
        self.policies.hold(record.policy);
        let slot = written.put(record, beside);
        if let Some(old) = old {
            self.policies.release(old);
        }
        Some(pack(shard, slot))
    }

    /// Keeps what a record has counted before it is written over or taken out, and answers the policy that it held.
    fn let_go(&self, shard: &Shard, slot: u32) -> Option<u32> {
        let (record, beside) = (shard.record(slot)?, shard.beside(slot)?);
        if let Some(admitted) = admitted(record, beside, &self.facts) {
            self.replica.keep(admitted);
        }
        Some(record.policy)
    }

    /// Takes one secret out, if it still is that key's.
    fn remove(&mut self, place: u32, row: RowId) {
        let (shard, slot) = unpack(place);
        let replica = Arc::clone(&self.replica);
        let Some(mut shard) = replica.write(shard) else {
            return;
        };
        if shard
            .beside(slot)
            .is_some_and(|beside| beside.row() == row.number())
        {
            if let Some(policy) = self.let_go(&shard, slot) {
                self.policies.release(policy);
            }
            shard.remove(slot);
        }
    }

    /// The places of a key's secrets, the newest first.
    fn places_of(&self, row: RowId) -> Vec<u32> {
        let mut places = Vec::new();
        let mut next = self.rows.get(row.number());
        while let Some(place) = next {
            let (shard, slot) = unpack(place);
            let shard = self.replica.read(shard);
            let beside = shard.as_ref().and_then(|shard| shard.beside(slot));
            let Some(beside) = beside.filter(|beside| beside.row() == row.number()) else {
                break;
            };
            places.push(place);
            next = (beside.next != NONE).then_some(beside.next);
        }
        places
    }

    /// Takes the key, as it is held, out of the tally.
    fn count_out(&mut self, row: RowId) {
        let held = self.bare.remove(&row).or_else(|| {
            let (shard, slot) = unpack(self.rows.get(row.number())?);
            let shard = self.replica.read(shard)?;
            let beside = shard
                .beside(slot)
                .filter(|beside| beside.row() == row.number())?;
            Some(beside.generation())
        });
        if let Some(generation) = held {
            self.tally.remove(ChangeKind::Key, row, generation);
            self.replica.keys.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn publish(&mut self) {
        if self.unpublished {
            self.replica.publish(&self.facts);
            self.unpublished = false;
        }
    }
}
