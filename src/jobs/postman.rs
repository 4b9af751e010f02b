//! Sends the mails of the outbox, one after another, in a thread of its own: a mail server that hangs keeps nobody waiting
//! but the next mail.
//!
//! Must not know what a mail says.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use latchkey_rules::time::Millis;

use crate::mail::{self, Look, Mailer, SendError};
use crate::metrics::{Family, Measured, Page, Words};
use crate::seal::Seal;
use crate::store::outbox::{self, Mail, MailHandle, Queue};
use crate::store::{self, Db};

/// Between two looks at the outbox.
const EVERY: Duration = Duration::from_secs(1);

/// After a mail that the server did not take. What is wrong with it is mostly wrong with the next one too.
const REST: Duration = Duration::from_secs(5);

/// How long the end of the process waits for the mail that is being sent. Without its answer it is sent again later.
const LAST_MAIL: Duration = Duration::from_secs(2);

const MAILS: Family = Family::counter(
    "latchkey_mails_total",
    &["outcome"],
    "Tries to send a mail: sent, failed and tried again, or given up after a day.",
);
const WAITING: Family = Family::gauge(
    "latchkey_mails_waiting",
    &[],
    "Mails in the outbox, as of the last look.",
);
const OLDEST: Family = Family::gauge(
    "latchkey_mails_oldest_timestamp_seconds",
    &[],
    "When the oldest of them was written, since 1970; 0 without one.",
);

const OUTCOMES: &[&str] = &["sent", "failed", "given_up"];

struct Counts {
    outcomes: Words,
    waiting: AtomicI64,
    /// Seconds since 1970.
    oldest: AtomicI64,
}

impl Counts {
    fn note(&self, queue: Queue) {
        self.waiting.store(queue.waiting, Ordering::Relaxed);
        let oldest = queue.oldest.map_or(0, Millis::secs);
        self.oldest.store(oldest, Ordering::Relaxed);
    }
}

impl Measured for Counts {
    fn write(&self, page: &mut Page) {
        let whole = |value: &AtomicI64| u64::try_from(value.load(Ordering::Relaxed)).unwrap_or(0);
        page.words(&MAILS, &self.outcomes);
        page.family(&WAITING).sample(&[], whole(&self.waiting));
        page.family(&OLDEST).sample(&[], whole(&self.oldest));
    }
}

/// What a postman needs.
pub struct Bag {
    /// The mail server.
    pub mailer: Mailer,
    /// What every mail shares.
    pub look: Look,
    /// Opens the links.
    pub seal: Seal,
}

/// The running postman; it ends when this is dropped.
pub struct Postman {
    stop: Option<Sender<()>>,
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
    counts: Arc<Counts>,
}

impl Postman {
    /// Starts.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(db: Db, bag: Bag) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let (end, ended) = channel::<()>();
        let counts = Arc::new(Counts {
            outcomes: Words::new(OUTCOMES),
            waiting: AtomicI64::new(0),
            oldest: AtomicI64::new(0),
        });
        let own = Arc::clone(&counts);
        let thread = thread::Builder::new()
            .name("postman".to_owned())
            .spawn(move || {
                let rounds = Rounds {
                    db,
                    bag,
                    counts: own,
                    stopped,
                    unrecorded: Vec::new(),
                };
                rounds.go();
                drop(end);
            })?;
        Ok(Self {
            stop: Some(stop),
            ended,
            thread: Some(thread),
            counts,
        })
    }

    /// Those who count what the postman does.
    pub fn measured(&self) -> Arc<dyn Measured> {
        Arc::<Counts>::clone(&self.counts)
    }
}

impl Drop for Postman {
    fn drop(&mut self) {
        self.stop = None;
        // A server that hangs must not keep the process: the mail that it has is due again in some minutes.
        if self.ended.recv_timeout(LAST_MAIL) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("ended while the mail server did not answer");
            return;
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the postman ended in a panic");
        }
    }
}

/// What the thread works with.
struct Rounds {
    db: Db,
    bag: Bag,
    counts: Arc<Counts>,
    stopped: Receiver<()>,
    /// Mails that a server has and the outbox does not know of yet: they must not be sent again.
    unrecorded: Vec<MailHandle>,
}

impl Rounds {
    fn go(mut self) {
        let mut rest = EVERY;
        while self.stopped.recv_timeout(rest) == Err(RecvTimeoutError::Timeout) {
            rest = self.round().unwrap_or_else(|error| {
                tracing::warn!(error = %error, "the outbox cannot be read or written");
                REST
            });
        }
    }

    /// Sends what is due, and says how long to rest.
    fn round(&mut self) -> store::Result<Duration> {
        self.record_sent()?;
        // Mostly there is nothing: a look costs no writer.
        let queue = self.db.read_blocking(outbox::queue)?;
        self.counts.note(queue);
        if queue.waiting == 0 {
            return Ok(EVERY);
        }
        let given_up = self.db.batch_blocking(outbox::give_up)?;
        if given_up > 0 {
            let count = u64::try_from(given_up).unwrap_or(u64::MAX);
            self.counts.outcomes.add("given_up", count);
            tracing::error!(mails.count = given_up, "mails could not be sent for a day");
        }
        let rest = self.send_due()?;
        self.counts.note(self.db.read_blocking(outbox::queue)?);
        Ok(rest)
    }

    fn send_due(&mut self) -> store::Result<Duration> {
        while self.stopped.try_recv() == Err(TryRecvError::Empty) {
            let Some(mail) = self.db.batch_blocking(outbox::take_due)? else {
                return Ok(EVERY);
            };
            if let Err(error) = send(&self.bag, &mail) {
                self.failed(mail, &error)?;
                return Ok(REST);
            }
            self.counts.outcomes.count("sent");
            tracing::info!(
                mail.id = mail.message_id,
                mail.kind = mail.kind.word(),
                "a mail was sent"
            );
            self.unrecorded.push(mail.handle);
            self.record_sent()?;
        }
        Ok(EVERY)
    }

    fn record_sent(&mut self) -> store::Result<()> {
        while let Some(handle) = self.unrecorded.last().copied() {
            self.db
                .batch_blocking(move |writer| outbox::sent(writer, handle))?;
            self.unrecorded.pop();
        }
        Ok(())
    }

    fn failed(&self, mail: Mail, error: &SendError) -> store::Result<()> {
        self.counts.outcomes.count("failed");
        tracing::warn!(
            mail.id = mail.message_id,
            mail.kind = mail.kind.word(),
            mail.tries = mail.tries + 1,
            error = %error,
            "a mail was not sent; it is tried again"
        );
        self.db
            .batch_blocking(move |writer| outbox::failed(writer, &mail))
    }
}

fn send(bag: &Bag, mail: &Mail) -> Result<(), SendError> {
    let written = |error: &dyn std::fmt::Display| SendError::Form(error.to_string());
    let token = match &mail.sealed_link {
        Some(sealed) => {
            let opened = bag.seal.open(&mail.belonging, sealed);
            Some(opened.map_err(|e| written(&e))?)
        }
        None => None,
    };
    let token = token.as_ref().map(|token| token.as_str());
    let letter = mail::letter(&bag.look, mail, token).map_err(|e| written(&e))?;
    bag.mailer
        .send(&mail.name, &mail.email, &mail.message_id, letter)
}
