//! A migrated database of its own for each test, on either server, and short ways to fill it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use latchkey::clock::{Clock, Hand};
use latchkey::store::accounts::NewAccount;
use latchkey::store::keys::{Key, KeyTerms, NewKey, NewSecret};
use latchkey::store::products::{NewProduct, Sample};
use latchkey::store::scope::{self, AccountScope, OperatorScope, RequestFacts, StaffScope};
use latchkey::store::users::{NewUser, Person, UserHandle};
use latchkey::store::{
    Change, DatabaseUrl, Db, Error, Settings, accounts, keys, migrate, products, users,
};
use latchkey_rules::access::Access;
use latchkey_rules::billing::Tier;
use latchkey_rules::email::Email;
use latchkey_rules::environment::{Environment, EnvironmentSet};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::name::{DisplayName, KeyName};
use latchkey_rules::product::{HostPattern, KeyInQuery, PathPrefix, ResourceScope, RouteFacts};
use latchkey_rules::role::{Role, StaffRole};
use latchkey_rules::secret::{Digest, Prefix};
use latchkey_rules::slug::Slug;
use latchkey_rules::time::Millis;

use crate::postgres::{OwnDatabase, server};

/// 2026-11-21T10:15:00Z, a quarter past an hour.
pub(crate) const START: Millis = Millis(1_795_256_100_000);

/// Writes each test once and runs it on both databases.
macro_rules! on_both {
    ($( $(#[$meta:meta])* fn $name:ident($store:ident) $body:block )+) => { $(
        fn $name($store: &crate::place::Store) $body

        mod $name {
            $(#[$meta])*
            fn on_sqlite() {
                super::$name(&crate::place::Store::sqlite());
            }

            $(#[$meta])*
            fn on_postgresql() {
                if let Some(store) = crate::place::Store::postgres() {
                    super::$name(&store);
                }
            }
        }
    )+ };
}

/// A store on a database of its own, with a clock that stands still.
pub(crate) struct Store {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) hand: Hand,
    pub(crate) url: DatabaseUrl,
    pub(crate) operator: OperatorScope,
    _kept: Kept,
}

enum Kept {
    File(#[expect(dead_code, reason = "it is held for its Drop")] tempfile::TempDir),
    Server(#[expect(dead_code, reason = "it is held for its Drop")] OwnDatabase),
}

impl Store {
    pub(crate) fn sqlite() -> Self {
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
        Self::open(DatabaseUrl::Sqlite(file), Kept::File(dir))
    }

    pub(crate) fn postgres() -> Option<Self> {
        let server = server()?;
        let own = OwnDatabase::migrated(server);
        Some(Self::open(own.url.clone(), Kept::Server(own)))
    }

    fn open(url: DatabaseUrl, kept: Kept) -> Self {
        let (clock, hand) = Clock::movable(START);
        let db = Db::open(&url, clock.clone()).unwrap();
        Self {
            db,
            clock,
            hand,
            url,
            operator: scope::operator("test"),
            _kept: kept,
        }
    }

    /// A second handle on the same database, with numbers of its own.
    pub(crate) fn again(&self, settings: Settings) -> Db {
        Db::open_with(&self.url, self.clock.clone(), settings).unwrap()
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.url, DatabaseUrl::Sqlite(_))
    }

    pub(crate) fn change<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Change<'_>, &OperatorScope) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let operator = self.operator.clone();
        self.db.change_blocking(move |change| f(change, &operator))
    }

    /// Runs statements past the store.
    pub(crate) fn sql(&self, statements: &str) {
        self.try_sql(statements).unwrap();
    }

    pub(crate) fn try_sql(&self, statements: &str) -> diesel::QueryResult<()> {
        match self.raw() {
            Raw::Sqlite(mut conn) => conn.batch_execute(statements),
            Raw::Postgres(mut conn) => conn.batch_execute(statements),
        }
    }

    /// The number that a query calls `n`.
    pub(crate) fn number(&self, query: &'static str) -> i64 {
        #[derive(QueryableByName)]
        struct Number {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        let found: Number = match self.raw() {
            Raw::Sqlite(mut conn) => sql_query(query).get_result(&mut conn).unwrap(),
            Raw::Postgres(mut conn) => sql_query(query).get_result(&mut conn).unwrap(),
        };
        found.n
    }

    /// The texts that a query calls `t`.
    pub(crate) fn texts(&self, query: &'static str) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Found {
            #[diesel(sql_type = Text)]
            t: String,
        }
        let found: Vec<Found> = match self.raw() {
            Raw::Sqlite(mut conn) => sql_query(query).load(&mut conn).unwrap(),
            Raw::Postgres(mut conn) => sql_query(query).load(&mut conn).unwrap(),
        };
        found.into_iter().map(|found| found.t).collect()
    }

    pub(crate) fn raw(&self) -> Raw {
        match &self.url {
            DatabaseUrl::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
                conn.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON;")
                    .unwrap();
                Raw::Sqlite(conn)
            }
            DatabaseUrl::Postgres(url) => Raw::Postgres(PgConnection::establish(url).unwrap()),
        }
    }

    pub(crate) fn account(&self, slug: &str) {
        self.account_of(slug, Tier::SelfServe, "free");
    }

    pub(crate) fn account_of(&self, slug: &str, tier: Tier, plan: &str) {
        let new = NewAccount {
            slug: Slug::parse(slug).unwrap(),
            name: DisplayName::parse(&format!("The {slug} company")).unwrap(),
            tier,
            plan: plan.to_owned(),
        };
        self.change(move |change, operator| accounts::create(change, operator, &new))
            .unwrap();
    }

    pub(crate) fn user(&self, email: &str, staff: Option<StaffRole>) -> UserHandle {
        self.user_in(email, staff, None)
    }

    fn user_in(
        &self,
        email: &str,
        staff: Option<StaffRole>,
        member_of: Option<(Slug, Role)>,
    ) -> UserHandle {
        let new = NewUser {
            name: DisplayName::parse("Ada Lovelace").unwrap(),
            email: Email::parse(email).unwrap(),
            staff,
            member_of,
            password_hash: Some("$argon2id$test".to_owned()),
        };
        self.change(move |change, operator| users::create_user(change, operator, &new))
            .unwrap()
    }

    pub(crate) fn person(&self, handle: UserHandle) -> Person {
        self.db
            .read_blocking(move |reader| users::person(reader, &handle))
            .unwrap()
    }

    /// A new member of this account, and their scope.
    pub(crate) fn member(&self, email: &str, slug: &str, role: Role) -> AccountScope {
        let slug = Slug::parse(slug).unwrap();
        let handle = self.user_in(email, None, Some((slug.clone(), role)));
        let person = self.person(handle);
        self.db
            .read_blocking(move |reader| {
                scope::account(reader, &person, slug.as_str(), role, request())
            })
            .unwrap()
    }

    pub(crate) fn staff(&self, email: &str, role: StaffRole) -> StaffScope {
        let handle = self.user(email, Some(role));
        scope::staff(&self.person(handle), role, request()).unwrap()
    }

    pub(crate) fn product(&self, slug: &str, host: &str, path: &str) {
        let new = product(slug, host, path);
        self.change(move |change, operator| products::add(change, operator, &new))
            .unwrap();
    }

    pub(crate) fn try_key(&self, scope: &AccountScope, new: NewKey) -> Result<Key, Error> {
        let scope = scope.clone();
        self.db
            .change_blocking(move |change| keys::create(change, &scope, &new))
    }

    pub(crate) fn key(&self, scope: &AccountScope, name: &str, products: &[&str]) -> Key {
        self.try_key(scope, new_key(name, products)).unwrap()
    }
}

pub(crate) enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

pub(crate) fn request() -> RequestFacts {
    RequestFacts {
        ip: Some([192, 0, 2, 7].into()),
        request_id: "req_test".to_owned(),
    }
}

pub(crate) fn product(slug: &str, host: &str, path: &str) -> NewProduct {
    NewProduct {
        slug: Slug::parse(slug).unwrap(),
        name: format!("The {slug} API"),
        kind: "API".to_owned(),
        docs_url: Some("https://docs.example/".to_owned()),
        sample: Sample {
            method: "GET".to_owned(),
            url: format!("https://{host}{path}"),
            expect: "JSON".to_owned(),
        },
        key_in_query: KeyInQuery::Browser,
        needs_token: false,
        per_second: None,
        recoverable: false,
        needs: Vec::new(),
        routes: vec![RouteFacts {
            host: HostPattern::parse(host).unwrap(),
            prefix: PathPrefix::parse(path).unwrap(),
            environments: EnvironmentSet::ANY
                .with(Environment::Live)
                .with(Environment::Test),
        }],
        admin_prefixes: vec![PathPrefix::parse("/admin").unwrap()],
        scopes: parts(slug),
    }
}

/// Maps has two parts.
fn parts(slug: &str) -> Vec<ResourceScope> {
    let part = |slug: &str, name: &str, path: &str| ResourceScope {
        slug: Slug::parse(slug).unwrap(),
        name: name.to_owned(),
        prefixes: vec![PathPrefix::parse(path).unwrap()],
    };
    match slug {
        "maps" => vec![
            part("streets", "Streets", "/maps/streets"),
            part("aerial", "Aerial images", "/maps/aerial"),
        ],
        _ => Vec::new(),
    }
}

/// Different for each call.
pub(crate) fn secret() -> NewSecret {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    let number = NUMBER.fetch_add(1, Ordering::SeqCst);
    NewSecret {
        digest: Digest::of(&format!("secret {number}")),
        prefix: Prefix::default(),
        last4: format!("{number:04}").chars().take(4).collect(),
        sealed: None,
    }
}

pub(crate) fn new_key(name: &str, products: &[&str]) -> NewKey {
    let key_id = KeyId::generate(&mut rand::rng());
    NewKey {
        key_id,
        kind: KeyKind::Server,
        environment: Environment::Live,
        terms: KeyTerms::plain(
            KeyName::parse(name).unwrap(),
            Access::Write,
            products.iter().map(|&slug| slug.to_owned()).collect(),
        ),
        secret: secret(),
        replaces: None,
        form_id: format!("form of {key_id}"),
        keys_per_account: 100,
    }
}

/// Asks until it is so, for ten seconds.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    #[expect(clippy::disallowed_methods, reason = "a test's own deadline")]
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(10), "never: {what}");
        std::thread::yield_now();
    }
}

/// The text of a file of the repository.
pub(crate) fn source(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
