//! A piece of work on its way to a database thread, and its answer on the way back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use tokio::sync::oneshot;

use crate::store::error::{Error, Result};

/// Work for a connection of type `C`.
pub(super) trait Job<C>: Send {
    /// Whether nobody waits for it any more; then it must not begin.
    fn abandoned(&self) -> bool;

    /// Does the work and keeps the result.
    fn run(&mut self, conn: &mut C) -> Outcome;

    /// Sends the result: its own error, or what it made when that was kept, or why that was not kept.
    fn answer(self: Box<Self>, kept: Result<()>);
}

/// How the work went, as far as the connection is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is to be kept.
    Done,
    /// It is to be undone.
    Failed,
    /// It is to be undone, and the connection is not to be trusted.
    Lost,
}

/// Where the answer goes.
pub(super) enum Reply<T> {
    Task(oneshot::Sender<Result<T>>),
    Thread(mpsc::SyncSender<Result<T>>, Arc<AtomicBool>),
}

impl<T> Reply<T> {
    fn abandoned(&self) -> bool {
        match self {
            Self::Task(sender) => sender.is_closed(),
            Self::Thread(_, given_up) => given_up.load(Ordering::SeqCst),
        }
    }

    fn send(self, result: Result<T>) {
        // Whoever asked may have given up meanwhile: then there is nobody to tell.
        match self {
            Self::Task(sender) => drop(sender.send(result)),
            Self::Thread(sender, _) => drop(sender.try_send(result)),
        }
    }
}

/// A closure and its waiting asker.
pub(super) struct Task<T, F> {
    work: Option<F>,
    result: Option<Result<T>>,
    reply: Reply<T>,
}

impl<T, F> Task<T, F> {
    pub(super) const fn new(work: F, reply: Reply<T>) -> Self {
        Self {
            work: Some(work),
            result: None,
            reply,
        }
    }
}

impl<C, T, F> Job<C> for Task<T, F>
where
    F: FnOnce(&mut C) -> Result<T> + Send,
    T: Send,
{
    fn abandoned(&self) -> bool {
        self.reply.abandoned()
    }

    fn run(&mut self, conn: &mut C) -> Outcome {
        let Some(work) = self.work.take() else {
            return Outcome::Failed;
        };
        // The transaction is rolled back after a panic, so nothing half-done can be seen.
        let (outcome, result) = match catch_unwind(AssertUnwindSafe(|| work(conn))) {
            Ok(Ok(value)) => (Outcome::Done, Ok(value)),
            Ok(Err(error @ Error::Unavailable(_))) => (Outcome::Lost, Err(error)),
            Ok(Err(error)) => (Outcome::Failed, Err(error)),
            Err(_panic) => {
                let error = Error::Database("the work panicked".to_owned());
                (Outcome::Lost, Err(error))
            }
        };
        self.result = Some(result);
        outcome
    }

    fn answer(self: Box<Self>, kept: Result<()>) {
        let result = match (self.result, kept) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(why)) => Err(why),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(Error::Database("the work did not run".to_owned())),
        };
        self.reply.send(result);
    }
}
