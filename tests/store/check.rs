//! What the database holds against the rules that it was written by.

use latchkey::store::check::{self, Checked};
use latchkey::store::keys::{self};
use latchkey_rules::role::Role;
use latchkey_rules::time::MINUTE_MS;

use crate::place::{START, Store};

fn checked(store: &Store) -> Checked {
    let mut reader = store.db.own_reader().unwrap();
    check::check(&mut reader).unwrap()
}

fn filled(store: &Store) {
    store.account("acme");
    store.product("maps", "api.example.com", "/maps");
    let scope = store.member("ada@example.com", "acme", Role::Owner);
    for number in 0..30 {
        let key = store.key(&scope, &format!("Key {number} Ää"), &["maps"]);
        if number % 3 == 0 {
            let (by, id) = (scope.clone(), key.key_id);
            store
                .db
                .change_blocking(move |c| keys::delete(c, &by, &id))
                .unwrap();
        }
    }
    store.sql("UPDATE keys SET domains = 'www.example.com', ips = '203.0.113.0/24' WHERE name LIKE 'Key 1%'");
}

on_both! {
    #[test]
    fn r_19_a_whole_database_has_no_problem(store) {
        filled(store);
        assert_eq!(checked(store), Checked { keys: 30, problems: Vec::new() });
    }

    #[test]
    fn r_19_each_broken_text_is_found(store) {
        filled(store);
        for (damage, repair, words) in [
            ("UPDATE keys SET name_key = 'other' WHERE name = 'Key 2 Ää'", "UPDATE keys SET name_key = 'key 2 ää' WHERE name = 'Key 2 Ää'", "The name of key_"),
            ("UPDATE keys SET domains = 'www.example..com' WHERE name = 'Key 1 Ää'", "UPDATE keys SET domains = '' WHERE name = 'Key 1 Ää'", "An allowed domain of key_"),
            ("UPDATE keys SET ips = '203.0.113.7/24' WHERE name = 'Key 1 Ää'", "UPDATE keys SET ips = '' WHERE name = 'Key 1 Ää'", "An allowed range of addresses of key_"),
            ("UPDATE keys SET created_at = 7 WHERE name = 'Key 1 Ää'", "UPDATE keys SET created_at = 1795256100000 WHERE name = 'Key 1 Ää'", "The time at which key_"),
            ("UPDATE secrets SET last4 = 'a_b!' WHERE key_row = 1", "UPDATE secrets SET last4 = 'aaaa' WHERE key_row = 1", "The shown parts of secret 1"),
            ("UPDATE users SET email_key = 'x'", "UPDATE users SET email_key = 'ada@example.com'", "The mail address of person"),
            ("UPDATE accounts SET slug = 'A C M E'", "UPDATE accounts SET slug = 'acme'", "The short name of account"),
            ("UPDATE product_routes SET path = 'maps'", "UPDATE product_routes SET path = '/maps'", ""),
        ] {
            store.sql(damage);
            let found = check::check(&mut store.db.own_reader().unwrap());
            let found = found.map_or_else(|error| vec![error.to_string()], |checked| checked.problems);
            assert!(found.len() == 1 && found[0].contains(words), "{damage}: {found:?}");
            store.sql(repair);
            assert_eq!(checked(store).problems, [""; 0], "{repair}");
        }
    }

    #[test]
    fn r_19_a_third_secret_that_works_is_found(store) {
        filled(store);
        for number in 2..4 {
            store.sql(&format!(
                "INSERT INTO secrets (key_row, number, digest, hash_kind, prefix, last4, created_at) \
                 SELECT key_row, {number}, {}, hash_kind, prefix, last4, created_at FROM secrets WHERE key_row = 1 AND number = 1",
                if store.is_sqlite() { "randomblob(32)" } else { "decode(md5(random()::text) || md5(random()::text), 'hex')" },
            ));
        }
        let found = checked(store).problems;
        assert!(found.len() == 1 && found[0].contains("more than two secrets that work"), "{found:?}");
        store.sql(&format!("UPDATE secrets SET retires_at = {} WHERE key_row = 1 AND number = 1", START.plus_ms(-MINUTE_MS).0));
        assert_eq!(checked(store).problems, [""; 0]);
    }
}
