//! Rotation: a key gets a new secret, and the one before it an end. Never do three secrets of a key work at once.
//!
//! Must not know how secrets are kept.

use crate::time::{HOUR_MS, Millis};

worded! {
    /// Why somebody rotates.
    pub enum RotationReason {
        /// It was time.
        Routine => "routine", "Routine";
        /// Somebody who knows the secret is not one of us any more.
        SomeoneLeft => "someone_left", "Someone left";
        /// Somebody else may know the secret.
        Leaked => "leaked", "It may have leaked";
    }
}

/// For how many hours the older secret may work on, the usual choice first.
pub const GRACE_HOURS: [i64; 5] = [48, 24, 3, 1, 0];

/// The longest grace, in milliseconds.
pub const LONGEST_GRACE_MS: i64 = 48 * HOUR_MS;

/// A secret of the key that works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveSecret {
    /// Its number within the key; later ones are higher.
    pub number: i16,
    /// When it ends, if an earlier rotation gave it an end.
    pub ends_at: Option<Millis>,
    /// Whether it was ever let through.
    pub used: bool,
}

/// The end that a rotation gives a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The secret's number within the key.
    pub number: i16,
    /// When it ends.
    pub at: Millis,
}

/// The ends that a rotation gives to the secrets that work now. Without a grace, and whenever the secret may have leaked,
/// none of them works on. A newest secret that was never used is replaced, and an older one keeps the end that it has: whoever
/// rotates twice takes nothing away from those who still use it. Else the newest gets the grace, and an older one ends now.
#[must_use]
pub fn rotate(
    live: &[LiveSecret],
    now: Millis,
    grace_ms: i64,
    reason: RotationReason,
) -> Vec<Ending> {
    let ends_now = |secret: &LiveSecret| Ending {
        number: secret.number,
        at: now,
    };
    let grace_ms = grace_ms.clamp(0, LONGEST_GRACE_MS);
    if reason == RotationReason::Leaked || grace_ms == 0 {
        return live.iter().map(ends_now).collect();
    }
    let Some(newest) = live.iter().max_by_key(|secret| secret.number) else {
        return Vec::new();
    };
    let older = live.iter().filter(|secret| secret.number != newest.number);
    if live.len() > 1 && !newest.used {
        return vec![ends_now(newest)];
    }
    let mut endings: Vec<Ending> = older.map(ends_now).collect();
    endings.push(Ending {
        number: newest.number,
        at: now.plus_ms(grace_ms),
    });
    endings
}

/// The end of a grace that was made shorter: never later than it was, never before now.
#[must_use]
pub fn shortened(ends_at: Millis, now: Millis, grace_ms: i64) -> Millis {
    ends_at.min(now.plus_ms(grace_ms.max(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_795_255_200_000);

    fn secret(number: i16, ends_in_h: Option<i64>, used: bool) -> LiveSecret {
        LiveSecret {
            number,
            ends_at: ends_in_h.map(|hours| NOW.plus_ms(hours * HOUR_MS)),
            used,
        }
    }

    fn ends(live: &[LiveSecret], hours: i64, reason: RotationReason) -> Vec<(i16, i64)> {
        rotate(live, NOW, hours * HOUR_MS, reason)
            .iter()
            .map(|ending| (ending.number, (ending.at.0 - NOW.0) / HOUR_MS))
            .collect()
    }

    #[test]
    fn each_rotation_gives_the_ends_of_the_table() {
        use RotationReason::{Leaked, Routine, SomeoneLeft};
        let alone = [secret(1, None, true)];
        let unused_alone = [secret(1, None, false)];
        let both_used = [secret(2, None, true), secret(1, Some(20), true)];
        let newest_unused = [secret(2, None, false), secret(1, Some(20), true)];
        assert_eq!(ends(&alone, 48, Routine), [(1, 48)]);
        assert_eq!(ends(&alone, 0, SomeoneLeft), [(1, 0)]);
        assert_eq!(ends(&alone, 48, Leaked), [(1, 0)]);
        assert_eq!(ends(&alone, 1000, Routine), [(1, 48)]);
        assert_eq!(ends(&unused_alone, 3, Routine), [(1, 3)]);
        assert_eq!(ends(&both_used, 24, Routine), [(1, 0), (2, 24)]);
        assert_eq!(ends(&newest_unused, 48, Routine), [(2, 0)]);
        assert_eq!(ends(&newest_unused, 0, Routine), [(2, 0), (1, 0)]);
        assert_eq!(ends(&newest_unused, 48, Leaked), [(2, 0), (1, 0)]);
        assert_eq!(ends(&[], 48, Routine), []);
    }

    #[test]
    fn never_do_three_secrets_work_and_what_is_used_works_on_for_its_grace() {
        for uses in 0..64_u32 {
            let mut live = vec![secret(1, None, true)];
            for round in 0..6 {
                let used = uses >> round & 1 == 1;
                if let Some(newest) = live.first_mut() {
                    newest.used |= used;
                }
                let in_use: Vec<i16> = live.iter().filter(|s| s.used).map(|s| s.number).collect();
                let newest_used = live.first().is_some_and(|newest| newest.used);
                for ending in rotate(&live, NOW, HOUR_MS, RotationReason::Routine) {
                    for one in &mut live {
                        if one.number == ending.number {
                            one.ends_at = Some(ending.at);
                        }
                    }
                }
                live.retain(|one| one.ends_at.is_none_or(|at| at > NOW));
                let number = live.first().map_or(1, |newest| newest.number) + 10;
                live.insert(0, secret(number, None, false));
                assert!(live.len() <= 2, "{live:?}");
                // The one that clients used last works on.
                let last_used = if newest_used {
                    in_use.first()
                } else {
                    in_use.last()
                };
                let kept = last_used.is_none_or(|one| live.iter().any(|s| s.number == *one));
                assert!(kept, "{uses:b} {round}: {live:?} without {last_used:?}");
            }
        }
    }

    #[test]
    fn a_grace_only_gets_shorter() {
        let end = NOW.plus_ms(20 * HOUR_MS);
        assert_eq!(shortened(end, NOW, 3 * HOUR_MS), NOW.plus_ms(3 * HOUR_MS));
        assert_eq!(shortened(end, NOW, 48 * HOUR_MS), end);
        assert_eq!(shortened(end, NOW, 0), NOW);
        assert_eq!(shortened(end, NOW, -5), NOW);
    }
}
