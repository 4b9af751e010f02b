//! The invented company of the demo: its products, its customers and their people. Only tables.
//!
//! Must not know how any of it is stored.

use latchkey_rules::billing::Tier;
use latchkey_rules::role::{Role, StaffRole};

/// The brand on the demo's pages.
pub(super) const BRAND: &str = "Meridian Maps";

/// Where its customers ask for help.
pub(super) const SUPPORT: &str = "support@meridian.example";

/// A product of the company.
pub(super) struct ProductShape {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) routes: Routes,
    pub(super) admin_prefixes: &'static [&'static str],
    /// Its path on the demo gate's own host, where no two may have the same.
    pub(super) own_path: &'static str,
    /// What an ordinary request asks for, behind that path; the live traffic asks for it too.
    pub(super) asks: &'static str,
    /// Whether an ordinary request writes.
    pub(super) writes: bool,
}

const API: &str = "api.meridian.example";
const FLEET: &str = "fleet.meridian.example";

const fn product(
    slug: &'static str,
    name: &'static str,
    kind: &'static str,
    host: &'static str,
    own_path: &'static str,
    asks: &'static str,
) -> ProductShape {
    ProductShape {
        slug,
        name,
        kind,
        routes: Routes::Beside(host),
        own_path,
        admin_prefixes: &[],
        asks,
        writes: false,
    }
}

/// Where a product lies.
pub(super) enum Routes {
    /// On this host, by the same path as on the gate's own.
    Beside(&'static str),
    /// On whole hosts of its own.
    Hosts(&'static [&'static str]),
}

impl ProductShape {
    /// Its hosts and paths for customers, the first one the most usual.
    pub(super) fn public_routes(&self) -> Vec<(&'static str, &'static str)> {
        match self.routes {
            Routes::Beside(host) => vec![(host, self.own_path)],
            Routes::Hosts(hosts) => hosts.iter().map(|host| (*host, "/")).collect(),
        }
    }

    /// The method of an ordinary request.
    pub(super) fn method(&self) -> &'static str {
        if self.writes { "POST" } else { "GET" }
    }
}

/// The products; batch search lies below search, matrix and electric routing below routing.
pub(super) const PRODUCTS: &[ProductShape] = &[
    product(
        "search",
        "Search",
        "Places API",
        API,
        "/search",
        "/coffee.json?lat=52.37&lon=4.89",
    ),
    ProductShape {
        writes: true,
        ..product(
            "batch-search",
            "Batch search",
            "Places API",
            API,
            "/search/batch",
            "/jobs",
        )
    },
    product(
        "geocoding",
        "Geocoding",
        "Places API",
        API,
        "/geocode",
        "/Damrak%201%2C%20Amsterdam.json",
    ),
    product(
        "reverse-geocoding",
        "Reverse geocoding",
        "Places API",
        API,
        "/reverse-geocode",
        "/52.37,4.89.json",
    ),
    product(
        "routing",
        "Routing",
        "Routing API",
        API,
        "/routing",
        "/52.50,13.42:52.37,4.89/route.json",
    ),
    ProductShape {
        writes: true,
        ..product(
            "matrix-routing",
            "Matrix routing",
            "Routing API",
            API,
            "/routing/matrix",
            "/sync",
        )
    },
    product(
        "ev-routing",
        "Long-distance EV routing",
        "Routing API",
        API,
        "/routing/ev",
        "/52.50,13.42:48.14,11.58",
    ),
    ProductShape {
        writes: true,
        ..product(
            "waypoint-optimisation",
            "Waypoint optimisation",
            "Routing API",
            API,
            "/waypoints",
            "/best-order",
        )
    },
    ProductShape {
        routes: Routes::Hosts(&["*.tiles.meridian.example", "tiles.meridian.example"]),
        ..product(
            "map-tiles",
            "Map tiles",
            "Maps API",
            API,
            "/tiles",
            "/streets/12/2105/1346.pbf",
        )
    },
    product(
        "traffic",
        "Traffic",
        "Traffic API",
        API,
        "/traffic",
        "/flow/10/526/336.json",
    ),
    ProductShape {
        writes: true,
        ..product(
            "snap-to-roads",
            "Snap to roads",
            "Tracking API",
            API,
            "/snap",
            "/trace",
        )
    },
    ProductShape {
        admin_prefixes: &["/geofencing/projects"],
        ..product(
            "geofencing",
            "Geofencing",
            "Tracking API",
            FLEET,
            "/geofencing",
            "/report/vans",
        )
    },
    ProductShape {
        writes: true,
        ..product(
            "location-history",
            "Location history",
            "Tracking API",
            FLEET,
            "/history",
            "/positions",
        )
    },
    ProductShape {
        writes: true,
        ..product(
            "notifications",
            "Notifications",
            "Tracking API",
            FLEET,
            "/notifications",
            "/messages",
        )
    },
];

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
