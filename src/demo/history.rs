//! Thirty days of a key's counts, hour by hour, as its past would have left them.
//!
//! Must not know the database.

use latchkey_rules::access::Access;
use latchkey_rules::code::Code;
use latchkey_rules::time::{DAY_MS, HOUR_MS, MINUTE_MS, Millis};

use super::keys::{KeyShape, SURGED};
use super::past::Past;
use super::products::PRODUCTS;
use super::rhythm::{Rhythm, dice, whole};

/// How far back the counts go.
const DAYS: i64 = 30;

/// How long before it was switched off a misused key was misused.
const SURGE_MS: i64 = 6 * HOUR_MS;

/// How long before its delete nobody used a key any more.
const UNUSED_MS: i64 = 2 * DAY_MS;

/// A count of one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) hour: Millis,
    pub(super) secret_number: i16,
    pub(super) product: Option<&'static str>,
    pub(super) code: Code,
    pub(super) count: u64,
}

/// A key with its past.
pub(super) struct Life<'a> {
    pub(super) shape: &'a KeyShape,
    pub(super) past: &'a Past,
    /// Its place in the tables, for the dice.
    pub(super) place: u64,
}

/// When a key stopped to work, and with which code it is refused since; none when nobody asks any more.
#[derive(Clone, Copy)]
struct Stop {
    at: Millis,
    code: Option<Code>,
}

impl Life<'_> {
    /// All counts of the past thirty days, the oldest first.
    pub(super) fn counts(&self, now: Millis) -> Vec<Counted> {
        let start = now.day_start().plus_ms(-DAYS * DAY_MS);
        let mut hour = start.max(self.past.created_at.hour_start());
        let mut counts = Vec::new();
        while hour <= now {
            self.hour(hour, now, &mut counts);
            hour = hour.plus_ms(HOUR_MS);
        }
        counts.retain(|counted| counted.count > 0);
        counts
    }

    /// The last instant at which it was let through.
    pub(super) fn last_of(&self, counted: &Counted, now: Millis) -> Millis {
        let end = counted.hour.plus_ms(HOUR_MS - 1).min(now);
        let end = self.stop().map_or(end, |stop| end.min(stop.at));
        let pause = i64::try_from(dice(self.place, counted.hour, 9) % 400_000).unwrap_or(0);
        end.plus_ms(-pause).max(counted.hour)
    }

    fn stop(&self) -> Option<Stop> {
        let past = self.past;
        [
            (past.disabled_at, Some(Code::KeyDisabled)),
            (past.paused_at, Some(Code::KeyDisabled)),
            (past.expires_at, Some(Code::KeyExpired)),
            (past.suspended_at, Some(Code::AccountSuspended)),
            (past.deleted_at.map(|at| at.plus_ms(-UNUSED_MS)), None),
        ]
        .into_iter()
        .find_map(|(at, code)| at.map(|at| Stop { at, code }))
    }

    fn hour(&self, hour: Millis, now: Millis, counts: &mut Vec<Counted>) {
        let asked = self.asked(hour);
        let until = self.stop().map_or(now, |stop| stop.at.min(now));
        let born = part(hour, self.past.created_at);
        let works = part(hour, until).saturating_sub(born);
        self.let_through(hour, asked * works / 1_000, counts);
        if let Some(Stop {
            at,
            code: Some(code),
        }) = self.stop()
        {
            let since = part(hour, now).saturating_sub(part(hour, at));
            // Programs go on for a while before somebody mends them.
            let hours = u64::try_from((hour.0 - at.0) / HOUR_MS).unwrap_or(0);
            let still = asked * since / 1_000 * 600 / 1_000 * 12 / (12 + hours);
            self.spread(hour, still, self.current_secret(), code, counts);
        }
    }

    /// Thousandths of requests in a whole hour.
    fn asked(&self, hour: Millis) -> u64 {
        let base = Rhythm::of(self.shape).thousandths(u64::from(self.shape.daily), hour);
        let noise = 80 + dice(self.place, hour, 1) % 41;
        let asked = base * noise / 100;
        let surges = self.shape.name == SURGED
            && self
                .past
                .disabled_at
                .is_some_and(|at| hour >= at.plus_ms(-SURGE_MS).hour_start() && hour <= at);
        if surges { asked * 40 } else { asked }
    }

    const fn current_secret(&self) -> i16 {
        if self.past.rotated_at.is_some() { 2 } else { 1 }
    }

    fn let_through(&self, hour: Millis, asked: u64, counts: &mut Vec<Counted>) {
        let newer = self.newer_share(hour);
        let (new, old) = (asked * newer / 1_000, asked * (1_000 - newer) / 1_000);
        self.spread(hour, new, 2, Code::Valid, counts);
        let retired = self.past.older_ends_at.is_some_and(|at| hour >= at);
        if retired {
            self.spread(hour, old, 1, Code::SecretRetired, counts);
        } else {
            self.spread(hour, old, 1, Code::Valid, counts);
        }
        self.mistakes(hour, asked, counts);
    }

    /// How much of the traffic has the newer secret, in thousandths.
    fn newer_share(&self, hour: Millis) -> u64 {
        let (Some(rotated), Some(ends)) = (self.past.rotated_at, self.past.older_ends_at) else {
            return 0;
        };
        if hour < rotated {
            return 0;
        }
        let hours = u64::try_from((hour.0 - rotated.0) / HOUR_MS).unwrap_or(0);
        if hour < ends {
            100 + hours * 17
        } else {
            // A forgotten program, found in the end.
            1_000 - 40 * 48 / (hours.max(48))
        }
    }

    /// One count for each product, the first of them the busiest.
    fn spread(&self, hour: Millis, asked: u64, secret: i16, code: Code, counts: &mut Vec<Counted>) {
        let shares = (1_u64..).zip(self.shape.products);
        let total: u64 = shares.clone().map(|(place, _)| 1_000 / place).sum();
        for (place, product) in shares {
            let share = asked * (1_000 / place) / total;
            let dice = dice(
                self.place,
                hour,
                16 * place + u64::from(secret.unsigned_abs()),
            );
            counts.push(Counted {
                hour,
                secret_number: secret,
                product: Some(*product),
                code,
                count: whole(share, dice),
            });
        }
    }

    /// The refusals of every day, and one bad afternoon.
    fn mistakes(&self, hour: Millis, asked: u64, counts: &mut Vec<Counted>) {
        let day = hour.0.div_euclid(DAY_MS).unsigned_abs();
        let afternoon = (12..17).contains(&(hour.0.rem_euclid(DAY_MS) / HOUR_MS));
        let bad = afternoon && day % 23 == dice(self.place, Millis(0), 2) % 23;
        let secret = if self.newer_share(hour) > 500 { 2 } else { 1 };
        let mut add = |product, code, thousandths: u64, purpose| {
            let count = whole(asked * thousandths / 1_000, dice(self.place, hour, purpose));
            counts.push(Counted {
                hour,
                secret_number: secret,
                product,
                code,
                count,
            });
        };
        let lacking = PRODUCTS
            .iter()
            .find(|product| !self.shape.products.contains(&product.slug))
            .map(|product| product.slug);
        add(
            lacking,
            Code::ProductNotAssigned,
            if bad { 120 } else { 2 },
            3,
        );
        add(None, Code::ProductUnknown, 1, 4);
        if self.shape.access == Access::Read {
            let first = self.shape.products.first().copied();
            add(first, Code::AccessNotAllowed, 4, 5);
        }
    }
}

/// How much of an hour lies before an instant, in thousandths.
fn part(hour: Millis, at: Millis) -> u64 {
    let minutes = (at.0 - hour.0).clamp(0, HOUR_MS) / MINUTE_MS;
    u64::try_from(minutes * 1_000 / 60).unwrap_or(0)
}

#[cfg(test)]
mod tests;
