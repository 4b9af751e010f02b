//! Request bodies: how much, how long, and in which coding (T-60).

use std::pin::pin;

use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;
use futures_util::future::poll_immediate;

use super::heads::Heads;
use crate::gate::answer::Failure;
use crate::web::limits::BODY_TIME;

/// The whole body of a request.
pub(super) async fn read(
    payload: Payload,
    heads: &Heads<'_>,
    limit: usize,
) -> Result<Bytes, Failure> {
    if heads.is_encoded {
        return Err(Failure::Encoded);
    }
    let announced = heads
        .content_length
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|len| len > limit) {
        return Err(Failure::TooLarge { limit });
    }
    let mut body = pin!(collect(payload, limit));
    // Nearly every body has come with its head; only one that has not needs a timer.
    match poll_immediate(body.as_mut()).await {
        Some(body) => body,
        None => tokio::time::timeout(BODY_TIME, body)
            .await
            .unwrap_or(Err(Failure::BodyTimeout)),
    }
}

async fn collect(mut payload: Payload, limit: usize) -> Result<Bytes, Failure> {
    let Some(first) = payload.next().await else {
        return Ok(Bytes::new());
    };
    let first = first.map_err(|_broken| Failure::BodyBroken)?;
    if first.len() > limit {
        return Err(Failure::TooLarge { limit });
    }
    let Some(second) = payload.next().await else {
        return Ok(first);
    };
    let mut whole = BytesMut::from(&*first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        let chunk = chunk.map_err(|_broken| Failure::BodyBroken)?;
        if whole.len() + chunk.len() > limit {
            return Err(Failure::TooLarge { limit });
        }
        whole.extend_from_slice(&chunk);
        next = payload.next().await;
    }
    Ok(whole.freeze())
}
