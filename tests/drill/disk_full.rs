//! the disk of a SQLite installation is full. Verdicts go on, what people change fails with a page that says so, counts wait
//! in bounded memory, and everything goes on by itself once there is room.

use crate::books::{Books, Site};
use crate::line::{self, Line};
use crate::needs;
use crate::operator::{PRODUCT, make_key, sign_up};
use crate::page::Browser;
use crate::process::Latchkey;
use crate::vitals::metric;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Counts that wait for room take at most this much memory.
const WAITING: u64 = 64 * 1024 * 1024;

const COUNTED: &str = "SELECT CAST(COALESCE(SUM(a.count), 0) AS TEXT) AS line \
     FROM activity a JOIN keys k ON k.id = a.key_row WHERE k.name = 'before'";

/// Who asks and who writes, while there is no room.
struct Work {
    latchkey: Latchkey,
    browser: Browser,
    account: String,
    /// Of a key that was made before.
    secret: String,
}

/// What came of it.
struct Found {
    told: u64,
    slowest: Duration,
    /// The status of each change.
    changes: Vec<u16>,
}

/// So many seconds without room.
pub(crate) fn drill(seconds: u32) {
    let site = Site::on_sqlite();
    let disk = Disk::mount(&site.installation.path().join("disk"));
    let mut work = begun(&site, &disk);
    let filled = disk.fill();
    let found = work.without_room(Duration::from_secs(seconds.into()));
    let waiting = metric(&work.latchkey, "latchkey_meter_queued_bytes");
    let refused = found.changes.iter().filter(|status| **status == 503);
    let refused = refused.count();
    println!(
        "SQLite     {filled} KiB filled, {seconds} s without room: {} verdicts, the slowest {:.1} ms; {refused} of {} changes answered 503; {waiting} bytes of counts wait",
        found.told,
        found.slowest.as_secs_f64() * 1000.0,
        found.changes.len()
    );
    assert_eq!(refused, found.changes.len(), "{:?}", found.changes);
    assert!(waiting <= WAITING);

    disk.make_room();
    let began = needs::now();
    let made = needs::soon("a change again", || {
        (work.change("after") == 200)
            .then(|| work.browser.find("lk_live_", |c| c.is_ascii_alphanumeric()))
    });
    let healed = began.elapsed();
    let made = made.expect("its secret");
    needs::soon("the new key", || {
        (work.latchkey.code(&made, PRODUCT) == "VALID").then_some(())
    });
    // At least one more was asked before the disk was full.
    needs::soon("what waited is counted", || {
        (disk.counted() > found.told).then_some(())
    });
    println!(
        "           healed after {:.2} s; {} told without room, {} counted in all",
        healed.as_secs_f64(),
        found.told,
        disk.counted()
    );
}

fn begun(site: &Site, disk: &Disk) -> Work {
    let data = disk.place.join("data").display().to_string();
    let here = [("LATCHKEY_DATA_DIR", data.as_str())];
    let none = [
        "--per-minute",
        "none",
        "--burst",
        "none",
        "--per-day",
        "none",
    ];
    for words in [
        &["migrate"][..],
        &[&["plans", "set", "free"], &none[..]].concat(),
    ] {
        let ended = site.installation.run_with(words, &here);
        assert_eq!(ended.code, Some(0), "{}", ended.said);
    }
    let latchkey = site.installation.serve_node("disk/data");
    let owner = sign_up(&latchkey, "Olga Owner", "Owner Maps", "olga@owner.example");
    let mut browser = Browser::signed_in(&latchkey.portal, &owner);
    let account = owner.account.clone().expect("an account");
    let secret = make_key(&mut browser, &account, "before").secret;
    needs::soon("a new key", || {
        (latchkey.code(&secret, PRODUCT) == "VALID").then_some(())
    });
    Work {
        latchkey,
        browser,
        account,
        secret,
    }
}

impl Work {
    fn without_room(&mut self, lasting: Duration) -> Found {
        let mut gate = Line::to(&self.latchkey.gate);
        let ask = line::verify(&self.secret, PRODUCT);
        let began = needs::now();
        let mut found = Found {
            told: 0,
            slowest: Duration::ZERO,
            changes: Vec::new(),
        };
        while began.elapsed() < lasting {
            for _ in 0..50 {
                let asked = needs::now();
                let reply = gate.ask(&ask).expect("the gate answers");
                assert_eq!(reply.code(), "VALID", "known keys are served");
                found.slowest = found.slowest.max(asked.elapsed());
                found.told += 1;
            }
            let name = format!("key {}", found.changes.len());
            let status = self.change(&name);
            found.changes.push(status);
            let text = self.browser.text();
            assert!(
                !text.contains("lk_live_"),
                "no secret of a key that is not kept"
            );
        }
        found
    }

    /// Makes a key, and says what that was answered.
    fn change(&mut self, name: &str) -> u16 {
        let page = format!("/accounts/{}/keys/new", self.account);
        let fields = [
            ("name", name),
            ("environment", "live"),
            ("products", PRODUCT),
        ];
        self.browser.get(&page).submit("Create", &fields);
        self.browser.status
    }
}

/// A small file system of its own, which goes with the drill.
struct Disk {
    place: PathBuf,
}

impl Disk {
    fn mount(place: &Path) -> Self {
        fs::create_dir(place).expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=32M", "tmpfs"])
            .arg(place)
            .status()
            .expect("mount runs");
        assert!(mounted.success(), "this mounts a disk: run it as root");
        Self {
            place: place.to_owned(),
        }
    }

    /// Fills what is left; answers how much that was, in KiB.
    fn fill(&self) -> usize {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.place.join("filling"))
            .expect("a file");
        let mut filled = 0;
        for size in [64 * 1024, 1024, 1] {
            let piece = vec![1; size];
            loop {
                match file.write_all(&piece) {
                    Ok(()) => filled += size,
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        filled / 1024
    }

    /// What is counted of the key that was made before.
    fn counted(&self) -> u64 {
        let lines = Books::of_file(&self.place.join("data/latchkey.db")).lines(COUNTED);
        lines[0].parse().expect("a number")
    }

    fn make_room(&self) {
        fs::remove_file(self.place.join("filling")).expect("a file of ours");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let gone = Command::new("umount")
            .arg("--lazy")
            .arg(&self.place)
            .status();
        if !gone.is_ok_and(|gone| gone.success()) {
            eprintln!("{} is still mounted", self.place.display());
        }
    }
}
