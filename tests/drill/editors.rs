//! people who edit, rotate, disable, enable and delete the same keys at once, on two nodes. Each change is as if it were
//! made alone: what was answered as saved follows upon what stood there before, and what somebody else was quicker with is a
//! 409 and changes nothing.

use crate::books::{Books, Site};
use crate::facts::Person;
use crate::operator::{PRODUCT, sign_up};
use crate::page::Browser;
use crate::process::Latchkey;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

const EDITORS: usize = 8;
const KEYS: usize = 12;

/// What an editor knows of its attempts.
#[derive(Default)]
struct Told {
    /// Notes that were answered as saved, by key.
    saved: HashMap<String, Vec<String>>,
    /// Notes that were refused as somebody else was quicker.
    stale: HashSet<String>,
    /// Rotations that showed a secret, by key.
    rotated: HashMap<String, usize>,
    /// Deletes that were answered as done, by key.
    deleted: HashMap<String, usize>,
    disabled: usize,
    attempts: usize,
    conflicts: usize,
}

/// Keys that are there, each replaced when it is deleted.
type Alive = Arc<Mutex<Vec<String>>>;

struct Editor {
    number: usize,
    keys: String,
    owner: Browser,
    admin: Browser,
    alive: Alive,
    dice: u64,
    told: Told,
}

/// So many changes are asked for, all editors together.
pub(crate) fn drill(changes: u32) {
    let site = Site::on_postgres().expect("a PostgreSQL: scripts/drill starts one");
    let nodes = [
        site.installation.serve_node("here"),
        site.installation.serve_node("there"),
    ];
    let told = edited(&site, &nodes, usize::try_from(changes).expect("a size"));
    let attempts: usize = told.iter().map(|one| one.attempts).sum();
    let conflicts: usize = told.iter().map(|one| one.conflicts).sum();
    println!("{attempts} changes by {EDITORS} people on two nodes, {conflicts} refused as stale");
    let edits = hold(&mut site.books(), &told);
    println!("{edits} edits, each follows upon the one before it; no refused one changed anything");
}

fn edited(site: &Site, nodes: &[Latchkey; 2], changes: usize) -> Vec<Told> {
    let (admin, _) = site.installation.admin(&nodes[0]);
    let owner = sign_up(&nodes[0], "Ada", "Acme", "ada@editors.example");
    let keys = format!(
        "/accounts/{}/keys",
        owner.account.clone().expect("an account")
    );
    let alive: Alive = Arc::default();
    let mut first = Browser::signed_in(&nodes[0].portal, &owner);
    for number in 0..KEYS {
        let key = make(&mut first, &keys, &format!("key {number}"));
        alive.lock().expect("it goes on").push(key);
    }
    let editor = |number: usize| Editor {
        number,
        keys: keys.clone(),
        owner: signed_in(nodes, number, &owner),
        admin: signed_in(nodes, number, &admin),
        alive: Arc::clone(&alive),
        dice: 0x9e37_79b9_7f4a_7c15 ^ u64::try_from(number).expect("small"),
        told: Told::default(),
    };
    let editors: Vec<Editor> = (0..EDITORS).map(editor).collect();
    std::thread::scope(|scope| {
        let working: Vec<_> = editors
            .into_iter()
            .map(|mut editor| {
                scope.spawn(move || {
                    for turn in 0..changes / EDITORS {
                        editor.step(turn);
                    }
                    editor.told
                })
            })
            .collect();
        working
            .into_iter()
            .map(|one| one.join().expect("an editor goes on"))
            .collect()
    })
}

fn signed_in(nodes: &[Latchkey; 2], number: usize, person: &Person) -> Browser {
    Browser::signed_in(&nodes[number % 2].portal, person)
}

fn make(browser: &mut Browser, keys: &str, name: &str) -> String {
    browser
        .get(&format!("{keys}/new"))
        .submit("Create", &[("name", name), ("products", PRODUCT)]);
    browser
        .find("key_", |c| c.is_ascii_lowercase() || c.is_ascii_digit())
        .unwrap_or_else(|| panic!("no key: {}", browser.text()))
}

impl Editor {
    fn dice(&mut self, sides: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % sides
    }

    fn step(&mut self, turn: usize) {
        let place = self.dice(u64::try_from(KEYS).expect("small"));
        let place = usize::try_from(place).expect("small");
        let key = self.alive.lock().expect("it goes on")[place].clone();
        self.told.attempts += 1;
        match self.dice(100) {
            0..70 => self.edit(&key, turn),
            70..85 => self.rotate(&key),
            85..95 => self.switch(&key),
            _ => self.delete(&key, place, turn),
        }
    }

    /// Whether the form was there; a key that is gone has none.
    fn opens(&mut self, path: &str) -> bool {
        self.owner.get(path);
        assert!(
            matches!(self.owner.status, 200 | 404),
            "{path}: {}",
            self.owner.status
        );
        self.owner.status == 200
    }

    fn edit(&mut self, key: &str, turn: usize) {
        if !self.opens(&format!("{}/{key}/edit", self.keys)) {
            return;
        }
        let note = format!("{} {turn}", self.number);
        self.owner.submit("Save", &[("note", &note)]);
        match self.owner.status {
            // Led on to the key's page.
            200 if self.owner.at.ends_with(key) => {
                self.told
                    .saved
                    .entry(key.to_owned())
                    .or_default()
                    .push(note);
            }
            409 => {
                self.told.conflicts += 1;
                self.told.stale.insert(note);
            }
            404 => {}
            status => panic!(
                "an edit of {key} was answered {status}: {}",
                self.owner.text()
            ),
        }
    }

    fn rotate(&mut self, key: &str) {
        if !self.opens(&format!("{}/{key}/rotate", self.keys)) {
            return;
        }
        self.owner.submit("Rotate", &[]);
        match self.owner.status {
            200 => *self.told.rotated.entry(key.to_owned()).or_default() += 1,
            409 => self.told.conflicts += 1,
            404 => {}
            status => panic!("a rotation of {key} was answered {status}"),
        }
    }

    /// Staff switch it off, or on again.
    fn switch(&mut self, key: &str) {
        let page = format!("/staff/keys/{key}");
        self.admin.get(&page);
        if self.admin.offers("Enable key") {
            self.admin.submit("Enable key", &[]);
        } else {
            self.admin.get(&format!("{page}/disable"));
            if self.admin.status != 200 || !self.admin.offers("Disable") {
                return;
            }
            self.admin.submit("Disable", &[("reason", "a drill")]);
        }
        assert!(
            self.admin.status < 500,
            "a switch of {key}: {}",
            self.admin.status
        );
        self.told.disabled += 1;
    }

    fn delete(&mut self, key: &str, place: usize, turn: usize) {
        let page = format!("{}/{key}/delete", self.keys);
        if !self.opens(&page) {
            return;
        }
        let name = self.owner.text();
        let name = name
            .split_once("Type ")
            .and_then(|(_, rest)| rest.split_once(" to confirm"))
            .map(|(name, _)| name.to_owned())
            .expect("the key's name");
        self.owner.submit("Delete", &[("name", &name)]);
        match self.owner.status {
            200 => {
                *self.told.deleted.entry(key.to_owned()).or_default() += 1;
                let name = format!("key {place} {} {turn}", self.number);
                let keys = self.keys.clone();
                let new = make(&mut self.owner, &keys, &name);
                self.alive.lock().expect("it goes on")[place] = new;
            }
            404 => {}
            status => panic!("a delete of {key} was answered {status}"),
        }
    }
}

/// Holds what was told against what stands in the audit log; how many edits there were.
fn hold(books: &mut Books, told: &[Told]) -> usize {
    let mut edits = 0;
    let mut logged: HashSet<String> = HashSet::new();
    for (key, chain) in chains(books) {
        let mut stands = String::new();
        for (before, after) in chain {
            assert_eq!(
                before, stands,
                "{key}: an edit did not see the one before it"
            );
            assert!(
                logged.insert(format!("{key} {after}")),
                "{key}: twice {after}"
            );
            stands = after;
            edits += 1;
        }
    }
    let saved = told.iter().flat_map(|one| &one.saved);
    let saved: Vec<String> = saved
        .flat_map(|(key, notes)| notes.iter().map(move |note| format!("{key} {note}")))
        .collect();
    assert_eq!(saved.len(), edits, "as many were answered as saved");
    assert!(saved.iter().all(|one| logged.contains(one)));
    for note in told.iter().flat_map(|one| &one.stale) {
        let ending = format!(" {note}");
        assert!(
            !logged.iter().any(|one| one.ends_with(&ending)),
            "{note} was refused, and saved"
        );
    }
    for (action, count) in [
        (
            "key.rotated",
            sum(told.iter().flat_map(|one| one.rotated.values())),
        ),
        (
            "key.deleted",
            sum(told.iter().flat_map(|one| one.deleted.values())),
        ),
    ] {
        let found = books.lines(&format!(
            "SELECT target AS line FROM audit_events WHERE action = '{action}'"
        ));
        assert_eq!(found.len(), count, "{action}");
    }
    let deleted = told.iter().flat_map(|one| &one.deleted);
    assert!(deleted.map(|(_, times)| *times).all(|times| times == 1));
    edits
}

fn sum<'a>(counts: impl Iterator<Item = &'a usize>) -> usize {
    counts.sum()
}

/// Each key's edits in their order: the note before and after.
fn chains(books: &mut Books) -> HashMap<String, Vec<(String, String)>> {
    let lines = books.lines(
        "SELECT target || '\n' || \"before\" || '\n' || after AS line FROM audit_events WHERE action = 'key.edited' ORDER BY id",
    );
    let mut chains: HashMap<String, Vec<(String, String)>> = HashMap::new();
    for line in lines {
        let parts: Vec<&str> = line.split('\n').collect();
        let [key, before, after] = parts[..] else {
            panic!("{line}");
        };
        chains
            .entry(key.to_owned())
            .or_default()
            .push((note(before), note(after)));
    }
    chains
}

fn note(text: &str) -> String {
    let value: Value = serde_json::from_str(text).expect("JSON");
    value["note"].as_str().expect("a note").to_owned()
}
