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
mod uses;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use arc_swap::ArcSwap;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::secret::Digest;
use latchkey_rules::time::Millis;
use latchkey_rules::verdict::KeyFacts;

use crate::store::replica::RowId;

pub(crate) use facts::{Account, Facts, Plan, Policy};
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
    /// What secrets counted that were changed or went.
    left: Mutex<Vec<Admitted>>,
}

/// Requests that one secret let through to one product in one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Admitted {
    pub(crate) account_row: RowId,
    pub(crate) key_row: RowId,
    pub(crate) secret_number: u16,
    pub(crate) product_row: RowId,
    /// The second in which the last one was.
    pub(crate) last: Millis,
    pub(crate) times: i64,
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

impl<'a> Found<'a> {
    /// The secret and its key, if there is one.
    pub(crate) fn known(&self) -> Option<&Known<'a>> {
        match self {
            Self::Known(known) => Some(known),
            Self::Unknown | Self::Broken => None,
        }
    }
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
    /// The account's plan.
    pub(crate) plan: &'a Plan,
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

    /// Counts a request that was let through to that product. False when it is to be counted elsewhere: the record has
    /// room for one hour and product at a time.
    pub(crate) fn admits(&self, now: Millis, product_row: RowId) -> bool {
        self.record.uses.add(now, product_row)
    }
}

impl<'a> Known<'a> {
    /// What the verdict asks of a key.
    pub(crate) fn key_facts(&self, now: Millis) -> KeyFacts<'a> {
        KeyFacts {
            secret_ends_at: self.record.judged_end(),
            expires_at: self.record.judged_expiry(),
            standing: self.record.standing(now),
            account_suspended: self.account.suspended,
            environment: self.policy.environment,
            access: self.policy.access,
            products: &self.policy.products,
            scopes: &self.policy.scopes,
            domains: self.policy.domains.as_deref(),
            ips: self.policy.ips.as_deref(),
        }
    }
}

impl Replica {
    pub(crate) fn new(facts: Facts) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            facts: ArcSwap::from_pointee(facts),
            keys: AtomicU64::new(0),
            left: Mutex::default(),
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

    /// Takes out what the records have counted, one after another: `take` must not come back to the replica.
    pub(crate) fn take_admitted(&self, mut take: impl FnMut(&Admitted)) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let of_old = std::mem::take(&mut *left);
        drop(left);
        of_old.iter().for_each(&mut take);
        for shard in (0..SHARDS).filter_map(|shard| self.read(shard)) {
            let facts = self.facts.load();
            let counted = |(record, beside)| admitted(record, beside, &facts);
            for admitted in shard.all().filter_map(counted) {
                take(&admitted);
            }
        }
    }

    fn keep(&self, admitted: Admitted) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.push(admitted);
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
    /// What is known of each secret, in their order; nothing for those that are none.
    ///
    /// In three steps over all of them, each of which reads one kind of memory and waits for none of its own reads: the
    /// processor then fetches many lines at a time, where a look-up by itself waits for one after another.
    pub(crate) fn find_all<'d>(
        &self,
        digests: impl Iterator<Item = Option<&'d Digest>>,
    ) -> Vec<Found<'_>> {
        let guessed: Vec<Guess<'_, '_>> = digests.map(|digest| self.guess(digest)).collect();
        let right: Vec<bool> = guessed.iter().map(Guess::is_right).collect();
        let both = guessed.iter().zip(right);
        both.map(|(guess, is_right)| guess.found(is_right, self.facts))
            .collect()
    }

    fn guess<'v, 'd>(&'v self, digest: Option<&'d Digest>) -> Guess<'v, 'd> {
        let shard = digest.and_then(|digest| self.shards.get(shard_of(digest.as_bytes())));
        let shard = shard.and_then(Option::as_deref);
        let slot = shard
            .zip(digest)
            .and_then(|(shard, digest)| shard.guess(digest.as_bytes()));
        Guess {
            digest,
            shard,
            slot,
        }
    }
}

/// Where a secret stands, before its record was read.
struct Guess<'v, 'd> {
    digest: Option<&'d Digest>,
    shard: Option<&'v Shard>,
    slot: Option<u32>,
}

impl<'v> Guess<'v, '_> {
    fn is_right(&self) -> bool {
        let record = self.slot.and_then(|slot| self.shard?.record(slot));
        record
            .zip(self.digest)
            .is_some_and(|(record, digest)| record.is(digest.as_bytes()))
    }

    fn found(&self, is_right: bool, facts: &'v Facts) -> Found<'v> {
        match (self.digest, self.shard, self.slot) {
            (None, ..) => Found::Unknown,
            (_, Some(shard), Some(slot)) if is_right => {
                known(shard, slot, facts).map_or(Found::Broken, Found::Known)
            }
            (Some(digest), shard, _) => found(shard, digest, facts),
        }
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

/// Takes out what a record has counted.
fn admitted(record: &Record, beside: &Beside, facts: &Facts) -> Option<Admitted> {
    let account = facts.accounts.get(record.account)?;
    let used = record.uses.take()?;
    Some(Admitted {
        account_row: account.row,
        key_row: RowId::from_number(beside.row()),
        secret_number: record.number,
        product_row: used.product_row,
        last: used.last,
        times: used.times,
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
