//! `latchkey demo`: a believable company in a database of its own, served by the real portal and the real gate.
//!
//! The demo alone keeps secrets and passwords in clear, to print them. It must not be a second way of doing anything:
//! it fills the store by the store's calls and asks the gate by its listener.

mod callers;
mod catalogue;
mod company;
mod counted;
mod drawn;
mod facts;
mod fixture;
mod folder;
mod history;
mod keys;
mod past;
mod people;
mod printed;
mod products;
mod rhythm;
mod traffic;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use latchkey_rules::secret::Prefix;

use crate::app::{self, Application, Parts};
use crate::clock::Clock;
use crate::config::{Broken, Config, Database, Listen, LogLevel};
use crate::store::products::{self as stored, NewProduct};
use crate::store::{self, scope};
use facts::Kept;
use folder::Folder;
use traffic::Traffic;

/// The file that keeps what the database does not: secrets and passwords in clear.
const KEPT_FILE: &str = "demo.json";

/// How the demo was asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the portal listens.
    pub portal: SocketAddr,
    /// Where the gate listens.
    pub gate: SocketAddr,
    /// Whether the demo sends requests of its own.
    pub traffic: bool,
    /// Whether it prints one line of JSON instead of text.
    pub json: bool,
    /// The folder that keeps the demo; without one it goes when the demo ends.
    pub data: Option<PathBuf>,
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Others could reach a listener, or nobody knows its port yet.
    #[error(
        "The demo prints its passwords, so it listens on this machine alone, at ports that are named: {0} is none of these. Name one such as 127.0.0.1:8080."
    )]
    Address(SocketAddr),
    /// The folder cannot be made.
    #[error("The demo's folder{named} cannot be made: {why}.")]
    Folder {
        /// Which folder, with a space before it.
        named: String,
        /// What the system said.
        why: io::Error,
    },
    /// The folder holds something else.
    #[error(
        "{folder} holds a database, but no {KEPT_FILE} of a demo. Name an empty folder, or one that a demo has made."
    )]
    NotADemo {
        /// The folder.
        folder: String,
    },
    /// The file of secrets cannot be read or written.
    #[error("{file} cannot be read or written: {why}.")]
    Kept {
        /// The file.
        file: String,
        /// What the system said.
        why: io::Error,
    },
    /// The configuration cannot be made.
    #[error(transparent)]
    Config(#[from] Broken),
    /// The application cannot be built.
    #[error(transparent)]
    App(#[from] app::Error),
    /// The store refused something.
    #[error("The demo's database cannot be filled: {0}")]
    Store(#[from] store::Error),
    /// The tables hold something that the rules do not take.
    #[error("The demo's tables do not hold: {0}")]
    Table(String),
    /// The passwords cannot be hashed.
    #[error("The passwords of the demo's people cannot be hashed.")]
    Hashing,
}

impl Error {
    fn table(error: impl std::fmt::Display) -> Self {
        Self::Table(error.to_string())
    }
}

/// Makes the demo, or goes on with the one in the folder, and serves until the process is told to end.
///
/// # Errors
/// Whatever keeps it from serving, as a sentence.
pub fn run(options: &Options, clock: &Clock) -> Result<(), Error> {
    keep_to_this_machine(options)?;
    let folder = Folder::open(options.data.as_deref()).map_err(|why| Error::Folder {
        named: options
            .data
            .as_ref()
            .map_or_else(String::new, |path| format!(" {}", path.display())),
        why,
    })?;
    let config = config(options, &folder)?;
    let products = catalogue::products(options.gate)?;
    let kept = prepared(&config, &products, clock)?;
    let db = app::open_database(&config, clock.clone(), true)?;
    let application = Application::build(&config, clock, db, Parts::BOTH)?;
    let (portal, gate) = (application.portal_url(), application.gate_url());
    let text = if options.json {
        let line = kept.line(portal, gate, catalogue::lines(&products), clock.now());
        printed::json(&line)
    } else {
        printed::for_people(&kept, options, portal, gate, &folder)
    };
    let mut traffic = None;
    application.run(|| {
        printed::out(&text);
        if options.traffic {
            traffic = traffic_to(options.gate, &kept);
        }
    })?;
    drop(traffic);
    Ok(())
}

fn keep_to_this_machine(options: &Options) -> Result<(), Error> {
    let is_off = |address: &&SocketAddr| !address.ip().is_loopback() || address.port() == 0;
    let off = [options.portal, options.gate].iter().find(is_off).copied();
    off.map_or(Ok(()), |address| Err(Error::Address(address)))
}

/// A demo without traffic is still a demo.
fn traffic_to(gate: SocketAddr, kept: &Kept) -> Option<Traffic> {
    match Traffic::start(kept, gate) {
        Ok(traffic) => Some(traffic),
        Err(error) => {
            tracing::warn!(%error, "the demo sends no traffic: no thread can be started");
            None
        }
    }
}

/// The defaults, with the company's name and the addresses that were asked for. Neither file nor environment is read.
fn config(options: &Options, folder: &Folder) -> Result<Config, Error> {
    let mut config = Config::defaults(folder.path().to_owned())?;
    config.portal.listen = Listen::Tcp(options.portal);
    config.gate.listen = Listen::Tcp(options.gate);
    company::BRAND.clone_into(&mut config.brand.name);
    config.support.mail = Some(company::SUPPORT.to_owned());
    config.log.level = LogLevel::Warn;
    Ok(config)
}

/// What the folder's demo keeps; when there is none, a new one.
fn prepared(config: &Config, products: &[NewProduct], clock: &Clock) -> Result<Kept, Error> {
    let file = config.data_dir.join(KEPT_FILE);
    let failed = |why| Error::Kept {
        file: file.display().to_string(),
        why,
    };
    if let Some(kept) = Kept::read(&file).map_err(failed)? {
        relocated(config, products, clock)?;
        return Ok(kept);
    }
    if let Database::Sqlite(path) = &config.database
        && path.exists()
    {
        let folder = config.data_dir.display().to_string();
        return Err(Error::NotADemo { folder });
    }
    let kept = filled(config, products, clock)?;
    kept.write(&file).map_err(failed)?;
    Ok(kept)
}

fn filled(config: &Config, products: &[NewProduct], clock: &Clock) -> Result<Kept, Error> {
    let now = clock.now();
    let (moved, hand) = Clock::movable(now);
    let db = app::open_database(config, moved, true)?;
    let people = people::everybody()?;
    let drawn = drawn::draw(now, &Prefix::default());
    let kept = Kept {
        people: people::lines(),
        keys: drawn.iter().map(drawn::Drawn::kept).collect(),
    };
    let products = products.to_vec();
    let seal = app::secret_seal(config)?;
    db.change_blocking(move |change| {
        fixture::fill(change, &hand, now, &products, &people, &drawn, &seal)
    })?;
    Ok(kept)
}

/// A demo that goes on may have its gate elsewhere: the products' own routes and sample requests follow it.
fn relocated(config: &Config, products: &[NewProduct], clock: &Clock) -> Result<(), Error> {
    let db = app::open_database(config, clock.clone(), true)?;
    let products = products.to_vec();
    db.change_blocking(move |change| {
        let operator = scope::operator("demo");
        for product in &products {
            stored::relocate(change, &operator, product)?;
        }
        Ok(())
    })?;
    Ok(())
}

#[cfg(test)]
mod tests;
