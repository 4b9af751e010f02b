//! Where a setting was read, and what is wrong with the configuration, in sentences.
//!
//! Must not know which settings exist. Never holds a setting's value: what was typed may be a secret.

use std::fmt;
use std::sync::Arc;

use super::Log;

/// Where a setting was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of the configuration file, counted from 1.
    Line(Arc<str>, usize),
    /// The configuration file as a whole.
    File(Arc<str>),
    /// An environment variable.
    Variable(Arc<str>),
    /// Nowhere: the setting has its default.
    Default,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(file, line) => write!(f, "{file}, line {line}"),
            Self::File(file) => f.write_str(file),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Default => f.write_str("configuration"),
        }
    }
}

/// One thing that is wrong: where, which setting, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub at: Place,
    /// The rest of the sentence, which names the setting.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}.", self.at, self.text)
    }
}

/// A configuration that cannot be used, with everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    problems: Vec<Problem>,
    /// What it says of the log all the same, where it says anything.
    log: Option<Log>,
}

impl Broken {
    pub(crate) fn new(problems: Vec<Problem>) -> Self {
        Self {
            problems,
            log: None,
        }
    }

    pub(crate) fn one(at: Place, text: impl Into<String>) -> Self {
        Self::new(vec![Problem {
            at,
            text: text.into(),
        }])
    }

    /// What is wrong, in the order of the settings.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How to log what is wrong, if the operator chose.
    pub const fn log(&self) -> Option<Log> {
        self.log
    }

    pub(crate) fn logged_as(mut self, log: Option<Log>) -> Self {
        self.log = log;
        self
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Broken {}
