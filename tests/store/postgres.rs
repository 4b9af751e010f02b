//! Databases of a test's own on the PostgreSQL that the run names.

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use latchkey::store::{DatabaseUrl, migrate};

/// The database server's URL, if there is one to test on.
pub(crate) fn server() -> Option<&'static str> {
    static SERVER: OnceLock<Option<String>> = OnceLock::new();
    SERVER
        .get_or_init(|| {
            let url = variable("LATCHKEY_TEST_POSTGRES_URL");
            if url.is_none() {
                report_left_out();
            }
            url
        })
        .as_deref()
}

#[expect(
    clippy::disallowed_methods,
    reason = "what a test run is told stands in its environment"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Past the test harness, which shows a test's output only when it fails.
fn report_left_out() {
    assert!(
        variable("LATCHKEY_REQUIRE_ALL").is_none(),
        "LATCHKEY_REQUIRE_ALL is set, but LATCHKEY_TEST_POSTGRES_URL names no server"
    );
    let line = "=".repeat(78);
    writeln!(
        std::io::stderr(),
        "\n{line}\nPOSTGRESQL WAS LEFT OUT: every test called on_postgresql below did nothing.\n\
         Set LATCHKEY_TEST_POSTGRES_URL=postgres://USER@HOST/NAME to run them;\n\
         scripts/test starts a server of its own.\n{line}\n"
    )
    .unwrap();
}

/// A database that goes when the test ends.
pub(crate) struct OwnDatabase {
    pub(crate) url: DatabaseUrl,
    name: String,
    server: &'static str,
    /// Held for its Drop: the template goes with the last database made from it.
    kept_template: Option<Arc<OwnDatabase>>,
}

impl OwnDatabase {
    pub(crate) fn empty(server: &'static str) -> Self {
        Self::made(server, "")
    }

    pub(crate) fn migrated(server: &'static str) -> Self {
        static TEMPLATE: Mutex<Weak<OwnDatabase>> = Mutex::new(Weak::new());
        let mut slot = TEMPLATE.lock().unwrap();
        let template = slot.upgrade().unwrap_or_else(|| {
            let template = Self::empty(server);
            migrate::run(&template.url).unwrap();
            Arc::new(template)
        });
        *slot = Arc::downgrade(&template);
        // Under the lock: a template that somebody copies cannot be dropped or copied again.
        let mut own = Self::made(server, &format!("TEMPLATE {}", template.name));
        own.kept_template = Some(template);
        own
    }

    fn made(server: &'static str, how: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("latchkey_test_{}_{number}", std::process::id());
        let mut conn = PgConnection::establish(server).unwrap();
        conn.batch_execute(&format!("CREATE DATABASE {name} {how}"))
            .unwrap();
        let (scheme, rest) = server.split_once("://").unwrap();
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let host = place.split_once('/').map_or(place, |(host, _name)| host);
        let joint = if query.is_empty() { "" } else { "?" };
        Self {
            url: DatabaseUrl::Postgres(format!("{scheme}://{host}/{name}{joint}{query}")),
            name,
            server,
            kept_template: None,
        }
    }
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        let dropped = PgConnection::establish(self.server).map(|mut conn| {
            conn.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
        });
        if !matches!(dropped, Ok(Ok(()))) {
            writeln!(std::io::stderr(), "{} was left behind", self.name).unwrap_or_default();
        }
    }
}
