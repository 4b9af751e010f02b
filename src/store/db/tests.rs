//! What only the connections themselves can show: their settings, and that readers cannot write.

use std::io::Write;

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use latchkey_rules::time::Millis;

use super::connect::{Opener, Role};
use super::{DatabaseUrl, Reader, migrate};
use crate::clock::Clock;

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    value: String,
}

fn setting(reader: &mut Reader, query: &str) -> String {
    let found: Setting = sql_query(query).get_result(&mut reader.conn).unwrap();
    found.value
}

fn opener(url: DatabaseUrl) -> Opener {
    let (clock, _hand) = Clock::movable(Millis(0));
    Opener {
        url,
        clock,
        sends_mail: false,
    }
}

fn file() -> (tempfile::TempDir, Opener) {
    let dir = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(dir.path().join("a.db"));
    migrate::run(&url).unwrap();
    (dir, opener(url))
}

/// Nothing is written there but temporary tables, so that the server's own database will do.
fn server() -> Option<Opener> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test run is told by its environment"
    )]
    let url = std::env::var("LATCHKEY_TEST_POSTGRES_URL");
    let Ok(url) = url else {
        // Past the harness, which hides what a passing test prints.
        let text = "\nPOSTGRESQL WAS LEFT OUT: LATCHKEY_TEST_POSTGRES_URL names no server\n";
        std::io::stderr().write_all(text.as_bytes()).unwrap();
        return None;
    };
    Some(opener(DatabaseUrl::parse(&url).unwrap()))
}

fn refuses_to_write(opener: &Opener, statement: &str) {
    for role in [Role::Read, Role::Follow] {
        let mut reader = opener.reader(role).unwrap();
        let error = reader
            .conn
            .batch_execute(statement)
            .unwrap_err()
            .to_string();
        let text = error.to_lowercase();
        let refused = text.contains("readonly") || text.contains("read-only");
        assert!(refused, "{role:?}: {error}");
        assert!(reader.answers());
    }
    let mut writer = opener.writer().unwrap();
    writer.conn.batch_execute("BEGIN").unwrap();
    writer.conn.batch_execute(statement).unwrap();
    writer.conn.batch_execute("ROLLBACK").unwrap();
}

#[test]
fn readers_cannot_write_on_sqlite() {
    let (_dir, opener) = file();
    refuses_to_write(&opener, "UPDATE installation SET log_epoch = 1");
    refuses_to_write(&opener, "CREATE TABLE mine (id INTEGER)");
}

#[test]
fn readers_cannot_write_on_postgresql() {
    if let Some(opener) = server() {
        refuses_to_write(&opener, "CREATE TABLE never_made_by_a_reader (id BIGINT)");
    }
}

#[test]
fn r_02_every_sqlite_connection_writes_ahead_syncs_fully_and_checks_foreign_keys() {
    let (_dir, opener) = file();
    for role in [Role::Read, Role::Follow, Role::Write, Role::Plain] {
        let mut reader = opener.reader(role).unwrap();
        for (query, value) in [
            (
                "SELECT journal_mode AS value FROM pragma_journal_mode",
                "wal",
            ),
            (
                "SELECT CAST(synchronous AS TEXT) AS value FROM pragma_synchronous",
                "2",
            ),
            (
                "SELECT CAST(foreign_keys AS TEXT) AS value FROM pragma_foreign_keys",
                "1",
            ),
            (
                "SELECT CAST(timeout AS TEXT) AS value FROM pragma_busy_timeout",
                "5000",
            ),
        ] {
            assert_eq!(setting(&mut reader, query), value, "{role:?}: {query}");
        }
    }
}

#[test]
fn a_servers_connections_have_their_limits() {
    let Some(opener) = server() else { return };
    for (role, query, value) in [
        (Role::Read, "SHOW statement_timeout", "5s"),
        (Role::Write, "SHOW statement_timeout", "5s"),
        (Role::Write, "SHOW synchronous_commit", "on"),
        (Role::Follow, "SHOW statement_timeout", "1min"),
    ] {
        let mut reader = opener.reader(role).unwrap();
        let name = query.trim_start_matches("SHOW ");
        let query = "SELECT current_setting($1) AS value";
        let found: Setting = sql_query(query)
            .bind::<Text, _>(name)
            .get_result(&mut reader.conn)
            .unwrap();
        assert_eq!(found.value, value, "{role:?} {name}");
    }
}
