//! From sign-up to delete, by the pages' own forms alone and without a script, on an installation with one product.

use crate::http::Ask;
use crate::needs;
use crate::operator::{HOST, Installation, Made, PATH, PRODUCT, make_key, sign_up};
use crate::page::Browser;
use serde_json::json;

/// How often the key's secret was VALID at the product, as its page's CSV has it: over as many lines as there were hours.
fn valid_count(browser: &mut Browser, made: &Made) -> Option<u32> {
    browser.get(&format!("{}/activity.csv?range=week", made.path));
    let text = browser.html();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("hour,secret,product,outcome,count"));
    let (_, last4) = made.secret.split_at(made.secret.len() - 4);
    let right = format!(",{last4},{PRODUCT},VALID,");
    lines
        .map(|line| line.split_once(&right)?.1.parse::<u32>().ok())
        .sum()
}

#[test]
fn a_newcomer_gets_from_sign_up_to_a_counted_verdict_and_back_to_nothing() {
    let installation = Installation::new();
    let latchkey = installation.serve();
    let person = sign_up(
        &latchkey,
        "Nora Newcomer",
        "Newcomer Maps",
        "nora@newcomer.example",
    );
    let account = person.account.as_deref().unwrap();

    let mut browser = Browser::signed_in(&latchkey.portal, &person);
    let made = make_key(&mut browser, account, "First key");
    let kept = browser.answer.header("cache-control").unwrap_or_default();
    assert!(
        kept.contains("no-store"),
        "the page with the secret may be kept: {kept}"
    );
    assert_eq!(
        latchkey.code(&made.secret, PRODUCT),
        "VALID",
        "a new key works at once"
    );
    assert_eq!(
        latchkey.authorize("GET", HOST, PATH, &made.secret).status,
        200
    );

    needs::soon("both requests are counted", || {
        (valid_count(&mut browser, &made) == Some(2)).then_some(())
    });
    browser.get(&made.path);
    assert_eq!(browser.status, 200);
    assert!(
        !browser.html().contains(&made.secret),
        "the secret is shown once"
    );
    assert!(browser.text().contains("First key"));
    browser.get(&format!("/accounts/{account}/keys"));
    assert!(browser.text().contains("First key"));

    browser
        .get(&format!("{}/delete", made.path))
        .submit("Delete", &[("name", "Another name")]);
    assert_eq!(browser.status, 422, "the typed name must be the key's");
    assert_eq!(latchkey.code(&made.secret, PRODUCT), "VALID");
    browser
        .get(&format!("{}/delete", made.path))
        .submit("Delete", &[("name", "First key")]);
    assert_eq!(browser.status, 200, "{}", browser.text());
    needs::soon("a deleted key is one that never was", || {
        (latchkey.code(&made.secret, PRODUCT) == "KEY_NOT_FOUND").then_some(())
    });

    browser.get("/").submit("Sign out", &[]);
    browser.get(&format!("/accounts/{account}/keys"));
    assert!(
        browser.at.starts_with("/sign-in"),
        "signed out, yet at {}",
        browser.at
    );
}

#[test]
fn an_admin_disables_a_key_with_a_reason_that_its_owner_reads_and_enables_it_again() {
    let installation = Installation::new();
    let latchkey = installation.serve();
    let owner = sign_up(&latchkey, "Olga Owner", "Owner Maps", "olga@owner.example");
    let account = owner.account.as_deref().unwrap();
    let mut owners = Browser::signed_in(&latchkey.portal, &owner);
    let made = make_key(&mut owners, account, "Worth disabling");
    assert_eq!(latchkey.code(&made.secret, PRODUCT), "VALID");

    let (admin, link) = installation.admin(&latchkey);
    let mut again = Browser::at(&latchkey.portal);
    again.get(&link);
    assert!(!again.offers("Set password"), "the link opens once");

    let mut staff = Browser::signed_in(&latchkey.portal, &admin);
    staff
        .get("/staff/look-up")
        .submit("Look up", &[("q", &made.secret)]);
    assert!(
        staff.at.ends_with(&made.key_id),
        "a pasted secret led to {}",
        staff.at
    );
    assert!(!staff.html().contains(&made.secret), "staff see no secret");
    staff
        .get("/staff/look-up")
        .submit("Look up", &[("q", &made.key_id)]);
    assert!(
        staff.at.ends_with(&made.key_id),
        "a key ID led to {}",
        staff.at
    );
    staff
        .follow("Disable key")
        .submit("Disable key", &[("reason", "Seen in a public repository")]);
    assert_eq!(staff.status, 200, "{}", staff.text());
    needs::soon("the gate refuses it", || {
        (latchkey.code(&made.secret, PRODUCT) == "KEY_DISABLED").then_some(())
    });
    owners.get(&made.path);
    assert!(
        owners.text().contains("Seen in a public repository"),
        "{}",
        owners.text()
    );
    assert!(owners.text().contains(&made.key_id));

    staff
        .get(&format!("/staff/keys/{}", made.key_id))
        .submit("Enable", &[]);
    assert_eq!(staff.status, 200, "{}", staff.text());
    needs::soon("the gate lets it through", || {
        (latchkey.code(&made.secret, PRODUCT) == "VALID").then_some(())
    });
}

#[test]
fn the_command_line_adds_a_product_and_disables_a_key_while_it_serves() {
    let installation = Installation::new();
    let latchkey = installation.serve();
    let owner = sign_up(&latchkey, "Olga Owner", "Owner Maps", "olga@owner.example");
    let mut browser = Browser::signed_in(&latchkey.portal, &owner);
    let made = make_key(&mut browser, owner.account.as_deref().unwrap(), "A key");
    let add = [
        "products",
        "add",
        "routing",
        "--name",
        "Routing API",
        "--route",
        "api.example.com/routing",
    ];
    installation.done(&add);
    needs::soon("the new product is known", || {
        (latchkey.code(&made.secret, "routing") == "PRODUCT_NOT_ASSIGNED").then_some(())
    });
    let verdict =
        latchkey.verdict(&json!({"secret": made.secret, "host": HOST, "path": "/routing/1"}));
    assert_eq!(verdict["code"], "PRODUCT_NOT_ASSIGNED");
    installation.done(&["keys", "disable", &made.key_id, "--reason", "A test"]);
    needs::soon("the key is refused", || {
        (latchkey.code(&made.secret, PRODUCT) == "KEY_DISABLED").then_some(())
    });
    installation.done(&["keys", "enable", &made.key_id, "--reason", "A test"]);
    needs::soon("the key is let through", || {
        (latchkey.code(&made.secret, PRODUCT) == "VALID").then_some(())
    });
    let unknown = installation.run(&[
        "keys",
        "disable",
        "key_aaaaaaaaaaaaaaaa",
        "--reason",
        "A test",
    ]);
    assert_eq!(unknown.code, Some(1), "{}", unknown.said);
    assert_eq!(Ask::get("/healthz").send(&latchkey.gate).status, 200);
}
