//! The store, the same suite on SQLite and on PostgreSQL.
//!
//! PostgreSQL is the server that `LATCHKEY_TEST_POSTGRES_URL` names; without it that half is left out, and says so.

#[cfg(test)]
#[macro_use]
mod place;

#[cfg(test)]
mod activity;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod databases;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod people;
#[cfg(test)]
mod replica;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod scopes;
