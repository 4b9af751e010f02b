//! Who calls, noted at the moment of the decision, in memory, by each thread for itself.
//!
//! A caller is where a request comes from and what sends it, coarsely: see the rules' `caller`. A busy thread looks at
//! one request in 16 alone, a very busy one at one in 256, and counts it as so many: who calls is there for people to read,
//! and would cost more than the decision itself. It must not know where that goes, nor which callers are kept apart.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashTable;
use latchkey_rules::caller::{AddressDetail, CallerPlace, Whence, agent_family};
use latchkey_rules::time::Millis;
use latchkey_rules::verdict::Caller;

use super::tally::Subject;
use crate::gate::stripe;

/// Callers that one thread's table holds between two takings; some 1.3 MiB.
const TABLE_CAPACITY: usize = 8 * 1024;
/// From how many requests of one thread on, between two takings, one in how many is looked at, and counts as so many.
/// They are taken some 1.3 times a second.
const SAMPLING: [(u32, u32); 3] = [(16_000, 256), (1_000, 16), (0, 1)];
/// User agents whose family a thread remembers.
const AGENTS: usize = 1_024;

/// One caller of one secret, for one product, in one hour.
#[derive(Clone, Debug)]
pub(super) struct Sighting {
    /// Of everything that tells callers apart.
    hash: u64,
    /// Its code is that of the first request.
    pub(super) subject: Subject,
    pub(super) hour: Millis,
    pub(super) place: CallerPlace,
    pub(super) agent: Arc<str>,
    pub(super) allowed: i64,
    pub(super) refused: i64,
    pub(super) last_at: Millis,
}

#[derive(Default)]
struct Table {
    sightings: HashTable<Sighting>,
    /// Families by their user agents' hashes: almost every request's is among them.
    agents: HashMap<u64, Arc<str>>,
}

/// What one thread has met; on lines of memory of its own.
#[derive(Default)]
#[repr(align(64))]
struct Stripe {
    /// Requests since the table was last taken.
    requests: AtomicU32,
    table: Mutex<Table>,
}

impl Stripe {
    /// As how many requests this one counts; none when it is not looked at.
    fn weight(&self) -> Option<i64> {
        let before = self.requests.fetch_add(1, Ordering::Relaxed);
        let (_, one_in) = SAMPLING.into_iter().find(|(from, _)| before >= *from)?;
        // Spread by the golden ratio, so that traffic with a rhythm of its own does not fall in with it.
        let place = before.wrapping_mul(0x9e37_79b1);
        (place <= u32::MAX / one_in).then_some(i64::from(one_in))
    }
}

/// Everybody who called since this was last taken.
pub(super) struct Callers {
    stripes: Vec<Stripe>,
    hasher: RandomState,
    missed: AtomicU64,
}

impl Callers {
    pub(super) fn new() -> Self {
        Self {
            stripes: (0..stripe::STRIPES).map(|_| Stripe::default()).collect(),
            // Drawn anew in each process: nobody can choose callers that are taken for one another.
            hasher: RandomState::new(),
            missed: AtomicU64::new(0),
        }
    }

    /// Notes one request.
    pub(super) fn note(
        &self,
        subject: &Subject,
        caller: &Caller<'_>,
        detail: AddressDetail,
        now: Millis,
    ) {
        let Some(stripe) = self.stripes.get(stripe::own()) else {
            return;
        };
        let Some(weight) = stripe.weight() else {
            return;
        };
        let address = || caller.address.get();
        let whence = Whence::of(caller.origin, caller.referer, address, detail);
        let hour = now.hour_start();
        let secret = (subject.key_row, subject.secret_number, subject.product_row);
        let hash = self
            .hasher
            .hash_one((secret, hour.0, &whence, caller.user_agent));
        let mut table = stripe.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = table.sightings.find_mut(hash, |known| known.hash == hash) {
            known.add(subject, weight, now);
            return;
        }
        if table.sightings.len() >= TABLE_CAPACITY {
            self.missed
                .fetch_add(weight.unsigned_abs(), Ordering::Relaxed);
            return;
        }
        let mut first = Sighting {
            hash,
            subject: *subject,
            hour,
            place: CallerPlace::from(&whence),
            agent: self.family(&mut table.agents, caller.user_agent),
            allowed: 0,
            refused: 0,
            last_at: now,
        };
        first.add(subject, weight, now);
        table
            .sightings
            .insert_unique(hash, first, |known| known.hash);
    }

    fn family(&self, known: &mut HashMap<u64, Arc<str>>, user_agent: Option<&str>) -> Arc<str> {
        let hash = self.hasher.hash_one(user_agent);
        if let Some(family) = known.get(&hash) {
            return Arc::clone(family);
        }
        if known.len() >= AGENTS {
            known.clear();
        }
        let family: Arc<str> = agent_family(user_agent.unwrap_or_default()).into();
        known.insert(hash, Arc::clone(&family));
        family
    }

    /// Takes all of them out. Whom two threads met stands there twice.
    pub(super) fn take(&self) -> Vec<Sighting> {
        let mut taken = Vec::new();
        for stripe in &self.stripes {
            // Most threads have met nobody: reading leaves their lines as they are.
            if stripe.requests.load(Ordering::Relaxed) == 0 {
                continue;
            }
            stripe.requests.store(0, Ordering::Relaxed);
            let table = &stripe.table;
            let len = {
                let table = table.lock().unwrap_or_else(PoisonError::into_inner);
                table.sightings.len()
            };
            // Made before the lock is taken, so that no verdict waits for memory.
            let room = HashTable::with_capacity(len);
            let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
            let full = mem::replace(&mut table.sightings, room);
            drop(table);
            taken.extend(full);
        }
        taken
    }

    /// Requests whose caller found no room.
    pub(super) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

impl Sighting {
    fn add(&mut self, subject: &Subject, weight: i64, now: Millis) {
        if subject.code.is_allow() {
            self.allowed += weight;
        } else {
            self.refused += weight;
        }
        self.last_at = now;
    }
}

#[cfg(test)]
mod tests {
    use latchkey_rules::code::Code;
    use latchkey_rules::time::HOUR_MS;
    use latchkey_rules::verdict::Address;

    use super::*;
    use crate::store::replica::RowId;

    fn subject(key_row: i64, code: Code) -> Subject {
        Subject {
            account_row: RowId::from_number(1),
            key_row: RowId::from_number(key_row),
            secret_number: 1,
            product_row: RowId::from_number(2),
            code,
        }
    }

    fn note(callers: &Callers, subject: &Subject, ip: &str, user_agent: &str, now: Millis) {
        let caller = Caller {
            user_agent: Some(user_agent),
            address: Address::Is(ip.parse().ok()),
            ..Caller::NOBODY
        };
        callers.note(subject, &caller, AddressDetail::Network, now);
    }

    #[test]
    fn callers_are_told_apart_by_secret_network_agent_and_hour() {
        let callers = Callers::new();
        let allowed = subject(1, Code::Valid);
        note(&callers, &allowed, "198.51.100.7", "curl/8.5.0", Millis(5));
        note(&callers, &allowed, "198.51.100.9", "curl/8.5.0", Millis(7));
        let refused = subject(1, Code::KeyDisabled);
        note(&callers, &refused, "198.51.100.9", "curl/8.5.0", Millis(9));
        for (key, ip, agent, at) in [
            (2, "198.51.100.9", "curl/8.5.0", 9),
            (1, "203.0.113.9", "curl/8.5.0", 9),
            (1, "198.51.100.9", "axios/1.7", 9),
            (1, "198.51.100.9", "curl/8.5.0", HOUR_MS),
        ] {
            note(&callers, &subject(key, Code::Valid), ip, agent, Millis(at));
        }
        let taken = callers.take();
        assert_eq!(taken.len(), 5);
        let first = taken.iter().find(|one| one.refused > 0).unwrap();
        let met = (first.place.to_string(), &*first.agent);
        assert_eq!(met, ("198.51.100.0/24".to_owned(), "curl/8.5"));
        assert_eq!((first.allowed, first.refused), (2, 1));
        assert_eq!(first.last_at, Millis(9));
        assert_eq!((callers.take().len(), callers.missed()), (0, 0));
    }

    #[test]
    fn a_busy_thread_looks_at_some_and_counts_them_as_many() {
        for busy in [1_000, 16_000, 800_000] {
            counts_as_many(busy);
        }
    }

    fn counts_as_many(busy: i64) {
        let callers = Callers::new();
        for number in 0..busy {
            let agent = if number % 4 == 0 {
                "axios/1.7"
            } else {
                "curl/8.5"
            };
            note(
                &callers,
                &subject(1, Code::Valid),
                "::1",
                agent,
                Millis(number),
            );
        }
        let taken = callers.take();
        let all: i64 = taken.iter().map(|one| one.allowed).sum();
        assert!((all - busy).abs() <= busy / 50, "{all}");
        let axios = taken.iter().filter(|one| &*one.agent == "axios/1.7");
        let part: i64 = axios.map(|one| one.allowed).sum();
        assert!((part - busy / 4).abs() <= busy / 50, "{part}");
        note(&callers, &subject(1, Code::Valid), "::1", "", Millis(0));
        assert_eq!(callers.take().len(), 1, "exact again");
    }

    #[test]
    fn more_callers_than_there_is_room_for_are_missed_and_said_to_be() {
        let callers = Callers::new();
        let looked_at = 1_000 + 15_000 / 16;
        let beyond = i64::try_from(TABLE_CAPACITY).unwrap() - looked_at;
        for key in 0..16_000 + (beyond + 50) * 256 {
            note(&callers, &subject(key, Code::Valid), "::1", "", Millis(0));
        }
        let missed = callers.missed();
        assert_eq!(callers.take().len(), TABLE_CAPACITY);
        assert!(
            (256..=25_600).contains(&missed) && missed.is_multiple_of(256),
            "{missed}"
        );
    }
}
