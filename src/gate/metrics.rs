//! What the gate counts of itself. Labels come from closed lists only.
//!
//! It must not know accounts, keys or addresses: a metric names none of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use latchkey_rules::code::Code;

use super::read_key::Source;
use super::stripe;
use crate::metrics::{Family, Histogram, Page};

const VERDICTS: Family = Family::counter("latchkey_verdicts_total", &["code"], "Verdicts by code.");
const SOURCES: Family = Family::counter(
    "latchkey_key_source_total",
    &["source"],
    "Keys by where they were read.",
);
const REQUESTS: Family = Family::counter(
    "latchkey_gate_requests_total",
    &["endpoint"],
    "Requests to the gate by endpoint.",
);
const SECONDS: Family = Family::histogram(
    "latchkey_gate_seconds",
    &["endpoint"],
    "How long the gate took from a request's head to its answer, network apart. One request in 16 of each endpoint is timed.",
);
const PANICS: Family = Family::counter(
    "latchkey_panics_total",
    &[],
    "Requests to the gate that failed in Latchkey itself.",
);
const STRANGERS: Family = Family::counter(
    "latchkey_gate_strangers_total",
    &[],
    "Requests without the gate's token.",
);

/// Of how many requests one is timed: two looks at the clock cost more than everything else that is counted.
const TIMED: u64 = 16;

const BOUNDS: &[Duration] = &[
    Duration::from_micros(5),
    Duration::from_micros(10),
    Duration::from_micros(25),
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_millis(1),
    Duration::from_millis(5),
    Duration::from_millis(50),
    Duration::from_millis(300),
];

/// What is asked of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Authorize,
    Nginx,
    Verify,
    Batch,
    Denied,
    Preflight,
    Metrics,
    /// No path of ours.
    Nowhere,
}

impl Endpoint {
    const ALL: [Self; 8] = [
        Self::Authorize,
        Self::Nginx,
        Self::Verify,
        Self::Batch,
        Self::Denied,
        Self::Preflight,
        Self::Metrics,
        Self::Nowhere,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Nginx => "nginx",
            Self::Verify => "verify",
            Self::Batch => "batch",
            Self::Denied => "denied",
            Self::Preflight => "preflight",
            Self::Metrics => "metrics",
            Self::Nowhere => "nowhere",
        }
    }

    const fn place(self) -> usize {
        match self {
            Self::Authorize => 0,
            Self::Nginx => 1,
            Self::Verify => 2,
            Self::Batch => 3,
            Self::Denied => 4,
            Self::Preflight => 5,
            Self::Metrics => 6,
            Self::Nowhere => 7,
        }
    }
}

#[derive(Default)]
#[repr(align(64))]
struct Stripe {
    verdicts: [AtomicU64; 32],
    sources: [AtomicU64; 3],
    requests: [AtomicU64; 8],
}

/// The gate's counters.
pub(crate) struct Metrics {
    stripes: Vec<Stripe>,
    /// An endpoint each. So few requests are timed that threads may share them.
    seconds: Vec<Histogram>,
    /// Requests that ended in a panic of ours.
    pub(crate) panics: AtomicU64,
    /// Requests without the gate's token.
    pub(crate) strangers: AtomicU64,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            stripes: (0..stripe::STRIPES).map(|_| Stripe::default()).collect(),
            seconds: Endpoint::ALL
                .iter()
                .map(|_| Histogram::new(BOUNDS))
                .collect(),
            panics: AtomicU64::new(0),
            strangers: AtomicU64::new(0),
        }
    }

    /// Counts a verdict.
    pub(crate) fn verdict(&self, code: Code) {
        let place = usize::try_from(code.number()).unwrap_or(0);
        self.add(|stripe| stripe.verdicts.get(place));
    }

    /// Counts where a key was read.
    pub(crate) fn source(&self, source: Source) {
        self.add(|stripe| stripe.sources.get(place_of(source)));
    }

    /// Counts a request, and says whether it is one to be timed.
    pub(super) fn request(&self, endpoint: Endpoint) -> bool {
        let before = self.add(|stripe| stripe.requests.get(endpoint.place()));
        before.is_multiple_of(TIMED)
    }

    /// Counts how long a request took that is timed.
    pub(super) fn took(&self, endpoint: Endpoint, took: Duration) {
        if let Some(histogram) = self.seconds.get(endpoint.place()) {
            histogram.observe(took);
        }
    }

    /// Adds one, and gives what this thread's stripe had before.
    fn add<'a>(&'a self, counter: impl FnOnce(&'a Stripe) -> Option<&'a AtomicU64>) -> u64 {
        let counter = self.stripes.get(stripe::own()).and_then(counter);
        counter.map_or(1, |counter| counter.fetch_add(1, Ordering::Relaxed))
    }

    fn sum(&self, counter: impl Fn(&Stripe) -> Option<&AtomicU64>) -> u64 {
        let counters = self.stripes.iter().filter_map(counter);
        counters
            .map(|counter| counter.load(Ordering::Relaxed))
            .sum()
    }

    /// The counters of this module, as text.
    pub(crate) fn write(&self, page: &mut Page) {
        let mut verdicts = page.family(&VERDICTS);
        for code in Code::ALL {
            let place = usize::try_from(code.number()).unwrap_or(0);
            let count = self.sum(|stripe| stripe.verdicts.get(place));
            verdicts.sample(&[code.as_str()], count);
        }
        let mut sources = page.family(&SOURCES);
        for (source, word) in [
            (Source::Header, "header"),
            (Source::Authorization, "authorization"),
            (Source::Query, "query"),
        ] {
            let count = self.sum(|stripe| stripe.sources.get(place_of(source)));
            sources.sample(&[word], count);
        }
        let mut requests = page.family(&REQUESTS);
        for endpoint in Endpoint::ALL {
            let count = self.sum(|stripe| stripe.requests.get(endpoint.place()));
            requests.sample(&[endpoint.word()], count);
        }
        let mut seconds = page.family(&SECONDS);
        for (endpoint, histogram) in Endpoint::ALL.iter().zip(&self.seconds) {
            seconds.histogram(&[endpoint.word()], histogram);
        }
        page.one(&PANICS, self.panics.load(Ordering::Relaxed));
        page.one(&STRANGERS, self.strangers.load(Ordering::Relaxed));
    }
}

const fn place_of(source: Source) -> usize {
    match source {
        Source::Header => 0,
        Source::Authorization => 1,
        Source::Query => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_has_a_place_and_a_word_of_its_own() {
        for (place, endpoint) in Endpoint::ALL.iter().enumerate() {
            assert_eq!(endpoint.place(), place);
            let same = Endpoint::ALL.iter().filter(|e| e.word() == endpoint.word());
            assert_eq!(same.count(), 1);
        }
    }

    #[test]
    fn the_first_request_of_sixteen_is_timed() {
        let metrics = Metrics::new();
        let timed = (0..160).filter(|_| metrics.request(Endpoint::Verify));
        assert_eq!(timed.count(), 10);
        assert!(metrics.request(Endpoint::Batch), "each endpoint by itself");
    }
}
