//! What the gate loads: pages, single rows, one instant.

use std::collections::BTreeSet;

use latchkey::store::replica::{self, ReplicaKey, ReplicaStanding, RowId};
use latchkey::store::scope::AccountScope;
use latchkey::store::seed::{self, SeedKey};
use latchkey::store::{accounts, changes, keys};
use latchkey_rules::access::Access;
use latchkey_rules::environment::Environment;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::name::KeyName;
use latchkey_rules::role::Role;
use latchkey_rules::time::{DAY_MS, MINUTE_MS};

use crate::place::{START, Store, new_key, secret};

fn acme(store: &Store) -> AccountScope {
    store.account("acme");
    store.product("maps", "api.example.com", "/maps");
    store.product("routing", "api.example.com", "/routing");
    store.member("ada@example.com", "acme", Role::Owner)
}

fn page(store: &Store, after: RowId, limit: i64) -> Vec<ReplicaKey> {
    store
        .db
        .read_blocking(move |r| replica::keys_page(r, after, limit))
        .unwrap()
}

fn by_rows(store: &Store, rows: Vec<RowId>) -> Vec<ReplicaKey> {
    store
        .db
        .read_blocking(move |r| replica::keys_by_rows(r, &rows))
        .unwrap()
}

fn shown(keys: &[ReplicaKey]) -> BTreeSet<String> {
    keys.iter().map(|key| format!("{key:?}")).collect()
}

on_both! {
    #[test]
    fn pages_hold_every_key_once_with_its_own_products_and_secrets(store) {
        let scope = acme(store);
        let mut ids = Vec::new();
        for number in 0..23 {
            let products: &[&str] = match number % 3 {
                0 => &["maps"],
                1 => &["maps", "routing"],
                _ => &[],
            };
            ids.push(store.key(&scope, &format!("key {number}"), products).key_id);
        }
        for gone in [0, 7, 22] {
            let (by, id) = (scope.clone(), ids[gone]);
            store.db.change_blocking(move |c| keys::delete(c, &by, &id)).unwrap();
        }
        let mut all = Vec::new();
        let mut after = RowId::NONE;
        loop {
            let page = page(store, after, 5);
            let Some(last) = page.last() else { break };
            after = last.row;
            all.extend(page);
        }
        assert_eq!(all.len(), 20);
        assert!(all.iter().map(|key| key.row).is_sorted());
        for key in &all {
            let number = ids.iter().position(|id| *id == key.key_id).unwrap();
            assert_eq!(key.products.len(), [1, 2, 0][number % 3], "key {number}");
            assert_eq!(key.secrets.len(), 1);
            assert_eq!(key.access, Access::Write);
            assert_eq!(key.standing, ReplicaStanding::Enabled);
            assert!(!key.deleted && key.domains.is_none() && key.ips.is_none());
        }
        let digests: BTreeSet<[u8; 32]> =
            all.iter().map(|key| *key.secrets[0].digest.as_bytes()).collect();
        assert_eq!(digests.len(), 20);
        let rows: Vec<RowId> = all.iter().map(|key| key.row).collect();
        assert_eq!(shown(&by_rows(store, rows)), shown(&all));
        assert_eq!(shown(&page(store, RowId::NONE, 10_000)), shown(&all));
    }

    #[test]
    fn single_rows_tell_of_a_delete_and_of_every_standing(store) {
        let scope = acme(store);
        let id = store.key(&scope, "one", &["maps"]).key_id;
        let row = page(store, RowId::NONE, 1)[0].row;
        let now = || by_rows(store, vec![row, RowId::from_number(4711)]).remove(0);
        store.change(move |c, o| keys::disable(c, o, &id, "x")).unwrap();
        assert_eq!((now().standing, now().generation), (ReplicaStanding::Disabled, 2));
        store.change(move |c, o| keys::enable(c, o, &id, None)).unwrap();
        store.sql("UPDATE keys SET paused_at = 5, paused_until = 9, domains = 'example.com', ips = '::1'");
        let paused = ReplicaStanding::Paused { until: Some(latchkey_rules::time::Millis(9)) };
        assert_eq!(now().standing, paused);
        let lengths = |key: &ReplicaKey| (key.domains.as_ref().map(Vec::len), key.ips.as_ref().map(Vec::len));
        assert_eq!(lengths(&now()), (Some(1), Some(1)));
        // What cannot be read opens nothing, and the key stays bound.
        store.sql("UPDATE keys SET domains = '*.com', ips = 'everywhere'");
        assert_eq!(lengths(&now()), (Some(0), Some(0)));
        let by = scope.clone();
        store.db.change_blocking(move |c| keys::delete(c, &by, &id)).unwrap();
        assert!(now().deleted);
        assert!(by_rows(store, vec![]).is_empty());
    }

    #[test]
    fn a_retired_secret_is_held_for_ninety_days(store) {
        let scope = acme(store);
        store.key(&scope, "one", &["maps"]);
        let end = START.plus_ms(MINUTE_MS).0;
        store.sql(&format!("UPDATE secrets SET retires_at = {end}"));
        let row = page(store, RowId::NONE, 1)[0].row;
        let held = || (page(store, RowId::NONE, 1)[0].secrets.len(), by_rows(store, vec![row])[0].secrets.len());
        assert_eq!(held(), (1, 1));
        store.hand.advance_ms(90 * DAY_MS);
        assert_eq!(held(), (1, 1));
        store.hand.advance_ms(MINUTE_MS);
        assert_eq!(held(), (0, 0));
    }

    #[test]
    fn a_snapshot_is_of_one_instant(store) {
        let scope = acme(store);
        store.key(&scope, "before", &["maps"]);
        let mut follower = store.db.own_reader().unwrap();
        let (head, seen) = follower
            .snapshot(|reader| {
                let head = changes::head(reader)?;
                store.key(&scope, "meanwhile", &["maps"]);
                Ok((head, replica::keys_page(reader, RowId::NONE, 100)?.len()))
            })
            .unwrap();
        assert_eq!(seen, 1, "the snapshot saw what came after its beginning");
        let now = replica::keys_page(&mut follower, RowId::NONE, 100).unwrap().len();
        assert_eq!(now, 2);
        assert!(changes::head(&mut follower).unwrap() > head);
        // An error inside leaves the connection as good as it was.
        let failed: Result<(), _> = follower.snapshot(|_| Err(latchkey::store::Error::NotFound));
        assert!(failed.is_err());
        assert!(follower.snapshot(changes::head).is_ok());
    }

    #[test]
    fn accounts_plans_and_products_are_loaded_with_their_generations(store) {
        acme(store);
        store.account("other");
        store.change(|c, o| accounts::suspend(c, o, "other", "unpaid")).unwrap();
        let read = |after, limit| {
            store.db.read_blocking(move |r| replica::accounts_page(r, after, limit)).unwrap()
        };
        let first = read(RowId::NONE, 1);
        let second = read(first[0].row, 5);
        assert_eq!((first[0].slug.as_str(), first[0].suspended, first[0].generation), ("acme", false, 1));
        assert_eq!((second[0].slug.as_str(), second[0].suspended, second[0].generation), ("other", true, 2));
        let rows = vec![second[0].row];
        let again = store.db.read_blocking(move |r| replica::accounts_by_rows(r, &rows)).unwrap();
        assert_eq!(again, second);
        let plans = store.db.read_blocking(replica::plans).unwrap();
        let free = plans.iter().find(|plan| plan.row == first[0].plan_row).unwrap();
        assert_eq!((free.facts.slug.as_str(), free.facts.per_day), ("free", Some(1_000)));
        let products = store.db.read_blocking(replica::products).unwrap();
        let slugs: Vec<&str> = products.iter().map(|p| p.facts.slug.as_str()).collect();
        assert_eq!(slugs, ["maps", "routing"]);
        assert_eq!(products[0].facts.routes.len(), 1);
        assert_eq!(products[0].facts.admin_prefixes.len(), 1);
    }

    #[test]
    fn thousands_of_keys_are_seeded_at_once_and_every_node_hears_of_it(store) {
        let scope = acme(store);
        store.key(&scope, "own", &["maps"]);
        let epoch = store.db.read_blocking(changes::epoch).unwrap();
        let new: Vec<SeedKey> = (0..2_500)
            .map(|number| SeedKey {
                key_id: KeyId::generate(&mut rand::rng()),
                name: KeyName::parse(&format!("seed {number}")).unwrap(),
                environment: Environment::Live,
                access: Access::Read,
                secret: secret(),
            })
            .collect();
        store
            .change(move |c, o| {
                seed::keys(c, o, "acme", &["maps".to_owned(), "routing".to_owned()], &new)
            })
            .unwrap();
        assert_ne!(store.db.read_blocking(changes::epoch).unwrap(), epoch);
        let all = page(store, RowId::NONE, 10_000);
        assert_eq!(all.len(), 2_501);
        assert!(all.iter().skip(1).all(|key| key.products.len() == 2 && key.secrets.len() == 1));
        // The next key made the usual way gets an id of its own.
        let mut next = new_key("after", &["maps"]);
        next.keys_per_account = 10_000;
        store.try_key(&scope, next).unwrap();
    }
}
