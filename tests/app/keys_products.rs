//! The products of a key: parts of them, and what they need.

use latchkey::store::{products, scope};

use crate::world::{Actor, World, create, keys, product};

#[actix_web::test]
async fn a_key_is_bound_to_parts_of_a_product_and_told_what_it_loses() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get(&format!("{}/{key_id}/edit", keys())).await;
    let both = [("scopes", "tiles:streets"), ("scopes", "tiles:aerial")];
    browser.submit("Save changes", &both).await;
    assert_eq!(
        browser.texts("#losses li"),
        ["Of Map tiles everything but the chosen parts is refused."]
    );
    browser.submit("Save anyway", &[]).await;
    assert!(browser.text().contains("Map tiles: Aerial images, Streets"));

    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get(&format!("{}/{key_id}/edit", keys())).await;
    let chosen = browser.attributes("input[name=scopes][checked]", "value");
    assert_eq!(chosen, ["tiles:streets", "tiles:aerial"]);
    let href = format!("{}/{key_id}/edit", keys());
    let mut fields = browser.form("Save changes").fields;
    fields.retain(|(_, value)| value != "tiles:aerial");
    browser.post(&href, &borrowed(&fields)).await;
    assert_eq!(
        browser.texts("#losses li"),
        ["Of Map tiles it loses Aerial images."]
    );

    // A part without its product: neither is guessed.
    fields.retain(|(name, _)| name != "products");
    fields.push(("products".to_owned(), "search".to_owned()));
    browser.post(&href, &borrowed(&fields)).await;
    assert_eq!(browser.answer.status, 422);
    let error = browser.one("#scopes-error");
    assert!(
        error.contains("Streets is a part of Map tiles. Choose the product Map tiles too"),
        "{error}"
    );
    fields.push(("scopes".to_owned(), "tiles:moon".to_owned()));
    fields.retain(|(_, value)| value != "tiles:streets");
    browser.post(&href, &borrowed(&fields)).await;
    assert!(
        browser
            .one("#scopes-error")
            .contains("no part \"tiles:moon\"")
    );
}

#[actix_web::test]
async fn a_part_that_a_product_lost_does_not_open_the_whole_of_it_unseen() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = world.signed_in(Actor::Developer).await;
    let page = format!("{}/{key_id}/edit", keys());
    browser.get(&page).await;
    let streets = [("scopes", "tiles:streets")];
    browser.submit("Save changes", &streets).await;
    browser.submit("Save anyway", &[]).await;
    world.sql("DELETE FROM product_scopes WHERE slug = 'streets'");
    browser.get(&page).await;
    browser.submit("Save changes", &[("note", "x")]).await;
    assert_eq!(browser.answer.status, 422);
    assert!(browser.one("#scopes-error").contains("tiles:streets"));
    let chosen = browser.attributes("input[name=scopes][checked]", "value");
    assert_eq!(chosen, ["tiles:streets"]);
    assert!(world.dump().contains("'streets'"), "still bound");
}

#[actix_web::test]
async fn a_new_key_like_another_has_its_parts() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    let values = [
        ("name", "Tiles"),
        ("kind", "server"),
        ("environment", "live"),
        ("products", "tiles"),
        ("scopes", "tiles:streets"),
    ];
    create(&mut browser, &values).await;
    let text = browser.text();
    assert!(text.contains("Tiles"), "{text}");
    assert!(
        !text.contains("/v1/authorize/tiles"),
        "a request that the key would be refused is not offered: {text}"
    );
    let dump = world.dump();
    let made = dump.lines().find(|line| line.contains("key.created"));
    assert!(made.unwrap().contains("tiles:streets"));
    browser.get(&keys()).await;
    let key_id = browser.texts("tbody code").remove(0);
    browser
        .get(&format!("{}/new?like={}", keys(), key_id.trim()))
        .await;
    assert_eq!(
        browser.attributes("input[name=scopes][checked]", "value"),
        ["tiles:streets"]
    );
}

fn borrowed(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

async fn with_jobs(world: &World) {
    world
        .db
        .change(|c| {
            let operator = scope::operator("test");
            for (slug, name) in [("batch", "Batch search"), ("jobs", "Jobs")] {
                products::add(c, &operator, &product(slug, name))?;
            }
            Ok(())
        })
        .await
        .unwrap();
}

#[actix_web::test]
async fn what_a_product_needs_is_chosen_too_and_said() {
    let world = World::new().await;
    with_jobs(&world).await;
    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get(&format!("{}/new", keys())).await;
    assert!(browser.text().contains("needs Batch search"));
    let values = [
        ("name", "Nightly"),
        ("kind", "server"),
        ("environment", "live"),
        ("products", "jobs"),
    ];
    browser.submit("Create key", &values).await;
    assert_eq!(browser.answer.status, 422);
    let said = browser.one("#products-error");
    assert!(
        said.contains("Jobs needs Batch search too, Batch search needs Search too."),
        "{said}"
    );
    let chosen = browser.attributes("input[name=products][checked]", "value");
    assert_eq!(chosen, ["batch", "jobs", "search"]);
    browser.submit("Create key", &[]).await;
    assert_eq!(browser.answer.status, 200);
    let made = world.dump();
    let made = made.lines().find(|line| line.contains("key.created"));
    assert!(
        made.unwrap()
            .contains(r#""products":["batch","jobs","search"]"#)
    );
}

#[actix_web::test]
async fn a_product_that_is_added_brings_what_it_needs() {
    let world = World::new().await;
    with_jobs(&world).await;
    let key_id = world.key("Shop front").await;
    let mut browser = world.signed_in(Actor::Developer).await;
    browser
        .get(&format!("{}/selected?do=add&key={key_id}", keys()))
        .await;
    browser.submit("Add product", &[("product", "jobs")]).await;
    browser.get(&format!("{}/{key_id}", keys())).await;
    let text = browser.text();
    for name in ["Batch search", "Jobs", "Map tiles", "Search"] {
        assert!(text.contains(name), "{name}: {text}");
    }
}
