//! The address of a product's sample request, for a key of some environment: a sandbox often has a host of its own.

use super::{HostPattern, RouteFacts, normal_host};
use crate::environment::Environment;

/// The sample's address as a key of that environment can use it. Where the product's host takes no such keys and another of
/// its hosts does, that host takes its place, with what stands below the route's path; else the address is as it was.
#[must_use]
pub fn sample_url_for(url: &str, routes: &[RouteFacts], environment: Environment) -> String {
    moved(url, routes, environment).unwrap_or_else(|| url.to_owned())
}

fn moved(url: &str, routes: &[RouteFacts], environment: Environment) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, target) = match rest.find(['/', '?', '#']) {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    };
    let host = normal_host(authority)?;
    let (path, tail) = match target.find(['?', '#']) {
        Some(end) => target.split_at(end),
        None => (target, ""),
    };
    let path = if path.is_empty() { "/" } else { path };
    let own = routes
        .iter()
        .filter(|route| route.host.matches(&host) && route.prefix.holds(path))
        .max_by_key(|route| (route.host.suffix_len(), route.prefix.as_str().len()))?;
    if own.environments.takes(environment) {
        return None;
    }
    let below = path.strip_prefix(own.prefix.as_str()).unwrap_or_default();
    let (host, prefix) = routes.iter().find_map(|route| match &route.host {
        HostPattern::Exact(host) if route.environments.takes(environment) => {
            Some((host, route.prefix.as_str()))
        }
        _ => None,
    })?;
    let joint = if prefix.ends_with('/') || below.is_empty() || below.starts_with('/') {
        ""
    } else {
        "/"
    };
    let below = if prefix.ends_with('/') {
        below.trim_start_matches('/')
    } else {
        below
    };
    Some(format!("{scheme}://{host}{prefix}{joint}{below}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::EnvironmentSet;
    use crate::product::PathPrefix;

    fn route(host: &str, prefix: &str, environments: &[Environment]) -> RouteFacts {
        RouteFacts {
            host: HostPattern::parse(host).unwrap(),
            prefix: PathPrefix::parse(prefix).unwrap(),
            environments: environments
                .iter()
                .fold(EnvironmentSet::default(), |set, one| set.with(*one)),
        }
    }

    #[test]
    fn a_sandboxs_keys_are_led_to_its_host() {
        use Environment::{Live, Staging, Test};
        let routes = [
            route("api.example.com", "/maps", &[Live]),
            route("*.dev.example.com", "/maps", &[Test]),
            route("sandbox.example.com", "/v2/maps", &[Test]),
        ];
        let url = "https://api.example.com/maps/tile?z=1#x";
        for (environment, wanted) in [
            (Live, url),
            (Test, "https://sandbox.example.com/v2/maps/tile?z=1#x"),
            // No host takes it: the address stays, and the answer says why it is refused.
            (Staging, url),
        ] {
            assert_eq!(
                sample_url_for(url, &routes, environment),
                wanted,
                "{environment:?}"
            );
        }
        for (url, wanted) in [
            (
                "https://api.example.com/maps",
                "https://sandbox.example.com/v2/maps",
            ),
            (
                "http://API.example.com:8443/maps/",
                "http://sandbox.example.com/v2/maps/",
            ),
            (
                "https://other.example.com/maps",
                "https://other.example.com/maps",
            ),
            ("no address", "no address"),
            ("", ""),
        ] {
            assert_eq!(sample_url_for(url, &routes, Test), wanted, "{url}");
        }
    }

    #[test]
    fn paths_are_joined_by_one_slash() {
        use Environment::{Live, Test};
        for (own, other, url, wanted) in [
            ("/", "/v2", "https://a.example/x", "https://b.example/v2/x"),
            ("/v1", "/", "https://a.example/v1/x", "https://b.example/x"),
            ("/", "/", "https://a.example", "https://b.example/"),
            (
                "/v1",
                "/",
                "https://a.example/v1?q=1",
                "https://b.example/?q=1",
            ),
        ] {
            let routes = [
                route("a.example", own, &[Live]),
                route("b.example", other, &[Test]),
            ];
            assert_eq!(sample_url_for(url, &routes, Test), wanted, "{own} {other}");
        }
    }

    #[test]
    fn a_host_for_all_environments_is_kept() {
        let routes = [
            route("a.example", "/", &[]),
            route("b.example", "/", &[Environment::Test]),
        ];
        let url = "https://a.example/x";
        assert_eq!(sample_url_for(url, &routes, Environment::Test), url);
    }
}
