//! T-46: whatever the lane takes of a connection's bytes, the framework would have answered alike, byte for byte but for
//! the date, the names of the requests and the order of the headers.
//!
//! The bytes are a connection's whole input. `{live}` stands for a secret, which is new each time.

use std::future::pending;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use actix_http::HttpService;
use actix_service::{IntoServiceFactory, Service, ServiceFactory, fn_service};
use actix_web::rt::{System, SystemRunner};
use latchkey::gate::{Gate, Lane, Waits};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;

use crate::world::World;

/// Of what both sides may write.
const ROOM: usize = 1 << 20;
const LONG: Duration = Duration::from_secs(10);

/// An answer, as far as both have to agree about it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    status: String,
    headers: Vec<String>,
    body: String,
    is_last: bool,
}

/// Two gates that know the same keys: one answers on the lane, one behind the framework, so that each counts for itself.
pub(crate) struct Rig {
    system: SystemRunner,
    lane: Rc<Lane>,
    framed: Gate,
    live: String,
    peer: SocketAddr,
    /// Holds the store's folder.
    _world: World,
}

impl Rig {
    pub(crate) fn new() -> Self {
        let world = World::new();
        let live = world.plain_key().secret().to_owned();
        let waits = Waits {
            first: LONG,
            next: LONG,
        };
        Self {
            system: System::new(),
            lane: Rc::new(Lane::new(world.gate(), waits)),
            framed: world
                .gate_with(|settings| settings.data_dir = settings.data_dir.join("framed")),
            live,
            peer: SocketAddr::from(([127, 0, 0, 1], 40_000)),
            _world: world,
        }
    }

    /// How many requests the lane took of these bytes.
    pub(crate) fn check(&self, data: &[u8]) -> usize {
        let bytes = self.with_secrets(data);
        self.system.block_on(async {
            let (on_lane, left) = self.on_lane(&bytes).await;
            let taken = bytes.len() - left;
            let framed = self.framed(&bytes[..taken]).await;
            let (on_lane, framed) = (answers(&on_lane), answers(&framed));
            agree(&on_lane, &framed, &String::from_utf8_lossy(&bytes));
            on_lane.len()
        })
    }

    fn with_secrets(&self, data: &[u8]) -> Vec<u8> {
        // Each byte as one character, so that what is no UTF-8 stays what it is.
        let text: String = data.iter().copied().map(char::from).collect();
        let text = text.replace("{live}", &self.live);
        text.chars().map(|c| u8::try_from(c).unwrap()).collect()
    }

    /// What the lane answers, and how many bytes it leaves to the framework.
    async fn on_lane(&self, bytes: &[u8]) -> (Vec<u8>, usize) {
        let (near, far) = duplex(ROOM);
        let far = said_to(far, bytes).await;
        let left = self.lane.serve(near, Some(self.peer.ip()), pending());
        let left = timeout(LONG, left).await.expect("the lane comes to an end");
        let mut rest = Vec::new();
        if let Some(mut rewound) = left {
            rewound.read_to_end(&mut rest).await.unwrap();
        }
        (heard_by(far).await, rest.len())
    }

    async fn framed(&self, bytes: &[u8]) -> Vec<u8> {
        let (near, far) = duplex(ROOM);
        let far = said_to(far, bytes).await;
        let gate = self.framed.clone();
        let answered = move |request| {
            let gate = gate.clone();
            async move { Ok::<_, actix_web::Error>(gate.answer(request).await) }
        };
        let factory = HttpService::build().h1(fn_service(answered)).into_factory();
        let service = factory.new_service(()).await.unwrap();
        let served = timeout(LONG, service.call((near, Some(self.peer)))).await;
        // A client that is gone is an error to the framework, and none to what it answered before.
        drop(served.expect("the framework comes to an end"));
        heard_by(far).await
    }
}

/// They agree, but for when the framework says that a connection ends: it does so already with an answer before the one
/// that is the last, where both requests had come, and with a body that nobody wanted to read. After such a body it may end
/// it; the lane read it with its head, and goes on.
fn agree(on_lane: &[Said], framed: &[Said], bytes: &str) {
    for (ours, theirs) in on_lane.iter().zip(framed) {
        let expected = Said {
            is_last: theirs.is_last && ours.is_last,
            ..theirs.clone()
        };
        assert_eq!(*ours, expected, "{bytes}");
    }
    let left_a_body = framed.last().is_some_and(|last| last.is_last)
        && bytes.to_lowercase().contains("content-length");
    assert!(on_lane.len() == framed.len() || left_a_body, "{bytes}");
}

/// Says these bytes, and nothing after them.
async fn said_to(mut far: DuplexStream, bytes: &[u8]) -> DuplexStream {
    far.write_all(bytes).await.unwrap();
    far.shutdown().await.unwrap();
    far
}

async fn heard_by(mut far: DuplexStream) -> Vec<u8> {
    let mut heard = Vec::new();
    far.read_to_end(&mut heard).await.unwrap();
    heard
}

fn answers(bytes: &[u8]) -> Vec<Said> {
    let (mut said, mut left) = (Vec::new(), bytes);
    while !left.is_empty() {
        let head_len = left.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
        // Each byte as one character: an answer may repeat what is no UTF-8.
        let head: String = left[..head_len].iter().copied().map(char::from).collect();
        let mut lines = head.split("\r\n").map(without_id);
        let status = lines.next().unwrap();
        let of_answer =
            |line: &String| !line.starts_with("date: ") && !line.starts_with("connection: ");
        let mut headers: Vec<String> = lines.filter(of_answer).collect();
        headers.sort_unstable();
        let is_last = head.contains("\r\nconnection: close");
        let length = headers
            .iter()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        let (body, rest) = left[head_len + 4..].split_at(length);
        left = rest;
        let body = without_id(std::str::from_utf8(body).unwrap());
        said.push(Said {
            status,
            headers,
            body,
            is_last,
        });
    }
    said
}

/// The text without the names of requests, which differ each time.
fn without_id(text: &str) -> String {
    let mut parts = text.split("req_");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let is_id = |c: char| c.is_ascii_alphanumeric();
        format!("{text}req_{}", part.trim_start_matches(is_id))
    })
}
