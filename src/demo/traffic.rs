//! A little traffic through the real gate, as the company's customers would send it, until the demo ends.
//!
//! Must not know the gate but by its listener, nor wait for anything when it is told to end.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use latchkey_rules::environment::Environment;
use latchkey_rules::secret::{Prefix, Secret};
use rand::RngExt;

use super::callers::{Voice, voices};
use super::catalogue::sample_url;
use super::facts::Kept;
use super::keys::{KeyShape, keys};
use super::products::{PRODUCTS, ProductShape};

/// How much busier than in its past a key on a large plan is, so that there is something to see.
const HASTE: u64 = 2;

/// How much of its traffic a program still sends when its key works no more: one part in this many.
const STUBBORN: u64 = 20;

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(5);

const DAY_MS: u64 = 86_400_000;

/// A program of a customer.
struct Program {
    secrets: Vec<String>,
    products: Vec<&'static ProductShape>,
    /// Requests in a day.
    weight: u64,
    /// Who sends it.
    voices: &'static [Voice],
}

/// A request of a program.
struct Request {
    product: &'static ProductShape,
    secret: String,
    voice: Voice,
}

/// The running traffic; it ends with this.
pub(super) struct Traffic {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Traffic {
    /// Begins to send.
    pub(super) fn start(kept: &Kept, gate: SocketAddr) -> io::Result<Self> {
        let programs = programs(kept);
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("demo-traffic".to_owned())
            .spawn(move || send(&programs, gate, &stopped))?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the demo's traffic ended in a panic");
        }
    }
}

fn programs(kept: &Kept) -> Vec<Program> {
    kept.keys
        .iter()
        .zip(keys())
        .filter(|(key, _)| key.line.state != "deleted")
        .map(|(key, shape)| Program {
            secrets: std::iter::once(key.line.secret.clone())
                .chain(key.newer_secret.clone())
                .collect(),
            products: PRODUCTS
                .iter()
                .filter(|product| shape.products.contains(&product.slug))
                .collect(),
            weight: weight(&key.line.state, &key.line.plan, &shape),
            voices: voices(&shape),
        })
        .collect()
}

/// A small plan's day is soon used up: its keys are no busier than they were.
fn weight(state: &str, plan: &str, shape: &KeyShape) -> u64 {
    let is_small = matches!(plan, "free" | "starter");
    let daily = u64::from(shape.daily) * if is_small { 1 } else { HASTE };
    let works = matches!(state, "active" | "rotating" | "retired");
    if works {
        daily
    } else {
        daily.div_ceil(STUBBORN)
    }
}

fn send(programs: &[Program], gate: SocketAddr, stopped: &Receiver<()>) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        // A connection that is kept open would hold up the server's end.
        .max_idle_connections(0)
        .build()
        .into();
    let all: u64 = programs.iter().map(|program| program.weight).sum();
    let pause_ms = DAY_MS / all.max(1);
    loop {
        let pause = rand::rng().random_range(0..=2 * pause_ms);
        match stopped.recv_timeout(Duration::from_millis(pause)) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
        if let Some(request) = next(programs, all) {
            ask(&agent, gate, &request);
        }
    }
}

/// Who asks next, and for what: now and then for a product that its key lacks, or with a secret that no key has.
fn next(programs: &[Program], all: u64) -> Option<Request> {
    let mut rng = rand::rng();
    let mut place = rng.random_range(0..all.max(1));
    let program = programs.iter().find(|program| {
        let is_it = place < program.weight;
        place = place.saturating_sub(program.weight);
        is_it
    })?;
    let any = |choices: usize| rand::rng().random_range(0..choices.max(1));
    let product = match rng.random_range(0..100) {
        0..2 => PRODUCTS.get(any(PRODUCTS.len())),
        _ => program.products.get(any(program.products.len())).copied(),
    };
    let secret = match rng.random_range(0..200) {
        0 => Secret::generate(&Prefix::default(), Environment::Live, &mut rng)
            .expose()
            .to_owned(),
        _ => program.secrets.get(any(program.secrets.len()))?.clone(),
    };
    let mut share = rng.random_range(0..100);
    let voice = program.voices.iter().find(|voice| {
        let is_it = share < voice.share;
        share = share.saturating_sub(voice.share);
        is_it
    })?;
    product.map(|product| Request {
        product,
        secret,
        voice: *voice,
    })
}

/// What the gate answers is its own matter: it has counted.
fn ask(agent: &ureq::Agent, gate: SocketAddr, request: &Request) {
    let url = sample_url(request.product, gate);
    let (name, value) = request.voice.from();
    let by = request.voice.agent;
    let secret = &request.secret;
    let answer = if request.product.writes {
        let post = agent.post(&url).header("X-API-Key", secret);
        let post = post.header("User-Agent", by);
        post.header(name, value).send_empty()
    } else {
        let get = agent.get(&url).header("X-API-Key", secret);
        let get = get.header("User-Agent", by);
        get.header(name, value).call()
    };
    if let Err(error) = answer {
        tracing::debug!(%error, "a request of the demo got no answer");
    }
}

#[cfg(test)]
mod tests {
    use super::super::drawn::{self, Drawn};
    use super::super::people;
    use super::*;
    use latchkey_rules::time::Millis;

    fn kept() -> Kept {
        let drawn = drawn::draw(Millis(1_795_263_600_000), &Prefix::default());
        Kept {
            people: people::lines(),
            keys: drawn.iter().map(Drawn::kept).collect(),
        }
    }

    #[test]
    fn the_traffic_is_modest_and_no_small_plans_day_is_used_up() {
        let kept = kept();
        let daily = |plan: &str| -> u64 {
            let keys = kept.keys.iter().zip(keys());
            keys.filter(|(key, _)| key.line.plan == plan)
                .map(|(key, shape)| weight(&key.line.state, plan, &shape))
                .sum()
        };
        assert!(daily("free") < 700 && daily("starter") < 8_000);
        let all: u64 = programs(&kept).iter().map(|program| program.weight).sum();
        assert!((86_400..6 * 86_400).contains(&all), "{all}");
    }

    #[test]
    fn every_program_asks_in_the_long_run() {
        let programs = programs(&kept());
        let all = programs.iter().map(|program| program.weight).sum();
        let mut secrets = std::collections::HashSet::new();
        for _ in 0..20_000 {
            secrets.extend(next(&programs, all).map(|request| request.secret));
        }
        for program in programs.iter().filter(|program| program.weight > 300) {
            assert!(
                program
                    .secrets
                    .iter()
                    .all(|secret| secrets.contains(secret))
            );
        }
    }

    #[test]
    fn it_ends_at_once_when_the_demo_ends() {
        // Nothing listens there: what it cannot reach does not keep it.
        let traffic = Traffic::start(&kept(), ([127, 0, 0, 1], 9).into()).unwrap();
        drop(traffic);
    }
}
