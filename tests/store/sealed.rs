//! Secrets that can be read again: which are kept sealed, for how long, and by which key.

use latchkey::store::keys::{
    self, KeyTerms, NewKey, NewRotation, NewSecret, Sealed, sealed_about, sealing_keys,
};
use latchkey::store::products;
use latchkey::store::scope::AccountScope;
use latchkey::store::{Conflict, Error};
use latchkey_rules::access::Access;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::name::KeyName;
use latchkey_rules::role::Role;
use latchkey_rules::rotation::RotationReason;
use latchkey_rules::time::HOUR_MS;

use crate::place::{Store, new_key, product, secret};

fn sealed() -> NewSecret {
    NewSecret {
        sealed: Some(Sealed {
            by: "k1".to_owned(),
            bytes: vec![1, 2, 3],
        }),
        ..secret()
    }
}

fn owner(store: &Store) -> AccountScope {
    store.account("acme");
    store.product("maps", "api.example.com", "/maps");
    let mut open = product("open", "api.example.com", "/open");
    open.recoverable = true;
    store
        .change(move |change, operator| products::add(change, operator, &open))
        .unwrap();
    store.member("ada@example.com", "acme", Role::Owner)
}

fn made(
    store: &Store,
    scope: &AccountScope,
    kind: KeyKind,
    name: &str,
    products: &[&str],
) -> KeyId {
    let new = NewKey {
        kind,
        secret: sealed(),
        ..new_key(name, products)
    };
    store.try_key(scope, new).unwrap().key_id
}

fn can(store: &Store, scope: &AccountScope, key_id: KeyId) -> Vec<bool> {
    let scope = scope.clone();
    let key = store
        .db
        .read_blocking(move |r| keys::get(r, &scope, &key_id))
        .unwrap();
    key.secrets.iter().map(|one| one.is_recoverable).collect()
}

on_both! {
    #[test]
    fn t_34_a_secret_is_kept_sealed_where_its_kind_or_all_products_allow_it(store) {
        let scope = owner(store);
        for (kind, name, products, kept) in [
            (KeyKind::Server, "a", vec!["open"], true),
            (KeyKind::Server, "b", vec!["maps"], false),
            (KeyKind::Server, "c", vec!["open", "maps"], false),
            (KeyKind::Browser, "d", vec!["maps"], true),
        ] {
            let key_id = made(store, &scope, kind, name, &products);
            assert_eq!(can(store, &scope, key_id), [kept], "{name}");
        }
    }

    #[test]
    fn t_34_a_product_that_does_not_allow_it_erases_what_was_sealed(store) {
        let scope = owner(store);
        let key_id = made(store, &scope, KeyKind::Server, "a", &["open"]);
        let name = KeyName::parse("a").unwrap();
        let products = vec!["open".to_owned(), "maps".to_owned()];
        let terms = KeyTerms::plain(name, Access::Write, products);
        let by = scope.clone();
        store.db.change_blocking(move |c| keys::edit(c, &by, &key_id, 1, &terms)).unwrap();
        assert_eq!(can(store, &scope, key_id), [false]);
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM secrets WHERE ciphertext IS NOT NULL"), 0);
    }

    #[test]
    fn t_34_after_a_rotation_the_new_secret_alone_can_be_read(store) {
        let scope = owner(store);
        let key_id = made(store, &scope, KeyKind::Browser, "a", &["maps"]);
        let rotation = NewRotation {
            key_id,
            generation: 1,
            secret: sealed(),
            reason: RotationReason::Routine,
            grace_ms: 24 * HOUR_MS,
            form_id: "another form".to_owned(),
        };
        let by = scope.clone();
        store.db.change_blocking(move |c| keys::rotate(c, &by, &rotation)).unwrap();
        assert_eq!(can(store, &scope, key_id), [true, false]);
    }

    #[test]
    fn t_30_a_viewer_has_a_browser_keys_secret_alone(store) {
        let scope = owner(store);
        let server = made(store, &scope, KeyKind::Server, "a", &["open"]);
        let browser = made(store, &scope, KeyKind::Browser, "b", &["maps"]);
        let viewer = store.member("vic@example.com", "acme", Role::Viewer);
        let ask = |key_id: KeyId| {
            let viewer = viewer.clone();
            store.db.change_blocking(move |c| keys::reveal(c, &viewer, &key_id, 1)).map(|found| found.bytes)
        };
        assert_eq!(ask(server), Err(Error::Forbidden));
        assert_eq!(ask(browser), Ok(vec![1, 2, 3]));
        assert_eq!(ask(browser), Err(Error::Conflict(Conflict::TooManyReveals)));
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM audit_events WHERE action = 'key.secret_revealed'"), 1);
    }

    #[test]
    fn t_34_everything_is_sealed_anew_by_the_key_in_use(store) {
        let scope = owner(store);
        let one = made(store, &scope, KeyKind::Server, "a", &["open"]);
        made(store, &scope, KeyKind::Browser, "b", &["maps"]);
        let rekey = || {
            let work = move |change: &mut latchkey::store::Change<'_>, operator: &latchkey::store::scope::OperatorScope| {
                keys::rekey(change, operator, "k2", |about, bytes| {
                    let bytes = [about.as_bytes(), bytes].concat();
                    Ok(Sealed { by: "k2".to_owned(), bytes })
                })
            };
            store.change(work).unwrap()
        };
        assert_eq!((rekey(), rekey()), (2, 0));
        assert_eq!(store.db.read_blocking(sealing_keys).unwrap(), ["k2"]);
        let by = scope.clone();
        let found = store.db.change_blocking(move |c| keys::reveal(c, &by, &one, 9)).unwrap();
        let about = sealed_about("acme", &one, &found.digest);
        assert_eq!(found.bytes, [about.as_bytes(), &[1, 2, 3]].concat());
    }
}
