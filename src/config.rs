//! One configuration: defaults, then the file, then the environment, checked whole before anything starts.
//!
//! Must not know what the settings do. No message repeats a value that may be a secret.

mod accent;
mod mail;
pub mod master_key;
mod near;
mod place;
mod product;
mod read;
mod reading;
mod tree;
mod values;
mod verdict;

use std::path::PathBuf;
use std::sync::Arc;

use latchkey_rules::caller::AddressDetail;
use latchkey_rules::secret::Prefix;

pub use accent::{Accent, SURFACES};
pub use mail::{Mail, SmtpUrl};
pub use near::variable;
pub use place::{Broken, Place, Problem};
pub use product::{ProductEntry, SampleEntry};
pub use read::{Sources, setting_names};
pub use values::{GateToken, Listen, PublicUrl, TrustedProxies};
pub use verdict::VerdictEntry;

/// Everything that an operator can set.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where people reach the portal. Absent when the portal listens on loopback: then that is the address.
    pub public_url: Option<PublicUrl>,
    /// The folder that holds what is kept: the SQLite file, the master key, what could not be written yet.
    pub data_dir: PathBuf,
    /// Where the database is.
    pub database: Database,
    /// What secrets begin with.
    pub secret_prefix: Prefix,
    /// The environment variable that the pages' examples put the secret in.
    pub env_var_name: String,
    /// Who may make an account.
    pub sign_up: SignUp,
    /// How many keys an account may have.
    pub keys_per_account: u32,
    /// The file of the master key; without one it stands in the data folder.
    pub master_key_file: Option<PathBuf>,
    /// A file of the SHA-1 digests of passwords that nobody may choose.
    pub breached_passwords: Option<PathBuf>,
    /// The operator's looks.
    pub brand: Brand,
    /// Where people ask for help.
    pub support: Support,
    /// How mail is sent; without it none is.
    pub mail: Option<Mail>,
    /// Where people ask for more than they can take themselves.
    pub sales_url: Option<String>,
    /// The terms that people agree to by signing up.
    pub terms_url: Option<String>,
    /// The listener for people.
    pub portal: Portal,
    /// The listener for gateways.
    pub gate: Gate,
    /// What one client may take, of requests and of guesses.
    pub limits: Limits,
    /// What is logged, and how.
    pub log: Log,
    /// What is kept of requests.
    pub activity: Activity,
    /// The operator's own words for refusals.
    pub verdicts: Vec<VerdictEntry>,
    /// Products that are added once, when the database has none of that slug.
    pub products: Vec<ProductEntry>,
}

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL connection URL, which may hold a password.
    Postgres(String),
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
            Self::Postgres(_) => f.write_str("Postgres([redacted])"),
        }
    }
}

/// Who may make an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUp {
    /// Anybody.
    Open,
    /// Whoever was invited; acts as closed while there are no invitations.
    Invite,
    /// Nobody: the operator makes accounts.
    Closed,
}

/// The operator's looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    /// The name on every page.
    pub name: String,
    /// The picture beside it.
    pub logo: Option<Logo>,
    /// The one colour of the operator's own.
    pub accent: Option<Accent>,
}

/// A picture that pages show beside the brand's name.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    /// `image/svg+xml`, `image/png` or `image/webp`.
    pub media_type: &'static str,
    /// The file's content.
    pub content: Arc<[u8]>,
}

impl std::fmt::Debug for Logo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Logo({}, {} bytes)", self.media_type, self.content.len())
    }
}

/// Where people ask for help.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Support {
    /// A page.
    pub url: Option<String>,
    /// A mail address.
    pub mail: Option<String>,
}

/// The listener for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portal {
    /// Where it is bound.
    pub listen: Listen,
    /// Peers whose forwarded headers are believed.
    pub trusted_proxies: TrustedProxies,
}

/// The listener for gateways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Where it is bound.
    pub listen: Listen,
    /// Headers in which a key is read, in this order; the first is the one that examples use.
    pub key_headers: Vec<String>,
    /// Query parameters in which a key is read.
    pub key_query: Vec<String>,
    /// Peers whose forwarded headers are believed.
    pub trusted_proxies: TrustedProxies,
    /// After how many seconds without the database known keys are refused too.
    pub max_staleness: u32,
    /// How many requests a minute one address may send with one browser key; 0 for as many as the other limits allow.
    pub per_address: u32,
    /// Tokens that gateways show, at most two at a time.
    pub tokens: Vec<GateToken>,
}

/// What one client may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Seconds to send a request's head.
    pub head_seconds: u32,
    /// Seconds to send its body.
    pub body_seconds: u32,
    /// KiB of a form or of one question to the gate.
    pub body_kib: u32,
    /// KiB of a batch of questions.
    pub batch_kib: u32,
    /// Connections of each listener.
    pub connections: u32,
    /// Wrong passwords in a quarter of an hour that cost no wait.
    pub failed_passwords: u32,
    /// Wrong passwords in a quarter of an hour from one network.
    pub failed_passwords_per_network: u32,
    /// The longest wait after a wrong password, in seconds.
    pub longest_wait: u32,
}

/// What is kept of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity {
    /// How much of the addresses that they come from.
    pub ip: AddressDetail,
}

/// What is logged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// The form of a line.
    pub format: LogFormat,
    /// The least grave lines that are written.
    pub level: LogLevel,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line, for programs.
    Json,
    /// Plain text, for people.
    Text,
}

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// What needs a person.
    Error,
    /// What may need one soon.
    Warn,
    /// What happened.
    Info,
    /// How it happened.
    Debug,
}

impl Config {
    /// Reads the configuration from its sources, or says everything that is wrong with it.
    pub fn load(sources: &Sources) -> Result<Self, Broken> {
        read::config(sources)
    }

    /// The configuration of nobody's choosing: every setting at its default, data in `data_dir`.
    pub fn defaults(data_dir: PathBuf) -> Result<Self, Broken> {
        let mut config = read::config(&Sources::default())?;
        config.database = Database::Sqlite(data_dir.join(read::DATABASE_FILE));
        config.data_dir = data_dir;
        Ok(config)
    }

    /// Where the master key is looked for.
    pub fn master_key_path(&self) -> PathBuf {
        self.master_key_file
            .clone()
            .unwrap_or_else(|| self.data_dir.join("master.key"))
    }
}
