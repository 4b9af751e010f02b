//! The keys of the demo's customers, in every state. Only tables.
//!
//! Must not know how any of it is stored.

use latchkey_rules::access::Access;
use latchkey_rules::billing::{BillingType, Tier};
use latchkey_rules::environment::Environment;

use super::company::{ACCOUNTS, AccountShape};

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

use Access::{Admin, Read, Write};
use Environment::{Live, Staging, Test};
use State::{Active, Deleted, Disabled, Expired, Expiring, Paused, Retired, Rotating, Suspended};

type Row = (
    &'static str,
    Environment,
    Access,
    &'static [&'static str],
    State,
    i64,
    u32,
);

const KESTREL: &[Row] = &[
    (
        "Dispatch backend",
        Live,
        Write,
        &["routing", "traffic", "geocoding", "map-tiles"],
        Active,
        212,
        9_000,
    ),
    (
        "Fleet tracking",
        Live,
        Write,
        &["location-history", "geofencing", "snap-to-roads"],
        Active,
        187,
        14_000,
    ),
    (
        "Nightly route planner",
        Live,
        Write,
        &["matrix-routing", "waypoint-optimisation", "routing"],
        Active,
        143,
        5_200,
    ),
    (
        "Driver app backend",
        Live,
        Write,
        &["routing", "traffic", "search", "geofencing"],
        Rotating,
        96,
        7_600,
    ),
    (
        "Depot console",
        Live,
        Admin,
        &["geofencing", "notifications"],
        Active,
        88,
        800,
    ),
    (
        "Customer tracking page",
        Live,
        Read,
        &["map-tiles", "geocoding"],
        Active,
        64,
        3_400,
    ),
    (
        "Load test",
        Staging,
        Write,
        &["routing", "matrix-routing"],
        Paused,
        41,
        600,
    ),
    (
        "Dispatch staging",
        Staging,
        Write,
        &["routing", "traffic", "geocoding"],
        Active,
        203,
        400,
    ),
    (
        "Integration tests",
        Test,
        Write,
        &["routing", "search", "geocoding"],
        Active,
        158,
        250,
    ),
    (
        SURGED,
        Live,
        Write,
        &["location-history", "snap-to-roads"],
        Disabled(
            "Forty times its usual traffic within hours, from an address that you do not own. Call us before you use it again.",
        ),
        371,
        1_100,
    ),
    (
        "Electric vans pilot",
        Live,
        Write,
        &["ev-routing"],
        Expired,
        120,
        300,
    ),
    (
        "Billing export",
        Live,
        Read,
        &["location-history"],
        Deleted,
        300,
        40,
    ),
];

const TESSERA: &[Row] = &[
    (
        "Freight quotes",
        Live,
        Write,
        &["routing", "matrix-routing", "geocoding"],
        Active,
        176,
        4_100,
    ),
    (
        "Track and trace",
        Live,
        Read,
        &["map-tiles", "routing"],
        Active,
        131,
        2_900,
    ),
    (
        "Warehouse labels",
        Live,
        Write,
        &["geocoding", "reverse-geocoding"],
        Active,
        84,
        1_700,
    ),
    (
        "Toll calculator",
        Live,
        Write,
        &["routing", "ev-routing"],
        Retired,
        240,
        900,
    ),
    (
        "Yard cameras",
        Live,
        Write,
        &["snap-to-roads", "geofencing"],
        Rotating,
        77,
        1_200,
    ),
    (
        "Address cleaning",
        Live,
        Write,
        &["batch-search", "geocoding"],
        Active,
        52,
        900,
    ),
    (
        "Quotes staging",
        Staging,
        Write,
        &["routing", "geocoding", "search"],
        Active,
        110,
        120,
    ),
    (
        "Developer laptops",
        Test,
        Write,
        &["routing", "search", "map-tiles"],
        Expiring,
        169,
        80,
    ),
    (
        "Nordhaven partner",
        Live,
        Read,
        &["routing", "traffic"],
        Disabled(
            "The partner's contract has ended. Ask sales for a key of its own if it is renewed.",
        ),
        208,
        500,
    ),
    (
        "Spring hackathon",
        Test,
        Write,
        &["routing", "search", "traffic"],
        Expired,
        60,
        90,
    ),
    (
        "Legacy quoting tool",
        Live,
        Write,
        &["routing"],
        Deleted,
        410,
        200,
    ),
];

const BRIGHTWATER: &[Row] = &[
    (
        "Delivery rounds",
        Live,
        Write,
        &["routing", "waypoint-optimisation"],
        Active,
        99,
        1_300,
    ),
    (
        "Shop finder",
        Live,
        Read,
        &["search", "map-tiles"],
        Active,
        74,
        2_100,
    ),
    (
        "Evening rounds",
        Live,
        Write,
        &["routing", "traffic"],
        Paused,
        45,
        350,
    ),
    (
        "Order intake",
        Live,
        Write,
        &["geocoding", "search"],
        Rotating,
        58,
        640,
    ),
    (
        "Old website",
        Live,
        Read,
        &["map-tiles", "search"],
        Retired,
        255,
        410,
    ),
    (
        "Till tests",
        Test,
        Write,
        &["search", "geocoding"],
        Active,
        33,
        30,
    ),
    (
        "Summer market",
        Live,
        Read,
        &["search", "map-tiles"],
        Expired,
        80,
        220,
    ),
];

const HOLLIS: &[Row] = &[
    (
        "Ride planner",
        Live,
        Write,
        &["routing", "map-tiles"],
        Active,
        67,
        90,
    ),
    (
        "Club map",
        Live,
        Read,
        &["map-tiles", "search"],
        Active,
        51,
        120,
    ),
    (
        "Road closures",
        Live,
        Write,
        &["traffic", "geocoding"],
        Active,
        38,
        40,
    ),
    (
        "Ride planner staging",
        Staging,
        Write,
        &["routing", "map-tiles"],
        Active,
        29,
        15,
    ),
    (
        "Workshop evening",
        Test,
        Write,
        &["search", "geocoding"],
        Active,
        12,
        10,
    ),
    (
        "Old phone app",
        Live,
        Write,
        &["routing", "search"],
        Disabled("Its secret stands in a public repository. Make a new key; this one stays off."),
        190,
        35,
    ),
    (
        "Autumn race",
        Live,
        Read,
        &["map-tiles", "traffic"],
        Expired,
        75,
        25,
    ),
];

const LUMEN: &[Row] = &[
    (
        "Parcel tracking",
        Live,
        Write,
        &["location-history", "geocoding"],
        Suspended,
        140,
        1_500,
    ),
    (
        "Label printer",
        Live,
        Write,
        &["geocoding", "reverse-geocoding"],
        Suspended,
        102,
        700,
    ),
    (
        "Route checks",
        Staging,
        Write,
        &["routing"],
        Suspended,
        61,
        60,
    ),
];

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
