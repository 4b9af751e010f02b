//! Deleting a key.

use crate::world::{Actor, World, keys};

#[actix_web::test]
async fn a_key_is_deleted_only_by_its_name() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = world.signed_in(Actor::Owner).await;
    let path = format!("{}/{key_id}/delete", keys());
    for typed in ["", "shop front", "Shop", "Shop frontier"] {
        let before = world.dump();
        browser.get(&path).await;
        browser.submit("Delete key", &[("name", typed)]).await;
        assert_eq!(browser.answer.status, 422, "{typed}");
        assert!(browser.one("#name-error").contains("Shop front"));
        assert_eq!(world.dump(), before);
    }
    browser.get(&path).await;
    browser
        .submit("Delete key", &[("name", " Shop front ")])
        .await;
    assert_eq!(browser.path, format!("{}/{key_id}", keys()));
    assert_eq!(browser.one(".head .st"), "Deleted");
    browser.get(&keys()).await;
    assert!(!browser.answer.body.contains(&key_id));
    assert!(
        browser.texts("[role=status].band").is_empty(),
        "the sentence is said once"
    );
}
