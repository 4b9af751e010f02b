//! Where a world keeps what it knows: a file of its own, or a database of its own on PostgreSQL where the run says so.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::sync::LazyLock;

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use latchkey::store::{DatabaseUrl, migrate};
use tempfile::TempDir;

use crate::postgres::{OwnDatabase, server, variable};

/// A database that goes with its world.
pub(crate) struct Database {
    place: Place,
    /// Each table, and what makes a line of a row of it.
    rows: OnceCell<Vec<(String, String)>>,
}

enum Place {
    File(
        PathBuf,
        #[expect(dead_code, reason = "it is held for its Drop")] TempDir,
    ),
    Server(OwnDatabase),
}

/// The schema, made once and copied for each test.
static EMPTY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("empty.db");
    migrate::run(&DatabaseUrl::Sqlite(file.clone())).unwrap();
    std::fs::read(file).unwrap()
});

#[derive(QueryableByName)]
struct Cell {
    #[diesel(sql_type = Text)]
    text: String,
}

/// Every column of a table as SQLite quotes it.
const AS_QUOTED: &str = "
    SELECT string_agg(format(CASE
        WHEN data_type = 'bytea' THEN $f$COALESCE('X''' || upper(encode(%1$I, 'hex')) || '''', 'NULL')$f$
        WHEN data_type = 'boolean' THEN $f$COALESCE(%1$I::int::text, 'NULL')$f$
        WHEN data_type IN ('bigint', 'integer', 'smallint') THEN $f$COALESCE(%1$I::text, 'NULL')$f$
        ELSE $f$COALESCE('''' || replace(%1$I::text, '''', '''''') || '''', 'NULL')$f$
        END, column_name), ' || '','' || ' ORDER BY ordinal_position) AS text
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name = ";

impl Database {
    pub(crate) fn new() -> Self {
        let is_server = variable("LATCHKEY_TEST_APP_ON").as_deref() == Some("postgres");
        let place = if is_server {
            Place::Server(OwnDatabase::migrated(server().unwrap()))
        } else {
            let folder = TempDir::new().unwrap();
            let file = folder.path().join("latchkey.db");
            std::fs::write(&file, &*EMPTY).unwrap();
            Place::File(file, folder)
        };
        Self {
            place,
            rows: OnceCell::new(),
        }
    }

    pub(crate) fn url(&self) -> DatabaseUrl {
        match &self.place {
            Place::File(file, _) => DatabaseUrl::Sqlite(file.clone()),
            Place::Server(own) => own.url.clone(),
        }
    }

    /// Everything that it holds, a line a row.
    pub(crate) fn dump(&self) -> String {
        let mut raw = self.raw();
        let mut all = String::new();
        let rows = self.rows.get_or_init(|| raw.rows(self.is_server()));
        for (table, row) in rows {
            for line in raw.ask(&format!("SELECT {row} AS text FROM \"{table}\" ORDER BY 1")) {
                all.extend([table.as_str(), ": ", line.as_str(), "\n"]);
            }
        }
        all
    }

    fn is_server(&self) -> bool {
        matches!(self.place, Place::Server(_))
    }

    fn raw(&self) -> Raw {
        match self.url() {
            DatabaseUrl::Sqlite(file) => {
                Raw::Sqlite(SqliteConnection::establish(file.to_str().unwrap()).unwrap())
            }
            DatabaseUrl::Postgres(url) => Raw::Postgres(PgConnection::establish(&url).unwrap()),
        }
    }

    /// Takes a table out.
    pub(crate) fn lose(&self, table: &str) {
        if self.is_server() {
            self.run(&format!("DROP TABLE \"{table}\" CASCADE"));
        } else {
            self.run(&format!(
                "PRAGMA foreign_keys = OFF; DROP TABLE \"{table}\""
            ));
        }
    }

    /// Runs statements past the store.
    pub(crate) fn run(&self, statements: &str) {
        let done = match self.raw() {
            Raw::Sqlite(mut conn) => conn.batch_execute(statements),
            Raw::Postgres(mut conn) => conn.batch_execute(statements),
        };
        done.unwrap();
    }
}

enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Raw {
    fn ask(&mut self, sql: &str) -> Vec<String> {
        let cells: Vec<Cell> = match self {
            Self::Sqlite(conn) => sql_query(sql).load(conn).unwrap(),
            Self::Postgres(conn) => sql_query(sql).load(conn).unwrap(),
        };
        cells.into_iter().map(|cell| cell.text).collect()
    }

    fn rows(&mut self, is_server: bool) -> Vec<(String, String)> {
        let tables = self.ask(if is_server {
            "SELECT tablename::text AS text FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        } else {
            "SELECT name AS text FROM sqlite_master WHERE type = 'table' ORDER BY name"
        });
        let row = |table: String| {
            let row = self.quoted_row(&table, is_server);
            (table, row)
        };
        tables.into_iter().map(row).collect()
    }

    fn quoted_row(&mut self, table: &str, is_server: bool) -> String {
        if is_server {
            return self.ask(&format!("{AS_QUOTED}'{table}'")).remove(0);
        }
        let columns = self.ask(&format!(
            "SELECT name AS text FROM pragma_table_info('{table}')"
        ));
        let quoted = |column: &String| format!("quote(\"{column}\")");
        columns
            .iter()
            .map(quoted)
            .collect::<Vec<_>>()
            .join(" || ',' || ")
    }
}
