//! The page of a key that ended says which gates refuse it, and what a silent one may still do.

use latchkey::store::nodes::{self, Ack, Followed, NodeFacts, NodeRole};
use latchkey::store::replica::{self, RowId};
use latchkey::store::{changes, keys as stored};
use latchkey_rules::key_id::KeyId;

use crate::world::{Actor, BEGIN, World, keys};

fn gate(name: &str) -> NodeFacts {
    NodeFacts {
        name: name.to_owned(),
        role: NodeRole::Gate,
        version: "1.2.3".to_owned(),
        started_at: BEGIN,
        max_staleness_ms: 300_000,
    }
}

/// The gate tells of itself, and of the only key that it refuses it since so many milliseconds from the beginning.
async fn tells(world: &World, name: &'static str, refuses_since: Option<i64>) {
    let told = world.db.batch(move |w| {
        let followed = Followed {
            epoch: changes::epoch(w)?,
            loaded: 0,
            loaded_at: BEGIN,
            applied: changes::head(w)?,
        };
        let key = replica::keys_page(w, RowId::NONE, 1)?.remove(0);
        let ack = refuses_since.map(|at| Ack {
            key: key.row,
            generation: key.generation,
            at: BEGIN.plus_ms(at),
        });
        let acks: Vec<Ack> = ack.into_iter().collect();
        nodes::note(w, &gate(name), Some(&followed), &acks)
    });
    told.await.unwrap();
}

async fn disabled(world: &World) -> KeyId {
    let id: KeyId = world.key("Checkout web").await.parse().unwrap();
    world.hand.advance_ms(1_000);
    let by = latchkey::store::scope::operator("a test");
    let off = move |c: &mut latchkey::store::Change<'_>| stored::disable(c, &by, &id, "leaked");
    world.db.change(off).await.unwrap();
    id
}

#[actix_web::test]
async fn a_disabled_keys_page_names_each_gate_and_since_when_it_refuses() {
    let world = World::new().await;
    let id = disabled(&world).await;
    let mut browser = world.signed_in(Actor::Viewer).await;
    let page = format!("{}/{id}", keys());
    browser.get(&page).await;
    assert!(
        browser.texts("#proof-h").is_empty(),
        "no gate was ever heard"
    );
    tells(&world, "gate one", Some(1_120)).await;
    tells(&world, "gate two", None).await;
    browser.get(&page).await;
    assert_eq!(browser.one("#proof-h"), "Where this key is refused");
    let text = browser.text();
    assert!(text.contains("1 of 2 gates has not said yet that it refuses it."));
    assert!(text.contains("It never let a request through."));
    let rows = browser.texts("section[aria-labelledby=proof-h] tbody tr");
    assert!(
        rows[0].contains("gate two") && rows[0].contains("Not yet; last heard"),
        "{rows:?}"
    );
    assert!(
        rows[1].contains("gate one") && rows[1].contains("0.12 s"),
        "{rows:?}"
    );

    // A gate that falls silent is named, with the time until which it may let requests through.
    world.hand.advance_ms(20_000);
    tells(&world, "gate one", None).await;
    browser.get(&format!("{page}/proof")).await;
    let rows = browser.texts("tbody tr");
    assert!(
        rows[0].contains("gate two") && rows[0].contains("Not heard since"),
        "{rows:?}"
    );
    assert!(
        rows[0].contains("may let requests through until 21 Nov 2026, 10:05:01 UTC"),
        "{rows:?}"
    );
    world.hand.advance_ms(300_000);
    browser.get(&format!("{page}/proof")).await;
    let text = browser.text();
    assert!(
        text.contains("Every gate refuses it. The last one began 0.12 s later."),
        "{text}"
    );
    assert!(
        text.contains("it refuses everything since 21 Nov 2026, 10:05:01 UTC"),
        "{text}"
    );
}

#[actix_web::test]
async fn staff_see_the_same_and_a_key_that_works_has_none() {
    let world = World::new().await;
    let id = disabled(&world).await;
    tells(&world, "gate one", Some(1_090)).await;
    let mut support = world.signed_in(Actor::Support).await;
    for path in [
        format!("/staff/keys/{id}"),
        format!("/staff/keys/{id}/proof"),
    ] {
        support.get(&path).await;
        assert_eq!(
            support.one("#proof-h"),
            "Where this key is refused",
            "{path}"
        );
        assert!(support.text().contains("began 0.09 s later"), "{path}");
    }
    let mut admin = world.signed_in(Actor::Admin).await;
    admin.get(&format!("/staff/keys/{id}")).await;
    admin.submit("Enable key", &[]).await;
    assert!(admin.texts("#proof-h").is_empty());
    admin.get(&format!("/staff/keys/{id}/proof")).await;
    assert_eq!((admin.answer.status, admin.text().as_str()), (200, ""));
}
