//! What every page is served with: the database, the clock, and the operator's settings. The application fills it once; it
//! knows no configuration file.

use std::fmt;
use std::sync::Arc;

use actix_web::cookie::Key;
use ipnet::IpNet;
use latchkey_rules::secret::Prefix;

use crate::clock::Clock;
use crate::seal::Seal;
use crate::store::Db;
use crate::web::breached::Breached;
use crate::web::counts::Counts;
use crate::web::guesses::Guesses;
use crate::web::limits::RequestLimits;
use crate::web::links::Links;
use crate::web::password::Hashing;
use crate::web::public_url::PublicUrl;

/// The operator's name and colours.
#[derive(Clone, Debug)]
pub struct Brand {
    /// The name at the top of each page.
    pub name: String,
    /// A picture beside it.
    pub logo: Option<Logo>,
    /// The style sheet `/brand.css`: the accent as custom properties.
    pub css: String,
}

/// The operator's picture.
#[derive(Clone, Debug)]
pub struct Logo {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// Its media type.
    pub media_type: String,
}

/// Where people get help.
#[derive(Clone, Debug, Default)]
pub struct Support {
    /// A page.
    pub url: Option<String>,
    /// A mail address.
    pub mail: Option<String>,
}

/// Who may sign up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUp {
    /// Everybody.
    Open,
    /// The invited.
    Invite,
    /// Nobody.
    Closed,
}

/// All of it.
#[derive(Clone)]
pub struct Shared {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// The operator's name and colours.
    pub brand: Brand,
    /// Passwords that nobody may choose, where the operator has a list.
    pub breached: Option<Breached>,
    /// Where people get help.
    pub support: Support,
    /// Where people buy more.
    pub sales_url: Option<String>,
    /// The terms of use.
    pub terms_url: Option<String>,
    /// The address of the portal.
    pub public_url: PublicUrl,
    /// The header in which a client sends its secret, as the operator names it.
    pub key_header: String,
    /// The name under which a secret may stand in a query, where a product allows that.
    pub key_query: String,
    /// The environment variable in which the examples keep a secret.
    pub env_var_name: String,
    /// What secrets begin with.
    pub secret_prefix: Prefix,
    /// Who may sign up.
    pub sign_up: SignUp,
    /// How many keys an account may hold.
    pub keys_per_account: i64,
    /// The gate's address as gateways see it, for examples.
    pub gate_url: String,
    /// Signs the cookies.
    pub cookie_key: Key,
    /// Makes and compares password hashes.
    pub hashing: Hashing,
    /// What one client may take.
    pub limits: RequestLimits,
    /// How often passwords may be guessed.
    pub guesses: Guesses,
    /// Proxies whose word on a client's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether a peer on a Unix socket is one of them.
    pub unix_trusted: bool,
    /// Seals secrets that can be read again.
    pub secret_seal: Seal,
    /// Makes the links of mails; without it this installation sends none.
    pub mail: Option<Links>,
    /// What is counted.
    pub counts: Arc<Counts>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The cookie key must not be printed, and the rest says nothing that the configuration does not.
        f.debug_struct("Shared")
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// A cookie's name: bound to the host and to TLS where there is TLS (T-08).
    pub fn cookie_name(&self, name: &str) -> String {
        if self.public_url.is_https() {
            format!("__Host-{name}")
        } else {
            name.to_owned()
        }
    }
}
