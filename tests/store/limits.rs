//! What binds accounts and keys, and how people hear that a day is used up.

use latchkey::store::activity::{self, MeterBatch, MeterRow};
use latchkey::store::scope::AccountScope;
use latchkey::store::{Conflict, Db, Error, Settings, keys, limits, outbox, replica};
use latchkey_rules::code::Code;
use latchkey_rules::limit::Bounds;
use latchkey_rules::mail::MailKind;
use latchkey_rules::role::Role;
use latchkey_rules::time::{DAY_MS, Millis};

use crate::place::{START, Store, new_key};

/// Lets so many requests of the account's first key through.
fn use_up(store: &Store, seq: i64, at: Millis, units: i64) {
    let written = store.db.batch_blocking(move |w| {
        let keys = replica::keys_page(w, replica::RowId::NONE, 10)?;
        let key = keys.first().unwrap();
        let row = MeterRow {
            account: key.account_row,
            key: key.row,
            secret_number: 1,
            product: key.products.first().map(|one| one.product),
            code: Code::Valid,
            last: at,
            count: 1,
            units,
        };
        let batch = MeterBatch {
            node: "n".to_owned(),
            exposures: Vec::new(),
            epoch: 1,
            seq,
            at,
            rows: vec![row],
            callers: Vec::new(),
        };
        activity::flush(w, &batch)
    });
    written.unwrap();
}

/// Runs the job; what people were told.
fn told(db: &Db) -> Vec<String> {
    while db.batch_change_blocking(limits::tell_of_days).unwrap() > 0 {}
    let mut told = Vec::new();
    while let Some(mail) = db.batch_blocking(outbox::take_due).unwrap() {
        if mail.kind == MailKind::DayUsed {
            told.push(format!("{} {}", mail.about.subject, mail.about.detail));
        }
        db.batch_blocking(move |w| outbox::sent(w, mail.handle))
            .unwrap();
    }
    told
}

fn stage(store: &Store) -> AccountScope {
    store.account("acme");
    store.product("maps", "api.example.com", "/maps");
    let scope = store.member("ada@example.com", "acme", Role::Owner);
    store.try_key(&scope, new_key("a", &["maps"])).unwrap();
    scope
}

on_both! {
    #[test]
    fn people_hear_once_that_their_day_is_nearly_used_up_and_once_that_it_is(store) {
        let db = store.again(Settings { sends_mail: true, ..Settings::default() });
        stage(store);
        use_up(store, 1, START, 799);
        assert_eq!(told(&db), Vec::<String>::new());
        use_up(store, 2, START, 1);
        assert_eq!(told(&db), ["The acme company 80 1000"]);
        use_up(store, 3, START, 199);
        assert_eq!(told(&db), Vec::<String>::new());
        use_up(store, 4, START, 5);
        assert_eq!(told(&db), ["The acme company 100 1000"]);
        use_up(store, 5, START, 500);
        assert_eq!(told(&db), Vec::<String>::new());
        store.hand.advance_ms(DAY_MS);
        assert_eq!(told(&db), Vec::<String>::new());
        // Both shares at once are one mail.
        use_up(store, 6, START.plus_ms(DAY_MS), 1_000);
        assert_eq!(told(&db), ["The acme company 100 1000"]);
    }

    #[test]
    fn a_days_total_comes_back_with_what_is_written(store) {
        let scope = stage(store);
        use_up(store, 1, START, 20);
        use_up(store, 2, START, 22);
        use_up(store, 2, START, 22);
        let days = store.db.read_blocking(|r| activity::days(r, START)).unwrap();
        assert_eq!(days.iter().map(|day| (day.day, day.used)).collect::<Vec<_>>(), [(START.day_start(), 42)]);
        let of = store.db.read_blocking(move |r| limits::of_account(r, &scope)).unwrap();
        assert_eq!((of.used_today, of.plan.per_day), (42, Some(1_000)));
        let none = store.db.read_blocking(|r| activity::days(r, START.plus_ms(DAY_MS))).unwrap();
        assert!(none.is_empty());
    }

    #[test]
    fn a_keys_own_bounds_are_its_owners_to_set_and_reach_the_gate(store) {
        let scope = stage(store);
        let developer = store.member("dev@example.com", "acme", Role::Developer);
        let key = store.try_key(&scope, new_key("b", &["maps"])).unwrap();
        let bounds = Bounds { per_second: Some(3), per_minute: Some(5), ..Bounds::default() };
        let set = |scope: &AccountScope, generation, bounds: Bounds| {
            let (scope, key_id) = (scope.clone(), key.key_id);
            store.db.change_blocking(move |c| keys::set_own_bounds(c, &scope, &key_id, generation, &bounds))
        };
        let own = || {
            let (scope, key_id) = (scope.clone(), key.key_id);
            store.db.read_blocking(move |r| keys::own_bounds(r, &scope, &key_id)).unwrap()
        };
        let held = || {
            let all = store.db.read_blocking(|r| replica::keys_page(r, replica::RowId::NONE, 10)).unwrap();
            let held = all.into_iter().find(|held| held.key_id == key.key_id).unwrap();
            (held.generation, held.bounds)
        };
        let generation = held().0;
        assert_eq!(set(&developer, generation, bounds), Err(Error::Forbidden));
        assert_eq!(set(&scope, generation + 1, bounds), Err(Conflict::Stale.into()));
        assert_eq!((own(), held()), (Bounds::default(), (generation, Bounds::default())));
        set(&scope, generation, bounds).unwrap();
        assert_eq!((own(), held()), (bounds, (generation + 1, bounds)));
        set(&scope, generation + 1, Bounds::default()).unwrap();
        assert_eq!((own(), held()), (Bounds::default(), (generation + 2, Bounds::default())));
    }
}
