//! What holds of verdicts.

mod order;
mod paths;

use super::*;
use crate::environment::EnvironmentSet;
use crate::product::{KeyInQuery, ProductFacts, RouteFacts};

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
    }
}

/// Maps at `/a`; Search below it at `/a/b`, on a wider host above it at `/`; and one that is only asked
/// for by its name.
pub(super) fn catalogue() -> Catalogue {
    let live = &[Environment::Live];
    Catalogue::build(vec![
        product(
            "maps",
            "Maps",
            vec![
                route("api.example.com", "/a", &[]),
                route("live.example.com", "/a", live),
                route("wide.example.com", "/a", &[]),
            ],
            &["/a/c"],
        ),
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

#[test]
fn access_is_judged_by_method_and_administrative_path() {
    let with = |access| KeyFacts {
        access,
        ..key(&[MAPS])
    };
    let plain = at("api.example.com", "/a/x");
    let admin = at("api.example.com", "/a/c/users");
    for (access, method, target, expected) in [
        (Access::Read, "GET", plain, Code::Valid),
        (Access::Read, "POST", plain, Code::AccessNotAllowed),
        (Access::Write, "DELETE", plain, Code::Valid),
        (Access::Write, "PURGE", plain, Code::AccessNotAllowed),
        (Access::Write, "post", plain, Code::AccessNotAllowed),
        (Access::Admin, "PURGE", plain, Code::Valid),
        (Access::Write, "GET", admin, Code::AccessNotAllowed),
        (Access::Admin, "GET", admin, Code::Valid),
        // Without a path nobody can know whether it is administrative: the method alone counts.
        (Access::Read, "GET", Target::Slug("maps"), Code::Valid),
    ] {
        assert_eq!(
            code(with(access), method, target),
            expected,
            "{access:?} {method} {target:?}"
        );
    }
}

#[test]
fn a_refusal_for_access_says_what_would_have_needed_more() {
    let read_only = || KeyFacts {
        access: Access::Read,
        ..key(&[MAPS])
    };
    for (method, path, what) in [
        ("POST", "/a/x", "POST needs the access write."),
        ("PUT", "/a/x", "PUT needs the access write."),
        ("PATCH", "/a/x", "PATCH needs the access write."),
        ("DELETE", "/a/x", "DELETE needs the access write."),
        (
            "<b>",
            "/a/x",
            "This method is not one of the common ones and needs the access admin.",
        ),
        (
            "GET",
            "/a/c/users",
            "This path is administrative and needs the access admin.",
        ),
    ] {
        let refusal = judge(read_only(), method, at("api.example.com", path)).unwrap_err();
        let expected = format!("{what} This API key has the access read.");
        assert_eq!(refusal.message, expected, "{method} {path}");
    }
}

#[test]
fn hosts_that_name_environments_take_no_others() {
    let with = |environment| KeyFacts {
        environment,
        ..key(&[MAPS])
    };
    let live_host = at("live.example.com", "/a");
    assert_eq!(code(with(Environment::Live), "GET", live_host), Code::Valid);
    let refusal = judge(with(Environment::Test), "GET", live_host).unwrap_err();
    assert_eq!(refusal.code, Code::EnvironmentNotAllowed);
    assert_eq!(
        refusal.message,
        "This API key is of the environment Development. What was asked for takes keys of Production."
    );
    assert_eq!(
        code(with(Environment::Test), "GET", at("api.example.com", "/a")),
        Code::Valid
    );
}

#[test]
fn refusals_name_the_fact_and_the_rule() {
    let message = |facts, method, target| judge(facts, method, target).unwrap_err().message;
    assert_eq!(
        message(key(&[MAPS]), "GET", at("api.example.com", "/a/b")),
        "This API key is not assigned to the product Search. Use a key that has it, or create one in the portal."
    );
    let reader = KeyFacts {
        access: Access::Read,
        ..key(&[MAPS])
    };
    assert_eq!(
        message(reader, "PATCH", at("api.example.com", "/a")),
        "PATCH needs the access write. This API key has the access read."
    );
    assert_eq!(
        message(reader, "GET", at("api.example.com", "/a/c")),
        "This path is administrative and needs the access admin. This API key has the access read."
    );
    let strange = message(reader, "<script>", at("api.example.com", "/a"));
    assert!(strange.starts_with("This method ") && !strange.contains('<'));
    assert_eq!(
        message(key(&[MAPS]), "GET", at("api.example.com", "/a%2fb")),
        "The path holds an encoded slash, backslash or NUL. Servers read such a path in different ways, so it was refused."
    );
}

#[test]
fn t_47_domains_and_addresses_are_held_against_the_caller() {
    let domains = [DomainPattern::parse("*.example.com").unwrap().pattern];
    let ips = [IpRange::parse("192.0.2.0/24").unwrap()];
    let bound = KeyFacts {
        domains: Some(&domains),
        ips: Some(&ips),
        ..key(&[MAPS])
    };
    let (page, inside) = (Some("https://www.example.com"), "192.0.2.7".parse().ok());
    let elsewhere = "203.0.113.1".parse().ok();
    let table = [
        (page, None, inside, Ok(())),
        (None, page, inside, Ok(())),
        (None, None, inside, Err(Code::OriginNotAllowed)),
        (Some("null"), page, inside, Err(Code::OriginNotAllowed)),
        (page, None, elsewhere, Err(Code::IpNotAllowed)),
        (page, None, None, Err(Code::IpNotAllowed)),
    ];
    for (origin, referer, ip, expected) in table {
        let find = || ip;
        for address in [Address::Is(ip), Address::AskedFor(&find)] {
            let asked = Asked {
                target: at("api.example.com", "/a"),
                method: "GET",
                caller: &Caller {
                    origin,
                    referer,
                    address,
                    ..Caller::NOBODY
                },
            };
            let decided = decide(&Credential::Known(bound), &asked, &catalogue(), NOW);
            let met = decided.map(|_| ()).map_err(|refusal| refusal.code);
            assert_eq!(met, expected, "{origin:?} {referer:?} {ip:?}");
        }
    }
}

#[test]
fn a_key_whose_entries_cannot_be_read_opens_for_nobody() {
    let target = at("api.example.com", "/a");
    let nowhere = KeyFacts {
        domains: Some(&[]),
        ..key(&[MAPS])
    };
    let nobody = KeyFacts {
        ips: Some(&[]),
        ..key(&[MAPS])
    };
    assert_eq!(code(nowhere, "GET", target), Code::OriginNotAllowed);
    assert_eq!(code(nobody, "GET", target), Code::IpNotAllowed);
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
    for check in Check::ALL {
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
