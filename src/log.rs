//! What a log line looks like: JSON or text on standard error, with nothing of a request but what its writer names.
//!
//! Must not know who logs. Lines of other crates are written from `warn` on: theirs may quote what they were given.

use std::panic::{self, PanicHookInfo};

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat, LogLevel};

/// Starts the log. A second call, as tests make it, changes nothing.
pub fn start(log: Log) {
    let level = match log.level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
    };
    let others = if log.level == LogLevel::Error {
        "error"
    } else {
        "warn"
    };
    let filter = EnvFilter::new(format!("{others},latchkey={level}"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init(),
        LogFormat::Text => lines.with_ansi(false).try_init(),
    };
    if started.is_err() {
        tracing::debug!("the log had been started before");
        return;
    }
    panic::set_hook(Box::new(told));
}

/// The line of a panic: where, in which thread, and the words that stand in the source. Words that were put together
/// when it happened are left out, since they may quote what somebody sent.
fn told(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(tracing::field::display);
    let current = std::thread::current();
    let words = panic.payload().downcast_ref::<&'static str>().copied();
    tracing::error!(
        panic.at = at,
        panic.thread = current.name(),
        panic.words = words,
        "panicked"
    );
}
