//! a mail server that hangs, goes, is too busy or refuses, and a portal that is killed while it sends. Pages do not wait
//! for mail, none is lost, and a kill doubles at most the one that was being sent.

use crate::database::Database;
use crate::figures::Times;
use crate::needs;
use crate::operator::{Installation, PASSWORD};
use crate::page::Browser;
use crate::post_office::{Mood, PostOffice};
use crate::process::{Latchkey, kill};
use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

/// So many people sign up in each round.
const PEOPLE: usize = 8;

/// A mail that a killed process took is due again after five minutes.
const ALL_CAME: Duration = Duration::from_mins(8);

const MOST: Duration = Duration::from_millis(500);

/// So many kills, on each database.
pub(crate) fn drill(kills: u32) {
    on("SQLite    ", &Installation::new(), kills);
    let database = Database::new().expect("a PostgreSQL: scripts/drill starts one");
    on(
        "PostgreSQL",
        &Installation::on_postgres(&database.url),
        kills,
    );
}

struct Round<'a> {
    installation: &'a Installation,
    office: PostOffice,
    /// Everybody who was told that a mail is on its way.
    told: Vec<String>,
    times: Vec<Duration>,
}

fn on(name: &str, installation: &Installation, kills: u32) {
    let mut round = Round {
        installation,
        office: PostOffice::open(),
        told: Vec::new(),
        times: Vec::new(),
    };
    let mut latchkey = round.serve();
    for mood in [Mood::Hangs, Mood::Closes, Mood::IsBusy, Mood::Refuses] {
        round.office.be(mood);
        round.sign_up(&latchkey);
        thread::sleep(Duration::from_secs(3));
    }
    round.office.be(Mood::Takes);
    for number in 0..kills {
        round.sign_up(&latchkey);
        // Spread over the second between two looks at the outbox.
        thread::sleep(Duration::from_millis(u64::from(number * 137 % 1_000)));
        kill(&mut latchkey.child);
        latchkey = round.serve();
    }
    let (office, told) = (&round.office, &round.told);
    needs::within(ALL_CAME, "every mail comes", || {
        let came = came(office);
        told.iter().all(|to| came.contains_key(to)).then_some(())
    });
    latchkey.stop();
    let came = came(office);
    let doubled: usize = came.values().map(|times| times - 1).sum();
    let times = Times::of(round.times.iter().copied());
    println!(
        "{name} {} mails, {kills} kills: all came, {doubled} twice; pages {times}",
        told.len()
    );
    assert!(doubled <= usize::try_from(kills).unwrap_or(usize::MAX));
    assert!(times.p99() <= MOST, "pages took {times}");
}

fn came(office: &PostOffice) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for mail in office.came() {
        *counts.entry(mail.to).or_default() += 1;
    }
    counts
}

impl Round<'_> {
    fn serve(&self) -> Latchkey {
        let variables = self.office.variables();
        let variables: Vec<(&str, &str)> = variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.installation.serve_with(&variables)
    }

    fn sign_up(&mut self, latchkey: &Latchkey) {
        for _ in 0..PEOPLE {
            let email = format!("p{}@example.org", self.told.len());
            let browser = Browser::at(&latchkey.portal);
            let began = needs::now();
            let answer = browser.post(
                "/sign-up",
                &[
                    ("name", "Grace Hopper"),
                    ("company", "Compilers & Sons"),
                    ("email", &email),
                    ("password", PASSWORD),
                ],
            );
            self.times.push(began.elapsed());
            assert_eq!(answer.expect("an answer").status, 303);
            self.told.push(email);
        }
    }
}
