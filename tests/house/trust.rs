//! `docs/trust.md` against the tests and drills: every promise is listed, and what is called kept is kept by some that exist.

use crate::sources::{below, read};
use std::collections::{BTreeMap, BTreeSet};

/// How many promises each series holds.
const SERIES: &[(&str, u32)] = &[("T", 63), ("R", 19), ("F", 8)];

/// What stands before a drill's name.
const BY_DRILL: &str = "scripts/drill ";

struct Row {
    state: String,
    tests: BTreeSet<String>,
    drills: BTreeSet<String>,
}

fn listed() -> BTreeMap<String, Row> {
    let mut rows = BTreeMap::new();
    for line in read("docs/trust.md").lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, _promise, state, tests] = cells.as_slice() else {
            continue;
        };
        if !is_id(id) {
            continue;
        }
        let named = tests.split('`').skip(1).step_by(2);
        let (drills, tests): (Vec<&str>, Vec<&str>) =
            named.partition(|name| name.starts_with(BY_DRILL));
        let drills = drills
            .iter()
            .filter_map(|name| name.strip_prefix(BY_DRILL))
            .map(str::to_owned);
        let row = Row {
            state: (*state).to_owned(),
            tests: tests.into_iter().map(str::to_owned).collect(),
            drills: drills.collect(),
        };
        assert!(
            rows.insert((*id).to_owned(), row).is_none(),
            "{id} is listed twice"
        );
    }
    rows
}

fn is_id(text: &str) -> bool {
    let Some((series, number)) = text.split_once('-') else {
        return false;
    };
    SERIES.iter().any(|(name, _)| *name == series) && number.parse::<u32>().is_ok()
}

/// The promises that a test's name begins with: `t_41_t_43_forged…` gives T-41 and T-43.
fn promises_of(name: &str) -> Vec<String> {
    let words: Vec<&str> = name.split('_').collect();
    let mut found = Vec::new();
    for pair in words.chunks(2) {
        let [series, number] = pair else { break };
        let known = matches!(*series, "t" | "r" | "f");
        let Ok(number) = number.parse::<u32>() else {
            break;
        };
        if !known {
            break;
        }
        found.push(match *series {
            "f" => format!("F-{number}"),
            other => format!("{}-{number:02}", other.to_uppercase()),
        });
    }
    found
}

/// Every test whose name begins with a promise: functions in Rust, titles of those in the browser.
fn tests_by_promise() -> BTreeMap<String, BTreeSet<String>> {
    let mut found = functions_by_promise();
    for title in browser_titles() {
        for promise in promises_of(&title) {
            found.entry(promise).or_default().insert(title.clone());
        }
    }
    found
}

/// What the tests in the browser are called: `test('t_13_…', …)`.
fn browser_titles() -> Vec<String> {
    let mut titles = Vec::new();
    for source in below("tests/browser", ".js") {
        let called = source.text.split("test('").skip(1);
        titles.extend(called.filter_map(|rest| rest.split('\'').next().map(str::to_owned)));
    }
    titles
}

fn functions_by_promise() -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let places = ["tests", "src", "rules/src", "rules/tests"];
    for source in places.iter().flat_map(|place| below(place, ".rs")) {
        let lines: Vec<&str> = source.text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let bare = line
                .trim()
                .trim_start_matches("async ")
                .trim_start_matches("pub ");
            let Some(rest) = bare.strip_prefix("fn ") else {
                continue;
            };
            let name = rest.split(['(', '<']).next().unwrap();
            let before = lines[at.saturating_sub(6)..at].join("\n");
            let is_test = before.contains("test]")
                || before.contains("::test")
                || before.contains("proptest!")
                || rest.contains(" in ");
            for promise in promises_of(name) {
                assert!(
                    is_test,
                    "{}:{}: {name} is named as a promise's test but is none",
                    source.path,
                    at + 1
                );
                found.entry(promise).or_default().insert(name.to_owned());
            }
        }
    }
    found
}

#[test]
fn tests_in_the_browser_are_found_by_their_titles() {
    let titles = browser_titles();
    assert!(
        titles.iter().any(|title| title.starts_with("t_13_")),
        "{titles:?}"
    );
}

#[test]
fn every_promise_is_listed() {
    let rows = listed();
    let retired: BTreeSet<&str> = BTreeSet::new();
    for (series, last) in SERIES {
        for number in 1..=*last {
            let id = if *series == "F" {
                format!("F-{number}")
            } else {
                format!("{series}-{number:02}")
            };
            assert!(
                rows.contains_key(&id) || retired.contains(id.as_str()),
                "docs/trust.md lacks {id}"
            );
        }
    }
}

#[test]
fn what_is_called_kept_is_kept_by_tests_that_exist() {
    let tests = tests_by_promise();
    let mut off = Vec::new();
    for (id, row) in listed() {
        let there = tests.get(&id).cloned().unwrap_or_default();
        for name in row.tests.difference(&there) {
            off.push(format!("{id} names `{name}`, which is no test of it"));
        }
        for name in there.difference(&row.tests) {
            off.push(format!("{id} does not name its test `{name}`"));
        }
        match row.state.as_str() {
            "kept" | "in part" if row.tests.is_empty() && row.drills.is_empty() => {
                off.push(format!("{id} is called {} by no test", row.state));
            }
            "not yet" if !row.tests.is_empty() || !row.drills.is_empty() => {
                off.push(format!("{id} has tests but is called not yet"));
            }
            "kept" | "in part" | "not yet" => {}
            other => off.push(format!(
                "{id}: a state is kept, in part or not yet, not {other:?}"
            )),
        }
    }
    assert!(off.is_empty(), "{}", off.join("\n"));
}

/// The drills of `tests/drill/main.rs`: each stands in its list as `("name", size, …)`.
fn drills() -> BTreeSet<String> {
    let text = read("tests/drill/main.rs");
    let (_, list) = text.split_once("const DRILLS").expect("the list of drills");
    let (list, _) = list.split_once("];").expect("its end");
    let names = list
        .split("(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    names.map(str::to_owned).collect()
}

#[test]
fn every_drill_proves_a_promise_and_every_drill_that_is_named_exists() {
    let named: BTreeSet<String> = listed().into_values().flat_map(|row| row.drills).collect();
    let there = drills();
    assert!(!there.is_empty());
    assert_eq!(
        named, there,
        "docs/trust.md on the left, tests/drill/main.rs on the right"
    );
    let script = read("scripts/drill");
    for name in there {
        let line = format!("\n#     {name} ");
        assert!(
            script.contains(&line),
            "scripts/drill does not say what {name} is"
        );
    }
}
