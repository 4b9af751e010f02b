//! What of this machine the suite uses, and what it leaves out where something is missing. The only place here that reads the
//! environment and the clock.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A variable that says how to run the suite.
#[expect(
    clippy::disallowed_methods,
    reason = "the suite's own settings, none of the product's"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[expect(
    clippy::disallowed_methods,
    reason = "deadlines of real processes are real time"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The binary under test.
pub(crate) fn binary() -> PathBuf {
    variable("LATCHKEY_BIN").map_or_else(|| env!("CARGO_BIN_EXE_latchkey").into(), PathBuf::from)
}

/// nginx, or nothing if this machine has none.
pub(crate) fn nginx() -> Option<PathBuf> {
    program("nginx")
}

/// Caddy, or nothing if this machine has none.
pub(crate) fn caddy() -> Option<PathBuf> {
    program("caddy")
}

fn program(name: &str) -> Option<PathBuf> {
    let path = variable("PATH").unwrap_or_default();
    path.split(':')
        .chain(["/usr/sbin"])
        .map(|folder| Path::new(folder).join(name))
        .find(|file| file.is_file())
}

/// The address of a PostgreSQL in which databases may be made, or nothing.
pub(crate) fn postgres() -> Option<String> {
    variable("LATCHKEY_TEST_POSTGRES_URL")
}

/// Asks until there is an answer, for at most `most`.
pub(crate) fn within<T>(most: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < most, "not within {most:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What holds soon: a poll with the deadline that all promises in time have here.
pub(crate) fn soon<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    within(Duration::from_secs(10), what, ask)
}

/// Says what this run leaves out, past the capture of passing tests' output; under `LATCHKEY_REQUIRE_ALL` that is a failure.
#[test]
fn nothing_is_left_out_in_silence() {
    let mut left_out = Vec::new();
    if nginx().is_none() {
        left_out
            .push("everything behind a real nginx (no nginx here: apt-get install nginx-light)");
    }
    if caddy().is_none() {
        left_out.push("everything behind a real Caddy (no Caddy here: apt-get install caddy)");
    }
    if postgres().is_none() {
        left_out.push("two nodes on one PostgreSQL (LATCHKEY_TEST_POSTGRES_URL is not set; scripts/test sets it)");
    }
    if left_out.is_empty() {
        return;
    }
    let says = format!(
        "\n*** LEFT OUT of the tests from outside:\n***   {}\n*** scripts/test runs them all.\n",
        left_out.join("\n***   ")
    );
    assert!(variable("LATCHKEY_REQUIRE_ALL").is_none(), "{says}");
    std::io::stderr()
        .write_all(says.as_bytes())
        .expect("the terminal takes a line");
}
