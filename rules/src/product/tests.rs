//! What holds of products, hosts and prefixes.

use proptest::prelude::*;

use super::*;
use crate::environment::Environment;

fn route(host: &str, prefix: &str) -> RouteFacts {
    RouteFacts {
        host: host.parse().unwrap(),
        prefix: prefix.parse().unwrap(),
        environments: EnvironmentSet::ANY,
    }
}

fn product(slug: &str, routes: &[(&str, &str)]) -> ProductFacts {
    ProductFacts {
        slug: slug.parse().unwrap(),
        name: slug.to_uppercase(),
        key_in_query: KeyInQuery::Browser,
        routes: routes.iter().map(|(h, p)| route(h, p)).collect(),
        admin_prefixes: vec![],
        scopes: vec![],
    }
}

fn sample() -> Catalogue {
    Catalogue::build(vec![
        product("maps", &[("api.example.com", "/maps")]),
        product(
            "tiles",
            &[
                ("api.example.com", "/maps/tiles"),
                ("*.tiles.example.com", "/"),
            ],
        ),
        product(
            "search",
            &[
                ("API.Example.com.", "/search/"),
                ("*.example.com", "/search"),
            ],
        ),
        product("rest", &[("*", "/")]),
        product(
            "deep",
            &[("*.a.b.example.com", "/x"), ("*.b.example.com", "/")],
        ),
    ])
    .unwrap()
}

fn slug_at(catalogue: &Catalogue, host: &str, path: &str) -> Option<String> {
    let route = catalogue.match_route(host, path)?;
    Some(catalogue.get(route.product)?.slug.to_string())
}

#[test]
fn of_two_wildcards_the_longer_wins_in_whichever_order_they_are_given() {
    let short = product("short", &[("*.example.com", "/")]);
    let long = product("long", &[("*.a.example.com", "/")]);
    for given in [vec![short.clone(), long.clone()], vec![long, short]] {
        let catalogue = Catalogue::build(given).unwrap();
        let at = |host| slug_at(&catalogue, host, "/");
        assert_eq!(at("x.a.example.com").as_deref(), Some("long"));
        assert_eq!(at("x.b.example.com").as_deref(), Some("short"));
    }
}

#[test]
fn the_most_specific_host_wins_then_the_longest_prefix() {
    let catalogue = sample();
    for (host, path, slug) in [
        ("api.example.com", "/maps", "maps"),
        ("api.example.com", "/maps/", "maps"),
        ("api.example.com", "/maps/1", "maps"),
        ("api.example.com", "/maps/tiles", "tiles"),
        ("api.example.com", "/maps/tiles/1/2", "tiles"),
        // Whole segments, case kept.
        ("api.example.com", "/mapsx", "rest"),
        ("api.example.com", "/maps/tilesx", "maps"),
        ("api.example.com", "/Maps", "rest"),
        ("api.example.com", "/maps;v=1", "rest"),
        // Hosts: case, port and trailing dot do not count.
        ("API.example.COM", "/search", "search"),
        ("api.example.com:8443", "/search/x", "search"),
        ("api.example.com.", "/search", "search"),
        ("api.example.com.:443", "/search", "search"),
        // A more specific host whose prefixes do not match gives way to a wider one.
        ("api.example.com", "/other", "rest"),
        ("www.example.com", "/search", "search"),
        ("www.example.com", "/maps", "rest"),
        ("a.b.c.example.com", "/search", "search"),
        ("example.com", "/search", "rest"),
        ("xexample.com", "/search", "rest"),
        ("eu.tiles.example.com", "/search", "tiles"),
        ("x.a.b.example.com", "/x/1", "deep"),
        ("x.a.b.example.com", "/y", "deep"),
        ("127.0.0.1:8080", "/maps", "rest"),
        ("[::1]:8080", "/maps", "rest"),
    ] {
        assert_eq!(
            slug_at(&catalogue, host, path).as_deref(),
            Some(slug),
            "{host}{path}"
        );
    }
    assert_eq!(slug_at(&catalogue, "api.example.com", "maps"), None);
}

#[test]
fn what_is_no_host_leads_nowhere_even_with_a_wildcard() {
    let catalogue = sample();
    for host in [
        "",
        ".",
        ":80",
        "a..b",
        "a b",
        "a,b",
        "a/b",
        "user@example.com",
        "exämple.com",
        "a:80:80",
        "a:x",
        "[::1",
        "[x]",
        "[::1]x",
        "*",
        "*.example.com",
        ".example.com",
        "a\0",
    ] {
        assert_eq!(slug_at(&catalogue, host, "/"), None, "{host:?}");
    }
}

#[test]
fn a_wildcard_stands_for_one_or_more_labels() {
    let wildcard: HostPattern = "*.Example.com.".parse().unwrap();
    assert_eq!(wildcard.to_string(), "*.example.com");
    assert!(wildcard.matches("a.example.com") && wildcard.matches("a.b.example.com"));
    assert!(
        !wildcard.matches("example.com")
            && !wildcard.matches("aexample.com")
            && !wildcard.matches(".example.com")
    );
}

type Refusal = fn(String) -> HostError;

#[test]
fn host_patterns_are_read_or_said_to_be_wrong() {
    for (text, written) in [
        ("api.example.com", "api.example.com"),
        (" API.Example.com. ", "api.example.com"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("[0:0:0::1]", "[::1]"),
        ("*", "*"),
        ("*.example.com", "*.example.com"),
    ] {
        assert_eq!(
            HostPattern::parse(text).map(|h| h.to_string()),
            Ok(written.to_owned())
        );
    }
    let wrong: [(&str, Refusal); 14] = [
        ("https://api.example.com", HostError::MoreThanAHost),
        ("api.example.com/maps", HostError::MoreThanAHost),
        ("user@example.com", HostError::MoreThanAHost),
        ("api.example.com:443", HostError::Port),
        ("[::1]:443", HostError::Port),
        ("a*.example.com", HostError::Wildcard),
        ("a.*.com", HostError::Wildcard),
        ("**", HostError::Wildcard),
        ("*.[::1]", HostError::Wildcard),
        ("bücher.example", HostError::NotAscii),
        ("", HostError::NoHost),
        ("a..b", HostError::NoHost),
        ("a b", HostError::NoHost),
        ("*.", HostError::NoHost),
    ];
    for (text, error) in wrong {
        assert_eq!(
            HostPattern::parse(text),
            Err(error(text.to_owned())),
            "{text:?}"
        );
    }
}

#[test]
fn prefixes_are_read_or_said_to_be_wrong() {
    for (text, written) in [
        ("/", "/"),
        ("/maps", "/maps"),
        (" /maps/ ", "/maps"),
        ("/maps/v1.0", "/maps/v1.0"),
        ("/.well-known/x", "/.well-known/x"),
        ("/a:b@c", "/a:b@c"),
    ] {
        assert_eq!(
            PathPrefix::parse(text).map(|p| p.to_string()),
            Ok(written.to_owned()),
            "{text:?}"
        );
    }
    for wrong in [
        "", "maps", "//", "/a//b", "//a", "/a/./b", "/../a", "/a/*", "/a%20b", "/a b", "/a;b",
        "/é", "/a?b", "/a\\b", "/a//",
    ] {
        assert!(PathPrefix::parse(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn no_two_products_own_the_same_pair() {
    let both = |first: (&str, &str), second: (&str, &str)| {
        Catalogue::build(vec![product("a", &[first]), product("b", &[second])])
    };
    for (first, second) in [
        (("api.example.com", "/x"), ("api.example.com", "/x")),
        (("api.example.com", "/x"), ("API.example.com.", "/x/")),
        (("*.example.com", "/"), ("*.example.com", "/")),
        (("*", "/x"), ("*", "/x")),
    ] {
        let error = both(first, second).unwrap_err();
        assert!(matches!(error, CatalogueError::SameRoute { .. }));
        assert!(error.to_string().contains("“a” and “b”"), "{error}");
    }
    assert!(both(("api.example.com", "/x"), ("*.example.com", "/x")).is_ok());
    assert!(both(("api.example.com", "/x"), ("api.example.com", "/X")).is_ok());
    let twice = Catalogue::build(vec![product("a", &[]), product("a", &[])]);
    assert_eq!(
        twice.unwrap_err(),
        CatalogueError::SameSlug("a".parse().unwrap())
    );
}

#[test]
fn products_are_found_by_slug_and_the_only_one_by_itself() {
    let catalogue = sample();
    assert_eq!(catalogue.by_slug("tiles"), Some(ProductIx(1)));
    assert_eq!(catalogue.by_slug("Tiles"), None);
    assert_eq!(catalogue.get(ProductIx(1)).unwrap().name, "TILES");
    assert!(catalogue.get(ProductIx(99)).is_none());
    assert_eq!((catalogue.only(), catalogue.len()), (None, 5));
    assert!(!catalogue.is_empty() && Catalogue::default().is_empty());
    assert_eq!(catalogue.iter().count(), 5);
    assert_eq!(Catalogue::default().only(), None);
    assert_eq!(
        Catalogue::build(vec![product("a", &[])]).unwrap().only(),
        Some(ProductIx(0))
    );
}

#[test]
fn administrative_paths_are_whole_segments_too() {
    let mut facts = product("a", &[("*", "/")]);
    facts.admin_prefixes = vec!["/admin".parse().unwrap()];
    let catalogue = Catalogue::build(vec![facts, product("b", &[])]).unwrap();
    let ix = ProductIx(0);
    assert!(catalogue.is_admin(ix, "/admin") && catalogue.is_admin(ix, "/admin/users"));
    assert!(!catalogue.is_admin(ix, "/administer") && !catalogue.is_admin(ix, "/x/admin"));
    assert!(!catalogue.is_admin(ProductIx(1), "/admin"));
}

#[test]
fn scopes_are_their_product_s_own_and_have_slugs_of_their_own() {
    let scope = |slug: &str, prefix: &str| ResourceScope {
        slug: slug.parse().unwrap(),
        name: slug.to_uppercase(),
        prefixes: vec![prefix.parse().unwrap()],
    };
    let with = |scopes| ProductFacts {
        scopes,
        ..product("a", &[("*", "/")])
    };
    let few = vec![scope("tiles", "/t"), scope("all", "/")];
    let catalogue = Catalogue::build(vec![with(few), product("b", &[])]).unwrap();
    let a = catalogue.get(ProductIx(0)).unwrap();
    let at = |ix, path| catalogue.scopes_at(ProductIx(ix), path);
    assert_eq!(at(0, "/t/1"), a.scopes_named(&["tiles", "all"]));
    assert_eq!(at(0, "/tx"), a.scopes_named(&["all", "unknown"]));
    assert_eq!(
        (at(1, "/t"), at(9, "/t")),
        (ScopeSet::EMPTY, ScopeSet::EMPTY)
    );
    let names: Vec<&str> = a.names_of(a.scopes_named(&["all", "tiles"])).collect();
    assert_eq!(names, ["TILES", "ALL"]);

    let error = |scopes| Catalogue::build(vec![with(scopes)]).unwrap_err();
    assert_eq!(
        error(vec![scope("t", "/1"), scope("t", "/2")]).to_string(),
        "The product “a” has two scopes “t”. Give one of them another slug."
    );
    let many = |most| (0..most).map(|n| scope(&format!("s{n}"), "/")).collect();
    assert_eq!(
        error(many(MOST_SCOPES + 1)).to_string(),
        "The product “a” has more than 32 scopes."
    );
    assert!(Catalogue::build(vec![with(many(MOST_SCOPES))]).is_ok());
}

#[test]
fn a_path_without_host_belongs_to_a_product_where_one_of_its_hosts_leads_there() {
    let catalogue = sample();
    let holds =
        |slug: &str, path: &str| catalogue.holds_path(catalogue.by_slug(slug).unwrap(), path);
    assert!(holds("maps", "/maps/1"));
    assert!(
        !holds("maps", "/maps/tiles/1"),
        "on that host it is the product below"
    );
    assert!(holds("tiles", "/maps/tiles/1") && holds("tiles", "/anything"));
    assert!(!holds("search", "/maps"));
    let bare = Catalogue::build(vec![product("a", &[])]).unwrap();
    assert!(bare.holds_path(ProductIx(0), "/x"));
    assert!(!bare.holds_path(ProductIx(1), "/x"));
}

#[test]
fn a_product_takes_the_environments_that_any_of_its_hosts_takes() {
    let mut facts = product("a", &[("live.example.com", "/"), ("test.example.com", "/")]);
    facts.routes[0].environments = [Environment::Live].into_iter().collect();
    facts.routes[1].environments = [Environment::Test].into_iter().collect();
    let open = product("b", &[("*", "/")]);
    let catalogue = Catalogue::build(vec![facts, open, product("c", &[])]).unwrap();
    let takes = |ix, environment| {
        catalogue
            .get(ProductIx(ix))
            .unwrap()
            .environments
            .takes(environment)
    };
    assert!(
        takes(0, Environment::Live)
            && takes(0, Environment::Test)
            && !takes(0, Environment::Staging)
    );
    assert!(takes(1, Environment::Staging) && takes(2, Environment::Staging));
}

/// How specific a pair is, written the slow way: exact before wildcard before any, then by length.
fn rank(route: &RouteFacts) -> (u8, usize, usize) {
    let (class, fixed) = match &route.host {
        HostPattern::Exact(_) => (2, 0),
        HostPattern::Wildcard(suffix) => (1, suffix.len()),
        HostPattern::Any => (0, 0),
    };
    (class, fixed, route.prefix.as_str().len())
}

fn segments_hold(prefix: &str, path: &str) -> bool {
    let split = |text: &str| {
        text.split('/')
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    prefix == "/" || split(path).starts_with(&split(prefix))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn matching_agrees_with_the_rule_as_it_is_written(
        pairs in prop::collection::btree_set(("\\*|(\\*\\.)?([ab]\\.){0,2}c", "/|(/[ab]){1,3}"), 0..12),
        host in "([ab]\\.){0,3}c",
        path in "/|(/[ab]{1,2}){1,4}/?",
    ) {
        let facts: Vec<_> = pairs.iter().map(|(host, prefix)| route(host, prefix)).collect();
        let products = facts.iter().enumerate().map(|(n, route)| {
            let mut one = product(&format!("p{n}"), &[]);
            one.routes.push(route.clone());
            one
        });
        let catalogue = Catalogue::build(products.collect()).unwrap();
        let expected = facts
            .iter()
            .filter(|r| r.host.matches(&host) && segments_hold(r.prefix.as_str(), &path))
            .max_by_key(|r| rank(r));
        let found = catalogue.match_route(&host, &path);
        prop_assert_eq!(found.map(|r| (&r.host, &r.prefix)), expected.map(|r| (&r.host, &r.prefix)));
    }

    #[test]
    fn a_normal_host_is_its_own_normal_form(host in "\\PC{0,20}|[a-zA-Z0-9.:_-]{0,20}") {
        if let Some(normal) = normal_host(&host) {
            prop_assert_eq!(normal_host(&normal), Some(normal.clone()));
            prop_assert!(!normal.bytes().any(|b| b.is_ascii_uppercase()) && !normal.ends_with('.'));
        }
    }
}
