//! The gate: decides for each request whether its key opens the door, from memory alone, and counts what it decided.
//!
//! [`Gate::start`] loads every key and starts two threads: one follows the change log, one brings counts to the
//! database. It must not know pages, sessions or people.

mod answer;
mod contact;
mod follower;
mod http;
mod judge;
mod meter;
mod metrics;
mod read_key;
mod replica;
mod target;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix_web::web::ServiceConfig;
use ipnet::IpNet;
use latchkey_rules::client_ip;
use latchkey_rules::product::Catalogue;
use latchkey_rules::secret::{Digest, Prefix};

use crate::clock::Clock;
use crate::store::Db;
use contact::{Contact, Freshness};
use follower::{Follower, FollowerCounts};
use judge::{Judge, Look, Patience};
use meter::{Flusher, Meter};
use metrics::{Metrics, Page};

pub use follower::FollowError;
pub use judge::{Ask, AskedKey, Judged, JudgedKey};

/// What the operator says of the gate.
#[derive(Clone)]
pub struct GateSettings {
    /// What secrets begin with.
    pub prefix: Prefix,
    /// The headers that keys are read from.
    pub key_headers: Vec<String>,
    /// The query parameters that keys are read from, spelled exactly.
    pub key_query: Vec<String>,
    /// The peers that are believed about the request at their door.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether a peer on a Unix socket is one of them.
    pub unix_trusted: bool,
    /// How long known keys are served after the database was last heard from.
    pub max_staleness: Duration,
    /// The digests of the tokens that gateways show; two at a time while one replaces the other.
    pub gate_tokens: Vec<Digest>,
    /// Whether one of them is demanded.
    pub require_token: bool,
    /// This node's name in its batches of counts.
    pub node: String,
    /// Where counts wait while the database is away.
    pub data_dir: PathBuf,
    /// Where the portal is, for the links in errors; without a slash at its end.
    pub public_url: String,
}

impl GateSettings {
    /// The defaults of an installation on one machine.
    pub fn local(data_dir: PathBuf, public_url: &str) -> Self {
        let loopback = [
            [127, 0, 0, 1].into(),
            IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        ];
        Self {
            prefix: Prefix::default(),
            key_headers: vec!["x-api-key".to_owned()],
            key_query: vec!["key".to_owned(), "api_key".to_owned()],
            trusted_proxies: loopback.map(IpNet::from).to_vec(),
            unix_trusted: true,
            max_staleness: Duration::from_mins(5),
            gate_tokens: Vec::new(),
            require_token: false,
            node: "local".to_owned(),
            data_dir,
            public_url: public_url.trim_end_matches('/').to_owned(),
        }
    }

    fn is_key_header(&self, name: &str) -> bool {
        self.key_headers.iter().any(|header| header == name)
    }

    fn trusts(&self, peer: Option<IpAddr>) -> bool {
        peer.map_or(self.unix_trusted, |peer| {
            let peer = client_ip::fold_mapped(peer);
            self.trusted_proxies
                .iter()
                .any(|net| client_ip::contains(net, peer))
        })
    }

    fn admits(&self, token: Option<&[u8]>) -> bool {
        if !self.require_token {
            return true;
        }
        let Some(token) = token.and_then(|token| std::str::from_utf8(token).ok()) else {
            return false;
        };
        let shown = Digest::of(token);
        // Every one is compared: which of two it was is nobody's business either.
        let same = self.gate_tokens.iter().filter(|known| known.ct_eq(&shown));
        same.count() > 0
    }
}

/// The running gate. Clones share it; it ends with [`Gate::stop`], or when the last clone goes.
#[derive(Clone)]
pub struct Gate {
    inner: Arc<Inner>,
}

struct Inner {
    judge: Judge,
    settings: GateSettings,
    log_counts: Arc<FollowerCounts>,
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
        settings
            .key_headers
            .iter_mut()
            .for_each(|name| name.make_ascii_lowercase());
        settings
            .public_url
            .truncate(settings.public_url.trim_end_matches('/').len());
        let contact = Arc::new(Contact::new(clock.clone(), settings.max_staleness));
        let log_counts = Arc::new(FollowerCounts::default());
        let meter = Arc::new(Meter::new());
        let follower = Follower::load(
            db.clone(),
            clock.clone(),
            Arc::clone(&contact),
            Arc::clone(&log_counts),
        )?;
        let flusher = Flusher::new(
            Arc::clone(&meter),
            Arc::clone(&contact),
            db,
            clock.clone(),
            settings.node.clone(),
            &settings.data_dir,
        )?;
        let judge = Judge {
            replica: follower.applier().replica(),
            contact,
            meter,
            metrics: Metrics::new(),
            clock,
            prefix: settings.prefix.clone(),
        };
        let gate = Self {
            inner: Arc::new(Inner {
                judge,
                settings,
                log_counts,
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

    /// Registers the gate's routes, the most asked first.
    pub fn configure(&self, config: &mut ServiceConfig) {
        http::configure(self, config);
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

    /// Whether requests can be judged.
    pub fn is_ready(&self) -> bool {
        !self.knows_nothing()
    }

    /// Has the change log looked at now rather than with the next tick.
    pub fn poke(&self) {
        self.inner.judge.contact.poke();
    }

    /// Since when nothing was heard from the change log.
    pub fn age(&self) -> Duration {
        self.inner.judge.contact.age()
    }

    /// How many secrets are held in memory.
    pub fn secrets(&self) -> usize {
        self.inner.judge.replica.secrets()
    }

    fn settings(&self) -> &GateSettings {
        &self.inner.settings
    }

    fn metrics(&self) -> &Metrics {
        &self.inner.judge.metrics
    }

    fn metrics_page(&self) -> String {
        let mut page = Page::default();
        self.metrics().write(&mut page);
        self.write_replica(&mut page);
        self.write_meter(&mut page);
        page.text()
    }

    fn write_replica(&self, page: &mut Page) {
        let (judge, counts) = (&self.inner.judge, &self.inner.log_counts);
        let secrets = u64::try_from(self.secrets()).unwrap_or(u64::MAX);
        page.one(
            "latchkey_replica_secrets",
            "gauge",
            "Secrets held in memory.",
            secrets,
        );
        let age = judge.contact.age().as_secs_f64();
        page.seconds(
            "latchkey_log_age_seconds",
            "Since the change log was last read.",
            age,
        );
        for (name, help, count) in [
            (
                "latchkey_log_looks_total",
                "Looks at the change log.",
                &counts.looks,
            ),
            (
                "latchkey_log_failures_total",
                "Looks at the change log that failed.",
                &counts.failures,
            ),
            (
                "latchkey_replica_reloads_total",
                "Full loads of the replica.",
                &counts.reloads,
            ),
            (
                "latchkey_replica_drifts_total",
                "Differences from the database.",
                &counts.drifts,
            ),
        ] {
            page.one(name, "counter", help, count.load(Ordering::Relaxed));
        }
        let asked = judge.contact.asked();
        page.one(
            "latchkey_early_looks_total",
            "counter",
            "Looks that unknown secrets asked for.",
            asked,
        );
    }

    fn write_meter(&self, page: &mut Page) {
        let meter = &self.inner.judge.meter;
        let read = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        let (written, rejected) = (read(&meter.counts.written), read(&meter.counts.rejected));
        page.one(
            "latchkey_meter_batches_total",
            "counter",
            "Batches of counts written.",
            written,
        );
        page.one(
            "latchkey_meter_rejected_total",
            "counter",
            "Batches of counts that were refused.",
            rejected,
        );
        page.one(
            "latchkey_meter_dropped_total",
            "counter",
            "Verdicts that could not be counted.",
            meter.dropped(),
        );
        let queued = read(&meter.counts.queued);
        page.one(
            "latchkey_meter_queued_bytes",
            "gauge",
            "Counts that wait for the database.",
            queued,
        );
    }
}
