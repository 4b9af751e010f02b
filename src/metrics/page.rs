//! A page in Prometheus's text format, version 0.0.4.

use std::fmt::{self, Display, Write};
use std::time::Duration;

use super::family::Family;
use super::histogram::Histogram;
use super::words::Words;

/// What the page is served as.
pub(super) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A sample's figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Whole.
    Whole(u64),
    /// With a fraction: times in seconds.
    Real(f64),
}

impl From<u64> for Value {
    fn from(whole: u64) -> Self {
        Self::Whole(whole)
    }
}

impl From<usize> for Value {
    fn from(whole: usize) -> Self {
        Self::Whole(u64::try_from(whole).unwrap_or(u64::MAX))
    }
}

impl From<Duration> for Value {
    fn from(time: Duration) -> Self {
        Self::Real(time.as_secs_f64())
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(whole) => whole.fmt(f),
            Self::Real(real) => real.fmt(f),
        }
    }
}

/// The page, as far as it is written.
#[derive(Debug, Default)]
pub struct Page {
    text: String,
}

impl Page {
    /// What the page is served as.
    pub const MEDIA_TYPE: &'static str = MEDIA_TYPE;

    /// Begins a family; its samples follow.
    pub fn family(&mut self, family: &'static Family) -> Samples<'_> {
        let (name, kind) = (family.name, family.kind.word());
        let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Samples { page: self, family }
    }

    /// A family of one sample.
    pub fn one(&mut self, family: &'static Family, value: impl Into<Value>) {
        self.family(family).sample(&[], value);
    }

    /// A family of a word's count each.
    pub fn words(&mut self, family: &'static Family, words: &Words) {
        let mut samples = self.family(family);
        for (word, count) in words.each() {
            samples.sample(&[word], count);
        }
    }

    /// What is written.
    pub fn text(self) -> String {
        self.text
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing into a string does not fail.
        let written = self.text.write_fmt(line);
        debug_assert!(written.is_ok());
    }
}

/// The samples of one family.
pub struct Samples<'p> {
    page: &'p mut Page,
    family: &'static Family,
}

impl Samples<'_> {
    /// One sample, with the values of the family's labels in their order.
    pub fn sample(&mut self, values: &[&str], value: impl Into<Value>) {
        let (name, value) = (self.family.name, value.into());
        let labels = self.labels(values, None);
        self.page.line(format_args!("{name}{labels} {value}\n"));
    }

    /// The samples of one histogram.
    pub fn histogram(&mut self, values: &[&str], histogram: &Histogram) {
        let name = self.family.name;
        let mut all = 0;
        for (bound, count) in histogram.cumulated() {
            let bound = bound.map_or("+Inf".to_owned(), |bound| bound.as_secs_f64().to_string());
            let labels = self.labels(values, Some(&bound));
            self.page
                .line(format_args!("{name}_bucket{labels} {count}\n"));
            all = count;
        }
        let labels = self.labels(values, None);
        let sum = histogram.sum().as_secs_f64();
        self.page.line(format_args!(
            "{name}_sum{labels} {sum}\n{name}_count{labels} {all}\n"
        ));
    }

    fn labels(&self, values: &[&str], bound: Option<&str>) -> String {
        debug_assert_eq!(
            values.len(),
            self.family.labels.len(),
            "{}",
            self.family.name
        );
        let pairs = self
            .family
            .labels
            .iter()
            .copied()
            .zip(values.iter().copied());
        let pairs: Vec<String> = pairs
            .chain(bound.map(|bound| ("le", bound)))
            .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
            .collect();
        if pairs.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", pairs.join(","))
        }
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Family = Family::gauge("a_bytes", &[], "One\nline \\ only.");
    const LABELLED: Family = Family::counter("b_total", &["x", "y"], "Two labels.");
    const BOUNDS: &[Duration] = &[Duration::from_micros(10), Duration::from_secs(1)];
    const TIMES: Family = Family::histogram("c_seconds", &["x"], "Times.");

    #[test]
    fn a_page_has_the_form_that_the_format_asks_for() {
        let mut page = Page::default();
        page.one(&PLAIN, 7_u64);
        page.family(&LABELLED).sample(&["a\"b\\c\nd", "e"], 1_u64);
        let times = Histogram::new(BOUNDS);
        times.observe(Duration::from_millis(250));
        page.family(&TIMES).histogram(&["v"], &times);
        let lines = [
            "# HELP a_bytes One\\nline \\\\ only.",
            "# TYPE a_bytes gauge",
            "a_bytes 7",
            "# HELP b_total Two labels.",
            "# TYPE b_total counter",
            "b_total{x=\"a\\\"b\\\\c\\nd\",y=\"e\"} 1",
            "# HELP c_seconds Times.",
            "# TYPE c_seconds histogram",
            "c_seconds_bucket{x=\"v\",le=\"0.00001\"} 0",
            "c_seconds_bucket{x=\"v\",le=\"1\"} 1",
            "c_seconds_bucket{x=\"v\",le=\"+Inf\"} 1",
            "c_seconds_sum{x=\"v\"} 0.25",
            "c_seconds_count{x=\"v\"} 1",
            "",
        ];
        assert_eq!(page.text(), lines.join("\n"));
    }
}
