//! The one word that says how a key stands, computed when it is shown.

use crate::time::{DAY_MS, Millis};

/// How long before its expiry a key is called expiring.
pub const EXPIRING_MS: i64 = 7 * DAY_MS;

worded! {
    /// How a key stands. Of several that hold, the first in this order is the status.
    pub enum Status {
        /// Deleted by its account.
        Deleted => "deleted", "Deleted";
        /// Switched off by staff or a policy.
        Disabled => "disabled", "Disabled";
        /// Switched off for a while by its account.
        Paused => "paused", "Paused";
        /// Past its expiry date.
        Expired => "expired", "Expired";
        /// Two secrets work.
        Rotating => "rotating", "Rotating";
        /// Expires within seven days.
        Expiring => "expiring", "Expiring";
        /// None of the above.
        Active => "active", "Active";
    }
}

/// What a key's status follows from.
#[derive(Clone, Copy, Debug, Default)]
pub struct StatusFacts {
    /// Deleted, whether or not it can still be restored.
    pub deleted: bool,
    /// Disabled by staff or a policy.
    pub disabled: bool,
    /// Paused by its account.
    pub paused: bool,
    /// When the key expires.
    pub expires_at: Option<Millis>,
    /// When the older secret's grace ends, if the key has two.
    pub other_secret_ends_at: Option<Millis>,
}

impl Status {
    /// The status of such a key at this instant. An instant named as an end is the first one at which
    /// it is over, here as in the verdict.
    #[must_use]
    pub fn of(facts: &StatusFacts, now: Millis) -> Self {
        let is_over = |end: Option<Millis>| end.is_some_and(|end| end <= now);
        if facts.deleted {
            Self::Deleted
        } else if facts.disabled {
            Self::Disabled
        } else if facts.paused {
            Self::Paused
        } else if is_over(facts.expires_at) {
            Self::Expired
        } else if facts.other_secret_ends_at.is_some_and(|end| end > now) {
            Self::Rotating
        } else if facts
            .expires_at
            .is_some_and(|end| end <= now.plus_ms(EXPIRING_MS))
        {
            Self::Expiring
        } else {
            Self::Active
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_000 * DAY_MS);

    fn worst() -> StatusFacts {
        StatusFacts {
            deleted: true,
            disabled: true,
            paused: true,
            expires_at: Some(NOW),
            other_secret_ends_at: Some(NOW.plus_ms(1)),
        }
    }

    #[test]
    fn the_first_that_holds_is_the_word() {
        let mut facts = worst();
        assert_eq!(Status::of(&facts, NOW), Status::Deleted);
        facts.deleted = false;
        assert_eq!(Status::of(&facts, NOW), Status::Disabled);
        facts.disabled = false;
        assert_eq!(Status::of(&facts, NOW), Status::Paused);
        facts.paused = false;
        assert_eq!(Status::of(&facts, NOW), Status::Expired);
        facts.expires_at = Some(NOW.plus_ms(1));
        assert_eq!(Status::of(&facts, NOW), Status::Rotating);
        facts.other_secret_ends_at = Some(NOW);
        assert_eq!(Status::of(&facts, NOW), Status::Expiring);
        let seven_days = 604_800_000;
        facts.expires_at = Some(NOW.plus_ms(seven_days));
        assert_eq!(Status::of(&facts, NOW), Status::Expiring);
        facts.expires_at = Some(NOW.plus_ms(seven_days + 1));
        assert_eq!(Status::of(&facts, NOW), Status::Active);
        facts.expires_at = None;
        assert_eq!(Status::of(&facts, NOW), Status::Active);
    }

    #[test]
    fn words_are_in_the_order_of_the_statuses() {
        let words: Vec<_> = Status::ALL.iter().map(|s| s.word()).collect();
        assert_eq!(
            words,
            [
                "deleted", "disabled", "paused", "expired", "rotating", "expiring", "active"
            ]
        );
    }
}
