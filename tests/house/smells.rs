//! Shortcuts that are refused wherever they stand.

use crate::sources::{Source, below};
use std::collections::BTreeSet;

fn offences(sources: &[Source], is_off: impl Fn(&str, &str) -> bool) -> Vec<String> {
    assert!(
        !sources.is_empty(),
        "nothing was read: the test looks in the wrong place"
    );
    let mut off = Vec::new();
    for source in sources {
        for (number, line) in source.code() {
            if is_off(&source.path, line) {
                off.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    off
}

fn none(off: &[String], what: &str) {
    assert!(off.is_empty(), "{what}:\n{}", off.join("\n"));
}

#[test]
fn t_29_sql_is_never_put_together_from_text() {
    let off = offences(&below("src", ".rs"), |_, line| {
        (line.contains("sql_query(") || line.contains("batch_execute(") || line.contains("sql::<"))
            && line.contains("format!")
    });
    none(&off, "SQL built by format!");
}

#[test]
fn t_29_sql_stands_in_the_store_alone() {
    let off = offences(&below("src", ".rs"), |path, line| {
        let outside = !path.starts_with("src/store");
        outside
            && [
                "diesel::",
                "sql_query",
                "SELECT ",
                "INSERT INTO",
                "DELETE FROM",
            ]
            .iter()
            .any(|w| line.contains(w))
    });
    none(&off, "SQL outside src/store");
}

#[test]
fn only_the_clock_reads_the_time() {
    let off = offences(&below("src", ".rs"), |path, line| {
        path != "src/clock.rs"
            && [
                "SystemTime::now",
                "Instant::now",
                "Timestamp::now",
                "Zoned::now",
            ]
            .iter()
            .any(|w| line.contains(w))
    });
    none(&off, "a hidden clock");
}

#[test]
fn only_the_databases_own_file_knows_which_it_is() {
    let off = offences(&below("src", ".rs"), |path, line| {
        !path.starts_with("src/store/db")
            && (line.contains("PgConnection") || line.contains("SqliteConnection"))
    });
    none(&off, "a database's type outside src/store/db");
}

#[test]
fn t_55_templates_escape_everything_and_hold_no_inline_script_or_style() {
    let templates = below("templates", ".html");
    let off = offences(&templates, |path, line| {
        // A mail has no style sheet: its programs know the attribute alone.
        let styled = !path.starts_with("templates/mail/") && line.contains("style=\"");
        let script = line.contains("<script") && !line.contains("src=");
        let handler = line.split_whitespace().any(|word| {
            word.strip_prefix("on")
                .and_then(|rest| rest.split_once("=\""))
                .is_some_and(|(event, _)| event.chars().all(char::is_alphabetic))
        });
        line.contains("|safe")
            || line.contains("| safe")
            || script
            || handler
            || styled
            || line.contains("<style")
            || line.contains("href=\"#\"")
    });
    none(&off, "escaping off, or inline script or style");
}

#[test]
fn no_page_is_written_in_rust() {
    let off = offences(&below("src", ".rs"), |_, line| {
        [
            "\"<div",
            "\"<p>",
            "\"<a ",
            "\"<form",
            "\"<span",
            "\"<td",
            "\"<button",
            "\"<table",
        ]
        .iter()
        .any(|w| line.contains(w))
    });
    none(&off, "HTML in Rust");
}

/// What each call of a log macro is given, over as many lines as it takes.
fn log_lines(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.code().into_iter().map(|(_, line)| line).collect();
    let text = lines.join("\n");
    let ends = |rest: &str| rest.find(");").unwrap_or(rest.len());
    ["trace!(", "debug!(", "info!(", "warn!(", "error!("]
        .iter()
        .flat_map(|call| text.match_indices(call))
        .map(|(at, _)| text.split_at(at).1)
        .map(|rest| rest.split_at(ends(rest)).0.to_owned())
        .collect()
}

/// Whether a value by such a name is among the fields, or in braces in the text.
fn shows_a_secret(line: &str) -> bool {
    let pieces = line.split('"').enumerate();
    let values: Vec<&str> = pieces
        .flat_map(|(place, piece)| match place % 2 {
            0 => vec![piece],
            _ => piece.split('{').skip(1).collect(),
        })
        .map(|value| value.split('}').next().unwrap_or(value))
        .collect();
    ["secret", "password", "cookie", "authorization"]
        .iter()
        .any(|word| values.iter().any(|v| v.to_lowercase().contains(word)))
}

#[test]
fn t_33_no_log_line_names_a_secret() {
    let mut read = 0;
    let mut off = Vec::new();
    for source in below("src", ".rs") {
        for line in log_lines(&source) {
            read += 1;
            if shows_a_secret(&line) {
                off.push(format!("{}: {line}", source.path));
            }
        }
    }
    assert!(read > 10, "only {read} log lines were found");
    none(&off, "a log line that holds a secret");
    for (line, is_off) in [
        (r#"info!(%secret, "made")"#, true),
        (r#"warn!(key.id, held = ?form.password, "x")"#, true),
        (r#"debug!("asked with {cookie:?}")"#, true),
        (
            r#"error!(%error, "the password could not be hashed")"#,
            false,
        ),
    ] {
        assert_eq!(shows_a_secret(line), is_off, "{line}");
    }
}

#[test]
fn t_28_no_type_of_the_store_is_read_from_a_request() {
    // The log of revocations is a file that the gate wrote, and its lines are no rows.
    let off = offences(&below("src/store", ".rs"), |path, line| {
        path != "src/store/revocations.rs" && line.contains("Deserialize")
    });
    none(&off, "Deserialize in the store");
}

#[test]
fn no_test_is_switched_off() {
    let off = offences(&below("tests/browser", ".js"), |_, line| {
        [".skip(", ".only(", ".todo(", "waitForTimeout"]
            .iter()
            .any(|w| line.contains(w))
    });
    none(
        &off,
        "a test in the browser that is switched off or waits by the clock",
    );
    let mut sources = below("tests", ".rs");
    sources.retain(|source| !source.path.starts_with("tests/house"));
    let off = offences(&sources, |_, line| line.trim().starts_with("#[ignore"));
    none(&off, "a test that is switched off");
}

#[test]
fn migrations_of_both_databases_have_the_same_names() {
    let names = |database: &str| -> BTreeSet<String> {
        below(&format!("migrations/{database}"), ".sql")
            .into_iter()
            .map(|source| source.path.replace(&format!("migrations/{database}/"), ""))
            .collect()
    };
    let sqlite = names("sqlite");
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite, names("postgres"));
    for name in &sqlite {
        let twin = name.replace("up.sql", "down.sql");
        assert!(sqlite.contains(&twin), "{name} has no way back");
    }
}

#[test]
fn files_keep_one_job() {
    let mut off = Vec::new();
    for source in below("src", ".rs")
        .into_iter()
        .chain(below("rules/src", ".rs"))
        .chain(below("templates", ".html"))
        .chain(below("tests", ".rs"))
    {
        let lines = source.text.lines().count();
        let schema = source.path.ends_with("schema.rs");
        if lines > 500 && !schema {
            off.push(format!("{}: {lines} lines", source.path));
        }
    }
    none(&off, "files above 500 lines");
}

#[test]
fn every_module_opens_with_its_job() {
    let mut off = Vec::new();
    for source in below("src", ".rs")
        .into_iter()
        .chain(below("rules/src", ".rs"))
    {
        if !source.text.starts_with("//!") {
            off.push(source.path);
        }
    }
    none(&off, "modules without an opening `//!`");
}

#[test]
fn no_file_is_a_drawer() {
    let mut off = Vec::new();
    for source in below("src", "")
        .into_iter()
        .chain(below("rules/src", ""))
        .chain(below("templates", ""))
        .chain(below("tests", ".rs"))
    {
        let drawer = ["util", "helper", "common", "manager", "misc"]
            .iter()
            .any(|word| source.path.to_lowercase().contains(word));
        if drawer {
            off.push(source.path);
        }
    }
    none(&off, "named after no job");
}

/// What a command was asked for, what the demo says of itself, and the log.
const SPEAKS: &[&str] = &["src/cli/print.rs", "src/demo/printed.rs", "src/log.rs"];

#[test]
fn only_those_whose_job_it_is_speak_to_the_terminal() {
    let mut sources = below("src", ".rs");
    sources.extend(below("rules/src", ".rs"));
    sources.retain(|source| !source.path.ends_with("tests.rs"));
    let speaks = |line: &str| {
        // Ours, not a child's: what that says is read by a pipe.
        let own = ["io::stdout", "io::stderr", "stdout()", "stderr()"];
        let words = own.iter().chain(&["println!", "eprint", "print!("]);
        words.into_iter().any(|word| line.contains(word))
    };
    let off = offences(&sources, |path, line| {
        !SPEAKS.contains(&path) && speaks(line)
    });
    none(&off, "a voice of its own");
    for path in SPEAKS {
        let speaker = sources.iter().find(|source| source.path == *path);
        let found = speaker.is_some_and(|s| s.code().iter().any(|(_, line)| speaks(line)));
        assert!(found, "{path} speaks no more: take it off the list");
    }
}

#[test]
fn nothing_is_thrown_away_or_allowed_in_silence() {
    let mut sources = below("src", ".rs");
    sources.extend(below("rules/src", ".rs"));
    sources.extend(below("tests", ".rs"));
    sources.retain(|source| !source.path.starts_with("tests/house"));
    let off = offences(&sources, |_, line| {
        line.contains("let _ = ") || line.contains("[allow(") || line.contains(", allow(")
    });
    none(
        &off,
        "say why with #[expect], and what becomes of the result",
    );
}
