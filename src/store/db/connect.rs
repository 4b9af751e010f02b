//! Opens connections, each with the settings that its work wants.

use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{
    Connection, ConnectionError, PgConnection, QueryDsl, QueryResult, RunQueryDsl, SqliteConnection,
};

use super::{Any, DatabaseUrl, Reader, Writer, migrate};
use crate::clock::Clock;
use crate::store::error::{Error, Result, without_values};
use crate::store::schema::installation;

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database does not answer, or refuses us.
    #[error("The database {database} cannot be opened: {why}.")]
    Unreachable {
        /// Its address, without a password.
        database: String,
        /// What it said.
        why: String,
    },
    /// The URL demands TLS, which this build does not speak.
    #[error(
        "The database URL has sslmode={mode}, but this build speaks no TLS to PostgreSQL: use a released binary, build with --features pg-tls, or set sslmode=disable."
    )]
    NoTls {
        /// The mode it demands.
        mode: String,
    },
    /// The schema lacks migrations.
    #[error("The database {database} lacks {count} migrations. Run “latchkey migrate”.")]
    Behind {
        /// Its address.
        database: String,
        /// How many.
        count: usize,
    },
    /// The schema is of a later release.
    #[error(
        "The database {database} was migrated by a newer Latchkey (it has migration {version}, which this one does not know). Start that release, or restore a backup made before."
    )]
    Newer {
        /// Its address.
        database: String,
        /// The first migration that is not known here.
        version: String,
    },
    /// A copy was put in place and not made fit to be served.
    #[error(
        "A restore of the database {database} was begun and did not come to its end. Run “latchkey restore” again."
    )]
    Unsettled {
        /// Its address.
        database: String,
    },
    /// A thread could not be started.
    #[error("A database thread could not be started: {0}.")]
    Thread(std::io::Error),
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Short reads for people and programs.
    Read,
    /// The change log's follower: it reads whole tables at start.
    Follow,
    /// Writes.
    Write,
    /// Migrations and the backup: nothing is set but what holds for all.
    Plain,
}

/// For five seconds together, as for everything else that waits for SQLite.
const SET_UP_TRIES: u32 = 250;
const SET_UP_PAUSE: Duration = Duration::from_millis(20);

/// Opens connections to one database.
#[derive(Clone, Debug)]
pub(super) struct Opener {
    pub(super) url: DatabaseUrl,
    pub(super) clock: Clock,
    pub(super) sends_mail: bool,
}

impl Opener {
    pub(super) fn check(&self) -> Result<(), OpenError> {
        let database = self.url.to_string();
        match migrate::state(&self.url)? {
            migrate::State::Current if self.is_settled()? => Ok(()),
            migrate::State::Current => Err(OpenError::Unsettled { database }),
            migrate::State::Behind(count) => Err(OpenError::Behind { database, count }),
            migrate::State::Newer(version) => Err(OpenError::Newer { database, version }),
        }
    }

    /// A restore marks what it put in place until it is through.
    fn is_settled(&self) -> Result<bool, OpenError> {
        let epoch: QueryResult<i64> = installation::table
            .select(installation::log_epoch)
            .first(&mut any(&self.url, Role::Plain)?);
        epoch
            .map(|epoch| epoch >= 0)
            .map_err(|error| OpenError::Unreachable {
                database: self.url.to_string(),
                why: Error::from(error).to_string(),
            })
    }

    pub(super) fn reader(&self, role: Role) -> Result<Reader> {
        let conn = any(&self.url, role).map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Reader::new(conn, self.clock.clone(), self.sends_mail))
    }

    pub(super) fn writer(&self) -> Result<Writer> {
        Ok(Writer::new(self.reader(Role::Write)?))
    }
}

pub(super) fn any(url: &DatabaseUrl, role: Role) -> Result<Any, OpenError> {
    let unreachable = |why: String| OpenError::Unreachable {
        database: url.to_string(),
        why,
    };
    match url {
        DatabaseUrl::Sqlite(path) => {
            let path = path
                .to_str()
                .ok_or_else(|| unreachable("its path is not UTF-8".to_owned()))?;
            let mut conn =
                SqliteConnection::establish(path).map_err(|error| unreachable(said(&error)))?;
            set_up(&mut conn, role).map_err(|error| unreachable(Error::from(error).to_string()))?;
            Ok(Any::Sqlite(conn))
        }
        DatabaseUrl::Postgres(text) => {
            refuse_tls(url)?;
            let mut conn = PgConnection::establish(&with_timeout(text, url))
                .map_err(|error| unreachable(said(&error)))?;
            conn.batch_execute(postgres_settings(role))
                .map_err(|error| unreachable(Error::from(error).to_string()))?;
            Ok(Any::Pg(conn))
        }
    }
}

/// A new file's change to WAL does not wait for others that make it at the same moment, whatever `busy_timeout` says.
fn set_up(conn: &mut SqliteConnection, role: Role) -> QueryResult<()> {
    for _ in 1..SET_UP_TRIES {
        match conn.batch_execute(sqlite_settings(role)) {
            Err(error) if error.to_string().contains("locked") => thread::sleep(SET_UP_PAUSE),
            other => return other,
        }
    }
    conn.batch_execute(sqlite_settings(role))
}

/// `busy_timeout` stands first: the change to WAL may have to wait for another connection.
const fn sqlite_settings(role: Role) -> &'static str {
    match role {
        Role::Plain | Role::Write => {
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864;"
        }
        Role::Read | Role::Follow => {
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA query_only = ON;"
        }
    }
}

const fn postgres_settings(role: Role) -> &'static str {
    match role {
        Role::Plain => "SET application_name = 'latchkey';",
        Role::Read => {
            "SET application_name = 'latchkey reader'; SET default_transaction_read_only = on; \
             SET statement_timeout = '5s';"
        }
        Role::Follow => {
            "SET application_name = 'latchkey follower'; SET default_transaction_read_only = on; \
             SET statement_timeout = '60s';"
        }
        Role::Write => {
            "SET application_name = 'latchkey writer'; SET synchronous_commit = on; \
             SET statement_timeout = '5s'; SET idle_in_transaction_session_timeout = '30s';"
        }
    }
}

fn refuse_tls(url: &DatabaseUrl) -> Result<(), OpenError> {
    match url.setting("sslmode") {
        Some(mode @ ("require" | "verify-ca" | "verify-full")) if !cfg!(feature = "pg-tls") => {
            Err(OpenError::NoTls {
                mode: mode.to_owned(),
            })
        }
        _ => Ok(()),
    }
}

/// libpq waits for ever for a server that does not answer, unless it is told otherwise.
fn with_timeout(text: &str, url: &DatabaseUrl) -> String {
    if url.setting("connect_timeout").is_some() {
        return text.to_owned();
    }
    let joint = if text.contains('?') { '&' } else { '?' };
    format!("{text}{joint}connect_timeout=5")
}

fn said(error: &ConnectionError) -> String {
    match error {
        ConnectionError::BadConnection(message) => without_values(message),
        _ => "its URL cannot be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_that_is_not_built_in_is_refused_in_one_sentence() {
        let url = DatabaseUrl::parse("postgres://db.example/n?sslmode=require").unwrap();
        let refused = refuse_tls(&url);
        if cfg!(feature = "pg-tls") {
            assert!(refused.is_ok());
        } else {
            let text = refused.unwrap_err().to_string();
            assert!(
                text.contains("sslmode=require") && text.contains("pg-tls"),
                "{text}"
            );
        }
        let url = DatabaseUrl::parse("postgres://db.example/n?sslmode=prefer").unwrap();
        assert!(refuse_tls(&url).is_ok());
    }

    #[test]
    fn a_connection_attempt_has_an_end_unless_the_url_sets_its_own() {
        for (text, expected) in [
            ("postgres://h/n", "postgres://h/n?connect_timeout=5"),
            ("postgres://h/n?a=b", "postgres://h/n?a=b&connect_timeout=5"),
            (
                "postgres://h/n?connect_timeout=9",
                "postgres://h/n?connect_timeout=9",
            ),
        ] {
            let url = DatabaseUrl::parse(text).unwrap();
            assert_eq!(with_timeout(text, &url), expected);
        }
    }
}
