//! `/v1/denied`: the body of a refusal, for nginx, which passes on nothing but a status.
//!
//! It renders what it is told, by the proxy alone; so it tells nothing that the proxy did not know.

use actix_http::StatusCode;
use latchkey_rules::code::Code;

use super::request::{Request, text};
use super::{Asking, Endpoint, asking, preflight};
use crate::gate::Gate;
use crate::gate::answer::{self, Answer, Challenge, RETRY_AFTER, Refused, names};
use crate::web::request_id::RequestId;

/// The refusal that `Latchkey-Status`, `-Verdict` and `-Request-Id` name.
pub(super) async fn denied(gate: &Gate, request: &Request<'_>) -> Answer {
    asking(
        gate,
        request,
        Endpoint::Denied,
        async |asking: Asking<'_>| {
            let mut answer = render(&asking);
            answer::readable_by(&mut answer.lines, asking.heads.origin);
            answer
        },
    )
    .await
}

fn render(asking: &Asking<'_>) -> Answer {
    let told = asking.heads.told;
    let (status, fallback) = match told.status.and_then(text) {
        Some("204") => {
            return preflight::allowed(
                asking.gate,
                (asking.heads.asks_method, asking.heads.asks_headers),
            );
        }
        Some("400") => (StatusCode::BAD_REQUEST, Code::RequestInvalid),
        Some("401") => (StatusCode::UNAUTHORIZED, Code::KeyNotFound),
        Some("403") => (StatusCode::FORBIDDEN, Code::ProductUnknown),
        Some("429") => (StatusCode::TOO_MANY_REQUESTS, Code::RateLimited),
        _ => (StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable),
    };
    // A verdict that does not belong to the status says nothing true, and is not handed on.
    let verdict = told
        .verdict
        .and_then(text)
        .and_then(|verdict| Code::from_str(verdict).ok())
        .filter(|code| code.http_status() == status.as_u16())
        .or((fallback == Code::Unavailable).then_some(fallback));
    let own_id = asking.id.as_str();
    let id = told
        .request_id
        .and_then(text)
        .filter(|id| RequestId::is_one(id))
        .unwrap_or(own_id);
    let message = match verdict {
        Some(code) => asking.gate.settings().message(code, code.message()),
        None if fallback == Code::ProductUnknown => "This request was refused.",
        None => fallback.message(),
    };
    let refused = Refused {
        status,
        word: fallback.error_word(),
        verdict,
        message,
        request_id: id,
        challenge: Challenge::KEY,
        // The proxy has them from the verdict itself, and hands them on.
        limits: None,
    };
    let mut answer = answer::refused(&refused, asking.gate.settings());
    if status == StatusCode::TOO_MANY_REQUESTS {
        // Where the proxy has no time from the verdict itself.
        answer.lines.add(names::RETRY_AFTER, RETRY_AFTER);
    }
    answer
}
