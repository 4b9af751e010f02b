//! The configuration as a tree of settings that remember where they were read: the file, with the environment laid over it.
//!
//! Must not know which settings exist or what they may hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::place::{Broken, Place};

/// What stands at a setting.
#[derive(Clone)]
pub(super) enum Found {
    Text(String),
    Integer(i64),
    Truth(bool),
    List(Vec<Setting>),
    Table(Table),
    /// The text of a variable, which says nothing of its type: whoever reads it decides.
    Raw(String),
    /// A kind of value that no setting has, by its name.
    Other(&'static str),
}

/// A value and where it was read.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) at: Place,
    pub(super) found: Found,
}

/// Settings by name, each with the place of its name.
pub(super) type Table = BTreeMap<String, Setting>;

/// Reads the text of a configuration file.
pub(super) fn of_file(name: &Arc<str>, text: &str) -> Result<Table, Broken> {
    let file = Lines {
        name: Arc::clone(name),
        text,
    };
    match DeTable::parse(text) {
        Ok(table) => Ok(file.table(table.get_ref())),
        Err(error) => Err(file.not_toml(&error)),
    }
}

fn first_line(message: &str) -> &str {
    message
        .lines()
        .next()
        .unwrap_or("cannot be read")
        .trim_end_matches('.')
}

struct Lines<'a> {
    name: Arc<str>,
    text: &'a str,
}

impl Lines<'_> {
    /// The parser's own words name what it expected. The line that it read is left out, for it may hold a secret; a
    /// name that stands twice holds none.
    fn not_toml(&self, error: &toml::de::Error) -> Broken {
        let at = error.span().map_or_else(
            || Place::File(Arc::clone(&self.name)),
            |span| self.place(span.start),
        );
        let message = first_line(error.message());
        let twice = error
            .span()
            .and_then(|span| self.text.get(span))
            .filter(|_| message.starts_with("duplicate key"));
        let text = match twice {
            Some(name) => format!("{name} stands twice in one table"),
            None => format!("this is no TOML: {message}"),
        };
        Broken::one(at, text)
    }

    fn place(&self, offset: usize) -> Place {
        let line = self
            .text
            .bytes()
            .take(offset)
            .filter(|&b| b == b'\n')
            .count()
            + 1;
        Place::Line(Arc::clone(&self.name), line)
    }

    fn table(&self, table: &DeTable<'_>) -> Table {
        let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
            let name: &std::borrow::Cow<'_, str> = key.get_ref();
            (
                name.to_string(),
                Setting {
                    at: self.place(key.span().start),
                    found: self.found(value.get_ref()),
                },
            )
        };
        table.iter().map(entry).collect()
    }

    fn found(&self, value: &DeValue<'_>) -> Found {
        match value {
            DeValue::String(text) => Found::Text(text.to_string()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Found::Other("integer"), Found::Integer),
            DeValue::Array(array) => Found::List(
                array
                    .iter()
                    .map(|v| Setting {
                        at: self.place(v.span().start),
                        found: self.found(v.get_ref()),
                    })
                    .collect(),
            ),
            DeValue::Table(table) => Found::Table(self.table(table)),
            DeValue::Boolean(truth) => Found::Truth(*truth),
            DeValue::Float(_) => Found::Other("a fraction"),
            DeValue::Datetime(_) => Found::Other("a date"),
        }
    }
}

/// Lays one variable over the tree: `path` is its name in parts, `value` its text.
pub(super) fn lay_over(tree: &mut Table, path: &[String], variable: &Arc<str>, value: String) {
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    let at = Place::Variable(Arc::clone(variable));
    if rest.is_empty() {
        tree.insert(
            name.clone(),
            Setting {
                at,
                found: Found::Raw(value),
            },
        );
        return;
    }
    let branch = tree.entry(name.clone()).or_insert_with(|| Setting {
        at: at.clone(),
        found: Found::Table(Table::new()),
    });
    if !matches!(branch.found, Found::Table(_)) {
        *branch = Setting {
            at,
            found: Found::Table(Table::new()),
        };
    }
    if let Found::Table(table) = &mut branch.found {
        lay_over(table, rest, variable, value);
    }
}

/// Reads the text of a variable as a TOML value, for lists and tables.
pub(super) fn of_variable(at: &Place, text: &str) -> Result<Found, Broken> {
    let inline = format!("value = {text}");
    let wrong = || Broken::one(at.clone(), "this is no TOML value");
    let table = of_file(&Arc::from("variable"), &inline).map_err(|_toml_error| wrong())?;
    let mut found = table
        .into_iter()
        .next()
        .map(|(_, setting)| setting.found)
        .ok_or_else(wrong)?;
    relocate(&mut found, at);
    Ok(found)
}

fn relocate(found: &mut Found, at: &Place) {
    let mut move_to = |setting: &mut Setting| {
        setting.at = at.clone();
        relocate(&mut setting.found, at);
    };
    match found {
        Found::List(list) => list.iter_mut().for_each(&mut move_to),
        Found::Table(table) => table.values_mut().for_each(&mut move_to),
        _ => {}
    }
}
