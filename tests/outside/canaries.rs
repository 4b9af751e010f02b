//! Every secret that the suite brings into the world, and where none of them may stand: T-33 over the whole suite. Whoever
//! makes or types one notes it here; every server, every nginx and every database of the suite is searched when its test is
//! done with it.

use aho_corasick::AhoCorasick;
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shorter ones would be found by chance.
const SHORTEST: usize = 12;

/// What is known, by the folder in which the servers run that share it.
static KNOWN: Mutex<Known> = Mutex::new(Known {
    folders: BTreeMap::new(),
    secrets: BTreeMap::new(),
});

struct Known {
    /// The folder behind each listener.
    folders: BTreeMap<String, PathBuf>,
    /// Secrets with what they are.
    secrets: BTreeMap<PathBuf, BTreeMap<String, &'static str>>,
}

fn known() -> MutexGuard<'static, Known> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says which folder the server behind a listener runs in.
pub(crate) fn listens(address: &str, folder: &Path) {
    known()
        .folders
        .insert(address.to_owned(), folder.to_owned());
}

/// Notes a secret that was shown by, or typed into, the server behind a listener.
pub(crate) fn note(address: &str, what: &'static str, secret: &str) {
    let folder = known().folders.get(address).cloned();
    note_in(&folder.expect("a server of the suite"), what, secret);
}

/// Notes a secret of the servers in a folder.
pub(crate) fn note_in(folder: &Path, what: &'static str, secret: &str) {
    if secret.len() >= SHORTEST {
        let mut known = known();
        let of_folder = known.secrets.entry(folder.to_owned()).or_default();
        // What went into a cookie too is still what it was first.
        of_folder.entry(secret.to_owned()).or_insert(what);
    }
}

/// How many secrets of each sort are known in a folder.
pub(crate) fn counted(folder: &Path) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for what in known().secrets.get(folder).into_iter().flatten() {
        *counts.entry(*what.1).or_default() += 1;
    }
    counts
}

fn secrets_in(folder: &Path) -> BTreeMap<String, &'static str> {
    known().secrets.get(folder).cloned().unwrap_or_default()
}

/// A place with its content.
pub(crate) type Place = (String, Vec<u8>);

/// Where a folder's secrets stand, of these places.
pub(crate) fn found_in(folder: &Path, places: &[Place]) -> Vec<String> {
    search(&secrets_in(folder), places)
}

/// Where the secrets stand that went through a listener, of these places.
pub(crate) fn found_behind(address: &str, places: &[Place]) -> Vec<String> {
    let folder = known().folders.get(address).cloned();
    found_in(&folder.expect("a server of the suite"), places)
}

/// Every file below a folder in which no secret has any business, with its content.
pub(crate) fn files(folder: &Path) -> Vec<Place> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() && !may_hold_secrets(&path) {
            // One that goes while it is read, as a journal does, holds nothing any more.
            if let Ok(content) = fs::read(&path) {
                found.push((path.display().to_string(), content));
            }
        }
    }
    found
}

/// What the operator wrote, and what the demo alone keeps and prints, on purpose.
fn may_hold_secrets(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let of_demo = matches!(&*name, "demo.json");
    of_demo || name == "latchkey.toml" || name.ends_with(".out")
}

fn search(secrets: &BTreeMap<String, &'static str>, places: &[Place]) -> Vec<String> {
    let mut whose = Vec::new();
    let mut patterns = Vec::new();
    for (secret, what) in secrets {
        for spelling in spellings(secret) {
            whose.push(what);
            patterns.push(spelling);
        }
    }
    let all = AhoCorasick::new(&patterns).expect("patterns that fit into memory");
    let mut found = BTreeSet::new();
    for (place, content) in places {
        for hit in all.find_overlapping_iter(content) {
            let pattern = hit.pattern().as_usize();
            let shown = String::from_utf8_lossy(&patterns[pattern]);
            found.insert(format!("{} in {place} as {shown}", whose[pattern]));
        }
    }
    found.into_iter().collect()
}

/// The spellings in which a secret might have been written down.
fn spellings(secret: &str) -> BTreeSet<Vec<u8>> {
    let hex = [
        HEXLOWER.encode(secret.as_bytes()),
        HEXUPPER.encode(secret.as_bytes()),
    ];
    let mut found = BTreeSet::from([secret.to_owned()]);
    found.insert(
        percent_encoding::percent_encode(secret.as_bytes(), percent_encoding::NON_ALPHANUMERIC)
            .to_string(),
    );
    found.extend(hex.iter().map(|hex| percented(hex)));
    found.extend(hex);
    // In base64 it looks different at each of three offsets; what touches the neighbours is cut off.
    for offset in 0..3 {
        let shifted = format!("{}{secret}", "x".repeat(offset)).into_bytes();
        for encoded in [BASE64.encode(&shifted), BASE64URL_NOPAD.encode(&shifted)] {
            let encoded = encoded.trim_end_matches('=');
            found.insert(encoded.get(4..encoded.len() - 3).unwrap().to_owned());
        }
    }
    // A form's spelling of spaces, and a secret without what goes before, which all of them share.
    found.insert(secret.replace(' ', "+"));
    let bare = secret
        .split_once('_')
        .and_then(|(_, rest)| rest.split_once('_'));
    found.extend(
        bare.map(|(_, rest)| rest.to_owned())
            .filter(|rest| rest.len() >= 40),
    );
    found.into_iter().map(String::into_bytes).collect()
}

/// Two hexadecimal digits after each percent sign.
fn percented(hex: &str) -> String {
    let pairs: Vec<String> = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| String::from_utf8_lossy(pair).into_owned())
        .collect();
    format!("%{}", pairs.join("%"))
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let secret = "lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu";
    let secrets = BTreeMap::from([(secret.to_owned(), "it")]);
    for written in [
        format!("GET /?key={secret} HTTP/1.1"),
        BASE64.encode(format!("{secret}:").as_bytes()),
        BASE64.encode(format!("user={secret}&x").as_bytes()),
        BASE64.encode(format!("me:{secret}").as_bytes()),
        BASE64URL_NOPAD.encode(format!("{secret}:").as_bytes()),
        BASE64URL_NOPAD.encode(format!(">>>>{secret}").as_bytes()),
        HEXLOWER.encode(format!("a{secret}b").as_bytes()),
        HEXUPPER.encode(secret.as_bytes()),
        percented(&HEXUPPER.encode(secret.as_bytes())),
        format!("lk%5Flive%5F{}", secret.split_at(8).1),
    ] {
        let place = [("here".to_owned(), written.into_bytes())];
        assert!(!search(&secrets, &place).is_empty(), "{place:?}");
    }
    let other = "lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHv";
    let place = [("here".to_owned(), other.as_bytes().to_vec())];
    assert_eq!(search(&secrets, &place), Vec::<String>::new());
}
