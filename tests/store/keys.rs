//! Keys through their life.

use latchkey::store::accounts;
use latchkey::store::keys::{
    self, Disabled, ImportKey, ImportSecret, ImportedState, KeyFilter, KeyOrder, KeyPage,
    NewRotation,
};
use latchkey::store::scope::AccountScope;
use latchkey::store::{Conflict, Error, audit, form_ids};
use latchkey_rules::access::Access;
use latchkey_rules::billing::{BillingType, Tier};
use latchkey_rules::environment::Environment;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::name::KeyName;
use latchkey_rules::role::{Role, StaffRole};
use latchkey_rules::rotation::RotationReason;
use latchkey_rules::secret::{Digest, Prefix};
use latchkey_rules::status::Status;
use latchkey_rules::time::DAY_MS;

use crate::place::{START, Store, new_key, secret};

fn acme(store: &Store) -> AccountScope {
    store.account("acme");
    store.product("maps", "api.example.com", "/maps");
    store.product("routing", "api.example.com", "/routing");
    store.member("ada@example.com", "acme", Role::Owner)
}

fn list(store: &Store, scope: &AccountScope, filter: KeyFilter) -> KeyPage {
    let scope = scope.clone();
    store
        .db
        .read_blocking(move |reader| keys::list(reader, &scope, &filter))
        .unwrap()
}

fn get(store: &Store, scope: &AccountScope, key_id: KeyId) -> Result<keys::Key, Error> {
    let scope = scope.clone();
    store
        .db
        .read_blocking(move |reader| keys::get(reader, &scope, &key_id))
}

fn names(page: &KeyPage) -> Vec<&str> {
    page.keys.iter().map(|key| key.name.as_str()).collect()
}

fn import_key(account: &str, name: &str, state: ImportedState) -> ImportKey {
    ImportKey {
        account: account.to_owned(),
        key_id: KeyId::generate(&mut rand::rng()),
        name: KeyName::parse(name).unwrap(),
        kind: KeyKind::Server,
        environment: Environment::Live,
        access: Access::Write,
        products: vec!["maps".to_owned()],
        scopes: Vec::new(),
        billing: None,
        domains: vec!["example.com".to_owned(), "*.example.org".to_owned()],
        ips: vec!["192.0.2.0/24".to_owned()],
        any_site: false,
        note: "from elsewhere".to_owned(),
        created_by: "Grace Hopper".to_owned(),
        created_at: START.plus_ms(-30 * DAY_MS),
        state,
        secrets: vec![
            ImportSecret {
                number: 1,
                digest: Digest::of(&format!("{name} 1")),
                prefix: Prefix::default(),
                last4: "aaaa".to_owned(),
                created_at: START.plus_ms(-30 * DAY_MS),
                retires_at: Some(START.plus_ms(DAY_MS)),
                sealed: None,
            },
            ImportSecret {
                number: 2,
                digest: Digest::of(&format!("{name} 2")),
                prefix: Prefix::default(),
                last4: "bbbb".to_owned(),
                created_at: START.plus_ms(-DAY_MS),
                retires_at: None,
                sealed: None,
            },
        ],
    }
}

on_both! {
    #[test]
    fn a_new_key_is_as_it_was_asked_for(store) {
        let scope = acme(store);
        let mut new = new_key("  Checkout \u{e9} ", &["routing", "maps", "maps"]);
        new.terms.note = "for the shop".to_owned();
        new.terms.expires_at = Some(START.plus_ms(30 * DAY_MS));
        let id = new.key_id;
        let last4 = new.secret.last4.clone();
        let made = store.try_key(&scope, new).unwrap();
        assert_eq!(made, get(store, &scope, id).unwrap());
        assert_eq!(made.name, "Checkout \u{e9}");
        let products: Vec<&str> = made.products.iter().map(|p| p.slug.as_str()).collect();
        assert_eq!(products, ["maps", "routing"]);
        assert_eq!((made.created_at, made.created_by.as_str()), (START, "Ada Lovelace"));
        assert_eq!(made.billing, BillingType::Freemium);
        assert_eq!(made.generation, 1);
        assert_eq!(made.status(START), Status::Active);
        assert_eq!(made.status(START.plus_ms(25 * DAY_MS)), Status::Expiring);
        assert_eq!(made.secrets.len(), 1);
        assert_eq!((made.secrets[0].number, &made.secrets[0].last4), (1, &last4));
        assert_eq!(made.last_used_at, None);
        let stored = store.texts("SELECT hash_kind AS t FROM secrets");
        assert_eq!(stored, ["sha256"]);
        let scope2 = scope.clone();
        let events = store
            .db
            .read_blocking(move |reader| audit::of_key(reader, &scope2, &id, 10))
            .unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].action, audit::Action::KeyCreated);
        assert_eq!(events[0].actor, "ada@example.com");
    }

    #[test]
    fn a_name_is_unique_among_the_accounts_keys_that_are_not_deleted(store) {
        let scope = acme(store);
        let first = store.key(&scope, "Prod", &["maps"]).key_id;
        let again = store.try_key(&scope, new_key("pROD", &["maps"])).err();
        assert_eq!(again, Some(Error::Conflict(Conflict::NameTaken)));
        store.account("other");
        let other = store.member("bob@example.com", "other", Role::Owner);
        store.key(&other, "Prod", &["maps"]);
        let by = scope.clone();
        store.db.change_blocking(move |c| keys::delete(c, &by, &first)).unwrap();
        store.key(&scope, "Prod", &["maps"]);
    }

    #[test]
    fn t_32_t_59_a_form_that_is_sent_twice_makes_one_key(store) {
        let scope = acme(store);
        let mut first = new_key("one", &["maps"]);
        let mut second = new_key("two", &["maps"]);
        first.form_id = "form".to_owned();
        second.form_id = "form".to_owned();
        let key_id = store.try_key(&scope, first).unwrap().key_id;
        store.hand.advance_ms(5_000);
        let again = store.try_key(&scope, second).err();
        let used = Conflict::FormUsed { made_at: START, key_id };
        assert_eq!(again, Some(Error::Conflict(used)));
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM keys"), 1);
        // Another account's form of the same name is another form.
        store.account("other");
        let other = store.member("bob@example.com", "other", Role::Owner);
        let mut third = new_key("three", &["maps"]);
        third.form_id = "form".to_owned();
        store.try_key(&other, third).unwrap();
        assert_eq!(store.db.batch_blocking(form_ids::sweep), Ok(0));
        store.hand.advance_ms(DAY_MS + 1);
        assert_eq!(store.db.batch_blocking(form_ids::sweep), Ok(2));
    }

    #[test]
    fn t_32_t_59_a_form_sent_eight_times_at_once_makes_one_key(store) {
        let scope = acme(store);
        let made: usize = std::thread::scope(|threads| {
            let tries: Vec<_> = (0..8)
                .map(|number| {
                    let mut new = new_key(&format!("key {number}"), &["maps"]);
                    new.form_id = "form".to_owned();
                    let scope = &scope;
                    threads.spawn(move || store.try_key(scope, new))
                })
                .collect();
            tries
                .into_iter()
                .map(|t| match t.join().unwrap() {
                    Ok(_) => 1,
                    Err(Error::Conflict(Conflict::FormUsed { .. })) => 0,
                    Err(other) => panic!("{other}"),
                })
                .sum()
        });
        assert_eq!(made, 1);
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM keys"), 1);
    }

    #[test]
    fn what_cannot_be_kept_is_refused_and_leaves_nothing(store) {
        let scope = acme(store);
        let unknown = store.try_key(&scope, new_key("a", &["maps", "nothing"])).err();
        let slug = "nothing".to_owned();
        assert_eq!(unknown, Some(Error::Conflict(Conflict::ProductUnknown { slug })));
        let mut paying = new_key("a", &["maps"]);
        paying.terms.billing = Some(BillingType::Paying);
        let paying = store.try_key(&scope, paying).err();
        assert!(matches!(paying, Some(Error::Conflict(Conflict::BillingNotOffered { .. }))));
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM form_ids"), 0);
        store.key(&scope, "a", &[]);
        let mut third = new_key("c", &[]);
        store.key(&scope, "b", &[]);
        third.keys_per_account = 2;
        let third = store.try_key(&scope, third).err();
        assert_eq!(third, Some(Error::Conflict(Conflict::TooManyKeys { limit: 2 })));
        store.sql("UPDATE plans SET keys = 1");
        let fourth = store.try_key(&scope, new_key("d", &[])).err();
        assert_eq!(fourth, Some(Error::Conflict(Conflict::TooManyKeys { limit: 1 })));
    }

    #[test]
    fn an_enterprise_key_is_billed_as_asked_and_a_plan_needs_its_tier(store) {
        store.account_of("big", Tier::Enterprise, "enterprise");
        store.account("small");
        let big = store.member("b@example.com", "big", Role::Owner);
        assert_eq!(store.key(&big, "one", &[]).billing, BillingType::Evaluation);
        let mut paying = new_key("two", &[]);
        paying.terms.billing = Some(BillingType::Paying);
        assert_eq!(store.try_key(&big, paying).unwrap().billing, BillingType::Paying);
        let small = store.member("s@example.com", "small", Role::Owner);
        let key_id = store.key(&small, "one", &[]).key_id;
        let refused = store.change(|c, o| accounts::set_plan(c, o, "small", "enterprise")).err();
        assert!(matches!(
            refused,
            Some(Error::Conflict(Conflict::PlanNeedsEnterprise { .. }))
        ));
        let refused = store.change(|c, o| accounts::set_plan(c, o, "small", "golden")).err();
        assert!(matches!(refused, Some(Error::Conflict(Conflict::PlanUnknown { .. }))));
        store.change(|c, o| accounts::set_plan(c, o, "small", "starter")).unwrap();
        assert_eq!(get(store, &small, key_id).unwrap().billing, BillingType::PayAsYouGrow);
        let facts = store
            .db
            .read_blocking(move |reader| accounts::facts(reader, &small))
            .unwrap();
        assert_eq!((facts.plan.per_minute, facts.plan.burst), (Some(60), Some(100)));
    }

    #[test]
    fn a_list_is_paged_without_a_gap_in_either_order(store) {
        let scope = acme(store);
        let mut expected = Vec::new();
        for number in 0..25 {
            // Three at an instant, so that the order needs more than the time.
            if number % 3 == 0 {
                store.hand.advance_ms(1_000);
            }
            let name = format!("Key {:02}", (number * 7) % 25);
            store.key(&scope, &name, &["maps"]);
            expected.push(name);
        }
        for order in [KeyOrder::Name, KeyOrder::Newest, KeyOrder::LastUsed] {
            let mut seen = Vec::new();
            let mut after = None;
            loop {
                let filter = KeyFilter { order, after, limit: 4, ..KeyFilter::default() };
                let page = list(store, &scope, filter);
                assert_eq!(page.total, 25);
                assert!(page.keys.len() <= 4);
                seen.extend(page.keys.iter().map(|key| key.name.clone()));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            let mut wanted = expected.clone();
            match order {
                KeyOrder::Name => wanted.sort(),
                // None of them was ever used.
                KeyOrder::Newest | KeyOrder::LastUsed => wanted.reverse(),
            }
            assert_eq!(seen, wanted, "{order:?}");
        }
    }

    #[test]
    fn t_29_a_search_reads_wildcards_as_themselves(store) {
        let scope = acme(store);
        for name in ["100% sure", "100 per cent", "a_b", "axb", r"back\slash", "\u{c4}pfel"] {
            store.key(&scope, name, &[]);
        }
        for (text, found) in [
            ("100%", vec!["100% sure"]),
            ("%", vec!["100% sure"]),
            ("a_b", vec!["a_b"]),
            (r"\", vec![r"back\slash"]),
            ("\u{e4}PFEL", vec!["\u{c4}pfel"]),
            ("' OR 1=1 --", vec![]),
        ] {
            let filter = KeyFilter { search: Some(text.to_owned()), ..KeyFilter::default() };
            assert_eq!(names(&list(store, &scope, filter)), found, "{text}");
        }
    }

    #[test]
    fn a_list_narrowed_to_a_status_holds_the_keys_that_stand_so(store) {
        let scope = acme(store);
        let columns = [
            ("disabled_at = 1", "disabled_at = NULL"),
            ("paused_at = 1", "paused_at = NULL"),
            ("paused_until = 9000000000000", "paused_until = 1"),
            ("expires_at = 9000000000000", "expires_at = 1"),
        ];
        for mask in 0..16 {
            let key = store.key(&scope, &format!("k{mask:02}"), &["maps"]);
            let set: Vec<&str> = columns
                .iter()
                .enumerate()
                .map(|(bit, (on, off))| if mask & (1 << bit) == 0 { *off } else { *on })
                .collect();
            let name = &key.name;
            store.sql(&format!("UPDATE keys SET {} WHERE name = '{name}'", set.join(", ")));
        }
        let soon = START.plus_ms(DAY_MS).0;
        store.sql(&format!("UPDATE keys SET expires_at = {soon} WHERE name = 'k08'"));
        let turned = list(store, &scope, KeyFilter { search: Some("k12".to_owned()), ..KeyFilter::default() });
        let rotation = NewRotation {
            key_id: turned.keys[0].key_id,
            generation: 1,
            secret: secret(),
            reason: RotationReason::Routine,
            grace_ms: DAY_MS,
            form_id: "turn".to_owned(),
        };
        let by = scope.clone();
        store.db.change_blocking(move |c| keys::rotate(c, &by, &rotation)).unwrap();
        let all = list(store, &scope, KeyFilter::default()).keys;
        for status in Status::ALL.iter().filter(|status| **status != Status::Deleted) {
            let filter = KeyFilter { status: Some(*status), ..KeyFilter::default() };
            let page = list(store, &scope, filter);
            let wanted: Vec<&str> = all
                .iter()
                .filter(|key| key.status(START) == *status)
                .map(|key| key.name.as_str())
                .collect();
            assert_eq!(names(&page), wanted, "{status:?}");
        }
        let by = scope.clone();
        let worth = store.db.read_blocking(move |r| keys::worth_a_look(r, &by)).unwrap();
        let standing: i64 = worth.iter().map(|(_, count)| count).sum();
        let off = all.iter().filter(|key| key.status(START) != Status::Active).count();
        assert_eq!(standing, i64::try_from(off).unwrap());
    }

    #[test]
    fn a_list_is_narrowed_by_key_id_environment_and_product(store) {
        let scope = acme(store);
        let one = store.key(&scope, "one", &["maps"]).key_id;
        let mut two = new_key("two", &["routing"]);
        two.environment = Environment::Test;
        store.try_key(&scope, two).unwrap();
        let find = |filter: KeyFilter| list(store, &scope, filter);
        let by_id = find(KeyFilter { search: Some(format!(" {one} ")), ..KeyFilter::default() });
        assert_eq!(names(&by_id), ["one"]);
        let test = find(KeyFilter { environment: Some(Environment::Test), ..KeyFilter::default() });
        assert_eq!(names(&test), ["two"]);
        let maps = find(KeyFilter { product: Some("maps".to_owned()), ..KeyFilter::default() });
        assert_eq!(names(&maps), ["one"]);
        assert_eq!(maps.total, 1);
    }

    #[test]
    fn a_disabled_key_says_why_and_is_enabled_again(store) {
        let scope = acme(store);
        let id = store.key(&scope, "one", &["maps"]).key_id;
        let admin = store.staff("admin@example.com", StaffRole::Admin);
        let by = admin.clone();
        store.db.change_blocking(move |c| keys::disable(c, &by, &id, "abuse")).unwrap();
        let key = get(store, &scope, id).unwrap();
        assert_eq!(key.status(START), Status::Disabled);
        let disabled = key.disabled.unwrap();
        assert_eq!((disabled.reason.as_str(), disabled.at), ("abuse", START));
        assert!(!disabled.by_policy);
        let by = admin.clone();
        let again = store.db.change_blocking(move |c| keys::disable(c, &by, &id, "more")).err();
        assert_eq!(again, Some(Error::Conflict(Conflict::Stale)));
        let by = admin.clone();
        store.db.change_blocking(move |c| keys::enable(c, &by, &id, None)).unwrap();
        let key = get(store, &scope, id).unwrap();
        assert_eq!((key.status(START), key.disabled, key.generation), (Status::Active, None, 3));
        let again = store.db.change_blocking(move |c| keys::enable(c, &admin, &id, None)).err();
        assert_eq!(again, Some(Error::Conflict(Conflict::Stale)));
    }

    #[test]
    fn a_deleted_key_leaves_the_list_and_its_secrets_go_after_an_hour(store) {
        let scope = acme(store);
        let id = store.key(&scope, "one", &["maps"]).key_id;
        let by = scope.clone();
        store.db.change_blocking(move |c| keys::delete(c, &by, &id)).unwrap();
        let by = scope.clone();
        let again = store.db.change_blocking(move |c| keys::delete(c, &by, &id)).err();
        assert_eq!(again, Some(Error::NotFound));
        assert!(list(store, &scope, KeyFilter::default()).keys.is_empty());
        assert_eq!(get(store, &scope, id).unwrap().status(START), Status::Deleted);
        let by = store.staff("admin@example.com", StaffRole::Admin);
        let admin = by.clone();
        let dead = store.db.change_blocking(move |c| keys::disable(c, &by, &id, "x")).err();
        assert_eq!(dead, Some(Error::NotFound));
        store.hand.advance_ms(keys::RESTORABLE_MS - 1);
        assert_eq!(store.db.batch_change_blocking(keys::purge_due), Ok(0));
        store.hand.advance_ms(1);
        assert_eq!(store.db.batch_change_blocking(keys::purge_due), Ok(1));
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM secrets"), 0);
        assert_eq!(store.db.batch_change_blocking(keys::purge_due), Ok(0));
        assert_eq!(get(store, &scope, id).err(), Some(Error::NotFound));
        // Staff still find what it was.
        let found = store.db.read_blocking(move |reader| keys::find(reader, &admin, &id)).unwrap();
        assert_eq!(found.key.status(START), Status::Deleted);
        assert!(found.key.secrets.is_empty());
    }

    #[test]
    fn staff_find_a_key_by_its_id_and_by_the_digest_of_any_of_its_secrets(store) {
        let scope = acme(store);
        let mut new = new_key("one", &["maps"]);
        new.secret = secret();
        let digest = *new.secret.digest.as_bytes();
        let id = store.try_key(&scope, new).unwrap().key_id;
        let support = store.staff("support@example.com", StaffRole::Support);
        let by = support.clone();
        let found = store.db.read_blocking(move |reader| keys::find(reader, &by, &id)).unwrap();
        assert_eq!(found.account.slug, "acme");
        assert_eq!(found.owners[0].email, "ada@example.com");
        assert_eq!(found.key.name, "one");
        let by = support.clone();
        let by_digest = store.db.read_blocking(move |r| keys::find_by_digest(r, &by, &digest));
        assert_eq!(by_digest, Ok(id));
        let unknown = store.db.read_blocking(move |r| keys::find_by_digest(r, &support, &[1; 32]));
        assert_eq!(unknown, Err(Error::NotFound));
    }

    #[test]
    fn a_key_is_imported_in_every_state(store) {
        let scope = acme(store);
        let disabled = Disabled {
            at: START,
            by: "admin@example.com".to_owned(),
            reason: "abuse".to_owned(),
            by_policy: true,
        };
        let day = |days: i64| Some(START.plus_ms(days * DAY_MS));
        let none = ImportedState::default;
        for (name, state, status) in [
            ("rotating", ImportedState { last_rotated_at: day(-1), ..none() }, Status::Rotating),
            ("paused", ImportedState { paused_at: day(0), ..none() }, Status::Paused),
            ("resumed", ImportedState { paused_at: day(-2), paused_until: day(-1), ..none() }, Status::Rotating),
            ("expired", ImportedState { expires_at: day(-1), ..none() }, Status::Expired),
            ("disabled", ImportedState { disabled: Some(disabled), ..none() }, Status::Disabled),
            ("deleted", ImportedState { deleted_at: day(0), ..none() }, Status::Deleted),
        ] {
            let new = import_key("acme", name, state);
            let id = new.key_id;
            store.change(move |c, o| keys::import(c, o, &new)).unwrap();
            let key = get(store, &scope, id).unwrap();
            assert_eq!(key.status(START), status, "{name}");
            assert_eq!(key.domains, ["example.com", "*.example.org"]);
            assert_eq!(key.ips, ["192.0.2.0/24"]);
            assert_eq!(key.note, "from elsewhere");
            let numbers: Vec<i16> = key.secrets.iter().map(|s| s.number).collect();
            assert_eq!(numbers, [2, 1]);
        }
        let twice = import_key("acme", "paused", none());
        let taken = store.change(move |c, o| keys::import(c, o, &twice)).err();
        assert_eq!(taken, Some(Error::Conflict(Conflict::NameTaken)));
        let nowhere = import_key("nowhere", "x", none());
        let absent = store.change(move |c, o| keys::import(c, o, &nowhere)).err();
        assert_eq!(absent, Some(Error::NotFound));
    }
}
