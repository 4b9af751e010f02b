//! Counts: additive, once, and as the key's page reads them.

use latchkey::store::activity::{self, ActivityRow, Flushed, MeterBatch, MeterRow};
use latchkey::store::keys::{self, Key};
use latchkey::store::replica::{self, RowId};
use latchkey::store::scope::AccountScope;
use latchkey::store::{Error, Result};
use latchkey_rules::code::Code;
use latchkey_rules::role::{Role, StaffRole};
use latchkey_rules::time::{DAY_MS, HOUR_MS, Millis};

use crate::place::{START, Store};

struct Setting {
    scope: AccountScope,
    key: Key,
    account_row: RowId,
    key_row: RowId,
    product_row: RowId,
}

fn setting(store: &Store) -> Setting {
    store.account("acme");
    store.product("maps", "api.example.com", "/maps");
    let scope = store.member("ada@example.com", "acme", Role::Owner);
    let key = store.key(&scope, "one", &["maps"]);
    let found = store
        .db
        .read_blocking(|r| replica::keys_page(r, RowId::NONE, 10))
        .unwrap();
    Setting {
        scope,
        key,
        account_row: found[0].account_row,
        key_row: found[0].row,
        product_row: found[0].products[0].product,
    }
}

impl Setting {
    fn row(&self, code: Code, hour: Millis, count: i64) -> MeterRow {
        MeterRow {
            account: self.account_row,
            key: self.key_row,
            secret_number: 1,
            product: Some(self.product_row),
            code,
            last: hour,
            count,
            units: if code.is_allow() { count } else { 0 },
        }
    }

    fn read(&self, store: &Store) -> Vec<ActivityRow> {
        let (scope, id) = (self.scope.clone(), self.key.key_id);
        store
            .db
            .read_blocking(move |r| {
                activity::of_key(r, &scope, &id, START.day_start(), START.plus_ms(DAY_MS))
            })
            .unwrap()
    }
}

fn batch(seq: i64, rows: Vec<MeterRow>) -> MeterBatch {
    MeterBatch {
        node: "node-a".to_owned(),
        exposures: Vec::new(),
        epoch: 77,
        seq,
        at: START,
        rows,
        callers: Vec::new(),
    }
}

fn flush(store: &Store, batch: MeterBatch) -> Result<Flushed> {
    store
        .db
        .batch_blocking(move |writer| activity::flush(writer, &batch))
        .map(|(flushed, _)| flushed)
}

on_both! {
    #[test]
    fn r_03_a_batch_handed_in_twice_counts_once(store) {
        let here = setting(store);
        let rows = vec![here.row(Code::Valid, START, 5), here.row(Code::ProductUnknown, START, 2)];
        assert_eq!(flush(store, batch(1, rows.clone())), Ok(Flushed::Written));
        assert_eq!(flush(store, batch(1, rows.clone())), Ok(Flushed::AlreadyWritten));
        assert_eq!(here.read(store).iter().map(|r| r.count).sum::<i64>(), 7);
        // Another number, another epoch, another node are other batches.
        assert_eq!(flush(store, batch(2, rows.clone())), Ok(Flushed::Written));
        let epoch = MeterBatch { epoch: 78, ..batch(1, rows.clone()) };
        assert_eq!(flush(store, epoch), Ok(Flushed::Written));
        let node = MeterBatch { node: "node-b".to_owned(), ..batch(1, rows) };
        assert_eq!(flush(store, node), Ok(Flushed::Written));
        assert_eq!(here.read(store).iter().map(|r| r.count).sum::<i64>(), 28);
        assert_eq!(store.number("SELECT count AS n FROM account_days"), 20);
    }

    #[test]
    fn r_03_one_batch_handed_in_by_eight_at_once_counts_once(store) {
        let here = setting(store);
        let written = std::thread::scope(|threads| {
            let tries: Vec<_> = (0..8)
                .map(|_| {
                    let rows = vec![here.row(Code::Valid, START, 3)];
                    threads.spawn(move || flush(store, batch(9, rows)).unwrap())
                })
                .collect();
            tries.into_iter().filter(|_| true).map(|t| t.join().unwrap()).filter(|f| *f == Flushed::Written).count()
        });
        assert_eq!(written, 1);
        assert_eq!(here.read(store)[0].count, 3);
    }

    #[test]
    fn counts_are_read_by_hour_secret_product_and_code(store) {
        let here = setting(store);
        let mut unknown = here.row(Code::ProductUnknown, START, 4);
        unknown.product = None;
        let mut old = here.row(Code::SecretRetired, START, 1);
        old.secret_number = 9;
        let rows = vec![
            here.row(Code::Valid, START, 1),
            here.row(Code::Valid, START.plus_ms(60_000), 2),
            here.row(Code::Valid, START.plus_ms(HOUR_MS), 8),
            unknown,
            old,
        ];
        assert_eq!(flush(store, batch(1, rows)), Ok(Flushed::Written));
        let hour = START.hour_start();
        let last4 = here.key.secrets[0].last4.clone();
        let row = |hour, secret: &str, product: Option<&str>, code, count| ActivityRow {
            secret_number: if secret == "-" { 9 } else { 1 },
            hour,
            secret_last4: secret.to_owned(),
            product_slug: product.map(str::to_owned),
            code,
            count,
        };
        assert_eq!(
            here.read(store),
            [
                row(hour, &last4, None, Code::ProductUnknown, 4),
                row(hour, &last4, Some("maps"), Code::Valid, 3),
                row(hour, "-", Some("maps"), Code::SecretRetired, 1),
                row(hour.plus_ms(HOUR_MS), &last4, Some("maps"), Code::Valid, 8),
            ]
        );
        let support = store.staff("support@example.com", StaffRole::Support);
        let id = here.key.key_id;
        let seen = store
            .db
            .read_blocking(move |r| {
                activity::of_key_for_staff(r, &support, &id, hour, hour.plus_ms(HOUR_MS))
            })
            .unwrap();
        assert_eq!(seen.len(), 3, "the hour after is not asked for");
    }

    #[test]
    fn only_what_was_let_through_is_a_use(store) {
        let here = setting(store);
        let id = here.key.key_id;
        let last_used = || {
            let scope = here.scope.clone();
            store.db.read_blocking(move |r| keys::get(r, &scope, &id)).unwrap().last_used_at
        };
        flush(store, batch(1, vec![here.row(Code::KeyDisabled, START, 1)])).unwrap();
        assert_eq!(last_used(), None);
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM account_days"), 0);
        flush(store, batch(2, vec![here.row(Code::Valid, START, 1)])).unwrap();
        assert_eq!(last_used(), Some(START));
        // A batch that was spilled and comes late does not turn it back.
        let late = MeterBatch {
            at: START.plus_ms(-HOUR_MS),
            ..batch(3, vec![here.row(Code::Valid, START.plus_ms(-HOUR_MS), 1)])
        };
        flush(store, late).unwrap();
        assert_eq!(last_used(), Some(START));
        assert_eq!(store.number("SELECT generation AS n FROM keys"), 1, "a use is no change");
    }

    #[test]
    fn r_03_counts_of_a_key_that_went_are_kept(store) {
        let here = setting(store);
        let mut gone = here.row(Code::Valid, START, 6);
        gone.key = RowId::from_number(4711);
        assert_eq!(flush(store, batch(1, vec![gone])), Ok(Flushed::Written));
        assert_eq!(store.number("SELECT CAST(SUM(count) AS BIGINT) AS n FROM activity WHERE key_row = 4711"), 6);
    }

    #[test]
    fn a_batch_of_thousands_is_written_whole(store) {
        let here = setting(store);
        let rows: Vec<MeterRow> = (0..3_500)
            .flat_map(|number| {
                let mut row = here.row(Code::Valid, START, 2);
                row.key = RowId::from_number(1_000 + number);
                row.account = RowId::from_number(1 + number % 1_500);
                [row.clone(), row]
            })
            .collect();
        assert_eq!(flush(store, batch(1, rows.clone())), Ok(Flushed::Written));
        assert_eq!(flush(store, batch(2, rows)), Ok(Flushed::Written));
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM activity"), 3_500);
        assert_eq!(store.number("SELECT MIN(count) AS n FROM activity"), 8);
        let all = "SELECT CAST(SUM(count) AS BIGINT) AS n FROM activity";
        assert_eq!(store.number(all), 28_000);
        let days = "SELECT CAST(SUM(count) AS BIGINT) AS n FROM account_days";
        assert_eq!(store.number(days), 28_000);
    }

    #[test]
    fn numbers_of_old_batches_are_forgotten_and_counts_are_not(store) {
        let here = setting(store);
        flush(store, batch(1, vec![here.row(Code::Valid, START, 1)])).unwrap();
        store.hand.advance_ms(90 * DAY_MS);
        assert_eq!(store.db.batch_blocking(activity::sweep_batches), Ok(0));
        store.hand.advance_ms(1);
        assert_eq!(store.db.batch_blocking(activity::sweep_batches), Ok(1));
        assert_eq!(here.read(store).len(), 1);
    }

    #[test]
    fn a_batch_that_cannot_be_written_leaves_nothing_behind(store) {
        let here = setting(store);
        let poison = if store.is_sqlite() {
            "CREATE TRIGGER no_days BEFORE INSERT ON account_days \
             BEGIN SELECT RAISE(ABORT, 'no'); END"
        } else {
            "ALTER TABLE account_days ADD CONSTRAINT no_days CHECK (count < 0)"
        };
        store.sql(poison);
        let refused = flush(store, batch(1, vec![here.row(Code::Valid, START, 1)]));
        assert!(matches!(refused, Err(Error::Database(_))), "{refused:?}");
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM activity"), 0);
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM meter_batches"), 0);
    }
}
