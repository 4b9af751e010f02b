//! `/healthz`, `/readyz`, `/metrics`: what orchestrators and Prometheus ask.

use std::panic::{AssertUnwindSafe, catch_unwind};

use actix_http::StatusCode;
use serde::Serialize;

use super::request::Request;
use super::{Asking, Endpoint, asking};
use crate::gate::Gate;
use crate::gate::answer::{self, Answer, names};
use crate::metrics::Page;

/// What `/readyz` says.
#[derive(Serialize)]
struct Readiness {
    ready: bool,
    /// Since when nothing was heard from the change log, in milliseconds.
    age_ms: u64,
    /// How far the database's clock is ahead of this node's, in milliseconds.
    clock_skew_ms: i64,
}

/// A path that needs no token and is only read: TRACE is refused here too (T-46).
pub(super) fn read_only(gate: &Gate, request: &Request<'_>, read: fn(&Gate) -> Answer) -> Answer {
    if !matches!(request.heads.said.method, "GET" | "HEAD") {
        let mut answer = Answer::new(StatusCode::METHOD_NOT_ALLOWED, b"");
        answer.lines.add(names::ALLOW, "GET, HEAD");
        return answer;
    }
    let answer = catch_unwind(AssertUnwindSafe(|| read(gate)));
    answer.unwrap_or_else(|_panic| Answer::new(StatusCode::INTERNAL_SERVER_ERROR, b""))
}

/// The process answers. No token is asked for: it tells nothing else.
pub(super) fn alive(_gate: &Gate) -> Answer {
    Answer::new(StatusCode::OK, b"ok\n").of_type("text/plain; charset=utf-8")
}

/// Requests can be judged.
pub(super) fn ready(gate: &Gate) -> Answer {
    let ready = Readiness {
        ready: gate.is_ready(),
        age_ms: u64::try_from(gate.age().as_millis()).unwrap_or(u64::MAX),
        clock_skew_ms: gate.progress().skew_ms(),
    };
    let status = if ready.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    answer::as_json(status, &ready)
}

/// Everything that is counted.
pub(super) async fn metrics(gate: &Gate, request: &Request<'_>) -> Answer {
    let work = async |asking: Asking<'_>| {
        let page = asking.gate.metrics_page().into_bytes();
        Answer::new(StatusCode::OK, page).of_type(Page::MEDIA_TYPE)
    };
    asking(gate, request, Endpoint::Metrics, work).await
}
