//! The two schemas are one: migrations in pairs, forth and back, column by column as `schema.rs` has them.

use std::collections::{BTreeMap, BTreeSet};

use diesel::migration::MigrationSource;
use diesel::{Connection, PgConnection, SqliteConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use latchkey::clock::Clock;
use latchkey::store::{DatabaseUrl, Db, OpenError, migrate};

use crate::place::{Raw, Store, source};
use crate::postgres::{OwnDatabase, server};

type Tables = BTreeMap<String, BTreeSet<String>>;

fn names(database: &str) -> BTreeSet<String> {
    let dir = format!("{}/migrations/{database}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn migrations_stand_in_pairs_each_with_its_way_back() {
    let sqlite = names("sqlite");
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite, names("postgres"));
    for name in sqlite {
        for database in ["sqlite", "postgres"] {
            for file in ["up.sql", "down.sql"] {
                let text = source(&format!("migrations/{database}/{name}/{file}"));
                assert!(text.contains(';'), "{database}/{name}/{file} is empty");
            }
        }
    }
}

/// `table column` with whether it may be NULL, as `schema.rs` says it.
fn declared() -> Tables {
    let text = source("src/store/schema.rs");
    let mut tables = Tables::new();
    for block in text.split("diesel::table! {").skip(1) {
        let mut lines = block.lines().map(str::trim).filter(|line| !line.is_empty());
        let name = lines.next().unwrap().split(' ').next().unwrap();
        let columns = lines
            .take_while(|line| *line != "}")
            .map(|line| {
                let (column, kind) = line.trim_end_matches(',').split_once(" -> ").unwrap();
                let bare = kind.trim_start_matches("Nullable<").trim_end_matches('>');
                format!("{column} {bare} {}", bare != kind)
            })
            .collect();
        tables.insert(name.to_owned(), columns);
    }
    tables
}

fn found(store: &Store) -> Tables {
    let query = if store.is_sqlite() {
        "SELECT m.name || '|' || c.name || '|' || c.type || '|' || \
         (c.\"notnull\" = 0 AND c.pk = 0) AS t \
         FROM sqlite_schema m, pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'"
    } else {
        "SELECT table_name || '|' || column_name || '|' || data_type || '|' || \
         (CASE is_nullable WHEN 'YES' THEN '1' ELSE '0' END) AS t FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'"
    };
    let mut tables = Tables::new();
    for line in store.texts(query) {
        let parts: Vec<&str> = line.split('|').collect();
        let [table, column, kind, nullable] = parts.as_slice() else {
            panic!("{line}");
        };
        let column = format!("{column} {kind} {}", *nullable == "1");
        tables
            .entry((*table).to_owned())
            .or_default()
            .insert(column);
    }
    tables
}

/// What a database calls the type that `schema.rs` declares.
fn called(kind: &str, sqlite: bool) -> &'static str {
    match (kind, sqlite) {
        ("BigInt" | "SmallInt" | "Bool", true) => "INTEGER",
        ("Text", true) => "TEXT",
        ("Binary", true) => "BLOB",
        ("BigInt", false) => "bigint",
        ("SmallInt", false) => "smallint",
        ("Bool", false) => "boolean",
        ("Text", false) => "text",
        ("Binary", false) => "bytea",
        other => panic!("{other:?}"),
    }
}

on_both! {
    #[test]
    fn every_table_is_as_schema_rs_says(store) {
        let sqlite = store.is_sqlite();
        let expected: Tables = declared()
            .into_iter()
            .map(|(table, columns)| {
                let columns = columns
                    .iter()
                    .map(|line| {
                        let parts: Vec<&str> = line.split(' ').collect();
                        let [column, kind, nullable] = parts.as_slice() else { panic!("{line}") };
                        format!("{column} {} {nullable}", called(kind, sqlite))
                    })
                    .collect();
                (table, columns)
            })
            .collect();
        assert!(expected.len() > 15);
        let found = found(store);
        for (table, columns) in &expected {
            assert_eq!(found.get(table), Some(columns), "{table}");
        }
        let extra: Vec<&String> = found.keys().filter(|t| !expected.contains_key(*t)).collect();
        assert!(extra.is_empty(), "no word of {extra:?} in schema.rs");
    }

    #[test]
    fn a_migration_is_taken_back_whole_and_made_again(store) {
        let before = found(store);
        match store.raw() {
            Raw::Sqlite(mut conn) => round_trip::<SqliteConnection, _>(&mut conn, "sqlite"),
            Raw::Postgres(mut conn) => round_trip::<PgConnection, _>(&mut conn, "postgres"),
        }
        assert_eq!(found(store), before);
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM plans"), 4);
    }

    #[test]
    fn t_63_a_newer_schema_is_refused_in_a_sentence(store) {
        store.sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')");
        let refused = Db::open(&store.url, Clock::system()).err().unwrap();
        assert!(matches!(refused, OpenError::Newer { .. }));
        let text = refused.to_string();
        assert!(text.contains("newer Latchkey") && text.contains("9999"), "{text}");
        assert!(matches!(migrate::run(&store.url), Err(OpenError::Newer { .. })));
        assert_eq!(migrate::state(&store.url).unwrap(), migrate::State::Newer("9999".to_owned()));
    }

    #[test]
    fn t_63_an_older_schema_is_refused_and_says_what_to_do(store) {
        store.sql("DELETE FROM __diesel_schema_migrations");
        let refused = Db::open(&store.url, Clock::system()).err().unwrap();
        assert!(refused.to_string().contains("latchkey migrate"), "{refused}");
    }
}

fn round_trip<C, DB>(conn: &mut C, database: &str)
where
    DB: diesel::backend::Backend,
    C: Connection<Backend = DB> + MigrationHarness<DB>,
    FileBasedMigrations: MigrationSource<DB>,
{
    let dir = format!("{}/migrations/{database}", env!("CARGO_MANIFEST_DIR"));
    let source = FileBasedMigrations::from_path(dir).unwrap();
    let all = MigrationSource::<DB>::migrations(&source).unwrap().len();
    let undone = conn.revert_all_migrations(source.clone()).unwrap();
    assert_eq!(undone.len(), all);
    let again = conn.run_pending_migrations(source).unwrap();
    assert_eq!(again.len(), all);
}

/// Many at a time, on a database that has nothing: one does it, and all go on.
fn migrate_at_once(url: &DatabaseUrl) {
    let done: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| migrate::run(url).unwrap()))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    assert_eq!(done, names("sqlite").len());
    assert_eq!(migrate::state(url).unwrap(), migrate::State::Current);
    assert_eq!(migrate::run(url).unwrap(), 0);
}

#[test]
fn t_63_eight_that_migrate_at_once_do_it_once_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(dir.path().join("new.db"));
    assert_eq!(
        migrate::state(&url).unwrap(),
        migrate::State::Behind(names("sqlite").len())
    );
    assert!(!dir.path().join("new.db").exists(), "to look made a file");
    migrate_at_once(&url);
}

#[test]
fn t_63_eight_that_migrate_at_once_do_it_once_on_postgresql() {
    if let Some(server) = server() {
        let own = OwnDatabase::empty(server);
        migrate_at_once(&own.url);
    }
}
