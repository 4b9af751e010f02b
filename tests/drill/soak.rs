//! ordinary work for a long time, on both databases at once. Memory and open files stay where they are.

use crate::books::Site;
use crate::http::Ask;
use crate::line;
use crate::load::Load;
use crate::needs;
use crate::operator::PRODUCT;
use crate::process::Latchkey;
use crate::strangers::Strangers;
use crate::vitals::{memory, open_files};
use crate::writers::Writer;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const KIB_AN_HOUR: f64 = 1024.0;
const GOOD_A_SECOND: u32 = 100;
const GUESSES_A_SECOND: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);
const KEYS: usize = 32;

/// What was seen of a server: when, in hours, its memory in KiB and its open files.
type Seen = Vec<(f64, f64, usize)>;

/// So many minutes, of which the first quarter is not judged: people work without a pause then, so that SQLite's caches of
/// pages (2 MiB a connection) are full and do not look like a leak.
pub(crate) fn drill(minutes: u32) {
    let lasting = Duration::from_mins(minutes.into());
    let sites = Site::both();
    let seen: Vec<Seen> = thread::scope(|scope| {
        let works: Vec<_> = sites
            .iter()
            .map(|site| scope.spawn(|| soak(site, lasting)))
            .collect();
        works
            .into_iter()
            .map(|work| work.join().expect("the work goes on"))
            .collect()
    });
    let mut holds = true;
    for (site, seen) in sites.iter().zip(&seen) {
        let judged = &seen[seen.len() / 4..];
        let slope = slope(judged);
        let (first, last) = (judged[0], judged[judged.len() - 1]);
        let files = |of: fn(usize, usize) -> usize| {
            judged.iter().map(|seen| seen.2).reduce(of).expect("some")
        };
        let (fewest, most) = (files(usize::min), files(usize::max));
        println!(
            "{:<10} {minutes} min: memory {:.1} MiB after a quarter, {:.1} MiB at last, {:+.2} MiB an hour; open files {} \
             and {}, {fewest} to {most} between",
            site.kind(),
            first.1 / 1024.0,
            last.1 / 1024.0,
            slope / 1024.0,
            first.2,
            last.2
        );
        let parts = (0..=12).map(|part| seen[(seen.len() - 1) * part / 12].1 / 1024.0);
        let parts: Vec<String> = parts.map(|held| format!("{held:.1}")).collect();
        println!("           MiB at each twelfth: {}", parts.join(" "));
        // Files come and go with connections; a leak would show as more at the end than ever before.
        holds &= slope <= KIB_AN_HOUR && last.2 <= first.2 + 4;
    }
    assert!(holds, "R-16 is broken");
}

fn soak(site: &Site, lasting: Duration) -> Seen {
    let latchkey = site.installation.serve();
    let mut writers = Writer::sign_up(&site.installation, &latchkey, 2);
    let secrets: Vec<String> = (0..KEYS).map(|_| writers[1].another_key()).collect();
    let good = Load::begin(&latchkey.gate, GOOD_A_SECOND, 2, move |number| {
        let secret = &secrets[number / 2 % KEYS];
        let ask = match number % 2 {
            0 => line::authorize(secret),
            _ => line::verify(secret, PRODUCT),
        };
        (0, ask)
    });
    let strangers = Mutex::new(Strangers::new());
    let guesses = Load::begin(&latchkey.gate, GUESSES_A_SECOND, 1, move |_| {
        let secret = strangers.lock().expect("one client").draw();
        (0, line::verify(&secret, PRODUCT))
    });
    let over = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        scope.spawn(|| people(&mut writers[0], &latchkey, lasting / 5, &over));
        let seen = watch(&latchkey, lasting);
        over.store(true, Ordering::SeqCst);
        seen
    });
    for (samples, code) in [(good.end(), "VALID"), (guesses.end(), "KEY_NOT_FOUND")] {
        let other = samples.iter().filter(|sample| sample.code != code).count();
        // A new secret may be asked for before the first look at the log.
        assert!(
            other <= KEYS,
            "{other} of {} were not {code}",
            samples.len()
        );
    }
    seen
}

/// Changes and pages: at first without a pause, then one or two a second.
fn people(writer: &mut Writer, latchkey: &Latchkey, busy: Duration, over: &AtomicBool) {
    let began = needs::now();
    while !over.load(Ordering::SeqCst) {
        // On a disk that others are busy with, one write may take longer than people are kept waiting: they ask again.
        if writer.step().is_err() {
            println!(
                "           a change was put off after {:.0} s",
                began.elapsed().as_secs_f64()
            );
        }
        for path in ["/sign-in", "/docs", "/static/nothing", "/sign-up"] {
            Ask::get(path).send(&latchkey.portal);
        }
        assert!(
            writer
                .looks()
                .is_ok_and(|answer| [200, 503].contains(&answer.status))
        );
        if began.elapsed() > busy {
            thread::sleep(Duration::from_millis(500));
        }
    }
}

fn watch(latchkey: &Latchkey, lasting: Duration) -> Seen {
    let (began, mut seen) = (needs::now(), Vec::new());
    while began.elapsed() < lasting {
        let held = u32::try_from(memory(latchkey)).expect("less than 4 TiB");
        let hours = began.elapsed().as_secs_f64() / 3600.0;
        seen.push((hours, f64::from(held), open_files(latchkey)));
        thread::sleep(BETWEEN_LOOKS);
    }
    seen
}

/// The straight line through what was seen: how much more memory an hour, in KiB.
fn slope(seen: &[(f64, f64, usize)]) -> f64 {
    let count = f64::from(u32::try_from(seen.len()).expect("few"));
    let mean = |of: fn(&(f64, f64, usize)) -> f64| seen.iter().map(of).sum::<f64>() / count;
    let (hours, held) = (mean(|seen| seen.0), mean(|seen| seen.1));
    let together: f64 = seen
        .iter()
        .map(|seen| (seen.0 - hours) * (seen.1 - held))
        .sum();
    let spread: f64 = seen.iter().map(|seen| (seen.0 - hours).powi(2)).sum();
    together / spread
}
