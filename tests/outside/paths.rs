//! Paths that a proxy, the gate and the API might each read their own way.

use crate::facts::{Facts, Key, Product, Route};
use crate::http::Ask;
use crate::process::Latchkey;
use crate::proxy::Proxied;

/// A product that some plain key has, and one on the same host that the key lacks.
fn neighbours(facts: &Facts) -> (&Key, &Route, &Route) {
    for key in facts.keys.iter().filter(|key| key.is_plain()) {
        for own in key
            .products
            .iter()
            .flat_map(|slug| &facts.product(slug).routes)
        {
            for other in facts
                .products
                .iter()
                .filter(|p| !key.products.contains(&p.slug))
            {
                let beside = other.routes.iter().find(|r| r.host == own.host);
                if let Some(beside) = beside.filter(|_| !own.host.contains('*')) {
                    return (key, own, beside);
                }
            }
        }
    }
    panic!("the demo has two products on one host of which a key has one");
}

/// How a backend that decodes, drops `;parameters`, merges slashes and resolves dots would read it; as many times as it changes.
fn read_boldly(target: &str) -> String {
    let mut path = target.split(['?', '#']).next().unwrap().to_owned();
    loop {
        let decoded = percent_encoding::percent_decode_str(&path)
            .decode_utf8_lossy()
            .replace('\\', "/");
        let mut parts = Vec::new();
        for part in decoded
            .split('/')
            .map(|part| part.split(';').next().unwrap())
        {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                _ => parts.push(part),
            }
        }
        let read = format!("/{}", parts.join("/"));
        if read == path {
            return read;
        }
        path = read;
    }
}

fn is_below(path: &str, route: &Route) -> bool {
    let prefix = route.path.trim_end_matches('/');
    path == prefix || path.starts_with(&format!("{prefix}/"))
}

/// Ways to write a step up, for one reader or another.
const CLIMBS: &[&str] = &[
    "/..",
    "/%2e%2e",
    "/.%2e",
    "/%2E%2E",
    "/..;",
    "/..;x=1",
    "/%2e%2e;a",
    "/..%2f",
    "/..%5c",
    "/..\\",
    "/%252e%252e",
    "/..%252f",
    "/..%c0%af",
    "/.;/..",
    "/../.",
    "//..",
    "/..//",
    "/%2e%2e%2f",
];

/// Addresses that lead from a route to the one beside it, if somebody reads them so.
fn spellings(own: &Route, beside: &Route) -> Vec<String> {
    let (own, beside) = (
        own.path.trim_end_matches('/'),
        beside.path.trim_end_matches('/'),
    );
    let mut found = vec![
        format!("{beside}/x"),
        format!("/{beside}/x"),
        format!("{beside};a=b/x"),
        format!("{}/x", beside.replace('/', "//")),
        format!("{}/x", beside.replacen('/', "/./", 1)),
        format!("{beside}%2fx"),
        format!("{own}%00{beside}"),
        format!("{own}?/..{beside}"),
    ];
    for climb in CLIMBS {
        let up = climb.repeat(own.matches('/').count());
        found.push(format!("{own}{up}{beside}/x"));
        found.push(format!("{own}/x{climb}{up}{beside}/x"));
        found.push(format!("{beside}/x{climb}"));
        found.push(format!("{own}{climb}{climb}{climb}{climb}{climb}/x"));
    }
    found
}

/// The product that owns a path on a host.
fn owner<'a>(facts: &'a Facts, host: &str, path: &str) -> Option<&'a Product> {
    let routes = facts
        .products
        .iter()
        .flat_map(|product| product.routes.iter().map(move |route| (product, route)));
    routes
        .filter(|(_, route)| route.host == host && is_below(path, route))
        .max_by_key(|(_, route)| route.path.len())
        .map(|(product, _)| product)
}

#[test]
fn t_44_no_spelling_of_a_path_leads_to_a_product_that_the_key_lacks() {
    let (latchkey, facts) = Latchkey::demo();
    for proxy in Proxied::all(&latchkey.gate) {
        tried(&proxy, &facts);
    }
}

fn tried(proxy: &Proxied, facts: &Facts) {
    let (key, own, beside) = neighbours(facts);
    for target in spellings(own, beside) {
        let answer = Ask::get(&target)
            .header("Host", &own.some_host())
            .header("X-API-Key", &key.secret)
            .send(&proxy.address);
        assert!(
            matches!(answer.status, 200 | 400 | 403),
            "{target} by {:?}: {}",
            proxy.kind,
            answer.status
        );
        let seen = proxy.take_seen();
        assert_eq!(seen.len(), usize::from(answer.status == 200), "{target}");
        for request in seen {
            let reached = &request.target;
            let product = owner(facts, &own.host, &read_boldly(reached)).unwrap_or_else(|| {
                panic!("{target} reached the API as {reached}, which is no product's")
            });
            let has = key.products.contains(&product.slug);
            assert!(
                has,
                "{target} reached {} as {reached}, which the key lacks",
                product.slug
            );
        }
    }
}
