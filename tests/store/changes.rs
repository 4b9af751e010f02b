//! A change is one transaction: the row, its audit event, its line in the change log.

use std::collections::BTreeSet;

use latchkey::store::changes::{self, ChangeKind, Changes};
use latchkey::store::replica::{self, RowId, Tally};
use latchkey::store::{Error, Reader, accounts, keys, products};
use latchkey_rules::role::{Role, StaffRole};
use latchkey_rules::time::DAY_MS;

use crate::place::{START, Store, new_key, product};

fn everything(store: &Store) -> Tally {
    store
        .db
        .read_blocking(|reader| reader.snapshot(tally))
        .unwrap()
}

/// What a replica that holds everything would sum up.
fn tally(reader: &mut Reader) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    for key in replica::keys_page(reader, RowId::NONE, 10_000)? {
        tally.add(ChangeKind::Key, key.row, key.generation);
    }
    for account in replica::accounts_page(reader, RowId::NONE, 10_000)? {
        tally.add(ChangeKind::Account, account.row, account.generation);
    }
    for product in replica::products(reader)? {
        tally.add(ChangeKind::Product, product.row, product.generation);
    }
    for plan in replica::plans(reader)? {
        tally.add(ChangeKind::Plan, plan.row, plan.generation);
    }
    Ok(tally)
}

fn checksum(store: &Store) -> Tally {
    store.db.read_blocking(changes::checksum).unwrap()
}

fn head(store: &Store) -> i64 {
    store.db.read_blocking(changes::head).unwrap()
}

fn after(store: &Store, cursor: i64) -> Changes {
    store
        .db
        .read_blocking(move |reader| changes::after(reader, cursor, 1_000))
        .unwrap()
}

fn counts(store: &Store) -> (i64, i64) {
    (
        store.number("SELECT COUNT(*) AS n FROM changes"),
        store.number("SELECT COUNT(*) AS n FROM audit_events"),
    )
}

/// Does it and demands one line in the change log and at least one audit event.
fn one_line(store: &Store, kind: ChangeKind, what: &str, act: impl FnOnce()) {
    let (before, cursor) = (counts(store), head(store));
    act();
    let now = counts(store);
    assert_eq!(now.0, before.0 + 1, "{what}: lines of the log");
    assert_eq!(now.1, before.1 + 1, "{what}: audit events");
    let Changes::Rows(rows) = after(store, cursor) else {
        panic!("{what}: a gap");
    };
    assert_eq!(
        rows.iter().map(|row| row.kind).collect::<Vec<_>>(),
        [kind],
        "{what}"
    );
    assert_eq!(everything(store), checksum(store), "{what}");
}

on_both! {
    #[test]
    fn every_change_is_logged_audited_and_summed(store) {
        one_line(store, ChangeKind::Product, "product added", || {
            store.product("maps", "api.example.com", "/maps");
        });
        one_line(store, ChangeKind::Account, "account created", || store.account("acme"));
        let scope = store.member("ada@example.com", "acme", Role::Owner);
        let admin = store.staff("admin@example.com", StaffRole::Admin);
        let mut key_id = None;
        one_line(store, ChangeKind::Key, "key created", || {
            key_id = Some(store.key(&scope, "one", &["maps"]).key_id);
        });
        let key_id = key_id.unwrap();
        one_line(store, ChangeKind::Key, "disabled", || {
            let by = admin.clone();
            store.db.change_blocking(move |c| keys::disable(c, &by, &key_id, "abuse")).unwrap();
        });
        one_line(store, ChangeKind::Key, "enabled", || {
            let by = admin.clone();
            store.db.change_blocking(move |c| keys::enable(c, &by, &key_id, None)).unwrap();
        });
        one_line(store, ChangeKind::Account, "plan", || {
            let by = admin.clone();
            store.db.change_blocking(move |c| accounts::set_plan(c, &by, "acme", "starter")).unwrap();
        });
        one_line(store, ChangeKind::Account, "suspended", || {
            let by = admin.clone();
            store.db.change_blocking(move |c| accounts::suspend(c, &by, "acme", "unpaid")).unwrap();
        });
        one_line(store, ChangeKind::Account, "resumed", || {
            store.change(|c, operator| accounts::resume(c, operator, "acme")).unwrap();
        });
        one_line(store, ChangeKind::Key, "deleted", || {
            let by = scope.clone();
            store.db.change_blocking(move |c| keys::delete(c, &by, &key_id)).unwrap();
        });
        store.hand.advance_ms(keys::RESTORABLE_MS);
        one_line(store, ChangeKind::Key, "purged", || {
            assert_eq!(store.db.batch_change_blocking(keys::purge_due), Ok(1));
        });
        // Created, disabled, enabled, deleted, purged: 5 generations, each in its line.
        assert_eq!(store.number("SELECT generation AS n FROM keys"), 5);
        assert_eq!(
            store.number("SELECT MAX(generation) AS n FROM changes WHERE kind = 1"),
            5
        );
    }

    #[test]
    fn t_35_without_its_audit_event_nothing_changes(store) {
        store.account("acme");
        store.product("maps", "api.example.com", "/maps");
        let scope = store.member("ada@example.com", "acme", Role::Owner);
        let key_id = store.key(&scope, "one", &["maps"]).key_id;
        if store.is_sqlite() {
            store.sql(
                "CREATE TRIGGER no_audit BEFORE INSERT ON audit_events \
                 BEGIN SELECT RAISE(ABORT, 'no room'); END",
            );
        } else {
            store.sql(
                "CREATE FUNCTION no_audit() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION 'no room'; END $$; \
                 CREATE TRIGGER no_audit BEFORE INSERT ON audit_events \
                 FOR EACH ROW EXECUTE FUNCTION no_audit()",
            );
        }
        let state = || {
            [
                "SELECT COUNT(*) AS n FROM changes",
                "SELECT COUNT(*) AS n FROM keys",
                "SELECT CAST(SUM(generation) AS BIGINT) AS n FROM keys",
                "SELECT COUNT(*) AS n FROM secrets",
                "SELECT COUNT(*) AS n FROM form_ids",
                "SELECT COUNT(*) AS n FROM key_products",
                "SELECT COUNT(*) AS n FROM products",
                "SELECT COUNT(*) AS n FROM product_routes",
                "SELECT COUNT(*) AS n FROM accounts",
                "SELECT CAST(SUM(generation) AS BIGINT) AS n FROM accounts",
            ]
            .map(|query| store.number(query))
        };
        let before = state();
        let refused = |error: Option<Error>| matches!(error, Some(Error::Database(_)));
        assert!(refused(store.try_key(&scope, new_key("two", &["maps"])).err()));
        let by = scope.clone();
        assert!(refused(store.db.change_blocking(move |c| keys::delete(c, &by, &key_id)).err()));
        assert!(refused(store.change(move |c, o| keys::disable(c, o, &key_id, "x")).err()));
        assert!(refused(store.change(|c, o| accounts::suspend(c, o, "acme", "x")).err()));
        assert!(refused(store.change(|c, o| accounts::set_plan(c, o, "acme", "starter")).err()));
        let other = product("routing", "api.example.com", "/routing");
        assert!(refused(store.change(move |c, o| products::add(c, o, &other)).err()));
        assert_eq!(state(), before);
    }

    #[test]
    fn t_35_an_audit_event_is_neither_changed_nor_taken_away(store) {
        store.account("acme");
        let before = store.number("SELECT COUNT(*) AS n FROM audit_events");
        assert!(before > 0);
        for statement in [
            "UPDATE audit_events SET actor = 'nobody'",
            "UPDATE audit_events SET at = 0 WHERE id = 1",
            "DELETE FROM audit_events",
            "DELETE FROM audit_events WHERE id = 1",
        ] {
            let error = store.try_sql(statement).unwrap_err().to_string();
            assert!(error.contains("append-only"), "{statement}: {error}");
        }
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM audit_events"), before);
    }

    #[test]
    fn t_35_an_audit_event_says_who_from_where_and_by_which_request(store) {
        store.account("acme");
        let scope = store.member("ada@example.com", "acme", Role::Owner);
        store.key(&scope, "one", &[]);
        let found = store.texts(
            "SELECT actor_kind || ' ' || actor || ' ' || ip || ' ' || request_id AS t \
             FROM audit_events WHERE action = 'key.created'",
        );
        assert_eq!(found, ["member ada@example.com 192.0.2.7 req_test"]);
    }

    #[test]
    fn a_log_that_cannot_say_what_happened_says_so(store) {
        store.account("one");
        store.account("two");
        let end = head(store);
        assert_eq!(after(store, end), Changes::Rows(vec![]));
        // Of another log: this one never got so far.
        assert_eq!(after(store, end + 1), Changes::Gap);
        store.hand.advance_ms(DAY_MS);
        store.account("three");
        let pruned = store
            .db
            .change_blocking(|c| changes::prune(c, START.plus_ms(DAY_MS)))
            .unwrap();
        assert_eq!(pruned, 2);
        assert_eq!(after(store, 0), Changes::Gap);
        assert!(matches!(after(store, end), Changes::Rows(rows) if rows.len() == 1));
        // The last line stays, so that the head is never lost.
        store.hand.advance_ms(DAY_MS);
        let now = START.plus_ms(10 * DAY_MS);
        assert_eq!(store.db.change_blocking(move |c| changes::prune(c, now)), Ok(0));
        assert_eq!(head(store), end + 1);
        assert_eq!(after(store, end + 1), Changes::Rows(vec![]));
    }

    #[test]
    fn a_kind_that_this_release_does_not_know_is_a_gap(store) {
        let end = head(store);
        store.sql("INSERT INTO changes (kind, ref_row, generation, at) VALUES (99, 1, 1, 1)");
        assert_eq!(after(store, end), Changes::Gap);
    }

    #[test]
    fn a_new_epoch_is_another_one_and_stays(store) {
        let epoch = || store.db.read_blocking(changes::epoch).unwrap();
        let first = epoch();
        assert_eq!(epoch(), first);
        store.change(changes::new_epoch).unwrap();
        assert_ne!(epoch(), first);
    }

    #[test]
    fn the_checksum_shows_each_difference_and_is_the_replicas_own(store) {
        store.account("acme");
        store.product("maps", "api.example.com", "/maps");
        let scope = store.member("ada@example.com", "acme", Role::Owner);
        for number in 0..20 {
            store.key(&scope, &format!("key {number}"), &["maps"]);
        }
        let whole = checksum(store);
        assert_eq!(whole, everything(store));
        assert_eq!(whole.count, 20 + 1 + 1 + 4);
        for (statement, undo) in [
            ("UPDATE keys SET generation = generation + 1 WHERE id = 3",
             "UPDATE keys SET generation = generation - 1 WHERE id = 3"),
            ("UPDATE accounts SET generation = generation + 1",
             "UPDATE accounts SET generation = generation - 1"),
            ("UPDATE keys SET deleted_at = 1 WHERE id = 3",
             "UPDATE keys SET deleted_at = NULL WHERE id = 3"),
        ] {
            store.sql(statement);
            assert_ne!(checksum(store), whole, "{statement}");
            assert_eq!(checksum(store), everything(store), "{statement}");
            store.sql(undo);
            assert_eq!(checksum(store), whole);
        }
        // As large as numbers get: still exact on both.
        store.sql("UPDATE keys SET generation = 9223372036854775807 WHERE id = 3");
        assert_eq!(checksum(store), everything(store));
    }

    #[test]
    fn lines_become_visible_in_order_under_eight_writers(store) {
        store.product("maps", "api.example.com", "/maps");
        let scopes: Vec<_> = (0..8)
            .map(|number| {
                let slug = format!("account-{number}");
                store.account(&slug);
                store.member(&format!("m{number}@example.com"), &slug, Role::Owner)
            })
            .collect();
        let begin = head(store);
        let expected = 8 * 25;
        let mut seen = Vec::new();
        std::thread::scope(|threads| {
            for scope in &scopes {
                threads.spawn(move || {
                    for number in 0..25 {
                        store.key(scope, &format!("key {number}"), &["maps"]);
                    }
                });
            }
            let mut follower = store.db.own_reader().unwrap();
            let mut cursor = begin;
            crate::place::eventually("all lines seen", || {
                let Changes::Rows(rows) = changes::after(&mut follower, cursor, 7).unwrap() else {
                    panic!("a gap");
                };
                cursor = rows.last().map_or(cursor, |row| row.id);
                seen.extend(rows);
                seen.len() >= expected
            });
        });
        // Whoever follows by a cursor misses nothing: no line appears behind one that was seen.
        let ids: Vec<i64> = seen.iter().map(|row| row.id).collect();
        assert!(ids.is_sorted());
        let rows: BTreeSet<RowId> = seen.iter().map(|row| row.ref_row).collect();
        assert_eq!(rows.len(), expected);
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM keys"), 200);
        assert_eq!(checksum(store), everything(store));
    }

    #[test]
    fn the_data_version_moves_when_somebody_else_commits(store) {
        let mut follower = store.db.own_reader().unwrap();
        let first = changes::data_version(&mut follower).unwrap();
        assert_eq!(first.is_some(), store.is_sqlite());
        assert_eq!(changes::data_version(&mut follower).unwrap(), first);
        store.account("acme");
        if store.is_sqlite() {
            assert_ne!(changes::data_version(&mut follower).unwrap(), first);
        }
    }
}
