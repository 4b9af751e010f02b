//! The arrows between the parts, read from what the sources name.

use crate::sources::{below, read};

/// Each part and what it may name. `docs/ARCHITECTURE.md` draws the same arrows.
const MAY_USE: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("metrics", &[]),
    ("config", &["clock"]),
    ("log", &["config"]),
    ("seal", &[]),
    ("store", &["clock", "metrics"]),
    ("mail", &["store"]),
    ("web", &["clock", "metrics", "seal", "store"]),
    ("gate", &["clock", "metrics", "store", "web"]),
    ("portal", &["clock", "store", "web"]),
    ("jobs", &["clock", "mail", "metrics", "seal", "store"]),
    (
        "app",
        &[
            "clock", "config", "mail", "metrics", "seal", "store", "web", "gate", "portal", "jobs",
            "log",
        ],
    ),
    (
        "demo",
        &[
            "clock", "config", "store", "seal", "web", "app", "gate", "log",
        ],
    ),
    ("dev", &["clock", "config", "store", "app", "portal", "log"]),
    (
        "cli",
        &[
            "clock", "config", "store", "web", "app", "demo", "dev", "log",
        ],
    ),
];

/// What of `web` the gate may name.
const GATE_OF_WEB: &[&str] = &["limits", "request_id"];

/// The crates that `rules` may stand on: small and pure, none that knows a socket, a file or a clock.
const RULES_CRATES: &[&str] = &[
    "crc32fast",
    "data-encoding",
    "hashbrown",
    "idna",
    "ipnet",
    "memchr",
    "psl",
    "percent-encoding",
    "rand",
    "sha2",
    "subtle",
    "thiserror",
    "unicode-normalization",
    "zeroize",
];

fn part_of(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap();
    inside.split(['/', '.']).next().unwrap()
}

/// The names that follow `crate::` in a line: `crate::web::{limits, request_id}` gives `web` with its rest.
fn named(line: &str) -> Vec<(String, String)> {
    line.match_indices("crate::")
        .map(|(at, found)| (line.split_at(at).0, line.split_at(at + found.len()).1))
        .filter(|(before, _)| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .map(|(_, rest)| {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            (name.to_owned(), rest.to_owned())
        })
        .collect()
}

#[test]
fn parts_name_only_what_their_arrows_allow() {
    let mut off = Vec::new();
    for source in below("src", ".rs") {
        let part = part_of(&source.path).to_owned();
        if part == "lib" || part == "main" {
            continue;
        }
        let allowed = MAY_USE
            .iter()
            .find(|(name, _)| *name == part)
            .unwrap_or_else(|| {
                panic!("src/{part} has no arrows: add it to MAY_USE and to docs/ARCHITECTURE.md")
            })
            .1;
        for (number, line) in source.code() {
            for (name, rest) in named(line) {
                let known = MAY_USE.iter().any(|(part, _)| *part == name);
                if known && name != part && !allowed.contains(&name.as_str()) {
                    off.push(format!(
                        "{}:{number}: {part} may not use {name}",
                        source.path
                    ));
                }
                let grouped = name.is_empty() && rest.starts_with('{');
                if grouped {
                    off.push(format!(
                        "{}:{number}: name the part behind `crate::`",
                        source.path
                    ));
                }
                let of_web = part == "gate" && name == "web";
                if of_web
                    && !GATE_OF_WEB
                        .iter()
                        .any(|item| rest.starts_with(&format!("::{item}")))
                {
                    off.push(format!(
                        "{}:{number}: the gate uses only {GATE_OF_WEB:?} of web",
                        source.path
                    ));
                }
            }
        }
    }
    assert!(off.is_empty(), "{}", off.join("\n"));
}

#[test]
fn crates_stay_in_their_part() {
    let table: &[(&str, &[&str])] = &[
        ("diesel", &["store"]),
        ("diesel_migrations", &["store"]),
        ("libsqlite3_sys", &["store"]),
        ("pq_sys", &["store"]),
        ("actix_web", &["app", "web", "portal", "gate"]),
        ("actix_http", &["app", "gate"]),
        ("actix_server", &["app"]),
        ("actix_service", &["app"]),
        ("actix_session", &["web", "portal"]),
        ("askama", &["mail", "web", "portal"]),
        ("aes_gcm", &["seal"]),
        ("lettre", &["config", "mail"]),
        ("argon2", &["web"]),
        ("clap", &["cli"]),
        ("toml", &["config"]),
    ];
    let mut off = Vec::new();
    for source in below("src", ".rs") {
        for (number, line) in source.code() {
            for (name, parts) in table {
                let uses = line.contains(&format!("{name}::"))
                    && !line.contains(&format!("_{name}::"))
                    && !line.contains(&format!("crate::{name}"));
                if uses && !parts.contains(&part_of(&source.path)) {
                    off.push(format!(
                        "{}:{number}: {name} belongs to {parts:?}",
                        source.path
                    ));
                }
            }
        }
    }
    assert!(off.is_empty(), "{}", off.join("\n"));
}

#[test]
fn rules_stand_on_small_pure_crates_alone() {
    let manifest = read("rules/Cargo.toml");
    let table: toml::Table = manifest.parse().unwrap();
    let crates: Vec<&String> = table["dependencies"].as_table().unwrap().keys().collect();
    assert!(!crates.is_empty());
    for name in crates {
        assert!(
            RULES_CRATES.contains(&name.as_str()),
            "rules may not use {name}"
        );
    }
    for source in below("rules/src", ".rs") {
        for (number, line) in source.code() {
            for word in [
                "std::fs",
                "std::net::Tcp",
                "std::net::Udp",
                "std::env",
                "std::time",
                "std::thread",
                "println!",
                "SysRng",
            ] {
                assert!(
                    !line.contains(word),
                    "{}:{number}: rules know no {word}",
                    source.path
                );
            }
        }
    }
}

#[test]
fn every_part_is_on_the_map() {
    let map = read("docs/ARCHITECTURE.md");
    for (part, _) in MAY_USE {
        assert!(
            map.contains(&format!("src/{part}")),
            "docs/ARCHITECTURE.md does not name src/{part}"
        );
    }
}
