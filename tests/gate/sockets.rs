//! The gate on a real listener, spoken to byte by byte: framing that two readers could read differently (T-46).

use std::future::pending;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use actix_web::rt;
use latchkey::app::serve_gate;
use latchkey::gate::{Gate, Lane, Waits};
use tokio::io::{AsyncWriteExt, duplex};
use tokio::time::timeout;

use crate::world::World;

const LONG: Duration = Duration::from_secs(10);

/// Serves the gate on a free port until the guard goes.
struct Served {
    address: SocketAddr,
    handle: actix_web::dev::ServerHandle,
    thread: Option<thread::JoinHandle<()>>,
}

impl Served {
    fn new(gate: &Gate) -> Self {
        let gate = gate.clone();
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            rt::System::new().block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let address = listener.local_addr().unwrap();
                let server = serve_gate(listener, gate).unwrap();
                tell.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, handle) = told.recv().unwrap();
        Self {
            address,
            handle,
            thread: Some(thread),
        }
    }

    /// A connection whose reads are given up after ten seconds.
    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        socket
    }

    /// Everything that is answered to these bytes, until the server closes or says nothing for a second.
    fn say(&self, bytes: &[u8]) -> String {
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(1)))
            .unwrap();
        socket.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let mut some = [0; 4_096];
        while let Ok(len @ 1..) = socket.read(&mut some) {
            answer.extend_from_slice(&some[..len]);
        }
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let stopping = self.handle.stop(false);
        rt::System::new().block_on(stopping);
        self.thread.take().map(thread::JoinHandle::join);
    }
}

fn statuses(answer: &str) -> Vec<&str> {
    let lines = answer.split("HTTP/1.1 ").skip(1);
    lines.map(|rest| rest.split_at(3).0).collect()
}

#[test]
fn t_46_ambiguous_framing_is_refused_and_nothing_is_smuggled() {
    let world = World::new();
    let gate = world.gate();
    let served = Served::new(&gate);
    let smuggled = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    for (what, head) in [
        (
            "length and chunks",
            "POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "two lengths",
            "POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
        ),
        (
            "a signed length",
            "POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}",
        ),
        (
            "an unknown coding",
            "POST /v1/verify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: odd\r\n\r\n{}",
        ),
        (
            "two hosts",
            "GET /v1/authorize/maps HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        ),
        ("no host", "GET /v1/authorize/maps HTTP/1.1\r\n\r\n"),
    ] {
        let answer = served.say(format!("{head}{smuggled}").as_bytes());
        assert_eq!(statuses(&answer).first(), Some(&"400"), "{what}: {answer}");
        assert_eq!(statuses(&answer).len(), 1, "{what}: {answer}");
    }
}

#[test]
fn t_46_trace_is_405_and_hands_nothing_back() {
    let world = World::new();
    let gate = world.gate();
    let served = Served::new(&gate);
    let answer =
        served.say(b"TRACE /v1/authorize HTTP/1.1\r\nHost: x\r\nX-API-Key: canary\r\n\r\n");
    assert_eq!(statuses(&answer), ["405"]);
    assert!(!answer.contains("canary"));
}

#[test]
fn two_requests_on_one_connection_are_two_verdicts() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    let served = Served::new(&gate);
    let one = |secret: &str| {
        format!(
            "GET /v1/authorize/maps/1 HTTP/1.1\r\nHost: api.example.com\r\nX-API-Key: {secret}\r\n\r\n"
        )
    };
    let answer = served.say(format!("{}{}", one(key.secret()), one("junk")).as_bytes());
    assert_eq!(statuses(&answer), ["200", "401"]);
}

/// Reads answers without bodies that are left open until there are so many.
fn read_statuses(socket: &mut TcpStream, count: usize) -> Vec<String> {
    let (mut answer, mut some) = (String::new(), [0; 4_096]);
    while statuses(&answer).len() < count || !answer.ends_with("ok\n") {
        let len = socket.read(&mut some).unwrap();
        assert_ne!(len, 0, "{answer}");
        answer.push_str(&String::from_utf8_lossy(&some[..len]));
    }
    statuses(&answer).into_iter().map(str::to_owned).collect()
}

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn a_request_that_comes_in_pieces_is_answered_after_those_that_came_whole() {
    let world = World::new();
    let gate = world.gate();
    let served = Served::new(&gate);
    let mut socket = served.connect();
    let (begun, rest) = HEALTH.split_at(HEALTH.len() - 3);
    socket
        .write_all(format!("{HEALTH}{HEALTH}{begun}").as_bytes())
        .unwrap();
    assert_eq!(read_statuses(&mut socket, 2), ["200", "200"]);
    // What is whole again after it is answered as well, by whoever has the connection now.
    socket
        .write_all(format!("{rest}{HEALTH}").as_bytes())
        .unwrap();
    assert_eq!(read_statuses(&mut socket, 2), ["200", "200"]);
}

#[test]
fn a_server_that_ends_closes_a_connection_that_waits_for_its_next_request() {
    let world = World::new();
    let gate = world.gate();
    let served = Served::new(&gate);
    let mut after_an_answer = served.connect();
    after_an_answer.write_all(HEALTH.as_bytes()).unwrap();
    assert_eq!(read_statuses(&mut after_an_answer, 1), ["200"]);
    let ending = served.handle.stop(true);
    let ended = thread::spawn(|| rt::System::new().block_on(ending));
    assert_eq!(after_an_answer.read(&mut [0; 16]).unwrap(), 0);
    ended.join().unwrap();
}

#[test]
fn t_60_a_connection_that_says_nothing_is_closed() {
    let world = World::new();
    let gate = world.gate_with(|settings| {
        settings.limits.head_time = Duration::from_millis(50);
    });
    let served = Served::new(&gate);
    let mut socket = served.connect();
    assert_eq!(socket.read(&mut [0; 16]).unwrap(), 0);
}

#[test]
fn t_60_an_answer_that_nobody_reads_and_a_silence_after_one_are_given_up() {
    let world = World::new();
    let soon = Duration::from_millis(50);
    let waits = Waits {
        first: soon,
        next: soon,
    };
    let lane = Lane::new(world.gate(), waits);
    rt::System::new().block_on(async {
        for room in [64, 4_096] {
            let (near, mut far) = duplex(room);
            far.write_all(HEALTH.as_bytes()).await.unwrap();
            let served = timeout(LONG, lane.serve(near, None, pending())).await;
            assert!(matches!(served, Ok(None)), "{room}");
        }
    });
}
