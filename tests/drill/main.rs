//! Drills: each tries to break one promise of `docs/trust.md` on the built binary, prints what it measured, and fails when the
//! promise does not hold. `scripts/drill NAME [SIZE]` runs them; the suite from outside holds short forms of some.

#![cfg(test)]
#![expect(
    dead_code,
    unused_imports,
    reason = "the suite from outside uses the rest of what they share"
)]

#[path = "../outside/canaries.rs"]
mod canaries;
#[path = "../outside/database.rs"]
mod database;
#[path = "../outside/facts.rs"]
mod facts;
#[path = "../outside/http.rs"]
mod http;
#[path = "../outside/needs.rs"]
mod needs;
#[path = "../outside/operator.rs"]
mod operator;
#[path = "../outside/page.rs"]
mod page;
#[path = "../outside/post_office.rs"]
mod post_office;
#[path = "../outside/process.rs"]
mod process;
#[path = "../outside/proxy.rs"]
mod proxy;

mod books;
mod clock;
mod damage;
mod day;
mod disk_full;
mod editors;
mod figures;
mod flood;
mod frozen;
mod kill_nine;
mod ledger;
mod line;
mod load;
mod mail;
mod meter;
mod migrations;
mod million;
mod pg_restart;
mod power_cut;
mod restore;
mod revoke;
mod script;
mod server;
mod slow_clients;
mod soak;
mod strangers;
mod vitals;
mod writers;

/// A drill: its name, its size unless another is asked for, and what it does.
type Drill = (&'static str, u32, fn(u32));

const DRILLS: &[Drill] = &[
    ("kill-9", 200, kill_nine::drill),
    ("revoke", 1000, revoke::drill),
    ("meter", 10, meter::drill),
    ("frozen", 60, frozen::drill),
    ("pg-restart", 20, pg_restart::drill),
    ("power-cut", 50, power_cut::drill),
    ("flood", 5, flood::drill),
    ("slow-clients", 5000, slow_clients::drill),
    ("migrations", 100, migrations::drill),
    ("clock", 3, clock::drill),
    ("day", 6000, day::drill),
    ("mail", 20, mail::drill),
    ("editors", 10_000, editors::drill),
    ("script", 50_000, script::drill),
    ("disk-full", 20, disk_full::drill),
    ("million", 1_000_000, million::drill),
    ("restore", 1000, restore::drill),
    ("damage", 100, damage::drill),
    ("soak", 60, soak::drill),
];

fn main() {
    let mut words = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'));
    let Some(name) = words.next() else {
        let names: Vec<&str> = DRILLS.iter().map(|(name, ..)| *name).collect();
        println!("Run by scripts/drill with a name: {}", names.join(", "));
        return;
    };
    let Some((name, usual, run)) = DRILLS.iter().find(|(known, ..)| *known == name) else {
        println!("There is no drill {name}.");
        std::process::exit(2);
    };
    let size = words.next().map_or(*usual, |word| {
        word.parse().expect("a number, the drill's size")
    });
    println!("{name} {size}");
    let began = needs::now();
    run(size);
    println!("{name} holds, after {:.0} s", began.elapsed().as_secs_f64());
}
