//! Rotation: what becomes of each secret, who is told, and that two people at once do not both rotate.

use latchkey::store::activity::{self, MeterBatch, MeterRow};
use latchkey::store::keys::{self, Key, NewRotation, SecretFacts};
use latchkey::store::outbox;
use latchkey::store::replica::{self, RowId};
use latchkey::store::scope::AccountScope;
use latchkey::store::{Conflict, Error, Settings};
use latchkey_rules::code::Code;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::mail::MailKind;
use latchkey_rules::role::Role;
use latchkey_rules::rotation::RotationReason;
use latchkey_rules::time::HOUR_MS;

use crate::place::{START, Store, secret};

struct Rotating<'s> {
    store: &'s Store,
    owner: AccountScope,
    key_id: KeyId,
    seq: i64,
}

impl<'s> Rotating<'s> {
    fn new(store: &'s Store) -> Self {
        store.account("acme");
        store.product("maps", "api.example.com", "/maps");
        let owner = store.member("owner@example.com", "acme", Role::Owner);
        let key_id = store.key(&owner, "Till", &["maps"]).key_id;
        Self {
            store,
            owner,
            key_id,
            seq: 0,
        }
    }

    fn get(&self) -> Key {
        let (scope, key_id) = (self.owner.clone(), self.key_id);
        let read = move |r: &mut _| keys::get(r, &scope, &key_id);
        self.store.db.read_blocking(read).unwrap()
    }

    fn ask(&self, reason: RotationReason, hours: i64) -> NewRotation {
        NewRotation {
            key_id: self.key_id,
            generation: self.get().generation,
            secret: secret(),
            reason,
            grace_ms: hours * HOUR_MS,
            form_id: format!("form {}", rand::random::<u64>()),
        }
    }

    fn rotate(&self, new: NewRotation) -> Result<Key, Error> {
        let scope = self.owner.clone();
        let change = move |c: &mut latchkey::store::Change<'_>| keys::rotate(c, &scope, &new);
        self.store.db.change_blocking(change)
    }

    fn rotated(&self, hours: i64) -> Key {
        self.rotate(self.ask(RotationReason::Routine, hours))
            .unwrap()
    }

    /// A request with the secret of this number was let through, now.
    fn used(&mut self, number: i16) {
        self.seq += 1;
        let pages = self
            .store
            .db
            .read_blocking(|r| replica::keys_page(r, RowId::NONE, 10));
        let held = pages.unwrap().remove(0);
        let now = self.store.clock.now();
        let batch = MeterBatch {
            node: "one".to_owned(),
            exposures: Vec::new(),
            epoch: 1,
            seq: self.seq,
            at: now,
            callers: Vec::new(),
            rows: vec![MeterRow {
                account: held.account_row,
                key: held.row,
                secret_number: number,
                product: None,
                code: Code::Valid,
                last: now,
                count: 1,
                units: 1,
            }],
        };
        self.store
            .db
            .batch_blocking(move |w| activity::flush(w, &batch))
            .unwrap();
    }
}

fn ends(key: &Key) -> Vec<(i16, Option<i64>)> {
    let hours = |secret: &SecretFacts| secret.retires_at.map(|at| (at.0 - START.0) / HOUR_MS);
    key.secrets.iter().map(|s| (s.number, hours(s))).collect()
}

on_both! {
    #[test]
    fn the_secret_before_works_on_for_its_grace(store) {
        let one = Rotating::new(store);
        let key = one.rotated(48);
        assert_eq!(ends(&key), [(2, None), (1, Some(48))]);
        assert_eq!(key.last_rotated_at, Some(START));
        assert_eq!(key.older_secret(START).map(|s| s.number), Some(1));
        assert_eq!(key.older_secret(START.plus_ms(48 * HOUR_MS)), None);
        let logged = store.texts("SELECT action || ' ' || after AS t FROM audit_events WHERE action = 'key.rotated'");
        assert_eq!(logged.len(), 1);
        assert!(logged[0].contains("routine"), "{logged:?}");
    }

    #[test]
    fn rotating_twice_with_an_unused_secret_keeps_production_alive(store) {
        let mut one = Rotating::new(store);
        one.used(1);
        one.rotated(48);
        store.hand.advance_ms(HOUR_MS);
        let key = one.rotated(48);
        assert_eq!(ends(&key), [(3, None), (2, Some(1)), (1, Some(48))]);
        assert_eq!(key.older_secret(store.clock.now()).map(|s| s.number), Some(1));
        one.used(3);
        store.hand.advance_ms(HOUR_MS);
        let key = one.rotated(24);
        assert_eq!(ends(&key), [(4, None), (3, Some(26)), (2, Some(1)), (1, Some(2))]);
    }

    #[test]
    fn a_leak_ends_every_secret_and_marks_them_for_ever(store) {
        let one = Rotating::new(store);
        one.rotated(48);
        let key = one.rotate(one.ask(RotationReason::Leaked, 48)).unwrap();
        assert_eq!(ends(&key), [(3, None), (2, Some(0)), (1, Some(0))]);
        let leaked: Vec<bool> = key.secrets.iter().map(|s| s.leaked_at.is_some()).collect();
        assert_eq!(leaked, [false, true, true]);
    }

    #[test]
    fn of_two_who_rotate_at_once_one_is_told_to_look_again(store) {
        let one = Rotating::new(store);
        let asked: Vec<NewRotation> = (0..8).map(|_| one.ask(RotationReason::Routine, 48)).collect();
        let rotated: Vec<_> = std::thread::scope(|scope| {
            let tries: Vec<_> = asked.into_iter().map(|new| scope.spawn(|| one.rotate(new))).collect();
            tries.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let (done, stale): (Vec<_>, Vec<_>) = rotated.into_iter().partition(Result::is_ok);
        assert_eq!(done.len(), 1);
        for error in stale {
            assert_eq!(error.err(), Some(Error::Conflict(Conflict::Stale)));
        }
        assert_eq!(one.get().secrets.len(), 2);
    }

    #[test]
    fn a_form_that_is_sent_again_rotates_nothing(store) {
        let one = Rotating::new(store);
        let first = one.ask(RotationReason::Routine, 48);
        let again = NewRotation { secret: secret(), form_id: first.form_id.clone(), ..one.ask(RotationReason::Routine, 48) };
        one.rotate(first).unwrap();
        assert!(matches!(one.rotate(again), Err(Error::Conflict(Conflict::FormUsed { .. }))));
        assert_eq!(one.get().secrets.len(), 2);
    }

    #[test]
    fn a_grace_gets_shorter_and_never_longer(store) {
        let one = Rotating::new(store);
        let shorten = |hours: i64, generation: i64| {
            let (scope, key_id) = (one.owner.clone(), one.key_id);
            store.db.change_blocking(move |c| keys::shorten_grace(c, &scope, &key_id, generation, hours * HOUR_MS))
        };
        assert_eq!(shorten(0, one.get().generation), Err(Error::Conflict(Conflict::Stale)), "there is none");
        one.rotated(24);
        let generation = one.get().generation;
        shorten(3, generation).unwrap();
        assert_eq!(ends(&one.get()), [(2, None), (1, Some(3))]);
        assert_eq!(shorten(1, generation), Err(Error::Conflict(Conflict::Stale)), "somebody was quicker");
        shorten(48, one.get().generation).unwrap();
        assert_eq!(ends(&one.get()), [(2, None), (1, Some(3))]);
        shorten(0, one.get().generation).unwrap();
        assert_eq!(one.get().older_secret(START), None);
    }

    #[test]
    fn people_are_told_once_when_an_old_secret_is_still_used_before_its_end(store) {
        let mut one = Rotating::new(store);
        let mailing = store.again(Settings { sends_mail: true, ..Settings::default() });
        let told = || {
            mailing.batch_change_blocking(keys::warn_of_ends).unwrap();
            let mail = mailing.batch_blocking(outbox::take_due).unwrap();
            if let Some(mail) = mail.clone() {
                mailing.batch_blocking(move |w| outbox::sent(w, mail.handle)).unwrap();
            }
            mail
        };
        one.rotated(24);
        store.hand.advance_ms(20 * HOUR_MS - 1);
        one.used(1);
        assert!(told().is_none(), "there is time");
        store.hand.advance_ms(1);
        let mail = told().unwrap();
        assert_eq!((mail.kind, mail.about.key_id), (MailKind::SecretEnding, Some(one.key_id)));
        assert_eq!(mail.about.detail, START.plus_ms(24 * HOUR_MS).0.to_string());
        assert!(told().is_none(), "it is told once");
        // Nobody is told of one that nobody uses.
        store.hand.advance_ms(10 * HOUR_MS);
        one.used(2);
        one.rotated(3);
        store.hand.advance_ms(8 * HOUR_MS);
        assert!(told().is_none());
    }
}
