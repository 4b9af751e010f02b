//! What holds of verdicts.

mod order;
mod paths;
mod restrictions;

use super::*;
use crate::environment::EnvironmentSet;
use crate::product::{KeyInQuery, ProductFacts, ResourceScope, RouteFacts, ScopeSet};

pub(super) const NOW: Millis = Millis(1_795_258_800_000);

pub(super) const MAPS: ProductIx = ProductIx(0);
pub(super) const SEARCH: ProductIx = ProductIx(1);
pub(super) const BARE: ProductIx = ProductIx(2);

fn route(host: &str, prefix: &str, environments: &[Environment]) -> RouteFacts {
    RouteFacts {
        host: host.parse().unwrap(),
        prefix: prefix.parse().unwrap(),
        environments: environments.iter().copied().collect::<EnvironmentSet>(),
    }
}

fn product(slug: &str, name: &str, routes: Vec<RouteFacts>, admin: &[&str]) -> ProductFacts {
    ProductFacts {
        slug: slug.parse().unwrap(),
        name: name.to_owned(),
        key_in_query: KeyInQuery::Browser,
        routes,
        admin_prefixes: admin.iter().map(|p| p.parse().unwrap()).collect(),
        scopes: Vec::new(),
    }
}

fn scope(slug: &str, prefixes: &[&str]) -> ResourceScope {
    ResourceScope {
        slug: slug.parse().unwrap(),
        name: slug.to_uppercase(),
        prefixes: prefixes.iter().map(|p| p.parse().unwrap()).collect(),
    }
}

/// Maps at `/a`, with two scopes that share a path; Search below it at `/a/b`, on a wider host above it at `/`; and one
/// that is only asked for by its name.
pub(super) fn catalogue() -> Catalogue {
    let live = &[Environment::Live];
    let maps = product(
        "maps",
        "Maps",
        vec![
            route("api.example.com", "/a", &[]),
            route("live.example.com", "/a", live),
            route("wide.example.com", "/a", &[]),
        ],
        &["/a/c"],
    );
    let scopes = vec![
        scope("tiles", &["/a/t", "/a/s"]),
        scope("styles", &["/a/s"]),
    ];
    Catalogue::build(vec![
        ProductFacts { scopes, ..maps },
        product(
            "search",
            "Search",
            vec![
                route("api.example.com", "/a/b", &[]),
                route("wide.example.com", "/", &[]),
            ],
            &[],
        ),
        product("bare", "Bare", vec![], &["/admin"]),
    ])
    .unwrap()
}

pub(super) fn key(products: &[ProductIx]) -> KeyFacts<'_> {
    KeyFacts {
        secret_ends_at: None,
        expires_at: None,
        standing: Standing::Enabled,
        account_suspended: false,
        environment: Environment::Live,
        access: Access::Write,
        products,
        scopes: &[],
        domains: None,
        ips: None,
    }
}

pub(super) fn at<'a>(host: &'a str, path: &'a str) -> Target<'a> {
    Target::Route {
        host,
        path,
        slug: None,
    }
}

fn judge(facts: KeyFacts<'_>, method: &str, target: Target<'_>) -> Result<Grant, Refusal> {
    let (credential, asked) = (
        Credential::Known(facts),
        Asked {
            target,
            method,
            caller: &Caller::NOBODY,
        },
    );
    decide(&credential, &asked, &catalogue(), NOW)
}

fn code(facts: KeyFacts<'_>, method: &str, target: Target<'_>) -> Code {
    judge(facts, method, target).map_or_else(|refusal| refusal.code, |_| Code::Valid)
}

#[test]
fn a_good_key_is_let_through_and_the_grant_says_to_what() {
    let grant = judge(
        key(&[MAPS]),
        "POST",
        at("API.example.com:443", "/a/x?key=1"),
    )
    .unwrap();
    let expected = Grant {
        product: MAPS,
        needed: Access::Write,
        by_method_alone: false,
    };
    assert_eq!(grant, expected);
    let by_name = judge(key(&[BARE]), "GET", Target::Slug("bare")).unwrap();
    assert!(by_name.by_method_alone && by_name.needed == Access::Read);
    let with_path = Target::SlugAndPath {
        slug: "bare",
        path: "/x",
    };
    assert!(
        !judge(key(&[BARE]), "GET", with_path)
            .unwrap()
            .by_method_alone
    );
}

#[test]
fn what_is_presented_decides_before_anything_else_is_looked_at() {
    for (credential, code) in [
        (Credential::OutOfTouch, Code::Unavailable),
        (Credential::TwoKeys, Code::RequestInvalid),
        (Credential::Missing, Code::KeyMissing),
        (Credential::Malformed, Code::KeyMalformed),
        (Credential::Unknown, Code::KeyNotFound),
    ] {
        for target in [
            Target::Nothing,
            at("api.example.com", "/%2f"),
            at("api.example.com", "/a"),
        ] {
            let asked = Asked {
                target,
                method: "GET",
                caller: &Caller::NOBODY,
            };
            let refusal = decide(&credential, &asked, &catalogue(), NOW).unwrap_err();
            assert_eq!(refusal.code, code);
            assert_eq!(refusal.message, code.message());
        }
    }
}

#[test]
fn malformed_unknown_and_deleted_answer_alike() {
    // A deleted key is unknown to whoever asks: it has no facts.
    let asked = Asked {
        target: Target::Slug("maps"),
        method: "GET",
        caller: &Caller::NOBODY,
    };
    let answer = |credential| decide(&credential, &asked, &catalogue(), NOW).unwrap_err();
    let (malformed, unknown) = (answer(Credential::Malformed), answer(Credential::Unknown));
    assert_eq!(malformed.message, unknown.message);
    assert_eq!(malformed.code.http_status(), unknown.code.http_status());
}

#[test]
fn an_end_is_the_first_instant_at_which_it_is_over() {
    let target = at("api.example.com", "/a");
    for (end, is_over) in [
        (NOW.plus_ms(-1), true),
        (NOW, true),
        (NOW.plus_ms(1), false),
    ] {
        let retired = KeyFacts {
            secret_ends_at: Some(end),
            ..key(&[MAPS])
        };
        let expired = KeyFacts {
            expires_at: Some(end),
            ..key(&[MAPS])
        };
        let either = |over| if is_over { over } else { Code::Valid };
        assert_eq!(code(retired, "GET", target), either(Code::SecretRetired));
        assert_eq!(code(expired, "GET", target), either(Code::KeyExpired));
    }
}

#[test]
fn a_paused_key_is_disabled_and_the_message_says_paused() {
    let with = |standing| KeyFacts {
        standing,
        ..key(&[MAPS])
    };
    let target = at("api.example.com", "/a");
    let paused = judge(with(Standing::Paused), "GET", target).unwrap_err();
    let disabled = judge(with(Standing::Disabled), "GET", target).unwrap_err();
    assert_eq!(
        (paused.code, disabled.code),
        (Code::KeyDisabled, Code::KeyDisabled)
    );
    assert!(paused.message.contains("paused") && !disabled.message.contains("paused"));
}

#[test]
fn targets_lead_to_products_or_are_closed() {
    let all = &[MAPS, SEARCH, BARE];
    let route = |host, path, slug| Target::Route { host, path, slug };
    let named = |slug, path| Target::SlugAndPath { slug, path };
    for (target, expected) in [
        (Target::Nothing, Code::ProductUnknown),
        (Target::Path("/a"), Code::ProductUnknown),
        (Target::Path("/a%2f"), Code::PathAmbiguous),
        (Target::Slug("maps"), Code::Valid),
        (Target::Slug("Maps"), Code::ProductUnknown),
        (Target::Slug(""), Code::ProductUnknown),
        (named("maps", "/a/x"), Code::Valid),
        (named("maps", "/a/b/x"), Code::Valid),
        (named("maps", "/z"), Code::ProductUnknown),
        (named("search", "/a/x"), Code::ProductUnknown),
        (named("search", "/a/%62"), Code::PathAmbiguous),
        (named("maps", "/a/%63"), Code::PathAmbiguous),
        (named("bare", "/anything"), Code::Valid),
        (named("none", "/a"), Code::ProductUnknown),
        (named("none", "/a%5c"), Code::PathAmbiguous),
        (route("api.example.com", "/a", None), Code::Valid),
        (route("api.example.com", "/a", Some("maps")), Code::Valid),
        (
            route("api.example.com", "/a", Some("search")),
            Code::ProductUnknown,
        ),
        (
            route("api.example.com", "/a", Some("none")),
            Code::ProductUnknown,
        ),
        (route("api.example.com", "/z", None), Code::ProductUnknown),
        (route("api.example.com", "", None), Code::PathAmbiguous),
        (route("www.example.com", "/a", None), Code::ProductUnknown),
        (route("", "/a", None), Code::ProductUnknown),
        (
            route("api.example.com", "/a/%2e%2e/z", None),
            Code::PathAmbiguous,
        ),
    ] {
        assert_eq!(code(key(all), "GET", target), expected, "{target:?}");
    }
}

#[test]
fn the_place_of_a_request_is_the_same_with_and_without_a_key() {
    let catalogue = catalogue();
    let good = Credential::Known(key(&[MAPS, SEARCH]));
    for (path, expected) in [
        ("/a/x", Ok(MAPS)),
        ("/a/b", Ok(SEARCH)),
        ("/z", Err(Code::ProductUnknown)),
        ("/a/%62", Err(Code::PathAmbiguous)),
        ("/a%2fb", Err(Code::PathAmbiguous)),
    ] {
        let asked = Asked {
            target: at("api.example.com", path),
            method: "OPTIONS",
            caller: &Caller::NOBODY,
        };
        let by_preflight = product_of(&asked, &catalogue).map_err(|refusal| refusal.code);
        assert_eq!(by_preflight, expected, "{path}");
        let by_verdict = decide(&good, &asked, &catalogue, NOW);
        let verdict = by_verdict
            .map(|grant| grant.product)
            .map_err(|refusal| refusal.code);
        assert_eq!(verdict, expected, "{path}");
        let refused = Machine::new(&Credential::Missing, &asked, &catalogue, NOW);
        assert_eq!(refused.product(), expected.ok(), "{path}");
    }
}

#[test]
fn an_installation_with_one_product_needs_no_name() {
    let one = Catalogue::build(vec![product("bare", "Bare", vec![], &["/admin"])]).unwrap();
    let only = &[ProductIx(0)];
    let credential = Credential::Known(key(only));
    for (target, by_method_alone) in [(Target::Nothing, true), (Target::Path("/x"), false)] {
        let asked = Asked {
            target,
            method: "GET",
            caller: &Caller::NOBODY,
        };
        let grant = decide(&credential, &asked, &one, NOW).unwrap();
        assert_eq!(
            (grant.product, grant.by_method_alone),
            (ProductIx(0), by_method_alone)
        );
    }
    let none = decide(
        &credential,
        &Asked {
            target: Target::Nothing,
            method: "GET",
            caller: &Caller::NOBODY,
        },
        &Catalogue::default(),
        NOW,
    );
    assert_eq!(none.unwrap_err().code, Code::ProductUnknown);
}

/// Maps alone, and of it these scopes.
/// How a machine ends that is told this by the limits: the checks of the limits that passed, and the last step.
fn after(taking: Taking) -> (Vec<Check>, Step) {
    let catalogue = catalogue();
    let credential = Credential::Known(key(&[MAPS]));
    let asked = Asked {
        target: at("api.example.com", "/a"),
        method: "GET",
        caller: &Caller::NOBODY,
    };
    let mut machine = Machine::new(&credential, &asked, &catalogue, NOW);
    while matches!(machine.step(), Step::Passed(_)) {}
    machine.resume(taking);
    let mut passed = Vec::new();
    loop {
        match machine.step() {
            Step::Passed(check) => passed.push(check),
            over => return (passed, over),
        }
    }
}

#[test]
fn the_limits_refuse_last_each_with_its_own_words() {
    use crate::limit::LimitName::{Day, Minute, Second};
    assert!(
        matches!(after(Taking::Taken), (passed, Step::Allow(_)) if passed == checks::OF_THE_LIMITS)
    );
    let mut messages = Vec::new();
    for (taking, code, check) in [
        (
            Taking::NotNow(Second),
            Code::RateLimited,
            Check::RateAllowed,
        ),
        (
            Taking::NotNow(Minute),
            Code::RateLimited,
            Check::RateAllowed,
        ),
        (
            Taking::NotNow(Day),
            Code::QuotaExceeded,
            Check::QuotaAllowed,
        ),
        (Taking::Never(Minute), Code::RateLimited, Check::RateAllowed),
    ] {
        let (passed, Step::Refuse(refusal)) = after(taking) else {
            panic!("{taking:?} refuses");
        };
        assert_eq!((refusal.code, refusal.check), (code, check));
        assert_eq!(passed.len(), usize::from(check == Check::QuotaAllowed));
        messages.push(refusal.message);
    }
    messages.dedup();
    assert_eq!(messages.len(), 4, "no two say the same");
    assert_eq!(after(Taking::Never(Day)), after(Taking::Never(Second)));
}

pub(super) fn scoped(slugs: &[&str]) -> [ProductScopes; 1] {
    let scopes = catalogue().get(MAPS).unwrap().scopes_named(slugs);
    [ProductScopes {
        product: MAPS,
        scopes,
    }]
}

#[test]
fn a_machine_goes_through_every_check_in_order_and_stays_at_its_end() {
    let catalogue = catalogue();
    let credential = Credential::Known(key(&[MAPS]));
    let asked = Asked {
        target: at("api.example.com", "/a"),
        method: "GET",
        caller: &Caller::NOBODY,
    };
    let mut machine = Machine::new(&credential, &asked, &catalogue, NOW);
    let of_the_limits = checks::OF_THE_LIMITS;
    for check in Check::ALL
        .iter()
        .take(Check::ALL.len() - of_the_limits.len())
    {
        assert_eq!(machine.step(), Step::Passed(*check));
    }
    let asks = machine.step();
    assert!(matches!(asks, Step::NeedLimits(_)));
    assert_eq!(machine.step(), asks, "it asks until it is told");
    machine.resume(Taking::Taken);
    for check in of_the_limits {
        assert_eq!(machine.step(), Step::Passed(*check));
    }
    let allow = machine.step();
    assert!(matches!(allow, Step::Allow(_)));
    assert_eq!(machine.step(), allow);

    let missing = Credential::Missing;
    let mut machine = Machine::new(&missing, &asked, &catalogue, NOW);
    assert_eq!(machine.step(), Step::Passed(Check::InTouch));
    assert_eq!(machine.step(), Step::Passed(Check::OneKey));
    let refusal = machine.step();
    assert!(matches!(
        refusal,
        Step::Refuse(Refusal {
            check: Check::KeySent,
            ..
        })
    ));
    assert_eq!(machine.step(), refusal);
}
