//! What restricts a key: access, scopes, environment, domains, addresses.

use super::*;

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
fn a_key_that_is_bound_to_scopes_opens_their_paths_alone() {
    let at = |path| at("api.example.com", path);
    let by_path = |path| Target::SlugAndPath { slug: "maps", path };
    for (slugs, target, expected) in [
        (&["tiles"][..], at("/a/t/1"), Code::Valid),
        (&["tiles"], at("/a/t"), Code::Valid),
        (&["tiles"], at("/a/s/x"), Code::Valid),
        (&["tiles"], at("/a/tx"), Code::AccessNotAllowed),
        (&["tiles"], at("/a"), Code::AccessNotAllowed),
        (&["styles"], at("/a/t/1"), Code::AccessNotAllowed),
        (&["styles"], at("/a/s"), Code::Valid),
        (&["tiles", "styles"], at("/a/t"), Code::Valid),
        (&["gone"], at("/a/t"), Code::AccessNotAllowed),
        (&["tiles"], by_path("/a/t"), Code::Valid),
        (&["tiles"], by_path("/a/x"), Code::AccessNotAllowed),
        // Without a path nobody knows where it leads.
        (&["tiles"], Target::Slug("maps"), Code::AccessNotAllowed),
        (&["tiles"], at("/a/x/../t"), Code::PathAmbiguous),
        (&["tiles"], at("/a/%74"), Code::PathAmbiguous),
        // Another product, of which it has all.
        (&["tiles"], at("/a/b/x"), Code::Valid),
    ] {
        let facts = KeyFacts {
            scopes: &scoped(slugs),
            ..key(&[MAPS, SEARCH])
        };
        assert_eq!(code(facts, "GET", target), expected, "{slugs:?} {target:?}");
    }
}

#[test]
fn a_refusal_for_scopes_names_those_that_the_key_has() {
    let said = |slugs: &[&str], target| {
        let facts = KeyFacts {
            scopes: &scoped(slugs),
            ..key(&[MAPS])
        };
        let refusal = judge(facts, "GET", target).unwrap_err();
        assert_eq!(refusal.check, Check::ScopeAllowed);
        refusal.message
    };
    let elsewhere = at("api.example.com", "/a/x");
    assert_eq!(
        said(&["styles", "tiles"], elsewhere),
        "This API key is good for TILES and STYLES of Maps, and this path is not in it."
    );
    assert_eq!(
        said(&["tiles"], Target::Slug("maps")),
        "This API key is good for TILES of Maps, and the request names no path."
    );
    assert_eq!(
        said(&["gone"], elsewhere),
        "This API key is good for no part of Maps, and this path is not in it."
    );
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
