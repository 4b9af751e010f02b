//! Who reaches what.

use latchkey::store::keys::KeyFilter;
use latchkey::store::scope::{self, AccountScope};
use latchkey::store::{Error, Result, accounts, activity, audit, keys};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::role::{Role, StaffRole};
use latchkey_rules::time::Millis;

use crate::place::{START, request, source};

/// Tables of which each row is an account's, and what hangs on keys.
const OF_ACCOUNTS: &[&str] = &[
    "accounts",
    "members",
    "keys",
    "key_products",
    "secrets",
    "key_reminders",
    "node_acks",
    "key_exposures",
    "activity",
    "callers",
    "account_days",
    "audit_events",
    "form_ids",
];

/// Public functions that touch such tables without a scope, and why they may.
const WITHOUT_SCOPE: &[(&str, &str)] = &[
    (
        "activity/flush.rs days",
        "the gate starts with what each account has used of its day",
    ),
    (
        "activity/flush.rs flush",
        "the meter adds counts for all accounts and reads none back",
    ),
    (
        "callers.rs sweep",
        "a job: it forgets what is a week old, whosever it is",
    ),
    (
        "keys/sealed.rs sealing_keys",
        "a start: it learns the ids of master keys, and nothing of a secret",
    ),
    (
        "changes.rs data_version",
        "it asks the connection and no table",
    ),
    ("changes.rs checksum", "a count and a sum over everything"),
    (
        "check.rs check",
        "the operator's command: it reads everything and tells nothing but what is broken",
    ),
    (
        "exposures.rs sweep",
        "a job: it forgets what is three months old, whosever it is",
    ),
    (
        "form_ids.rs sweep",
        "a job: it forgets what is a day old, whosever it is",
    ),
    (
        "keys/change.rs purge_due",
        "a job: it takes secrets whose time is over, whosever they are",
    ),
    (
        "keys/remind.rs remind_of_ends",
        "a job: it tells people of their own keys, whosever they are",
    ),
    (
        "limits/told.rs tell_of_days",
        "a job: it tells people of their own account's day, whosever it is",
    ),
    (
        "keys/rotate.rs note_ends",
        "a job: it notes what is over, whosever it is",
    ),
    (
        "keys/rotate.rs warn_of_ends",
        "a job: it tells people of their own secrets, whosever they are",
    ),
    (
        "nodes.rs note",
        "a node tells which keys it refuses, whosever they are, and reads none",
    ),
    (
        "nodes.rs sweep",
        "a job: it forgets what is a month old, whosever it is",
    ),
    (
        "replica.rs accounts_page",
        "the gate decides for all accounts alike",
    ),
    (
        "replica.rs accounts_by_rows",
        "the gate decides for all accounts alike",
    ),
    (
        "replica/keys.rs keys_page",
        "the gate decides for all accounts alike",
    ),
    (
        "replica/keys.rs last_key",
        "the gate decides for all accounts alike",
    ),
    (
        "replica/keys.rs keys_by_rows",
        "the gate decides for all accounts alike",
    ),
    (
        "scope.rs account",
        "it is what builds the scope, from an authenticated person",
    ),
    (
        "users/create.rs sign_up",
        "it makes the account that it writes to",
    ),
    (
        "accounts.rs of_person",
        "it lists the authenticated person's own memberships",
    ),
];

/// Private functions are reached by public ones alone; those of the whole store must be private to it.
fn public_functions(text: &str) -> Vec<(String, String, String)> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("\npub fn ") {
        let rest = code.split_at(at + 8).1;
        let name: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let signature = rest.split_once(" {\n").map_or(rest, |(head, _)| head);
        let body = rest.split_once("\n}\n").map_or(rest, |(body, _)| body);
        found.push((name, signature.to_owned(), body.to_owned()));
    }
    found
}

fn store_sources() -> Vec<(String, String)> {
    let root = format!("{}/src/store", env!("CARGO_MANIFEST_DIR"));
    let mut waiting = vec![std::path::PathBuf::from(&root)];
    let mut found = Vec::new();
    while let Some(dir) = waiting.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path
                    .strip_prefix(&root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

/// The text of a function with that of every function it calls: the file's private ones, and the store's own from
/// any file. Names are taken as they stand, so it may find too much, never too little.
fn reached(body: &str, file: &str, shared: &[(String, String)]) -> String {
    let mut all = body.to_owned();
    let mut callable = functions(file, "\nfn ");
    callable.extend_from_slice(shared);
    let mut taken = vec![false; callable.len()];
    loop {
        let next = callable
            .iter()
            .enumerate()
            .find(|(at, (name, _))| !taken[*at] && calls(&all, name));
        let Some((at, (_, body))) = next else {
            return all;
        };
        taken[at] = true;
        all.push_str(body);
    }
}

/// Whether the text calls a function of this name, not a method.
fn calls(text: &str, name: &str) -> bool {
    let call = format!("{name}(");
    text.match_indices(&call).any(|(at, _)| {
        let before = text.split_at(at).0.chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
    })
}

/// The names and bodies of the functions that begin so.
fn functions(file: &str, begin: &str) -> Vec<(String, String)> {
    file.split(begin)
        .skip(1)
        .map(|rest| {
            let name = rest.split(['(', '<']).next().unwrap().to_owned();
            let body = rest.split_once("\n}\n").map_or(rest, |(b, _)| b);
            (
                name,
                body.split_once(" {\n").map_or("", |(_, b)| b).to_owned(),
            )
        })
        .collect()
}

/// What other files of the store may call. `record` only appends to the audit log, whoever acts.
fn shared(sources: &[(String, String)]) -> Vec<(String, String)> {
    sources
        .iter()
        .filter(|(file, _)| !file.starts_with("db/"))
        .flat_map(|(_, text)| {
            ["\npub(super) fn ", "\npub(in crate::store) fn "]
                .iter()
                .flat_map(|begin| functions(text, begin))
                .collect::<Vec<_>>()
        })
        .filter(|(name, _)| name != "record")
        .collect()
}

#[test]
fn t_25_what_belongs_to_an_account_is_reached_through_a_scope_alone() {
    let mut off = Vec::new();
    let mut excused = 0;
    let mut with_scope = 0;
    let sources = store_sources();
    let shared = shared(&sources);
    assert!(shared.len() > 15, "only {} shared functions", shared.len());
    for (file, text) in sources {
        if file.starts_with("db/") {
            let knows = OF_ACCOUNTS.iter().any(|t| text.contains(&format!("{t}::")));
            assert!(!knows, "{file} must not know the tables");
            continue;
        }
        for (name, signature, body) in public_functions(&text) {
            let reached = reached(&body, &text, &shared);
            let touches = reached.contains("sql_query(")
                || OF_ACCOUNTS
                    .iter()
                    .any(|table| reached.contains(&format!("{table}::")));
            if !touches {
                continue;
            }
            let scoped = [
                "&AccountScope",
                "&StaffScope",
                "&OperatorScope",
                "&impl Overseer",
            ]
            .iter()
            .any(|scope| signature.contains(scope));
            let place = format!("{file} {name}");
            if WITHOUT_SCOPE.iter().any(|(excuse, _)| *excuse == place) {
                assert!(!scoped, "{place} needs no excuse");
                excused += 1;
            } else if scoped {
                with_scope += 1;
            } else {
                off.push(place);
            }
        }
    }
    assert!(off.is_empty(), "no scope: {off:?}");
    assert_eq!(excused, WITHOUT_SCOPE.len(), "an excuse that nothing needs");
    assert!(
        with_scope >= 12,
        "only {with_scope} functions: the test reads the wrong text"
    );
}

#[test]
fn t_25_the_tables_are_private_to_the_store() {
    let store = source("src/store.rs");
    assert!(store.contains("\nmod schema;"));
    let declared = source("src/store/schema.rs");
    for table in OF_ACCOUNTS {
        assert!(declared.contains(&format!("\n    {table} (")), "{table}");
    }
}

on_both! {
    #[test]
    fn t_27_foreign_and_absent_ids_are_the_same_not_found(store) {
        store.account("mine");
        store.account("theirs");
        store.product("maps", "api.example.com", "/maps");
        let mine = store.member("me@example.com", "mine", Role::Owner);
        let theirs = store.member("they@example.com", "theirs", Role::Owner);
        let foreign = store.key(&theirs, "theirs", &["maps"]).key_id;
        let absent = KeyId::from_bytes([7; 10]);
        let before = store.number("SELECT CAST(SUM(generation) AS BIGINT) AS n FROM keys");
        for id in [foreign, absent] {
            let answers = ask_everything(store, &mine, id);
            for (what, answer) in answers {
                assert_eq!(answer, Some(Error::NotFound), "{what} of {id}");
            }
        }
        let generation = store.number("SELECT CAST(SUM(generation) AS BIGINT) AS n FROM keys");
        assert_eq!(generation, before, "a foreign row changed");
        let scope = mine.clone();
        let events = store
            .db
            .read_blocking(move |reader| audit::of_key(reader, &scope, &foreign, 10))
            .unwrap();
        assert!(events.is_empty());
        let scope = mine;
        let page = store
            .db
            .read_blocking(move |reader| keys::list(reader, &scope, &KeyFilter::default()))
            .unwrap();
        assert!(page.keys.is_empty() && page.total == 0);
    }

    #[test]
    fn t_27_a_stranger_learns_nothing_and_a_low_role_is_told(store) {
        store.account("acme");
        let stranger = store.person(store.user("stranger@example.com", None));
        let staff = store.person(store.user("admin@example.com", Some(StaffRole::Admin)));
        let viewer = store.member("viewer@example.com", "acme", Role::Viewer);
        assert_eq!(viewer.slug(), "acme");
        let viewer = {
            let handle = store
                .db
                .read_blocking(|r| latchkey::store::users::credentials(r, "viewer@example.com"))
                .unwrap()
                .unwrap()
                .handle;
            store.person(handle)
        };
        let asked = |person: &latchkey::store::users::Person, slug: &'static str, role: Role| {
            let person = person.clone();
            store
                .db
                .read_blocking(move |reader| scope::account(reader, &person, slug, role, request()))
                .err()
        };
        assert_eq!(asked(&stranger, "acme", Role::Viewer), Some(Error::NotFound));
        assert_eq!(asked(&stranger, "no-such", Role::Viewer), Some(Error::NotFound));
        assert_eq!(asked(&staff, "acme", Role::Viewer), Some(Error::NotFound));
        assert_eq!(asked(&viewer, "acme", Role::Developer), Some(Error::Forbidden));
        assert_eq!(asked(&viewer, "acme", Role::Viewer), None);
        let as_staff = |person, role| scope::staff(person, role, request()).err();
        assert_eq!(as_staff(&viewer, StaffRole::Support), Some(Error::NotFound));
        let support = store.person(store.user("support@example.com", Some(StaffRole::Support)));
        assert_eq!(as_staff(&support, StaffRole::Admin), Some(Error::Forbidden));
    }

    #[test]
    fn t_26_a_scope_whose_role_was_taken_meanwhile_changes_nothing(store) {
        store.account("acme");
        let scope = store.member("ada@example.com", "acme", Role::Developer);
        store.sql("UPDATE members SET role = 'viewer'");
        let made = store.try_key(&scope, crate::place::new_key("late", &[]));
        assert_eq!(made.err(), Some(Error::Forbidden));
        store.sql("DELETE FROM members");
        let made = store.try_key(&scope, crate::place::new_key("late", &[]));
        assert_eq!(made.err(), Some(Error::NotFound));
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM keys"), 0);
    }

    #[test]
    fn support_changes_nothing(store) {
        store.account("acme");
        let scope = store.member("ada@example.com", "acme", Role::Owner);
        let key_id = store.key(&scope, "key", &[]).key_id;
        let support = store.staff("support@example.com", StaffRole::Support);
        let before = store.number("SELECT MAX(id) AS n FROM changes");
        let refused: Vec<Option<Error>> = vec![
            store.db.change_blocking({
                let by = support.clone();
                move |change| keys::disable(change, &by, &key_id, "no")
            }).err(),
            store.db.change_blocking({
                let by = support.clone();
                move |change| accounts::suspend(change, &by, "acme", "no")
            }).err(),
            store.db.change_blocking({
                let by = support;
                move |change| accounts::set_plan(change, &by, "acme", "starter")
            }).err(),
        ];
        assert_eq!(refused, vec![Some(Error::Forbidden); 3]);
        assert_eq!(store.number("SELECT MAX(id) AS n FROM changes"), before);
    }
}

fn ask_everything(
    store: &crate::place::Store,
    scope: &AccountScope,
    id: KeyId,
) -> Vec<(&'static str, Option<Error>)> {
    let db = &store.db;
    let read = |f: fn(&mut latchkey::store::Reader, &AccountScope, &KeyId) -> Result<()>| {
        let scope = scope.clone();
        db.read_blocking(move |reader| f(reader, &scope, &id)).err()
    };
    let (deleted, after) = (scope.clone(), scope.clone());
    vec![
        ("get", read(|r, s, id| keys::get(r, s, id).map(drop))),
        (
            "activity",
            read(|r, s, id| activity::of_key(r, s, id, Millis(0), START).map(drop)),
        ),
        (
            "delete",
            db.change_blocking(move |change| keys::delete(change, &deleted, &id))
                .err(),
        ),
        (
            "a page after it",
            db.read_blocking(move |reader| {
                let filter = KeyFilter {
                    after: Some(id),
                    ..KeyFilter::default()
                };
                keys::list(reader, &after, &filter).map(drop)
            })
            .err(),
        ),
    ]
}
