//! The store: Diesel models and queries for both databases, a file a subject, and the only place with SQL.
//!
//! Every function about an account's things takes a scope that the authentication built, and puts it into the query.
//! A change is one transaction: the row with its next generation, its audit event, its line in the change log.
//! The store must not know HTTP, pages or the gate, and it is told the time by the [`Clock`](crate::clock::Clock)
//! that it was opened with.

pub mod accounts;
pub mod activity;
pub mod audit;
pub mod callers;
pub mod changes;
pub mod check;
mod columns;
pub mod confirmations;
mod db;
mod error;
pub mod exposures;
pub mod form_ids;
pub mod keys;
pub mod limits;
pub mod nodes;
pub mod one_time_links;
pub mod outbox;
pub mod products;
pub mod replica;
pub mod revocations;
mod schema;
pub mod scope;
pub mod seed;
pub mod sessions;
pub mod users;

pub use db::{
    Change, CopyError, DatabaseUrl, Db, OpenError, PutBack, Reader, Settings, UrlError, Writer,
    damage, migrate, put_back,
};
pub use error::{Conflict, Error, Result};
