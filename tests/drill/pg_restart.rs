//! PostgreSQL is ended at once and started again, again and again. Known keys are answered throughout, and what people
//! asked for is done once, or not at all until they ask again.

use crate::books::Books;
use crate::ledger;
use crate::line;
use crate::load::{self, Load};
use crate::needs;
use crate::operator::{Installation, PRODUCT};
use crate::server::Server;
use crate::writers::Writer;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const WRITERS: usize = 4;
const PER_SECOND: u32 = 200;
const KEYS: usize = 8;

/// So many restarts, a second and a half apart.
pub(crate) fn drill(restarts: u32) {
    let mut server = Server::start();
    let installation = Installation::on_postgres(&server.url()).without_limits();
    let latchkey = installation.serve();
    let mut writers = Writer::sign_up(&installation, &latchkey, WRITERS + 1);
    let mut idle = writers.pop().expect("one more than write");
    let secrets: Vec<String> = (0..KEYS).map(|_| idle.another_key()).collect();
    for secret in &secrets {
        let known = || (latchkey.code(secret, PRODUCT) == "VALID").then_some(());
        needs::soon("a new key", known);
    }
    let load = Load::begin(&latchkey.gate, PER_SECOND, 4, move |number: usize| {
        (0, line::verify(&secrets[number % KEYS], PRODUCT))
    });
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for writer in &mut writers {
            scope.spawn(|| write(writer, &over));
        }
        for _ in 0..restarts {
            thread::sleep(Duration::from_millis(1_500));
            server.restart_at_once();
        }
        thread::sleep(Duration::from_millis(1_500));
        over.store(true, Ordering::Relaxed);
    });
    let samples = load.end();
    let failed = samples
        .iter()
        .filter(|s| s.status != 200 || s.code != "VALID")
        .count();
    println!("known keys  {}; {failed} not VALID", load::times(&samples));
    for writer in &mut writers {
        needs::soon("what was cut off is done", || writer.step().ok());
    }
    writers.push(idle);
    let found = ledger::compare(&mut Books::of_server(&server.url()), &writers);
    println!(
        "{} changes answered, {} attempts cut off; {} lost, {} doubled",
        found.answered,
        writers.iter().map(|writer| writer.cut_off).sum::<usize>(),
        found.lost,
        found.doubled
    );
    assert!(failed == 0 && found.holds() && found.cut_off == 0);
}

/// Writes, and asks again for what was cut off.
fn write(writer: &mut Writer, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        if writer.step().is_err() {
            thread::sleep(Duration::from_millis(100));
        }
    }
}
