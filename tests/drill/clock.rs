//! the machine's clock jumps while the server runs: an hour ahead, back, an hour behind, past 2038 and past 2106, and
//! over a restart. What was refused stays refused, sessions end, and nothing panics. The clock is `faketime`'s.

use crate::facts::Facts;
use crate::http::Ask;
use crate::operator::{Installation, sign_up};
use crate::page::Browser;
use crate::process::Latchkey;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// Each for this long, which is more than the gate needs to notice.
const STAY: Duration = Duration::from_secs(2);

/// The clock's settings one after another, as `faketime` writes them, so many times over.
const HOURS: [&str; 5] = ["+0", "+3600", "+0", "-3600", "+0"];
const YEARS: [&str; 5] = [
    "+0",
    "@2038-01-19 03:14:05",
    "@2039-01-01 00:00:00",
    "@2106-02-07 06:28:13",
    "@2130-01-01 00:00:00",
];

/// So many times through the hours, then once through the years.
pub(crate) fn drill(times: u32) {
    let library = library().expect("faketime, which this needs: apt-get install faketime");
    for _ in 0..times {
        keys(&library, &HOURS);
    }
    keys(&library, &YEARS);
    sessions(&library);
}

/// Keys in every state through these settings, and a restart at the end.
fn keys(library: &Path, settings: &[&str]) {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let clock = Clock::new(folder.path(), library);
    clock.set("+0");
    let (latchkey, facts) = Latchkey::demo_with(folder.path(), &clock.variables());
    let mut dead = BTreeSet::new();
    let mut refused = Vec::new();
    for setting in settings {
        clock.set(setting);
        thread::sleep(STAY);
        refused.push(look(&latchkey, &facts, &mut dead, setting));
        fine(&latchkey, setting);
    }
    assert!(
        !latchkey.logged().contains("panicked"),
        "{}",
        latchkey.logged()
    );
    println!(
        "{} keys at {settings:?}: {refused:?} refused, none revived",
        facts.keys.len()
    );
}

/// Whoever was refused once is refused now. Gives how many are.
fn look(latchkey: &Latchkey, facts: &Facts, dead: &mut BTreeSet<String>, setting: &str) -> usize {
    let mut refused = 0;
    for key in &facts.keys {
        let code = latchkey.code(&key.secret, &key.products[0]);
        // A pause that has its end is no end of the key.
        if code == "VALID" {
            assert!(
                !dead.contains(&key.key_id),
                "{} lives again at {setting}",
                key.key_id
            );
        } else {
            refused += 1;
            if code != "KEY_DISABLED" {
                dead.insert(key.key_id.clone());
            }
        }
    }
    refused
}

fn fine(latchkey: &Latchkey, setting: &str) {
    for (listener, path) in [(&latchkey.gate, "/readyz"), (&latchkey.portal, "/sign-in")] {
        let answer = Ask::get(path).send(listener);
        assert_eq!(answer.status, 200, "{path} at {setting}: {}", answer.text());
    }
}

/// A staff member's session, which half an hour ends, and a member's, which eight do.
fn sessions(library: &Path) {
    let installation = Installation::new().without_limits();
    let clock = Clock::new(installation.path(), library);
    clock.set("+0");
    let latchkey = installation.serve_with(&clock.variables());
    let owner = sign_up(&latchkey, "Olga Owner", "Owner Maps", "olga@owner.example");
    let keys = format!(
        "/accounts/{}/keys",
        owner.account.as_deref().expect("an account")
    );
    let (admin, _) = installation.admin(&latchkey);
    let member = Browser::signed_in(&latchkey.portal, &owner);
    let staff = Browser::signed_in(&latchkey.portal, &admin);
    let unused = Browser::signed_in(&latchkey.portal, &owner);
    for (setting, member_in, staff_in) in [
        ("+0", true, true),
        ("+3600", true, false),
        ("+0", true, false),
        ("+36000", false, false),
        ("+0", false, false),
    ] {
        clock.set(setting);
        thread::sleep(STAY);
        let is_in = |who: &Browser, path: &str| {
            who.ask(Ask::get(path)).expect("the portal answers").status == 200
        };
        assert_eq!(is_in(&member, &keys), member_in, "the member at {setting}");
        assert_eq!(
            is_in(&staff, "/staff/look-up"),
            staff_in,
            "staff at {setting}"
        );
        fine(&latchkey, setting);
    }
    for setting in ["-3600", "@2039-01-01 00:00:00"] {
        clock.set(setting);
        thread::sleep(STAY);
        let answer = unused.ask(Ask::get(&keys)).expect("the portal answers");
        assert_ne!(
            answer.status, 200,
            "a session of another time lives at {setting}"
        );
    }
    clock.set("@2039-01-01 00:00:00");
    let later = Browser::signed_in(&latchkey.portal, &owner);
    assert_eq!(later.status, 200);
    assert!(
        !latchkey.logged().contains("panicked"),
        "{}",
        latchkey.logged()
    );
    println!("sessions: ended when due, none revived, none endless, and people sign in in 2039");
}

/// What the server takes for the time.
struct Clock {
    file: PathBuf,
    library: PathBuf,
}

impl Clock {
    fn new(folder: &Path, library: &Path) -> Self {
        Self {
            file: folder.join("clock"),
            library: library.to_owned(),
        }
    }

    /// A whole file at a time: a half-written one would be another time.
    fn set(&self, setting: &str) {
        let next = self.file.with_extension("next");
        fs::write(&next, format!("{setting}\n")).expect("a file");
        fs::rename(&next, &self.file).expect("a file");
    }

    fn variables(&self) -> [(&str, &str); 4] {
        [
            (
                "LD_PRELOAD",
                self.library.to_str().expect("a path in UTF-8"),
            ),
            (
                "FAKETIME_TIMESTAMP_FILE",
                self.file.to_str().expect("a path in UTF-8"),
            ),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ]
    }
}

/// Debian's library for programs with threads.
fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?;
    let mut places = folders.filter_map(|folder| {
        let file = folder.ok()?.path().join("faketime/libfaketimeMT.so.1");
        file.is_file().then_some(file)
    });
    places.next()
}
