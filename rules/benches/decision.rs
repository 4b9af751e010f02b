//! What one decision costs: a good key at a path of its product, and the same with its secret parsed and digested first.
//!
//!     cargo bench -p latchkey-rules

#![expect(
    clippy::unwrap_used,
    reason = "what is measured is made of texts that stand here"
)]

use latchkey_rules::access::Access;
use latchkey_rules::environment::{Environment, EnvironmentSet};
use latchkey_rules::product::{Catalogue, KeyInQuery, ProductFacts, ProductIx, RouteFacts};
use latchkey_rules::secret::{Prefix, Presented};
use latchkey_rules::time::Millis;
use latchkey_rules::verdict::{Asked, Caller, Credential, KeyFacts, Standing, Target, decide};

const NOW: Millis = Millis(1_795_258_800_000);
const SECRET: &str = "lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu";

fn main() {
    divan::main();
}

fn catalogue() -> Catalogue {
    let product = |slug: &str, prefix: &str| ProductFacts {
        slug: slug.parse().unwrap(),
        name: slug.to_owned(),
        key_in_query: KeyInQuery::Browser,
        routes: vec![RouteFacts {
            host: "api.example.com".parse().unwrap(),
            prefix: prefix.parse().unwrap(),
            environments: EnvironmentSet::default(),
        }],
        admin_prefixes: Vec::new(),
        scopes: Vec::new(),
    };
    Catalogue::build(vec![product("maps", "/maps"), product("search", "/search")]).unwrap()
}

fn decided(catalogue: &Catalogue) -> bool {
    let key = KeyFacts {
        secret_ends_at: None,
        expires_at: None,
        standing: Standing::Enabled,
        account_suspended: false,
        environment: Environment::Live,
        access: Access::Write,
        products: &[ProductIx(0)],
        scopes: &[],
        domains: None,
        ips: None,
    };
    let asked = Asked {
        target: Target::Route {
            host: "api.example.com",
            path: "/maps/tile/12/2200/1343.png?style=day",
            slug: None,
        },
        method: "GET",
        caller: &Caller::NOBODY,
    };
    decide(&Credential::Known(key), &asked, catalogue, NOW).is_ok()
}

#[divan::bench]
fn decision(bencher: divan::Bencher<'_, '_>) {
    let catalogue = catalogue();
    assert!(decided(&catalogue));
    bencher.bench(|| decided(divan::black_box(&catalogue)));
}

#[divan::bench]
fn decision_from_the_text_on(bencher: divan::Bencher<'_, '_>) {
    let (catalogue, prefix) = (catalogue(), Prefix::default());
    bencher.bench(|| {
        let presented = Presented::parse(&prefix, divan::black_box(SECRET)).unwrap();
        divan::black_box(presented.digest());
        decided(divan::black_box(&catalogue))
    });
}
