//! The built binary driven from outside: as a person's browser, a gateway, nginx and an operator would. Knows only the names
//! at the edges (command line, pages' forms, HTTP), nothing of the code behind them.
//!
//! The binary is `LATCHKEY_BIN`, else the one that cargo built with these tests. nginx and PostgreSQL are used when they are
//! there; `needs` says what was left out, and fails when `LATCHKEY_REQUIRE_ALL` is set.

#![cfg(test)]

mod backup;
mod broken_config;
mod canaries;
mod database;
mod every_code;
mod exposition;
mod facts;
mod http;
mod journey;
mod limits;
mod log_lines;
mod mail;
mod metrics;
mod needs;
mod operator;
mod page;
mod paths;
mod post_office;
mod process;
mod proxy;
mod recipe;
mod refusals;
mod rekey;
mod request_id;
mod requests;
mod restart;
mod secrets;
mod sockets;
mod start;
mod two_nodes;
mod verdicts;

// Drills whose short form belongs here; scripts/drill runs them at their full size.
#[path = "../drill/books.rs"]
mod books;
#[path = "../drill/day.rs"]
#[expect(dead_code, reason = "the drill uses the rest")]
mod day;
#[path = "../drill/figures.rs"]
mod figures;
#[path = "../drill/frozen.rs"]
#[expect(dead_code, reason = "the drill uses the rest")]
mod frozen;
#[path = "../drill/kill_nine.rs"]
#[expect(dead_code, reason = "the drill uses the rest")]
mod kill_nine;
#[path = "../drill/ledger.rs"]
mod ledger;
#[path = "../drill/line.rs"]
#[expect(dead_code, reason = "the drill uses the rest")]
mod line;
#[path = "../drill/load.rs"]
mod load;
#[path = "../drill/meter.rs"]
#[expect(dead_code, reason = "the drill uses the rest")]
mod meter;
#[path = "../drill/migrations.rs"]
#[expect(dead_code, reason = "the drill uses the rest")]
mod migrations;
#[path = "../drill/script.rs"]
#[expect(dead_code, reason = "the drill uses the rest")]
mod script;
#[path = "../drill/server.rs"]
#[expect(dead_code, reason = "the drill uses the rest")]
mod server;
#[path = "../drill/strangers.rs"]
mod strangers;
#[path = "../drill/writers.rs"]
#[expect(dead_code, reason = "the drill uses the rest")]
mod writers;
