//! The gate's HTTP face: which path does what, and what holds on all of them.
//!
//! Every request shows the gate's token where one is demanded (T-39); a panic is a 500 and the process lives (T-61);
//! nothing is logged per request. It must not decide.

mod asked;
mod authorize;
mod body;
mod caller;
mod denied;
mod heads;
mod health;
mod preflight;
mod request;
mod verify;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::Ordering;

use futures_util::FutureExt;

use super::Gate;
use super::answer::{self, Answer, Failure};
use super::metrics::Endpoint;
use crate::web::request_id::RequestId;
use heads::Heads;

pub(super) use request::{Body, Request};

/// Answers a request. One look at its path in place of a router, which tries its resources one after another: that
/// costs a tenth of a verdict.
pub(super) async fn answer(gate: &Gate, request: &Request<'_>, body: Body<'_>) -> Answer {
    match request.path() {
        authorize::PLAIN => authorize::plain(gate, request).await,
        authorize::NGINX => authorize::nginx(gate, request).await,
        "/v1/verify" => verify::one(gate, request, body).await,
        "/v1/verify/batch" => verify::batch(gate, request, body).await,
        "/v1/denied" => denied::denied(gate, request).await,
        "/healthz" => health::read_only(gate, request, health::alive),
        "/readyz" => health::read_only(gate, request, health::ready),
        "/metrics" => health::metrics(gate, request).await,
        path if is_at_or_below(path, authorize::PLAIN) => authorize::plain(gate, request).await,
        path if is_at_or_below(path, preflight::PATH) => preflight::preflight(gate, request).await,
        _ => nowhere(gate, request).await,
    }
}

fn is_at_or_below(path: &str, endpoint: &str) -> bool {
    let rest = path.strip_prefix(endpoint);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A request to the gate. It only points at what was read: each step of the way would keep a copy of its own.
#[derive(Clone, Copy)]
struct Asking<'r> {
    gate: &'r Gate,
    heads: &'r Heads<'r>,
    id: RequestId,
}

impl Asking<'_> {
    fn fail(&self, failure: &Failure) -> Answer {
        let mut answer = answer::failed(failure, &self.id, self.gate.settings());
        answer::readable_by(&mut answer.lines, self.heads.origin);
        answer
    }
}

/// What holds on every path: the token, the methods, and that a panic is an answer.
async fn asking<'r, F>(
    gate: &'r Gate,
    request: &'r Request<'r>,
    endpoint: Endpoint,
    work: F,
) -> Answer
where
    F: AsyncFnOnce(Asking<'r>) -> Answer,
{
    let began = gate.begins(endpoint);
    let id = RequestId::generate();
    let asking = Asking {
        gate,
        heads: &request.heads,
        id,
    };
    let answer = match turned_away(&asking, endpoint) {
        Some(failure) => asking.fail(&failure),
        None => guarded(gate, id, pin!(work(asking))).await,
    };
    if let Some(began) = began {
        gate.ends(endpoint, began);
    }
    answer
}

/// Why a request is not even looked at.
fn turned_away(asking: &Asking<'_>, endpoint: Endpoint) -> Option<Failure> {
    let gate = asking.gate;
    if !gate.settings().admits(asking.heads.gate_token) {
        gate.metrics().strangers.fetch_add(1, Ordering::Relaxed);
        return Some(Failure::Stranger);
    }
    let allow = Methods::of(endpoint).refuses(asking.heads.said.method)?;
    Some(Failure::Method { allow })
}

/// A panic of ours is a 500 with its request id, and this thread goes on.
async fn guarded(gate: &Gate, id: RequestId, work: impl Future<Output = Answer>) -> Answer {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(answer) => answer,
        Err(_panic) => {
            gate.metrics().panics.fetch_add(1, Ordering::Relaxed);
            tracing::error!(request.id = %id, "a request to the gate failed in Latchkey itself");
            answer::failed(&Failure::Internal, &id, gate.settings())
        }
    }
}

/// Which methods a path takes.
#[derive(Clone, Copy)]
enum Methods {
    /// Any but TRACE, which would hand a client's own headers back to it (T-46).
    Any,
    Post,
    Get,
}

impl Methods {
    const fn of(endpoint: Endpoint) -> Self {
        match endpoint {
            Endpoint::Verify | Endpoint::Batch => Self::Post,
            Endpoint::Metrics => Self::Get,
            Endpoint::Authorize
            | Endpoint::Nginx
            | Endpoint::Denied
            | Endpoint::Preflight
            | Endpoint::Nowhere => Self::Any,
        }
    }

    /// The methods to offer instead, when this one is not taken.
    fn refuses(self, method: &str) -> Option<&'static str> {
        match (self, method) {
            (Self::Any, "TRACE") => Some("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            (Self::Any, _) | (Self::Post, "POST") | (Self::Get, "GET" | "HEAD") => None,
            (Self::Post, _) => Some("POST"),
            (Self::Get, _) => Some("GET, HEAD"),
        }
    }
}

async fn nowhere(gate: &Gate, request: &Request<'_>) -> Answer {
    asking(
        gate,
        request,
        Endpoint::Nowhere,
        async |asking: Asking<'_>| asking.fail(&Failure::NotFound),
    )
    .await
}

#[cfg(test)]
mod tests {
    use actix_http::StatusCode;
    use actix_web::rt;

    use super::*;
    use crate::clock::Clock;
    use crate::gate::GateSettings;
    use crate::store::{DatabaseUrl, Db, migrate};

    #[test]
    fn t_61_a_panic_is_a_500_and_the_gate_lives() {
        let dir = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(dir.path().join("latchkey.db"));
        migrate::run(&url).unwrap();
        let db = Db::open(&url, Clock::system()).unwrap();
        let settings = GateSettings::local(dir.path().to_path_buf(), "https://portal.example.com");
        let gate = Gate::start(db, Clock::system(), settings).unwrap();
        rt::System::new().block_on(async {
            let id = RequestId::generate();
            let answer = guarded(&gate, id, async { panic!("a test") }).await;
            assert_eq!(answer.status.as_u16(), 500);
            let said: Vec<_> = answer.lines.iter().collect();
            assert!(said.contains(&("latchkey-request-id", id.as_bytes())));
            assert!(said.contains(&("latchkey-verdict", b"UNAVAILABLE")));
            let answer = guarded(&gate, id, async { Answer::new(StatusCode::OK, b"") }).await;
            assert_eq!(answer.status.as_u16(), 200);
        });
        assert_eq!(gate.metrics().panics.load(Ordering::Relaxed), 1);
    }
}
