//! F-3: whatever is allowed leads to the same product and access as sent, in its canonical form, and as it goes on to the
//! backend; and a canonical path that is encoded again is its own canonical path.
//!
//! The bytes are a text: `METHOD HOST` on the first line, the target after it.

use std::fmt::Write as _;
use std::sync::OnceLock;

use latchkey_rules::access::Access;
use latchkey_rules::environment::{Environment, EnvironmentSet};
use latchkey_rules::path::{Canonical, forward_uri, split_target};
use latchkey_rules::product::{
    Catalogue, HostPattern, KeyInQuery, PathPrefix, ProductFacts, ProductIx, RouteFacts,
};
use latchkey_rules::slug::Slug;
use latchkey_rules::time::Millis;
use latchkey_rules::verdict::{
    Asked, Caller, Credential, Grant, KeyFacts, Refusal, Standing, Target, decide,
};

/// A product: its slug, the hosts and paths that it owns, its administrative paths.
type Owned = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
);

/// Inside one another, as far as they may be.
const PRODUCTS: [Owned; 4] = [
    ("maps", &[("api.example.com", "/maps")], &["/maps/admin"]),
    ("routing", &[("api.example.com", "/maps/routing")], &[]),
    (
        "tiles",
        &[("*.example.com", "/"), ("*.example.com", "/a+b")],
        &["/a"],
    ),
    (
        "search",
        &[("*", "/maps"), ("wide.example.com", "/")],
        &["/"],
    ),
];
const KEY_PARAMS: &[&str] = &["key", "api_key"];

pub(crate) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (head, target) = text
        .split_once('\n')
        .unwrap_or(("GET api.example.com", &text));
    let (method, host) = head.split_once(' ').unwrap_or(("GET", head));
    let (path, _query) = split_target(target);
    if let Ok(canonical) = Canonical::of(path) {
        let again = encoded(canonical.as_str());
        assert_eq!(Canonical::of(&again).unwrap().as_str(), canonical.as_str());
    }
    for access in Access::ALL {
        if let Ok(grant) = judge(*access, method, host, target) {
            agrees(*access, method, host, target, grant);
        }
    }
}

fn agrees(access: Access, method: &str, host: &str, target: &str, grant: Grant) {
    assert!(grant.needed <= access && !grant.by_method_alone);
    let (path, _query) = split_target(target);
    let canonical = Canonical::of(path).unwrap();
    let is_admin = is_admin_at(host, canonical.as_str(), grant.product);
    assert_eq!(is_admin_at(host, path, grant.product), is_admin);
    let needed = if is_admin {
        Access::Admin
    } else {
        Access::needed_by(method)
    };
    assert_eq!(grant.needed, needed);

    // The same verdict on every other spelling of it, unless that one is refused as ambiguous.
    if Canonical::of(canonical.as_str()).is_ok_and(|again| again == canonical) {
        assert_eq!(judge(access, method, host, canonical.as_str()), Ok(grant));
    }
    if let Ok(other) = judge(access, method, host, &encoded(canonical.as_str())) {
        assert_eq!(other, grant);
    }
    if let Ok(forwarded) = forward_uri(target, KEY_PARAMS) {
        let (path, _query) = split_target(&forwarded);
        assert_eq!(Canonical::of(path).unwrap(), canonical);
        assert_eq!(judge(access, method, host, &forwarded), Ok(grant));
    }
}

/// Whether a reading of the path is an administrative one of the product that it is to lead to.
fn is_admin_at(host: &str, path: &str, product: ProductIx) -> bool {
    let route = catalogue().match_route(host, path).unwrap();
    assert_eq!(route.product, product, "{path}");
    catalogue().is_admin(product, path)
}

fn judge(access: Access, method: &str, host: &str, path: &str) -> Result<Grant, Refusal> {
    let products: Vec<ProductIx> = catalogue().iter().map(|(ix, _)| ix).collect();
    let credential = Credential::Known(KeyFacts {
        secret_ends_at: None,
        expires_at: None,
        standing: Standing::Enabled,
        account_suspended: false,
        environment: Environment::Live,
        access,
        products: &products,
        scopes: &[],
        domains: None,
        ips: None,
    });
    let target = Target::Route {
        host,
        path,
        slug: None,
    };
    decide(
        &credential,
        &Asked {
            target,
            method,
            caller: &Caller::NOBODY,
        },
        catalogue(),
        Millis(0),
    )
}

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let products = PRODUCTS.iter().map(|(slug, routes, admin)| ProductFacts {
            slug: Slug::parse(slug).unwrap(),
            name: (*slug).to_owned(),
            key_in_query: KeyInQuery::Never,
            routes: routes
                .iter()
                .map(|(host, prefix)| route(host, prefix))
                .collect(),
            admin_prefixes: admin
                .iter()
                .map(|path| PathPrefix::parse(path).unwrap())
                .collect(),
            scopes: Vec::new(),
        });
        Catalogue::build(products.collect()).unwrap()
    })
}

fn route(host: &str, prefix: &str) -> RouteFacts {
    RouteFacts {
        host: HostPattern::parse(host).unwrap(),
        prefix: PathPrefix::parse(prefix).unwrap(),
        environments: EnvironmentSet::ANY,
    }
}

/// A path with everything escaped that can be, but for its slashes.
fn encoded(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(byte.into());
        } else {
            write!(text, "%{byte:02X}").unwrap();
        }
    }
    text
}
