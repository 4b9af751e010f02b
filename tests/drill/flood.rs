//! T-50: millions of guessed secrets. They cost no memory, few looks at the database, and those who have a key notice little.

use crate::books::Site;
use crate::figures::Times;
use crate::line::{self, Line, posted};
use crate::load::{self, Load};
use crate::needs;
use crate::operator::{PRODUCT, make_key, sign_up};
use crate::page::Browser;
use crate::process::Latchkey;
use crate::strangers::Strangers;
use crate::vitals::{memory, metric};
use serde_json::json;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

const MEMORY_KIB: u64 = 64 * 1024;
const LOOKS_A_SECOND: u64 = 20;
const GOOD_A_SECOND: u32 = 200;
/// Guesses that come one by one, as through a gateway.
const SINGLE_A_SECOND: u32 = 500;
/// The rest comes in batches, each of so many.
const BATCH: usize = 100;
const BATCHES_A_MILLION: u32 = 10_000;
const BATCHES_A_SECOND: u32 = 400;
const WITHOUT: Duration = Duration::from_secs(15);

/// So many million guesses.
pub(crate) fn drill(millions: u32) {
    let site = Site::on_sqlite();
    let latchkey = site.installation.serve();
    let owner = sign_up(&latchkey, "Olga Owner", "Owner Maps", "olga@owner.example");
    let account = owner.account.as_deref().expect("an account");
    let mut browser = Browser::signed_in(&latchkey.portal, &owner);
    let names = (0..32).map(|number| format!("Key {number}"));
    let secrets: Vec<String> = names
        .map(|name| make_key(&mut browser, account, &name).secret)
        .collect();
    for secret in &secrets {
        needs::soon("a new key", || {
            (latchkey.code(secret, PRODUCT) == "VALID").then_some(())
        });
    }

    let without = good(&latchkey, &secrets, || thread::sleep(WITHOUT));
    println!("good keys without the flood  {without}");
    let (memory_before, looks_before) = (memory(&latchkey), looks(&latchkey));
    let began = needs::now();
    let mut most = 0;
    let with = good(&latchkey, &secrets, || {
        most = flood(&latchkey, millions * BATCHES_A_MILLION);
    });
    let took = began.elapsed();
    println!("good keys with it            {with}");
    let grown = most.saturating_sub(memory_before);
    let looked = looks(&latchkey) - looks_before;
    println!(
        "{millions} million guesses in {:.0} s: memory {} MiB + {:.1} MiB, {looked} early looks, {:.1} a second",
        took.as_secs_f64(),
        memory_before / 1024,
        f64::from(u32::try_from(grown).expect("less than a TiB")) / 1024.0,
        f64::from(u32::try_from(looked).expect("few")) / took.as_secs_f64()
    );
    assert!(grown <= MEMORY_KIB, "the flood takes memory");
    assert!(
        looked <= LOOKS_A_SECOND * (took.as_secs() + 2),
        "the flood looks too often"
    );
    assert!(
        with.p99() <= without.p99() * 2,
        "those who have a key notice it"
    );
}

fn looks(latchkey: &Latchkey) -> u64 {
    metric(latchkey, "latchkey_early_looks_total")
}

/// How long those who have a key wait meanwhile. All of them must be let through.
fn good(latchkey: &Latchkey, secrets: &[String], meanwhile: impl FnOnce()) -> Times {
    let secrets = secrets.to_vec();
    let ask = move |number: usize| (0, line::authorize(&secrets[number % secrets.len()]));
    let load = Load::begin(&latchkey.gate, GOOD_A_SECOND, 2, ask);
    meanwhile();
    let samples = load.end();
    let refused = samples
        .iter()
        .filter(|s| s.status != 200 || s.code != "VALID")
        .count();
    assert_eq!(refused, 0, "of {} requests with good keys", samples.len());
    load::times(&samples)
}

/// Guesses, until there were so many. Gives the most memory that the server held, in KiB.
fn flood(latchkey: &Latchkey, batches: u32) -> u64 {
    let strangers = Mutex::new(Strangers::new());
    let single = Load::begin(&latchkey.gate, SINGLE_A_SECOND, 4, move |_| {
        let secret = strangers.lock().expect("the flood goes on").draw();
        (0, line::authorize(&secret))
    });
    let mut strangers = Strangers::new();
    let mut line = Line::to(&latchkey.gate);
    let (began, mut most) = (needs::now(), 0);
    for batch in 0..batches {
        let due = began + Duration::from_secs(1) * batch / BATCHES_A_SECOND;
        thread::sleep(due.saturating_duration_since(needs::now()));
        let reply = line.ask(&guess(&mut strangers)).expect("the gate answers");
        assert_eq!(reply.count("KEY_NOT_FOUND"), BATCH, "{reply:?}");
        if batch % BATCHES_A_SECOND == 0 {
            most = most.max(memory(latchkey));
        }
    }
    let single = single.end();
    let answered = single
        .iter()
        .filter(|s| s.status == 401 && s.code == "KEY_NOT_FOUND")
        .count();
    assert_eq!(answered, single.len(), "a guess is answered as one");
    println!("guesses one by one           {}", load::times(&single));
    most.max(memory(latchkey))
}

fn guess(strangers: &mut Strangers) -> Vec<u8> {
    let each = |_| json!({"secret": strangers.draw(), "product": PRODUCT});
    let items: Vec<_> = (0..BATCH).map(each).collect();
    posted("/v1/verify/batch", &json!({"requests": items}).to_string())
}
