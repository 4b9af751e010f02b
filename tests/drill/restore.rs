//! R-15, T-62: a backup that is made while people write and gateways ask restores to the same verdicts, but for what was ended
//! since, which stays ended.

use crate::books::Site;
use crate::line::{self, Line};
use crate::load::Load;
use crate::needs;
use crate::operator::Installation;
use crate::process::{Ended, Latchkey};
use crate::writers::Writer;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// What every seeded key is good for.
const SEEDED: &str = "maps";
const KEYS: &str = "400";
const PER_SECOND: u32 = 300;
/// So many of the keys are disabled before the backup, and so many after it.
const ENDED: usize = 20;

/// So many golden requests on each database.
pub(crate) fn drill(golden: u32) {
    for site in Site::both() {
        one(&site, usize::try_from(golden).expect("a small number"));
    }
}

fn one(site: &Site, golden: usize) {
    let installation = &site.installation;
    let secrets = seeded(installation);
    let asks = asks(&secrets, golden);
    let mut latchkey = installation.serve();
    let ids = key_ids(&latchkey, &secrets);
    disable(installation, &latchkey, &ids[..ENDED], &secrets[ENDED - 1]);
    let before = answers(&latchkey, &asks);

    let busy = secrets[ENDED..].to_vec();
    let load = Load::begin(&latchkey.gate, PER_SECOND, 4, move |number| {
        (0, line::authorize(&busy[number % busy.len()]))
    });
    let (backup, changes) = backed_up(installation, &latchkey);
    let meanwhile = load.end().len();
    let last = secrets.last().expect("some secrets");
    disable(installation, &latchkey, &ids[ids.len() - ENDED..], last);
    let after = answers(&latchkey, &asks);
    latchkey.stop();

    let restored = installation.done(&["restore", "--from", "copy"]);
    let latchkey = installation.serve();
    let now = answers(&latchkey, &asks);
    let differing = now.iter().zip(&after).filter(|(now, then)| now != then);
    let differing = differing.count();
    println!(
        "{:<10} backup {:.2} s beside {meanwhile} requests and {changes} changes, restore {:.2} s; {} golden requests: {differing} differ",
        site.kind(),
        backup.took.as_secs_f64(),
        restored.took.as_secs_f64(),
        asks.len(),
    );
    assert!(differing == 0, "{}", restored.printed);
    assert_ne!(before, after, "some were ended in between");
}

/// Keys of every product, on plans without limits; answers their secrets.
fn seeded(installation: &Installation) -> Vec<String> {
    installation.done(&["dev", "seed", "--keys", KEYS, "--out", "secrets"]);
    let none = [
        "--per-minute",
        "none",
        "--burst",
        "none",
        "--per-day",
        "none",
    ];
    for plan in ["starter", "professional", "enterprise"] {
        installation.done(&[&["plans", "set", plan], &none[..]].concat());
    }
    let written = fs::read_to_string(installation.path().join("secrets"));
    let written = written.expect("the secrets");
    written.lines().map(str::to_owned).collect()
}

fn disable(installation: &Installation, latchkey: &Latchkey, ids: &[String], last: &str) {
    for id in ids {
        installation.done(&["keys", "disable", id, "--reason", "A drill"]);
    }
    needs::soon("the last disable", || {
        (latchkey.code(last, SEEDED) == "KEY_DISABLED").then_some(())
    });
}

/// A backup while two people make, disable and delete keys; how often they did.
fn backed_up(installation: &Installation, latchkey: &Latchkey) -> (Ended, u32) {
    let mut writers = Writer::sign_up(installation, latchkey, 2);
    let over = AtomicBool::new(false);
    let work = |writer: &mut Writer| -> u32 {
        let mut changes = 0;
        while !over.load(Ordering::Relaxed) {
            writer.step().expect("the node answers");
            changes += 1;
        }
        changes
    };
    thread::scope(|threads| {
        let each = |writer| threads.spawn(|| work(writer));
        let working: Vec<_> = writers.iter_mut().map(each).collect();
        thread::sleep(Duration::from_secs(1));
        let backup = installation.run(&["backup", "--to", "copy"]);
        over.store(true, Ordering::Relaxed);
        let changes = working
            .into_iter()
            .map(|writer| writer.join().expect("a writer"));
        let changes = changes.sum();
        assert_eq!(backup.code, Some(0), "{}", backup.said);
        (backup, changes)
    })
}

/// Questions of many kinds about the seeded keys.
fn asks(secrets: &[String], golden: usize) -> Vec<Vec<u8>> {
    let ask = |key: usize, number: usize| {
        let secret = &secrets[key];
        match number % 7 {
            0 => line::authorize(secret),
            1 => line::verify(secret, "nothing-like-it"),
            2 => line::verify(secret.split_at(secret.len() - 1).0, SEEDED),
            3 => line::posted(
                "/v1/verify",
                &format!(r#"{{"secret":"{secret}","product":"{SEEDED}","method":"PURGE"}}"#),
            ),
            _ => line::verify(secret, SEEDED),
        }
    };
    // Backwards: the keys at the end are those that are ended in between.
    let of_key = |number: usize| secrets.len() - 1 - number % secrets.len();
    (0..golden)
        .map(|number| ask(of_key(number), number))
        .collect()
}

fn answers(latchkey: &Latchkey, asks: &[Vec<u8>]) -> Vec<(u16, String)> {
    let mut line = Line::to(&latchkey.gate);
    asks.iter()
        .map(|ask| {
            let reply = line.ask(ask).expect("the gate answers");
            (reply.status, reply.code().to_owned())
        })
        .collect()
}

fn key_ids(latchkey: &Latchkey, secrets: &[String]) -> Vec<String> {
    let id = |secret: &String| {
        let facts = serde_json::json!({"secret": secret, "product": SEEDED, "dry_run": true});
        let verdict = latchkey.verdict(&facts);
        verdict["key_id"].as_str().expect("a known key").to_owned()
    };
    secrets.iter().map(id).collect()
}
