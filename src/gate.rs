//! The gate: decides for each request whether its key opens the door, from memory alone, and counts what it decided.
//!
//! [`Gate::start`] loads every key and starts two threads: one follows the change log, one brings counts to the
//! database. It must not know pages, sessions or people.

mod answer;
mod contact;
mod follower;
mod http;
mod judge;
mod lane;
mod limiter;
mod meter;
mod metrics;
mod progress;
mod read_key;
mod refusals;
mod replica;
pub mod revocations;
mod scrape;
mod settings;
mod stripe;
mod target;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix_http::Response;
use actix_http::body::BoxBody;
use latchkey_rules::product::Catalogue;

use crate::clock::Clock;
use crate::store::{Db, activity};
use contact::{Contact, Freshness};
use follower::{Follower, FollowerCounts, Told};
use http::{Body, Request};
use judge::{Judge, Look, Patience};
use limiter::Limiter;
use limiter::addresses::Addresses;
use meter::{Flusher, Meter};
use metrics::{Endpoint, Metrics};
use refusals::Refusals;
use revocations::Revocations;

pub use follower::FollowError;
pub use judge::{Ask, AskedKey, Judged, JudgedKey, JudgedLimits};
pub use lane::{Lane, Rewound, Waits};
pub use progress::{News, Progress};
pub use settings::{GateSettings, VerdictText};

/// Questions of a batch that are decided in one go, about an eighth of a millisecond's worth.
const AT_A_TIME: usize = 100;

/// The running gate. Clones share it; it ends with [`Gate::stop`], or when the last clone goes.
#[derive(Clone)]
pub struct Gate {
    inner: Arc<Inner>,
}

struct Inner {
    judge: Judge,
    settings: GateSettings,
    refusals: Refusals,
    log_counts: Arc<FollowerCounts>,
    progress: Arc<Progress>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.judge.meter.stop();
        self.judge.contact.stop();
    }
}

/// Why the gate does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The keys could not be loaded.
    #[error("the keys cannot be loaded: {0}")]
    Load(#[from] FollowError),
    /// The system gives no thread.
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

impl Gate {
    /// Loads all keys and starts to follow and to count. It blocks until there is something to serve.
    pub fn start(db: Db, clock: Clock, mut settings: GateSettings) -> Result<Self, StartError> {
        settings.normalize();
        let contact = Arc::new(Contact::new(clock.clone(), settings.max_staleness));
        let log_counts = Arc::new(FollowerCounts::default());
        let meter = Arc::new(Meter::new(settings.address_detail));
        let progress = Arc::new(Progress::default());
        let follower = Follower::load(
            db.clone(),
            clock.clone(),
            Arc::clone(&contact),
            Arc::clone(&log_counts),
            Told {
                progress: Arc::clone(&progress),
                revocations: Revocations::open(&settings.data_dir),
            },
        )?;
        let limiter = Arc::new(Limiter::new());
        let today = clock.now();
        let days = db.read_blocking(move |reader| activity::days(reader, today));
        for day in days.map_err(FollowError::from)? {
            limiter.settle(&day, 0);
        }
        let flusher = Flusher::new(
            meter::Shared {
                meter: Arc::clone(&meter),
                replica: follower.applier().replica(),
                contact: Arc::clone(&contact),
                limiter: Arc::clone(&limiter),
            },
            db,
            clock.clone(),
            settings.node.clone(),
            &settings.data_dir,
        )?;
        let refusals = Refusals::new(clock.clone());
        let judge = Judge {
            replica: follower.applier().replica(),
            contact,
            meter,
            limiter,
            addresses: settings.per_address.map(Addresses::new),
            metrics: Metrics::new(),
            clock,
            prefix: settings.prefix.clone(),
        };
        let gate = Self {
            inner: Arc::new(Inner {
                judge,
                settings,
                refusals,
                log_counts,
                progress,
                threads: Mutex::default(),
            }),
        };
        gate.spawn("gate-meter", move || flusher.run())?;
        gate.spawn("gate-follower", move || follower.run())?;
        Ok(gate)
    }

    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), StartError> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run)?;
        let mut threads = self
            .inner
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        threads.push(thread);
        Ok(())
    }

    /// Answers a request over HTTP, on whichever path of the gate's.
    pub async fn answer(&self, mut request: actix_http::Request) -> Response<BoxBody> {
        let body = Body::Arriving(request.take_payload());
        let answer = http::answer(self, &Request::of(&request, self), body).await;
        answer.into_response()
    }

    /// Writes what was counted, or puts it on disk, and ends both threads. Nothing may be asked of the gate after it.
    pub fn stop(&self) {
        let mut threads = self
            .inner
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.inner.judge.meter.stop();
        let mut ending = threads.drain(..);
        if let Some(meter) = ending.next()
            && meter.join().is_err()
        {
            tracing::error!("the thread that writes activity ended in a panic");
        }
        // The follower may hang in a frozen database, and holds nothing that could be lost: it is not waited for.
        self.inner.judge.contact.stop();
    }

    /// Decides about one request at once: for benches, the demo and tests.
    pub fn judge<R>(&self, ask: &Ask<'_>, answer: &mut impl FnMut(&Judged<'_>) -> R) -> R {
        loop {
            if let Ok(answered) = self.judge_with(ask, Patience::AtOnce, answer) {
                return answered;
            }
        }
    }

    fn judge_with<R>(
        &self,
        ask: &Ask<'_>,
        patience: Patience,
        answer: &mut impl FnMut(&Judged<'_>) -> R,
    ) -> Result<R, Look> {
        self.inner.judge.judge(ask, patience, answer)
    }

    /// Decides about one request; an unknown secret waits for one early look at the change log.
    async fn judge_patiently<R>(
        &self,
        ask: &Ask<'_>,
        answer: &mut impl FnMut(&Judged<'_>) -> R,
    ) -> R {
        match self.judge_with(ask, Patience::Waits, answer) {
            Ok(answered) => answered,
            Err(look) => {
                self.wait_for(look).await;
                self.judge(ask, answer)
            }
        }
    }

    /// Decides about many requests in their order; one early look at the log serves all that are unknown, since it begins
    /// after they came.
    async fn judge_all(&self, asks: &[Ask<'_>], answer: &mut impl FnMut(&Judged<'_>)) {
        let mut patience = Patience::Waits;
        for (turn, mut left) in asks.chunks(AT_A_TIME).enumerate() {
            if turn > 0 {
                // Whoever else has a request on this thread does not wait for all of them.
                tokio::task::yield_now().await;
            }
            while let Err((done, look)) = self.inner.judge.judge_all(left, patience, answer) {
                self.wait_for(look).await;
                (left, patience) = (left.get(done..).unwrap_or_default(), Patience::AtOnce);
            }
        }
    }

    async fn wait_for(&self, look: Look) {
        self.inner.judge.contact.wait_for(look.0).await;
    }

    /// Calls `f` with the products, or with nothing when the replica is too old to say anything.
    fn with_catalogue<R>(&self, f: impl FnOnce(Option<&Catalogue>) -> R) -> R {
        let knows_nothing = self.knows_nothing();
        self.inner
            .judge
            .replica
            .with_facts(|facts| f((!knows_nothing).then_some(&facts.catalogue)))
    }

    fn knows_nothing(&self) -> bool {
        self.inner.judge.contact.freshness() == Freshness::TooOld
    }

    /// Whether requests can be judged, by a clock that the other nodes share.
    pub fn is_ready(&self) -> bool {
        !self.knows_nothing() && self.inner.progress.is_in_time()
    }

    /// How far the change log is followed, and what is refused since.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.inner.progress)
    }

    /// Has the change log looked at now rather than with the next tick.
    pub fn poke(&self) {
        self.inner.judge.contact.poke();
    }

    /// Since when nothing was heard from the change log.
    pub fn age(&self) -> Duration {
        self.inner.judge.contact.age()
    }

    /// How many keys are held in memory.
    pub fn keys(&self) -> u64 {
        self.inner.judge.replica.keys()
    }

    /// How many secrets are held in memory.
    pub fn secrets(&self) -> usize {
        self.inner.judge.replica.secrets()
    }

    /// What the operator says of it.
    pub(crate) fn settings(&self) -> &GateSettings {
        &self.inner.settings
    }

    fn metrics(&self) -> &Metrics {
        &self.inner.judge.metrics
    }

    fn refusals(&self) -> &Refusals {
        &self.inner.refusals
    }

    /// Counts a request; when it is one to be timed, since when.
    fn begins(&self, endpoint: Endpoint) -> Option<Duration> {
        let is_timed = self.metrics().request(endpoint);
        is_timed.then(|| self.inner.judge.clock.monotonic())
    }

    /// Counts how long a request took that began then.
    fn ends(&self, endpoint: Endpoint, began: Duration) {
        let took = self.inner.judge.clock.monotonic().saturating_sub(began);
        self.metrics().took(endpoint, took);
    }
}
