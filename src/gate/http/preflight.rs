//! `/v1/preflight`: a browser asks whether it may call. It never sends a key then, so the product alone is judged.

use actix_http::header::{self, HeaderValue};
use actix_http::{Request, StatusCode};
use latchkey_rules::code::Code;
use latchkey_rules::verdict::{Caller, product_of};

use super::authorize::{Form, asked, below, refusal, unjudged};
use super::{Asking, Endpoint, asking};
use crate::gate::Gate;
use crate::gate::answer::{self, Answer};
use crate::gate::target::{self, Target};
use crate::web::request_id::RequestId;

/// Where preflights are asked about.
pub(super) const PATH: &str = "/v1/preflight";
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
/// Seconds; more is cut down by browsers.
const MAX_AGE: &str = "7200";
/// Bytes of asked headers that are answered; a page that needs more has gone astray.
const ASKED_BYTES: usize = 1_024;

/// A preflight, by product: 204 or the reason why not.
pub(super) async fn preflight(gate: &Gate, request: &Request) -> Answer {
    asking(
        gate,
        request,
        Endpoint::Preflight,
        async |mut asking: Asking<'_>| {
            asking.heads.said.below = below(asking.request, PATH);
            let target = match target::read(&asking.heads.said) {
                Ok(target) => target,
                Err(error) => return unjudged(&asking, Form::Plain, &error.to_string()),
            };
            let heads = &asking.heads;
            let asks = (heads.asks_method, heads.asks_headers);
            judged(asking.gate, &target, &asking.id, heads.origin, asks)
        },
    )
    .await
}

/// The method and the headers that a page wants to send.
pub(super) type Asks<'a> = (Option<&'a HeaderValue>, Option<&'a HeaderValue>);

/// Whether a request is a preflight.
pub(super) fn is_one(
    method: &str,
    origin: Option<&HeaderValue>,
    asks_method: Option<&HeaderValue>,
) -> bool {
    method == "OPTIONS" && origin.is_some() && asks_method.is_some()
}

/// The answer to a preflight for that target.
pub(super) fn judged(
    gate: &Gate,
    target: &Target<'_>,
    id: &RequestId,
    origin: Option<&HeaderValue>,
    asks: Asks<'_>,
) -> Answer {
    let refused = gate.with_catalogue(|catalogue| {
        match catalogue.map(|catalogue| product_of(&asked(target, &Caller::NOBODY), catalogue)) {
            Some(Ok(_)) => None,
            Some(Err(refusal)) => Some((refusal.code, refusal.message)),
            None => Some((Code::Unavailable, Code::Unavailable.message().into())),
        }
    });
    let mut answer = match refused {
        Some((code, message)) => refusal(code, &message, None, None, gate, id),
        None => allowed(gate, asks),
    };
    answer::readable_by(answer.headers_mut(), origin);
    answer
}

/// 204, with what the page may send: its own method and headers, and those that a key travels in.
pub(super) fn allowed(gate: &Gate, (asks_method, asks_headers): Asks<'_>) -> Answer {
    let mut answer = Answer::new(StatusCode::NO_CONTENT);
    let headers = answer.headers_mut();
    let mut methods = METHODS.to_owned();
    let asked = asks_method.and_then(|method| method.to_str().ok());
    if let Some(method) =
        asked.filter(|method| is_list(method) && !METHODS.split(", ").any(|known| known == *method))
    {
        methods.push_str(", ");
        methods.push_str(method);
    }
    let mut names = gate.settings().key_headers.join(", ");
    names.push_str(", authorization, content-type");
    let asked = asks_headers.and_then(|headers| headers.to_str().ok());
    if let Some(asked) = asked.filter(|asked| is_list(asked)) {
        for name in asked
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            if !names
                .split(", ")
                .any(|known| known.eq_ignore_ascii_case(name))
            {
                names.push_str(", ");
                names.push_str(name);
            }
        }
    }
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        answer::value(&methods),
    );
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, answer::value(&names));
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static(MAX_AGE),
    );
    answer
}

/// Names with commas between them, and nothing else.
fn is_list(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_, ".contains(&byte);
    text.len() <= ASKED_BYTES && text.bytes().all(plain)
}
