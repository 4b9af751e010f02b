//! Threads, deadlines, groups, lost connections, backup.

use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use latchkey::clock::Clock;
use latchkey::store::{
    DatabaseUrl, Db, Error, OpenError, Settings, accounts, changes, keys, migrate, products,
    sessions,
};
use latchkey_rules::role::Role;

use crate::place::{Raw, Store, eventually};

fn save(store: &Store, number: u8) -> Result<(), Error> {
    store
        .db
        .write_blocking(move |w| sessions::save(w, &[number; 32], "{}", None))
}

fn saved(store: &Store) -> i64 {
    store.number("SELECT COUNT(*) AS n FROM sessions")
}

/// Takes the writer's time until the sender is dropped or sends.
fn hold_the_writers(
    store: &Store,
    count: usize,
) -> (Vec<mpsc::Sender<()>>, Vec<std::thread::JoinHandle<()>>) {
    let (tell, begun) = mpsc::channel();
    let mut senders = Vec::new();
    let mut threads = Vec::new();
    for _ in 0..count {
        let (go, wait) = mpsc::channel();
        let (db, tell) = (store.db.clone(), tell.clone());
        senders.push(go);
        threads.push(std::thread::spawn(move || {
            db.write_blocking(move |_| {
                tell.send(()).unwrap();
                until_dropped(&wait);
                Ok(())
            })
            .unwrap();
        }));
    }
    for _ in 0..count {
        begun.recv_timeout(Duration::from_secs(10)).unwrap();
    }
    (senders, threads)
}

/// Holds a job up until the test drops the other end.
fn until_dropped(go: &mpsc::Receiver<()>) {
    assert!(go.recv().is_err(), "nothing is ever sent");
}

fn writers(store: &Store) -> usize {
    if store.is_sqlite() {
        1
    } else {
        Settings::default().writers
    }
}

on_both! {
    #[test]
    fn a_failing_job_of_a_group_does_not_spoil_the_others(store) {
        // While the writers are busy, these wait; on SQLite they then share one commit.
        let (go, held) = hold_the_writers(store, writers(store));
        let results: Vec<Result<(), Error>> = std::thread::scope(|threads| {
            let tries: Vec<_> = (0..30_u8)
                .map(|number| {
                    threads.spawn(move || match number % 3 {
                        0 => save(store, number),
                        1 => store.db.write_blocking(move |w| {
                            sessions::save(w, &[number; 32], "{}", None)?;
                            Err(Error::NotFound)
                        }),
                        // The second insert breaks the primary key: on PostgreSQL that spoils a transaction.
                        _ => store.db.write_blocking(move |w| {
                            sessions::save(w, &[number; 32], "{}", None)?;
                            sessions::save(w, &[number; 32], "{}", None)
                        }),
                    })
                })
                .collect();
            drop(go);
            tries.into_iter().map(|t| t.join().unwrap()).collect()
        });
        for thread in held {
            thread.join().unwrap();
        }
        for (number, result) in results.iter().enumerate() {
            match number % 3 {
                0 => assert_eq!(*result, Ok(()), "job {number}"),
                1 => assert_eq!(*result, Err(Error::NotFound), "job {number}"),
                _ => assert!(matches!(result, Err(Error::Database(_))), "job {number}: {result:?}"),
            }
        }
        assert_eq!(saved(store), 10);
    }

    #[test]
    fn a_job_that_hides_a_broken_statement_is_never_told_that_all_was_kept(store) {
        let hidden = store.db.write_blocking(|w| {
            sessions::save(w, &[1; 32], "{}", None)?;
            let broken = sessions::save(w, &[1; 32], "{}", None);
            assert!(broken.is_err());
            Ok(())
        });
        // SQLite undoes the one statement, PostgreSQL the whole transaction: the answer must say which.
        assert_eq!(hidden.is_ok(), saved(store) == 1, "{hidden:?}");
        assert_eq!(save(store, 2), Ok(()));
    }

    #[test]
    fn a_panicking_job_is_an_error_and_its_thread_lives(store) {
        for number in 0..10 {
            let broken: Result<(), Error> = store.db.write_blocking(move |w| {
                sessions::save(w, &[number; 32], "{}", None)?;
                panic!("as the test wants");
            });
            assert!(matches!(broken, Err(Error::Database(_))), "{broken:?}");
            let broken: Result<(), Error> = store.db.read_blocking(|_| panic!("as the test wants"));
            assert!(matches!(broken, Err(Error::Database(_))), "{broken:?}");
        }
        assert_eq!(saved(store), 0, "what a panicking job wrote was kept");
        assert_eq!(save(store, 1), Ok(()));
        assert_eq!(store.db.read_blocking(products::count), Ok(0));
    }

    #[test]
    fn t_60_a_slow_job_is_unavailable_to_its_asker_while_others_go_on(store) {
        let db = store.again(Settings {
            deadline: Duration::from_secs(1),
            ..Settings::default()
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (go, wait) = mpsc::channel::<()>();
        let late = runtime.block_on(db.read(move |_| {
            until_dropped(&wait);
            Ok(())
        }));
        assert!(matches!(late, Err(Error::Unavailable(_))), "{late:?}");
        assert_eq!(runtime.block_on(db.read(products::count)), Ok(0), "the others wait for it");
        drop(go);
        let written = runtime.block_on(db.write(|w| sessions::save(w, &[1; 32], "{}", None)));
        assert_eq!(written, Ok(()));
        let changed = runtime.block_on(db.change(|c| {
            accounts::resume(c, &latchkey::store::scope::operator("test"), "nobody")
        }));
        assert_eq!(changed, Err(Error::NotFound));
        let batch = runtime.block_on(db.batch(sessions::sweep));
        assert_eq!(batch, Ok(0));
    }

    #[test]
    fn work_that_nobody_waits_for_any_more_does_not_begin(store) {
        let db = store.again(Settings {
            patience: Duration::from_millis(50),
            writers: 1,
            ..Settings::default()
        });
        let (go, wait) = mpsc::channel::<()>();
        let (tell, begun) = mpsc::channel();
        let busy = db.clone();
        let thread = std::thread::spawn(move || {
            busy.write_blocking(move |_| {
                tell.send(()).unwrap();
                until_dropped(&wait);
                Ok(())
            })
        });
        begun.recv_timeout(Duration::from_secs(10)).unwrap();
        let given_up = db.write_blocking(|w| sessions::save(w, &[1; 32], "{}", None));
        assert!(matches!(given_up, Err(Error::Unavailable(_))));
        drop(go);
        drop(thread.join().unwrap());
        // Whatever stood in the queue before this is through when this is answered.
        eventually("the writer answers", || {
            db.write_blocking(|w| sessions::save(w, &[2; 32], "{}", None)).is_ok()
        });
        assert_eq!(saved(store), 1);
    }

    #[test]
    fn what_was_acknowledged_is_there_for_whoever_opens_it_next(store) {
        store.account("acme");
        let scope = store.member("ada@example.com", "acme", Role::Owner);
        store.key(&scope, "one", &[]);
        let again = Db::open(&store.url, Clock::system()).unwrap();
        let scope2 = scope;
        let page = again
            .read_blocking(move |r| keys::list(r, &scope2, &keys::KeyFilter::default()))
            .unwrap();
        assert_eq!(page.keys.len(), 1);
    }
}

/// Whether another connection sees the session.
fn seen(db: &Db) -> bool {
    let mut other = db.own_reader().unwrap();
    sessions::load(&mut other, &[0; 32]).unwrap().is_some()
}

#[test]
fn jobs_that_wait_share_one_commit_and_are_answered_after_it() {
    let store = Store::sqlite();
    let (go, held) = hold_the_writers(&store, 1);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let first = store.db.write(|w| sessions::save(w, &[0; 32], "{}", None));
    let db = store.db.clone();
    let second = store.db.write(move |_| Ok(seen(&db)));
    // Both stand in the queue, in this order, when the writer is let go.
    let release = async { drop(go) };
    let (saved, (seen_within, ())) = runtime.block_on(futures_util::future::join(
        first,
        futures_util::future::join(second, release),
    ));
    assert_eq!(saved, Ok(()));
    assert_eq!(seen_within, Ok(false), "the first was committed on its own");
    assert!(seen(&store.db), "it was answered before it was committed");
    for thread in held {
        thread.join().unwrap();
    }
}

#[test]
fn a_backup_is_a_consistent_copy_that_only_its_owner_reads() {
    let store = Store::sqlite();
    store.account("acme");
    let scope = store.member("ada@example.com", "acme", Role::Owner);
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy.db");
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for number in 0.. {
                if stop.load(std::sync::atomic::Ordering::SeqCst) {
                    break;
                }
                let mut new = crate::place::new_key(&format!("key {number}"), &[]);
                new.keys_per_account = 1_000_000;
                store.try_key(&scope, new).unwrap();
            }
        });
        eventually("some keys", || {
            store.number("SELECT COUNT(*) AS n FROM keys") > 20
        });
        store.db.backup(&copy).unwrap();
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
    });
    let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = store.db.backup(&copy).err().unwrap();
    assert!(again.to_string().contains("cannot be written"), "{again}");
    let url = DatabaseUrl::Sqlite(copy);
    let restored = Db::open(&url, Clock::system()).unwrap();
    let sum = restored.read_blocking(changes::checksum).unwrap();
    assert!(sum.count > 20);
    // Each key with its secret, its line in the log and its audit event.
    for query in [
        "SELECT COUNT(*) AS n FROM secrets",
        "SELECT COUNT(*) AS n FROM changes WHERE kind = 1",
        "SELECT COUNT(*) AS n FROM audit_events WHERE action = 'key.created'",
    ] {
        let keys = number(&url, "SELECT COUNT(*) AS n FROM keys");
        assert_eq!(number(&url, query), keys, "{query}");
    }
}

fn number(url: &DatabaseUrl, query: &str) -> i64 {
    use diesel::sql_types::BigInt;
    use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
    #[derive(QueryableByName)]
    struct Number {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let DatabaseUrl::Sqlite(path) = url else {
        panic!("a file");
    };
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    sql_query(query.to_owned())
        .get_result::<Number>(&mut conn)
        .unwrap()
        .n
}

#[test]
fn a_server_is_backed_up_by_its_own_means() {
    if let Some(store) = Store::postgres() {
        let dir = tempfile::tempdir().unwrap();
        let copy = dir.path().join("x");
        store.db.backup(&copy).unwrap();
        let bytes = std::fs::read(&copy).unwrap();
        assert!(bytes.starts_with(b"PGDMP"), "pg_dump's own format");
        let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = store.db.backup(&copy).err().unwrap();
        assert!(again.to_string().contains("cannot be written"), "{again}");
        assert_eq!(store.db.kind(), "PostgreSQL");
    }
}

#[test]
fn a_lost_connection_is_unavailable_once_and_then_made_anew() {
    let Some(store) = Store::postgres() else {
        return;
    };
    assert_eq!(save(&store, 1), Ok(()));
    let cut = || {
        let Raw::Postgres(mut conn) = store.raw() else {
            panic!("a server");
        };
        conn.batch_execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .unwrap();
    };
    // In the middle of a job: that one is lost, and says so.
    let (tell, begun) = mpsc::channel();
    let (go, wait) = mpsc::channel::<()>();
    let db = store.db.clone();
    let thread = std::thread::spawn(move || {
        db.write_blocking(move |w| {
            tell.send(()).unwrap();
            until_dropped(&wait);
            sessions::save(w, &[2; 32], "{}", None)
        })
    });
    begun.recv_timeout(Duration::from_secs(10)).unwrap();
    cut();
    drop(go);
    let lost = thread.join().unwrap();
    assert!(matches!(lost, Err(Error::Unavailable(_))), "{lost:?}");
    // Every thread's connection is gone; each is made anew, at the latest after one job was lost.
    eventually("writes go on", || {
        (0..8).all(|number| save(&store, 10 + number).is_ok() || save(&store, 50 + number).is_ok())
    });
    eventually("reads go on", || {
        (0..8).all(|_| store.db.read_blocking(products::count).is_ok())
    });
    // After a rest, a connection is asked before it gets work: nothing is lost at all.
    cut();
    store.hand.advance_ms(2_000);
    assert_eq!(save(&store, 99), Ok(()));
    assert_eq!(store.db.read_blocking(products::count), Ok(0));
}

#[test]
fn a_database_that_cannot_be_opened_says_which_and_why() {
    let closed = DatabaseUrl::parse("postgres://me:sesame@127.0.0.1:1/latchkey").unwrap();
    let refused = Db::open(&closed, Clock::system()).err().unwrap();
    let text = refused.to_string();
    assert!(matches!(refused, OpenError::Unreachable { .. }), "{text}");
    assert!(
        text.contains("127.0.0.1:1/latchkey") && text.contains("refused"),
        "{text}"
    );
    assert!(!text.contains("sesame"), "{text}");
    let nowhere = DatabaseUrl::parse("sqlite:/no/such/folder/a.db").unwrap();
    assert!(matches!(
        migrate::run(&nowhere).err().unwrap(),
        OpenError::Unreachable { .. }
    ));
    let tls = DatabaseUrl::parse("postgres://127.0.0.1:1/n?sslmode=require").unwrap();
    let refused = Db::open(&tls, Clock::system()).err().unwrap();
    if cfg!(not(feature = "pg-tls")) {
        assert!(matches!(refused, OpenError::NoTls { .. }), "{refused}");
    }
}

#[test]
fn a_new_database_file_is_read_by_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("new.db");
    migrate::run(&DatabaseUrl::Sqlite(file.clone())).unwrap();
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
