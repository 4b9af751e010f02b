//! A PostgreSQL database of a test's own.

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

impl Drop for Database {
    fn drop(&mut self) {
        told(
            &self.server,
            &format!("DROP DATABASE {} WITH (FORCE)", self.name),
        );
    }
}

fn told(server: &str, words: &str) {
    let mut connection =
        PgConnection::establish(server).expect("LATCHKEY_TEST_POSTGRES_URL leads to a PostgreSQL");
    diesel::sql_query(words).execute(&mut connection).unwrap();
}
