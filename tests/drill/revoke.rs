//! two nodes on one PostgreSQL. What was done on one holds on the other within a second of the answer, and nothing that
//! begins later is let through.

use crate::books::Site;
use crate::figures::Times;
use crate::ledger::code_after;
use crate::line::{self, Line};
use crate::load::{Load, Sample};
use crate::needs;
use crate::operator::PRODUCT;
use crate::process::Latchkey;
use crate::writers::{Change, Life, Writer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const PROMISED: Duration = Duration::from_secs(1);
const PROMISED_P50: Duration = Duration::from_millis(300);
const PER_SECOND: u32 = 500;
/// Keys that nobody touches.
const STANDING: usize = 16;

/// A key that was revoked, and since when, until it was enabled again.
struct Revoked {
    secret: String,
    since: Instant,
    until: Option<Instant>,
}

/// So many revocations, and as many other changes as a key's life has.
pub(crate) fn drill(revocations: u32) {
    let site = Site::on_postgres().expect("a PostgreSQL: scripts/drill starts one");
    let here = site.installation.serve_node("here");
    let there = site.installation.serve_node("there");
    let mut writers = Writer::sign_up(&site.installation, &here, 3);
    let mut writer = writers.pop().expect("three writers");
    let mut planner = writers.pop().expect("three writers");
    let standing = keys(&mut writers[0], &there);

    let revoked: Arc<Mutex<Vec<Revoked>>> = Arc::default();
    let make = asks(standing, Arc::clone(&revoked));
    let load = Load::begin(&there.gate, PER_SECOND, 4, make);
    let times = revoke(&mut writer, &there, revocations, &revoked);
    let (retired, replaced) = rotate(&mut writers[0], &there, revocations);
    let changed = plans(&site, &there, &mut planner, revocations);
    let samples = load.end();

    println!("{} requests on the other node meanwhile", samples.len());
    println!("Known to the other node after:");
    let mut slowest = Duration::ZERO;
    for (change, times) in &times {
        let times = Times::of(times.iter().copied());
        println!("  {:<12} {times}", change.action());
        slowest = slowest.max(times.most());
    }
    for (what, times) in [
        ("retired", &retired),
        ("replaced", &replaced),
        ("plan changed", &changed),
    ] {
        let times = Times::of(times.iter().copied());
        println!("  {what:<12} {times}");
        slowest = slowest.max(times.most());
    }
    let ends = [Change::Disable, Change::Delete]
        .iter()
        .flat_map(|change| &times[change]);
    let revoking = Times::of(ends.chain(&retired).copied());
    println!("  revocations  {revoking}");
    let late = late_allows(&samples, &revoked.lock().expect("the drill goes on"));
    println!("allows that began more than a second after a revocation was answered: {late}");
    let refused = samples
        .iter()
        .filter(|s| s.tag < STANDING && s.code != "VALID")
        .count();
    println!("refusals of keys that nobody touched: {refused}");
    assert!(late == 0 && refused == 0);
    assert!(slowest <= PROMISED && revoking.per_mille(500) <= PROMISED_P50);
}

/// The untouched keys' secrets.
fn keys(writer: &mut Writer, there: &Latchkey) -> Vec<String> {
    let mut secrets = Vec::new();
    while secrets.len() < STANDING {
        let secret = writer.another_key();
        needs::soon("a new key", || {
            (there.code(&secret, PRODUCT) == "VALID").then_some(())
        });
        secrets.push(secret);
    }
    secrets
}

/// In turn a standing key and one of those that were revoked last.
fn asks(
    standing: Vec<String>,
    revoked: Arc<Mutex<Vec<Revoked>>>,
) -> impl Fn(usize) -> (usize, Vec<u8>) {
    move |number| {
        let revoked = revoked.lock().expect("the drill goes on");
        if number % 2 == 0 || revoked.is_empty() {
            let place = number / 2 % STANDING;
            return (place, line::authorize(&standing[place]));
        }
        let place = revoked.len() - 1 - (number / 2) % revoked.len().min(4);
        (
            STANDING + place,
            line::verify(&revoked[place].secret, PRODUCT),
        )
    }
}

fn revoke(
    writer: &mut Writer,
    there: &Latchkey,
    revocations: u32,
    revoked: &Mutex<Vec<Revoked>>,
) -> HashMap<Change, Vec<Duration>> {
    let mut times: HashMap<Change, Vec<Duration>> = HashMap::new();
    let mut prober = Line::to(&there.gate);
    let mut done = 0;
    while done < revocations {
        if writer.lives.last().and_then(Life::next) == Some(Change::Enable) {
            let mut revoked = revoked.lock().expect("the load goes on");
            let last = revoked.last_mut().expect("it was disabled before");
            last.until = Some(needs::now());
        }
        writer.step().expect("the node answers");
        let answered = needs::now();
        let life = writer.lives.last().expect("a life has begun");
        let change = Life::changes(life.done)[life.done - 1];
        let secret = life.secret.clone().expect("the answer showed it");
        if matches!(change, Change::Disable | Change::Delete) {
            done += 1;
            revoked.lock().expect("the load goes on").push(Revoked {
                secret: secret.clone(),
                since: answered,
                until: None,
            });
        }
        let took = until(&mut prober, &secret, code_after(life.done), answered);
        times.entry(change).or_default().push(took);
    }
    times
}

/// A secret that leaked, replaced so often: when the old one is refused, and when the new one opens.
fn rotate(writer: &mut Writer, there: &Latchkey, often: u32) -> (Vec<Duration>, Vec<Duration>) {
    let mut prober = Line::to(&there.gate);
    writer.another_key();
    let one = |_| {
        let (old, new) = writer.replace_leaked();
        let answered = needs::now();
        let retired = until(&mut prober, &old, "SECRET_RETIRED", answered);
        (retired, until(&mut prober, &new, "VALID", answered))
    };
    (0..often).map(one).unzip()
}

/// A plan whose day is set to one request and to none at all in turn: when the other node goes by it. Measured from the end
/// of the command.
fn plans(site: &Site, there: &Latchkey, writer: &mut Writer, often: u32) -> Vec<Duration> {
    let mut prober = Line::to(&there.gate);
    let none = [
        "--per-minute",
        "none",
        "--burst",
        "none",
        "--per-day",
        "none",
    ];
    let installation = &site.installation;
    installation.done(&[&["plans", "set", "starter"], &none[..]].concat());
    installation.done(&["accounts", "set-plan", &writer.account, "starter"]);
    let secret = writer.another_key();
    needs::soon("a key that is used", || {
        (there.code(&secret, PRODUCT) == "VALID").then_some(())
    });
    let one = |number: u32| {
        let (day, code) = if number.is_multiple_of(2) {
            ("1", "QUOTA_EXCEEDED")
        } else {
            ("none", "VALID")
        };
        installation.done(&["plans", "set", "starter", "--per-day", day]);
        until(&mut prober, &secret, code, needs::now())
    };
    (0..often).map(one).collect()
}

/// How long after `answered` the first request began that was answered so.
fn until(line: &mut Line, secret: &str, code: &str, answered: Instant) -> Duration {
    let ask = line::verify(secret, PRODUCT);
    needs::soon(code, || {
        let began = needs::now();
        let reply = line.ask(&ask).expect("the node answers");
        (reply.code() == code).then(|| began - answered)
    })
}

/// Requests of revoked keys that were let through although they began a second after the answer.
fn late_allows(samples: &[Sample], revoked: &[Revoked]) -> usize {
    let asked = samples.iter().filter(|sample| sample.tag >= STANDING);
    asked
        .filter(|sample| {
            let of = &revoked[sample.tag - STANDING];
            let late = sample.began > of.since + PROMISED;
            // A deleted key's life is over; a disabled one may have been enabled again.
            let again = of
                .until
                .is_some_and(|until| sample.began + sample.took > until);
            sample.code == "VALID" && late && !again
        })
        .count()
}
