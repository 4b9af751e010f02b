//! The short way through a connection: a request that arrives whole is answered from the bytes that were read.
//!
//! Nearly all that gateways ask is a request of plain HTTP/1.1 that stands in one piece in the first read. The lane reads
//! those, and writes what goes out as one piece; the framework's way, with its timers, maps and states, costs about as
//! much as a verdict. The first bytes that are anything else, such as half a head or a body in chunks, are handed to the
//! framework with the whole connection, which stays there. It must not decide, nor answer what is wrong.

mod head;
mod rewound;

use std::cell::RefCell;
use std::future::poll_fn;
use std::mem::{MaybeUninit, take};
use std::net::IpAddr;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::poll_immediate;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::Gate;
use super::answer::{Answer, http_date};
use super::http::{self, Body, Request};

pub use rewound::Rewound;

/// Bytes of one read. What does not fit into it is not read here.
const READ_BYTES: usize = 16 * 1_024;
/// Buffers that wait for the next connection with something to say.
const SPARE: usize = 32;

/// How long a connection may say nothing.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// Before its first request.
    pub first: Duration,
    /// After an answer, and for as long an answer may find no reader. Looked at so rarely that it can come to twice as much.
    pub next: Duration,
}

/// The lane of one thread.
pub struct Lane {
    gate: Gate,
    waits: Waits,
    /// Buffers that no connection holds: one that is silent needs none.
    spare: RefCell<Vec<Vec<u8>>>,
    /// The last second since 1970 that was written, and how.
    date: RefCell<(i64, String)>,
}

/// What becomes of a connection whose input was looked at.
enum Then {
    Stays,
    Ends,
    /// It leaves, and the framework reads on from this byte.
    Leaves(usize),
}

/// A request and how it ends.
struct Asked<'a> {
    request: Request<'a>,
    body: Body<'a>,
    /// Bytes of all of it.
    len: usize,
    is_last: bool,
}

impl Lane {
    /// A lane to this gate.
    pub fn new(gate: Gate, waits: Waits) -> Self {
        Self {
            gate,
            waits,
            spare: RefCell::default(),
            date: RefCell::new((i64::MIN, String::new())),
        }
    }

    /// Answers requests until the connection ends, which comes to nothing, or until it leaves the lane. `ending` is ready
    /// when the server is told to end: who is silent then is not waited for.
    pub async fn serve<T>(
        &self,
        mut io: T,
        peer: Option<IpAddr>,
        ending: impl Future<Output = ()>,
    ) -> Option<Rewound<T>>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let mut ending = pin!(ending);
        let mut silence = pin!(sleep(self.waits.first));
        let mut has_answered = false;
        loop {
            let mut input = poll_fn(|cx| {
                if let Poll::Ready(input) = self.poll_input(&mut io, cx) {
                    return Poll::Ready(input);
                }
                if ending.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(None);
                }
                // Set anew when it is over rather than with each answer, which would cost as much as reading a head.
                while silence.as_mut().poll(cx).is_ready() {
                    if !take(&mut has_answered) {
                        return Poll::Ready(None);
                    }
                    silence.set(sleep(self.waits.next));
                }
                Poll::Pending
            })
            .await?;
            match self.answer_all(&mut io, peer, &input).await {
                Then::Stays => self.put(input),
                Then::Ends => return None,
                Then::Leaves(from) => {
                    input.drain(..from);
                    return Some(Rewound::new(input, io));
                }
            }
            has_answered = true;
        }
    }

    /// What the connection has to say; nothing when it ended.
    fn poll_input<T>(&self, io: &mut T, cx: &mut Context<'_>) -> Poll<Option<Vec<u8>>>
    where
        T: AsyncRead + Unpin,
    {
        let mut input = self.take();
        let read = pin!(io.read_buf(&mut input)).poll(cx);
        match read {
            Poll::Ready(Ok(1..)) => Poll::Ready(Some(input)),
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => {
                self.put(input);
                Poll::Pending
            }
        }
    }

    /// Answers the requests in these bytes, one after another.
    async fn answer_all<T>(&self, io: &mut T, peer: Option<IpAddr>, input: &[u8]) -> Then
    where
        T: AsyncWrite + Unpin,
    {
        let mut out = self.take();
        let mut left = input;
        while !left.is_empty() {
            let Some(asked) = self.read(left, peer) else {
                return Then::Leaves(input.len() - left.len());
            };
            let answer = http::answer(&self.gate, &asked.request, asked.body).await;
            let is_last = asked.is_last || answer.closes;
            self.write(&answer, is_last, &mut out);
            if !self.send(io, &out).await {
                return Then::Ends;
            }
            if is_last {
                return Then::Ends;
            }
            out.clear();
            left = left.get(asked.len..).unwrap_or_default();
        }
        self.put(out);
        Then::Stays
    }

    fn read<'a>(&'a self, bytes: &'a [u8], peer: Option<IpAddr>) -> Option<Asked<'a>> {
        let mut room = [const { MaybeUninit::uninit() }; head::MAX_HEADERS];
        let whole = head::whole(bytes, &mut room)?;
        let line = (whole.method, whole.target);
        Some(Asked {
            request: Request::read(line, whole.headers, peer, &self.gate),
            body: Body::Whole(whole.body),
            len: whole.len,
            is_last: whole.is_last,
        })
    }

    fn write(&self, answer: &Answer, is_last: bool, out: &mut Vec<u8>) {
        let now = self.gate.inner.judge.clock.now();
        let mut date = self.date.borrow_mut();
        if date.0 != now.secs() {
            *date = (now.secs(), http_date(now).unwrap_or_default());
        }
        answer.write(out, date.1.as_bytes(), is_last);
    }

    /// Whether all of it went out.
    async fn send(&self, io: &mut (impl AsyncWrite + Unpin), out: &[u8]) -> bool {
        let mut sending = pin!(io.write_all(out));
        // Nearly always there is room for it; only where there is none it needs a timer.
        match poll_immediate(sending.as_mut()).await {
            Some(sent) => sent.is_ok(),
            None => matches!(timeout(self.waits.next, sending).await, Ok(Ok(()))),
        }
    }

    fn take(&self) -> Vec<u8> {
        let spare = self.spare.borrow_mut().pop();
        spare.unwrap_or_else(|| Vec::with_capacity(READ_BYTES))
    }

    fn put(&self, mut buffer: Vec<u8>) {
        let mut spare = self.spare.borrow_mut();
        if spare.len() < SPARE && buffer.capacity() <= 2 * READ_BYTES {
            buffer.clear();
            spare.push(buffer);
        }
    }
}
