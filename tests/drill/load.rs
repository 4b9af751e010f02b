//! Clients that ask a gate at a steady rate, each on a kept connection, and note what they were answered and when.

use crate::figures::Times;
use crate::line::Line;
use crate::needs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// What the request was about, by whoever made it.
    pub(crate) tag: usize,
    /// When it was sent, or should have been, had the answer before it not been late.
    pub(crate) began: Instant,
    pub(crate) took: Duration,
    /// The status and the verdict's code; a broken connection has neither.
    pub(crate) status: u16,
    pub(crate) code: String,
}

type Make = dyn Fn(usize) -> (usize, Vec<u8>) + Send + Sync;

/// Clients at work.
pub(crate) struct Load {
    over: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Vec<Sample>>>,
}

impl Load {
    /// So many requests a second, spread over so many clients. `make` makes the request with this number, and says what
    /// it is about.
    pub(crate) fn begin(
        gate: &str,
        per_second: u32,
        clients: u32,
        make: impl Fn(usize) -> (usize, Vec<u8>) + Send + Sync + 'static,
    ) -> Self {
        let make: Arc<Make> = Arc::new(make);
        let over = Arc::new(AtomicBool::new(false));
        let pause = Duration::from_secs(1) * clients / per_second;
        let each = |number: u32| {
            let client = Client {
                line: Line::to(gate),
                over: Arc::clone(&over),
                make: Arc::clone(&make),
                number: usize::try_from(number).expect("a few clients"),
                step: usize::try_from(clients).expect("a few clients"),
            };
            let first = needs::now() + pause * number / clients;
            thread::spawn(move || client.work(first, pause))
        };
        Self {
            clients: (0..clients).map(each).collect(),
            over,
        }
    }

    /// Ends it and gives every request.
    pub(crate) fn end(self) -> Vec<Sample> {
        self.over.store(true, Ordering::Relaxed);
        let each = |client: JoinHandle<Vec<Sample>>| client.join().expect("the client went on");
        self.clients.into_iter().flat_map(each).collect()
    }
}

struct Client {
    line: Line,
    over: Arc<AtomicBool>,
    make: Arc<Make>,
    number: usize,
    step: usize,
}

impl Client {
    fn work(mut self, first: Instant, pause: Duration) -> Vec<Sample> {
        let mut samples = Vec::new();
        let mut due = first;
        let mut free = first;
        while !self.over.load(Ordering::Relaxed) {
            let now = needs::now();
            thread::sleep(due.saturating_duration_since(now));
            let (tag, request) = (self.make)(self.number);
            self.number += self.step;
            // Only a late answer counts against the server, not a late client.
            let began = if free > due { due } else { needs::now() };
            let answer = self.line.ask(&request);
            free = needs::now();
            let (status, code) = answer.map_or((0, String::new()), |reply| {
                (reply.status, reply.code().to_owned())
            });
            samples.push(Sample {
                tag,
                began,
                took: free - began,
                status,
                code,
            });
            due += pause;
        }
        samples
    }
}

/// How long these took.
pub(crate) fn times<'s>(samples: impl IntoIterator<Item = &'s Sample>) -> Times {
    Times::of(samples.into_iter().map(|sample| sample.took))
}
