//! Every key in memory: what a verdict reads instead of a database.
//!
//! Secrets stand in 64 shards chosen by their digest; what keys share is interned beside. Many threads read, one
//! [`Applier`](apply::Applier) writes. It must not know the database, HTTP, or what a verdict is.

pub(crate) mod apply;
mod facts;
mod policies;
mod record;
mod rows;
mod shard;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use arc_swap::ArcSwap;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::secret::Digest;
use latchkey_rules::time::Millis;
use latchkey_rules::verdict::KeyFacts;

pub(crate) use facts::{Account, Facts, Policy};
use record::{Beside, Record};
use shard::Shard;

/// Shards; a power of two, at most 256.
const SHARDS: usize = 64;
/// Bits of a place that name the slot within its shard; the rest name the shard.
const SLOT_BITS: u32 = 26;

/// All keys of the installation.
pub(crate) struct Replica {
    shards: Vec<RwLock<Shard>>,
    facts: ArcSwap<Facts>,
    keys: AtomicU64,
}

/// What is known of a secret.
pub(crate) enum Found<'a> {
    /// It opens, or opened, this key.
    Known(Known<'a>),
    /// No key has it.
    Unknown,
    /// The replica contradicts itself: nothing may be concluded.
    Broken,
}

/// A secret, its key, and what that key shares with others.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    record: &'a Record,
    /// A copy, so that its line of memory is fetched while the record's is waited for.
    beside: Beside,
    /// The key's restrictions.
    pub(crate) policy: &'a Policy,
    /// The key's account.
    pub(crate) account: &'a Account,
    /// The slug of the account's plan.
    pub(crate) plan: &'a str,
}

impl Known<'_> {
    pub(crate) fn key_id(&self) -> KeyId {
        self.beside.key_id()
    }

    pub(crate) fn key_row(&self) -> i64 {
        self.beside.row()
    }

    pub(crate) fn secret_number(&self) -> u16 {
        self.record.number
    }

    pub(crate) fn expires_at(&self) -> Option<Millis> {
        self.record.expires_at()
    }

    pub(crate) fn retires_at(&self) -> Option<Millis> {
        self.record.retires_at()
    }
}

impl<'a> Known<'a> {
    /// What the verdict asks of a key.
    pub(crate) fn key_facts(&self, now: Millis) -> KeyFacts<'a> {
        KeyFacts {
            secret_ends_at: self.retires_at(),
            expires_at: self.expires_at(),
            standing: self.record.standing(now),
            account_suspended: self.account.suspended,
            environment: self.policy.environment,
            access: self.policy.access,
            products: &self.policy.products,
            has_domains: self.policy.has_domains,
            has_ips: self.policy.has_ips,
        }
    }
}

impl Replica {
    pub(crate) fn new(facts: Facts) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            facts: ArcSwap::from_pointee(facts),
            keys: AtomicU64::new(0),
        }
    }

    /// Calls `f` with what is known of the secret, under the lock of its shard: nothing is copied out.
    pub(crate) fn with_secret<R>(
        &self,
        digest: &Digest,
        f: impl FnOnce(Found<'_>, &Facts) -> R,
    ) -> R {
        let shard = self.read(shard_of(digest.as_bytes()));
        // Loaded inside the lock, so that what the record names is in it: see `apply`.
        let facts = self.facts.load();
        f(found(shard.as_deref(), digest, &facts), &facts)
    }

    /// Calls `f` with all shards locked for reading, for whoever looks many secrets up: between two look-ups there is
    /// no lock then, and the processor waits for the memory of several at a time. Nobody waits in a ring: the one writer
    /// locks one shard at a time. `f` must not come back to the replica.
    pub(crate) fn with_all<R>(&self, f: impl FnOnce(&View<'_>, &Facts) -> R) -> R {
        let shards = (0..SHARDS).map(|shard| self.read(shard)).collect();
        let facts = self.facts.load();
        let view = View {
            shards,
            facts: &facts,
        };
        f(&view, &facts)
    }

    /// What keys share, for what is judged without a key.
    pub(crate) fn with_facts<R>(&self, f: impl FnOnce(&Facts) -> R) -> R {
        f(&self.facts.load())
    }

    /// How many keys are held; one that is being written at this moment may be missing.
    pub(crate) fn keys(&self) -> u64 {
        self.keys.load(Ordering::Relaxed)
    }

    /// How many secrets are held, retired ones with them.
    pub(crate) fn secrets(&self) -> usize {
        (0..SHARDS)
            .filter_map(|shard| self.read(shard))
            .map(|shard| shard.len())
            .sum()
    }

    /// What the secrets' records and the index over them take.
    pub(crate) fn bytes(&self) -> usize {
        (0..SHARDS)
            .filter_map(|shard| self.read(shard))
            .map(|shard| shard.bytes())
            .sum()
    }

    fn publish(&self, facts: &Facts) {
        self.facts.store(facts.clone().into());
    }

    fn read(&self, shard: usize) -> Option<RwLockReadGuard<'_, Shard>> {
        // A panic while a shard was written cannot happen short of memory running out; its data is whole either way.
        let shard = self.shards.get(shard)?;
        Some(shard.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, shard: usize) -> Option<RwLockWriteGuard<'_, Shard>> {
        let shard = self.shards.get(shard)?;
        Some(shard.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The whole replica, held still.
pub(crate) struct View<'a> {
    shards: Vec<Option<RwLockReadGuard<'a, Shard>>>,
    facts: &'a Facts,
}

impl View<'_> {
    /// What is known of the secret.
    pub(crate) fn find(&self, digest: &Digest) -> Found<'_> {
        let shard = self.shards.get(shard_of(digest.as_bytes()));
        found(shard.and_then(Option::as_deref), digest, self.facts)
    }
}

fn found<'a>(shard: Option<&'a Shard>, digest: &Digest, facts: &'a Facts) -> Found<'a> {
    let Some(shard) = shard else {
        return Found::Broken;
    };
    match shard.find(digest.as_bytes()) {
        None => Found::Unknown,
        Some(slot) => known(shard, slot, facts).map_or(Found::Broken, Found::Known),
    }
}

fn known<'a>(shard: &'a Shard, slot: u32, facts: &'a Facts) -> Option<Known<'a>> {
    let (record, beside) = (shard.record(slot)?, *shard.beside(slot)?);
    let account = facts.accounts.get(record.account)?;
    Some(Known {
        record,
        beside,
        policy: facts.policies.get(record.policy)?,
        account,
        plan: facts.plan_of(account)?,
    })
}

/// The shard of a digest: by a byte that the index within the shard does not hash by.
fn shard_of(digest: &[u8; 32]) -> usize {
    usize::from(digest[31]) % SHARDS
}

/// A slot and its shard as one number.
fn pack(shard: usize, slot: u32) -> u32 {
    u32::try_from(shard).unwrap_or(0) << SLOT_BITS | slot
}

fn unpack(place: u32) -> (usize, u32) {
    let shard = usize::try_from(place >> SLOT_BITS).unwrap_or(usize::MAX);
    (shard, place & ((1 << SLOT_BITS) - 1))
}
