//! `/healthz`, `/readyz`, `/metrics`: what orchestrators and Prometheus ask.

use std::panic::{AssertUnwindSafe, catch_unwind};

use actix_web::http::Method;
use actix_web::http::header::{self, ContentType};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::{Asking, Endpoint, asking};
use crate::gate::Gate;
use crate::metrics::Page;

/// What `/readyz` says.
#[derive(Serialize)]
struct Ready {
    ready: bool,
    /// Since when nothing was heard from the change log, in milliseconds.
    age_ms: u64,
}

/// A path that needs no token and is only read: TRACE is refused here too (T-46).
pub(super) fn read_only(
    request: &HttpRequest,
    read: fn(&HttpRequest) -> HttpResponse,
) -> HttpResponse {
    if *request.method() != Method::GET && *request.method() != Method::HEAD {
        return HttpResponse::MethodNotAllowed()
            .insert_header((header::ALLOW, "GET, HEAD"))
            .finish();
    }
    let answer = catch_unwind(AssertUnwindSafe(|| read(request)));
    answer.unwrap_or_else(|_panic| HttpResponse::InternalServerError().finish())
}

/// The process answers. No token is asked for: it tells nothing else.
pub(super) fn alive(_request: &HttpRequest) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .body("ok\n")
}

/// Requests can be judged.
pub(super) fn ready(request: &HttpRequest) -> HttpResponse {
    let Some(gate) = request.app_data::<web::Data<Gate>>() else {
        return HttpResponse::InternalServerError().finish();
    };
    let ready = Ready {
        ready: gate.is_ready(),
        age_ms: u64::try_from(gate.age().as_millis()).unwrap_or(u64::MAX),
    };
    if ready.ready {
        HttpResponse::Ok().json(ready)
    } else {
        HttpResponse::ServiceUnavailable().json(ready)
    }
}

/// Everything that is counted.
pub(super) async fn metrics(request: &HttpRequest) -> HttpResponse {
    asking(request, Endpoint::Metrics, async |asking: Asking<'_>| {
        HttpResponse::Ok()
            .content_type(Page::MEDIA_TYPE)
            .body(asking.gate.metrics_page())
    })
    .await
}
