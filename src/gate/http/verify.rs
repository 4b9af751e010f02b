//! `POST /v1/verify` and `/v1/verify/batch`: verdicts as JSON, for programs.

use actix_http::StatusCode;
use latchkey_rules::verdict::Caller;

use super::asked::Question;
use super::request::{Body, Request};
use super::{Asking, Endpoint, asked, asking, body};
use crate::gate::Gate;
use crate::gate::answer::{Answer, Failure, json, names};
use crate::gate::judge::{Ask, Judged};
use crate::gate::refusals::Refusal;
use crate::web::request_id::RequestId;

/// One verdict. Every one of them is a 200; what is refused is said inside.
pub(super) async fn one(gate: &Gate, request: &Request<'_>, body: Body<'_>) -> Answer {
    asking(
        gate,
        request,
        Endpoint::Verify,
        async |asking: Asking<'_>| match one_answer(&asking, body).await {
            Ok(answer) => answer,
            Err(failure) => asking.fail(&failure),
        },
    )
    .await
}

async fn one_answer(asking: &Asking<'_>, body: Body<'_>) -> Result<Answer, Failure> {
    let limits = asking.gate.settings().limits;
    let body = body::read(body, asking.heads, limits.body_time, limits.body_bytes).await?;
    let question = asked::one(&body, asking.gate.settings().prefix.as_str())?;
    let id = asking.id;
    let caller = question.caller();
    let (ask, mut refused) = (question.ask(&caller), None);
    let mut write = |judged: &Judged<'_>| {
        refused = Refusal::of(judged, &ask);
        let mut out = Vec::with_capacity(768);
        json::push_verdict(&mut out, judged, id.as_bytes(), asking.gate.settings());
        out
    };
    let out = asking.gate.judge_patiently(&ask, &mut write).await;
    asking.gate.refusals().note(refused, &id);
    Ok(answer(out, &id))
}

/// A verdict for each of many questions, in their order.
pub(super) async fn batch(gate: &Gate, request: &Request<'_>, body: Body<'_>) -> Answer {
    asking(
        gate,
        request,
        Endpoint::Batch,
        async |asking: Asking<'_>| match batch_answer(&asking, body).await {
            Ok(answer) => answer,
            Err(failure) => asking.fail(&failure),
        },
    )
    .await
}

async fn batch_answer(asking: &Asking<'_>, body: Body<'_>) -> Result<Answer, Failure> {
    let limits = asking.gate.settings().limits;
    let body = body::read(body, asking.heads, limits.body_time, limits.batch_bytes).await?;
    let questions = asked::batch(&body, asking.gate.settings().prefix.as_str())?;
    let mut out = Vec::with_capacity(64 + questions.len() * 640);
    out.extend_from_slice(b"{\"results\":[");
    let callers: Vec<Caller<'_>> = questions.iter().map(Question::caller).collect();
    let both = questions.iter().zip(&callers);
    let asks: Vec<Ask<'_>> = both
        .map(|(question, caller)| question.ask(caller))
        .collect();
    let (mut asked, mut refused) = (asks.iter(), Vec::new());
    let mut write = |judged: &Judged<'_>| {
        if !out.ends_with(b"[") {
            out.push(b',');
        }
        let id = RequestId::generate();
        json::push_verdict(&mut out, judged, id.as_bytes(), asking.gate.settings());
        let refusal = asked.next().and_then(|ask| Refusal::of(judged, ask));
        refused.extend(refusal.map(|refusal| (refusal, id)));
    };
    asking.gate.judge_all(&asks, &mut write).await;
    for (refusal, id) in refused {
        asking.gate.refusals().note(Some(refusal), &id);
    }
    out.extend_from_slice(b"]}");
    Ok(answer(out, &asking.id))
}

fn answer(body: Vec<u8>, id: &RequestId) -> Answer {
    let mut answer = Answer::new(StatusCode::OK, body).of_type("application/json");
    answer.lines.add(names::CACHE_CONTROL, "no-store");
    answer.lines.add(names::REQUEST_ID, id.as_str());
    answer
}
