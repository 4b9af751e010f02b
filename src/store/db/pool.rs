//! The handle: hands work to the database threads and waits for the answers, but not for ever.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::backup::{self, CopyError};
use super::connect::{OpenError, Opener, Role};
use super::counts::{Counts, Operation, Waiting};
use super::job::{Reply, Task};
use super::queue::Queue;
use super::threads::{read_on, write_on};
use super::{Change, DatabaseUrl, Reader, Writer};
use crate::clock::Clock;
use crate::metrics::{Measured, Page};
use crate::store::error::{Error, Result};

/// How the store works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a task waits for its answer: short enough for a person to read within two seconds that the database is away.
    pub deadline: Duration,
    /// How long a plain thread waits for its answer: the command line, a flush.
    pub patience: Duration,
    /// Connections that read.
    pub readers: usize,
    /// Connections that write, on PostgreSQL. SQLite has one.
    pub writers: usize,
    /// How many jobs share a commit on SQLite.
    pub group: usize,
    /// Whether mails are written with the changes that they tell of.
    pub sends_mail: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            deadline: Duration::from_millis(1_700),
            patience: Duration::from_secs(30),
            readers: 4,
            writers: 4,
            group: 64,
            sends_mail: false,
        }
    }
}

const PEOPLE_AT_MOST: usize = 1024;
const BATCHES_AT_MOST: usize = 64;

/// The open store. Clones share its threads; they end when the last clone goes.
#[derive(Clone)]
pub struct Db {
    threads: Arc<Threads>,
}

struct Threads {
    readers: Arc<Queue<Reader>>,
    writers: Arc<Queue<Writer>>,
    opener: Opener,
    settings: Settings,
    counts: Counts,
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.readers.close();
        self.writers.close();
    }
}

impl Db {
    /// Opens a migrated database.
    ///
    /// # Errors
    /// When it cannot be reached, or its schema is older or newer than this release's.
    pub fn open(url: &DatabaseUrl, clock: Clock) -> Result<Self, OpenError> {
        Self::open_with(url, clock, Settings::default())
    }

    /// Opens a migrated database with numbers of one's own.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub fn open_with(
        url: &DatabaseUrl,
        clock: Clock,
        settings: Settings,
    ) -> Result<Self, OpenError> {
        let opener = Opener {
            url: url.clone(),
            clock,
            sends_mail: settings.sends_mail,
        };
        opener.check()?;
        let threads = Arc::new(Threads {
            readers: Arc::new(Queue::new(PEOPLE_AT_MOST, BATCHES_AT_MOST)),
            writers: Arc::new(Queue::new(PEOPLE_AT_MOST, BATCHES_AT_MOST)),
            opener,
            settings,
            counts: Counts::new(),
        });
        threads.start().map_err(OpenError::Thread)?;
        Ok(Self { threads })
    }

    /// Reads.
    ///
    /// # Errors
    /// What `f` answers, or that the database gave no answer in time.
    pub async fn read<T, F>(&self, f: F) -> Result<T>
    where
        F: FnOnce(&mut Reader) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.asked(&self.threads.readers, Operation::Read, f).await
    }

    /// Writes what neither the gate nor the audit log needs to hear of.
    ///
    /// # Errors
    /// What `f` answers; then nothing was written. `Unavailable` may leave open whether it was.
    pub async fn write<T, F>(&self, f: F) -> Result<T>
    where
        F: FnOnce(&mut Writer) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.asked(&self.threads.writers, Operation::Write, f).await
    }

    /// Writes what the gate must learn or the audit log holds.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn change<T, F>(&self, f: F) -> Result<T>
    where
        F: FnOnce(&mut Change<'_>) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.write(move |writer| f(&mut Change::begin(writer)?))
            .await
    }

    /// Writes when no person waits.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn batch<T, F>(&self, f: F) -> Result<T>
    where
        F: FnOnce(&mut Writer) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.asked(&self.threads.writers, Operation::Batch, f).await
    }

    /// [`Db::read`] for a plain thread.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn read_blocking<T, F>(&self, f: F) -> Result<T>
    where
        F: FnOnce(&mut Reader) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.waited_for(&self.threads.readers, Operation::Read, f)
    }

    /// [`Db::write`] for a plain thread.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn write_blocking<T, F>(&self, f: F) -> Result<T>
    where
        F: FnOnce(&mut Writer) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.waited_for(&self.threads.writers, Operation::Write, f)
    }

    /// [`Db::change`] for a plain thread.
    ///
    /// # Errors
    /// As [`Db::change`].
    pub fn change_blocking<T, F>(&self, f: F) -> Result<T>
    where
        F: FnOnce(&mut Change<'_>) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.write_blocking(move |writer| f(&mut Change::begin(writer)?))
    }

    /// [`Db::batch`] for a plain thread.
    ///
    /// # Errors
    /// As [`Db::batch`].
    pub fn batch_blocking<T, F>(&self, f: F) -> Result<T>
    where
        F: FnOnce(&mut Writer) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.waited_for(&self.threads.writers, Operation::Batch, f)
    }

    /// [`Db::batch`] of changes, for a plain thread: purges and other work that nobody waits for.
    ///
    /// # Errors
    /// As [`Db::change`].
    pub fn batch_change_blocking<T, F>(&self, f: F) -> Result<T>
    where
        F: FnOnce(&mut Change<'_>) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.batch_blocking(move |writer| f(&mut Change::begin(writer)?))
    }

    /// A connection apart, for the change log's follower.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn own_reader(&self) -> Result<Reader> {
        self.threads.opener.reader(Role::Follow)
    }

    /// A consistent copy of the database as a file that only its owner may read.
    ///
    /// # Errors
    /// When the file exists or cannot be written, or PostgreSQL's `pg_dump` fails.
    pub fn backup(&self, to: &Path) -> std::result::Result<(), CopyError> {
        backup::copy(&self.threads.opener.url, to)
    }

    /// The database's name for people.
    pub fn kind(&self) -> &'static str {
        self.threads.opener.url.kind()
    }

    async fn asked<C, T, F>(&self, queue: &Queue<C>, operation: Operation, f: F) -> Result<T>
    where
        F: FnOnce(&mut C) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let began = self.monotonic();
        let (reply, answer) = oneshot::channel();
        let pushed = queue.push(Box::new(Task::new(f, Reply::Task(reply))), operation.lane());
        let deadline = self.threads.settings.deadline;
        let result = match pushed {
            Err(full) => Err(full),
            Ok(()) => match tokio::time::timeout(deadline, answer).await {
                Ok(Ok(result)) => result,
                Ok(Err(_closed)) => Err(ended()),
                Err(_elapsed) => Err(late(deadline)),
            },
        };
        self.count(operation, began, &result);
        result
    }

    fn waited_for<C, T, F>(&self, queue: &Queue<C>, operation: Operation, f: F) -> Result<T>
    where
        F: FnOnce(&mut C) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let began = self.monotonic();
        let (reply, answer) = mpsc::sync_channel(1);
        let given_up = Arc::new(AtomicBool::new(false));
        let reply = Reply::Thread(reply, Arc::clone(&given_up));
        let pushed = queue.push(Box::new(Task::new(f, reply)), operation.lane());
        let patience = self.threads.settings.patience;
        let result = match pushed.map(|()| answer.recv_timeout(patience)) {
            Err(full) => Err(full),
            Ok(Ok(result)) => result,
            Ok(Err(mpsc::RecvTimeoutError::Disconnected)) => Err(ended()),
            Ok(Err(mpsc::RecvTimeoutError::Timeout)) => {
                given_up.store(true, Ordering::SeqCst);
                Err(late(patience))
            }
        };
        self.count(operation, began, &result);
        result
    }

    fn monotonic(&self) -> Duration {
        self.threads.opener.clock.monotonic()
    }

    fn count<T>(&self, operation: Operation, began: Duration, answer: &Result<T>) {
        let took = self.monotonic().saturating_sub(began);
        self.threads.counts.answered(operation, took, answer);
    }
}

impl Measured for Db {
    fn write(&self, page: &mut Page) {
        let (reads, _) = self.threads.readers.waiting();
        let (writes, batches) = self.threads.writers.waiting();
        let waiting = Waiting {
            reads,
            writes,
            batches,
        };
        self.threads.counts.write(page, &waiting);
    }
}

impl Threads {
    fn start(&self) -> std::io::Result<()> {
        for number in 1..=self.settings.readers {
            let (queue, opener) = (Arc::clone(&self.readers), self.opener.clone());
            thread::Builder::new()
                .name(format!("db-reader-{number}"))
                .spawn(move || read_on(&queue, opener))?;
        }
        let (writers, group) = match self.opener.url {
            DatabaseUrl::Sqlite(_) => (1, self.settings.group),
            DatabaseUrl::Postgres(_) => (self.settings.writers, 1),
        };
        for number in 1..=writers {
            let (queue, opener) = (Arc::clone(&self.writers), self.opener.clone());
            thread::Builder::new()
                .name(format!("db-writer-{number}"))
                .spawn(move || write_on(&queue, opener, group))?;
        }
        Ok(())
    }
}

fn ended() -> Error {
    Error::Unavailable("its thread ended".to_owned())
}

fn late(deadline: Duration) -> Error {
    Error::Unavailable(format!("no answer within {} ms", deadline.as_millis()))
}
