//! What the gate counts of itself, and how Prometheus reads it. Labels come from closed lists only.
//!
//! It must not know accounts, keys or addresses: a metric names none of them.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use latchkey_rules::code::Code;

use super::read_key::Source;

/// Copies of the counters, so that threads do not wait for each other's cache lines.
const STRIPES: usize = 8;

static NEXT_STRIPE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static STRIPE: usize = NEXT_STRIPE.fetch_add(1, Ordering::Relaxed) % STRIPES;
}

#[derive(Default)]
#[repr(align(64))]
struct Stripe {
    verdicts: [AtomicU64; 32],
    sources: [AtomicU64; 3],
}

/// The gate's counters.
pub(crate) struct Metrics {
    stripes: Vec<Stripe>,
    /// Requests that ended in a panic of ours.
    pub(crate) panics: AtomicU64,
    /// Requests without the gate's token.
    pub(crate) strangers: AtomicU64,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            stripes: (0..STRIPES).map(|_| Stripe::default()).collect(),
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

    fn add<'a>(&'a self, counter: impl FnOnce(&'a Stripe) -> Option<&'a AtomicU64>) {
        let stripe = STRIPE.with(|stripe| *stripe);
        if let Some(counter) = self.stripes.get(stripe).and_then(counter) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn sum(&self, counter: impl Fn(&Stripe) -> Option<&AtomicU64>) -> u64 {
        let counters = self.stripes.iter().filter_map(counter);
        counters
            .map(|counter| counter.load(Ordering::Relaxed))
            .sum()
    }

    /// The counters of this module, as text.
    pub(crate) fn write(&self, page: &mut Page) {
        page.family("latchkey_verdicts_total", "counter", "Verdicts by code.");
        for code in Code::ALL {
            let place = usize::try_from(code.number()).unwrap_or(0);
            let count = self.sum(|stripe| stripe.verdicts.get(place));
            page.sample(
                "latchkey_verdicts_total",
                Some(("code", code.as_str())),
                count,
            );
        }
        page.family(
            "latchkey_key_source_total",
            "counter",
            "Keys by where they were read.",
        );
        for (source, word) in [
            (Source::Header, "header"),
            (Source::Authorization, "authorization"),
            (Source::Query, "query"),
        ] {
            let count = self.sum(|stripe| stripe.sources.get(place_of(source)));
            page.sample("latchkey_key_source_total", Some(("source", word)), count);
        }
        page.one(
            "latchkey_panics_total",
            "counter",
            "Requests that failed in Latchkey itself.",
            self.panics.load(Ordering::Relaxed),
        );
        page.one(
            "latchkey_gate_strangers_total",
            "counter",
            "Requests without the gate's token.",
            self.strangers.load(Ordering::Relaxed),
        );
    }
}

const fn place_of(source: Source) -> usize {
    match source {
        Source::Header => 0,
        Source::Authorization => 1,
        Source::Query => 2,
    }
}

/// A page in Prometheus's text format.
#[derive(Default)]
pub(crate) struct Page {
    text: String,
}

impl Page {
    /// A family of samples.
    pub(crate) fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    /// A sample of the family.
    pub(crate) fn sample(&mut self, name: &str, label: Option<(&str, &str)>, value: u64) {
        match label {
            Some((label, word)) => {
                self.line(format_args!("{name}{{{label}=\"{word}\"}} {value}\n"));
            }
            None => self.line(format_args!("{name} {value}\n")),
        }
    }

    /// A family of one sample.
    pub(crate) fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.family(name, kind, help);
        self.sample(name, None, value);
    }

    /// The same in seconds with their fraction.
    pub(crate) fn seconds(&mut self, name: &str, help: &str, value: f64) {
        self.family(name, "gauge", help);
        self.line(format_args!("{name} {value}\n"));
    }

    pub(crate) fn text(self) -> String {
        self.text
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing into a string does not fail.
        let written = self.text.write_fmt(line);
        debug_assert!(written.is_ok());
    }
}
