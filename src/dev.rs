//! `latchkey dev`: an empty database filled with as many keys as are wanted, for measuring, and the list of the portal's
//! routes, for tests that visit them all.
//!
//! It must not touch a database that anybody uses.

use std::fmt;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use latchkey_rules::access::Access;
use latchkey_rules::billing::Tier;
use latchkey_rules::environment::{Environment, EnvironmentSet};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::limit::Bounds;
use latchkey_rules::name::{DisplayName, KeyName};
use latchkey_rules::product::{HostPattern, KeyInQuery, PathPrefix, RouteFacts};
use latchkey_rules::secret::{Prefix, Secret};
use latchkey_rules::slug::Slug;
use latchkey_rules::time::DAY_MS;

use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::portal;
use crate::store::accounts::{self, NewAccount};
use crate::store::keys::NewSecret;
use crate::store::products::{self, NewProduct, Sample};
use crate::store::seed::{self, SeedKey};
use crate::store::{self, Change, Db, scope};

/// Keys in an account, unless another number is asked for.
pub const KEYS_EACH: u32 = 100;

/// Accounts in a transaction: large enough to be quick, small enough to end well before the store's patience.
const ACCOUNTS_AT_ONCE: usize = 50;

/// The product that every key is good for, so that one line of requests serves for all of them.
const EVERYBODYS: &str = "maps";

/// The other products; each account's keys are good for one of them.
const OTHERS: [&str; 2] = ["search", "routing"];

/// Where the products are: behind a proxy, and on the gate's own address for whoever asks it by the path.
const HOSTS: [&str; 3] = ["seed.example", "127.0.0.1", "localhost"];

/// What is to be made.
#[derive(Clone, Debug)]
pub struct Wish {
    /// How many keys.
    pub keys: u32,
    /// How many of them in an account.
    pub keys_each: u32,
    /// How many days of activity behind each key, an hour of each day.
    pub days: u16,
    /// Where the secrets go, one a line.
    pub out: PathBuf,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Seeded {
    /// How many keys.
    pub keys: u32,
    /// In how many accounts.
    pub accounts: usize,
    /// How long it took.
    pub took: Duration,
    /// Where their secrets stand.
    pub out: PathBuf,
}

impl fmt::Display for Seeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Made {} keys in {} accounts in {:.1} s. Their secrets stand in {}, one a line.",
            self.keys,
            self.accounts,
            self.took.as_secs_f64(),
            self.out.display()
        )
    }
}

/// Why nothing, or not everything, was made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be opened.
    #[error(transparent)]
    App(#[from] app::Error),
    /// Somebody uses it.
    #[error("The database holds accounts already. Seed an empty one.")]
    NotEmpty,
    /// The file of secrets cannot be written.
    #[error("{file} cannot be written: {why}.")]
    Out {
        /// The file.
        file: String,
        /// What the system said.
        why: io::Error,
    },
    /// The store refused something.
    #[error("The database cannot be filled: {0}")]
    Store(#[from] store::Error),
}

/// The portal's routes, one a line: method, path, and the least role that may use it.
pub fn routes() -> String {
    let lines: Vec<String> = portal::routes()
        .iter()
        .map(|route| format!("{} {} {:?}", route.method, route.path, route.who))
        .collect();
    lines.join("\n")
}

/// Fills the configuration's database, which must hold no account.
///
/// # Errors
/// When the database is not empty or cannot be written, or the file cannot.
pub fn seed(config: &Config, wish: &Wish, clock: &Clock) -> Result<Seeded, Error> {
    let started = clock.monotonic();
    let db = app::open_database(config, clock.clone(), true)?;
    if !db.read_blocking(|reader| seed::is_empty(reader, &operator()))? {
        return Err(Error::NotEmpty);
    }
    db.change_blocking(|change| {
        products::seed(change, &operator(), &new_products()?)?;
        accounts::set_bounds(change, &operator(), PLAN, &AMPLE)
    })?;
    let failed = |why| Error::Out {
        file: wish.out.display().to_string(),
        why,
    };
    let mut file = create(&wish.out).map_err(failed)?;
    let batches = batches(wish.keys, wish.keys_each);
    let mut accounts = 0;
    for some in batches.chunks(ACCOUNTS_AT_ONCE) {
        let lines = fill(&db, &config.secret_prefix, accounts, some)?;
        file.write_all(lines.as_bytes()).map_err(failed)?;
        accounts += some.len();
    }
    file.flush().map_err(failed)?;
    count(&db, accounts, wish.days, clock)?;
    Ok(Seeded {
        keys: wish.keys,
        accounts,
        took: clock.monotonic().saturating_sub(started),
        out: wish.out.clone(),
    })
}

/// Puts activity behind every key, the oldest day first.
fn count(db: &Db, accounts: usize, days: u16, clock: &Clock) -> Result<(), Error> {
    let now = clock.now();
    for day in (0..i64::from(days)).rev() {
        for number in 1..=accounts {
            let (slug, at) = (slug_of(number), now.plus_ms(-day * DAY_MS));
            db.batch_blocking(move |writer| {
                seed::activity(writer, &operator(), &slug, EVERYBODYS, at)
            })?;
        }
    }
    Ok(())
}

/// The plan of all accounts.
const PLAN: &str = "enterprise";
/// Limits that are looked at with every request, as those of any plan, and never reached.
const AMPLE: Bounds = Bounds {
    per_second: None,
    per_minute: Some(60_000_000),
    burst: Some(1_000_000),
    per_day: Some(1_000_000_000_000),
};

fn slug_of(number: usize) -> String {
    format!("seed-{number}")
}

fn operator() -> scope::OperatorScope {
    scope::operator("dev seed")
}

/// The file, its owner's alone.
fn create(out: &Path) -> io::Result<BufWriter<File>> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(out)?;
    // One that was there keeps the mode that it had.
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(BufWriter::new(file))
}

/// How many keys each account gets.
fn batches(keys: u32, keys_each: u32) -> Vec<u32> {
    let mut left = keys;
    let mut batches = Vec::new();
    while left > 0 {
        let some = left.min(keys_each.max(1));
        batches.push(some);
        left -= some;
    }
    batches
}

/// Makes some accounts with their keys in one transaction, and gives back the secrets, one a line.
fn fill(db: &Db, prefix: &Prefix, first: usize, batches: &[u32]) -> Result<String, Error> {
    let mut lines = String::new();
    let mut all = Vec::with_capacity(batches.len());
    for (number, keys) in (first + 1..).zip(batches) {
        let mut made = Vec::new();
        for key in 1..=*keys {
            made.push(new_key(prefix, key, &mut lines)?);
        }
        all.push((number, made));
    }
    db.change_blocking(move |change| {
        for (number, keys) in all {
            account(change, number, &keys)?;
        }
        Ok(())
    })?;
    Ok(lines)
}

fn new_key(prefix: &Prefix, number: u32, lines: &mut String) -> Result<SeedKey, store::Error> {
    let mut rng = rand::rng();
    let secret = Secret::generate(prefix, Environment::Live, &mut rng);
    lines.push_str(secret.expose());
    lines.push('\n');
    Ok(SeedKey {
        key_id: KeyId::generate(&mut rng),
        name: KeyName::parse(&format!("Key {number}")).map_err(impossible)?,
        environment: Environment::Live,
        access: Access::Write,
        secret: NewSecret {
            digest: secret.digest(),
            prefix: prefix.clone(),
            last4: secret.last4().to_owned(),
            sealed: None,
        },
    })
}

fn account(change: &mut Change<'_>, number: usize, keys: &[SeedKey]) -> store::Result<()> {
    let slug = slug_of(number);
    let new = NewAccount {
        slug: Slug::parse(&slug).map_err(impossible)?,
        name: DisplayName::parse(&format!("Seed {number}")).map_err(impossible)?,
        tier: Tier::Enterprise,
        plan: PLAN.to_owned(),
    };
    accounts::create(change, &operator(), &new)?;
    let other = OTHERS.iter().cycle().nth(number % OTHERS.len());
    let its: Vec<String> = std::iter::once(&EVERYBODYS)
        .chain(other)
        .map(|slug| (*slug).to_owned())
        .collect();
    seed::keys(change, &operator(), &slug, &its, keys)
}

fn new_products() -> store::Result<Vec<NewProduct>> {
    products().map(new_product).collect()
}

fn products() -> impl Iterator<Item = &'static str> {
    std::iter::once(EVERYBODYS).chain(OTHERS)
}

fn new_product(slug: &str) -> store::Result<NewProduct> {
    let prefix = PathPrefix::parse(&format!("/{slug}")).map_err(impossible)?;
    let route = |host: &&str| -> store::Result<RouteFacts> {
        Ok(RouteFacts {
            host: HostPattern::parse(host).map_err(impossible)?,
            prefix: prefix.clone(),
            environments: EnvironmentSet::default(),
        })
    };
    Ok(NewProduct {
        slug: Slug::parse(slug).map_err(impossible)?,
        name: slug.to_owned(),
        kind: "API".to_owned(),
        docs_url: None,
        sample: Sample::default(),
        key_in_query: KeyInQuery::Browser,
        needs_token: false,
        per_second: None,
        recoverable: false,
        needs: Vec::new(),
        routes: HOSTS.iter().map(route).collect::<store::Result<_>>()?,
        admin_prefixes: Vec::new(),
        scopes: Vec::new(),
    })
}

/// What stands in this file is taken by the rules, as its test says.
fn impossible(error: impl fmt::Display) -> store::Error {
    store::Error::Database(format!("what is seeded does not hold: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{Ask, AskedKey, Gate, GateSettings};
    use latchkey_rules::code::Code;
    use latchkey_rules::verdict::{Asked, Caller, Target};

    fn config(folder: &Path) -> Config {
        Config::defaults(folder.join("data")).unwrap()
    }

    fn wish(keys: u32, out: &Path) -> Wish {
        Wish {
            keys,
            keys_each: KEYS_EACH,
            days: 2,
            out: out.to_owned(),
        }
    }

    #[test]
    fn each_line_is_the_secret_of_a_key_that_opens() {
        let folder = tempfile::tempdir().unwrap();
        let (config, out) = (config(folder.path()), folder.path().join("secrets"));
        let clock = Clock::system();
        let seeded = seed(&config, &wish(250, &out), &clock).unwrap();
        assert_eq!((seeded.keys, seeded.accounts), (250, 3));
        let lines = std::fs::read_to_string(&out).unwrap();
        assert_eq!(lines.lines().count(), 250);
        let db = app::open_database(&config, clock.clone(), true).unwrap();
        let settings = GateSettings::local(config.data_dir.clone(), "http://127.0.0.1:8080");
        let gate = Gate::start(db, clock, settings).unwrap();
        for secret in lines.lines() {
            let codes: Vec<Code> = products()
                .map(|slug| {
                    let asked = Asked {
                        target: Target::Slug(slug),
                        method: "GET",
                        caller: &Caller::NOBODY,
                    };
                    let key = AskedKey::Text(secret);
                    let ask = Ask {
                        key,
                        asked,
                        cost: 1,
                        is_plain: false,
                        counted: false,
                    };
                    gate.judge(&ask, &mut |judged| judged.code)
                })
                .collect();
            assert_eq!(codes.first(), Some(&Code::Valid));
            assert_eq!(codes.iter().filter(|code| code.is_allow()).count(), 2);
        }
        gate.stop();
    }

    #[test]
    fn a_database_in_use_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (config, out) = (config(folder.path()), folder.path().join("secrets"));
        seed(&config, &wish(1, &out), &Clock::system()).unwrap();
        let before = std::fs::read(&out).unwrap();
        let again = seed(&config, &wish(1, &out), &Clock::system());
        assert!(matches!(again, Err(Error::NotEmpty)));
        assert_eq!(std::fs::read(&out).unwrap(), before);
    }

    #[test]
    fn the_file_of_secrets_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("secrets");
        std::fs::write(&out, "of somebody else").unwrap();
        let config = config(folder.path());
        seed(&config, &wish(2, &out), &Clock::system()).unwrap();
        let mode = std::fs::metadata(&out).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(&out).unwrap().lines().count(), 2);
    }
}
