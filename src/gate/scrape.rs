//! The page of metrics, put together from those who count: the gate's parts, and whoever else the application named.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Gate;
use super::limiter::addresses::Addresses;
use crate::metrics::{Family, Page};

const NODE: Family = Family::gauge(
    "latchkey_node_info",
    &["node", "epoch"],
    "Always 1: this node's name in its batches of counts, and the epoch that it drew when it started.",
);
const READY: Family = Family::gauge(
    "latchkey_ready",
    &[],
    "1 while requests can be judged, as /readyz says.",
);
const KEYS: Family = Family::gauge("latchkey_replica_keys", &[], "Keys held in memory.");
const SECRETS: Family = Family::gauge("latchkey_replica_secrets", &[], "Secrets held in memory.");
const BYTES: Family = Family::gauge(
    "latchkey_replica_bytes",
    &[],
    "Memory of the secrets' records and of the index over them.",
);
const AGE: Family = Family::gauge(
    "latchkey_log_age_seconds",
    &[],
    "Since the change log was last read.",
);
const SKEW: Family = Family::gauge(
    "latchkey_clock_skew_seconds",
    &[],
    "Between this node's clock and the database's, whichever is ahead.",
);
const LOOKS: Family = Family::counter("latchkey_log_looks_total", &[], "Looks at the change log.");
const FAILURES: Family = Family::counter(
    "latchkey_log_failures_total",
    &[],
    "Looks at the change log that failed.",
);
const RELOADS: Family = Family::counter(
    "latchkey_replica_reloads_total",
    &[],
    "Full loads of the replica.",
);
const DRIFTS: Family = Family::counter(
    "latchkey_replica_drifts_total",
    &[],
    "Differences from the database.",
);
const EARLY: Family = Family::counter(
    "latchkey_early_looks_total",
    &[],
    "Looks that unknown secrets asked for.",
);
const BATCHES: Family = Family::counter(
    "latchkey_meter_batches_total",
    &[],
    "Batches of counts written.",
);
const REJECTED: Family = Family::counter(
    "latchkey_meter_rejected_total",
    &[],
    "Batches of counts that were refused.",
);
const DROPPED: Family = Family::counter(
    "latchkey_meter_dropped_total",
    &[],
    "Verdicts that could not be counted.",
);
const CALLERS_MISSED: Family = Family::counter(
    "latchkey_meter_callers_missed_total",
    &[],
    "Requests that were counted, but not who sent them.",
);
const QUEUED: Family = Family::gauge(
    "latchkey_meter_queued_bytes",
    &[],
    "Counts that wait for the database.",
);
const BUCKETS: Family = Family::gauge(
    "latchkey_limit_buckets",
    &[],
    "Limits of keys that are not full at the moment.",
);
const SPILL: Family = Family::gauge(
    "latchkey_spill_bytes",
    &["kind"],
    "Counts on disk: those that wait (journal), and those that the database refused (rejected).",
);

impl Gate {
    /// Everything that is counted, as Prometheus reads it.
    pub(super) fn metrics_page(&self) -> String {
        let mut page = Page::default();
        self.metrics().write(&mut page);
        self.refusals().write(&mut page);
        self.write_replica(&mut page);
        self.write_meter(&mut page);
        self.settings().measured.write(&mut page);
        page.text()
    }

    fn write_replica(&self, page: &mut Page) {
        let (judge, counts) = (&self.inner.judge, &self.inner.log_counts);
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        page.one(&READY, u64::from(self.is_ready()));
        page.one(&KEYS, judge.replica.keys());
        page.one(&SECRETS, self.secrets());
        page.one(&BYTES, judge.replica.bytes());
        page.one(&AGE, judge.contact.age());
        let skew = self.inner.progress.skew_ms().unsigned_abs();
        page.one(&SKEW, Duration::from_millis(skew));
        page.one(&LOOKS, read(&counts.looks));
        page.one(&FAILURES, read(&counts.failures));
        page.one(&RELOADS, read(&counts.reloads));
        page.one(&DRIFTS, read(&counts.drifts));
        page.one(&EARLY, judge.contact.asked());
        let addresses = judge.addresses.as_ref().map_or(0, Addresses::len);
        page.one(&BUCKETS, judge.limiter.len() + addresses);
    }

    fn write_meter(&self, page: &mut Page) {
        let meter = &self.inner.judge.meter;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let epoch = read(&meter.counts.epoch).to_string();
        page.family(&NODE)
            .sample(&[&self.settings().node, &epoch], 1_u64);
        page.one(&BATCHES, read(&meter.counts.written));
        page.one(&REJECTED, read(&meter.counts.rejected));
        page.one(&DROPPED, meter.dropped());
        page.one(&CALLERS_MISSED, meter.callers_missed());
        page.one(&QUEUED, read(&meter.counts.queued));
        let folder = self.settings().data_dir.join("spill");
        let mut spill = page.family(&SPILL);
        spill.sample(&["journal"], bytes_in(&folder));
        spill.sample(&["rejected"], bytes_in(&folder.join("rejected")));
    }
}

/// What the files of a folder take; nothing where there is none.
fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| entry.metadata().ok());
    files
        .filter(fs::Metadata::is_file)
        .map(|file| file.len())
        .sum()
}
