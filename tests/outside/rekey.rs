//! Secrets that can be read again: sealed with the master key, sealed anew while the installation serves, and never out of
//! reach unnoticed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::operator::{Installation, PRODUCT, sign_up};
use crate::page::Browser;

fn write_keys(at: &Installation, keys: &[(&str, &str)]) {
    let path = at.path().join("data/master.key");
    let lines: Vec<String> = keys
        .iter()
        .map(|(id, byte)| format!("{id} {}\n", byte.repeat(32)))
        .collect();
    fs::write(&path, lines.concat()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn shown(browser: &mut Browser, path: &str) -> String {
    browser.get(&format!("{path}/reveal")).submit("Show", &[]);
    assert_eq!(browser.status, 200, "{}", browser.text());
    browser
        .find("lk_live_", |c| c.is_ascii_alphanumeric())
        .unwrap_or_else(|| panic!("no secret: {}", browser.text()))
}

#[test]
fn t_34_secrets_are_sealed_anew_while_serving_and_a_missing_key_is_named() {
    let at = Installation::new();
    fs::create_dir_all(at.path().join("data")).unwrap();
    write_keys(&at, &[("k1", "5a")]);
    let mut latchkey = at.serve();
    let person = sign_up(&latchkey, "Ada", "Acme", "ada@example.com");
    let account = person.account.clone().unwrap();
    let mut browser = Browser::signed_in(&latchkey.portal, &person);
    let keys = format!("/accounts/{account}/keys");
    browser.get(&format!("{keys}/new")).submit(
        "Create",
        &[
            ("name", "Widget"),
            ("kind", "browser"),
            ("domains", "www.example.com"),
            ("products", PRODUCT),
        ],
    );
    let secret = browser
        .find("lk_live_", |c| c.is_ascii_alphanumeric())
        .unwrap_or_else(|| panic!("no secret: {}", browser.text()));
    let key_id = browser.find("key_", |c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let path = format!("{keys}/{}", key_id.unwrap());
    assert_eq!(shown(&mut browser, &path), secret);
    latchkey.stop();

    write_keys(&at, &[("k2", "6b"), ("k1", "5a")]);
    let mut latchkey = at.serve();
    let mut browser = Browser::signed_in(&latchkey.portal, &person);
    let done = at.done(&["secrets", "rekey"]);
    assert_eq!(done.printed.trim(), "1 secret was sealed anew.");
    let again = at.done(&["secrets", "rekey"]);
    assert!(again.printed.contains("already"), "{}", again.printed);
    assert_eq!(shown(&mut browser, &path), secret);
    latchkey.stop();

    write_keys(&at, &[("k3", "7c")]);
    for words in [&["serve"][..], &["secrets", "rekey"]] {
        let refused = at.run(words);
        assert_eq!(refused.code, Some(78), "{words:?}: {}", refused.said);
        assert!(
            refused.said.contains("the master key k2"),
            "{}",
            refused.said
        );
    }
    write_keys(&at, &[("k3", "7c"), ("k2", "6b")]);
    at.serve().stop();
}
