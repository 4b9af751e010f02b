//! An admin switches a key off, says why, and on again; support may do neither.

use crate::world::{ACCOUNT, Actor, World};

const REASON: &str = "The secret ending in Qm2x was found in a public repository.";

#[actix_web::test]
async fn an_admin_disables_with_a_reason_and_enables_again() {
    let world = World::new().await;
    let id = world.key("Checkout web").await;
    let page = format!("/staff/keys/{id}");
    let mut admin = world.signed_in(Actor::Admin).await;
    admin.get(&format!("{page}/disable")).await;
    assert!(admin.text().contains("No request was ever allowed"));
    admin.submit("Disable key", &[("reason", REASON)]).await;
    assert_eq!(
        (admin.path.as_str(), admin.answer.status),
        (page.as_str(), 200)
    );
    assert!(
        admin
            .one("[role=status].band")
            .contains("The key is disabled")
    );
    assert_eq!(admin.one(".head .st.disabled"), "Disabled");
    let band = admin.one("main .band.bad");
    assert!(
        band.contains(REASON) && band.contains("admin@example.com"),
        "{band}"
    );

    let mut owner = world.signed_in(Actor::Owner).await;
    owner.get(&format!("/accounts/{ACCOUNT}/keys/{id}")).await;
    assert!(owner.text().contains(REASON), "the owner reads why");

    admin.get(&page).await;
    assert!(
        admin.texts("[role=status].band").is_empty(),
        "it is said once"
    );
    admin.submit("Enable key", &[]).await;
    assert_eq!(
        (admin.path.as_str(), admin.answer.status),
        (page.as_str(), 200)
    );
    assert_eq!(admin.one(".head .st.active"), "Active");
    let dump = world.dump();
    for action in ["key.disabled", "key.enabled"] {
        let logged = dump
            .lines()
            .filter(|line| line.starts_with("audit_events:") && line.contains(action));
        let logged: Vec<&str> = logged.collect();
        assert_eq!(logged.len(), 1, "{action}");
        assert!(logged[0].contains("admin@example.com") && logged[0].contains(&id));
    }
}

#[actix_web::test]
async fn support_looks_and_changes_nothing() {
    let world = World::new().await;
    let id = world.key("Checkout web").await;
    let page = format!("/staff/keys/{id}");
    let mut support = world.signed_in(Actor::Support).await;
    support.get(&page).await;
    let text = support.text();
    assert!(!text.contains("Disable key") && !text.contains("Enable key"));
    let before = world.dump();
    support.get(&format!("{page}/disable")).await;
    assert_eq!(support.answer.status, 403);
    for (path, fields) in [("disable", vec![("reason", REASON)]), ("enable", vec![])] {
        support.post(&format!("{page}/{path}"), &fields).await;
        assert_eq!(support.answer.status, 403, "{path}");
    }
    assert_eq!(world.dump(), before);
}

#[actix_web::test]
async fn a_reason_is_asked_for_beside_its_field() {
    let world = World::new().await;
    let id = world.key("Checkout web").await;
    let mut admin = world.signed_in(Actor::Admin).await;
    let before = world.dump();
    let long = "word ".repeat(101);
    let secret = "nw_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu";
    let with_secret = format!("Found {secret} in a repository");
    for (reason, says, kept) in [
        ("", "Write the reason", true),
        ("   ", "Write the reason", true),
        (long.as_str(), "504 characters", true),
        ("a\u{202e}b", "U+202E", true),
        (with_secret.as_str(), "holds a secret", false),
    ] {
        admin.get(&format!("/staff/keys/{id}/disable")).await;
        admin.submit("Disable key", &[("reason", reason)]).await;
        assert_eq!(admin.answer.status, 422, "{reason:?}");
        let error = admin.one("#reason-error");
        assert!(error.contains(says), "{error}");
        assert!(admin.one("title").contains("(1 error)"));
        assert_eq!(admin.texts("#errors a[href='#reason']").len(), 1);
        let again = admin.form("Disable key").fields[0].1.clone();
        assert_eq!(again, if kept { reason } else { "" });
        assert!(!admin.answer.body.contains(secret.split_at(8).1));
    }
    assert_eq!(world.dump(), before);
}

#[actix_web::test]
async fn pressing_twice_changes_once() {
    let world = World::new().await;
    let id = world.key("Checkout web").await;
    let page = format!("/staff/keys/{id}");
    let mut admin = world.signed_in(Actor::Admin).await;
    admin.post(&format!("{page}/enable"), &[]).await;
    assert!(admin.one("[role=status].band").contains("was not disabled"));
    admin
        .post(&format!("{page}/disable"), &[("reason", REASON)])
        .await;
    let once = world.dump();
    admin
        .post(&format!("{page}/disable"), &[("reason", "Another")])
        .await;
    assert!(admin.one("[role=status].band").contains("off already"));
    assert_eq!(world.dump(), once);
    admin.get(&format!("{page}/disable")).await;
    assert_eq!(admin.path, page, "there is nothing to ask");
}
