//! Two nodes on one PostgreSQL: what one of them did, the other knows. `scripts/drill revoke` measures how soon.

use crate::database::Database;
use crate::needs;
use crate::operator::{Installation, PRODUCT, make_key, sign_up};
use crate::page::Browser;
use crate::process::kill;

#[test]
fn r_04_a_new_a_disabled_and_a_deleted_key_and_another_plan_are_known_to_the_other_node() {
    let Some(database) = Database::new() else {
        return;
    };
    let installation = Installation::on_postgres(&database.url).without_limits();
    let (here, there) = (
        installation.serve_node("here"),
        installation.serve_node("there"),
    );
    let owner = sign_up(&here, "Olga Owner", "Owner Maps", "olga@owner.example");
    let mut browser = Browser::signed_in(&here.portal, &owner);
    let made = make_key(&mut browser, owner.account.as_deref().unwrap(), "A key");
    let soon = |code: &str| {
        needs::soon(code, || {
            (there.code(&made.secret, PRODUCT) == code).then_some(())
        });
    };
    soon("VALID");
    installation.done(&["plans", "set", "free", "--per-day", "1"]);
    soon("QUOTA_EXCEEDED");
    installation.done(&["plans", "set", "free", "--per-day", "none"]);
    soon("VALID");
    installation.done(&["keys", "disable", &made.key_id, "--reason", "A test"]);
    soon("KEY_DISABLED");
    browser
        .get(&format!("{}/delete", made.path))
        .submit("Delete", &[("name", "A key")]);
    assert_eq!(browser.status, 200, "{}", browser.text());
    soon("KEY_NOT_FOUND");
}

#[test]
fn a_portal_alone_shows_which_of_two_gates_alone_refuse() {
    let Some(database) = Database::new() else {
        return;
    };
    let installation = Installation::on_postgres(&database.url).without_limits();
    let pages = installation.serve_only("portal", "pages");
    let one = installation.serve_only("gate", "one");
    let mut two = installation.serve_only("gate", "two");
    let owner = sign_up(&pages, "Olga Owner", "Owner Maps", "olga@owner.example");
    let mut browser = Browser::signed_in(&pages.portal, &owner);
    let made = make_key(&mut browser, owner.account.as_deref().unwrap(), "A key");
    for gate in [&one, &two] {
        needs::soon("VALID", || {
            (gate.code(&made.secret, PRODUCT) == "VALID").then_some(())
        });
    }
    needs::soon("the last use", || {
        let page = browser.get(&made.path).text();
        (!page.contains("Last usedNever")).then_some(())
    });
    installation.done(&["keys", "disable", &made.key_id, "--reason", "A test"]);
    needs::soon("both gates have said so", || {
        let page = browser.get(&made.path).text();
        page.contains("Every gate refuses it.").then_some(())
    });
    let page = browser.text();
    for gate in [&one, &two] {
        assert!(page.contains(&gate.gate), "{page}");
        assert_eq!(gate.code(&made.secret, PRODUCT), "KEY_DISABLED");
    }
    assert!(
        page.contains("The last request was let through on"),
        "{page}"
    );

    // A gate that is gone without a word is named, for nobody knows whether it still runs.
    kill(&mut two.child);
    installation.done(&["keys", "enable", &made.key_id, "--reason", "A test"]);
    installation.done(&["keys", "disable", &made.key_id, "--reason", "A test"]);
    needs::soon("one gate has said so", || {
        let page = browser.get(&made.path).text();
        page.contains("1 of 2 gates has not said yet").then_some(())
    });
    let listed = installation.done(&["nodes"]).printed;
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 3, "{listed}");
    let of = |address: &str| lines.iter().find(|line| line.contains(address)).copied();
    assert!(
        of(&pages.portal).unwrap().contains("\tportal\t"),
        "{listed}"
    );
    assert!(
        of(&one.gate).unwrap().ends_with("\tall changes applied"),
        "{listed}"
    );
    assert!(of(&two.gate).unwrap().contains("\tgate\t"), "{listed}");
}
