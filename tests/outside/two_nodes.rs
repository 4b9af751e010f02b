//! Two nodes on one PostgreSQL: what one of them did, the other knows. `scripts/drill revoke` measures how soon.

use crate::database::Database;
use crate::needs;
use crate::operator::{Installation, PRODUCT, make_key, sign_up};
use crate::page::Browser;

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
