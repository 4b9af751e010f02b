//! The gate in process, on a real SQLite store: what it answers, what it counts, and how it follows the database.

#![cfg_attr(
    test,
    expect(
        clippy::too_many_lines,
        reason = "a table of cases is read line by line, however long"
    )
)]

#[cfg(test)]
mod ask;
#[cfg(test)]
mod world;

#[cfg(test)]
mod authorize;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod following;
#[cfg(test)]
mod metering;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod sockets;
#[cfg(test)]
mod token;
#[cfg(test)]
mod verdicts;
#[cfg(test)]
mod verify;
