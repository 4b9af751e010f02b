//! a million keys of ten thousand accounts. How soon the gate serves them, what they take of memory, how long a verdict
//! takes at two thousand requests a second, and how long the list of an account's keys.

use crate::figures::Times;
use crate::http::Ask;
use crate::line;
use crate::load::{self, Load};
use crate::needs;
use crate::operator::Installation;
use crate::page::Browser;
use crate::process::Latchkey;
use crate::vitals::memory;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

const READY: Duration = Duration::from_secs(3);
const MEMORY_MIB: u64 = 400;
const LIST_P95: Duration = Duration::from_millis(100);
const VERDICT_P99: Duration = Duration::from_millis(5);
const PER_SECOND: u32 = 2_000;
const MEASURED: Duration = Duration::from_secs(20);
const LOOKS: usize = 200;
/// What every seeded key is good for.
const SEEDED: &str = "maps";

/// So many keys.
pub(crate) fn drill(keys: u32) {
    let installation = Installation::new();
    installation.done(&["migrate"]);
    seed(&installation, keys);
    let secrets: Vec<String> = fs::read_to_string(installation.path().join("secrets"))
        .expect("the secrets")
        .lines()
        .step_by(7)
        .map(str::to_owned)
        .collect();
    warm(&installation.path().join("data/latchkey.db"));
    let began = needs::now();
    let latchkey = installation.serve();
    assert_eq!(latchkey.code(&secrets[0], SEEDED), "VALID");
    let ready = began.elapsed();
    let at_rest = memory(&latchkey) / 1024;

    let asked = secrets.clone();
    let load = Load::begin(&latchkey.gate, PER_SECOND, 8, move |number| {
        (0, line::authorize(&asked[number * 7_919 % asked.len()]))
    });
    thread::sleep(MEASURED);
    let samples = load.end();
    let verdicts = load::times(&samples);
    let list = lists(&installation, &latchkey);
    let busy = memory(&latchkey) / 1024;
    println!(
        "{keys} keys: the first VALID {:.2} s after the start; {at_rest} MiB then, {busy} MiB at the end",
        ready.as_secs_f64()
    );
    println!("authorize at {PER_SECOND} a second  {verdicts}");
    println!("an account's list of keys    {list}");
    assert!(ready <= READY, "it is ready too late");
    assert!(busy <= MEMORY_MIB, "it takes too much memory");
    assert!(verdicts.p99() <= VERDICT_P99, "a verdict takes too long");
    assert!(list.per_mille(950) <= LIST_P95, "a list takes too long");
}

/// A minute's work: commands of this kind may take their time.
fn seed(installation: &Installation, keys: u32) {
    let keys = keys.to_string();
    let mut seeding = installation.begin(&["dev", "seed", "--keys", &keys, "--out", "secrets"]);
    let status = seeding.wait().expect("a child of ours");
    assert!(status.success(), "the keys are made");
    let none = [
        "--per-minute",
        "none",
        "--burst",
        "none",
        "--per-day",
        "none",
    ];
    for plan in ["free", "starter", "professional", "enterprise"] {
        installation.done(&[&["plans", "set", plan], &none[..]].concat());
    }
}

/// Reads the file once: it is the server's time that counts, not that of a disk after a boot.
fn warm(database: &Path) {
    let read = fs::read(database).expect("the database file");
    assert!(!read.is_empty());
}

/// The list of the first account's keys, as its owner sees it.
fn lists(installation: &Installation, latchkey: &Latchkey) -> Times {
    let accounts = crate::books::Books::of_file(&installation.path().join("data/latchkey.db"))
        .lines("SELECT slug AS line FROM accounts ORDER BY id LIMIT 1");
    let member = ["--account", &accounts[0], "--role", "owner"];
    let (person, _) = installation.made(latchkey, "Lena", "lena@seed.example", &member);
    let browser = Browser::signed_in(&latchkey.portal, &person);
    let page = format!("/accounts/{}/keys", accounts[0]);
    let look = |_| {
        let began = needs::now();
        let answer = browser.ask(Ask::get(&page)).expect("the portal answers");
        assert_eq!(answer.status, 200);
        began.elapsed()
    };
    Times::of((0..LOOKS).map(look))
}
