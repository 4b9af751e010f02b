//! The list of an account's keys, a page at a time.

use crate::world::{Actor, World, create, keys};

/// What a page of the list may weigh, as it is sent to a browser that cannot compress.
const PAGE_BYTES: usize = 100_000;

#[actix_web::test]
async fn every_key_stands_on_one_page_and_no_page_is_heavy() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    let names: Vec<String> = (1..=95)
        .map(|number| {
            format!(
                "The checkout of the second shop, for all its customers abroad, number {number:02}"
            )
        })
        .collect();
    for name in &names {
        let values = [("name", name.as_str()), ("products", "tiles")];
        create(&mut browser, &values).await;
        assert!(browser.answer.status < 400, "{}", browser.answer.body);
    }
    let (mut listed, mut at) = (Vec::new(), Some(keys()));
    while let Some(path) = at {
        browser.get(&path).await;
        let bytes = browser.answer.body.len();
        assert!(bytes <= PAGE_BYTES, "{path} has {bytes} bytes");
        listed.extend(browser.texts("#keys th[scope=row] .kn > a"));
        assert!(listed.len() <= names.len(), "a key is listed twice");
        at = browser
            .attributes(".pager a[rel=next]", "href")
            .pop()
            .map(|href| format!("{}{href}", keys()));
    }
    assert_eq!(listed, names);
}

#[actix_web::test]
async fn a_list_is_narrowed_by_everything_that_stands_in_its_bar() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    for values in [
        vec![
            ("name", "Shop"),
            ("products", "tiles"),
            ("labels", "mobile"),
        ],
        vec![
            ("name", "Depot"),
            ("products", "search"),
            ("environment", "test"),
        ],
        vec![
            ("name", "Widget"),
            ("products", "tiles"),
            ("kind", "browser"),
            ("any_site", "yes"),
            ("responsible", "Team Shop"),
        ],
    ] {
        create(&mut browser, &values).await;
        assert_eq!(browser.answer.status, 200);
    }
    let paused = browser.one("#key-id");
    browser.get(&format!("{}/{paused}/pause", keys())).await;
    browser.submit("Pause key", &[]).await;
    for (query, found) in [
        ("", vec!["Depot", "Shop", "Widget"]),
        ("kind=browser", vec!["Widget"]),
        ("product=search", vec!["Depot"]),
        ("environment=test", vec!["Depot"]),
        ("status=paused", vec!["Widget"]),
        ("status=active", vec!["Depot", "Shop"]),
        ("status=unused", vec![]),
        ("q=Mobile", vec!["Shop"]),
        ("q=Team%20Shop", vec!["Widget"]),
        ("q=developer%40example.com&product=tiles", vec!["Shop"]),
        ("sort=newest", vec!["Widget", "Depot", "Shop"]),
        ("sort=used", vec!["Widget", "Depot", "Shop"]),
    ] {
        browser.get(&format!("{}?{query}", keys())).await;
        assert_eq!(browser.texts(".kn > a"), found, "{query}");
    }
    assert_eq!(
        browser.attributes("th[aria-sort]", "aria-sort"),
        ["descending"]
    );
    let file = browser.attributes("a[href*='keys.csv']", "href").remove(0);
    assert!(file.ends_with("?sort=used"), "{file}");
    browser.get(&file).await;
    assert_eq!(
        browser.answer.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    let lines: Vec<&str> = browser.answer.body.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[0].starts_with("key_id,name,secret,kind,environment,status,access"));
    assert!(
        lines[1].contains(",Widget,") && lines[1].contains(",paused,"),
        "{}",
        lines[1]
    );
}

#[actix_web::test]
async fn t_57_a_name_that_a_spreadsheet_would_run_is_disarmed_in_the_file() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    let values = [("name", "=HYPERLINK(1)"), ("products", "tiles")];
    create(&mut browser, &values).await;
    browser.get(&format!("{}.csv", keys())).await;
    assert!(
        browser.answer.body.contains(",'=HYPERLINK(1),"),
        "{}",
        browser.answer.body
    );
}

/// Three keys, and the page that the button asks with about two of them.
async fn chosen<'w>(world: &'w World, what: &str) -> (Vec<String>, crate::browser::Browser<'w>) {
    let mut ids = Vec::new();
    for name in ["One", "Two", "Three"] {
        ids.push(world.key(name).await);
    }
    let mut browser = world.signed_in(Actor::Developer).await;
    let (one, two) = (&ids[0], &ids[1]);
    browser
        .get(&format!(
            "{}/selected?do={what}&key={one}&key={two}",
            keys()
        ))
        .await;
    (ids, browser)
}

#[actix_web::test]
async fn several_keys_are_deleted_at_once_by_a_phrase() {
    let world = World::new().await;
    let (ids, mut browser) = chosen(&world, "delete").await;
    assert_eq!(browser.texts("tbody tr").len(), 2);
    let before = world.dump();
    browser
        .submit("Delete keys", &[("typed", "delete them")])
        .await;
    assert_eq!(browser.answer.status, 422);
    assert!(browser.one("#typed-error").contains("delete 2 keys"));
    assert_eq!(world.dump(), before);
    browser
        .submit("Delete keys", &[("typed", "delete 2 keys")])
        .await;
    assert_eq!(browser.path, keys());
    assert!(browser.text().contains("2 keys are deleted."));
    assert_eq!(browser.texts(".kn > a"), ["Three"]);
    // One of them is gone: nothing happens to the others.
    let path = format!(
        "{}/selected?do=delete&key={}&key={}",
        keys(),
        ids[0],
        ids[2]
    );
    browser.get(&path).await;
    assert_eq!(browser.answer.status, 404);
}

#[actix_web::test]
async fn several_keys_get_a_product_at_once() {
    let world = World::new().await;
    let (ids, mut browser) = chosen(&world, "add").await;
    browser
        .submit("Add product", &[("product", "search")])
        .await;
    assert!(
        browser.text().contains("2 keys are good for it"),
        "{}",
        browser.text()
    );
    browser.get(&format!("{}?product=search", keys())).await;
    assert_eq!(browser.texts(".kn > a"), ["One", "Two"]);
    assert_eq!(world.dump().matches("key.edited").count(), 2);
    let mut viewer = world.signed_in(Actor::Viewer).await;
    viewer.get(&keys()).await;
    assert!(viewer.attributes("input[name=key]", "value").is_empty());
    viewer
        .get(&format!("{}/selected?do=add&key={}", keys(), ids[0]))
        .await;
    assert_eq!(viewer.answer.status, 403);
}

#[actix_web::test]
async fn another_key_like_this_one_is_linked_to_it() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Developer).await;
    let values = [
        ("name", "Shop"),
        ("products", "search"),
        ("domains", "shop.example.com"),
        ("labels", "mobile"),
    ];
    create(&mut browser, &values).await;
    let old = browser.one("#key-id");
    browser.get(&keys()).await;
    let menu = browser.texts(".pop a");
    for entry in [
        "Edit",
        "Rotate secret…",
        "Activity",
        "Another like this",
        "Delete…",
    ] {
        assert!(menu.iter().any(|one| one == entry), "{entry}: {menu:?}");
    }
    browser.get(&format!("{}/new?like={old}", keys())).await;
    assert_eq!(browser.attributes("#name", "value"), ["Shop 2"]);
    assert_eq!(browser.one("#domains"), "shop.example.com");
    browser
        .submit("Create key", &[("environment", "staging")])
        .await;
    let new = browser.one("#key-id");
    assert_ne!(new, old);
    browser.get(&format!("{}/{new}", keys())).await;
    let text = browser.text();
    assert!(
        text.contains("Replaces") && text.contains("safe to delete"),
        "{text}"
    );
    assert!(
        text.contains("Staging") && text.contains("mobile"),
        "{text}"
    );
    let mut stranger = world.signed_in(Actor::Stranger).await;
    let own = crate::world::OTHER;
    stranger
        .get(&format!("/accounts/{own}/keys/new?like={old}"))
        .await;
    assert_eq!(stranger.answer.status, 404);
}
