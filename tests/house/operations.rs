//! `docs/operations.md` against the sources: every family of metrics has its row, word for word, and no row is without one; an
//! alert asks for what there is.

use crate::sources::{below, read};
use std::collections::BTreeSet;

/// Name, kind, labels, help.
type Row = (String, String, String, String);

/// The texts in quotation marks of what begins here, up to the bracket that closes it.
fn described(kind: &str, text: &str) -> Option<Row> {
    let body = text.split_once(");")?.0;
    let (name, rest) = body.split_once('"')?.1.split_once('"')?;
    let (labels, rest) = rest.split_once("&[")?.1.split_once(']')?;
    let help = rest.split_once('"')?.1.rsplit_once('"')?.0;
    let labels: Vec<String> = labels
        .split('"')
        .skip(1)
        .step_by(2)
        .map(|label| format!("`{label}`"))
        .collect();
    Some((
        name.to_owned(),
        kind.to_owned(),
        labels.join(", "),
        help.to_owned(),
    ))
}

fn in_sources() -> BTreeSet<Row> {
    let mut rows = BTreeSet::new();
    for source in below("src", ".rs") {
        let code: Vec<&str> = source.code().into_iter().map(|(_, line)| line).collect();
        let code = code.join("\n");
        for kind in ["counter", "gauge", "histogram"] {
            let begin = format!("= Family::{kind}(");
            let loose = format!("Family::{kind}(");
            let plain = code
                .replace("=\n", "= ")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            assert_eq!(
                plain.matches(&begin).count(),
                plain.matches(&loose).count(),
                "{}: a family is a constant",
                source.path
            );
            for family in plain.split(&begin).skip(1) {
                let row = described(kind, family);
                let row =
                    row.unwrap_or_else(|| panic!("{}: a family that cannot be read", source.path));
                assert!(rows.insert(row.clone()), "{} is there twice", row.0);
            }
        }
    }
    rows
}

fn in_documentation() -> BTreeSet<Row> {
    let mut rows = BTreeSet::new();
    for line in read("docs/operations.md").lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let [
            name,
            kind @ ("counter" | "gauge" | "histogram"),
            labels,
            help,
        ] = cells.as_slice()
        {
            let name = name.trim_matches('`').to_owned();
            let row = (
                name,
                (*kind).to_owned(),
                (*labels).to_owned(),
                (*help).to_owned(),
            );
            assert!(rows.insert(row), "twice: {line}");
        }
    }
    rows
}

#[test]
fn every_metric_is_documented_as_it_is() {
    let (sources, documentation) = (in_sources(), in_documentation());
    assert!(sources.len() > 40, "{sources:?}");
    let lacking: Vec<_> = sources.difference(&documentation).collect();
    let wrong: Vec<_> = documentation.difference(&sources).collect();
    assert!(
        lacking.is_empty() && wrong.is_empty(),
        "docs/operations.md lacks {lacking:#?}\nand has {wrong:#?}"
    );
}

#[test]
fn alerts_ask_for_metrics_that_there_are() {
    let names: BTreeSet<String> = in_sources().into_iter().map(|row| row.0).collect();
    let text = read("docs/operations.md");
    let alerts = text.split("## Alerts").nth(1).unwrap();
    let alerts = alerts.split("\n## ").next().unwrap();
    let mut asked = 0;
    for word in alerts.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        if word.starts_with("latchkey_") || word.starts_with("process_") {
            let name = word.trim_end_matches("_bucket");
            assert!(names.contains(name), "an alert asks for {word}");
            asked += 1;
        }
    }
    assert!(asked >= 15, "{asked} are asked for");
}
