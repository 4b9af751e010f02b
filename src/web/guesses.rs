//! How often passwords may be guessed (T-06, T-07), counted in the memory of each node, and bounded.
//!
//! Some failures within a quarter of an hour are free for a mail address, known or not, and for a device that somebody signed
//! in on before; each next try has to wait twice as long, from a second to the longest wait. Since a device has a count of its
//! own, nobody locks people out of what they use. A network has a number of failures in a quarter of an hour from devices that
//! are not known, whoever they are for. A try counts as failed from its beginning, so that many at once are no way around; a
//! success takes it back.
//!
//! It must not know what a password is for.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use latchkey_rules::email::Email;
use latchkey_rules::time::Millis;

use super::recent::Recent;

const WINDOW_MS: i64 = 15 * 60_000;
const FIRST_WAIT_MS: i64 = 1_000;
/// Names that are remembered.
const MOST: usize = 20_000;

/// How many guesses the operator allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuessLimits {
    /// Failures of an address or a device that cost no wait.
    pub free: u32,
    /// Failures of a network within the window.
    pub of_network: u32,
    /// The longest wait before a next try, in milliseconds.
    pub longest_wait_ms: i64,
}

impl Default for GuessLimits {
    fn default() -> Self {
        Self {
            free: 10,
            of_network: 30,
            longest_wait_ms: 5 * 60_000,
        }
    }
}

/// Whose password is tried, and from where.
#[derive(Clone, Debug)]
pub enum Whose<'a> {
    /// Anybody's who has this address, from a device that is not known.
    Address(&'a Email),
    /// That of whoever signed in on this device before.
    Device(&'a str),
    /// That of somebody who is signed in.
    Person(&'a str),
}

impl Whose<'_> {
    fn name(&self) -> String {
        match self {
            Self::Address(email) => format!("address {}", email.folded()),
            Self::Device(id) => format!("device {id}"),
            Self::Person(email) => format!("person {email}"),
        }
    }
}

/// Failures of late.
#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    first_at: Millis,
    last_at: Millis,
}

impl Failures {
    fn add(&mut self, now: Millis) {
        if self.count == 0 {
            self.first_at = now;
        }
        self.count = self.count.saturating_add(1);
        self.last_at = now;
    }

    /// Until when the next try has to wait: each failure beyond the free ones doubles that.
    fn wait(&self, limits: &GuessLimits, now: Millis) -> Option<Wait> {
        let beyond = self.count.checked_sub(limits.free)?;
        let wait = FIRST_WAIT_MS.saturating_mul(1 << beyond.min(20));
        let next = self.last_at.plus_ms(wait.min(limits.longest_wait_ms));
        (next > now).then(|| Wait::until(next, now))
    }
}

/// A try that may be made.
#[derive(Debug)]
#[must_use = "a try that succeeded has to be taken back"]
pub struct Try {
    whose: String,
    network: Option<String>,
}

/// A try has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Whole seconds, at least one.
    pub secs: i64,
}

impl Wait {
    fn until(then: Millis, now: Millis) -> Self {
        Self {
            secs: ((then.0 - now.0 + 999) / 1_000).max(1),
        }
    }

    /// What people read.
    pub fn words(self) -> String {
        let (count, unit) = if self.secs < 120 {
            (self.secs, "second")
        } else {
            ((self.secs + 59) / 60, "minute")
        };
        let plural = if count == 1 { "" } else { "s" };
        format!("Too many tries have failed. Wait {count} {unit}{plural}, then try again.")
    }
}

/// The counts of one node.
#[derive(Clone, Debug)]
pub struct Guesses {
    limits: GuessLimits,
    counts: Arc<Mutex<Recent<Failures>>>,
}

impl Guesses {
    /// None yet.
    pub fn new(limits: GuessLimits) -> Self {
        Self {
            limits,
            counts: Arc::new(Mutex::new(Recent::new(MOST))),
        }
    }

    /// Begins a try.
    ///
    /// # Errors
    /// [`Wait`] when it comes too early.
    pub fn begin(&self, whose: &Whose<'_>, ip: Option<IpAddr>, now: Millis) -> Result<Try, Wait> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let is_strange = matches!(whose, Whose::Address(_));
        let whose = whose.name();
        // This machine's own address is that of a proxy of which nobody said that its word counts: everybody's.
        let network = ip
            .filter(|ip| is_strange && !ip.to_canonical().is_loopback())
            .map(|ip| format!("network {}", network_of(ip)));
        if let Some(network) = &network {
            let of_it = counts.of(network, now);
            let over = of_it.first_at.plus_ms(WINDOW_MS);
            if over <= now {
                *of_it = Failures::default();
            } else if of_it.count >= self.limits.of_network {
                return Err(Wait::until(over, now));
            }
        }
        let of_it = counts.of(&whose, now);
        if of_it.last_at.plus_ms(WINDOW_MS) <= now {
            *of_it = Failures::default();
        } else if let Some(wait) = of_it.wait(&self.limits, now) {
            return Err(wait);
        }
        of_it.add(now);
        if let Some(network) = &network {
            counts.of(network, now).add(now);
        }
        Ok(Try { whose, network })
    }

    /// The try succeeded: what failed before it is forgotten, but for what others of its network did.
    pub fn succeeded(&self, done: Try) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.forget(&done.whose);
        if let Some(network) = done.network
            && let Some(of_it) = counts.known(&network)
        {
            of_it.count = of_it.count.saturating_sub(1);
        }
    }
}

/// An IPv4 address, or the /64 that one customer of a provider has.
fn network_of(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("{:x}", v6.to_bits() >> 64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Millis = Millis(1_795_255_200_000);
    const LIMITS: GuessLimits = GuessLimits {
        free: 10,
        of_network: 30,
        longest_wait_ms: 300_000,
    };
    const FREE: u32 = LIMITS.free;
    const OF_A_NETWORK: u32 = LIMITS.of_network;

    fn mira() -> Email {
        Email::parse("Mira@example.com").unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn t_06_ten_failures_are_free_and_each_next_one_waits_twice_as_long() {
        let (guesses, mira) = (Guesses::new(LIMITS), mira());
        let mut now = BEGIN;
        for _ in 0..FREE {
            let _failed = guesses.begin(&Whose::Address(&mira), None, now).unwrap();
        }
        let mut waits = Vec::new();
        for _ in 0..12 {
            let wait = guesses
                .begin(&Whose::Address(&mira), None, now)
                .unwrap_err();
            waits.push(wait.secs);
            let early = now.plus_ms(wait.secs * 1_000 - 1);
            assert!(guesses.begin(&Whose::Address(&mira), None, early).is_err());
            now = now.plus_ms(wait.secs * 1_000);
            let _failed = guesses.begin(&Whose::Address(&mira), None, now).unwrap();
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        now = now.plus_ms(WINDOW_MS);
        for _ in 0..FREE {
            let _failed = guesses.begin(&Whose::Address(&mira), None, now).unwrap();
        }
    }

    #[test]
    fn t_06_nobody_locks_out_a_device_that_is_known_or_somebody_who_is_signed_in() {
        let (guesses, mira) = (Guesses::new(LIMITS), mira());
        for number in 0..200 {
            let from = Some(ip(&format!("203.0.113.{number}")));
            let _tried = guesses.begin(&Whose::Address(&mira), from, BEGIN);
            let _tried = guesses.begin(&Whose::Address(&mira), Some(ip("198.51.100.7")), BEGIN);
        }
        assert!(guesses.begin(&Whose::Address(&mira), None, BEGIN).is_err());
        let device = guesses.begin(&Whose::Device("a"), Some(ip("198.51.100.7")), BEGIN);
        guesses.succeeded(device.unwrap());
        let person = Whose::Person("mira@example.com");
        assert!(
            guesses
                .begin(&person, Some(ip("203.0.113.1")), BEGIN)
                .is_ok()
        );
    }

    #[test]
    fn t_07_a_proxy_on_this_machine_is_no_network() {
        let guesses = Guesses::new(LIMITS);
        for number in 0..2 * OF_A_NETWORK {
            let email = Email::parse(&format!("n{number}@example.com")).unwrap();
            let from = Some(ip("::ffff:127.0.0.1"));
            assert!(guesses.begin(&Whose::Address(&email), from, BEGIN).is_ok());
        }
    }

    #[test]
    fn t_06_a_success_forgets_what_failed_before_it() {
        let (guesses, mira) = (Guesses::new(LIMITS), mira());
        for _ in 0..3 {
            for _ in 1..FREE {
                let _failed = guesses.begin(&Whose::Address(&mira), None, BEGIN).unwrap();
            }
            let right = guesses.begin(&Whose::Address(&mira), None, BEGIN).unwrap();
            guesses.succeeded(right);
        }
    }

    #[test]
    fn t_07_a_network_has_thirty_failures_in_a_quarter_of_an_hour() {
        let guesses = Guesses::new(LIMITS);
        let at = |number: u32, from: &str, now: Millis| {
            let email = Email::parse(&format!("n{number}@example.com")).unwrap();
            guesses.begin(&Whose::Address(&email), Some(ip(from)), now)
        };
        for number in 0..OF_A_NETWORK {
            // A success among them is none of the thirty.
            let right = at(1_000 + number, "2001:db8::1", BEGIN).unwrap();
            guesses.succeeded(right);
            let _failed = at(number, &format!("2001:db8::{number:x}"), BEGIN).unwrap();
        }
        let later = BEGIN.plus_ms(60_000);
        let wait = at(99, "2001:db8::ffff", later).unwrap_err();
        assert_eq!(
            (wait.secs, wait.words().contains("14 minutes")),
            (840, true)
        );
        assert!(at(99, "2001:db8:0:1::1", later).is_ok(), "another network");
        assert!(at(99, "2001:db8::1", BEGIN.plus_ms(WINDOW_MS)).is_ok());
    }
}
