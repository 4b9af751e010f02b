//! A database that came from a backup: what was ended after the backup was made is ended again, and nothing else.

use latchkey::store::keys::{self, Key};
use latchkey::store::replica::{self, ReplicaKey, ReplicaStanding};
use latchkey::store::revocations::{Settled, Standing, settle};
use latchkey::store::scope::{self, AccountScope};
use latchkey::store::{changes, replica::RowId};
use latchkey_rules::role::{Role, StaffRole};
use latchkey_rules::time::{HOUR_MS, MINUTE_MS};

use crate::place::{START, Store};

fn replica_of(store: &Store) -> Vec<ReplicaKey> {
    store
        .db
        .read_blocking(|r| replica::keys_page(r, RowId::NONE, 100))
        .unwrap()
}

/// The lines that a gate would write of all keys as they are now, the deleted ones too.
fn lines(store: &Store, rows: &[RowId]) -> Vec<Standing> {
    let rows = rows.to_vec();
    let read = move |r: &mut latchkey::store::Reader| {
        let epoch = changes::epoch(r)?;
        let keys = replica::keys_by_rows(r, &rows)?;
        Ok(keys
            .iter()
            .map(|key| Standing::of(key, START, epoch, 1))
            .collect())
    };
    store.db.read_blocking(read).unwrap()
}

fn replayed(store: &Store, lines: Vec<Standing>) -> Settled {
    store
        .change(move |c, operator| settle(c, operator, &lines))
        .unwrap()
}

/// Five keys, of which each but the first is ended in its own way; then the tables are as they were before.
fn restored(store: &Store) -> (AccountScope, Vec<Key>, Vec<Standing>) {
    store.account("acme");
    store.product("maps", "api.example.com", "/maps");
    let scope = store.member("ada@example.com", "acme", Role::Owner);
    let made: Vec<Key> = (0..5)
        .map(|n| store.key(&scope, &format!("key {n}"), &["maps"]))
        .collect();
    let rows: Vec<RowId> = replica_of(store).iter().map(|key| key.row).collect();
    let admin = store.staff("root@example.com", StaffRole::Admin);
    let ids: Vec<_> = made.iter().map(|key| key.key_id).collect();
    let by = scope.clone();
    store
        .db
        .change_blocking(move |c| {
            keys::disable(c, &admin, &ids[1], "leaked")?;
            keys::delete(c, &by, &ids[2])?;
            keys::pause(c, &by, &ids[3], Some(START.plus_ms(HOUR_MS)))
        })
        .unwrap();
    // Another expiry and another end of a secret, as edits and rotations write them.
    store.sql(&format!(
        "UPDATE keys SET expires_at = {0}, generation = 2 WHERE name = 'key 4'; \
         UPDATE secrets SET retires_at = {1} WHERE key_row = (SELECT id FROM keys WHERE name = 'key 4')",
        START.plus_ms(9 * MINUTE_MS).0,
        START.plus_ms(5 * MINUTE_MS).0,
    ));
    let lines = lines(store, &rows);
    store.sql(
        "UPDATE keys SET disabled_at = NULL, disabled_by = NULL, disabled_reason = NULL, disabled_kind = NULL, \
         deleted_at = NULL, purge_at = NULL, paused_at = NULL, paused_until = NULL, expires_at = NULL, generation = 1; \
         UPDATE secrets SET retires_at = NULL",
    );
    (scope, made, lines)
}

fn get(store: &Store, scope: &AccountScope, key: &Key) -> Key {
    let (scope, id) = (scope.clone(), key.key_id);
    store
        .db
        .read_blocking(move |r| keys::get(r, &scope, &id))
        .unwrap()
}

on_both! {
    #[test]
    fn t_62_what_was_ended_after_the_backup_is_ended_again(store) {
        let (scope, made, lines) = restored(store);
        let epoch = store.db.read_blocking(changes::epoch).unwrap();
        let settled = replayed(store, lines.clone());
        assert_eq!((settled.ended.len(), settled.left), (4, 1));
        assert_ne!(store.db.read_blocking(changes::epoch).unwrap(), epoch, "every node loads anew");
        let held = replica_of(store);
        let of = |key: &Key| held.iter().find(|held| held.key_id == key.key_id);
        assert_eq!(of(&made[0]).unwrap().standing, ReplicaStanding::Enabled);
        assert_eq!(of(&made[1]).unwrap().standing, ReplicaStanding::Disabled);
        assert!(of(&made[2]).is_none(), "deleted");
        let until = Some(START.plus_ms(HOUR_MS));
        assert_eq!(of(&made[3]).unwrap().standing, ReplicaStanding::Paused { until });
        let shortened = of(&made[4]).unwrap();
        assert_eq!(shortened.expires.at, Some(START.plus_ms(9 * MINUTE_MS)));
        assert_eq!(shortened.secrets[0].retires.at, Some(START.plus_ms(5 * MINUTE_MS)));
        let disabled = get(store, &scope, &made[1]).disabled.unwrap();
        assert!(disabled.reason.contains("after the backup was made"), "{}", disabled.reason);
        // Its delete cannot be taken back: the hour is over.
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM keys WHERE purge_at > deleted_at"), 0);
        // The same again says nothing new.
        assert_eq!(replayed(store, lines).ended, []);
        let audit = "SELECT COUNT(*) AS n FROM audit_events WHERE action = 'installation.restored'";
        assert_eq!(store.number(audit), 2);
    }

    #[test]
    fn t_62_the_latest_line_of_a_key_holds_and_gives_nothing_back(store) {
        let (scope, made, lines) = restored(store);
        // The second key was enabled again after it had been disabled.
        let row = replica_of(store)[1].row;
        store.sql("UPDATE keys SET generation = 7 WHERE name = 'key 1'");
        let enabled = self::lines(store, &[row]);
        store.sql("UPDATE keys SET generation = 1 WHERE name = 'key 1'");
        for order in [[lines.clone(), enabled.clone()].concat(), [enabled, lines].concat()] {
            let settled = replayed(store, order);
            assert!(!settled.ended.contains(&made[1].key_id));
            assert!(get(store, &scope, &made[1]).disabled.is_none());
        }
        // What the backup itself knows as off stays off, whatever was done later.
        let admin = store.staff("root3@example.com", StaffRole::Admin);
        let id = made[0].key_id;
        store.db.change_blocking(move |c| keys::disable(c, &admin, &id, "before")).unwrap();
        let row = replica_of(store)[0].row;
        store.sql("UPDATE keys SET generation = 9, disabled_at = NULL WHERE name = 'key 0'");
        let enabled = self::lines(store, &[row]);
        store.sql(&format!("UPDATE keys SET generation = 2, disabled_at = {} WHERE name = 'key 0'", START.0));
        replayed(store, enabled);
        assert!(get(store, &scope, &made[0]).disabled.is_some());
    }

    #[test]
    fn t_62_nobody_is_signed_in_and_nothing_is_sent_again(store) {
        let (_, _, lines) = restored(store);
        store.sql(&format!(
            "INSERT INTO form_ids (form_id, account_id, made, made_at) SELECT 'x', id, 'y', {0} FROM accounts",
            START.0
        ));
        let operator = scope::operator("a test");
        store.db.change_blocking(move |c| settle(c, &operator, &lines)).unwrap();
        for table in ["sessions", "one_time_links", "confirmations", "form_ids", "outbox", "nodes", "node_acks"] {
            let query: &'static str = Box::leak(format!("SELECT COUNT(*) AS n FROM {table}").into_boxed_str());
            assert_eq!(store.number(query), 0, "{table}");
        }
    }
}
