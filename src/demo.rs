//! The demo.

use crate::clock::Clock;
use std::net::SocketAddr;
use std::path::PathBuf;

/// How the demo is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the portal listens.
    pub portal: SocketAddr,
    /// Where the gate listens.
    pub gate: SocketAddr,
    /// Whether it sends requests of its own.
    pub traffic: bool,
    /// Whether it prints one line of JSON.
    pub json: bool,
    /// The folder that it is kept in.
    pub data: Option<PathBuf>,
}

/// Why the demo does not start.
#[derive(Debug, thiserror::Error)]
#[error("The demo is not here yet.")]
pub struct Error;

/// Runs it.
pub fn run(_options: Options, _clock: Clock) -> Result<(), Error> {
    Err(Error)
}
