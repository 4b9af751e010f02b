//! What is drawn: products, a key, a request, all in plain texts; and the same as the rules take it.

use std::net::IpAddr;

use latchkey_rules::access::Access;
use latchkey_rules::domain::DomainPattern;
use latchkey_rules::environment::Environment;
use latchkey_rules::ip_range::IpRange;
use latchkey_rules::product::{
    Catalogue, KeyInQuery, ProductFacts, ProductIx, ProductScopes, ResourceScope, RouteFacts,
};
use latchkey_rules::time::Millis;
use latchkey_rules::verdict::{Address, Asked, Caller, Credential, KeyFacts, Standing, Target};

use crate::dice::Dice;
use crate::door::{ADDRESSES, DOMAINS, Domain, PAGES, Page, RANGES, Range};

pub(crate) const NOW: Millis = Millis(1_795_258_800_000);

/// What has to come up among the answers; the limits and bearer tokens are not drawn.
pub(crate) const CODES: &[&str] = &[
    "UNAVAILABLE",
    "REQUEST_INVALID",
    "KEY_MISSING",
    "KEY_MALFORMED",
    "KEY_NOT_FOUND",
    "SECRET_RETIRED",
    "KEY_EXPIRED",
    "KEY_DISABLED",
    "ACCOUNT_SUSPENDED",
    "PATH_AMBIGUOUS",
    "PRODUCT_UNKNOWN",
    "PRODUCT_NOT_ASSIGNED",
    "ENVIRONMENT_NOT_ALLOWED",
    "ACCESS_NOT_ALLOWED",
    "ORIGIN_NOT_ALLOWED",
    "IP_NOT_ALLOWED",
    "VALID",
];

const SLUGS: [&str; 5] = ["maps", "search", "routing", "tiles", "bare"];
const HOSTS: [&str; 6] = [
    "api.example.com",
    "sandbox.example.com",
    "*.example.com",
    "*.tiles.example.com",
    "*",
    "other.org",
];
const PREFIXES: [&str; 6] = ["/", "/a", "/a/b", "/a/b/c", "/b", "/t"];
const ENVIRONMENTS: [Environment; 3] = [Environment::Live, Environment::Staging, Environment::Test];
const SCOPES: [&str; 3] = ["tiles", "styles", "fonts"];

/// A product in plain texts.
#[derive(Debug)]
pub(crate) struct Product {
    pub(crate) slug: &'static str,
    pub(crate) routes: Vec<Route>,
    pub(crate) admin: Vec<&'static str>,
    pub(crate) scopes: Vec<(&'static str, Vec<&'static str>)>,
}

#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) host: &'static str,
    pub(crate) prefix: &'static str,
    /// None is all.
    pub(crate) environments: Vec<Environment>,
}

/// All products.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) products: Vec<Product>,
    catalogue: Catalogue,
}

impl World {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let count = if dice.percent(15) {
            1
        } else {
            2 + dice.below(4)
        };
        let mut products: Vec<Product> = SLUGS[..count]
            .iter()
            .map(|slug| product(slug, dice))
            .collect();
        // Each pair of host and path has one owner, and some product has none.
        for (host, prefix) in HOSTS
            .iter()
            .flat_map(|host| PREFIXES.map(|prefix| (*host, prefix)))
        {
            if dice.percent(45) {
                let owner = dice.below(count + 1);
                let environments = if dice.percent(70) {
                    Vec::new()
                } else {
                    dice.some(&ENVIRONMENTS, 50)
                };
                if let Some(product) = products
                    .get_mut(owner)
                    .filter(|product| product.slug != "bare")
                {
                    product.routes.push(Route {
                        host,
                        prefix,
                        environments,
                    });
                }
            }
        }
        let catalogue = Catalogue::build(products.iter().map(facts).collect())
            .expect("products that go together");
        Self {
            products,
            catalogue,
        }
    }
}

fn product(slug: &'static str, dice: &mut Dice) -> Product {
    let scopes = dice.some(&SCOPES, 40);
    Product {
        slug,
        routes: Vec::new(),
        admin: dice.some(&["/a/b", "/admin", "/t/x"], 30),
        scopes: scopes
            .into_iter()
            .map(|scope| (scope, vec![dice.one(&["/a", "/a/b", "/t"]), "/t/s"]))
            .collect(),
    }
}

fn facts(product: &Product) -> ProductFacts {
    let route = |route: &Route| RouteFacts {
        host: route.host.parse().expect("a host"),
        prefix: route.prefix.parse().expect("a prefix"),
        environments: route.environments.iter().copied().collect(),
    };
    let scope = |(slug, prefixes): &(&str, Vec<&str>)| ResourceScope {
        slug: slug.parse().expect("a slug"),
        name: slug.to_uppercase(),
        prefixes: prefixes
            .iter()
            .map(|prefix| prefix.parse().expect("a prefix"))
            .collect(),
    };
    ProductFacts {
        slug: product.slug.parse().expect("a slug"),
        name: product.slug.to_uppercase(),
        key_in_query: KeyInQuery::Browser,
        routes: product.routes.iter().map(route).collect(),
        admin_prefixes: product
            .admin
            .iter()
            .map(|prefix| prefix.parse().expect("a prefix"))
            .collect(),
        scopes: product.scopes.iter().map(scope).collect(),
    }
}

/// What is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    TwoKeys,
    Missing,
    Malformed,
    OutOfTouch,
    Unknown,
    Known,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    Nothing,
    Slug(&'static str),
    Path(String),
    SlugAndPath(&'static str, String),
    Route(&'static str, String, Option<&'static str>),
}

/// A key and a request.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) shown: Shown,
    pub(crate) secret_ends_at: Option<i64>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) standing: Standing,
    pub(crate) account_suspended: bool,
    pub(crate) environment: Environment,
    pub(crate) access: Access,
    /// By their places.
    pub(crate) products: Vec<usize>,
    /// Of some of them, the scopes that the key is bound to.
    pub(crate) scopes: Vec<(usize, Vec<&'static str>)>,
    pub(crate) domains: Option<Vec<Domain>>,
    pub(crate) ranges: Option<Vec<Range>>,
    pub(crate) wanted: Wanted,
    pub(crate) method: &'static str,
    pub(crate) origin: Option<Page>,
    pub(crate) referer: Option<Page>,
    pub(crate) address: Option<&'static str>,
}

impl Case {
    pub(crate) fn draw(world: &World, dice: &mut Dice) -> Self {
        let places: Vec<usize> = (0..world.products.len()).collect();
        let products = dice.some(&places, 80);
        let scopes = products
            .iter()
            .filter(|_| dice.percent(25))
            .copied()
            .collect::<Vec<usize>>()
            .into_iter()
            .map(|place| {
                let slugs: Vec<&str> = world.products[place]
                    .scopes
                    .iter()
                    .map(|(slug, _)| *slug)
                    .collect();
                (place, dice.some(&slugs, 60))
            })
            .collect();
        Self {
            shown: if dice.percent(93) {
                Shown::Known
            } else {
                dice.one(&[
                    Shown::TwoKeys,
                    Shown::Missing,
                    Shown::Malformed,
                    Shown::OutOfTouch,
                    Shown::Unknown,
                ])
            },
            secret_ends_at: end(dice),
            expires_at: end(dice),
            standing: if dice.percent(94) {
                Standing::Enabled
            } else {
                dice.one(&[Standing::Disabled, Standing::Paused])
            },
            account_suspended: dice.percent(3),
            environment: dice.one(&ENVIRONMENTS),
            access: dice.one(&[
                Access::Read,
                Access::Write,
                Access::Write,
                Access::Admin,
                Access::Admin,
            ]),
            products,
            scopes,
            domains: dice.percent(25).then(|| dice.some(DOMAINS, 40)),
            ranges: dice.percent(25).then(|| dice.some(RANGES, 40)),
            wanted: wanted(dice),
            method: dice.one(&[
                "GET", "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PURGE", "get",
                "",
            ]),
            origin: dice.percent(60).then(|| dice.one(PAGES)),
            referer: dice.percent(40).then(|| dice.one(PAGES)),
            address: dice.percent(80).then(|| dice.one(ADDRESSES)),
        }
    }

    /// The same as the rules take it.
    pub(crate) fn put(
        &self,
        world: &World,
        ask: impl FnOnce(&Credential<'_>, &Asked<'_>, &Catalogue),
    ) {
        let ix = |place: usize| ProductIx(u16::try_from(place).expect("a few products"));
        let products: Vec<ProductIx> = self.products.iter().map(|place| ix(*place)).collect();
        let scopes = self.scopes.iter().map(|(place, slugs)| ProductScopes {
            product: ix(*place),
            scopes: world
                .catalogue
                .get(ix(*place))
                .expect("a product")
                .scopes_named(slugs),
        });
        let scopes: Vec<ProductScopes> = scopes.collect();
        let read = |domain: &Domain| DomainPattern::parse(domain.text).expect("a domain").pattern;
        let domains: Option<Vec<DomainPattern>> = self
            .domains
            .as_ref()
            .map(|all| all.iter().map(read).collect());
        let read = |range: &Range| IpRange::parse(range.0).expect("a range");
        let ranges: Option<Vec<IpRange>> = self
            .ranges
            .as_ref()
            .map(|all| all.iter().map(read).collect());
        let credential = match self.shown {
            Shown::TwoKeys => Credential::TwoKeys,
            Shown::Missing => Credential::Missing,
            Shown::Malformed => Credential::Malformed,
            Shown::OutOfTouch => Credential::OutOfTouch,
            Shown::Unknown => Credential::Unknown,
            Shown::Known => Credential::Known(KeyFacts {
                secret_ends_at: self.secret_ends_at.map(Millis),
                expires_at: self.expires_at.map(Millis),
                standing: self.standing,
                account_suspended: self.account_suspended,
                environment: self.environment,
                access: self.access,
                products: &products,
                scopes: &scopes,
                domains: domains.as_deref(),
                ips: ranges.as_deref(),
            }),
        };
        let caller = self.caller();
        let target = self.target();
        let asked = Asked {
            target,
            method: self.method,
            caller: &caller,
        };
        ask(&credential, &asked, &world.catalogue);
    }

    fn caller(&self) -> Caller<'_> {
        let address: Option<IpAddr> = self.address.map(|text| text.parse().expect("an address"));
        Caller {
            origin: self.origin.map(|page| page.0),
            referer: self.referer.map(|page| page.0),
            user_agent: None,
            address: Address::Is(address),
        }
    }

    fn target(&self) -> Target<'_> {
        match &self.wanted {
            Wanted::Nothing => Target::Nothing,
            Wanted::Slug(slug) => Target::Slug(slug),
            Wanted::Path(path) => Target::Path(path),
            Wanted::SlugAndPath(slug, path) => Target::SlugAndPath { slug, path },
            Wanted::Route(host, path, slug) => Target::Route {
                host,
                path,
                slug: *slug,
            },
        }
    }
}

/// An instant around now, or none.
fn end(dice: &mut Dice) -> Option<i64> {
    let offset = dice.one(&[1, 1, 60_000, 86_400_000, 0, -1]);
    dice.percent(20).then_some(NOW.0 + offset)
}

fn wanted(dice: &mut Dice) -> Wanted {
    let slug = |dice: &mut Dice| {
        if dice.percent(95) {
            dice.one(&SLUGS)
        } else {
            "nothing-like-it"
        }
    };
    match dice.below(12) {
        0 => Wanted::Nothing,
        1 => Wanted::Slug(slug(dice)),
        2 => Wanted::Path(path(dice)),
        3 | 4 => Wanted::SlugAndPath(slug(dice), path(dice)),
        _ => {
            let host = dice.one(&[
                "api.example.com",
                "API.Example.com:443",
                "sandbox.example.com.",
                "x.example.com",
                "a.tiles.example.com",
                "tiles.example.com",
                "example.com",
                "other.org",
                "[2001:db8::1]:80",
                "api.example.com:x",
                "x..example.com",
                "",
            ]);
            let slug = dice.percent(20).then(|| slug(dice));
            Wanted::Route(host, path(dice), slug)
        }
    }
}

/// A path: mostly plain, sometimes as those who try things write them.
fn path(dice: &mut Dice) -> String {
    const PLAIN: [&str; 9] = ["a", "b", "c", "t", "s", "x", "admin", "A", "%C3%A9"];
    const ODD: [&str; 24] = [
        "", ".", "..", "%2e", "%2E%2e", ".%2e", "a;p=1", ";q", "b%3bx", "..;x", "%61", "%2f",
        "a%5cb", "%00", "%25", "%252e", "%c3", "a\\b", "a b", "a#b", "%zz", "%", "a%25b", "t%3B",
    ];
    let odd = dice.one(&[0, 0, 0, 12, 35]);
    let mut path = String::new();
    for _ in 0..dice.below(5) {
        path.push('/');
        path.push_str(if dice.percent(odd) {
            dice.one(&ODD)
        } else {
            dice.one(&PLAIN)
        });
    }
    if path.is_empty() || dice.percent(10) {
        path.push('/');
    }
    if dice.percent(1) {
        path.remove(0);
    }
    if dice.percent(10) {
        path.push_str("?q=/a/../b");
    }
    path
}
