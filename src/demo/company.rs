//! The invented company of the demo: its customers and their people. Only tables.
//!
//! Must not know how any of it is stored.

use latchkey_rules::billing::Tier;
use latchkey_rules::role::{Role, StaffRole};

/// The brand on the demo's pages.
pub(super) const BRAND: &str = "Meridian Maps";

/// Where its customers ask for help.
pub(super) const SUPPORT: &str = "support@meridian.example";

/// A customer.
pub(super) struct AccountShape {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    pub(super) tier: Tier,
    pub(super) plan: &'static str,
    /// Why it is suspended, when it is.
    pub(super) suspended: Option<&'static str>,
}

/// Four customers at work, one for each plan, and a fifth that is suspended.
pub(super) const ACCOUNTS: &[AccountShape] = &[
    account(
        "kestrel-logistics",
        "Kestrel Logistics",
        Tier::Enterprise,
        "enterprise",
    ),
    account(
        "tessera-freight",
        "Tessera Freight",
        Tier::SelfServe,
        "professional",
    ),
    account(
        "brightwater-bakery",
        "Brightwater Bakery",
        Tier::SelfServe,
        "starter",
    ),
    account(
        "hollis-cycling",
        "Hollis Cycling Club",
        Tier::SelfServe,
        "free",
    ),
    AccountShape {
        suspended: Some("Three invoices are unpaid. Sales has written to the owner."),
        ..account("lumen-parcel", "Lumen Parcel", Tier::SelfServe, "starter")
    },
];

const fn account(
    slug: &'static str,
    name: &'static str,
    tier: Tier,
    plan: &'static str,
) -> AccountShape {
    AccountShape {
        slug,
        name,
        tier,
        plan,
        suspended: None,
    }
}

/// What somebody may do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rank {
    Member(&'static str, Role),
    Staff(StaffRole),
}

/// Everybody: name, mail address, rank. The first is whom the demo tells to sign in as.
pub(super) const PEOPLE: &[(&str, &str, Rank)] = &[
    (
        "Ada Brandt",
        "ada@kestrel.example",
        Rank::Member("kestrel-logistics", Role::Developer),
    ),
    (
        "Jonas Wieland",
        "jonas@kestrel.example",
        Rank::Member("kestrel-logistics", Role::Owner),
    ),
    (
        "Priya Raman",
        "priya@kestrel.example",
        Rank::Member("kestrel-logistics", Role::Viewer),
    ),
    (
        "Elif Demir",
        "elif@tessera.example",
        Rank::Member("tessera-freight", Role::Developer),
    ),
    (
        "Marek Nowak",
        "marek@tessera.example",
        Rank::Member("tessera-freight", Role::Owner),
    ),
    (
        "Chloe Marsh",
        "chloe@brightwater.example",
        Rank::Member("brightwater-bakery", Role::Developer),
    ),
    (
        "Owen Brightwater",
        "owen@brightwater.example",
        Rank::Member("brightwater-bakery", Role::Owner),
    ),
    (
        "Noor Haddad",
        "noor@hollis.example",
        Rank::Member("hollis-cycling", Role::Developer),
    ),
    (
        "Tim Hollis",
        "tim@hollis.example",
        Rank::Member("hollis-cycling", Role::Owner),
    ),
    (
        "Ines Duarte",
        "ines@lumen.example",
        Rank::Member("lumen-parcel", Role::Developer),
    ),
    (
        "Paul Okafor",
        "paul@lumen.example",
        Rank::Member("lumen-parcel", Role::Owner),
    ),
    (
        "Sofia Lindqvist",
        "support@meridian.example",
        Rank::Staff(StaffRole::Support),
    ),
    (
        "Robin Vale",
        "admin@meridian.example",
        Rank::Staff(StaffRole::Admin),
    ),
];
