//! What the system says of this process, under the names that Prometheus's own clients use. Read from `/proc`; where
//! there is none, nothing is said.

use std::fs;
use std::time::Duration;

use super::{Family, Measured, Page, Value};

const RESIDENT: Family =
    Family::gauge("process_resident_memory_bytes", &[], "Memory that is held.");
const OPEN_FDS: Family = Family::gauge("process_open_fds", &[], "Open file descriptors.");
const MAX_FDS: Family = Family::gauge("process_max_fds", &[], "File descriptors that may be open.");
const THREADS: Family = Family::gauge("process_threads", &[], "Threads.");
const CPU: Family = Family::counter(
    "process_cpu_seconds_total",
    &[],
    "Processor time, in user and in system.",
);
const START: Family = Family::gauge(
    "process_start_time_seconds",
    &[],
    "When the process started, since 1970.",
);
const BUILD: Family = Family::gauge(
    "latchkey_build_info",
    &["version", "database"],
    "Always 1: which version runs, on which database.",
);

/// What Linux calls a tick here, whatever the kernel's own is.
const TICKS_A_SECOND: u64 = 100;

/// This process.
#[derive(Debug)]
pub struct Process {
    /// The database's name for people.
    pub database: &'static str,
}

impl Measured for Process {
    fn write(&self, page: &mut Page) {
        page.family(&BUILD)
            .sample(&[env!("CARGO_PKG_VERSION"), self.database], 1_u64);
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        if let Some(kilobytes) = number_after(&status, "VmRSS:") {
            page.one(&RESIDENT, kilobytes * 1_024);
        }
        if let Some(threads) = number_after(&status, "Threads:") {
            page.one(&THREADS, threads);
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            // The folder itself is open while it is read.
            page.one(&OPEN_FDS, open.count().saturating_sub(1));
        }
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        if let Some(most) = number_after(&limits, "Max open files") {
            page.one(&MAX_FDS, most);
        }
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        if let Some(used) = cpu(&stat) {
            page.one(&CPU, used);
        }
        let boot = fs::read_to_string("/proc/stat").unwrap_or_default();
        if let Some(started) = started(&stat, &boot) {
            page.one(&START, started);
        }
    }
}

/// The first number behind a name at the start of a line.
fn number_after(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// A field of `/proc/self/stat`, counted from 1 as in its manual. The second, the program's name, may hold anything.
fn field(stat: &str, number: usize) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace()
        .nth(number.checked_sub(3)?)?
        .parse()
        .ok()
}

fn ticks(count: u64) -> Duration {
    Duration::from_millis(count * (1_000 / TICKS_A_SECOND))
}

fn cpu(stat: &str) -> Option<Value> {
    Some(ticks(field(stat, 14)? + field(stat, 15)?).into())
}

fn started(stat: &str, boot: &str) -> Option<Value> {
    let boot = Duration::from_secs(number_after(boot, "btime")?);
    Some((boot + ticks(field(stat, 22)?)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programs_name_does_not_shift_the_fields() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 0 0 0 0 0 250 50 0 0 20 0 9 0 12345 0";
        assert_eq!(cpu(stat), Some(Value::Real(3.0)));
        assert_eq!(
            started(stat, "cpu 1 2\nbtime 1000\n"),
            Some(Value::Real(1_123.45))
        );
        assert_eq!(cpu("7 (a"), None);
    }

    #[test]
    fn this_process_is_described() {
        let mut page = Page::default();
        Process { database: "SQLite" }.write(&mut page);
        let text = page.text();
        for name in [
            "process_resident_memory_bytes",
            "process_open_fds",
            "process_max_fds",
            "process_threads",
            "process_cpu_seconds_total",
            "process_start_time_seconds",
        ] {
            let value = number_line(&text, name);
            assert!(value.is_some_and(|value| value >= 0.0), "{name}: {text}");
        }
    }

    fn number_line(text: &str, name: &str) -> Option<f64> {
        let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
        rest.trim().parse().ok()
    }
}
