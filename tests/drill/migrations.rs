//! killed inside a migration, the next attempt finishes what is left, and the schema is the same as if nothing had
//! happened. Which statements there are is found out here, so a new migration is covered by itself.
//!
//! On PostgreSQL a trigger halts the server after the first change of the schema, the second, and so on, and the command is
//! killed there. SQLite has no such trigger: there the command is killed at moments spread over its time, and at each page
//! that it writes of its commit.

use crate::books::{Books, Site};
use crate::database::Database;
use crate::needs;
use crate::operator::Installation;
use crate::process;
use std::fs;
use std::path::Path;
use std::process::Child;
use std::thread;
use std::time::Duration;

const PAGE: u64 = 4096;

const SQLITE_SCHEMA: &str =
    "SELECT type || ' ' || name || ' ' || COALESCE(sql, '') AS line FROM sqlite_schema ORDER BY 1";
const POSTGRES_SCHEMA: &str = "SELECT line FROM ( \
     SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || \
            COALESCE(column_default, '') AS line FROM information_schema.columns WHERE table_schema = 'public' \
     UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' \
     UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint \
            WHERE connamespace = 'public'::regnamespace \
     UNION ALL SELECT tgrelid::regclass || ' ' || tgname FROM pg_trigger WHERE NOT tgisinternal \
     ) AS schema ORDER BY line";

/// Halts whoever makes the change of the schema with this number, until the drill lets go of its lock.
const HALT: &str = "CREATE SEQUENCE drill_seen;
     CREATE FUNCTION drill_halt() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
         IF nextval('public.drill_seen') = {number} THEN PERFORM pg_advisory_lock(4711); END IF;
     END $$;
     CREATE EVENT TRIGGER drill_halt ON ddl_command_end EXECUTE FUNCTION drill_halt();";
const GO_ON: &str =
    "DROP EVENT TRIGGER drill_halt; DROP FUNCTION drill_halt; DROP SEQUENCE drill_seen";
const HALTED: &str = "SELECT 'one' AS line FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted \
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
const LEFT: &str = "SELECT 'one' AS line FROM pg_stat_activity WHERE datname = current_database() \
     AND application_name = 'latchkey'";

/// More changes of the schema than migrations will ever make.
const PLENTY: usize = 10_000;

/// So many moments on SQLite; on PostgreSQL as many as there are statements that change the schema.
pub(crate) fn drill(moments: u32) {
    let statements = postgres(1);
    println!(
        "PostgreSQL killed after each of {statements} changes of the schema: every next start finished"
    );
    let (found, took) = sqlite(moments, 64);
    println!(
        "SQLite     killed {} times over {took:?}: {} before its commit, {} in it, {} after; every next start finished",
        found.before + found.within + found.after,
        found.before,
        found.within,
        found.after
    );
}

/// Kills it after every so manieth change of the schema. Gives how often.
fn postgres(every: usize) -> usize {
    let clean = without_a_kill();
    let numbers = (1..PLENTY).step_by(every);
    let kills = numbers
        .take_while(|number| halted_at(*number, &clean))
        .count();
    assert!(kills * every > 10, "the trigger saw too little");
    kills
}

/// Kills it at moments spread over its time, and at so many pages of its commit.
fn sqlite(moments: u32, pages: u64) -> (Fates, Duration) {
    let (clean, took) = sqlite_clean();
    let mut found = Fates::default();
    for moment in 0..moments {
        killed(&clean, &mut found, |_| {
            thread::sleep(took * moment / moments);
        });
    }
    for pages in 0..pages {
        killed(&clean, &mut found, |wal| until_written(wal, pages * PAGE));
    }
    assert!(found.within > 0, "no kill fell into the commit");
    (found, took)
}

/// PostgreSQL's schema as it is without a kill.
fn without_a_kill() -> Vec<String> {
    let database = Database::new().expect("a PostgreSQL: scripts/drill starts one");
    let installation = Installation::for_postgres(&database.url);
    installation.done(&["migrate"]);
    Books::of_server(&database.url).lines(POSTGRES_SCHEMA)
}

/// Kills it after the change with this number; false when there are not so many.
fn halted_at(number: usize, clean: &[String]) -> bool {
    let database = Database::new().expect("a PostgreSQL");
    let installation = Installation::for_postgres(&database.url);
    let mut books = Books::of_server(&database.url);
    books.run("SELECT pg_advisory_lock(4711)");
    books.run(&HALT.replace("{number}", &number.to_string()));
    let mut child = installation.begin(&["migrate"]);
    let halted = needs::soon("it halts or ends", || {
        if child.try_wait().expect("a child of ours").is_some() {
            return Some(false);
        }
        (!books.lines(HALTED).is_empty()).then_some(true)
    });
    if halted {
        process::kill(&mut child);
    }
    books.run("SELECT pg_advisory_unlock(4711)");
    needs::soon("its session ends", || {
        books.lines(LEFT).is_empty().then_some(())
    });
    books.run(GO_ON);
    installation.done(&["migrate"]);
    assert_eq!(
        books.lines(POSTGRES_SCHEMA),
        clean,
        "after a kill at change {number}"
    );
    halted
}

/// Where kills fell.
#[derive(Default)]
struct Fates {
    before: usize,
    within: usize,
    after: usize,
}

fn sqlite_clean() -> (Vec<String>, Duration) {
    let site = Site::before_migrations();
    let ended = site.installation.done(&["migrate"]);
    (site.books().lines(SQLITE_SCHEMA), ended.took)
}

/// Kills it when `until` returns, which is given the file of SQLite's journal.
fn killed(clean: &[String], found: &mut Fates, until: impl FnOnce(&Path)) {
    let site = Site::before_migrations();
    let data = site.installation.path().join("data");
    let mut child: Child = site.installation.begin(&["migrate"]);
    until(&data.join("latchkey.db-wal"));
    process::kill(&mut child);
    let fate = fate(&data, clean);
    match fate {
        Fate::Before => found.before += 1,
        Fate::Within => found.within += 1,
        Fate::After => found.after += 1,
    }
    site.installation.done(&["migrate"]);
    let mut books = site.books();
    assert!(
        books.is_whole() && books.lines(SQLITE_SCHEMA) == clean,
        "after a kill"
    );
}

#[derive(Clone, Copy)]
enum Fate {
    Before,
    Within,
    After,
}

/// Looks at a copy, so that the next start still has everything to mend itself.
fn fate(data: &Path, clean: &[String]) -> Fate {
    let wal = fs::metadata(data.join("latchkey.db-wal")).map_or(0, |file| file.len());
    let copy = tempfile::TempDir::new().expect("a temporary folder");
    for file in ["latchkey.db", "latchkey.db-wal"] {
        if data.join(file).exists() {
            fs::copy(data.join(file), copy.path().join(file)).expect("room for a copy");
        }
    }
    let there = Books::of_file(&copy.path().join("latchkey.db")).lines(SQLITE_SCHEMA);
    if there == clean {
        return Fate::After;
    }
    if there.is_empty() && wal == 0 {
        return Fate::Before;
    }
    let there = without_the_list(there);
    assert!(
        there.is_empty() || after_each_migration().contains(&there),
        "half a migration: {there:?}"
    );
    Fate::Within
}

/// The schema after the first migration alone, after the first two, and so on: each is one transaction.
fn after_each_migration() -> Vec<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    let entries = fs::read_dir(folder).expect("the migrations");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("a folder").path().join("up.sql"))
        .collect();
    files.sort();
    let own = tempfile::TempDir::new().expect("a temporary folder");
    let mut books = Books::of_file(&own.path().join("stages.db"));
    files
        .iter()
        .map(|file| {
            books.run(&fs::read_to_string(file).expect("a migration"));
            without_the_list(books.lines(SQLITE_SCHEMA))
        })
        .collect()
}

/// A schema without the list of the migrations that were made.
fn without_the_list(mut schema: Vec<String>) -> Vec<String> {
    schema.retain(|line| !line.contains("__diesel_schema_migrations"));
    schema
}

/// Until the journal is so long, or has had its time.
fn until_written(wal: &Path, bytes: u64) {
    let began = needs::now();
    while fs::metadata(wal).map_or(0, |file| file.len()) <= bytes {
        if began.elapsed() > Duration::from_millis(500) {
            return;
        }
    }
}

#[test]
fn r_14_a_migration_that_is_killed_is_finished_by_the_next_on_postgresql() {
    if needs::postgres().is_some() {
        postgres(9);
    }
}

#[test]
fn r_14_a_migration_that_is_killed_is_finished_by_the_next_on_sqlite() {
    sqlite(8, 8);
}
