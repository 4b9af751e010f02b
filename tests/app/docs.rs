//! The documentation is there for everybody.

use latchkey::web::shared::SignUp;
use latchkey_rules::code::Code;

use crate::world::{Plan, World};

#[actix_web::test]
async fn everybody_reads_what_each_code_means() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.get("/docs/verdicts").await;
    assert_eq!(browser.answer.status, 200);
    for code in Code::ALL {
        let row = browser.one(&format!("li#{code}"));
        let status = code.http_status().to_string();
        let mend = if code.is_allow() { "" } else { code.mend() };
        for says in [code.as_str(), &status, code.title(), code.cause(), mend] {
            assert!(row.contains(says), "{code}: {says}");
        }
    }
    let request = browser.request(actix_web::http::Method::GET, "/docs/errors");
    let answer = browser.send(request).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (308, Some("/docs/verdicts"))
    );
}

#[actix_web::test]
async fn the_way_to_a_key_is_told_in_the_operators_words() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.get("/docs").await;
    let links = browser.texts("article a");
    assert!(browser.text().contains("Map tiles") && links.len() >= 3);
    browser.get("/docs/get-a-key").await;
    let page = browser.text();
    for says in [
        "X-API-Key: $NORTHWIND_KEY",
        "http://127.0.0.1:8081/v1/authorize/",
        "Create an account",
    ] {
        assert!(page.contains(says), "{says}: {page}");
    }
    for (path, says) in [
        ("/docs/rotate", "SECRET_RETIRED"),
        ("/docs/restrict", "and not example.com itself"),
        (
            "/docs/send-it",
            "A request with two different keys is refused",
        ),
        ("/docs/keep-it-safe", "Put your own server between"),
    ] {
        browser.get(path).await;
        assert!(browser.text().contains(says), "{path}: {says}");
        assert_eq!(
            browser
                .attributes("nav [aria-current=page]", "href")
                .last()
                .unwrap(),
            path
        );
    }
    browser.get("/docs/words").await;
    assert_eq!(browser.one("#secret dt"), "Secret");
}

#[actix_web::test]
async fn nobody_is_told_to_sign_up_where_that_is_closed() {
    let plan = Plan {
        sign_up: SignUp::Closed,
        ..Plan::default()
    };
    let world = World::planned(plan).await;
    let mut browser = world.browser();
    browser.get("/docs/get-a-key").await;
    assert!(!browser.answer.body.contains("/sign-up"));
}
