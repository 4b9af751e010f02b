//! A PostgreSQL database of a test's own.

use crate::canaries::Place;
use crate::needs;
use crate::process::free_address;
use diesel::prelude::*;

/// A database that goes with the test.
pub(crate) struct Database {
    server: String,
    name: String,
    pub(crate) url: String,
}

impl Database {
    /// A new one, or nothing if there is no PostgreSQL to make it in.
    pub(crate) fn new() -> Option<Self> {
        let server = needs::postgres()?;
        let port = free_address().rsplit(':').next().unwrap().to_owned();
        let name = format!("latchkey_outside_{}_{port}", std::process::id());
        told(&server, &format!("CREATE DATABASE {name}"));
        let (start, query) = server.split_once('?').unwrap_or((&server, ""));
        let start = start.rsplit_once('/').expect("a database in the URL").0;
        let url = format!("{start}/{name}?{query}")
            .trim_end_matches('?')
            .to_owned();
        Some(Self { server, name, url })
    }
}

impl Database {
    /// Runs a statement past the server.
    pub(crate) fn run(&self, words: &str) {
        told(&self.url, words);
    }

    /// Lets everybody in again.
    pub(crate) fn mend(&self) {
        let words = format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name);
        told(&self.server, &words);
    }

    /// Cuts everybody off, and lets nobody in until it is mended.
    pub(crate) fn cut(&self) {
        let name = &self.name;
        told(
            &self.server,
            &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"),
        );
        let all = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        told(&self.server, &all);
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        told(
            &self.server,
            &format!("DROP DATABASE {} WITH (FORCE)", self.name),
        );
    }
}

/// Every row of every table as text, as a dump would have it: bytes in hex.
pub(crate) fn rows(url: &str) -> Place {
    let mut connection = PgConnection::establish(url).expect("the test's own database");
    let mut texts = |words: &str| -> Vec<String> {
        let rows: Vec<Row> = diesel::sql_query(words).load(&mut connection).unwrap();
        rows.into_iter().map(|row| row.text).collect()
    };
    let tables = texts(
        "SELECT table_name::text AS text FROM information_schema.tables WHERE table_schema = 'public'",
    );
    assert!(tables.len() > 10, "{tables:?}");
    let rows = tables
        .iter()
        .flat_map(|table| texts(&format!("SELECT t::text AS text FROM \"{table}\" t")));
    let all: Vec<String> = rows.collect();
    assert!(!all.is_empty(), "the tables hold something");
    (
        "PostgreSQL's tables".to_owned(),
        all.join("\n").into_bytes(),
    )
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

fn told(server: &str, words: &str) {
    let mut connection =
        PgConnection::establish(server).expect("LATCHKEY_TEST_POSTGRES_URL leads to a PostgreSQL");
    diesel::sql_query(words).execute(&mut connection).unwrap();
}
