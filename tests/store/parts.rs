//! Keys that are good for parts of their products.

use latchkey::store::keys::{self, KeyTerms};
use latchkey::store::replica::{RowId, keys_page};
use latchkey::store::{Conflict, Error};
use latchkey_rules::product::ScopeName;
use latchkey_rules::role::Role;

use crate::place::new_key;

on_both! {
    #[test]
    fn a_key_is_bound_to_parts_of_its_products(store) {
        store.account("acme");
        store.product("maps", "api.example.com", "/maps");
        store.product("routing", "api.example.com", "/routing");
        let scope = store.member("ada@example.com", "acme", Role::Owner);
        let mut new = new_key("parts", &["maps", "routing"]);
        let id = new.key_id;
        let named = |text: &str| ScopeName::parse(text).unwrap();
        new.terms.scopes = vec![named("maps:streets"), named("maps:aerial"), named("maps:streets")];
        let made = store.try_key(&scope, new).unwrap();
        let labels: Vec<String> = made.products.iter().map(keys::ProductName::label).collect();
        assert_eq!(labels, ["The maps API: Aerial images, Streets", "The routing API"]);
        assert_eq!(made.scopes().collect::<Vec<_>>(), ["maps:aerial", "maps:streets"]);

        let mut terms = new_key("parts", &["maps"]).terms;
        let edit = |terms: KeyTerms, generation| {
            let scope = scope.clone();
            store.db.change_blocking(move |c| keys::edit(c, &scope, &id, generation, &terms))
        };
        for wrong in ["maps:nothing", "routing:streets", "nothing:streets"] {
            terms.scopes = vec![named(wrong)];
            let unknown = Conflict::ScopeUnknown { scope: wrong.to_owned() };
            assert_eq!(edit(terms.clone(), 1).err(), Some(Error::Conflict(unknown)));
        }
        terms.scopes = vec![named("maps:streets")];
        edit(terms.clone(), 1).unwrap();
        let scopes = || {
            let scope = scope.clone();
            let key = store.db.read_blocking(move |r| keys::get(r, &scope, &id)).unwrap();
            key.scopes().collect::<Vec<_>>()
        };
        assert_eq!(scopes(), ["maps:streets"]);
        let held = store.db.read_blocking(|r| keys_page(r, RowId::NONE, 10)).unwrap();
        assert_eq!(&*held[0].products[0].scopes, "streets");
        terms.scopes.clear();
        edit(terms, 2).unwrap();
        assert_eq!(scopes(), <[String; 0]>::default());
        let logged = store.texts("SELECT after AS t FROM audit_events WHERE action = 'key.edited' ORDER BY id");
        assert!(logged[0].contains(r#""scopes":["maps:streets"]"#), "{logged:?}");
        assert!(logged[1].contains(r#""scopes":[]"#), "{logged:?}");
    }
}
