//! The order of the checks: the first that fails names the verdict, and nothing is allowed past one.

use proptest::prelude::*;

use super::*;
use crate::path::Canonical;

/// A request and a key that can be spoiled in one respect at a time.
#[derive(Clone, Debug)]
struct Scene {
    credential: fn(KeyFacts<'_>) -> Credential<'_>,
    facts: KeyFacts<'static>,
    host: &'static str,
    path: String,
    method: &'static str,
}

impl Scene {
    fn good() -> Self {
        Self {
            credential: |facts| Credential::Known(facts),
            facts: KeyFacts {
                access: Access::Read,
                ..key(&[MAPS])
            },
            host: "live.example.com",
            path: "/a/x".to_owned(),
            method: "GET",
        }
    }

    fn with<R>(&self, see: impl FnOnce(&Credential<'_>, &Asked<'_>, &Catalogue) -> R) -> R {
        let credential = (self.credential)(self.facts);
        let asked = Asked {
            target: at(self.host, &self.path),
            method: self.method,
            caller: &Caller::NOBODY,
        };
        see(&credential, &asked, &catalogue())
    }

    fn decide(&self) -> Result<Grant, Refusal> {
        self.with(|credential, asked, catalogue| decide(credential, asked, catalogue, NOW))
    }
}

type Spoil = fn(&mut Scene);

/// A key that has Maps, and nothing of it.
const NO_PART: &[ProductScopes] = &[ProductScopes {
    product: MAPS,
    scopes: ScopeSet::EMPTY,
}];

/// For each check what makes it fail and no other, in the order of the published codes.
const SPOILS: &[(Check, Code, Spoil)] = &[
    (Check::InTouch, Code::Unavailable, |scene| {
        scene.credential = |_| Credential::OutOfTouch;
    }),
    (Check::OneKey, Code::RequestInvalid, |scene| {
        scene.credential = |_| Credential::TwoKeys;
    }),
    (Check::KeySent, Code::KeyMissing, |scene| {
        scene.credential = |_| Credential::Missing;
    }),
    (Check::KeyWellFormed, Code::KeyMalformed, |scene| {
        scene.credential = |_| Credential::Malformed;
    }),
    (Check::KeyKnown, Code::KeyNotFound, |scene| {
        scene.credential = |_| Credential::Unknown;
    }),
    (Check::SecretLive, Code::SecretRetired, |scene| {
        scene.facts.secret_ends_at = Some(NOW);
    }),
    (Check::KeyUnexpired, Code::KeyExpired, |scene| {
        scene.facts.expires_at = Some(NOW);
    }),
    (Check::KeyEnabled, Code::KeyDisabled, |scene| {
        scene.facts.standing = Standing::Disabled;
    }),
    (Check::AccountActive, Code::AccountSuspended, |scene| {
        scene.facts.account_suspended = true;
    }),
    (Check::PathClear, Code::PathAmbiguous, |scene| {
        scene.path.push_str("%2f");
    }),
    (Check::ProductKnown, Code::ProductUnknown, |scene| {
        scene.path.insert_str(0, "/z");
    }),
    (Check::ProductAssigned, Code::ProductNotAssigned, |scene| {
        scene.facts.products = &[SEARCH, BARE];
    }),
    (
        Check::EnvironmentAllowed,
        Code::EnvironmentNotAllowed,
        |scene| {
            scene.facts.environment = Environment::Test;
        },
    ),
    (Check::AccessAllowed, Code::AccessNotAllowed, |scene| {
        scene.method = "POST";
    }),
    (Check::ScopeAllowed, Code::AccessNotAllowed, |scene| {
        scene.facts.scopes = NO_PART;
    }),
    (Check::OriginAllowed, Code::OriginNotAllowed, |scene| {
        scene.facts.domains = Some(&[]);
    }),
    (Check::IpAllowed, Code::IpNotAllowed, |scene| {
        scene.facts.ips = Some(&[]);
    }),
];

#[test]
fn every_check_is_in_the_list_once_and_refuses_with_its_own_code() {
    let listed: Vec<_> = CHECKS.iter().map(|(check, _)| *check).collect();
    assert_eq!([&listed, checks::OF_THE_LIMITS].concat(), Check::ALL);
    let spoiled: Vec<_> = SPOILS.iter().map(|(check, ..)| *check).collect();
    assert_eq!(spoiled, listed, "each check is spoiled below");
    let codes: Vec<_> = SPOILS.iter().map(|(_, code, _)| *code).collect();
    assert!(codes.is_sorted(), "the order is that of the codes");
    assert!(Scene::good().decide().is_ok());
    for (check, code, spoil) in SPOILS {
        let mut scene = Scene::good();
        spoil(&mut scene);
        let refusal = scene.decide().unwrap_err();
        assert_eq!((refusal.check, refusal.code), (*check, *code));
    }
}

fn method() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "get", "",
    ])
}

fn end() -> impl Strategy<Value = Option<Millis>> {
    prop::option::weighted(0.3, (-2_i64..3).prop_map(|ms| NOW.plus_ms(ms)))
}

fn any_facts() -> impl Strategy<Value = KeyFacts<'static>> {
    let standing = prop_oneof![
        8 => Just(Standing::Enabled),
        1 => Just(Standing::Disabled),
        1 => Just(Standing::Paused),
    ];
    let products: Vec<&'static [ProductIx]> = vec![
        &[],
        &[MAPS],
        &[SEARCH],
        &[MAPS, SEARCH],
        &[MAPS, SEARCH, BARE],
    ];
    let rarely = || prop::bool::weighted(0.1);
    let tiles: &'static [ProductScopes] = Box::leak(Box::new(scoped(&["tiles"])));
    (
        (end(), end(), standing),
        prop::sample::select(Environment::ALL),
        prop::sample::select(Access::ALL),
        prop::sample::select(products),
        (rarely(), rarely(), rarely()),
        prop::sample::select(vec![&[][..], &[], NO_PART, tiles]),
    )
        .prop_map(
            |(ends, environment, access, products, flags, scopes)| KeyFacts {
                secret_ends_at: ends.0,
                expires_at: ends.1,
                standing: ends.2,
                account_suspended: flags.0,
                environment,
                access,
                products,
                scopes,
                domains: flags.1.then_some(&[]),
                ips: flags.2.then_some(&[]),
            },
        )
}

type Present = fn(KeyFacts<'_>) -> Credential<'_>;

fn any_credential() -> impl Strategy<Value = Present> {
    let none_known: Vec<Present> = vec![
        |_| Credential::OutOfTouch,
        |_| Credential::TwoKeys,
        |_| Credential::Missing,
        |_| Credential::Malformed,
        |_| Credential::Unknown,
    ];
    let known: Present = |facts| Credential::Known(facts);
    prop_oneof![9 => Just(known), 1 => prop::sample::select(none_known)]
}

fn any_scene() -> impl Strategy<Value = Scene> {
    let host = prop::sample::select(vec![
        "api.example.com",
        "live.example.com",
        "API.example.com:80",
        "www.example.com",
    ]);
    let path = prop::sample::select(vec![
        "/a",
        "/a/x",
        "/a/b",
        "/a/b/x",
        "/a/c",
        "/a/c/x",
        "/z",
        "/",
        "/a//x",
        "/a/%78",
        "/a/%62",
        "/a/t",
        "/a/s/1",
        "/a/%74",
        "/a/x/../c",
        "/a%2f",
        "x",
    ]);
    (any_credential(), any_facts(), host, path, method()).prop_map(
        |(credential, facts, host, path, method)| Scene {
            credential,
            facts,
            host,
            path: path.to_owned(),
            method,
        },
    )
}

/// The rule once more, as plain statements in the order of the published codes.
fn by_the_book(scene: &Scene) -> Code {
    let facts = scene.facts;
    let over = |end: Option<Millis>| matches!(end, Some(end) if end <= NOW);
    match (scene.credential)(facts) {
        Credential::OutOfTouch => return Code::Unavailable,
        Credential::TwoKeys => return Code::RequestInvalid,
        Credential::Missing => return Code::KeyMissing,
        Credential::Malformed => return Code::KeyMalformed,
        Credential::Unknown => return Code::KeyNotFound,
        Credential::Known(_) => {}
    }
    let catalogue = catalogue();
    let canonical = Canonical::of(&scene.path).map(|path| path.as_str().to_owned());
    let leads = |path: &str| {
        let route = catalogue.match_route(scene.host, path)?;
        Some((
            route.product,
            catalogue.is_admin(route.product, path),
            route.environments,
            ["/a/t", "/a/s"].into_iter().any(|scope| {
                let at_or_below = format!("{scope}/");
                route.product == MAPS && (path == scope || path.starts_with(&at_or_below))
            }),
        ))
    };
    let place = canonical.as_deref().ok().and_then(leads);
    let is_ambiguous = canonical.is_err() || leads(&scene.path) != place;
    let is_known_place = place.is_some();
    let (product, is_admin, environments, is_tiles) =
        place.unwrap_or((BARE, false, EnvironmentSet::ANY, false));
    let needed = if is_admin {
        Access::Admin
    } else {
        Access::needed_by(scene.method)
    };
    let failures = [
        (over(facts.secret_ends_at), Code::SecretRetired),
        (over(facts.expires_at), Code::KeyExpired),
        (facts.standing != Standing::Enabled, Code::KeyDisabled),
        (facts.account_suspended, Code::AccountSuspended),
        (is_ambiguous, Code::PathAmbiguous),
        (!is_known_place, Code::ProductUnknown),
        (!facts.products.contains(&product), Code::ProductNotAssigned),
        (
            !environments.takes(facts.environment),
            Code::EnvironmentNotAllowed,
        ),
        (facts.access < needed, Code::AccessNotAllowed),
        (
            product == MAPS && (facts.scopes == NO_PART || !facts.scopes.is_empty() && !is_tiles),
            Code::AccessNotAllowed,
        ),
        (facts.domains.is_some(), Code::OriginNotAllowed),
        (facts.ips.is_some(), Code::IpNotAllowed),
    ];
    failures
        .into_iter()
        .find(|(fails, _)| *fails)
        .map_or(Code::Valid, |(_, code)| code)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn an_earlier_failing_check_always_wins(spoiled in prop::sample::subsequence((0..SPOILS.len()).collect::<Vec<_>>(), 1..8)) {
        let mut scene = Scene::good();
        // Backwards, so that of several credentials the earliest stays.
        for (_, _, spoil) in spoiled.iter().rev().map(|at| SPOILS[*at]) {
            spoil(&mut scene);
        }
        let refusal = scene.decide().unwrap_err();
        prop_assert_eq!(refusal.check, SPOILS[spoiled[0]].0);
        prop_assert_eq!(refusal.code, SPOILS[spoiled[0]].1);
    }

    #[test]
    fn every_verdict_is_the_one_of_the_book(scene in any_scene()) {
        let code = scene.decide().map_or_else(|refusal| refusal.code, |_| Code::Valid);
        prop_assert_eq!(code, by_the_book(&scene));
    }

    #[test]
    fn an_allow_means_that_every_check_passes_on_its_own(scene in any_scene()) {
        let is_allowed = scene.decide().is_ok();
        let all_pass = scene.with(|credential, asked, catalogue| {
            let ask = || Question::new(credential, asked, catalogue, NOW);
            CHECKS.iter().all(|(_, judge)| judge(&ask()).is_ok())
        });
        prop_assert_eq!(is_allowed, all_pass);
    }

    #[test]
    fn stepping_and_deciding_say_the_same(scene in any_scene()) {
        let whole = scene.decide();
        scene.with(|credential, asked, catalogue| {
            let mut machine = Machine::new(credential, asked, catalogue, NOW);
            let mut passed = Vec::new();
            let last = loop {
                match machine.step() {
                    Step::Passed(check) => passed.push(check),
                    Step::NeedLimits(_) => machine.resume(Taking::Taken),
                    over => break over,
                }
            };
            assert_eq!(passed, Check::ALL[..passed.len()]);
            match (last, whole) {
                (Step::Allow(stepped), Ok(grant)) => {
                    assert_eq!(stepped, grant);
                    assert_eq!(passed.len(), Check::ALL.len());
                }
                (Step::Refuse(stepped), Err(refusal)) => {
                    assert_eq!(Some(&refusal.check), Check::ALL.get(passed.len()));
                    assert_eq!(stepped, refusal);
                }
                (last, whole) => panic!("{last:?} against {whole:?}"),
            }
        });
    }
}
