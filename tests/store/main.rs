//! The store, the same suite on SQLite and on PostgreSQL.
//!
//! PostgreSQL is the server that `LATCHKEY_TEST_POSTGRES_URL` names; without it that half is left out, and says so.

#![cfg(test)]

#[macro_use]
mod place;

mod activity;
mod callers;
mod changes;
mod check;
mod databases;
mod keys;
mod limits;
mod nodes;
mod outbox;
mod parts;
mod people;
mod postgres;
mod remind;
mod replica;
mod revocations;
mod rotation;
mod schema;
mod scopes;
mod sealed;
