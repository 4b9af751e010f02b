//! Explaining a request: the gate's own decision, check by check.

use crate::browser::Browser;
use crate::world::{Actor, World, keys};

async fn ask<'w>(world: &'w World, key_id: &str, values: &[(&str, &str)]) -> Browser<'w> {
    let mut browser = world.signed_in(Actor::Viewer).await;
    browser.get(&format!("{}/{key_id}/explain", keys())).await;
    let first = browser.attributes("#url", "value").remove(0);
    assert!(
        first.starts_with("https://api.example.com/tiles"),
        "{first}"
    );
    browser.submit("Explain", values).await;
    browser
}

fn outcomes(browser: &Browser<'_>) -> Vec<String> {
    browser.texts("tbody td:last-child")
}

#[actix_web::test]
async fn an_allowed_request_passes_every_check() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut browser = ask(&world, &key_id, &[]).await;
    let before = world.dump();
    browser.submit("Explain", &[]).await;
    assert_eq!(browser.answer.status, 200);
    assert!(browser.one("#outcome").contains("VALID"));
    let found = outcomes(&browser);
    assert_eq!(found.len(), 19);
    assert!(found.iter().all(|one| one == "passed"), "{found:?}");
    assert!(world.dump() == before, "nothing is counted");
}

#[actix_web::test]
async fn a_refused_one_says_which_check_and_how_to_mend_it() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let table = [
        (
            ("url", "https://api.example.com/search"),
            "PRODUCT_NOT_ASSIGNED",
            "The key has Map tiles.",
        ),
        (
            ("url", "https://api.example.com/nothing"),
            "PRODUCT_UNKNOWN",
            "api.example.com/nothing",
        ),
        (
            ("url", "api.example.com/tiles%2f..%2fx"),
            "PATH_AMBIGUOUS",
            "The path /tiles%2f..%2fx.",
        ),
    ];
    for (value, code, says) in table {
        let browser = ask(&world, &key_id, &[value]).await;
        assert!(
            browser.one("#outcome").contains(code),
            "{code}: {}",
            browser.one("#outcome")
        );
        let found = outcomes(&browser);
        assert_eq!(
            found.iter().filter(|one| *one == "failed").count(),
            1,
            "{found:?}"
        );
        assert_eq!(found.last().map(String::as_str), Some("not reached"));
        assert!(browser.text().contains(says), "{says}: {}", browser.text());
    }
}

#[actix_web::test]
async fn domains_addresses_and_standing_are_the_keys_own() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut owner = world.signed_in(Actor::Owner).await;
    owner.get(&format!("{}/{key_id}/edit", keys())).await;
    let values = [("domains", "*.example.com"), ("ips", "203.0.113.0/24")];
    owner.submit("Save changes", &values).await;
    owner.submit("Save anyway", &[]).await;
    let (page, ip) = (("origin", "https://www.example.com"), ("ip", "203.0.113.9"));
    let table = [
        (vec![page, ip], "VALID"),
        (vec![ip], "ORIGIN_NOT_ALLOWED"),
        (vec![page], "IP_NOT_ALLOWED"),
        (
            vec![("origin", "https://example.com"), ip],
            "ORIGIN_NOT_ALLOWED",
        ),
    ];
    for (values, code) in table {
        let browser = ask(&world, &key_id, &values).await;
        assert!(
            browser.one("#outcome").contains(code),
            "{values:?}: {}",
            browser.one("#outcome")
        );
    }
    owner.get(&format!("{}/{key_id}/pause", keys())).await;
    owner.submit("Pause key", &[]).await;
    let browser = ask(&world, &key_id, &[page, ip]).await;
    assert!(browser.one("#outcome").contains("KEY_DISABLED"));
}

#[actix_web::test]
async fn what_cannot_be_read_is_said_at_its_place() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let values = [("url", " "), ("ip", "203.0.113")];
    let browser = ask(&world, &key_id, &values).await;
    assert_eq!(browser.answer.status, 422);
    assert!(browser.one("#url-error").contains("whole address"));
    assert!(browser.one("#ip-error").contains("203.0.113.7"));
    assert!(outcomes(&browser).is_empty());
}

#[actix_web::test]
async fn a_key_with_parts_of_a_product_is_refused_elsewhere_in_it() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut owner = world.signed_in(Actor::Owner).await;
    owner.get(&format!("{}/{key_id}/edit", keys())).await;
    owner
        .submit("Save changes", &[("scopes", "tiles:streets")])
        .await;
    owner.submit("Save anyway", &[]).await;
    for (url, code) in [
        ("https://api.example.com/tiles/streets/1", "VALID"),
        (
            "https://api.example.com/tiles/aerial/1",
            "ACCESS_NOT_ALLOWED",
        ),
    ] {
        let browser = ask(&world, &key_id, &[("url", url)]).await;
        assert!(browser.one("#outcome").contains(code), "{url}");
        let asked = url.trim_start_matches("https://api.example.com");
        let says = format!("{asked} was asked; the key has Map tiles: Streets.");
        assert!(browser.text().contains(&says), "{}", browser.text());
    }
}
