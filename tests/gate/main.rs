//! The gate in process, on a real SQLite store: what it answers, what it counts, and how it follows the database.

#![cfg(test)]
#![expect(
    clippy::too_many_lines,
    reason = "a table of cases is read line by line, however long"
)]

mod ask;
mod world;

mod authorize;
mod bad_input;
mod callers;
mod corpora;
mod exposures;
mod following;
mod limits;
mod lives;
mod metering;
mod preflight;
mod proxies;
mod restrictions;
mod rotation;
mod sockets;
mod token;
mod verdicts;
mod verify;
