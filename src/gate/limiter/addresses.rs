//! How much one address may ask with one browser key, where the operator says so: whoever takes a key off a page cannot use up
//! by themselves what is there for all who look at it. At most [`AT_MOST`] buckets, whoever asks.
//!
//! It must not know requests, or the other limits.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::HashTable;
use latchkey_rules::client_ip::fold_mapped;
use latchkey_rules::limit::{Bucket, Micros, Rate, Room};

use super::spread;

const SHARDS: usize = 64;
/// Buckets of addresses that are held at a time; some 6 MiB.
const AT_MOST: usize = 100_000;
const IN_A_SHARD: usize = AT_MOST / SHARDS;

/// The buckets, all of one rate.
pub(crate) struct Addresses {
    rate: Rate,
    shards: Vec<Mutex<HashTable<Held>>>,
}

#[derive(Clone, Copy)]
struct Held {
    key_row: i64,
    network: u128,
    bucket: Bucket,
}

/// The bucket of one address and key, held open for one request.
pub(crate) struct Place<'a> {
    held: Held,
    rate: Rate,
    shard: MutexGuard<'a, HashTable<Held>>,
}

impl Addresses {
    /// So many requests a minute, and as many at once.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self {
            rate: Rate::new(per_minute, per_minute),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    pub(crate) const fn rate(&self) -> Rate {
        self.rate
    }

    /// The place of an address with a key.
    pub(crate) fn place(&self, key_row: i64, address: IpAddr) -> Option<Place<'_>> {
        let network = network(address);
        let shard = usize::try_from(hash(key_row, network) >> 40).unwrap_or(0) % SHARDS;
        let shard = self.shards.get(shard)?;
        let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |held: &Held| held.key_row == key_row && held.network == network;
        let known = shard.find(hash(key_row, network), same).copied();
        let new = Held {
            key_row,
            network,
            bucket: Bucket::default(),
        };
        Some(Place {
            held: known.unwrap_or(new),
            rate: self.rate,
            shard,
        })
    }

    /// How many are held.
    pub(crate) fn len(&self) -> usize {
        let len = |shard: &Mutex<HashTable<Held>>| {
            shard.lock().unwrap_or_else(PoisonError::into_inner).len()
        };
        self.shards.iter().map(len).sum()
    }
}

impl Place<'_> {
    /// What the bucket says.
    pub(crate) fn look(&self, cost: u32, now: Micros) -> Room {
        self.held.bucket.look(self.rate, cost, now)
    }

    /// Takes what a request costs.
    pub(crate) fn take(mut self, cost: u32, now: Micros) {
        self.held.bucket.take(self.rate, cost, now);
        let (own, rate) = (self.held, self.rate);
        if self.shard.len() >= IN_A_SHARD {
            // A full bucket is as good as none; and if there is none, somebody begins anew.
            self.shard.retain(|held| !held.bucket.is_full(rate, now));
            if self.shard.len() >= IN_A_SHARD {
                self.shard.clear();
            }
        }
        let same = |held: &Held| held.key_row == own.key_row && held.network == own.network;
        let rehash = |held: &Held| hash(held.key_row, held.network);
        self.shard
            .entry(hash(own.key_row, own.network), same, rehash)
            .insert(own);
    }
}

/// An IPv4 address, or the /64 that a customer of a provider has.
fn network(address: IpAddr) -> u128 {
    match fold_mapped(address) {
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip) >> 64 << 64,
    }
}

fn hash(key_row: i64, network: u128) -> u64 {
    let [high, low] = [network >> 64, network & u128::from(u64::MAX)]
        .map(|half| u64::try_from(half).unwrap_or(0));
    let mixed = spread(key_row, 0) ^ high.rotate_left(17) ^ low.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 31).wrapping_mul(0x94d0_49bb_1331_11eb)
}

#[cfg(test)]
mod tests {
    use latchkey_rules::limit::Fits;

    use super::*;

    fn asks(addresses: &Addresses, key: i64, address: &str, now: u64) -> bool {
        let place = addresses.place(key, address.parse().unwrap()).unwrap();
        let fits = place.look(1, Micros(now)).fits == Fits::Now;
        if fits {
            place.take(1, Micros(now));
        }
        fits
    }

    #[test]
    fn t_51_an_address_has_its_own_bucket_for_each_key() {
        let addresses = Addresses::new(2);
        for (key, address, passes) in [
            (1, "203.0.113.7", [true, true, false]),
            (1, "203.0.113.8", [true, true, false]),
            (2, "203.0.113.7", [true, true, false]),
            // The same customer, and the same address written otherwise.
            (1, "2001:db8:1:2::1", [true, true, false]),
            (1, "2001:db8:1:2:ffff::9", [false, false, false]),
            (1, "::ffff:203.0.113.7", [false, false, false]),
            (1, "2001:db8:1:3::1", [true, true, false]),
        ] {
            assert_eq!(
                passes.map(|_| asks(&addresses, key, address, 0)),
                passes,
                "{key} {address}"
            );
        }
        assert!(
            asks(&addresses, 1, "203.0.113.7", 30_000_000),
            "half a minute brings one back"
        );
        assert!(!asks(&addresses, 1, "203.0.113.7", 30_000_000));
    }

    #[test]
    fn t_51_however_many_addresses_come_memory_has_an_end() {
        let addresses = Addresses::new(600);
        for number in 0..300_000_u32 {
            let address = std::net::Ipv4Addr::from(number).to_string();
            assert!(asks(&addresses, 1, &address, 0));
        }
        assert!(addresses.len() <= AT_MOST, "{}", addresses.len());
    }
}
