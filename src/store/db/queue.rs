//! Two bounded queues, people before batches.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::job::Job;
use crate::store::error::{Error, Result};

pub(super) type Boxed<C> = Box<dyn Job<C>>;

/// How many groups of people's work may go before a waiting batch.
const PATIENCE: u8 = 4;

/// Who waits for the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// A person, or a program that answers one.
    People,
    /// A flush or a sweep.
    Batches,
}

pub(super) struct Queue<C> {
    waiting: Mutex<Waiting<C>>,
    changed: Condvar,
    people_at_most: usize,
    batches_at_most: usize,
}

struct Waiting<C> {
    people: VecDeque<Boxed<C>>,
    batches: VecDeque<Boxed<C>>,
    passed_over: u8,
    closed: bool,
}

impl<C> Queue<C> {
    pub(super) fn new(people_at_most: usize, batches_at_most: usize) -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                people: VecDeque::new(),
                batches: VecDeque::new(),
                passed_over: 0,
                closed: false,
            }),
            changed: Condvar::new(),
            people_at_most,
            batches_at_most,
        }
    }

    pub(super) fn push(&self, job: Boxed<C>, lane: Lane) -> Result<()> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(Error::Unavailable("the store is closed".to_owned()));
        }
        let (queue, at_most) = match lane {
            Lane::People => (&mut waiting.people, self.people_at_most),
            Lane::Batches => (&mut waiting.batches, self.batches_at_most),
        };
        if queue.len() >= at_most {
            return Err(Error::Unavailable("too much work is waiting".to_owned()));
        }
        queue.push_back(job);
        drop(waiting);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for work; `None` once the queue is closed and empty.
    pub(super) fn take(&self, at_most: usize) -> Option<Vec<Boxed<C>>> {
        let mut waiting = self.lock();
        loop {
            let group = waiting.group(at_most);
            if !group.is_empty() {
                return Some(group);
            }
            if waiting.closed {
                return None;
            }
            waiting = self
                .changed
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// How many people's jobs and how many batches have not begun.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let waiting = self.lock();
        (waiting.people.len(), waiting.batches.len())
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<C>> {
        // Nothing under this lock can leave the queues half-changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> Waiting<C> {
    fn group(&mut self, at_most: usize) -> Vec<Boxed<C>> {
        let starved = self.passed_over >= PATIENCE && !self.batches.is_empty();
        if self.people.is_empty() || starved {
            self.passed_over = 0;
            // Alone: people do not wait for more than one of them.
            return self.batches.pop_front().into_iter().collect();
        }
        if !self.batches.is_empty() {
            self.passed_over += 1;
        }
        let count = self.people.len().min(at_most);
        self.people.drain(..count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db::job::Outcome;

    /// Work that says in its `abandoned` whether it is a batch's: enough to see the order.
    struct Batch(bool);

    impl Job<()> for Batch {
        fn abandoned(&self) -> bool {
            self.0
        }
        fn run(&mut self, (): &mut ()) -> Outcome {
            Outcome::Done
        }
        fn answer(self: Box<Self>, _kept: Result<()>) {}
    }

    fn push(queue: &Queue<()>, lane: Lane) -> Result<()> {
        queue.push(Box::new(Batch(lane == Lane::Batches)), lane)
    }

    #[test]
    fn people_go_first_and_batches_do_not_starve() {
        let queue = Queue::new(100, 10);
        push(&queue, Lane::Batches).unwrap();
        for _ in 0..20 {
            push(&queue, Lane::People).unwrap();
        }
        let mut batches = Vec::new();
        for _ in 0..6 {
            let group = queue.take(2).unwrap();
            batches.push(group.iter().any(|job| job.abandoned()));
        }
        assert_eq!(batches, [false, false, false, false, true, false]);
    }

    #[test]
    fn a_full_queue_refuses_at_once_and_a_closed_one_ends() {
        let queue = Queue::new(1, 1);
        push(&queue, Lane::People).unwrap();
        assert!(matches!(
            push(&queue, Lane::People),
            Err(Error::Unavailable(_))
        ));
        push(&queue, Lane::Batches).unwrap();
        queue.close();
        assert!(push(&queue, Lane::People).is_err());
        assert_eq!(queue.take(9).unwrap().len(), 1);
        assert_eq!(queue.take(9).unwrap().len(), 1);
        assert!(queue.take(9).is_none());
    }
}
