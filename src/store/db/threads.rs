//! What the database threads do: readers one job after another, writers in groups that share a commit.

use std::sync::Arc;
use std::time::Duration;

use super::connect::{Opener, Role};
use super::job::Outcome;
use super::queue::{Boxed, Queue};
use super::transaction::Begin;
use super::{Reader, Writer};
use crate::store::error::{Error, Result};

/// A connection that lay idle for longer is asked whether it still stands before it gets work.
const IDLE: Duration = Duration::from_secs(1);

/// A connection that is opened when there is work for it, and anew after it was lost.
struct Held<C> {
    conn: Option<C>,
    used: Duration,
    opener: Opener,
    open: fn(&Opener) -> Result<C>,
}

impl<C: AsMut<Reader>> Held<C> {
    const fn new(opener: Opener, open: fn(&Opener) -> Result<C>) -> Self {
        Self {
            conn: None,
            used: Duration::ZERO,
            opener,
            open,
        }
    }

    fn get(&mut self) -> Result<&mut C> {
        let now = self.opener.clock.monotonic();
        let idle = now.saturating_sub(self.used) > IDLE;
        self.used = now;
        let standing = self
            .conn
            .take()
            .and_then(|mut conn| (!idle || conn.as_mut().answers()).then_some(conn));
        let conn = match standing {
            Some(conn) => conn,
            None => (self.open)(&self.opener)?,
        };
        Ok(self.conn.insert(conn))
    }

    fn lose(&mut self) {
        self.conn = None;
    }
}

/// Reads until the queue ends.
pub(super) fn read_on(queue: &Arc<Queue<Reader>>, opener: Opener) {
    let mut held = Held::new(opener, |opener| opener.reader(Role::Read));
    while let Some(jobs) = queue.take(1) {
        for mut job in jobs {
            if job.abandoned() {
                continue;
            }
            match held.get() {
                Ok(reader) => {
                    if job.run(reader) == Outcome::Lost {
                        held.lose();
                    }
                    job.answer(Ok(()));
                }
                Err(error) => job.answer(Err(error)),
            }
        }
    }
}

/// Writes until the queue ends, up to `group` jobs in one transaction.
pub(super) fn write_on(queue: &Arc<Queue<Writer>>, opener: Opener, group: usize) {
    let mut held = Held::new(opener, Opener::writer);
    while let Some(mut jobs) = queue.take(group) {
        jobs.retain(|job| !job.abandoned());
        if jobs.is_empty() {
            continue;
        }
        match held.get() {
            Ok(writer) => {
                if !write_group(writer, jobs) {
                    held.lose();
                }
            }
            Err(error) => answer_all(jobs, &Err(error)),
        }
    }
}

/// Runs the jobs in one transaction and answers them after its end. `false`: the connection is not to be trusted.
fn write_group(writer: &mut Writer, jobs: Vec<Boxed<Writer>>) -> bool {
    if let Err(error) = writer.begin(Begin::Write) {
        answer_all(jobs, &Err(error));
        return false;
    }
    let alone = jobs.len() == 1;
    let mut trusted = true;
    let mut ran = Vec::with_capacity(jobs.len());
    let mut fate = Ok(());
    for mut job in jobs {
        if fate.is_ok() {
            let went = run(writer, &mut job, alone);
            match went {
                Ok(Outcome::Lost) => trusted = false,
                Ok(_) => {}
                Err(error) => fate = Err(error),
            }
        }
        ran.push(job);
    }
    if fate.is_ok() && !alone {
        fate = writer.commit();
    }
    if fate.is_err() {
        // The connection goes, and with it whatever is left of the transaction.
        trusted = false;
        fate = fate.map_err(|error| Error::Unavailable(error.to_string()));
    }
    answer_all(ran, &fate);
    trusted
}

/// A job alone ends the transaction itself; among others it ends a savepoint, so that its failure is its own.
fn run(writer: &mut Writer, job: &mut Boxed<Writer>, alone: bool) -> Result<Outcome> {
    if !alone {
        writer.savepoint()?;
    }
    let outcome = job.run(writer);
    if outcome == Outcome::Done {
        writer.commit()?;
    } else {
        writer.rollback()?;
    }
    Ok(outcome)
}

fn answer_all(jobs: Vec<Boxed<Writer>>, fate: &Result<()>) {
    for job in jobs {
        job.answer(fate.clone());
    }
}
