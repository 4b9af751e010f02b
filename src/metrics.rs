//! Counting, and the page on which Prometheus reads it. Whoever counts describes its families as constants and writes
//! them itself; the application gathers the writers.
//!
//! It must not know who counts, or what. A label's values come from lists that are closed when the process starts.

mod family;
mod histogram;
mod page;
mod process;
mod words;

use std::sync::Arc;

pub use family::{Family, Kind};
pub use histogram::Histogram;
pub use page::{Page, Samples, Value};
pub use process::Process;
pub use words::Words;

/// Somebody who counts.
pub trait Measured: Send + Sync {
    /// Writes what was counted, each family once.
    fn write(&self, page: &mut Page);
}

/// Those who count in this process. Clones share them.
#[derive(Clone, Default)]
pub struct Registry(Vec<Arc<dyn Measured>>);

impl Registry {
    /// Adds one.
    pub fn add(&mut self, measured: Arc<dyn Measured>) {
        self.0.push(measured);
    }

    /// What all of them counted.
    pub fn write(&self, page: &mut Page) {
        for measured in &self.0 {
            measured.write(page);
        }
    }
}
