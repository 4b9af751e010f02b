//! Takes settings out of the tree one by one, and collects what is wrong with them and what nobody asked for.
//!
//! Must not know which settings exist. No message of this module repeats a value.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::near;
use super::place::{Broken, Place, Problem};
use super::tree::{self, Found, Setting, Table};

/// What one reading of the tree has come to.
#[derive(Default)]
pub(super) struct Outcome {
    problems: RefCell<Vec<Problem>>,
    unknown: RefCell<Vec<(Place, String)>>,
    known: RefCell<BTreeSet<String>>,
}

impl Outcome {
    pub(super) fn problem(&self, at: Place, text: impl Into<String>) {
        self.problems.borrow_mut().push(Problem {
            at,
            text: text.into(),
        });
    }

    /// The full names of all settings that were asked for.
    pub(super) fn known(&self) -> BTreeSet<String> {
        self.known.borrow().clone()
    }

    /// What is wrong, or nothing; an unknown name comes with the nearest right one.
    pub(super) fn finish(self) -> Result<(), Broken> {
        let known = self.known.into_inner();
        let mut problems = self.problems.into_inner();
        for (at, name) in self.unknown.into_inner() {
            let text = near::unknown(&at, &name, &known);
            problems.push(Problem { at, text });
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Broken::new(problems))
        }
    }
}

/// One table of the tree, whose settings are asked for by name.
pub(super) struct Reading<'a> {
    prefix: String,
    at: Place,
    table: Table,
    outcome: &'a Outcome,
}

impl<'a> Reading<'a> {
    pub(super) fn root(table: Table, at: Place, outcome: &'a Outcome) -> Self {
        Self {
            prefix: String::new(),
            at,
            table,
            outcome,
        }
    }

    /// The full name of a setting of this table.
    pub(super) fn full(&self, name: &str) -> String {
        if self.prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.prefix)
        }
    }

    /// Where a setting stands, or where its table does.
    pub(super) fn place(&self, name: &str) -> Place {
        self.table
            .get(name)
            .map_or_else(|| self.at.clone(), |setting| setting.at.clone())
    }

    /// Whether a setting stands there, whatever it holds.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    pub(super) fn problem(&self, at: Place, text: impl Into<String>) {
        self.outcome.problem(at, text);
    }

    fn take(&mut self, name: &str) -> Option<Setting> {
        self.outcome.known.borrow_mut().insert(self.full(name));
        self.table.remove(name)
    }

    fn refuse(&self, at: Place, name: &str, allowed: &str) {
        self.outcome
            .problem(at, format!("{} {allowed}", self.full(name)));
    }

    /// A setting that is text; `parse` says what is allowed, as the rest of a sentence: "must be …".
    pub(super) fn text<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let setting = self.take(name)?;
        match text_of(&setting).and_then(parse) {
            Ok(value) => Some(value),
            Err(allowed) => {
                self.refuse(setting.at, name, &allowed);
                None
            }
        }
    }

    /// A setting that is text and must be there.
    pub(super) fn required<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if !self.holds(name) {
            self.refuse(self.at.clone(), name, "is missing");
        }
        self.text(name, parse)
    }

    /// A setting that is a whole number within `range`.
    pub(super) fn whole(&mut self, name: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let setting = self.take(name)?;
        let number = match &setting.found {
            Found::Integer(number) => u32::try_from(*number).ok(),
            Found::Raw(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|n| range.contains(n));
        if number.is_none() {
            let allowed = format!(
                "must be a whole number from {} to {}",
                range.start(),
                range.end()
            );
            self.refuse(setting.at, name, &allowed);
        }
        number
    }

    /// A setting that is true or false.
    pub(super) fn truth(&mut self, name: &str) -> Option<bool> {
        let setting = self.take(name)?;
        let truth = match &setting.found {
            Found::Truth(truth) => Some(*truth),
            Found::Raw(text) => text.trim().parse().ok(),
            _ => None,
        };
        if truth.is_none() {
            self.refuse(setting.at, name, "must be true or false, without quotes");
        }
        truth
    }

    /// A setting that is a list of texts; nothing when one of them is wrong.
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let setting = self.take(name)?;
        let entries = self.entries(name, setting)?;
        let count = entries.len();
        let mut values = Vec::with_capacity(count);
        for (index, entry) in entries.into_iter().enumerate() {
            match text_of(&entry).and_then(&parse) {
                Ok(value) => values.push(value),
                Err(allowed) => {
                    self.refuse(entry.at, name, &format!("entry {} {allowed}", index + 1));
                }
            }
        }
        (values.len() == count).then_some(values)
    }

    fn entries(&self, name: &str, setting: Setting) -> Option<Vec<Setting>> {
        let Setting { at, found } = setting;
        let found = match found {
            Found::Raw(text) if text.trim_start().starts_with('[') => {
                tree::of_variable(&at, &text).ok()
            }
            Found::Raw(text) => Some(Found::List(commas(&at, &text))),
            other => Some(other),
        };
        if let Some(Found::List(list)) = found {
            return Some(list);
        }
        let example = "must be a list, such as [\"one\", \"two\"]; a variable may hold the entries with commas between them";
        self.refuse(at, name, example);
        None
    }

    /// A table within this one; an absent one is empty.
    pub(super) fn table(&mut self, name: &str) -> Reading<'a> {
        let setting = self.take(name);
        let prefix = self.full(name);
        let outcome = self.outcome;
        match setting {
            None => Self {
                prefix,
                at: self.at.clone(),
                table: Table::new(),
                outcome,
            },
            Some(setting) => {
                let at = setting.at.clone();
                let table = self.as_table(name, setting).unwrap_or_default();
                Self {
                    prefix,
                    at,
                    table,
                    outcome,
                }
            }
        }
    }

    fn as_table(&self, name: &str, setting: Setting) -> Option<Table> {
        let found = match setting.found {
            Found::Raw(text) if text.trim_start().starts_with('{') => {
                tree::of_variable(&setting.at, &text).ok()
            }
            other => Some(other),
        };
        if let Some(Found::Table(table)) = found {
            return Some(table);
        }
        self.refuse(
            setting.at,
            name,
            "must be a table: its settings stand below it, each with a name of its own",
        );
        None
    }

    /// A list of tables, such as `[[product]]`.
    pub(super) fn tables(&mut self, name: &str) -> Vec<Reading<'a>> {
        let Some(setting) = self.take(name) else {
            return Vec::new();
        };
        let entries = self.entries(name, setting).unwrap_or_default();
        let as_reading = |entry: Setting| {
            let at = entry.at.clone();
            let table = self.as_table(name, entry)?;
            Some(Reading {
                prefix: self.full(name),
                at,
                table,
                outcome: self.outcome,
            })
        };
        entries.into_iter().filter_map(as_reading).collect()
    }

    /// Notes what stands in the table and was never asked for.
    pub(super) fn end(self) {
        for (name, setting) in &self.table {
            self.outcome
                .unknown
                .borrow_mut()
                .push((setting.at.clone(), leaf(&self.full(name), setting)));
        }
    }
}

/// An unknown table that only a variable made is told by the variable's whole name.
fn leaf(name: &str, setting: &Setting) -> String {
    match (&setting.at, &setting.found) {
        (Place::Variable(_), Found::Table(table)) => table.iter().next().map_or_else(
            || name.to_owned(),
            |(inner, s)| leaf(&format!("{name}.{inner}"), s),
        ),
        _ => name.to_owned(),
    }
}

fn text_of(setting: &Setting) -> Result<&str, String> {
    match &setting.found {
        Found::Text(text) | Found::Raw(text) => Ok(text),
        Found::Integer(_) => Err("must be text in quotes, not a number".to_owned()),
        Found::Truth(_) => Err("must be text in quotes, not true or false".to_owned()),
        Found::List(_) => Err("must be text in quotes, not a list".to_owned()),
        Found::Table(_) => Err("must be text in quotes, not a table".to_owned()),
        Found::Other(kind) => Err(format!("must be text in quotes, not {kind}")),
    }
}

fn commas(at: &Place, text: &str) -> Vec<Setting> {
    text.split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(|entry| Setting {
            at: at.clone(),
            found: Found::Raw(entry.to_owned()),
        })
        .collect()
}
