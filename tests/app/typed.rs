//! What people type, as hostile as it can be, on every page that shows it.

use crate::browser::Browser;
use crate::world::{Actor, World, create, keys};

const NASTY: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg/onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "{{7*7}}{% raw %}",
    "javascript:alert(1)",
    "&lt;script&gt;",
    "<iframe src=//evil.example>",
];

fn harmless(browser: &Browser<'_>, what: &str) {
    for selector in [
        "script:not([src])",
        "[onerror]",
        "[onload]",
        "img[src=x]",
        "iframe",
        "a[href^='javascript:']",
        "[style]",
    ] {
        assert!(browser.texts(selector).is_empty(), "{selector} from {what}");
    }
    assert_eq!(browser.texts("script").len(), 1, "{what}");
}

#[actix_web::test]
async fn t_55_what_people_type_never_becomes_an_element() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Owner).await;
    for text in NASTY {
        create(&mut browser, &[("name", text), ("products", "tiles")]).await;
        harmless(&browser, text);
        let key_id = browser.one("#key-id");
        let path = format!("{}/{key_id}", keys());
        for path in [
            path.clone(),
            format!("{path}/delete"),
            format!("{path}/activity"),
            keys(),
        ] {
            browser.get(&path).await;
            assert_eq!(browser.answer.status, 200);
            harmless(&browser, text);
            assert!(
                browser
                    .text()
                    .contains(&text.split_whitespace().collect::<Vec<_>>().join(" ")),
                "{text} on {path}"
            );
        }
        browser.get(&format!("{path}/delete")).await;
        browser
            .submit("Delete key", &[("name", &format!("{text}x"))])
            .await;
        harmless(&browser, text);
        assert_eq!(browser.answer.status, 422);
        browser.get(&format!("{path}/delete")).await;
        browser.submit("Delete key", &[("name", text)]).await;
        harmless(&browser, text);
        browser.get(&keys()).await;
        let coded: String =
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .collect();
        browser.get(&format!("{}?q={coded}", keys())).await;
        harmless(&browser, text);
        let mut other = world.browser();
        other.get(&format!("/sign-in?next={coded}")).await;
        harmless(&other, text);
        other
            .submit("Sign in", &[("email", text), ("password", text)])
            .await;
        harmless(&other, text);
        other.get("/sign-up").await;
        other
            .submit(
                "Create account",
                &[
                    ("name", text),
                    ("company", text),
                    ("email", text),
                    ("password", text),
                ],
            )
            .await;
        harmless(&other, text);
        other.get(&format!("/{coded}")).await;
        harmless(&other, text);
    }
}
