//! The link in a refusal.

use latchkey_rules::code::Code;

use crate::world::World;

#[actix_web::test]
async fn the_link_alone_says_what_the_code_means() {
    let world = World::new().await;
    let mut browser = world.browser();
    for code in Code::ALL {
        browser.get(&format!("/r/req_abc123?verdict={code}")).await;
        assert_eq!(browser.answer.status, 200, "{code}");
        let page = browser.text();
        for says in [
            code.as_str(),
            code.title(),
            code.cause(),
            code.mend(),
            "req_abc123",
        ] {
            assert!(page.contains(says), "{code}: {says}");
        }
    }
}

#[actix_web::test]
async fn what_is_no_code_is_not_repeated() {
    let world = World::new().await;
    let mut browser = world.browser();
    for query in [
        "",
        "?verdict=",
        "?verdict=valid",
        "?verdict=%3Cb%3EKEY_X",
        "?other=1",
    ] {
        browser.get(&format!("/r/req_abc123{query}")).await;
        assert_eq!(browser.answer.status, 200, "{query}");
        assert!(
            browser.text().contains("This link names no code"),
            "{query}"
        );
        assert!(!browser.text().contains("KEY_X") && !browser.answer.body.contains("<b>KEY"));
    }
    for id in ["a%20b", "%3Cscript%3E", &"a".repeat(65)] {
        browser.get(&format!("/r/{id}?verdict=VALID")).await;
        assert_eq!(browser.answer.status, 404, "{id}");
    }
}
