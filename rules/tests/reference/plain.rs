//! The decision once more: one question after the other, as the documentation words them.

use std::collections::BTreeSet;

use latchkey_rules::access::Access;
use latchkey_rules::code::Code;
use latchkey_rules::environment::Environment;
use latchkey_rules::verdict::{Check, Standing};

use crate::case::{Case, NOW, Product, Shown, Wanted, World};
use crate::door;

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Refuse(Code, Check),
    Allow {
        product: usize,
        needed: Access,
        by_method_alone: bool,
    },
}

/// Where a request leads.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    product: usize,
    /// Nothing where no path is known.
    is_admin: Option<bool>,
    scopes: BTreeSet<&'static str>,
    environments: Vec<Environment>,
}

/// Why it leads nowhere.
enum Nowhere {
    Ambiguous,
    Unknown,
}

pub(crate) fn judge(world: &World, case: &Case) -> Answer {
    let end = of_key(case).and_then(|()| of_request(world, case));
    end.unwrap_or_else(|(code, check)| Answer::Refuse(code, check))
}

type Refusal = (Code, Check);

fn refuse<T>(code: Code, check: Check) -> Result<T, Refusal> {
    Err((code, check))
}

/// What is true of the key, whatever is asked for.
fn of_key(case: &Case) -> Result<(), Refusal> {
    match case.shown {
        Shown::OutOfTouch => return refuse(Code::Unavailable, Check::InTouch),
        Shown::TwoKeys => return refuse(Code::RequestInvalid, Check::OneKey),
        Shown::Missing => return refuse(Code::KeyMissing, Check::KeySent),
        Shown::Malformed => return refuse(Code::KeyMalformed, Check::KeyWellFormed),
        Shown::Unknown => return refuse(Code::KeyNotFound, Check::KeyKnown),
        Shown::Known => {}
    }
    if case.secret_ends_at.is_some_and(|end| NOW.0 >= end) {
        return refuse(Code::SecretRetired, Check::SecretLive);
    }
    if case.expires_at.is_some_and(|end| NOW.0 >= end) {
        return refuse(Code::KeyExpired, Check::KeyUnexpired);
    }
    if case.standing != Standing::Enabled {
        return refuse(Code::KeyDisabled, Check::KeyEnabled);
    }
    if case.account_suspended {
        return refuse(Code::AccountSuspended, Check::AccountActive);
    }
    Ok(())
}

/// What is true of the request with this key.
fn of_request(world: &World, case: &Case) -> Result<Answer, Refusal> {
    let place = match place(world, &case.wanted) {
        Ok(place) => place,
        Err(Nowhere::Ambiguous) => return refuse(Code::PathAmbiguous, Check::PathClear),
        Err(Nowhere::Unknown) => return refuse(Code::ProductUnknown, Check::ProductKnown),
    };
    if !case.products.contains(&place.product) {
        return refuse(Code::ProductNotAssigned, Check::ProductAssigned);
    }
    if !place.environments.is_empty() && !place.environments.contains(&case.environment) {
        return refuse(Code::EnvironmentNotAllowed, Check::EnvironmentAllowed);
    }
    let needed = match (place.is_admin, case.method) {
        (Some(true), _) => Access::Admin,
        (_, "GET" | "HEAD" | "OPTIONS") => Access::Read,
        (_, "POST" | "PUT" | "PATCH" | "DELETE") => Access::Write,
        _ => Access::Admin,
    };
    let is_enough = match case.access {
        Access::Admin => true,
        Access::Write => needed != Access::Admin,
        Access::Read => needed == Access::Read,
    };
    if !is_enough {
        return refuse(Code::AccessNotAllowed, Check::AccessAllowed);
    }
    let bound = case
        .scopes
        .iter()
        .find(|(product, _)| *product == place.product);
    if bound.is_some_and(|(_, own)| !own.iter().any(|scope| place.scopes.contains(scope))) {
        return refuse(Code::AccessNotAllowed, Check::ScopeAllowed);
    }
    if let Some(domains) = &case.domains {
        let page = case
            .origin
            .or(case.referer)
            .and_then(|(_, meaning)| meaning);
        if !page.is_some_and(|page| domains.iter().any(|domain| door::covers(domain, page))) {
            return refuse(Code::OriginNotAllowed, Check::OriginAllowed);
        }
    }
    if let Some(ranges) = &case.ranges {
        let is_held = |address: &str| ranges.iter().any(|range| door::holds(range, address));
        if !case.address.is_some_and(is_held) {
            return refuse(Code::IpNotAllowed, Check::IpAllowed);
        }
    }
    Ok(Answer::Allow {
        product: place.product,
        needed,
        by_method_alone: place.is_admin.is_none(),
    })
}

fn place(world: &World, wanted: &Wanted) -> Result<Place, Nowhere> {
    let named = |slug: &str| {
        world
            .products
            .iter()
            .position(|product| product.slug == slug)
            .ok_or(Nowhere::Unknown)
    };
    let only = || {
        if world.products.len() == 1 {
            Ok(0)
        } else {
            Err(Nowhere::Unknown)
        }
    };
    match wanted {
        Wanted::Nothing => Ok(by_name(world, only()?)),
        Wanted::Slug(slug) => Ok(by_name(world, named(slug)?)),
        Wanted::Path(target) => {
            let readings = readings(target)?;
            by_path(world, only()?, &readings)
        }
        Wanted::SlugAndPath(slug, target) => {
            let readings = readings(target)?;
            by_path(world, named(slug)?, &readings)
        }
        Wanted::Route(host, target, slug) => {
            let readings = readings(target)?;
            let host = plain_host(host).ok_or(Nowhere::Unknown)?;
            let place = agreed(readings.iter().map(|path| by_route(world, &host, path)))?;
            match slug {
                Some(slug) if named(slug)? != place.product => Err(Nowhere::Unknown),
                _ => Ok(place),
            }
        }
    }
}

/// All readings have to lead to the same place; if that is none, nobody owns it.
fn agreed(places: impl Iterator<Item = Option<Place>>) -> Result<Place, Nowhere> {
    let places: Vec<Option<Place>> = places.collect();
    match places.split_first() {
        Some((first, rest)) if rest.iter().all(|other| other == first) => {
            first.clone().ok_or(Nowhere::Unknown)
        }
        _ => Err(Nowhere::Ambiguous),
    }
}

fn by_name(world: &World, product: usize) -> Place {
    let routes = &world.products[product].routes;
    // A host that names none takes keys of all environments.
    let takes_all = routes.is_empty() || routes.iter().any(|route| route.environments.is_empty());
    let environments: BTreeSet<Environment> = routes
        .iter()
        .flat_map(|route| route.environments.clone())
        .collect();
    Place {
        product,
        is_admin: None,
        scopes: BTreeSet::new(),
        environments: if takes_all {
            Vec::new()
        } else {
            environments.into_iter().collect()
        },
    }
}

fn by_path(world: &World, product: usize, readings: &[String]) -> Result<Place, Nowhere> {
    agreed(readings.iter().map(|path| {
        belongs(world, product, path).then(|| Place {
            is_admin: Some(is_admin(&world.products[product], path)),
            scopes: scopes(&world.products[product], path),
            ..by_name(world, product)
        })
    }))
}

/// Whether the path leads to the product under one of its hosts. A product without hosts takes any.
fn belongs(world: &World, product: usize, path: &str) -> bool {
    let own = &world.products[product].routes;
    own.is_empty()
        || own.iter().any(|route| {
            let all = world.products.iter().enumerate();
            let same_host = all.flat_map(|(place, product)| {
                let routes = product
                    .routes
                    .iter()
                    .filter(|other| other.host == route.host);
                routes.map(move |other| (place, other.prefix))
            });
            let holding = same_host.filter(|(_, prefix)| lies_below(path, prefix));
            holding
                .max_by_key(|(_, prefix)| prefix.len())
                .is_some_and(|(owner, _)| owner == product)
        })
}

fn by_route(world: &World, host: &str, path: &str) -> Option<Place> {
    // Of those that match on both, the most specific host, then the longest path.
    let all = world.products.iter().enumerate();
    let routes =
        all.flat_map(|(place, product)| product.routes.iter().map(move |route| (place, route)));
    let rank = |pattern: &str| match pattern.strip_prefix('*') {
        None => (host == pattern).then_some((2, 0)),
        Some("") => Some((0, 0)),
        Some(rest) => (host.ends_with(rest) && host.len() > rest.len()).then_some((1, rest.len())),
    };
    let matching = routes.filter_map(|(place, route)| {
        let rank = rank(route.host)?;
        lies_below(path, route.prefix).then_some(((rank, route.prefix.len()), place, route))
    });
    let (_, product, route) = matching.max_by_key(|(rank, ..)| *rank)?;
    let mut environments = route.environments.clone();
    environments.sort();
    Some(Place {
        product,
        is_admin: Some(is_admin(&world.products[product], path)),
        scopes: scopes(&world.products[product], path),
        environments,
    })
}

fn lies_below(path: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path == prefix || path.starts_with(&format!("{prefix}/"))
}

fn is_admin(product: &Product, path: &str) -> bool {
    product.admin.iter().any(|prefix| lies_below(path, prefix))
}

fn scopes(product: &Product, path: &str) -> BTreeSet<&'static str> {
    let of_path = product
        .scopes
        .iter()
        .filter(|(_, prefixes)| prefixes.iter().any(|prefix| lies_below(path, prefix)));
    of_path.map(|(slug, _)| *slug).collect()
}

/// In lower case, without port and the dot at its end.
fn plain_host(host: &str) -> Option<String> {
    let (name, port) = match host.rfind(']') {
        Some(end) => host.split_at(end + 1),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let is_port = port
        .strip_prefix(':')
        .unwrap_or(port)
        .chars()
        .all(|c| c.is_ascii_digit());
    let name = name.trim_end_matches('.').to_lowercase();
    let is_name = name.starts_with('[')
        || (!name.is_empty() && name.split('.').all(|label| !label.is_empty()));
    (is_port && is_name).then_some(name)
}

/// Every reading of a target's path that some server may have, unless there is one that no server should be asked for.
fn readings(target: &str) -> Result<Vec<String>, Nowhere> {
    let path = target.split('?').next().unwrap_or_default();
    let rest = path.strip_prefix('/').ok_or(Nowhere::Ambiguous)?;
    let segments: Vec<&str> = rest.split('/').collect();
    let decoded: Vec<String> = segments
        .iter()
        .map(|segment| decoded(segment).ok_or(Nowhere::Ambiguous))
        .collect::<Result<_, _>>()?;
    refuse_dots(&decoded)?;
    let mut readings = Vec::new();
    for decodes in [false, true] {
        for drops_parameters in [false, true] {
            for dots in 0..3 {
                for merges in [false, true] {
                    let reading =
                        reading(&segments, &decoded, decodes, drops_parameters, dots, merges);
                    readings.push(reading.ok_or(Nowhere::Ambiguous)?);
                }
            }
        }
    }
    Ok(readings)
}

/// One reading: `dots` are left alone, resolved where they are written plainly, or also where they are encoded.
fn reading(
    segments: &[&str],
    decoded: &[String],
    is_decoding: bool,
    drops_parameters: bool,
    dots: u8,
    merges: bool,
) -> Option<String> {
    let mut kept: Vec<String> = Vec::new();
    let mut ends_in_dots = false;
    for (raw, text) in segments.iter().zip(decoded) {
        let seen = match dots {
            0 => "",
            1 => raw,
            _ => text,
        };
        ends_in_dots = seen == "." || seen == "..";
        if seen == ".." {
            kept.pop()?;
        } else if seen != "." {
            let mut part = if is_decoding {
                text.clone()
            } else {
                (*raw).to_owned()
            };
            if drops_parameters && let Some(end) = part.find(';') {
                part.truncate(end);
            }
            kept.push(part);
        }
    }
    if ends_in_dots {
        kept.push(String::new());
    }
    if merges {
        let last = kept.pop();
        kept.retain(|part| !part.is_empty());
        kept.extend(last);
    }
    Some(format!("/{}", kept.join("/")))
}

/// Dots with parameters, more ways up than down, a way up from nothing.
fn refuse_dots(decoded: &[String]) -> Result<(), Nowhere> {
    let mut names: Vec<&str> = Vec::new();
    for text in decoded {
        let name = text.split(';').next().unwrap_or_default();
        let is_dots = name == "." || name == "..";
        if is_dots && name != text {
            return Err(Nowhere::Ambiguous);
        }
        match name {
            "." => {}
            ".." => match names.pop() {
                None | Some("") => return Err(Nowhere::Ambiguous),
                Some(_) => {}
            },
            _ => names.push(name),
        }
    }
    Ok(())
}

/// A segment decoded once; nothing where it holds what may not stand in one.
fn decoded(segment: &str) -> Option<String> {
    if segment
        .chars()
        .any(|c| c.is_control() || "\\#? ".contains(c))
    {
        return None;
    }
    let mut bytes = Vec::new();
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        let digits = std::str::from_utf8(&digits).ok()?.to_owned();
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let byte = u8::from_str_radix(&digits, 16).ok().filter(|_| is_hex)?;
        if [b'/', b'\\', 0].contains(&byte) {
            return None;
        }
        bytes.push(byte);
    }
    let text = String::from_utf8(bytes).ok()?;
    // Decoded again it would be something with a meaning.
    let twice = text.split('%').skip(1).any(|after| {
        let again = after
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        again.is_some_and(|byte| byte.is_ascii_control() || b"./\\;%?#\xc0\xc1".contains(&byte))
    });
    (!twice && !text.chars().any(char::is_control)).then_some(text)
}
