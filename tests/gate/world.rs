//! A small installation: four products, two accounts, and keys in any state that a test wants.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use latchkey::clock::{Clock, Hand};
use latchkey::gate::{Gate, GateSettings};
use latchkey::store::accounts::NewAccount;
use latchkey::store::activity::ActivityRow;
use latchkey::store::callers::{self, Caller};
use latchkey::store::keys::{ImportKey, ImportSecret, ImportedState};
use latchkey::store::products::{NewProduct, Sample};
use latchkey::store::scope::{self, OperatorScope, RequestFacts, StaffScope};
use latchkey::store::users::NewUser;
use latchkey::store::{
    Change, DatabaseUrl, Db, Result, accounts, activity, keys, migrate, products, users,
};
use latchkey_rules::access::Access;
use latchkey_rules::billing::Tier;
use latchkey_rules::email::Email;
use latchkey_rules::environment::{Environment, EnvironmentSet};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::limit::Bounds;
use latchkey_rules::name::{DisplayName, KeyName};
use latchkey_rules::product::{
    HostPattern, KeyInQuery, PathPrefix, ResourceScope, RouteFacts, ScopeName,
};
use latchkey_rules::role::StaffRole;
use latchkey_rules::secret::{Digest, Prefix, Secret};
use latchkey_rules::slug::Slug;
use latchkey_rules::time::Millis;

use crate::ask::{request, send};

/// 2026-11-21T10:15:00Z, a quarter past an hour.
pub(crate) const START: Millis = Millis(1_795_256_100_000);

/// An installation on a database of its own, with a clock that stands still.
pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) hand: Hand,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) staff: StaffScope,
    file: PathBuf,
}

/// A key that was made, with its secrets; the last is the newest.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) key_id: KeyId,
    pub(crate) secrets: Vec<String>,
}

impl Made {
    /// Its newest secret.
    pub(crate) fn secret(&self) -> &str {
        self.secrets.last().unwrap()
    }
}

/// What a key is to be.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) account: &'static str,
    pub(crate) kind: KeyKind,
    pub(crate) environment: Environment,
    pub(crate) access: Access,
    pub(crate) products: Vec<&'static str>,
    pub(crate) scopes: Vec<&'static str>,
    pub(crate) domains: Vec<&'static str>,
    pub(crate) ips: Vec<&'static str>,
    pub(crate) state: ImportedState,
    /// When each secret ends, the newest last.
    pub(crate) secrets: Vec<Option<Millis>>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            account: "acme",
            kind: KeyKind::Server,
            environment: Environment::Live,
            access: Access::Write,
            products: vec!["maps"],
            scopes: Vec::new(),
            domains: Vec::new(),
            ips: Vec::new(),
            state: ImportedState::default(),
            secrets: vec![None],
        }
    }
}

impl World {
    /// With products and accounts, and no key.
    pub(crate) fn new() -> Self {
        static TEMPLATE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
        let (_, template) = TEMPLATE.get_or_init(|| {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("template.db");
            migrate::run(&DatabaseUrl::Sqlite(file.clone())).unwrap();
            (dir, file)
        });
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("latchkey.db");
        std::fs::copy(template, &file).unwrap();
        let (clock, hand) = Clock::movable(START);
        let db = Db::open(&DatabaseUrl::Sqlite(file.clone()), clock.clone()).unwrap();
        let staff = db.change_blocking(populate).unwrap();
        Self {
            db,
            clock,
            hand,
            dir,
            staff,
            file,
        }
    }

    /// A gate on it, with the settings of one machine.
    pub(crate) fn gate(&self) -> Gate {
        self.gate_with(|_| {})
    }

    pub(crate) fn gate_with(&self, set: impl FnOnce(&mut GateSettings)) -> Gate {
        let mut settings =
            GateSettings::local(self.dir.path().to_path_buf(), "https://portal.example.com");
        set(&mut settings);
        Gate::start(self.db.clone(), self.clock.clone(), settings).unwrap()
    }

    pub(crate) fn change<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Change<'_>, &OperatorScope) -> Result<T> + Send + 'static,
    ) -> T {
        let operator = scope::operator("test");
        self.db
            .change_blocking(move |change| f(change, &operator))
            .unwrap()
    }

    /// Makes a key.
    pub(crate) fn key(&self, wanted: Wanted) -> Made {
        let mut rng = rand::rng();
        let key_id = KeyId::generate(&mut rng);
        let (import, secrets) = import_of(key_id, wanted);
        self.change(move |change, operator| keys::import(change, operator, &import));
        Made { key_id, secrets }
    }

    /// A key without restrictions, for the product `maps`.
    pub(crate) fn plain_key(&self) -> Made {
        self.key(Wanted::default())
    }

    pub(crate) fn disable(&self, key_id: KeyId) {
        self.change(move |change, operator| keys::disable(change, operator, &key_id, "a test"));
    }

    pub(crate) fn enable(&self, key_id: KeyId) {
        self.change(move |change, operator| keys::enable(change, operator, &key_id, None));
    }

    pub(crate) fn suspend(&self, slug: &'static str) {
        self.change(move |change, operator| accounts::suspend(change, operator, slug, "a test"));
    }

    /// The key's counts, as its page shows them.
    pub(crate) fn activity(&self, key_id: KeyId) -> Vec<ActivityRow> {
        let scope = self.staff.clone();
        let (from, to) = (START.plus_secs(-86_400), START.plus_secs(86_400));
        self.db
            .read_blocking(move |reader| {
                activity::of_key_for_staff(reader, &scope, &key_id, from, to)
            })
            .unwrap()
    }

    /// Who called with the key.
    pub(crate) fn callers(&self, key_id: KeyId) -> Vec<Caller> {
        let scope = self.staff.clone();
        self.db
            .read_blocking(move |reader| {
                callers::of_key_for_staff(reader, &scope, &key_id, START.plus_secs(-3_600))
            })
            .unwrap()
    }

    /// All of them together.
    pub(crate) fn counted(&self, key_id: KeyId) -> i64 {
        self.activity(key_id).iter().map(|row| row.count).sum()
    }

    /// Runs statements past the store.
    pub(crate) fn sql(&self, statements: &str) {
        let mut conn = SqliteConnection::establish(self.file.to_str().unwrap()).unwrap();
        conn.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
        conn.batch_execute(statements).unwrap();
    }

    /// The one text that a query calls `text`.
    pub(crate) fn text(&self, query: &str) -> String {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            text: String,
        }
        let mut conn = SqliteConnection::establish(self.file.to_str().unwrap()).unwrap();
        let row: Row = sql_query(query).get_result(&mut conn).unwrap();
        row.text
    }

    /// Takes the change log away: every look at it fails, as with a database that is gone.
    pub(crate) fn lose_the_log(&self) {
        self.sql("ALTER TABLE changes RENAME TO changes_away");
    }

    pub(crate) fn find_the_log(&self) {
        self.sql("ALTER TABLE changes_away RENAME TO changes");
    }
}

fn import_of(key_id: KeyId, wanted: Wanted) -> (ImportKey, Vec<String>) {
    let prefix = Prefix::default();
    let mut texts = Vec::new();
    let secrets = wanted
        .secrets
        .iter()
        .zip(1_i16..)
        .map(|(retires_at, number)| {
            let secret = Secret::generate(&prefix, wanted.environment, &mut rand::rng());
            texts.push(secret.expose().to_owned());
            ImportSecret {
                number,
                digest: secret.digest(),
                prefix: prefix.clone(),
                last4: secret.last4().to_owned(),
                created_at: START,
                retires_at: *retires_at,
                sealed: None,
            }
        });
    let secrets = secrets.collect();
    let texts_of = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    let import = ImportKey {
        account: wanted.account.to_owned(),
        key_id,
        name: KeyName::parse(&key_id.to_string()).unwrap(),
        kind: wanted.kind,
        environment: wanted.environment,
        access: wanted.access,
        products: texts_of(wanted.products),
        scopes: wanted
            .scopes
            .iter()
            .map(|text| ScopeName::parse(text).unwrap())
            .collect(),
        billing: None,
        domains: texts_of(wanted.domains),
        ips: texts_of(wanted.ips),
        any_site: false,
        note: String::new(),
        created_by: "Test".to_owned(),
        created_at: START,
        state: wanted.state,
        secrets,
    };
    (import, texts)
}

fn populate(change: &mut Change<'_>) -> Result<StaffScope> {
    let operator = scope::operator("test");
    for (slug, query, routes, admin) in [
        (
            "maps",
            KeyInQuery::Any,
            vec![("api.example.com", "/maps", EnvironmentSet::ANY)],
            vec!["/maps/admin"],
        ),
        (
            "routing",
            KeyInQuery::Browser,
            vec![("api.example.com", "/maps/routing", EnvironmentSet::ANY)],
            vec![],
        ),
        (
            "tiles",
            KeyInQuery::Browser,
            vec![("*.tiles.example.com", "/", EnvironmentSet::ANY)],
            vec![],
        ),
        (
            "search",
            KeyInQuery::Never,
            vec![
                ("api.example.com", "/search", EnvironmentSet::ANY),
                (
                    "staging.example.com",
                    "/search",
                    EnvironmentSet::ANY.with(Environment::Staging),
                ),
            ],
            vec![],
        ),
    ] {
        products::add(change, &operator, &product(slug, query, &routes, &admin))?;
    }
    for (slug, plan) in [("acme", "free"), ("other", "starter")] {
        let account = NewAccount {
            slug: Slug::parse(slug).unwrap(),
            name: DisplayName::parse(slug).unwrap(),
            tier: Tier::SelfServe,
            plan: plan.to_owned(),
        };
        accounts::create(change, &operator, &account)?;
    }
    // Whoever tests limits sets them.
    for plan in ["free", "starter"] {
        accounts::set_bounds(change, &operator, plan, &Bounds::default())?;
    }
    let admin = NewUser {
        name: DisplayName::parse("Ada").unwrap(),
        email: Email::parse("ada@example.com").unwrap(),
        staff: Some(StaffRole::Admin),
        member_of: None,
        password_hash: None,
    };
    let admin = users::create_user(change, &operator, &admin)?;
    let admin = users::person(change, &admin)?;
    scope::staff(&admin, StaffRole::Admin, RequestFacts::default())
}

fn product(
    slug: &str,
    key_in_query: KeyInQuery,
    routes: &[(&str, &str, EnvironmentSet)],
    admin: &[&str],
) -> NewProduct {
    let route = |(host, path, environments): &(&str, &str, EnvironmentSet)| RouteFacts {
        host: HostPattern::parse(host).unwrap(),
        prefix: PathPrefix::parse(path).unwrap(),
        environments: *environments,
    };
    NewProduct {
        slug: Slug::parse(slug).unwrap(),
        name: slug.to_owned(),
        kind: "API".to_owned(),
        docs_url: None,
        sample: Sample::default(),
        key_in_query,
        needs_token: false,
        per_second: None,
        recoverable: false,
        needs: Vec::new(),
        routes: routes.iter().map(route).collect(),
        admin_prefixes: admin
            .iter()
            .map(|path| PathPrefix::parse(path).unwrap())
            .collect(),
        scopes: parts(slug),
    }
}

/// Maps has two parts.
fn parts(slug: &str) -> Vec<ResourceScope> {
    let part = |slug: &str, paths: &[&str]| ResourceScope {
        slug: Slug::parse(slug).unwrap(),
        name: slug.to_owned(),
        prefixes: paths
            .iter()
            .map(|path| PathPrefix::parse(path).unwrap())
            .collect(),
    };
    match slug {
        "maps" => vec![
            part("streets", &["/maps/streets"]),
            part("places", &["/maps/places", "/maps/names"]),
        ],
        _ => Vec::new(),
    }
}

/// The digest of a token, as settings hold it.
pub(crate) fn digest(text: &str) -> Digest {
    Digest::of(text)
}

/// Waits until the gate has looked at the change log, and so at the clock, from beginning to end.
pub(crate) fn looked_at_the_log(gate: &Gate) {
    let looks = || {
        let page = send(gate, request("GET", "/metrics")).body;
        let line = page
            .lines()
            .find(|line| line.starts_with("latchkey_log_looks_total "));
        line.unwrap().to_owned()
    };
    // The first of two may have begun before.
    for _ in 0..2 {
        let before = looks();
        eventually("a look at the log", || looks() != before);
    }
}

/// Asks again until it is so, for ten seconds at most.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    #[expect(clippy::disallowed_methods, reason = "a test's own deadline")]
    let begin = Instant::now();
    while !is_so() {
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "not within ten seconds: {what}"
        );
        std::thread::park_timeout(Duration::from_millis(2));
    }
}
