//! What nodes tell of themselves, and the proof that an end has come everywhere.

use latchkey::store::changes;
use latchkey::store::keys::{self, Key};
use latchkey::store::nodes::{
    self, Ack, Followed, Node, NodeFacts, NodeProof, NodeRole, NodeState,
};
use latchkey::store::replica::{self, RowId};
use latchkey::store::scope::AccountScope;
use latchkey_rules::role::{Role, StaffRole};
use latchkey_rules::time::{DAY_MS, Millis};

use crate::place::{START, Store};

const STALENESS: i64 = 300_000;

fn facts(name: &str, role: NodeRole) -> NodeFacts {
    NodeFacts {
        name: name.to_owned(),
        role,
        version: "1.2.3".to_owned(),
        started_at: START,
        max_staleness_ms: STALENESS,
    }
}

/// Has the node tell that it has applied everything up to now, and acknowledge these.
fn tells(store: &Store, node: &NodeFacts, loaded: i64, acks: &[Ack]) {
    let (node, acks) = (node.clone(), acks.to_vec());
    let told = store.db.batch_blocking(move |w| {
        let followed = Followed {
            epoch: changes::epoch(w)?,
            loaded,
            loaded_at: START,
            applied: changes::head(w)?,
        };
        let followed = (node.role != NodeRole::Portal).then_some(followed);
        nodes::note(w, &node, followed.as_ref(), &acks)
    });
    told.unwrap();
}

fn head(store: &Store) -> i64 {
    store.db.read_blocking(changes::head).unwrap()
}

fn all(store: &Store) -> Vec<Node> {
    store.db.read_blocking(nodes::all).unwrap()
}

fn disabled(store: &Store) -> (AccountScope, Key) {
    store.account("acme");
    store.product("maps", "api.example.com", "/maps");
    let scope = store.member("ada@example.com", "acme", Role::Owner);
    let key = store.key(&scope, "a key", &["maps"]);
    store.hand.set(START.plus_ms(5_000));
    let (admin, id) = (
        store.staff("root@example.com", StaffRole::Admin),
        key.key_id,
    );
    store
        .db
        .change_blocking(move |c| keys::disable(c, &admin, &id, "a test"))
        .unwrap();
    (scope, key)
}

fn ack(store: &Store, at: i64) -> Ack {
    let page = |r: &mut latchkey::store::Reader| replica::keys_page(r, RowId::NONE, 10);
    let key = store.db.read_blocking(page).unwrap().remove(0);
    assert!(key.has_ended(START));
    Ack {
        key: key.row,
        generation: key.generation,
        at: START.plus_ms(at),
    }
}

fn proof(store: &Store, scope: &AccountScope, key: &Key) -> Option<Vec<NodeProof>> {
    let (scope, id) = (scope.clone(), key.key_id);
    let read = move |r: &mut latchkey::store::Reader| {
        let ended = keys::get(r, &scope, &id)?.disabled.unwrap().at;
        nodes::proof(r, &scope, &id, ended)
    };
    store.db.read_blocking(read).unwrap()
}

fn state(proofs: &[NodeProof], node: &str) -> Option<NodeState> {
    proofs
        .iter()
        .find(|proof| proof.node == node)
        .map(|proof| proof.state)
}

on_both! {
    #[test]
    fn nodes_are_listed_with_how_far_each_is(store) {
        let (one, two) = (facts("one", NodeRole::Both), facts("two", NodeRole::Portal));
        tells(store, &one, 0, &[]);
        tells(store, &two, 0, &[]);
        store.account("acme");
        let listed = all(store);
        assert_eq!(listed.len(), 2);
        let first = &listed[0];
        assert_eq!((first.name.as_str(), first.role, first.version.as_str()), ("one", NodeRole::Both, "1.2.3"));
        assert_eq!((first.heard_at, first.left_at, first.behind), (START, None, Some(1)));
        assert_eq!((listed[1].role, listed[1].behind), (NodeRole::Portal, None));
        store.hand.set(START.plus_ms(7_000));
        tells(store, &one, 0, &[]);
        store.db.batch_blocking(|w| nodes::leave(w, "two")).unwrap();
        let listed = all(store);
        assert_eq!((listed[0].heard_at, listed[0].behind), (START.plus_ms(7_000), Some(0)));
        assert_eq!(listed[1].left_at, Some(START.plus_ms(7_000)));
        // Another log is followed from its beginning only.
        store.change(changes::new_epoch).unwrap();
        assert_eq!(all(store)[0].behind, None);
        store.hand.set(START.plus_ms(8_000 + DAY_MS));
        assert_eq!(store.db.batch_blocking(nodes::sweep).unwrap(), 2);
        assert!(all(store).is_empty());
    }

    #[test]
    fn an_end_is_proven_by_each_gate_and_by_no_portal(store) {
        let before = head(store);
        let (scope, key) = disabled(store);
        for name in ["one", "two"] {
            tells(store, &facts(name, NodeRole::Gate), before, &[]);
        }
        tells(store, &facts("pages", NodeRole::Portal), 0, &[]);
        let waiting = NodeState::Waiting {
            heard_at: START.plus_ms(5_000),
            until: START.plus_ms(5_000 + STALENESS),
        };
        let proofs = proof(store, &scope, &key).unwrap();
        assert_eq!(proofs.len(), 2, "{proofs:?}");
        assert_eq!(state(&proofs, "one"), Some(waiting));
        tells(store, &facts("one", NodeRole::Gate), before, &[ack(store, 5_120)]);
        // The first time counts, whatever is applied later.
        tells(store, &facts("one", NodeRole::Gate), before, &[ack(store, 9_000)]);
        let proofs = proof(store, &scope, &key).unwrap();
        assert_eq!(state(&proofs, "one"), Some(NodeState::Refuses(START.plus_ms(5_120))));
        assert_eq!(state(&proofs, "two"), Some(waiting));
    }

    #[test]
    fn whoever_loads_after_an_end_knows_of_it(store) {
        let (scope, key) = disabled(store);
        let later = NodeFacts {
            started_at: START.plus_ms(60_000),
            ..facts("later", NodeRole::Both)
        };
        tells(store, &later, head(store), &[]);
        tells(store, &facts("anew", NodeRole::Both), head(store), &[]);
        tells(store, &facts("gone", NodeRole::Gate), 0, &[]);
        store.hand.set(START.plus_ms(90_000));
        store.db.batch_blocking(|w| nodes::leave(w, "gone")).unwrap();
        let proofs = proof(store, &scope, &key).unwrap();
        assert_eq!(state(&proofs, "later"), Some(NodeState::Started(START.plus_ms(60_000))));
        assert_eq!(state(&proofs, "anew"), Some(NodeState::Refuses(START)));
        assert_eq!(state(&proofs, "gone"), Some(NodeState::Left(START.plus_ms(90_000))));
        // What had ended before the end let nothing through.
        store.sql(&format!("UPDATE nodes SET left_at = {} WHERE name = 'gone'", START.0));
        assert_eq!(state(&proof(store, &scope, &key).unwrap(), "gone"), None);
    }

    #[test]
    fn an_end_of_before_the_last_is_no_proof_of_it(store) {
        let (scope, key) = disabled(store);
        let first = ack(store, 5_100);
        let node = facts("one", NodeRole::Gate);
        tells(store, &node, 0, &[first]);
        let (admin, id) = (store.staff("root2@example.com", StaffRole::Admin), key.key_id);
        let by = admin.clone();
        store.hand.set(START.plus_ms(20_000));
        store.db.change_blocking(move |c| keys::enable(c, &by, &id, None)).unwrap();
        store.hand.set(START.plus_ms(30_000));
        store.db.change_blocking(move |c| keys::disable(c, &admin, &id, "again")).unwrap();
        let proofs = proof(store, &scope, &key).unwrap();
        assert!(matches!(state(&proofs, "one"), Some(NodeState::Waiting { .. })), "{proofs:?}");
        tells(store, &node, 0, &[ack(store, 30_090)]);
        let proofs = proof(store, &scope, &key).unwrap();
        assert_eq!(state(&proofs, "one"), Some(NodeState::Refuses(START.plus_ms(30_090))));
    }

    #[test]
    fn what_is_a_month_old_is_known_no_more(store) {
        let (scope, key) = disabled(store);
        tells(store, &facts("one", NodeRole::Gate), 0, &[ack(store, 5_100)]);
        store.hand.set(START.plus_ms(31 * DAY_MS));
        assert!(store.db.change_blocking(changes::sweep).unwrap() > 0);
        store.db.batch_blocking(nodes::sweep).unwrap();
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM node_acks"), 0);
        assert_eq!(proof(store, &scope, &key), None);
    }

    #[test]
    fn an_acknowledgement_of_a_key_that_went_is_no_error(store) {
        let gone = Ack { key: RowId::from_number(4_711), generation: 1, at: Millis(1) };
        tells(store, &facts("one", NodeRole::Gate), 0, &[gone]);
        assert_eq!(store.number("SELECT COUNT(*) AS n FROM node_acks"), 0);
    }

    #[test]
    fn a_stranger_is_shown_no_proof(store) {
        let (_, key) = disabled(store);
        store.account("other");
        let stranger = store.member("eve@example.com", "other", Role::Owner);
        let id = key.key_id;
        let read = store.db.read_blocking(move |r| nodes::proof(r, &stranger, &id, START));
        assert_eq!(read, Err(latchkey::store::Error::NotFound));
    }

    #[test]
    fn t_52_the_servers_clock_is_compared_with_the_nodes(store) {
        let skew = || store.db.read_blocking(latchkey::store::Reader::clock_skew).unwrap();
        let now = latchkey::clock::Clock::system().now();
        store.hand.set(now);
        if store.is_sqlite() {
            assert_eq!(skew(), None);
            return;
        }
        let near = |expected: i64| {
            let skew = skew().unwrap();
            assert!((skew - expected).abs() < 10_000, "{skew} where {expected} was expected");
        };
        near(0);
        store.hand.set(now.plus_ms(60_000));
        near(-60_000);
        store.hand.set(now.plus_ms(-60_000));
        near(60_000);
    }
}
