//! A backup made while the installation serves, and its restore: verdicts are as they were, and what was ended since stays so.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::database::Database;
use crate::needs;
use crate::operator::{Installation, Made, PRODUCT, make_key, sign_up};
use crate::page::Browser;
use crate::process::{Latchkey, kill};

/// How a key is ended after the backup, and what its secret is answered from then on.
const ENDS: [(&str, &str); 5] = [
    ("kept", "VALID"),
    ("disabled", "KEY_DISABLED"),
    ("paused", "KEY_DISABLED"),
    ("deleted", "KEY_NOT_FOUND"),
    ("leaked", "SECRET_RETIRED"),
];

fn end(installation: &Installation, browser: &mut Browser, how: &str, key: &Made) {
    let path = |page: &str| format!("{}/{page}", key.path);
    match how {
        "disabled" => {
            installation.done(&["keys", "disable", &key.key_id, "--reason", "A test"]);
            return;
        }
        "paused" => browser
            .get(&path("pause"))
            .submit("Pause key", &[("minutes", "0")]),
        "deleted" => browser
            .get(&path("delete"))
            .submit("Delete", &[("name", how)]),
        "leaked" => browser
            .get(&path("rotate?reason=leaked"))
            .submit("Rotate secret", &[("reason", "leaked")]),
        _ => return,
    };
    assert_eq!(browser.status, 200, "{how}: {}", browser.text());
}

fn verdicts(latchkey: &Latchkey, keys: &[Made]) -> Vec<String> {
    let code = |key: &Made| latchkey.code(&key.secret, PRODUCT);
    keys.iter().map(code).collect()
}

fn whole_way(installation: &Installation, encrypted: bool) {
    let mut latchkey = installation.serve();
    let owner = sign_up(&latchkey, "Olga Owner", "Owner Maps", "olga@owner.example");
    let account = owner.account.clone().unwrap();
    let mut browser = Browser::signed_in(&latchkey.portal, &owner);
    let keys: Vec<Made> = ENDS
        .iter()
        .map(|(how, _)| make_key(&mut browser, &account, how))
        .collect();
    needs::soon("all keys open", || {
        let codes = verdicts(&latchkey, &keys);
        codes.iter().all(|code| code == "VALID").then_some(())
    });
    let words = ["backup", "--to", "copy", "--encrypt"];
    installation.done(if encrypted { &words } else { &words[..3] });
    let copy = installation.path().join("copy");
    let mode = fs::metadata(&copy).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let bytes = fs::read(&copy).unwrap();
    let shows = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
    assert_eq!(
        shows(b"Olga Owner"),
        !encrypted && bytes.starts_with(b"SQLite")
    );

    for ((how, _), key) in ENDS.iter().zip(&keys) {
        end(installation, &mut browser, how, key);
    }
    let late = make_key(&mut browser, &account, "made after the backup");
    let wanted: Vec<String> = ENDS.iter().map(|(_, code)| (*code).to_owned()).collect();
    needs::soon("all ends hold", || {
        (verdicts(&latchkey, &keys) == wanted).then_some(())
    });
    let refused = installation.run(&["restore", "--from", "copy"]);
    assert_eq!(refused.code, Some(1), "{}", refused.said);
    assert!(refused.said.contains("still serves"), "{}", refused.said);
    latchkey.stop();

    let restored = installation.done(&["restore", "--from", "copy"]).printed;
    assert!(
        restored.contains("4 keys of it were ended or restricted after it was made"),
        "{restored}"
    );
    let mut latchkey = installation.serve();
    assert_eq!(verdicts(&latchkey, &keys), wanted);
    assert_eq!(latchkey.code(&late.secret, PRODUCT), "KEY_NOT_FOUND");
    browser.move_to(&latchkey.portal);
    browser.get(&keys[0].path);
    assert!(browser.at.contains("/sign-in"), "{}", browser.at);
    let mut browser = Browser::signed_in(&latchkey.portal, &owner);
    let page = browser.get(&keys[1].path).text();
    assert!(
        page.contains("It was disabled after the backup was made."),
        "{page}"
    );
    latchkey.stop();
}

#[test]
fn t_62_r_15_a_restore_on_sqlite_revives_nothing() {
    let installation = Installation::new().without_limits();
    whole_way(&installation, false);
    let kept = installation.path().join("data/latchkey.db.before-1");
    assert!(kept.exists(), "the database that stood there is kept");
}

#[test]
fn t_62_r_15_a_restore_on_postgresql_revives_nothing() {
    let Some(database) = Database::new() else {
        return;
    };
    whole_way(
        &Installation::on_postgres(&database.url).without_limits(),
        true,
    );
}

#[test]
fn t_62_an_encrypted_backup_needs_the_master_key_and_a_damaged_one_changes_nothing() {
    let installation = Installation::new();
    let mut latchkey = installation.serve();
    sign_up(&latchkey, "Olga Owner", "Owner Maps", "olga@owner.example");
    installation.done(&["backup", "--to", "sealed", "--encrypt"]);
    installation.done(&["backup", "--to", "plain"]);
    kill(&mut latchkey.child);
    needs::within(std::time::Duration::from_secs(30), "it is silent", || {
        let tried = installation.run(&["restore", "--from", "plain"]);
        (tried.code == Some(0)).then_some(())
    });
    let data = installation.path().join("data");
    let database = || fs::read(data.join("latchkey.db")).unwrap();
    let before = database();
    let key = fs::read(data.join("master.key")).unwrap();
    fs::write(data.join("master.key"), format!("k9 {}\n", "6b".repeat(32))).unwrap();
    let said = |words: &[&str]| {
        let ended = installation.run(words);
        assert_eq!(ended.code, Some(1), "{words:?}: {}", ended.said);
        ended.said
    };
    let refused = said(&["restore", "--from", "sealed"]);
    assert!(
        refused.contains("is not in the master key file"),
        "{refused}"
    );
    fs::write(data.join("master.key"), key).unwrap();
    let changed = |from: &str, at: usize| {
        let mut bytes = fs::read(installation.path().join(from)).unwrap();
        for byte in &mut bytes[at..at + 4_000] {
            *byte ^= 0x55;
        }
        fs::write(installation.path().join("changed"), bytes).unwrap();
    };
    changed("sealed", 9_000);
    let refused = said(&["restore", "--from", "changed"]);
    assert!(refused.contains("it was changed"), "{refused}");
    changed("plain", 9_000);
    let refused = said(&["restore", "--from", "changed"]);
    assert!(
        refused.contains("is damaged") || refused.contains("malformed"),
        "{refused}"
    );
    let refused = said(&["restore", "--from", "latchkey.toml"]);
    assert!(
        refused.contains("is no backup of a SQLite database"),
        "{refused}"
    );
    assert!(database() == before, "nothing was changed");
    assert!(!leftovers(&data), "nothing is left over");
    installation.done(&["restore", "--from", "sealed"]);
    let latchkey = installation.serve();
    assert!(latchkey.portal.starts_with("127.0.0.1"));
}

/// Whether the folder holds a file that only a restore needs.
fn leftovers(folder: &Path) -> bool {
    let names = fs::read_dir(folder).unwrap();
    let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.any(|name| name.contains(".plain") || name.contains(".restoring"))
}
