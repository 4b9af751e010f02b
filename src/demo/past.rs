//! What happened to each of the demo's keys, and when.
//!
//! Must not know how any of it is stored.

use latchkey_rules::time::{DAY_MS, HOUR_MS, MINUTE_MS, Millis};

use super::keys::{KeyShape, State};

/// How long an older secret works beside a newer one.
const GRACE_MS: i64 = 48 * HOUR_MS;

/// When the suspended account was suspended, in days before now.
const SUSPENDED_DAYS: i64 = 6;

/// The instants of a key's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_field_names,
    reason = "instants end in _at, here as in the store"
)]
pub(super) struct Past {
    pub(super) created_at: Millis,
    pub(super) rotated_at: Option<Millis>,
    /// When the older of its two secrets ends.
    pub(super) older_ends_at: Option<Millis>,
    pub(super) expires_at: Option<Millis>,
    pub(super) paused_at: Option<Millis>,
    pub(super) disabled_at: Option<Millis>,
    pub(super) deleted_at: Option<Millis>,
    pub(super) suspended_at: Option<Millis>,
}

/// The life of the key that stands in this place of the table.
pub(super) fn of(key: &KeyShape, place: i64, now: Millis) -> Past {
    let days_ago = |days: i64| now.plus_ms(-days * DAY_MS);
    // Nobody does things on the hour of the demo's start.
    let about = |days: i64| days_ago(days).plus_ms(-(place * 53 % 400) * MINUTE_MS);
    let in_office = 8 * HOUR_MS + place * 47 % 540 * MINUTE_MS;
    let mut past = Past {
        created_at: days_ago(key.age_days).day_start().plus_ms(in_office),
        rotated_at: None,
        older_ends_at: None,
        expires_at: None,
        paused_at: None,
        disabled_at: None,
        deleted_at: None,
        suspended_at: None,
    };
    match key.state {
        State::Active => {}
        State::Expiring => past.expires_at = Some(days_ago(-5).day_start()),
        State::Rotating => past.rotated(now.plus_ms(-(10 + place % 3 * 9) * HOUR_MS)),
        State::Retired => past.rotated(about(9 + place % 4)),
        State::Paused => past.paused_at = Some(about(2 + place % 3)),
        State::Disabled(_) => past.disabled_at = Some(about(1 + place % 5)),
        State::Expired => past.expires_at = Some(days_ago(2 + place % 6).day_start()),
        // The row is still there: it can be taken back for an hour.
        State::Deleted => past.deleted_at = Some(now.plus_ms(-(12 + place % 9) * MINUTE_MS)),
        State::Suspended => past.suspended_at = Some(suspended_at(now)),
    }
    past
}

/// When the suspended account was suspended.
pub(super) fn suspended_at(now: Millis) -> Millis {
    now.plus_ms(-SUSPENDED_DAYS * DAY_MS)
}

impl Past {
    fn rotated(&mut self, at: Millis) {
        self.rotated_at = Some(at);
        self.older_ends_at = Some(at.plus_ms(GRACE_MS));
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::keys;
    use super::*;

    #[test]
    fn every_life_is_in_order_and_says_what_the_state_says() {
        // A Saturday noon.
        let now = Millis(1_795_262_400_000);
        for (place, key) in (0..).zip(keys()) {
            let past = of(&key, place, now);
            let happened = [
                past.rotated_at,
                past.paused_at,
                past.disabled_at,
                past.deleted_at,
                past.suspended_at,
            ];
            for at in happened.into_iter().flatten() {
                assert!(past.created_at < at && at < now, "{}", key.name);
            }
            let ends = past.older_ends_at;
            assert_eq!(
                key.state == State::Rotating,
                ends.is_some_and(|at| at > now)
            );
            assert_eq!(
                key.state == State::Retired,
                ends.is_some_and(|at| at <= now)
            );
            let expires = past.expires_at;
            assert_eq!(
                key.state == State::Expired,
                expires.is_some_and(|at| at <= now)
            );
            assert_eq!(
                key.state == State::Expiring,
                expires.is_some_and(|at| at > now)
            );
        }
    }
}
