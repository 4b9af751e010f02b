//! Request bodies: how much, how long, and in which coding (T-60).

use std::ops::Deref;
use std::pin::pin;
use std::time::Duration;

use actix_http::Payload;
use actix_web::web::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::future::poll_immediate;

use super::heads::Heads;
use super::request::{Body, text};
use crate::gate::answer::Failure;

/// A body that is there.
pub(super) enum Whole<'a> {
    /// In the bytes of the request.
    Borrowed(&'a [u8]),
    /// Collected piece by piece.
    Collected(Bytes),
}

impl Deref for Whole<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(body) => body,
            Self::Collected(body) => body,
        }
    }
}

/// The whole body of a request.
pub(super) async fn read<'a>(
    body: Body<'a>,
    heads: &Heads<'_>,
    time: Duration,
    limit: usize,
) -> Result<Whole<'a>, Failure> {
    if heads.is_encoded {
        return Err(Failure::Encoded);
    }
    let announced = heads
        .content_length
        .and_then(|value| text(value)?.parse::<usize>().ok());
    if announced.is_some_and(|len| len > limit) {
        return Err(Failure::TooLarge { limit });
    }
    match body {
        Body::Whole(body) if body.len() > limit => Err(Failure::TooLarge { limit }),
        Body::Whole(body) => Ok(Whole::Borrowed(body)),
        Body::Arriving(payload) => {
            let collected = within(time, collect(payload, limit)).await?;
            Ok(Whole::Collected(collected))
        }
    }
}

/// A body that comes in time.
async fn within(
    time: Duration,
    body: impl Future<Output = Result<Bytes, Failure>>,
) -> Result<Bytes, Failure> {
    let mut body = pin!(body);
    // Nearly every body has come with its head; only one that has not needs a timer.
    match poll_immediate(body.as_mut()).await {
        Some(body) => body,
        None => tokio::time::timeout(time, body)
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

#[cfg(test)]
mod tests {
    use actix_http::error::PayloadError;
    use actix_web::rt;
    use futures_util::stream;

    use super::*;

    fn arriving(
        chunks: Vec<&'static [u8]>,
        ends: bool,
    ) -> impl Future<Output = Result<Bytes, Failure>> {
        let chunks =
            stream::iter(chunks).map(|chunk| Ok::<_, PayloadError>(Bytes::from_static(chunk)));
        let stream = if ends {
            chunks.boxed_local()
        } else {
            chunks.chain(stream::pending()).boxed_local()
        };
        let payload = Payload::from(stream);
        async move { within(Duration::from_millis(50), collect(payload, 8)).await }
    }

    #[test]
    fn t_60_a_body_that_never_ends_is_given_up() {
        rt::System::new().block_on(async {
            assert_eq!(
                arriving(vec![b"ab"], false).await,
                Err(Failure::BodyTimeout)
            );
            assert_eq!(arriving(vec![], false).await, Err(Failure::BodyTimeout));
        });
    }

    #[test]
    fn t_60_a_body_in_pieces_is_put_together_up_to_its_limit() {
        rt::System::new().block_on(async {
            assert_eq!(arriving(vec![], true).await, Ok(Bytes::new()));
            let whole = arriving(vec![b"ab", b"cd", b"efgh"], true).await;
            assert_eq!(whole, Ok(Bytes::from_static(b"abcdefgh")));
            let too_large = Err(Failure::TooLarge { limit: 8 });
            assert_eq!(arriving(vec![b"abcd", b"efghi"], true).await, too_large);
            assert_eq!(arriving(vec![b"abcdefghi"], true).await, too_large);
        });
    }
}
