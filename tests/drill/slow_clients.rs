//! a thousand clients that send a byte a second and never end, and thousands that hold a connection and say nothing.
//! The others are answered as fast as before, on both listeners.

use crate::books::Site;
use crate::figures::Times;
use crate::line;
use crate::load::{self, Load};
use crate::needs;
use crate::operator::{PRODUCT, make_key, sign_up};
use crate::page::Browser;
use crate::process::Latchkey;
use crate::vitals::open_files;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

const SLOW: usize = 1_000;
/// Each guest has its turn once a second, spread as evenly as strangers are: it is the server's work that counts, not a burst
/// of ours.
const TURNS: usize = 1_000;
const PAUSE: Duration = Duration::from_millis(1);
/// At most so many come back in a turn.
const COME_BACK: usize = 1;
const GOOD_A_SECOND: u32 = 200;
const MEASURED: Duration = Duration::from_secs(20);

/// So many idle connections beside the slow ones.
pub(crate) fn drill(idle: u32) {
    let idle = usize::try_from(idle).expect("a number of connections");
    let site = Site::on_sqlite();
    let latchkey = site.installation.serve();
    let owner = sign_up(&latchkey, "Olga Owner", "Owner Maps", "olga@owner.example");
    let mut browser = Browser::signed_in(&latchkey.portal, &owner);
    let account = owner.account.as_deref().expect("an account");
    let secret = make_key(&mut browser, account, "A key").secret;
    needs::soon("a new key", || {
        (latchkey.code(&secret, PRODUCT) == "VALID").then_some(())
    });
    let verdict = line::authorize(&secret);
    let page = format!("GET /sign-in HTTP/1.1\r\nHost: {}\r\n\r\n", latchkey.portal);
    for (what, address, ask) in [
        ("the gate", &latchkey.gate, verdict),
        ("the portal", &latchkey.portal, page.into_bytes()),
    ] {
        let without = others(address, &ask);
        println!("{what} alone           {without}");
        let with = beside(&latchkey, address, &ask, idle);
        println!("{what} beside them     {with}");
        assert!(with.p99() <= without.p99() * 2, "the others wait at {what}");
    }
}

/// How long good requests take. Each is answered.
fn others(address: &str, ask: &[u8]) -> Times {
    let ask = ask.to_vec();
    let load = Load::begin(address, GOOD_A_SECOND, 2, move |_| (0, ask.clone()));
    thread::sleep(MEASURED);
    let samples = load.end();
    let failed = samples.iter().filter(|sample| sample.status != 200).count();
    assert_eq!(failed, 0, "of {} good requests", samples.len());
    load::times(&samples)
}

/// The same beside slow and idle clients.
fn beside(latchkey: &Latchkey, address: &str, ask: &[u8], idle: usize) -> Times {
    let over = AtomicBool::new(false);
    let standing = AtomicUsize::new(0);
    let times = thread::scope(|scope| {
        scope.spawn(|| crowd(address, idle, &over, &standing));
        needs::within(Duration::from_mins(1), "all are connected", || {
            (standing.load(Ordering::SeqCst) >= SLOW + idle).then_some(())
        });
        let before = open_files(latchkey);
        let times = others(address, ask);
        println!(
            "  the server's open files: {before} at first, {} at last",
            open_files(latchkey)
        );
        over.store(true, Ordering::SeqCst);
        times
    });
    needs::within(Duration::from_mins(2), "all connections are closed", || {
        (open_files(latchkey) < 200).then_some(())
    });
    times
}

/// One connection of the crowd.
struct Guest {
    stream: TcpStream,
    is_slow: bool,
}

/// Connects all, and keeps them so: whoever is shown out comes back, though not all at once.
fn crowd(address: &str, idle: usize, over: &AtomicBool, standing: &AtomicUsize) {
    let mut guests: Vec<Guest> = Vec::new();
    for number in 0..SLOW + idle {
        guests.push(Guest::come(address, number % (1 + idle / SLOW) == 0));
        standing.store(guests.len(), Ordering::SeqCst);
    }
    let mut came_back = 0;
    for turn in (0..TURNS).cycle() {
        if over.load(Ordering::SeqCst) {
            break;
        }
        let began = needs::now();
        let gone = guests
            .iter_mut()
            .skip(turn)
            .step_by(TURNS)
            .filter_map(|guest| {
                let gone = !guest.stays();
                gone.then_some(guest)
            });
        for guest in gone.take(COME_BACK) {
            *guest = Guest::come(address, guest.is_slow);
            came_back += 1;
        }
        thread::sleep(PAUSE.saturating_sub(began.elapsed()));
    }
    println!(
        "  {SLOW} slow and {idle} idle connections; {came_back} were closed by the server and came back"
    );
}

impl Guest {
    fn come(address: &str, is_slow: bool) -> Self {
        let mut stream = TcpStream::connect(address).expect("the server takes connections");
        let says: &[u8] = if is_slow {
            b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: "
        } else {
            b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        };
        stream
            .write_all(says)
            .expect("a socket's buffer is empty at first");
        stream.set_nonblocking(true).expect("a socket");
        Self { stream, is_slow }
    }

    /// Says a byte more if it is slow; false once the server has closed the connection.
    fn stays(&mut self) -> bool {
        if self.is_slow && self.stream.write_all(b"a").is_err() {
            return false;
        }
        let mut answer = [0; 4096];
        match self.stream.read(&mut answer) {
            Ok(read) => read > 0,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }
}
