//! The invented company's products: fourteen, on three hosts. Only tables.

/// A product of the company.
pub(super) struct ProductShape {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) routes: Routes,
    pub(super) admin_prefixes: &'static [&'static str],
    /// The products that a key with this one needs too.
    pub(super) needs: &'static [&'static str],
    /// The parts that a key can be bound to.
    pub(super) scopes: &'static [ScopeLine],
    /// Its path on the demo gate's own host, where no two may have the same.
    pub(super) own_path: &'static str,
    /// What an ordinary request asks for, behind that path; the live traffic asks for it too.
    pub(super) asks: &'static str,
    /// Whether an ordinary request writes.
    pub(super) writes: bool,
    /// How often a second a key may ask for it.
    pub(super) per_second: Option<u32>,
}

/// Slug, name and path, below the product's own, of a part of a product.
pub(super) type ScopeLine = (&'static str, &'static str, &'static str);

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
        scopes: &[],
        needs: &[],
        asks,
        writes: false,
        per_second: None,
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
        needs: &["routing"],
        per_second: Some(50),
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
        scopes: &[
            ("streets", "Streets", "/streets"),
            ("satellite", "Satellite", "/satellite"),
            ("terrain", "Terrain", "/terrain"),
        ],
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
