//! Limits as people see them: of the account, of a key, and the lower ones that an owner sets.

use latchkey_rules::code::Code;

use crate::browser::Browser;
use crate::keys_activity::count;
use crate::world::{ACCOUNT, Actor, World, keys};

fn cells(browser: &Browser<'_>, table: &str) -> Vec<Vec<String>> {
    let rows = browser.texts(&format!("{table} tbody tr")).len();
    (1..=rows)
        .map(|row| browser.texts(&format!("{table} tbody tr:nth-child({row}) :is(th, td)")))
        .collect()
}

#[actix_web::test]
async fn an_accounts_page_says_what_is_left_of_its_day_and_who_took_it() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Viewer).await;
    let (busy, quiet) = (world.key("Shop front").await, world.key("Nightly").await);
    count(
        &world,
        &busy,
        &[
            (0, Code::Valid, 540),
            (1, Code::Valid, 60),
            (0, Code::RateLimited, 7),
            (0, Code::QuotaExceeded, 2),
        ],
    )
    .await;
    browser.get(&format!("/accounts/{ACCOUNT}/limits")).await;
    let page = browser.text();
    assert!(
        page.contains("Plan Free: 20 at once, then 10 a minute, for each key."),
        "{page}"
    );
    assert!(
        page.contains("600 of 1 000 requests are used, 400 are left."),
        "{page}"
    );
    // Six hundred within the hour and its predecessor, which began at nine; it is ten o'clock.
    assert!(page.contains("at 22 Nov 2026, 00:00:00 UTC"), "{page}");
    assert!(
        page.contains("it is used up at 21 Nov 2026, 10:40:00 UTC"),
        "{page}"
    );
    let rows = browser.texts(".tbl tbody tr");
    assert!(
        rows[0].starts_with("Shop front") && rows[0].contains("600") && rows[0].ends_with('9'),
        "{rows:?}"
    );
    assert!(!page.contains("Nightly"), "{quiet} took nothing");
}

#[actix_web::test]
async fn a_day_that_is_used_up_says_so_and_explain_agrees() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    count(&world, &key_id, &[(0, Code::Valid, 1_000)]).await;
    let mut browser = world.signed_in(Actor::Developer).await;
    browser.get(&format!("/accounts/{ACCOUNT}/limits")).await;
    assert!(
        browser
            .text()
            .contains("It is used up: every request is refused until then.")
    );
    browser.get(&format!("{}/{key_id}/explain", keys())).await;
    let url = "https://api.example.com/tiles/1";
    browser.submit("Explain", &[("url", url)]).await;
    let outcome = browser.one("#outcome");
    assert!(outcome.contains("QUOTA_EXCEEDED"), "{outcome}");
}

#[actix_web::test]
async fn an_owner_gives_a_key_lower_limits_and_nobody_else_does() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    count(
        &world,
        &key_id,
        &[(3, Code::Valid, 121), (5, Code::RateLimited, 2)],
    )
    .await;
    let path = format!("{}/{key_id}/limits", keys());
    let mut developer = world.signed_in(Actor::Developer).await;
    developer.get(&path).await;
    assert!(developer.texts("form[method=post] button.pri").is_empty());
    assert!(
        developer
            .text()
            .contains("An owner of the account can give the key lower limits")
    );

    let mut owner = world.signed_in(Actor::Owner).await;
    owner.get(&path).await;
    assert_eq!(
        cells(&owner, "#binds"),
        [
            ["A minute", "10", "–", "–", "10"],
            ["At once", "20", "–", "–", "20"],
        ]
    );
    assert!(
        owner
            .text()
            .contains("had 121 requests, 3 a minute on average")
    );
    assert_eq!(
        cells(&owner, "#too-many"),
        [["-", "0", "2"], ["Map tiles", "121", "0"]]
    );
    let values = [("per_minute", "5"), ("burst", ""), ("per_second", "2")];
    owner.submit("Save limits", &values).await;
    assert_eq!(owner.path, path);
    assert_eq!(
        cells(&owner, "#binds"),
        [
            ["A minute", "10", "–", "5", "5"],
            ["At once", "20", "–", "–", "20"],
            ["A second, Map tiles", "–", "–", "2", "2"],
        ]
    );
    owner.get(&format!("{}/{key_id}", keys())).await;
    let facts = owner.one(".facts");
    assert!(
        facts.contains("20 at once, then 5 a minute; 2 a second of each product"),
        "{facts}"
    );
    assert!(world.dump().contains("key.bounds_changed"));
}

#[actix_web::test]
async fn a_key_that_is_made_like_another_has_its_limits() {
    let world = World::new().await;
    let old = world.key("Shop front").await;
    let mut owner = world.signed_in(Actor::Owner).await;
    owner.get(&format!("{}/{old}/limits", keys())).await;
    owner.submit("Save limits", &[("per_minute", "5")]).await;
    owner.get(&format!("{}/new?like={old}", keys())).await;
    owner.submit("Create key", &[]).await;
    let new = owner.one("#key-id");
    owner.get(&format!("{}/{new}/limits", keys())).await;
    assert_eq!(
        cells(&owner, "#binds")[0],
        ["A minute", "10", "–", "5", "5"]
    );
}

#[actix_web::test]
async fn what_a_key_cannot_have_is_said_at_its_place() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let mut owner = world.signed_in(Actor::Owner).await;
    owner.get(&format!("{}/{key_id}/limits", keys())).await;
    let before = world.dump();
    owner
        .submit(
            "Save limits",
            &[("per_minute", "11"), ("burst", "0"), ("per_second", "few")],
        )
        .await;
    assert_eq!(owner.answer.status, 422);
    let allowed = owner.one("#per_minute-error");
    assert!(
        allowed.contains("from 1 to 10, which the plan allows"),
        "{allowed}"
    );
    for bad in ["burst", "per_second"] {
        assert_eq!(owner.texts(&format!("#{bad}-error")).len(), 1, "{bad}");
    }
    assert!(world.dump() == before, "nothing was saved");
}

#[actix_web::test]
async fn of_two_owners_the_second_is_told() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let path = format!("{}/{key_id}/limits", keys());
    let (mut one, mut other) = (
        world.signed_in(Actor::Owner).await,
        world.signed_in(Actor::Owner).await,
    );
    one.get(&path).await;
    other.get(&path).await;
    one.submit("Save limits", &[("per_minute", "5")]).await;
    other.submit("Save limits", &[("per_minute", "7")]).await;
    assert_eq!(other.answer.status, 409);
    assert!(other.text().contains("was changed in the meantime"));
    assert_eq!(
        cells(&other, "#binds")[0][3],
        "5",
        "what the first one saved is in sight"
    );
    other.submit("Save limits", &[("per_minute", "7")]).await;
    assert_eq!(cells(&other, "#binds")[0][3], "7");
}
