//! What stands in the installation's database, read past the server: a line of text a row, the same on both databases.

use crate::database::Database;
use crate::operator::Installation;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The database to be read.
pub(crate) enum Books {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Books {
    /// Opens a SQLite file.
    pub(crate) fn of_file(file: &std::path::Path) -> Self {
        let file = file.to_str().expect("a path in UTF-8");
        Self::Sqlite(SqliteConnection::establish(file).expect("the database file opens"))
    }

    /// Opens a database of a PostgreSQL.
    pub(crate) fn of_server(url: &str) -> Self {
        Self::Postgres(PgConnection::establish(url).expect("PostgreSQL answers"))
    }

    /// Runs a statement.
    pub(crate) fn run(&mut self, words: &str) {
        self.try_run(words).expect("the database answers");
    }

    /// Runs a statement that may be refused.
    pub(crate) fn try_run(&mut self, words: &str) -> QueryResult<()> {
        match self {
            Self::Sqlite(file) => file.batch_execute(words),
            Self::Postgres(server) => server.batch_execute(words),
        }
    }

    /// Every row of a query whose one column is the text `line`.
    pub(crate) fn lines(&mut self, query: &str) -> Vec<String> {
        let query = diesel::sql_query(query);
        let lines: QueryResult<Vec<Line>> = match self {
            Self::Sqlite(file) => query.load(file),
            Self::Postgres(server) => query.load(server),
        };
        let lines = lines.expect("the database answers");
        lines.into_iter().map(|row| row.line).collect()
    }

    /// Whether SQLite finds its file whole. PostgreSQL has no such question.
    pub(crate) fn is_whole(&mut self) -> bool {
        match self {
            Self::Sqlite(_) => {
                self.lines("SELECT integrity_check AS line FROM pragma_integrity_check") == ["ok"]
                    && self
                        .lines("SELECT \"table\" AS line FROM pragma_foreign_key_check")
                        .is_empty()
            }
            Self::Postgres(_) => true,
        }
    }
}

/// An installation and its database, of either kind.
pub(crate) struct Site {
    pub(crate) installation: Installation,
    database: Option<Database>,
}

impl Site {
    pub(crate) fn on_sqlite() -> Self {
        Self {
            installation: Installation::new().without_limits(),
            database: None,
        }
    }

    /// On SQLite, before its tables are made.
    pub(crate) fn before_migrations() -> Self {
        Self {
            installation: Installation::new(),
            database: None,
        }
    }

    /// On a database of its own in the tests' PostgreSQL, or nothing if there is none.
    pub(crate) fn on_postgres() -> Option<Self> {
        let database = Database::new()?;
        Some(Self {
            installation: Installation::on_postgres(&database.url).without_limits(),
            database: Some(database),
        })
    }

    /// Both, and that there are both.
    pub(crate) fn both() -> [Self; 2] {
        let postgres = Self::on_postgres();
        [
            Self::on_sqlite(),
            postgres.expect("a PostgreSQL: scripts/drill starts one"),
        ]
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self.database {
            None => "SQLite",
            Some(_) => "PostgreSQL",
        }
    }

    pub(crate) fn books(&self) -> Books {
        match &self.database {
            None => Books::of_file(&self.installation.path().join("data/latchkey.db")),
            Some(database) => Books::of_server(&database.url),
        }
    }
}
