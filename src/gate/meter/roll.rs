//! The callers of this hour that are kept apart, and what of them waits for the database.
//!
//! A secret that is in every browser has more callers than anybody can read. The first fifty of a secret and hour have rows
//! of their own; fifty more have, if they call more often than the rarest of those; whoever else calls is counted by user
//! agent, and in the end as others. It must not know threads or the database.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};

use latchkey_rules::caller::{CallerPlace, OTHER_AGENTS};
use latchkey_rules::time::Millis;

use super::callers::Sighting;
use super::outbox::{product, secret_number};
use crate::store::callers::CallerCount;
use crate::store::replica::RowId;

/// Callers of a secret and hour with rows of their own, whoever they are.
const FIRST: usize = 50;
/// With those that call more often than the rarest of the first.
const MOST: usize = 100;
/// User agents by which the rest of a secret's callers are counted.
const AGENTS: usize = 20;
/// Callers of all secrets that are remembered; some 30 MiB.
const REMEMBERED: usize = 200_000;
/// Rows that wait; some 15 MiB.
const WAITING: usize = 50_000;

/// Where a count waits: together with those of its key.
type Place = (RowId, RowId, Millis, u16, RowId, u64);

/// Whom one secret has met this hour.
#[derive(Default)]
struct Met {
    /// By hash, with how often each called.
    callers: Vec<(u64, i64)>,
    agents: Vec<u64>,
}

/// The hour's callers.
#[derive(Default)]
pub(super) struct Roll {
    hour: Millis,
    secrets: HashMap<(RowId, u16), Met>,
    remembered: usize,
    waiting: BTreeMap<Place, CallerCount>,
    /// Where the next row to leave stands.
    hand: Option<Place>,
    hasher: RandomState,
    missed: u64,
}

impl Roll {
    /// Adds what was seen.
    pub(super) fn add(&mut self, sightings: Vec<Sighting>) {
        for sighting in sightings {
            self.add_one(sighting);
        }
    }

    fn add_one(&mut self, mut sighting: Sighting) {
        if sighting.hour > self.hour {
            self.hour = sighting.hour;
            self.secrets.clear();
            self.remembered = 0;
        }
        let hash = self.admitted(&mut sighting);
        let subject = sighting.subject;
        let place = (
            subject.account_row,
            subject.key_row,
            sighting.hour,
            subject.secret_number,
            subject.product_row,
            hash,
        );
        if let Some(known) = self.waiting.get_mut(&place) {
            known.allowed += sighting.allowed;
            known.refused += sighting.refused;
            known.last_at = known.last_at.max(sighting.last_at);
        } else if self.waiting.len() < WAITING {
            self.waiting.insert(place, count_of(sighting));
        } else {
            let lost = sighting.allowed + sighting.refused;
            self.missed += u64::try_from(lost).unwrap_or(0);
        }
    }

    /// Makes the caller one of others where it is not kept apart, and answers whom it is counted as.
    fn admitted(&mut self, sighting: &mut Sighting) -> u64 {
        let subject = &sighting.subject;
        let secret = (subject.key_row, subject.secret_number);
        let who = |place: &CallerPlace, agent: &str| self.hasher.hash_one((place, agent));
        let own = who(&sighting.place, &sighting.agent);
        let by_agent = who(&CallerPlace::Other, &sighting.agent);
        let other = who(&CallerPlace::Other, OTHER_AGENTS);
        let has_room = self.remembered < REMEMBERED;
        let met = self.secrets.entry(secret).or_default();
        let times = sighting.allowed + sighting.refused;
        if met.takes(own, times, has_room, &mut self.remembered) {
            return own;
        }
        sighting.place = CallerPlace::Other;
        if met.takes_agent(by_agent, has_room, &mut self.remembered) {
            return by_agent;
        }
        sighting.agent = OTHER_AGENTS.into();
        other
    }

    /// Takes out the next rows, at most so many; every row has its turn within one round.
    pub(super) fn take(&mut self, most: usize) -> Vec<CallerCount> {
        let mut behind = match self.hand {
            Some(hand) => self.waiting.split_off(&hand),
            None => std::mem::take(&mut self.waiting),
        };
        let mut taken = pop(&mut behind, most);
        self.hand = behind.keys().next().copied();
        let rest = most - taken.len();
        taken.extend(pop(&mut self.waiting, rest));
        self.waiting.append(&mut behind);
        taken
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Requests whose caller found no room.
    pub(super) fn missed(&self) -> u64 {
        self.missed
    }
}

impl Met {
    fn takes(&mut self, who: u64, times: i64, has_room: bool, remembered: &mut usize) -> bool {
        if let Some((_, known)) = self.callers.iter_mut().find(|(known, _)| *known == who) {
            *known += times;
            return true;
        }
        let rarest = self.callers.iter().take(FIRST).map(|(_, times)| *times);
        let is_kept = match self.callers.len() {
            ..FIRST => true,
            FIRST..MOST => rarest.min().is_some_and(|rarest| times > rarest),
            _ => false,
        };
        if is_kept && has_room {
            // Most secrets have one caller.
            if self.callers.is_empty() {
                self.callers.reserve_exact(1);
            }
            self.callers.push((who, times));
            *remembered += 1;
        }
        is_kept && has_room
    }

    fn takes_agent(&mut self, who: u64, has_room: bool, remembered: &mut usize) -> bool {
        if self.agents.contains(&who) {
            return true;
        }
        let is_kept = has_room && self.agents.len() < AGENTS;
        if is_kept {
            self.agents.push(who);
            *remembered += 1;
        }
        is_kept
    }
}

fn pop(rows: &mut BTreeMap<Place, CallerCount>, most: usize) -> Vec<CallerCount> {
    let mut next = || rows.pop_first().map(|(_, row)| row);
    (0..most).map_while(|_| next()).collect()
}

fn count_of(sighting: Sighting) -> CallerCount {
    let subject = &sighting.subject;
    CallerCount {
        account: subject.account_row,
        key: subject.key_row,
        secret_number: secret_number(subject),
        product: product(subject),
        hour: sighting.hour,
        place: sighting.place,
        agent: sighting.agent.as_ref().to_owned(),
        allowed: sighting.allowed,
        refused: sighting.refused,
        last_at: sighting.last_at,
    }
}

#[cfg(test)]
mod tests {
    use latchkey_rules::caller::AddressDetail;
    use latchkey_rules::code::Code;
    use latchkey_rules::time::HOUR_MS;
    use latchkey_rules::verdict::{Address, Caller};

    use super::*;
    use crate::gate::meter::callers::Callers;
    use crate::gate::meter::tally::Subject;

    /// What a roll makes of callers that are told by their address's third number and their program.
    fn rolled(roll: &mut Roll, hour: i64, seen: impl IntoIterator<Item = (u8, String)>) {
        let callers = Callers::new();
        for (net, agent) in seen {
            let caller = Caller {
                user_agent: Some(&agent),
                address: Address::Is(Some([198, 51, net, 7].into())),
                ..Caller::NOBODY
            };
            let subject = Subject {
                account_row: RowId::from_number(1),
                key_row: RowId::from_number(2),
                secret_number: 1,
                product_row: RowId::from_number(3),
                code: Code::Valid,
            };
            callers.note(
                &subject,
                &caller,
                AddressDetail::Network,
                Millis(hour * HOUR_MS),
            );
        }
        roll.add(callers.take());
    }

    fn nets(range: std::ops::Range<u8>, agent: &str) -> Vec<(u8, String)> {
        range.map(|net| (net, agent.to_owned())).collect()
    }

    fn total(rows: &[CallerCount]) -> i64 {
        rows.iter().map(|row| row.allowed + row.refused).sum()
    }

    #[test]
    fn fifty_callers_stand_apart_and_the_rest_by_agent() {
        let mut roll = Roll::default();
        rolled(&mut roll, 1, nets(0..50, "curl/8.5"));
        rolled(&mut roll, 1, nets(50..90, "axios/1.7"));
        let rows = roll.take(1_000);
        assert_eq!((rows.len(), total(&rows)), (51, 90));
        let other = rows.iter().find(|row| row.place == CallerPlace::Other);
        let other = other.unwrap();
        assert_eq!((other.agent.as_str(), other.allowed), ("axios/1.7", 40));
        assert!(roll.is_empty());
    }

    #[test]
    fn whoever_calls_more_than_the_rarest_stands_apart_too() {
        let mut roll = Roll::default();
        rolled(&mut roll, 1, nets(0..50, "curl/8.5"));
        let busy = [nets(77..78, "axios/1.7"), nets(77..78, "axios/1.7")].concat();
        rolled(&mut roll, 1, busy);
        let rows = roll.take(1_000);
        let busy = rows.iter().find(|row| row.agent == "axios/1.7").unwrap();
        assert_eq!(busy.place, CallerPlace::from_text("198.51.77.0/24"));
        assert_eq!(busy.allowed, 2);
    }

    #[test]
    fn agents_too_many_are_others_and_every_request_is_counted() {
        let mut roll = Roll::default();
        rolled(&mut roll, 1, nets(0..50, "curl/8.5"));
        for agent in 0..30 {
            rolled(&mut roll, 1, nets(60..63, &format!("app/{agent}")));
        }
        let rows = roll.take(1_000);
        assert_eq!((rows.len(), total(&rows)), (50 + AGENTS + 1, 50 + 90));
        let rest = rows.iter().find(|row| row.agent == OTHER_AGENTS).unwrap();
        assert_eq!(rest.allowed, 30);
    }

    #[test]
    fn the_next_hour_begins_anew() {
        let mut roll = Roll::default();
        rolled(&mut roll, 1, nets(0..50, "curl/8.5"));
        rolled(&mut roll, 2, nets(100..150, "curl/8.5"));
        assert_eq!(roll.take(1_000).len(), 100);
    }

    #[test]
    fn every_row_has_its_turn() {
        let mut roll = Roll::default();
        rolled(&mut roll, 1, nets(0..40, "curl/8.5"));
        let first = roll.take(15);
        rolled(&mut roll, 1, nets(0..40, "curl/8.5"));
        let second = roll.take(25);
        let places = |rows: &[CallerCount]| -> Vec<String> {
            rows.iter().map(|row| row.place.to_string()).collect()
        };
        let (first, second) = (places(&first), places(&second));
        assert!(first.iter().all(|place| !second.contains(place)));
        assert_eq!(
            (first.len(), second.len(), roll.take(99).len()),
            (15, 25, 15)
        );
    }
}
