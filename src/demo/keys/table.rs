//! The keys, a line each. It is read as a table, so it is set as one.

use latchkey_rules::access::Access;
use latchkey_rules::environment::Environment;

use super::{SURGED, State};

use Access::{Admin, Read, Write};
use Environment::{Live, Staging, Test};
use State::{Active, Deleted, Disabled, Expired, Expiring, Paused, Retired, Rotating, Suspended};

/// Name, environment, access, products, state, age in days, requests on an ordinary working day.
pub(super) type Row = (
    &'static str,
    Environment,
    Access,
    &'static [&'static str],
    State,
    i64,
    u32,
);

#[rustfmt::skip]
pub(super) const KESTREL: &[Row] = &[
    ("Dispatch backend", Live, Write, &["routing", "traffic", "geocoding", "map-tiles"], Active, 212, 9_000),
    ("Fleet tracking", Live, Write, &["location-history", "geofencing", "snap-to-roads"], Active, 187, 14_000),
    ("Nightly route planner", Live, Write, &["matrix-routing", "waypoint-optimisation", "routing"], Active, 143, 5_200),
    ("Driver app backend", Live, Write, &["routing", "traffic", "search", "geofencing"], Rotating, 96, 7_600),
    ("Depot console", Live, Admin, &["geofencing", "notifications"], Active, 88, 800),
    ("Customer tracking page", Live, Read, &["map-tiles", "geocoding"], Active, 64, 3_400),
    ("Load test", Staging, Write, &["routing", "matrix-routing"], Paused, 41, 600),
    ("Dispatch staging", Staging, Write, &["routing", "traffic", "geocoding"], Active, 203, 400),
    ("Integration tests", Test, Write, &["routing", "search", "geocoding"], Active, 158, 250),
    (SURGED, Live, Write, &["location-history", "snap-to-roads"],
        Disabled("Forty times its usual traffic within hours, from an address that you do not own. Call us before you use it again."), 371, 1_100),
    ("Depot scanners", Live, Write, &["routing", "geocoding", "traffic"], Active, 58, 1_100),
    ("Electric vans pilot", Live, Write, &["ev-routing"], Expired, 120, 300),
    ("Billing export", Live, Read, &["location-history"], Deleted, 300, 40),
];

#[rustfmt::skip]
pub(super) const TESSERA: &[Row] = &[
    ("Freight quotes", Live, Write, &["routing", "matrix-routing", "geocoding"], Active, 176, 4_100),
    ("Track and trace", Live, Read, &["map-tiles", "routing"], Active, 131, 2_900),
    ("Warehouse labels", Live, Write, &["geocoding", "reverse-geocoding"], Active, 84, 1_700),
    ("Toll calculator", Live, Write, &["routing", "ev-routing"], Retired, 240, 900),
    ("Yard cameras", Live, Write, &["snap-to-roads", "geofencing"], Rotating, 77, 1_200),
    ("Address cleaning", Live, Write, &["batch-search", "geocoding"], Active, 52, 900),
    ("Quotes staging", Staging, Write, &["routing", "geocoding", "search"], Active, 110, 120),
    ("Developer laptops", Test, Write, &["routing", "search", "map-tiles"], Expiring, 169, 80),
    ("Nordhaven partner", Live, Read, &["routing", "traffic"],
        Disabled("The partner's contract has ended. Ask sales for a key of its own if it is renewed."), 208, 500),
    ("Spring hackathon", Test, Write, &["routing", "search", "traffic"], Expired, 60, 90),
    ("Quote widget", Live, Read, &["map-tiles", "geocoding"], Active, 47, 1_400),
    ("Legacy quoting tool", Live, Write, &["routing"], Deleted, 410, 200),
];

#[rustfmt::skip]
pub(super) const BRIGHTWATER: &[Row] = &[
    ("Delivery rounds", Live, Write, &["routing", "waypoint-optimisation"], Active, 99, 1_300),
    ("Shop finder", Live, Read, &["search", "map-tiles"], Active, 74, 2_100),
    ("Evening rounds", Live, Write, &["routing", "traffic"], Paused, 45, 350),
    ("Order intake", Live, Write, &["geocoding", "search"], Rotating, 58, 640),
    ("Old website", Live, Read, &["map-tiles", "search"], Retired, 255, 410),
    ("Till tests", Test, Write, &["search", "geocoding"], Active, 33, 30),
    ("Summer market", Live, Read, &["search", "map-tiles"], Expired, 80, 220),
];

#[rustfmt::skip]
pub(super) const HOLLIS: &[Row] = &[
    ("Ride planner", Live, Write, &["routing", "map-tiles"], Active, 67, 90),
    ("Club map", Live, Read, &["map-tiles", "search"], Active, 51, 120),
    ("Road closures", Live, Write, &["traffic", "geocoding"], Active, 38, 40),
    ("Ride planner staging", Staging, Write, &["routing", "map-tiles"], Active, 29, 15),
    ("Workshop evening", Test, Write, &["search", "geocoding"], Active, 12, 10),
    ("Old phone app", Live, Write, &["routing", "search"],
        Disabled("Its secret stands in a public repository. Make a new key; this one stays off."), 190, 35),
    ("Autumn race", Live, Read, &["map-tiles", "traffic"], Expired, 75, 25),
];

#[rustfmt::skip]
pub(super) const LUMEN: &[Row] = &[
    ("Parcel tracking", Live, Write, &["location-history", "geocoding"], Suspended, 140, 1_500),
    ("Label printer", Live, Write, &["geocoding", "reverse-geocoding"], Suspended, 102, 700),
    ("Route checks", Staging, Write, &["routing"], Suspended, 61, 60),
];
