//! What the suites themselves must keep to: they wait for nothing but a poll, share nothing that a test could change, and
//! listen where a port is free.

use std::collections::BTreeSet;

use crate::sources::{Source, below};

/// The polls, each with a deadline.
const POLLS: &[&str] = &["tests/outside/needs.rs", "tests/outside/process.rs"];

/// What tests of one binary share, because it is made once and then only copied, counted up, or added to by each for itself.
const SHARED: &[(&str, &str)] = &[
    ("tests/gate/world.rs", "TEMPLATE"),
    ("tests/outside/canaries.rs", "KNOWN"),
    ("tests/outside/process.rs", "NEXT_PORT"),
    ("tests/store/place.rs", "NUMBER"),
    ("tests/store/postgres.rs", "NUMBER"),
    ("tests/store/postgres.rs", "SERVER"),
    ("tests/store/postgres.rs", "TEMPLATE"),
    ("tests/store/place.rs", "TEMPLATE"),
];

/// Drills are no tests in this sense: they measure in time, and pace the load that they send by the clock.
fn suites() -> Vec<Source> {
    let mut sources = below("tests", ".rs");
    sources.retain(|source| {
        !["tests/house", "tests/drill"]
            .iter()
            .any(|out| source.path.starts_with(out))
    });
    assert!(!sources.is_empty(), "the test looks in the wrong place");
    sources
}

/// Path and text of the lines that are so.
fn lines(is: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for source in suites() {
        for (_, line) in source.code() {
            if is(line) {
                found.push((source.path.clone(), line.trim().to_owned()));
            }
        }
    }
    found
}

#[test]
fn a_test_waits_by_asking_again_and_never_by_the_clock() {
    let sleeps = lines(|line| line.contains("sleep(") || line.contains("sleep_until("));
    let files: BTreeSet<&str> = sleeps.iter().map(|(path, _)| path.as_str()).collect();
    let polls: BTreeSet<&str> = POLLS.iter().copied().collect();
    assert_eq!(files, polls, "{sleeps:#?}");
}

#[test]
fn tests_share_nothing_that_one_of_them_could_change() {
    let changing = ["Mutex<", "RwLock<", "OnceLock<", "OnceCell<", ": Atomic"];
    let statics = lines(|line| {
        let held = line.trim_start().trim_start_matches("pub(crate) ");
        held.starts_with("static ") && changing.iter().any(|word| line.contains(word))
    });
    let found: BTreeSet<(&str, &str)> = statics
        .iter()
        .map(|(path, line)| {
            let (_, behind) = line.split_once("static ").unwrap();
            let (name, _) = behind.split_once(':').unwrap();
            (path.as_str(), name)
        })
        .collect();
    let known: BTreeSet<(&str, &str)> = SHARED.iter().copied().collect();
    assert_eq!(found, known);
}

#[test]
fn a_test_listens_where_a_port_is_free() {
    let binds = lines(|line| line.contains("bind("));
    assert!(!binds.is_empty(), "no test listens any more");
    for (path, line) in binds {
        let (_, behind) = line.split_once("bind(").unwrap();
        let port = behind.rsplit([':', ',']).next().unwrap_or_default();
        let fixed = port.trim().starts_with(|c: char| ('1'..='9').contains(&c));
        assert!(!fixed, "{path}: {line}");
    }
}

#[test]
fn a_test_binary_is_test_code_in_the_eyes_of_the_lints() {
    let binaries: Vec<Source> = below("tests", "main.rs")
        .into_iter()
        .chain(below("rules/tests", "main.rs"))
        .collect();
    assert!(!binaries.is_empty());
    for source in binaries {
        assert!(source.text.contains("\n#![cfg(test)]\n"), "{}", source.path);
    }
}
