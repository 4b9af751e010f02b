//! the database stops in the midst of everything. Keys that are known are answered as before, nothing else is let
//! through, people get a page that says so, and all is well soon after.

use crate::books::Site;
use crate::figures::Times;
use crate::http::{Answer, Ask};
use crate::line::{self, Line};
use crate::load::{self, Load, Sample};
use crate::needs;
use crate::operator::{Installation, PRODUCT, make_key, sign_up};
use crate::page::Browser;
use crate::process::Latchkey;
use crate::server::Server;
use crate::strangers::Strangers;
use std::cell::RefCell;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

const PER_SECOND: u32 = 200;
/// How long things may take.
struct Limits {
    /// For known keys, 99 in a hundred.
    verdict: Duration,
    /// For a page that says that nothing can be done now.
    page: Duration,
    /// Until all is as before.
    healed: Duration,
}

const PROMISED: Limits = Limits {
    verdict: Duration::from_millis(20),
    page: Duration::from_secs(2),
    healed: Duration::from_secs(5),
};
/// After this long what is unknown may be new, and is not judged.
const OUT_OF_TOUCH: Duration = Duration::from_millis(1_500);

/// Freezes PostgreSQL for so many seconds, then locks a SQLite file for as long.
pub(crate) fn drill(seconds: u32) {
    let seconds = Duration::from_secs(seconds.into());
    println!("PostgreSQL, all its processes stopped for {seconds:?}");
    frozen(seconds, &PROMISED);
    println!("SQLite, locked by another process for {seconds:?}");
    locked(seconds, &PROMISED);
}

fn frozen(seconds: Duration, limits: &Limits) {
    let server = Server::start();
    let people = People::of(&Installation::on_postgres(&server.url()).without_limits());
    let found = people.during(seconds, || server.freeze(), || server.thaw());
    found.judge("UNAVAILABLE", limits);
}

fn locked(seconds: Duration, limits: &Limits) {
    let site = Site::on_sqlite();
    let people = People::of(&site.installation);
    let other = RefCell::new(site.books());
    other.borrow_mut().run("PRAGMA busy_timeout = 5000");
    let found = people.during(
        seconds,
        || other.borrow_mut().run("BEGIN EXCLUSIVE"),
        || other.borrow_mut().run("ROLLBACK"),
    );
    // It can still be read: what is unknown is known to be.
    found.judge("KEY_NOT_FOUND", limits);
}

/// Who is at work meanwhile.
struct People {
    latchkey: Latchkey,
    browser: Browser,
    keys: String,
    secrets: Vec<String>,
}

/// A page's status, 0 if it was none, and how long it took.
type Seen = (u16, Duration);

/// What they met.
struct Found {
    known: Vec<Sample>,
    unknown: Vec<Sample>,
    pages: Vec<Seen>,
    forms: Vec<Seen>,
    healed: Duration,
}

impl People {
    fn of(installation: &Installation) -> Self {
        let latchkey = installation.serve();
        let owner = sign_up(&latchkey, "Olga Owner", "Owner Maps", "olga@owner.example");
        let account = owner.account.as_deref().expect("an account");
        let mut browser = Browser::signed_in(&latchkey.portal, &owner);
        let names = (0..16).map(|number| format!("Key {number}"));
        let secrets = names.map(|name| make_key(&mut browser, account, &name).secret);
        let secrets: Vec<String> = secrets.collect();
        for secret in &secrets {
            let known = || (latchkey.code(secret, PRODUCT) == "VALID").then_some(());
            needs::soon("a new key", known);
        }
        Self {
            keys: format!("/accounts/{account}/keys"),
            latchkey,
            browser,
            secrets,
        }
    }

    fn during(&self, frozen: Duration, freeze: impl Fn(), thaw: impl Fn()) -> Found {
        let secrets = self.secrets.clone();
        let known = Load::begin(&self.latchkey.gate, PER_SECOND, 4, move |number: usize| {
            let secret = &secrets[number / 2 % secrets.len()];
            let ask = match number % 2 {
                0 => line::authorize(secret),
                _ => line::verify(secret, PRODUCT),
            };
            (number % 2, ask)
        });
        thread::sleep(Duration::from_secs(2));
        freeze();
        let began = needs::now();
        let strangers = self.strangers(began + OUT_OF_TOUCH, began + frozen);
        let (pages, forms) = self.looks(began + frozen);
        let unknown = strangers.join().expect("strangers ask on");
        thread::sleep((began + frozen).saturating_duration_since(needs::now()));
        thaw();
        let healed = self.heals();
        thread::sleep(Duration::from_secs(2));
        Found {
            known: known.end(),
            unknown,
            pages,
            forms,
            healed,
        }
    }

    /// Unknown secrets ten times a second, between these instants, in turn by both ways.
    fn strangers(&self, from: Instant, until: Instant) -> thread::JoinHandle<Vec<Sample>> {
        let gate = self.latchkey.gate.clone();
        thread::spawn(move || {
            thread::sleep(from.saturating_duration_since(needs::now()));
            let strangers = Mutex::new(Strangers::new());
            let make = move |number: usize| {
                let secret = strangers.lock().expect("one client").draw();
                match number % 2 {
                    0 => (0, line::authorize(&secret)),
                    _ => (1, line::verify(&secret, PRODUCT)),
                }
            };
            let load = Load::begin(&gate, 10, 1, make);
            thread::sleep(until.saturating_duration_since(needs::now()));
            load.end()
        })
    }

    /// A person looks at their keys, and makes one, again and again. Gives status and time of each.
    fn looks(&self, until: Instant) -> (Vec<Seen>, Vec<Seen>) {
        let (mut pages, mut forms) = (Vec::new(), Vec::new());
        while needs::now() + PROMISED.page < until {
            pages.push(timed(|| self.browser.ask(Ask::get(&self.keys))));
            let name = format!("Frozen {}", forms.len());
            forms.push(timed(|| self.makes(&name)));
            thread::sleep(Duration::from_millis(500));
        }
        (pages, forms)
    }

    fn makes(&self, name: &str) -> std::io::Result<Answer> {
        let form = [
            ("name", name),
            ("kind", "server"),
            ("environment", "live"),
            ("products", PRODUCT),
            ("form_id", &format!("{name:-<24}")),
        ];
        self.browser.post(&format!("{}/new", self.keys), &form)
    }

    /// How long until pages, forms and strangers are answered as before.
    fn heals(&self) -> Duration {
        let began = needs::now();
        let mut line = Line::to(&self.latchkey.gate);
        let mut strangers = Strangers::new();
        needs::within(Duration::from_mins(1), "all is as before", || {
            let page = self
                .browser
                .ask(Ask::get(&self.keys))
                .expect("the portal answers");
            let ask = line::verify(&strangers.draw(), PRODUCT);
            let reply = line.ask(&ask).expect("the gate answers");
            let name = format!("Healed {}", began.elapsed().as_millis());
            let made = self.makes(&name).expect("the portal answers");
            let well = page.status == 200 && made.status == 200 && reply.code() == "KEY_NOT_FOUND";
            well.then_some(())
        });
        began.elapsed()
    }
}

fn timed(ask: impl FnOnce() -> std::io::Result<Answer>) -> Seen {
    let began = needs::now();
    let answer = ask();
    let status = answer.map_or(0, |answer| {
        let page = answer
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"));
        if page { answer.status } else { 0 }
    });
    (status, began.elapsed())
}

impl Found {
    fn judge(&self, unknown: &str, limits: &Limits) {
        let unanswered = self
            .known
            .iter()
            .filter(|s| s.status != 200 || s.code != "VALID")
            .count();
        let known = load::times(&self.known);
        println!("  known keys       {known}; {unanswered} not VALID");
        let mistaken = |s: &&Sample| {
            let status = match (s.tag, s.code.as_str()) {
                (0, "UNAVAILABLE") => 503,
                (0, _) => 401,
                _ => 200,
            };
            s.code != unknown || s.status != status
        };
        let mistaken: Vec<&Sample> = self.unknown.iter().filter(mistaken).collect();
        println!(
            "  unknown secrets  {}; {} not {unknown}",
            load::times(&self.unknown),
            mistaken.len()
        );
        for (what, seen) in [("pages", &self.pages), ("forms", &self.forms)] {
            let times = Times::of(seen.iter().map(|(_, took)| *took));
            let mut statuses: Vec<u16> = seen.iter().map(|(status, _)| *status).collect();
            statuses.sort_unstable();
            statuses.dedup();
            println!("  {what}            {times}; answered {statuses:?}");
        }
        println!(
            "  as before        after {:.2} s",
            self.healed.as_secs_f64()
        );
        assert!(
            unanswered == 0 && known.p99() <= limits.verdict,
            "known keys"
        );
        assert!(
            mistaken.is_empty() && !self.unknown.is_empty(),
            "unknown secrets: {mistaken:?}"
        );
        for (status, took) in self.pages.iter().chain(&self.forms) {
            assert!(
                *took <= limits.page && [200, 503].contains(status),
                "a page: {status} after {took:?}"
            );
        }
        assert!(self.healed <= limits.healed, "it took too long to heal");
    }
}

// Below: room for a machine that does other things too, and still less than a database thread would wait by itself.

#[test]
fn r_05_while_postgresql_is_frozen_known_keys_are_answered_and_people_are_told() {
    let limits = Limits {
        verdict: Duration::from_secs(5),
        page: Duration::from_secs(4),
        healed: Duration::from_secs(10),
    };
    if needs::postgres().is_some() {
        frozen(Duration::from_secs(6), &limits);
    }
}

#[test]
fn r_05_while_the_sqlite_file_is_locked_known_keys_are_answered_and_people_are_told() {
    let limits = Limits {
        verdict: Duration::from_secs(5),
        page: Duration::from_secs(4),
        healed: Duration::from_secs(10),
    };
    locked(Duration::from_secs(6), &limits);
}
