//! The outbox: who takes a mail, for how long, and when it is tried again or given up.

use latchkey::store::Settings;
use latchkey::store::confirmations::{self, Asked, Confirmed, PendingSignUp};
use latchkey::store::outbox::{self, Mail, MailedLink};
use latchkey::store::scope::RequestFacts;
use latchkey::store::{Conflict, Db, Error, keys};
use latchkey_rules::email::Email;
use latchkey_rules::mail::MailKind;
use latchkey_rules::name::DisplayName;
use latchkey_rules::role::Role;
use latchkey_rules::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};

use crate::place::Store;

fn mailing(store: &Store) -> Db {
    store.again(Settings {
        sends_mail: true,
        ..Settings::default()
    })
}

fn link(number: u8) -> MailedLink {
    MailedLink {
        digest: [number; 32],
        sealed: vec![number, 1, 2, 3],
    }
}

fn ask(db: &Db, email: &str, number: u8) -> Asked {
    let new = PendingSignUp {
        person: DisplayName::parse("Ada Lovelace").unwrap(),
        company: DisplayName::parse("Acme & Sons").unwrap(),
        email: Email::parse(email).unwrap(),
        password_hash: "hash".to_owned(),
    };
    db.write_blocking(move |w| confirmations::ask_sign_up(w, &new, &link(number)))
        .unwrap()
}

fn confirm(db: &Db, number: u8) -> Result<Confirmed, Error> {
    db.change_blocking(move |c| confirmations::confirm(c, &[number; 32], RequestFacts::default()))
}

fn take(db: &Db) -> Option<Mail> {
    db.batch_blocking(outbox::take_due).unwrap()
}

on_both! {
    #[test]
    fn a_mail_is_taken_by_one_node_alone_and_again_after_its_lease(store) {
        let db = mailing(store);
        assert_eq!(ask(&db, "ada@example.com", 1), Asked::Free);
        let taken: Vec<Mail> = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..8).map(|_| scope.spawn(|| take(&db))).collect();
            tries.into_iter().filter_map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(taken.len(), 1);
        let mail = &taken[0];
        assert_eq!((mail.kind, mail.email.as_str()), (MailKind::ConfirmSignUp, "ada@example.com"));
        assert_eq!(mail.sealed_link, Some(vec![1, 1, 2, 3]));
        assert_eq!(mail.about.subject, "Acme & Sons");
        store.hand.advance_ms(5 * MINUTE_MS - 1);
        assert!(take(&db).is_none());
        store.hand.advance_ms(1);
        let again = take(&db).unwrap();
        assert_eq!(again.message_id, mail.message_id, "so that a mailbox sees that it has it");
        let handle = again.handle;
        db.batch_blocking(move |w| outbox::sent(w, handle)).unwrap();
        store.hand.advance_ms(HOUR_MS);
        assert!(take(&db).is_none());
        assert_eq!(db.read_blocking(outbox::queue).unwrap(), outbox::Queue::default());
    }

    #[test]
    fn r_12_a_mail_is_tried_for_a_day_and_then_given_up(store) {
        let db = mailing(store);
        ask(&db, "ada@example.com", 1);
        let begin = store.clock.now();
        let mut tries = 0;
        while store.clock.now() < begin.plus_ms(DAY_MS) {
            if let Some(mail) = take(&db) {
                assert_eq!(mail.tries, tries);
                tries += 1;
                db.batch_blocking(move |w| outbox::failed(w, &mail)).unwrap();
            }
            assert_eq!(db.batch_blocking(outbox::give_up), Ok(0));
            store.hand.advance_ms(if tries < 10 { SECOND_MS } else { MINUTE_MS });
        }
        assert!((100..200).contains(&tries), "{tries}");
        assert_eq!(db.read_blocking(outbox::queue).unwrap().oldest, Some(begin));
        assert!(take(&db).is_none());
        assert_eq!(db.batch_blocking(outbox::give_up), Ok(1));
    }

    #[test]
    fn one_that_fails_does_not_hold_up_the_next(store) {
        let db = mailing(store);
        ask(&db, "ada@example.com", 1);
        store.hand.advance_ms(1);
        ask(&db, "bob@example.com", 2);
        let first = take(&db).unwrap();
        assert_eq!(first.email, "ada@example.com");
        db.batch_blocking(move |w| outbox::failed(w, &first)).unwrap();
        assert_eq!(take(&db).unwrap().email, "bob@example.com");
    }

    #[test]
    fn where_no_mail_is_sent_none_is_written(store) {
        ask(&store.db, "ada@example.com", 1);
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM outbox"), 0);
    }

    #[test]
    fn a_mail_and_its_change_are_there_together_or_not_at_all(store) {
        let db = mailing(store);
        store.account("acme");
        store.product("maps", "api.example.com", "/maps");
        let owner = store.member("owner@example.com", "acme", Role::Owner);
        let key_id = store.key(&owner, "Till", &["maps"]).key_id;
        let scope = owner.clone();
        let failed: Result<(), Error> = db.change_blocking(move |change| {
            keys::delete(change, &scope, &key_id)?;
            Err(Conflict::Stale.into())
        });
        assert!(failed.is_err());
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM outbox"), 0);
        db.change_blocking(move |change| keys::delete(change, &owner, &key_id)).unwrap();
        let mail = take(&db).unwrap();
        assert_eq!((mail.kind, mail.email.as_str()), (MailKind::KeyDeleted, "owner@example.com"));
        assert_eq!((mail.about.account.as_deref(), mail.about.key_id), (Some("acme"), Some(key_id)));
        assert_eq!(mail.about.subject, "Till");
    }

    #[test]
    fn t_18_a_confirmation_is_used_up_once_of_twenty_tries_at_once(store) {
        let db = mailing(store);
        ask(&db, "ada@example.com", 1);
        let confirmed: Vec<_> = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..20).map(|_| scope.spawn(|| confirm(&db, 1))).collect();
            tries.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let won = confirmed.iter().filter(|one| **one == Ok(Confirmed::SignUp)).count();
        assert_eq!(won, 1);
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM users"), 1);
        assert_eq!(ask(&db, "ADA@example.com", 2), Asked::Taken);
    }

    #[test]
    fn t_18_a_confirmation_ends_after_its_day_and_is_swept(store) {
        let db = mailing(store);
        ask(&db, "ada@example.com", 1);
        let peek = |number: u8| db.read_blocking(move |r| confirmations::peek(r, &[number; 32])).unwrap();
        store.hand.advance_ms(DAY_MS - 1);
        assert_eq!(peek(1).as_deref(), Some("ada@example.com"));
        assert_eq!(db.batch_blocking(confirmations::sweep), Ok(0));
        store.hand.advance_ms(1);
        assert_eq!(peek(1), None);
        assert_eq!(confirm(&db, 1), Err(Error::NotFound));
        assert_eq!(db.batch_blocking(confirmations::sweep), Ok(1));
    }
}
