//! What the portal counts of itself: requests by route, signing in and up. Labels are routes' patterns and words of ours,
//! never what somebody sent.
//!
//! It must not know who signed in, nor what a page shows.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::http::StatusCode;

use crate::metrics::{Family, Histogram, Measured, Page, Words};
use crate::web::assets;
use crate::web::route::Route;

const REQUESTS: Family = Family::counter(
    "latchkey_portal_requests_total",
    &["method", "route", "status"],
    "Requests to the portal by route and class of status.",
);
const SECONDS: Family = Family::histogram(
    "latchkey_portal_seconds",
    &[],
    "How long the portal took to answer.",
);
const SIGN_INS: Family = Family::counter(
    "latchkey_sign_ins_total",
    &["outcome"],
    "Attempts to sign in with a well-formed address; slowed ones came too soon after failures.",
);
const SIGN_UPS: Family = Family::counter(
    "latchkey_sign_ups_total",
    &["outcome"],
    "Complete sign-ups: a new account (created), or an address that had one (taken).",
);
const LINKS: Family = Family::counter(
    "latchkey_one_time_links_total",
    &["outcome"],
    "Passwords set by a one-time link (used), and links that were used or old already (over).",
);
const SESSIONS: Family = Family::counter(
    "latchkey_sessions_total",
    &["event"],
    "Sessions that began, and that people or the portal ended. Those that run out are not in it.",
);

const BOUNDS: &[Duration] = &[
    Duration::from_millis(1),
    Duration::from_millis(5),
    Duration::from_millis(25),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// The classes of status, by their first digit less two.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// What is neither a page nor an asset, or asked for with a method that it does not take.
const OTHER: &str = "other";

/// The portal's counters.
#[derive(Debug)]
pub struct Counts {
    places: HashMap<(&'static str, &'static str), usize>,
    /// A method, a pattern, and how often it was answered with each class.
    routes: Vec<(&'static str, &'static str, [AtomicU64; 4])>,
    seconds: Histogram,
    /// Attempts to sign in.
    pub sign_ins: Words,
    /// Complete sign-ups.
    pub sign_ups: Words,
    /// Opened one-time links.
    pub links: Words,
    /// Sessions.
    pub sessions: Words,
}

impl Counts {
    /// Counters for these routes and no others.
    pub fn new(routes: &[Route]) -> Self {
        let routes = routes.iter().map(|route| (route.method, route.path));
        let routes = routes.chain([("GET", assets::ROUTE), (OTHER, OTHER)]);
        let routes: Vec<_> = routes
            .map(|(method, path)| (method, path, Default::default()))
            .collect();
        let places = routes.iter().zip(0..);
        Self {
            places: places
                .map(|((method, path, _), place)| ((*method, *path), place))
                .collect(),
            routes,
            seconds: Histogram::new(BOUNDS),
            sign_ins: Words::new(&["admitted", "refused", "slowed"]),
            sign_ups: Words::new(&["created", "taken"]),
            links: Words::new(&["used", "over"]),
            sessions: Words::new(&["begun", "ended"]),
        }
    }

    /// Counts an answer.
    pub fn answered(&self, method: &'static str, route: &str, status: StatusCode, took: Duration) {
        self.seconds.observe(took);
        let method = if method == "HEAD" { "GET" } else { method };
        let known = self.places.get(&(method, route));
        let place = known.copied().unwrap_or(self.routes.len() - 1);
        let class = usize::from(status.as_u16() / 100).checked_sub(2);
        if let Some((_, _, classes)) = self.routes.get(place)
            && let Some(count) = class.and_then(|class| classes.get(class))
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Measured for Counts {
    fn write(&self, page: &mut Page) {
        let mut requests = page.family(&REQUESTS);
        for (method, path, classes) in &self.routes {
            for (class, count) in CLASSES.iter().zip(classes) {
                requests.sample(&[method, path, class], count.load(Ordering::Relaxed));
            }
        }
        page.family(&SECONDS).histogram(&[], &self.seconds);
        page.words(&SIGN_INS, &self.sign_ins);
        page.words(&SIGN_UPS, &self.sign_ups);
        page.words(&LINKS, &self.links);
        page.words(&SESSIONS, &self.sessions);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::route::Who;

    #[test]
    fn t_54_what_is_no_route_of_ours_is_counted_as_other() {
        let route = Route {
            method: "GET",
            path: "/accounts/{account}",
            who: Who::Viewer,
        };
        let counts = Counts::new(&[route]);
        for (method, route, status) in [
            ("HEAD", "/accounts/{account}", StatusCode::OK),
            ("GET", "/accounts/{account}", StatusCode::NOT_FOUND),
            (
                "POST",
                "/accounts/{account}",
                StatusCode::METHOD_NOT_ALLOWED,
            ),
            ("GET", "/wp-login.php", StatusCode::NOT_FOUND),
        ] {
            counts.answered(method, route, status, Duration::ZERO);
        }
        let mut page = Page::default();
        counts.write(&mut page);
        let text = page.text();
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("latchkey_portal_requests_total{"))
            .filter(|line| !line.ends_with(" 0"))
            .collect();
        let of = |method: &str, route: &str, status: &str, count: u64| {
            format!(
                "latchkey_portal_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}"
            )
        };
        assert_eq!(
            lines,
            [
                of("GET", "/accounts/{account}", "2xx", 1),
                of("GET", "/accounts/{account}", "4xx", 1),
                of("other", "other", "4xx", 2),
            ]
        );
    }
}
