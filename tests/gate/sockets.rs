//! The gate on a real listener, spoken to byte by byte: framing that two readers could read differently (T-46).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use actix_web::rt;
use latchkey::app::serve_gate;
use latchkey::gate::Gate;

use crate::world::World;

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
