//! How an account buys, and how each of its keys is billed.

worded! {
    /// How an account buys.
    pub enum Tier {
        /// By itself, on the price list.
        SelfServe => "self_serve", "Self-serve";
        /// By contract.
        Enterprise => "enterprise", "Enterprise";
    }
}

worded! {
    /// How the use of one key is billed.
    pub enum BillingType {
        /// Enterprise: billed by the contract.
        Paying => "paying", "Paying";
        /// Enterprise: a trial that is not billed.
        Evaluation => "evaluation", "Evaluation";
        /// Enterprise: somebody's own experiments, not billed.
        Free => "free", "Free (personal key)";
        /// Self-serve on the plan Free.
        Freemium => "freemium", "Freemium";
        /// Self-serve on any other plan.
        PayAsYouGrow => "pay_as_you_grow", "Pay as You Grow";
    }
}

impl BillingType {
    /// Whether keys of such an account can have this type.
    #[must_use]
    pub const fn fits(self, tier: Tier) -> bool {
        match self {
            Self::Paying | Self::Evaluation | Self::Free => matches!(tier, Tier::Enterprise),
            Self::Freemium | Self::PayAsYouGrow => matches!(tier, Tier::SelfServe),
        }
    }
}

/// The type that a new key gets.
#[must_use]
pub const fn default_for(tier: Tier, plan_is_free: bool) -> BillingType {
    match (tier, plan_is_free) {
        (Tier::Enterprise, _) => BillingType::Evaluation,
        (Tier::SelfServe, true) => BillingType::Freemium,
        (Tier::SelfServe, false) => BillingType::PayAsYouGrow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_billed_as_its_account_buys() {
        assert_eq!(default_for(Tier::SelfServe, true), BillingType::Freemium);
        assert_eq!(
            default_for(Tier::SelfServe, false),
            BillingType::PayAsYouGrow
        );
        assert_eq!(
            default_for(Tier::Enterprise, false),
            BillingType::Evaluation
        );
        for tier in Tier::ALL {
            for free in [true, false] {
                assert!(default_for(*tier, free).fits(*tier));
            }
        }
    }
    #[test]
    fn each_type_fits_one_tier() {
        use BillingType::{Evaluation, Free, Freemium, PayAsYouGrow, Paying};
        for (tier, fitting) in [
            (Tier::Enterprise, vec![Paying, Evaluation, Free]),
            (Tier::SelfServe, vec![Freemium, PayAsYouGrow]),
        ] {
            for billing in BillingType::ALL {
                assert_eq!(billing.fits(tier), fitting.contains(billing), "{billing:?}");
            }
        }
    }
}
