//! A key's people hear of its end fourteen and three days before it, and on its last day.

use latchkey::store::keys::{self, KeyTerms, NewKey};
use latchkey::store::scope::AccountScope;
use latchkey::store::{Db, Settings, outbox};
use latchkey_rules::access::Access;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::mail::MailKind;
use latchkey_rules::name::KeyName;
use latchkey_rules::role::Role;
use latchkey_rules::time::{DAY_MS, Millis};

use crate::place::{START, Store, new_key};

/// Runs the job; which ends were told of.
fn told(db: &Db) -> Vec<String> {
    while db.batch_change_blocking(keys::remind_of_ends).unwrap() > 0 {}
    let mut ends = Vec::new();
    while let Some(mail) = db.batch_blocking(outbox::take_due).unwrap() {
        if mail.kind == MailKind::KeyExpiring {
            ends.push(mail.about.detail.clone());
        }
        db.batch_blocking(move |w| outbox::sent(w, mail.handle))
            .unwrap();
    }
    ends
}

fn expiring(store: &Store, scope: &AccountScope, name: &str, days: i64) -> KeyId {
    let mut new: NewKey = new_key(name, &["maps"]);
    new.terms.expires_at = Some(end(days));
    store.try_key(scope, new).unwrap().key_id
}

fn end(days: i64) -> Millis {
    START.plus_ms(days * DAY_MS)
}

on_both! {
    #[test]
    fn each_of_the_three_days_is_told_once(store) {
        let db = store.again(Settings { sends_mail: true, ..Settings::default() });
        store.account("acme");
        store.product("maps", "api.example.com", "/maps");
        let scope = store.member("ada@example.com", "acme", Role::Owner);
        expiring(store, &scope, "a", 30);
        let one = vec![end(30).0.to_string()];
        let mut days = Vec::new();
        for day in 0..32 {
            let ends = told(&db);
            assert!(told(&db).is_empty(), "day {day}");
            if !ends.is_empty() {
                assert_eq!(ends, one);
                days.push(30 - day);
            }
            store.hand.advance_ms(DAY_MS);
        }
        assert_eq!(days, [15, 4, 1], "so many days begin before the end");
    }

    #[test]
    fn who_sets_a_near_end_is_not_told_and_a_later_end_is_told_anew(store) {
        let db = store.again(Settings { sends_mail: true, ..Settings::default() });
        store.account("acme");
        store.product("maps", "api.example.com", "/maps");
        let scope = store.member("ada@example.com", "acme", Role::Owner);
        let key_id = expiring(store, &scope, "a", 2);
        assert!(told(&db).is_empty(), "it was made within those days");
        store.hand.advance_ms(DAY_MS + 1);
        assert_eq!(told(&db).len(), 1, "its last day");
        let mut terms = KeyTerms::plain(KeyName::parse("a").unwrap(), Access::Write, vec!["maps".to_owned()]);
        terms.expires_at = Some(end(40));
        let by = scope.clone();
        store.db.change_blocking(move |c| keys::edit(c, &by, &key_id, 1, &terms)).unwrap();
        assert!(told(&db).is_empty());
        store.hand.advance_ms(25 * DAY_MS);
        assert_eq!(told(&db), [end(40).0.to_string()]);
    }
}
