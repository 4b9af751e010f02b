//! People, their sessions, and links that work once; accounts and products.

use latchkey::store::one_time_links;
use latchkey::store::scope::{self, RequestFacts};
use latchkey::store::sessions;
use latchkey::store::users::{self, NewSignUp, UserHandle};
use latchkey::store::{Conflict, Error, Reader, accounts, changes, products, seed};
use latchkey_rules::billing::Tier;
use latchkey_rules::email::Email;
use latchkey_rules::name::DisplayName;
use latchkey_rules::role::{Role, StaffRole};
use latchkey_rules::slug::Slug;
use latchkey_rules::time::{DAY_MS, HOUR_MS, MINUTE_MS};

use crate::place::{START, Store, product, request};

const DIGEST: [u8; 32] = [3; 32];

fn sign_up(store: &Store, email: &str, company: &str) -> Result<(), Error> {
    let new = NewSignUp {
        person: DisplayName::parse("Ada Lovelace").unwrap(),
        company: DisplayName::parse(company).unwrap(),
        email: Email::parse(email).unwrap(),
        password_hash: "hash".to_owned(),
        slug_hint: Slug::from_name(company),
        request: request(),
    };
    store
        .db
        .change_blocking(move |change| users::sign_up(change, new))
}

fn credentials(store: &Store, email: &'static str) -> Option<users::Credentials> {
    store
        .db
        .read_blocking(move |reader| users::credentials(reader, email))
        .unwrap()
}

fn save(store: &Store, digest: [u8; 32], user: Option<UserHandle>) {
    store
        .db
        .write_blocking(move |w| sessions::save(w, &digest, "{\"a\":1}", user.as_ref()))
        .unwrap();
}

fn load(store: &Store, digest: [u8; 32]) -> Option<sessions::SessionRow> {
    store
        .db
        .read_blocking(move |reader| sessions::load(reader, &digest))
        .unwrap()
}

fn link(store: &Store, user: UserHandle, digest: [u8; 32]) {
    let end = START.plus_ms(DAY_MS);
    store
        .db
        .change_blocking(move |c| one_time_links::create(c, &user, digest, end))
        .unwrap();
}

fn use_up(store: &Store, digest: [u8; 32]) -> Result<(), Error> {
    store.db.change_blocking(move |c| {
        one_time_links::consume_set_password(c, &digest, "new hash", RequestFacts::default())
    })
}

fn peek(store: &Store, digest: [u8; 32]) -> Option<String> {
    store
        .db
        .read_blocking(move |r| one_time_links::peek(r, &digest))
        .unwrap()
        .map(|owner| owner.email)
}

on_both! {
    #[test]
    fn a_sign_up_makes_a_person_who_owns_a_free_account(store) {
        sign_up(store, "Ada@Example.com", "Acme & Sons").unwrap();
        let found = credentials(store, "ada@example.com").unwrap();
        assert_eq!(found.password_hash.as_deref(), Some("hash"));
        assert_eq!(found.staff, None);
        let person = store.person(found.handle);
        assert_eq!((person.name.as_str(), person.email.as_str()), ("Ada Lovelace", "Ada@Example.com"));
        let mine = store.db.read_blocking(move |r| accounts::of_person(r, &person)).unwrap();
        assert_eq!(mine.len(), 1);
        assert_eq!((mine[0].name.as_str(), mine[0].role), ("Acme & Sons", Role::Owner));
        let plan = store.texts(
            "SELECT p.slug || ' ' || a.tier AS t FROM accounts a JOIN plans p ON p.id = a.plan_row",
        );
        assert_eq!(plan, ["free self_serve"]);
        // The same company's name gets a slug of its own; a taken address changes nothing at all.
        sign_up(store, "bob@example.com", "Acme & Sons").unwrap();
        let slugs = store.texts("SELECT slug AS t FROM accounts ORDER BY id");
        assert_eq!(slugs[1], format!("{}-2", slugs[0]));
        let taken = sign_up(store, "ADA@example.COM", "Another").err();
        assert_eq!(taken, Some(Error::Conflict(Conflict::EmailTaken)));
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM accounts"), 2);
    }

    #[test]
    fn a_slug_at_its_greatest_length_still_gets_its_number(store) {
        let long = "a".repeat(40);
        sign_up(store, "a@example.com", &long).unwrap();
        sign_up(store, "b@example.com", &long).unwrap();
        let slugs = store.texts("SELECT slug AS t FROM accounts ORDER BY id");
        assert_eq!(slugs, [long.clone(), format!("{}-2", "a".repeat(38))]);
    }

    #[test]
    fn a_user_who_is_disabled_is_nobody(store) {
        let handle = store.user("ada@example.com", None);
        save(store, DIGEST, Some(handle));
        link(store, handle, [9; 32]);
        store.sql("UPDATE users SET disabled_at = 1");
        assert!(credentials(store, "ada@example.com").is_none());
        let person = store.db.read_blocking(move |r| users::person(r, &handle)).err();
        assert_eq!(person, Some(Error::NotFound));
        assert_eq!(load(store, DIGEST), None);
        assert_eq!(peek(store, [9; 32]), None);
        assert_eq!(use_up(store, [9; 32]), Err(Error::NotFound));
    }

    #[test]
    fn preferences_and_a_stronger_hash_are_kept(store) {
        let handle = store.user("ada@example.com", None);
        store
            .db
            .write_blocking(move |w| users::set_preferences(w, &handle, Some("dark"), Some("Europe/Berlin")))
            .unwrap();
        let person = store.person(handle);
        assert_eq!(person.theme.as_deref(), Some("dark"));
        assert_eq!(person.zone.as_deref(), Some("Europe/Berlin"));
        store.db.change_blocking(move |c| users::set_password(c, &handle, "stronger")).unwrap();
        let found = credentials(store, "ada@example.com").unwrap();
        assert_eq!(found.password_hash.as_deref(), Some("stronger"));
    }

    #[test]
    fn t_08_a_session_is_kept_by_its_digest_alone(store) {
        let handle = store.user("ada@example.com", None);
        assert_eq!(load(store, DIGEST), None);
        save(store, DIGEST, Some(handle));
        let found = load(store, DIGEST).unwrap();
        assert_eq!(found.state_json, "{\"a\":1}");
        assert_eq!((found.user, found.staff), (Some(handle), false));
        store
            .db
            .write_blocking(|w| sessions::update(w, &DIGEST, "{}", None))
            .unwrap();
        let found = load(store, DIGEST).unwrap();
        assert_eq!((found.state_json.as_str(), found.user), ("{}", None));
        store.db.write_blocking(|w| sessions::delete(w, &DIGEST)).unwrap();
        assert_eq!(load(store, DIGEST), None);
        let gone = store.db.write_blocking(|w| sessions::touch(w, &DIGEST)).err();
        assert_eq!(gone, Some(Error::NotFound));
        let columns = crate::place::source("src/store/schema.rs");
        let sessions = columns.split("    sessions (digest) {").nth(1).unwrap();
        assert!(!sessions.split('}').next().unwrap().contains("token"));
    }

    #[test]
    fn t_10_sessions_end_on_the_servers_side(store) {
        let member = store.user("ada@example.com", None);
        let staff = store.user("admin@example.com", Some(StaffRole::Admin));
        save(store, [1; 32], Some(member));
        save(store, [2; 32], Some(staff));
        assert!(load(store, [2; 32]).unwrap().staff);
        store.hand.advance_ms(30 * MINUTE_MS);
        assert_eq!(load(store, [2; 32]), None);
        assert!(load(store, [1; 32]).is_some());
        store.hand.advance_ms(7 * HOUR_MS);
        store.db.write_blocking(|w| sessions::touch(w, &[1; 32])).unwrap();
        store.hand.advance_ms(8 * HOUR_MS - 1);
        assert!(load(store, [1; 32]).is_some());
        store.hand.advance_ms(1);
        assert_eq!(load(store, [1; 32]), None);
        save(store, [4; 32], Some(member));
        assert_eq!(store.db.batch_blocking(sessions::sweep), Ok(2));
        assert!(load(store, [4; 32]).is_some());
        let ended = store.db.write_blocking(move |w| sessions::delete_of_user(w, &member));
        assert_eq!(ended, Ok(1));
    }

    #[test]
    fn t_18_a_link_is_used_up_once_of_twenty_tries_at_once(store) {
        let handle = store.user("ada@example.com", None);
        save(store, DIGEST, Some(handle));
        link(store, handle, [7; 32]);
        assert_eq!(peek(store, [7; 32]).as_deref(), Some("ada@example.com"));
        assert_eq!(peek(store, [7; 32]).as_deref(), Some("ada@example.com"), "a look used it up");
        let used: Vec<bool> = std::thread::scope(|threads| {
            let tries: Vec<_> = (0..20).map(|_| threads.spawn(|| use_up(store, [7; 32]))).collect();
            tries
                .into_iter()
                .map(|t| match t.join().unwrap() {
                    Ok(()) => true,
                    Err(Error::NotFound) => false,
                    Err(other) => panic!("{other}"),
                })
                .collect()
        });
        assert_eq!(used.iter().filter(|used| **used).count(), 1);
        assert_eq!(peek(store, [7; 32]), None);
        let found = credentials(store, "ada@example.com").unwrap();
        assert_eq!(found.password_hash.as_deref(), Some("new hash"));
        assert_eq!(load(store, DIGEST), None, "the sessions go on");
    }

    #[test]
    fn t_18_a_link_ends_after_its_time_and_when_a_newer_one_is_made(store) {
        let handle = store.user("ada@example.com", None);
        link(store, handle, [7; 32]);
        link(store, handle, [8; 32]);
        assert_eq!(peek(store, [7; 32]), None);
        assert_eq!(use_up(store, [7; 32]), Err(Error::NotFound));
        store.hand.advance_ms(DAY_MS - 1);
        assert!(peek(store, [8; 32]).is_some());
        store.hand.advance_ms(1);
        assert_eq!(peek(store, [8; 32]), None);
        assert_eq!(use_up(store, [8; 32]), Err(Error::NotFound));
        store.hand.advance_ms(DAY_MS + 1);
        assert_eq!(store.db.batch_blocking(one_time_links::sweep), Ok(1));
    }

    #[test]
    fn products_come_back_as_they_were_added_and_are_seeded_once(store) {
        let maps = product("maps", "*.example.com", "/maps");
        let routing = product("routing", "api.example.com", "/");
        let both = [maps.clone(), routing];
        let again = both.clone();
        let added = store.change(move |c, o| products::seed(c, o, &both)).unwrap();
        assert_eq!(added, 2);
        assert_eq!(store.change(move |c, o| products::seed(c, o, &again)), Ok(0));
        assert_eq!(store.db.read_blocking(products::count), Ok(2));
        let all = store.db.read_blocking(products::all).unwrap();
        assert_eq!(format!("{:?}", all[0]), format!("{maps:?}"));
        let same = store.change(move |c, o| products::add(c, o, &maps)).err();
        assert_eq!(same, Some(Error::Conflict(Conflict::SlugTaken)));
        let rival = product("rival", "*.example.com", "/maps");
        let rival = store.change(move |c, o| products::add(c, o, &rival)).err();
        assert_eq!(rival, Some(Error::Conflict(Conflict::RouteTaken)));
        assert_eq!(store.db.read_blocking(products::count), Ok(2));
    }

    #[test]
    fn a_product_moves_to_other_routes_and_the_change_log_says_so(store) {
        store.product("maps", "api.example.com", "/maps");
        store.product("routing", "api.example.com", "/routing");
        let mut moved = product("maps", "*.example.com", "/tiles");
        moved.sample.url = "https://elsewhere.example.com/tiles".to_owned();
        let before = store.db.read_blocking(changes::head).unwrap();
        let (one, two) = (moved.clone(), moved.clone());
        assert_eq!(store.change(move |c, o| products::relocate(c, o, &one)), Ok(true));
        let after = store.db.read_blocking(changes::head).unwrap();
        assert!(after > before);
        assert_eq!(store.change(move |c, o| products::relocate(c, o, &two)), Ok(false));
        assert_eq!(store.db.read_blocking(changes::head), Ok(after));
        let all = store.db.read_blocking(products::all).unwrap();
        assert_eq!((&all[0].routes, &all[0].sample), (&moved.routes, &moved.sample));
        let taken = product("maps", "api.example.com", "/routing");
        let taken = store.change(move |c, o| products::relocate(c, o, &taken)).err();
        assert_eq!(taken, Some(Error::Conflict(Conflict::RouteTaken)));
        let absent = product("absent", "api.example.com", "/absent");
        let absent = store.change(move |c, o| products::relocate(c, o, &absent)).err();
        assert_eq!(absent, Some(Error::NotFound));
    }

    #[test]
    fn a_database_without_accounts_is_nobodys_yet(store) {
        let empty = |store: &Store| {
            let ask = |reader: &mut Reader| seed::is_empty(reader, &scope::operator("test"));
            store.db.read_blocking(ask).unwrap()
        };
        assert!(empty(store));
        store.account_of("acme", Tier::Enterprise, "professional");
        assert!(!empty(store));
    }

    #[test]
    fn an_account_is_suspended_with_a_reason_and_resumed(store) {
        store.account_of("acme", Tier::Enterprise, "professional");
        let scope = store.member("ada@example.com", "acme", Role::Viewer);
        store.change(|c, o| accounts::suspend(c, o, "acme", "unpaid")).unwrap();
        let again = store.change(|c, o| accounts::suspend(c, o, "acme", "unpaid")).err();
        assert_eq!(again, Some(Error::Conflict(Conflict::Stale)));
        let by = scope.clone();
        let facts = store.db.read_blocking(move |r| accounts::facts(r, &by)).unwrap();
        let suspended = facts.suspended.unwrap();
        assert_eq!((suspended.reason.as_str(), suspended.by.as_str()), ("unpaid", "test"));
        store.change(|c, o| accounts::resume(c, o, "acme")).unwrap();
        let facts = store.db.read_blocking(move |r| accounts::facts(r, &scope)).unwrap();
        assert_eq!(facts.suspended, None);
        let support = store.staff("support@example.com", StaffRole::Support);
        let seen = store.db.read_blocking(move |r| accounts::for_staff(r, &support, "acme")).unwrap();
        assert_eq!((seen.tier, seen.plan.slug.as_str()), (Tier::Enterprise, "professional"));
        let absent = store.change(|c, o| accounts::resume(c, o, "nobody")).err();
        assert_eq!(absent, Some(Error::NotFound));
    }
}
