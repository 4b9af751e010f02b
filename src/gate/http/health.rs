//! `/healthz`, `/readyz`, `/metrics`: what orchestrators and Prometheus ask.

use std::panic::{AssertUnwindSafe, catch_unwind};

use actix_http::body::BoxBody;
use actix_http::header::{self, HeaderValue};
use actix_http::{Method, Request, StatusCode};
use serde::Serialize;

use super::{Asking, Endpoint, asking};
use crate::gate::Gate;
use crate::gate::answer::{self, Answer};
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
pub(super) fn read_only(gate: &Gate, request: &Request, read: fn(&Gate) -> Answer) -> Answer {
    if *request.method() != Method::GET && *request.method() != Method::HEAD {
        let mut answer = Answer::new(StatusCode::METHOD_NOT_ALLOWED);
        let allow = HeaderValue::from_static("GET, HEAD");
        answer.headers_mut().insert(header::ALLOW, allow);
        return answer;
    }
    let answer = catch_unwind(AssertUnwindSafe(|| read(gate)));
    answer.unwrap_or_else(|_panic| Answer::new(StatusCode::INTERNAL_SERVER_ERROR))
}

/// The process answers. No token is asked for: it tells nothing else.
pub(super) fn alive(_gate: &Gate) -> Answer {
    text("text/plain; charset=utf-8", "ok\n")
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
pub(super) async fn metrics(gate: &Gate, request: &Request) -> Answer {
    let work = async |asking: Asking<'_>| text(Page::MEDIA_TYPE, asking.gate.metrics_page());
    asking(gate, request, Endpoint::Metrics, work).await
}

fn text(media_type: &'static str, body: impl Into<String>) -> Answer {
    let mut answer = Answer::with_body(StatusCode::OK, BoxBody::new(body.into()));
    let media_type = HeaderValue::from_static(media_type);
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    answer
}
