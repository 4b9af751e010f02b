//! What a process takes of its machine, and what the gate says of itself.

use crate::http::Ask;
use crate::process::Latchkey;
use std::fs;

/// Its memory now, in KiB.
pub(crate) fn memory(latchkey: &Latchkey) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", latchkey.child.id()));
    let status = status.expect("the server runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let words = line.expect("Linux says it").split_whitespace().next();
    words.and_then(|word| word.parse().ok()).expect("a number")
}

/// Its open files.
pub(crate) fn open_files(latchkey: &Latchkey) -> usize {
    let files = fs::read_dir(format!("/proc/{}/fd", latchkey.child.id()));
    files.expect("the server runs").count()
}

/// One of the gate's metrics that has no labels.
pub(crate) fn metric(latchkey: &Latchkey, name: &str) -> u64 {
    let page = Ask::get("/metrics").send(&latchkey.gate).text();
    let value = page
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value
        .and_then(|value| value.parse().ok())
        .expect("a number")
}
