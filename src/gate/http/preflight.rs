//! `/v1/preflight`: a browser asks whether it may call. It never sends a key then, so the product alone is judged.

use actix_http::StatusCode;
use latchkey_rules::code::Code;
use latchkey_rules::verdict::{Caller, product_of};

use super::authorize::{Form, asked, refusal, unjudged};
use super::request::{Request, text};
use super::{Asking, Endpoint, asking};
use crate::gate::Gate;
use crate::gate::answer::{self, Answer, names};
use crate::gate::target::{self, Said, Target};
use crate::web::request_id::RequestId;

/// Where preflights are asked about.
pub(super) const PATH: &str = "/v1/preflight";
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
/// Seconds; more is cut down by browsers.
const MAX_AGE: &str = "7200";
/// Bytes of asked headers that are answered; a page that needs more has gone astray.
const ASKED_BYTES: usize = 1_024;

/// A preflight, by product: 204 or the reason why not.
pub(super) async fn preflight(gate: &Gate, request: &Request<'_>) -> Answer {
    let below = request.below(PATH);
    let work = async |asking: Asking<'_>| {
        let heads = asking.heads;
        let said = Said {
            below,
            ..heads.said
        };
        let target = match target::read(&said) {
            Ok(target) => target,
            Err(error) => return unjudged(&asking, Form::Plain, &error.to_string()),
        };
        let asks = (heads.asks_method, heads.asks_headers);
        judged(asking.gate, &target, &asking.id, heads.origin, asks)
    };
    asking(gate, request, Endpoint::Preflight, work).await
}

/// The method and the headers that a page wants to send.
pub(super) type Asks<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// Whether a request is a preflight.
pub(super) fn is_one(method: &str, origin: Option<&[u8]>, asks_method: Option<&[u8]>) -> bool {
    method == "OPTIONS" && origin.is_some() && asks_method.is_some()
}

/// The answer to a preflight for that target.
pub(super) fn judged(
    gate: &Gate,
    target: &Target<'_>,
    id: &RequestId,
    origin: Option<&[u8]>,
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
    answer::readable_by(&mut answer.lines, origin);
    answer
}

/// 204, with what the page may send: its own method and headers, and those that a key travels in.
pub(super) fn allowed(gate: &Gate, (asks_method, asks_headers): Asks<'_>) -> Answer {
    let mut answer = Answer::new(StatusCode::NO_CONTENT, b"");
    let mut methods = METHODS.to_owned();
    let asked = asks_method.and_then(text);
    if let Some(method) =
        asked.filter(|method| is_list(method) && !METHODS.split(", ").any(|known| known == *method))
    {
        methods.push_str(", ");
        methods.push_str(method);
    }
    let mut sent = gate.settings().key_headers.join(", ");
    sent.push_str(", authorization, content-type");
    let asked = asks_headers.and_then(text);
    if let Some(asked) = asked.filter(|asked| is_list(asked)) {
        for name in asked
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            if !sent
                .split(", ")
                .any(|known| known.eq_ignore_ascii_case(name))
            {
                sent.push_str(", ");
                sent.push_str(name);
            }
        }
    }
    let lines = &mut answer.lines;
    lines.add(names::ACCESS_CONTROL_ALLOW_METHODS, &methods);
    lines.add(names::ACCESS_CONTROL_ALLOW_HEADERS, &sent);
    lines.add(names::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    answer
}

/// Names with commas between them, and nothing else.
fn is_list(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_, ".contains(&byte);
    text.len() <= ASKED_BYTES && text.bytes().all(plain)
}
