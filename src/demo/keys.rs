//! The keys of the demo's customers, in every state. Only tables.
//!
//! Must not know how any of it is stored.

mod table;

use latchkey_rules::access::Access;
use latchkey_rules::billing::{BillingType, Tier};
use latchkey_rules::environment::Environment;
use latchkey_rules::kind::KeyKind;

use super::company::{ACCOUNTS, AccountShape};
use table::{BRIGHTWATER, HOLLIS, KESTREL, LUMEN, TESSERA};

/// The key that was misused before staff switched it off.
pub(super) const SURGED: &str = "Old telematics bridge";

/// What has become of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Active,
    /// Active, with an end within the week.
    Expiring,
    Rotating,
    Paused,
    Disabled(&'static str),
    Expired,
    Retired,
    Deleted,
    Suspended,
}

impl State {
    /// The word in the demo's JSON line.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Active | Self::Expiring => "active",
            Self::Rotating => "rotating",
            Self::Paused => "paused",
            Self::Disabled(_) => "disabled",
            Self::Expired => "expired",
            Self::Retired => "retired",
            Self::Deleted => "deleted",
            Self::Suspended => "suspended",
        }
    }
}

/// A key: whose, what for, how old, how busy.
pub(super) struct KeyShape {
    pub(super) account: &'static str,
    pub(super) name: &'static str,
    pub(super) environment: Environment,
    pub(super) access: Access,
    pub(super) products: &'static [&'static str],
    pub(super) state: State,
    pub(super) billing: BillingType,
    pub(super) age_days: i64,
    /// Requests on an ordinary working day.
    pub(super) daily: u32,
}

/// What a key is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) kind: KeyKind,
    pub(super) domains: &'static [&'static str],
    pub(super) ips: &'static [&'static str],
}

impl KeyShape {
    /// Most are bound to nothing.
    pub(super) fn bound(&self) -> Bound {
        let (kind, domains, ips): (_, &[&str], &[&str]) = match self.name {
            "Depot scanners" => (KeyKind::Server, &[], &["198.51.100.0/24"]),
            "Quote widget" => (
                KeyKind::Browser,
                &[
                    "www.tessera-freight.example",
                    "*.quotes.tessera-freight.example",
                ],
                &[],
            ),
            _ => (KeyKind::Server, &[], &[]),
        };
        Bound { kind, domains, ips }
    }
}

/// All keys; the first is active and may use a product on a plain host.
pub(super) fn keys() -> impl Iterator<Item = KeyShape> {
    let all = [KESTREL, TESSERA, BRIGHTWATER, HOLLIS, LUMEN];
    ACCOUNTS.iter().zip(all).flat_map(|(account, rows)| {
        rows.iter().map(
            move |&(name, environment, access, products, state, age_days, daily)| KeyShape {
                account: account.slug,
                name,
                environment,
                access,
                products,
                state,
                billing: billing(account, name),
                age_days,
                daily,
            },
        )
    })
}

fn billing(account: &AccountShape, key: &str) -> BillingType {
    match (account.tier, account.plan, key) {
        (Tier::Enterprise, _, "Electric vans pilot" | "Load test") => BillingType::Evaluation,
        (Tier::Enterprise, _, "Integration tests") => BillingType::Free,
        (Tier::Enterprise, ..) => BillingType::Paying,
        (Tier::SelfServe, "free", _) => BillingType::Freemium,
        (Tier::SelfServe, ..) => BillingType::PayAsYouGrow,
    }
}

#[cfg(test)]
mod tests;
