//! The schema's migrations, embedded: one transaction each, under a lock, and never backwards.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use diesel::backend::Backend;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel::{Connection, QueryResult, QueryableByName, RunQueryDsl, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connect::{Role, any};
use super::{Any, DatabaseUrl, OpenError};

const FOR_SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const FOR_POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// One migrates at a time. On SQLite `BEGIN IMMEDIATE` is the lock.
const POSTGRES_LOCK: &str = "SELECT pg_advisory_xact_lock(7811887341232)";

const IN_POSTGRES: &str = "SELECT tablename::TEXT AS name FROM pg_catalog.pg_tables \
     WHERE tablename = '__diesel_schema_migrations' AND schemaname = ANY (current_schemas(false))";
const IN_SQLITE: &str = "SELECT name FROM sqlite_schema WHERE name = '__diesel_schema_migrations'";

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text, column_name = name)]
    _name: String,
}

/// How a database's schema stands to this release's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The same.
    Current,
    /// It lacks so many migrations.
    Behind(usize),
    /// It has a migration, this one, that this release does not know.
    Newer(String),
}

/// How the schema stands. A file that does not exist is not made.
///
/// # Errors
/// When the database does not answer.
pub fn state(url: &DatabaseUrl) -> Result<State, OpenError> {
    if let DatabaseUrl::Sqlite(path) = url
        && !path.exists()
    {
        return Ok(State::Behind(known::<Sqlite>(&FOR_SQLITE).len()));
    }
    let mut conn = any(url, Role::Plain)?;
    let begun = begun(&mut conn).map_err(|error| refused(url, &error.to_string()))?;
    let found = match &mut conn {
        Any::Pg(pg) => compare::<_, Pg>(pg, &FOR_POSTGRES, begun),
        Any::Sqlite(sqlite) => compare::<_, Sqlite>(sqlite, &FOR_SQLITE, begun),
    };
    found.map_err(|why| refused(url, &why))
}

/// Brings the schema up to this release's and says how many migrations that took. A file is made, readable by its
/// owner alone, when there is none.
///
/// # Errors
/// When the database does not answer, a migration fails, or the schema is newer.
pub fn run(url: &DatabaseUrl) -> Result<usize, OpenError> {
    if let DatabaseUrl::Sqlite(path) = url {
        make_file(path).map_err(|error| refused(url, &error.to_string()))?;
    }
    if let State::Newer(version) = state(url)? {
        let database = url.to_string();
        return Err(OpenError::Newer { database, version });
    }
    let mut count = 0;
    let mut conn = any(url, Role::Plain)?;
    loop {
        let went = match &mut conn {
            Any::Pg(pg) => next::<_, Pg>(pg, FOR_POSTGRES, "BEGIN", POSTGRES_LOCK),
            Any::Sqlite(sqlite) => {
                next::<_, Sqlite>(sqlite, FOR_SQLITE, "BEGIN IMMEDIATE", "SELECT 1")
            }
        };
        match went {
            Ok(true) => count += 1,
            Ok(false) => return Ok(count),
            Err(why) => return Err(refused(url, &why)),
        }
    }
}

fn make_file(path: &Path) -> std::io::Result<()> {
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// The next migration in a transaction of its own; `false` when there is none.
fn next<C, DB>(
    conn: &mut C,
    source: EmbeddedMigrations,
    begin: &str,
    lock: &str,
) -> Result<bool, String>
where
    DB: Backend,
    C: Connection<Backend = DB, TransactionManager = AnsiTransactionManager> + MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let text = |error: diesel::result::Error| error.to_string();
    AnsiTransactionManager::begin_transaction_sql(conn, begin).map_err(text)?;
    conn.batch_execute(lock).map_err(text)?;
    let pending = conn.pending_migrations(source).map_err(|e| e.to_string())?;
    let Some(migration) = pending.first() else {
        rollback(conn).map_err(text)?;
        return Ok(false);
    };
    if let Err(error) = conn.run_migration(migration) {
        rollback(conn).map_err(text)?;
        return Err(format!("migration {} failed: {error}", migration.name()));
    }
    AnsiTransactionManager::commit_transaction(conn).map_err(text)?;
    Ok(true)
}

fn rollback<C>(conn: &mut C) -> QueryResult<()>
where
    C: Connection<TransactionManager = AnsiTransactionManager>,
{
    AnsiTransactionManager::rollback_transaction(conn)
}

/// Whether the table of migrations is there. Diesel would make it, and a look must not write.
fn begun(conn: &mut Any) -> QueryResult<bool> {
    let query = match conn {
        Any::Pg(_) => IN_POSTGRES,
        Any::Sqlite(_) => IN_SQLITE,
    };
    let found: Vec<Found> = sql_query(query).load(conn)?;
    Ok(!found.is_empty())
}

fn compare<C, DB>(conn: &mut C, source: &EmbeddedMigrations, begun: bool) -> Result<State, String>
where
    DB: Backend,
    C: Connection<Backend = DB> + MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let known = known::<DB>(source);
    if !begun {
        return Ok(State::Behind(known.len()));
    }
    let applied: Vec<String> = conn
        .applied_migrations()
        .map_err(|error| error.to_string())?
        .iter()
        .map(ToString::to_string)
        .collect();
    if let Some(newer) = applied.iter().filter(|v| !known.contains(v)).min() {
        return Ok(State::Newer(newer.clone()));
    }
    Ok(match known.len() - applied.len() {
        0 => State::Current,
        missing => State::Behind(missing),
    })
}

fn known<DB: Backend>(source: &EmbeddedMigrations) -> Vec<String>
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    let all: Vec<Box<dyn Migration<DB>>> =
        MigrationSource::<DB>::migrations(source).unwrap_or_default();
    all.iter()
        .map(|migration| migration.name().version().to_string())
        .collect()
}

fn refused(url: &DatabaseUrl, why: &str) -> OpenError {
    OpenError::Unreachable {
        database: url.to_string(),
        why: why.trim_end_matches('.').to_owned(),
    }
}
