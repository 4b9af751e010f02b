//! `/v1/authorize` and `/v1/nginx/authorize`: forward-auth. The proxy asks about the request that stands at its door.

use actix_http::StatusCode;
use latchkey_rules::code::Code;
use latchkey_rules::path::{forward_uri, split_target};
use latchkey_rules::verdict::{Asked, Caller, Target as Place};

use super::request::Request;
use super::{Asking, Endpoint, asking, caller, preflight};
use crate::gate::Gate;
use crate::gate::answer::{self, Answer, Challenge, Refused, names};
use crate::gate::judge::{Ask, AskedKey, Judged, JudgedLimits};
use crate::gate::read_key::{Offered, Source, names_to_strip};
use crate::gate::refusals::Refusal;
use crate::gate::target::{self, Said, Target};
use crate::web::request_id::RequestId;

/// Where proxies and programs ask.
pub(super) const PLAIN: &str = "/v1/authorize";
/// Where nginx asks.
pub(super) const NGINX: &str = "/v1/nginx/authorize";

/// How the asking proxy wants its answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The status is the verdict's own.
    Plain,
    /// 200, 401 or 403 only, since nginx makes a 500 of anything else; the true status stands in a header.
    Nginx,
}

/// For Caddy, Traefik, Envoy and programs.
pub(super) async fn plain(gate: &Gate, request: &Request<'_>) -> Answer {
    let below = request.below(PLAIN);
    let work = async |asking: Asking<'_>| answer_to(asking, Form::Plain, below).await;
    asking(gate, request, Endpoint::Authorize, work).await
}

/// For nginx.
pub(super) async fn nginx(gate: &Gate, request: &Request<'_>) -> Answer {
    let work = async |asking: Asking<'_>| answer_to(asking, Form::Nginx, None).await;
    asking(gate, request, Endpoint::Nginx, work).await
}

async fn answer_to<'r>(asking: Asking<'r>, form: Form, below: Option<&'r str>) -> Answer {
    let said = Said {
        below,
        ..asking.heads.said
    };
    match target::read(&said) {
        Ok(target) => judged(asking, &target, form).await,
        Err(error) => unjudged(&asking, form, &error.to_string()),
    }
}

async fn judged(asking: Asking<'_>, target: &Target<'_>, form: Form) -> Answer {
    let Asking { gate, heads, id } = asking;
    let find_address = || heads.sender.address(gate.settings());
    let caller = caller::caller(heads, &find_address);
    let (_, query) = split_target(target.uri);
    let mut key = heads.key.clone();
    if let Some(query) = query {
        key.query(query, &gate.settings().key_query);
    }
    let (origin, offered) = (heads.origin, key.done());
    let is_preflight = preflight::is_one(target.method, origin, heads.asks_method);
    if form == Form::Nginx && is_preflight && offered == Offered::Missing {
        let asks = (heads.asks_method, heads.asks_headers);
        let mut answer = preflight::judged(gate, target, &id, origin, asks);
        nginx_status(&mut answer);
        return answer;
    }
    let ask = Ask {
        key: asked_key(&offered, gate),
        asked: asked(target, &caller),
        cost: 1,
        is_plain: is_plain(heads.is_plain, target.host),
        counted: true,
    };
    let mut refused = None;
    let mut write = |judged: &Judged<'_>| {
        refused = Refusal::of(judged, &ask);
        let mut answer = match admitted(judged, target, query, gate, &id) {
            Some(answer) => answer,
            None => refused_by(judged, gate, &id),
        };
        answer::readable_by(&mut answer.lines, origin);
        answer
    };
    let mut answer = gate.judge_patiently(&ask, &mut write).await;
    gate.refusals().note(refused, &id);
    if form == Form::Nginx && answer.status != StatusCode::OK {
        nginx_status(&mut answer);
    }
    answer
}

/// Whether the proxy took the request without encryption. A developer's own machine is no open line.
fn is_plain(says_http: bool, host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    says_http && !matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

fn asked_key<'a>(offered: &'a Offered<'_>, gate: &Gate) -> AskedKey<'a> {
    let (text, source) = match offered {
        Offered::Missing => return AskedKey::Missing,
        Offered::TwoKeys => return AskedKey::TwoKeys,
        Offered::One(text, source) => (text, *source),
    };
    gate.metrics().source(source);
    match source {
        Source::Query => AskedKey::InQuery(text),
        Source::Header | Source::Authorization => AskedKey::Text(text),
    }
}

/// What a target asks of a key.
pub(super) fn asked<'a>(target: &Target<'a>, caller: &'a Caller<'a>) -> Asked<'a> {
    Asked {
        target: Place::Route {
            host: target.host,
            path: target.uri,
            slug: None,
        },
        method: target.method,
        caller,
    }
}

fn admitted(
    judged: &Judged<'_>,
    target: &Target<'_>,
    query: Option<&str>,
    gate: &Gate,
    id: &RequestId,
) -> Option<Answer> {
    let settings = gate.settings();
    let key = judged.key.filter(|_| judged.code == Code::Valid)?;
    let names = names_to_strip(
        &settings.prefix,
        query,
        &settings.key_query,
        judged.reads_query,
    );
    let uri = forward_uri(target.uri, names).ok()?;
    let product = judged.product.unwrap_or("-");
    let limits = judged.limits.as_ref();
    Some(answer::admitted(&key, product, id, &uri, limits))
}

fn refused_by(judged: &Judged<'_>, gate: &Gate, id: &RequestId) -> Answer {
    // A verdict that allows and yet has no target to send on is closed.
    let code = if judged.code == Code::Valid {
        Code::Unavailable
    } else {
        judged.code
    };
    let message = if code == judged.code {
        judged.message
    } else {
        code.message()
    };
    refusal(
        code,
        message,
        judged.product,
        judged.limits.as_ref(),
        gate,
        id,
    )
}

/// A refusal with its verdict.
pub(super) fn refusal(
    code: Code,
    message: &str,
    product: Option<&str>,
    limits: Option<&JudgedLimits>,
    gate: &Gate,
    id: &RequestId,
) -> Answer {
    let refused = Refused {
        status: StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
        word: code.error_word(),
        verdict: Some(code),
        message: gate.settings().message(code, message),
        request_id: id.as_str(),
        challenge: Challenge::key_for(product),
        limits,
    };
    answer::refused(&refused, gate.settings())
}

/// A request that does not say, or says twice, what it asks about.
pub(super) fn unjudged(asking: &Asking<'_>, form: Form, why: &str) -> Answer {
    let gate = asking.gate;
    let (code, why) = if gate.knows_nothing() {
        (Code::Unavailable, Code::Unavailable.message())
    } else {
        (Code::RequestInvalid, why)
    };
    gate.metrics().verdict(code);
    let refused = Refusal { code, key_id: None };
    gate.refusals().note(Some(refused), &asking.id);
    let mut answer = refusal(code, why, None, None, gate, &asking.id);
    answer::readable_by(&mut answer.lines, asking.heads.origin);
    if form == Form::Nginx {
        nginx_status(&mut answer);
    }
    answer
}

/// The true status goes into a header, and one that nginx passes on takes its place.
fn nginx_status(answer: &mut Answer) {
    answer.lines.add(names::STATUS, answer.status.as_str());
    if answer.status != StatusCode::UNAUTHORIZED {
        answer.status = StatusCode::FORBIDDEN;
    }
}
