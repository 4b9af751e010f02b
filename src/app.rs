//! Builds everything from the configuration, for `main` and for the tests: the store, the gate, both listeners.
//!
//! Must not know where the configuration came from, nor what a page or a verdict is.

pub mod backup;
mod listen;
mod open_files;
mod presence;
mod serve;
mod settings;

use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use actix_server::Server;

use crate::clock::Clock;
use crate::config::master_key::{MasterKeyError, MasterKeys};
use crate::config::{Config, Database};
use crate::gate::{Gate, StartError};
use crate::jobs::{Jobs, Postman};
use crate::mail::MailerError;
use crate::metrics::{Process, Registry};
use crate::portal;
use crate::seal::{Seal, SealError};
use crate::store::keys::{self, Sealed};
use crate::store::{self, DatabaseUrl, Db, OpenError, check, migrate, products, scope};
use crate::web::Shared;
use crate::web::counts::Counts;
use listen::Bound;
use presence::Presence;

/// Why the application does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data folder cannot be made.
    #[error("The data folder {folder} cannot be made: {why}.")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system said.
        why: io::Error,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The master key cannot be read.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The secrets that can be read again cannot be looked at.
    #[error("The secrets that can be read again cannot be looked at: {0}")]
    Sealed(#[source] store::Error),
    /// A master key is gone that secrets are sealed with.
    #[error(
        "Secrets are sealed with the master key {0}, which is not in the master key file. Put its line back, or restore the file."
    )]
    SealingKey(String),
    /// The list of breached passwords cannot be used.
    #[error("The breached passwords in {file} cannot be used: {why}.")]
    Breached {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: io::Error,
    },
    /// The gate cannot start.
    #[error("The gate cannot start: {0}.")]
    Gate(#[from] StartError),
    /// The products of the configuration cannot be added.
    #[error("The products of the configuration cannot be added: {0}")]
    Products(store::Error),
    /// An address cannot be bound.
    #[error("{what} cannot listen on {address}: {why}. Is another Latchkey running there?")]
    Bind {
        /// Which listener.
        what: &'static str,
        /// Where.
        address: String,
        /// What the system said.
        why: io::Error,
    },
    /// The portal's own address is none.
    #[error("The portal's address cannot be used: {0}.")]
    PublicUrl(String),
    /// The mail server's address is none.
    #[error(transparent)]
    Mailer(#[from] MailerError),
    /// The server or a thread cannot be started.
    #[error("The server cannot start: {0}.")]
    Server(#[from] io::Error),
}

/// Which listeners to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The one for people.
    pub portal: bool,
    /// The one for gateways.
    pub gate: bool,
}

impl Parts {
    /// Both.
    pub const BOTH: Self = Self {
        portal: true,
        gate: true,
    };
}

/// Everything, built and bound, before it serves.
pub struct Application {
    db: Db,
    jobs: Jobs,
    postman: Option<Postman>,
    presence: Option<Presence>,
    portal: Option<(Bound, Shared)>,
    gate: Option<(Bound, Gate)>,
    portal_url: String,
    gate_url: String,
}

/// Where the configuration says that the database is.
fn database_url(config: &Config) -> DatabaseUrl {
    match &config.database {
        Database::Sqlite(path) => DatabaseUrl::Sqlite(path.clone()),
        Database::Postgres(url) => DatabaseUrl::Postgres(url.clone()),
    }
}

/// Opens the database. A SQLite file is made and brought to this version by itself; PostgreSQL, which other nodes may be
/// using, only when that is asked for.
///
/// # Errors
/// When it cannot be opened, or its schema is not this version's.
pub fn open_database(config: &Config, clock: Clock, may_migrate: bool) -> Result<Db, Error> {
    make_folder(&config.data_dir)?;
    let url = database_url(config);
    if may_migrate || matches!(url, DatabaseUrl::Sqlite(_)) {
        migrate::run(&url)?;
    }
    let settings = store::Settings {
        sends_mail: config.mail.is_some(),
        ..store::Settings::default()
    };
    Ok(Db::open_with(&url, clock, settings)?)
}

/// What is wrong with the structure of a SQLite file, if anything.
///
/// # Errors
/// When it is not there, or cannot be opened.
pub fn damage(config: &Config) -> store::Result<Option<String>> {
    check::structure(&database_url(config))
}

/// Brings the database to this version, and says how many migrations that took.
///
/// # Errors
/// When it cannot be opened, or is of a newer version.
pub fn migrate(config: &Config) -> Result<usize, Error> {
    make_folder(&config.data_dir)?;
    Ok(migrate::run(&database_url(config))?)
}

/// What can be known of the master key without making one: a file that is there must be usable.
///
/// # Errors
/// When it cannot be read, or others may read it, or PostgreSQL needs one and there is none.
pub fn check_master_key(config: &Config) -> Result<(), Error> {
    let path = config.master_key_path();
    let may_be_made = matches!(config.database, Database::Sqlite(_));
    if !path.exists() && may_be_made {
        return Ok(());
    }
    MasterKeys::load(&path)?;
    Ok(())
}

/// The data folder holds secrets' digests and the master key: it is its owner's alone when we make it.
fn make_folder(folder: &Path) -> Result<(), Error> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|why| Error::Folder {
            folder: folder.display().to_string(),
            why,
        })
}

fn master_keys(config: &Config) -> Result<MasterKeys, Error> {
    let path = config.master_key_path();
    let keys = match config.database {
        // Nodes on one PostgreSQL must share the key, so none of them may make one up.
        Database::Postgres(_) => MasterKeys::load(&path),
        Database::Sqlite(_) => MasterKeys::load_or_create(&path),
    };
    Ok(keys?)
}

/// What seals the secrets that can be read again.
///
/// # Errors
/// When the master key cannot be read.
pub fn secret_seal(config: &Config) -> Result<Seal, Error> {
    Ok(settings::secret_seal(&master_keys(config)?))
}

/// Whether every secret that was sealed can be opened.
fn check_sealing_keys(db: &Db, seal: &Seal) -> Result<(), Error> {
    let used = db
        .read_blocking(keys::sealing_keys)
        .map_err(Error::Sealed)?;
    match used.into_iter().find(|id| !seal.knows(id)) {
        Some(id) => Err(Error::SealingKey(id)),
        None => Ok(()),
    }
}

/// Seals every secret anew that an older master key sealed, while the installation serves; answers how many they were.
///
/// # Errors
/// When there is no master key or no database, or a secret cannot be opened.
pub fn rekey(config: &Config, db: &Db, by: &str) -> Result<usize, Error> {
    let seal = secret_seal(config)?;
    check_sealing_keys(db, &seal)?;
    let operator = scope::operator(by);
    let mut all = 0;
    loop {
        let (seal, operator) = (seal.clone(), operator.clone());
        let done = db.change_blocking(move |change| {
            let in_use = seal.in_use().to_owned();
            keys::rekey(change, &operator, &in_use, |about, bytes| {
                anew(&seal, about, bytes)
            })
        });
        let done = done.map_err(Error::Sealed)?;
        all += done;
        if done == 0 {
            return Ok(all);
        }
    }
}

fn anew(seal: &Seal, about: &str, bytes: &[u8]) -> store::Result<Sealed> {
    let failed = |error: SealError| store::Error::Database(format!("a sealed secret: {error}"));
    let text = seal.open(about, bytes).map_err(failed)?;
    Ok(Sealed {
        by: seal.in_use().to_owned(),
        bytes: seal.seal(about, &text).map_err(failed)?,
    })
}

impl Application {
    /// Binds the listeners, adds the configuration's products, and loads every key.
    ///
    /// # Errors
    /// Whatever keeps it from serving, as a sentence for the operator.
    pub fn build(config: &Config, clock: &Clock, db: Db, parts: Parts) -> Result<Self, Error> {
        let keys = master_keys(config)?;
        check_sealing_keys(&db, &settings::secret_seal(&keys))?;
        let jobs = Jobs::start(db.clone(), clock.clone())?;
        let counts = Arc::new(Counts::new(&portal::routes()));
        let mut measured = measured(&db, &jobs, &counts);
        let portal = bound(parts.portal, "The portal", &config.portal.listen)?;
        let gate = bound(parts.gate, "The gate", &config.gate.listen)?;
        open_files::raise(2 * u64::from(config.limits.connections));
        seed_products(config, &db)?;
        let node = settings::node_facts(config, portal.as_ref(), gate.as_ref(), clock.now());
        let gate_url = settings::gate_url(config, gate.as_ref());
        let portal_url = settings::portal_url(config, portal.as_ref());
        let postman = postman(config, &db, &keys, &portal_url)?;
        if let Some(postman) = &postman {
            measured.add(postman.measured());
        }
        let gate = match gate {
            Some(bound) => {
                let gate_settings = settings::gate(config, &bound, &portal_url, measured);
                Some((
                    bound,
                    Gate::start(db.clone(), clock.clone(), gate_settings)?,
                ))
            }
            None => None,
        };
        let progress = gate.as_ref().map(|(_, gate)| gate.progress());
        let presence =
            node.map(|node| Presence::start(db.clone(), node, progress.unwrap_or_default()));
        let portal = match portal {
            Some(bound) => {
                let shared =
                    settings::shared(config, &db, clock, &keys, &portal_url, &gate_url, counts)?;
                Some((bound, shared))
            }
            None => None,
        };
        Ok(Self {
            db,
            jobs,
            postman,
            presence: presence.transpose()?,
            portal,
            gate,
            portal_url,
            gate_url,
        })
    }

    /// The store.
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// The gate, when it is served.
    pub fn gate(&self) -> Option<&Gate> {
        self.gate.as_ref().map(|(_, gate)| gate)
    }

    /// Where people reach the portal.
    pub fn portal_url(&self) -> &str {
        &self.portal_url
    }

    /// Where gateways reach the gate.
    pub fn gate_url(&self) -> &str {
        &self.gate_url
    }

    /// Serves until the process is told to end (SIGTERM or SIGINT), then finishes what is running and writes what was
    /// counted.
    ///
    /// # Errors
    /// When the server cannot start.
    pub fn run(self, on_ready: impl FnOnce()) -> Result<(), Error> {
        let gate = self.gate().cloned();
        let served = serve::until_told_to_end(self.portal, self.gate, on_ready);
        if let Some(gate) = gate {
            gate.stop();
        }
        drop(self.presence);
        drop(self.postman);
        drop(self.jobs);
        served
    }
}

/// The gate's server alone, on this listener, as [`Application::run`] serves it: for tests that speak to it byte by byte.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve_gate(listener: TcpListener, gate: Gate) -> io::Result<Server> {
    let address = listener.local_addr()?;
    serve::gate_server(Bound::Tcp(listener, address), gate)
}

/// Whoever sends the mails, where there is a mail server. Every node sends, whichever wrote a mail.
fn postman(
    config: &Config,
    db: &Db,
    keys: &MasterKeys,
    portal_url: &str,
) -> Result<Option<Postman>, Error> {
    let Some(mail) = &config.mail else {
        return Ok(None);
    };
    let bag = settings::mail_bag(config, mail, keys, portal_url)?;
    Ok(Some(Postman::start(db.clone(), bag)?))
}

/// Who counts besides the gate.
fn measured(db: &Db, jobs: &Jobs, counts: &Arc<Counts>) -> Registry {
    let mut measured = Registry::default();
    measured.add(Arc::new(Process {
        database: db.kind(),
    }));
    measured.add(Arc::new(db.clone()));
    measured.add(jobs.measured());
    measured.add(Arc::<Counts>::clone(counts));
    measured
}

fn bound(
    wanted: bool,
    what: &'static str,
    listen: &crate::config::Listen,
) -> Result<Option<Bound>, Error> {
    if !wanted {
        return Ok(None);
    }
    let failed = |why| Error::Bind {
        what,
        address: listen.to_string(),
        why,
    };
    Bound::bind(listen).map(Some).map_err(failed)
}

fn seed_products(config: &Config, db: &Db) -> Result<(), Error> {
    let products = settings::products(config);
    let added = db
        .change_blocking(move |change| {
            products::seed(change, &scope::operator("configuration"), &products)
        })
        .map_err(Error::Products)?;
    if added > 0 {
        tracing::info!(
            products.added = added,
            "added products of the configuration"
        );
    }
    Ok(())
}
