//! What the replica holds of one secret: the line that a decision reads, and what only an answer needs, beside it.
//!
//! It must not know how records are found or who writes them.

use latchkey_rules::key_id::KeyId;
use latchkey_rules::time::{Millis, SECOND_MS};
use latchkey_rules::verdict::Standing;

use super::uses::Uses;
use crate::store::replica::{ReplicaEnd, ReplicaStanding};

/// No slot, no successor.
pub(super) const NONE: u32 = u32::MAX;

/// One secret, as a decision reads it: exactly one cache line, so that a verdict over a million keys waits for memory
/// once. Instants are whole seconds here, always rounded to the closed side.
#[repr(align(64))]
pub(super) struct Record {
    pub(super) digest: [u8; 32],
    /// Index into the interned policies.
    pub(super) policy: u32,
    /// Index into the accounts.
    pub(super) account: u32,
    expires: u32,
    retires: u32,
    /// When a pause ends; [`NEVER`] for one without an end.
    resumes: u32,
    pub(super) number: u16,
    standing: u8,
    /// Which of its ends have come.
    over: u8,
    /// On this line because a verdict adds to it.
    pub(super) uses: Uses,
}

const _: () = assert!(size_of::<Record>() == 64);

/// What stands on a record's line, but for the digest.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) policy: u32,
    pub(super) account: u32,
    pub(super) number: u16,
    pub(super) expires: ReplicaEnd,
    pub(super) retires: ReplicaEnd,
    pub(super) standing: ReplicaStanding,
}

/// The key has expired, whatever a clock says.
const EXPIRED: u8 = 1;
/// The secret has ended, likewise.
const RETIRED: u8 = 2;

const ENABLED: u8 = 0;
const DISABLED: u8 = 1;
const PAUSED: u8 = 2;

impl Record {
    pub(super) fn new(digest: [u8; 32], line: &Line) -> Self {
        let (standing, resumes) = match line.standing {
            ReplicaStanding::Enabled => (ENABLED, NEVER),
            ReplicaStanding::Disabled => (DISABLED, NEVER),
            ReplicaStanding::Paused { until } => (PAUSED, until.map_or(NEVER, start_of)),
        };
        Self {
            digest,
            policy: line.policy,
            account: line.account,
            expires: line.expires.at.map_or(NEVER, end_of),
            retires: line.retires.at.map_or(NEVER, end_of),
            resumes,
            number: line.number,
            standing,
            over: if line.expires.is_over { EXPIRED } else { 0 }
                | if line.retires.is_over { RETIRED } else { 0 },
            uses: Uses::default(),
        }
    }

    /// Whether this is the secret with that digest. Every byte is compared, whatever the first ones say.
    pub(super) fn is(&self, digest: &[u8; 32]) -> bool {
        let differing = self
            .digest
            .iter()
            .zip(digest)
            .fold(0_u8, |differing, (a, b)| differing | (a ^ b));
        differing == 0
    }

    pub(super) fn expires_at(&self) -> Option<Millis> {
        instant(self.expires)
    }

    pub(super) fn retires_at(&self) -> Option<Millis> {
        instant(self.retires)
    }

    /// By which the key's end is judged: what has ended is over at any time that a clock may show.
    pub(super) fn judged_expiry(&self) -> Option<Millis> {
        self.ended(EXPIRED).or(self.expires_at())
    }

    /// The same for the secret's end.
    pub(super) fn judged_end(&self) -> Option<Millis> {
        self.ended(RETIRED).or(self.retires_at())
    }

    fn ended(&self, which: u8) -> Option<Millis> {
        (self.over & which != 0).then_some(Millis(i64::MIN))
    }

    pub(super) fn standing(&self, now: Millis) -> Standing {
        match self.standing {
            ENABLED => Standing::Enabled,
            PAUSED if instant(self.resumes).is_some_and(|resumes| resumes <= now) => {
                Standing::Enabled
            }
            PAUSED => Standing::Paused,
            // Whatever it is, it is not enabled.
            _ => Standing::Disabled,
        }
    }
}

/// No instant.
const NEVER: u32 = u32::MAX;

/// The second in which something that works ends: a key is never admitted late.
fn end_of(at: Millis) -> u32 {
    let secs = at.secs().clamp(0, i64::from(NEVER - 1));
    u32::try_from(secs).unwrap_or(0)
}

/// The second from which something that is off works again: never early.
fn start_of(at: Millis) -> u32 {
    u32::try_from(at.plus_ms(SECOND_MS - 1).secs().max(0)).unwrap_or(NEVER)
}

fn instant(secs: u32) -> Option<Millis> {
    (secs != NEVER).then(|| Millis(i64::from(secs) * SECOND_MS))
}

/// What an answer and the applier need of a secret's key.
#[derive(Clone, Copy)]
pub(super) struct Beside {
    key_id: [u8; 10],
    row: [u8; 6],
    /// The place of the key's next secret, or [`NONE`].
    pub(super) next: u32,
    generation: u32,
}

const _: () = assert!(size_of::<Beside>() == 24);

impl Beside {
    /// `row` and `generation` lie far below what fits: 2^48 keys, 2^32 changes of one key.
    pub(super) fn new(key_id: &KeyId, row: i64, generation: i64, next: u32) -> Self {
        let mut short = [0; 6];
        for (place, byte) in short.iter_mut().zip(row.to_le_bytes()) {
            *place = byte;
        }
        Self {
            key_id: *key_id.as_bytes(),
            row: short,
            next,
            generation: u32::try_from(generation).unwrap_or(u32::MAX),
        }
    }

    pub(super) fn key_id(&self) -> KeyId {
        KeyId::from_bytes(self.key_id)
    }

    pub(super) fn row(&self) -> i64 {
        let mut bytes = [0; 8];
        for (place, byte) in bytes.iter_mut().zip(self.row) {
            *place = byte;
        }
        i64::from_le_bytes(bytes)
    }

    pub(super) fn generation(&self) -> i64 {
        i64::from(self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(
        expires_at: Option<i64>,
        retires_at: Option<i64>,
        standing: ReplicaStanding,
    ) -> Record {
        let line = Line {
            policy: 1,
            account: 2,
            number: 3,
            expires: end(expires_at),
            retires: end(retires_at),
            standing,
        };
        Record::new([7; 32], &line)
    }

    fn end(at: Option<i64>) -> ReplicaEnd {
        ReplicaEnd {
            at: at.map(Millis),
            is_over: false,
        }
    }

    #[test]
    fn t_52_what_has_ended_is_over_at_any_time_and_says_when_it_was() {
        let over = ReplicaEnd {
            is_over: true,
            ..end(Some(9_000))
        };
        for (expires, retires) in [(true, false), (false, true), (true, true), (false, false)] {
            let line = Line {
                policy: 1,
                account: 2,
                number: 3,
                expires: if expires { over } else { end(Some(9_000)) },
                retires: if retires { over } else { end(Some(9_000)) },
                standing: ReplicaStanding::Enabled,
            };
            let record = Record::new([7; 32], &line);
            let judged = |over| {
                Some(if over {
                    Millis(i64::MIN)
                } else {
                    Millis(9_000)
                })
            };
            assert_eq!(record.judged_expiry(), judged(expires));
            assert_eq!(record.judged_end(), judged(retires));
            assert_eq!(record.expires_at(), Some(Millis(9_000)));
            assert_eq!(record.retires_at(), Some(Millis(9_000)));
        }
    }

    #[test]
    fn ends_are_kept_to_the_second_and_never_late() {
        for (at, kept) in [
            (-5, 0),
            (0, 0),
            (999, 0),
            (1_000, 1_000),
            (1_795_258_799_999, 1_795_258_799_000),
            (i64::MAX, 4_294_967_294_000),
        ] {
            let record = record(Some(at), Some(at), ReplicaStanding::Enabled);
            assert_eq!(record.expires_at(), Some(Millis(kept)));
            assert_eq!(record.retires_at(), Some(Millis(kept)));
        }
        let record = record(None, None, ReplicaStanding::Enabled);
        assert_eq!((record.expires_at(), record.retires_at()), (None, None));
    }

    #[test]
    fn a_pause_ends_by_itself_and_never_early() {
        let paused = |until| record(None, None, ReplicaStanding::Paused { until });
        let until = paused(Some(Millis(1_500)));
        assert_eq!(until.standing(Millis(1_500)), Standing::Paused);
        assert_eq!(until.standing(Millis(2_000)), Standing::Enabled);
        for endless in [paused(None), paused(Some(Millis(i64::MAX)))] {
            assert_eq!(endless.standing(Millis(i64::MAX)), Standing::Paused);
        }
        let disabled = record(None, None, ReplicaStanding::Disabled);
        assert_eq!(disabled.standing(Millis(i64::MAX)), Standing::Disabled);
    }

    #[test]
    fn what_is_kept_beside_a_record_comes_back() {
        let id = KeyId::from_bytes(*b"foobarfoob");
        let beside = Beside::new(&id, (1 << 48) - 1, 12, NONE);
        assert_eq!((beside.key_id(), beside.row()), (id, (1 << 48) - 1));
        assert_eq!((beside.generation(), beside.next), (12, NONE));
    }

    #[test]
    fn a_digest_is_that_digest_only_with_every_byte() {
        let record = record(None, None, ReplicaStanding::Enabled);
        assert!(record.is(&[7; 32]));
        for place in 0..32 {
            let mut other = [7; 32];
            other[place] = 8;
            assert!(!record.is(&other), "byte {place}");
        }
    }
}
