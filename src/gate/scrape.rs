//! The page of metrics, put together from those who count.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Gate;
use super::metrics::Page;

impl Gate {
    /// Everything that is counted, as Prometheus reads it.
    pub(super) fn metrics_page(&self) -> String {
        let mut page = Page::default();
        self.metrics().write(&mut page);
        self.write_replica(&mut page);
        self.write_meter(&mut page);
        page.text()
    }

    fn write_replica(&self, page: &mut Page) {
        let (judge, counts) = (&self.inner.judge, &self.inner.log_counts);
        let keys = judge.replica.keys();
        page.one(
            "latchkey_replica_keys",
            "gauge",
            "Keys held in memory.",
            keys,
        );
        let secrets = u64::try_from(self.secrets()).unwrap_or(u64::MAX);
        page.one(
            "latchkey_replica_secrets",
            "gauge",
            "Secrets held in memory.",
            secrets,
        );
        let age = judge.contact.age().as_secs_f64();
        page.seconds(
            "latchkey_log_age_seconds",
            "Since the change log was last read.",
            age,
        );
        for (name, help, count) in [
            (
                "latchkey_log_looks_total",
                "Looks at the change log.",
                &counts.looks,
            ),
            (
                "latchkey_log_failures_total",
                "Looks at the change log that failed.",
                &counts.failures,
            ),
            (
                "latchkey_replica_reloads_total",
                "Full loads of the replica.",
                &counts.reloads,
            ),
            (
                "latchkey_replica_drifts_total",
                "Differences from the database.",
                &counts.drifts,
            ),
        ] {
            page.one(name, "counter", help, count.load(Ordering::Relaxed));
        }
        let asked = judge.contact.asked();
        page.one(
            "latchkey_early_looks_total",
            "counter",
            "Looks that unknown secrets asked for.",
            asked,
        );
    }

    fn write_meter(&self, page: &mut Page) {
        let meter = &self.inner.judge.meter;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (written, rejected) = (read(&meter.counts.written), read(&meter.counts.rejected));
        page.one(
            "latchkey_meter_batches_total",
            "counter",
            "Batches of counts written.",
            written,
        );
        page.one(
            "latchkey_meter_rejected_total",
            "counter",
            "Batches of counts that were refused.",
            rejected,
        );
        page.one(
            "latchkey_meter_dropped_total",
            "counter",
            "Verdicts that could not be counted.",
            meter.dropped(),
        );
        let queued = read(&meter.counts.queued);
        page.one(
            "latchkey_meter_queued_bytes",
            "gauge",
            "Counts that wait for the database.",
            queued,
        );
    }
}
