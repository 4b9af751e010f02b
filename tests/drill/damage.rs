//! bytes of a SQLite file are flipped. What that changes is found by `check-data`, and told from what changes nothing: a
//! page that is free, a byte between rows.
//!
//! A flip that leaves another sensible text in a row is not found by a database without checksums; the drill counts those apart.

use crate::books::Books;
use crate::needs;
use crate::operator::Installation;
use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher;
use std::path::Path;

const KEYS: &str = "300";
/// Bytes that are flipped together, as a bad sector or a stray write would.
const LENGTHS: [usize; 3] = [1, 16, 4_096];

#[derive(Default)]
struct Found {
    seen: u32,
    harmless: u32,
    refused: u32,
    unseen: Vec<String>,
}

/// So many flips of each length.
pub(crate) fn drill(flips: u32) {
    let installation = Installation::new();
    installation.done(&["migrate"]);
    installation.done(&["dev", "seed", "--keys", KEYS, "--out", "secrets"]);
    let file = installation.path().join("data/latchkey.db");
    Books::of_file(&file).run("PRAGMA wal_checkpoint(TRUNCATE)");
    let whole = fs::read(&file).expect("the database file");
    let plain = content(&file, installation.path()).expect("a whole database");
    let random = RandomState::new();
    let mut total = (0, 0);
    for length in LENGTHS {
        let mut found = Found::default();
        for number in 0..flips {
            let drawn = random.hash_one((length, number));
            let room = u64::try_from(whole.len() - length).expect("a small file");
            let at = usize::try_from(drawn % room).expect("a place in the file");
            let mut bytes = whole.clone();
            for byte in &mut bytes[at..at + length] {
                *byte ^= 0x11;
            }
            put(&file, &bytes);
            judge(&installation, &file, &plain, at, &mut found);
        }
        println!(
            "{length:>5} bytes: {} found, {} changed nothing, {} unseen; of those found `serve` refused {}",
            found.seen,
            found.harmless,
            found.unseen.len(),
            found.refused
        );
        for unseen in found.unseen.iter().take(3) {
            println!("      unseen {unseen}");
        }
        total.0 += found.seen;
        total.1 += u32::try_from(found.unseen.len()).expect("a few");
        // Whole pages, and what many bytes do, cannot be missed.
        assert!(length < 4_096 || found.unseen.is_empty());
    }
    println!(
        "{} of {} damages that changed something were found",
        total.0,
        total.0 + total.1
    );
}

fn judge(installation: &Installation, file: &Path, plain: &[u8], at: usize, found: &mut Found) {
    let checked = installation.run(&["check-data"]);
    if checked.code == Some(0) {
        match content(file, installation.path()) {
            Some(now) if now == plain => found.harmless += 1,
            _ => found.unseen.push(format!("at {at}")),
        }
        return;
    }
    assert_eq!(checked.code, Some(1), "{}", checked.said);
    found.seen += 1;
    let mut server = installation.begin(&["serve"]);
    let ended = needs::within(
        std::time::Duration::from_secs(10),
        "it serves or refuses",
        || {
            if let Some(status) = server.try_wait().expect("a child of ours") {
                return Some(!status.success());
            }
            let ready = crate::http::Ask::get("/readyz")
                .try_send("127.0.0.1:8081")
                .ok()?;
            (ready.status == 200).then_some(false)
        },
    );
    found.refused += u32::from(ended);
    if !ended {
        crate::process::kill(&mut server);
    }
}

/// The file as it is, without what a server kept beside it.
fn put(file: &Path, bytes: &[u8]) {
    for end in ["-wal", "-shm"] {
        let beside = format!("{}{end}", file.display());
        if Path::new(&beside).exists() {
            fs::remove_file(beside).expect("a file of ours");
        }
    }
    fs::write(file, bytes).expect("the database file");
}

/// What the tables hold, laid out anew; nothing if that cannot be read.
fn content(file: &Path, folder: &Path) -> Option<Vec<u8>> {
    let copy = folder.join("content");
    if copy.exists() {
        fs::remove_file(&copy).expect("a file of ours");
    }
    let words = format!("VACUUM INTO '{}'", copy.display());
    Books::of_file(file).try_run(&words).ok()?;
    fs::read(copy).ok()
}
