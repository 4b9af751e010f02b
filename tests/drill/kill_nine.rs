//! the server is killed at any moment while eight people write. What they were told is done is done, once.

use crate::books::Site;
use crate::ledger::{self, Compared};
use crate::process::{self, Latchkey};
use crate::writers::Writer;
use rand::RngExt;
use std::thread;
use std::time::Duration;

const WRITERS: usize = 8;

/// Kills so often, on both databases, and prints what came of it.
pub(crate) fn drill(kills: u32) {
    for site in Site::both() {
        let found = kill(&site, kills);
        println!(
            "{:<10} {kills} kills: {} changes answered, {} cut off of which {} were kept and all done since; \
             {} lost, {} doubled",
            site.kind(),
            found.answered,
            found.cut_off,
            found.kept,
            found.lost,
            found.doubled
        );
        assert!(found.holds(), "R-01 is broken on {}", site.kind());
    }
}

/// Kills a server of this site so often. The numbers of all rounds.
fn kill(site: &Site, kills: u32) -> Compared {
    let mut latchkey = site.installation.serve();
    let mut writers = Writer::sign_up(&site.installation, &latchkey, WRITERS);
    let mut total = Compared::default();
    for round in 0..kills {
        kill_in_the_midst(latchkey, &mut writers);
        latchkey = site.installation.serve();
        let found = check(site, &writers);
        ledger::gate_agrees(&latchkey, &writers);
        assert!(found.holds(), "round {round}: {found:?}");
        total.answered = found.answered;
        total.cut_off += found.cut_off;
        total.kept += found.kept;
    }
    // What was cut off last is asked for again.
    for writer in &mut writers {
        writer.move_to(&latchkey.portal);
        writer.step().expect("the server stands");
    }
    let found = check(site, &writers);
    assert_eq!(found.cut_off, 0);
    assert!(total.answered > 0, "nobody wrote anything");
    Compared {
        answered: found.answered,
        lost: found.lost,
        doubled: found.doubled,
        ..total
    }
}

/// All write until the server is gone.
fn kill_in_the_midst(mut latchkey: Latchkey, writers: &mut [Writer]) {
    let moment = Duration::from_millis(rand::rng().random_range(20..400));
    thread::scope(|scope| {
        for writer in writers {
            writer.move_to(&latchkey.portal);
            scope.spawn(|| while writer.step().is_ok() {});
        }
        thread::sleep(moment);
        process::kill(&mut latchkey.child);
    });
}

fn check(site: &Site, writers: &[Writer]) -> Compared {
    let mut books = site.books();
    assert!(books.is_whole(), "the database file is damaged");
    ledger::compare(&mut books, writers)
}

#[test]
fn r_01_a_kill_at_any_moment_loses_and_doubles_nothing_on_sqlite() {
    assert!(kill(&Site::on_sqlite(), 20).holds());
}

#[test]
fn r_01_a_kill_at_any_moment_loses_and_doubles_nothing_on_postgresql() {
    if let Some(site) = Site::on_postgres() {
        assert!(kill(&site, 20).holds());
    }
}
