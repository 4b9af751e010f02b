//! Callers: added with their counts, summed for a key's people, forgotten after a week.

use latchkey::store::activity::{self, Flushed, MeterBatch};
use latchkey::store::callers::{self, Caller, CallerCount};
use latchkey::store::keys::Key;
use latchkey::store::replica::{self, ReplicaKey, RowId};
use latchkey::store::scope::AccountScope;
use latchkey::store::{Error, Result};
use latchkey_rules::caller::CallerPlace;
use latchkey_rules::role::Role;
use latchkey_rules::time::{DAY_MS, HOUR_MS, Millis};

use crate::place::{START, Store};

struct Setting {
    scope: AccountScope,
    key: Key,
    held: ReplicaKey,
}

fn setting(store: &Store) -> Setting {
    store.account("acme");
    store.product("maps", "api.example.com", "/maps");
    let scope = store.member("ada@example.com", "acme", Role::Owner);
    let key = store.key(&scope, "one", &["maps"]);
    let mut found = store
        .db
        .read_blocking(|r| replica::keys_page(r, RowId::NONE, 10))
        .unwrap();
    Setting {
        scope,
        key,
        held: found.remove(0),
    }
}

impl Setting {
    fn count(&self, secret_number: i16, place: &str, agent: &str, hour: Millis) -> CallerCount {
        CallerCount {
            account: self.held.account_row,
            key: self.held.row,
            secret_number,
            product: self.held.products.first().map(|one| one.product),
            hour,
            place: CallerPlace::from_text(place),
            agent: agent.to_owned(),
            allowed: 3,
            refused: 1,
            last_at: hour.plus_ms(7),
        }
    }

    fn read(&self, store: &Store, secret: Option<i16>, since: Millis) -> Result<Vec<Caller>> {
        let (scope, id) = (self.scope.clone(), self.key.key_id);
        store
            .db
            .read_blocking(move |r| callers::of_key(r, &scope, &id, secret, since))
    }
}

fn write(store: &Store, seq: i64, callers: Vec<CallerCount>) -> Flushed {
    let batch = MeterBatch {
        node: "node-a".to_owned(),
        exposures: Vec::new(),
        epoch: 77,
        seq,
        at: START,
        rows: Vec::new(),
        callers,
    };
    let flushed = store
        .db
        .batch_blocking(move |writer| activity::flush(writer, &batch));
    flushed.unwrap().0
}

on_both! {
    #[test]
    fn callers_are_summed_over_hours_and_products_and_a_batch_counts_once(store) {
        let set = setting(store);
        let hour = START.hour_start();
        let net = "198.51.100.0/24";
        let page = "https://shop.example";
        let rows = vec![
            set.count(1, net, "curl/8.5", hour),
            set.count(1, net, "curl/8.5", hour.plus_ms(HOUR_MS)),
            CallerCount { product: None, ..set.count(1, net, "curl/8.5", hour) },
            set.count(1, page, "Chrome", hour),
            set.count(2, net, "curl/8.5", hour),
        ];
        assert_eq!(write(store, 1, rows.clone()), Flushed::Written);
        assert_eq!(write(store, 1, rows), Flushed::AlreadyWritten);
        write(store, 2, vec![set.count(1, page, "Chrome", hour)]);
        let found = set.read(store, Some(1), hour).unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|one| (one.place.to_string(), one.agent.as_str(), one.allowed, one.refused))
            .collect();
        assert_eq!(told, [
            (net.to_owned(), "curl/8.5", 9, 3),
            (page.to_owned(), "Chrome", 6, 2),
        ]);
        let first = found.first().unwrap();
        assert_eq!(first.last_at, hour.plus_ms(HOUR_MS + 7));
        assert_eq!(first.products, ["The maps API"]);
        let all = set.read(store, None, hour).unwrap();
        assert_eq!(all.first().map(Caller::requests), Some(16));
        assert_eq!(set.read(store, None, hour.plus_ms(2 * HOUR_MS)).unwrap(), []);
    }

    #[test]
    fn another_accounts_callers_are_not_found(store) {
        let set = setting(store);
        store.account("other");
        let stranger = store.member("eve@example.com", "other", Role::Owner);
        let id = set.key.key_id;
        let read = store
            .db
            .read_blocking(move |r| callers::of_key(r, &stranger, &id, None, Millis(0)));
        assert_eq!(read, Err(Error::NotFound));
    }

    #[test]
    fn callers_are_forgotten_after_eight_days_an_hour_at_a_time(store) {
        let set = setting(store);
        let hour = START.hour_start();
        let old = hour.plus_ms(-8 * DAY_MS - HOUR_MS);
        let rows = vec![
            set.count(1, "", "", old),
            set.count(1, "", "curl/8.5", old),
            set.count(1, "", "", old.plus_ms(-HOUR_MS)),
            set.count(1, "", "", hour.plus_ms(-7 * DAY_MS)),
        ];
        write(store, 1, rows);
        let sweep = || store.db.batch_blocking(callers::sweep).unwrap();
        assert_eq!((sweep(), sweep(), sweep()), (1, 2, 0));
        assert_eq!(set.read(store, None, Millis(0)).unwrap().len(), 1);
    }
}
