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
            .attributes(".pager a", "href")
            .pop()
            .map(|href| format!("{}{href}", keys()));
    }
    assert_eq!(listed, names);
}
