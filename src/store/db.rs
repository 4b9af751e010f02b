//! The one place that knows which database it is: connections, threads, transactions, migrations, backup.
//!
//! It must not know what the tables mean.

mod backup;
mod connect;
mod counts;
mod job;
pub mod migrate;
mod pool;
mod queue;
mod restore;
mod skew;
#[cfg(test)]
mod tests;
mod threads;
mod transaction;
mod url;

use std::ops::{Deref, DerefMut};

use diesel::{PgConnection, SqliteConnection};
use latchkey_rules::time::Millis;

use super::error::Result;
use crate::clock::Clock;
use transaction::Begin;

pub use backup::{CopyError, damage};
pub use connect::OpenError;
pub use pool::{Db, Settings};
pub use restore::{PutBack, put_back};
pub use url::{DatabaseUrl, UrlError};

/// A connection to either database. Most queries run on it as they stand; see [`each`] for the rest.
#[derive(diesel::MultiConnection)]
pub(in crate::store) enum Any {
    /// PostgreSQL.
    Pg(PgConnection),
    /// SQLite.
    Sqlite(SqliteConnection),
}

/// Runs one Diesel expression on the connection's own type: for multi-row inserts, upserts and pages of thousands
/// of rows, which the enum cannot say or says slowly. Written once, type-checked for each database.
macro_rules! each {
    ($conn:expr, $each:ident => $body:expr) => {
        match $conn {
            $crate::store::db::Any::Pg($each) => $body,
            $crate::store::db::Any::Sqlite($each) => $body,
        }
    };
}
pub(in crate::store) use each;

/// A connection that reads. The database itself refuses it any write.
pub struct Reader {
    pub(in crate::store) conn: Any,
    clock: Clock,
    sends_mail: bool,
}

impl Reader {
    pub(in crate::store) const fn new(conn: Any, clock: Clock, sends_mail: bool) -> Self {
        Self {
            conn,
            clock,
            sends_mail,
        }
    }

    /// Whether this installation sends mail: without a mail server none is written either.
    pub(in crate::store) const fn sends_mail(&self) -> bool {
        self.sends_mail
    }

    /// The time, by the clock that the store was opened with.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Whether the database is a file of ours, that has a `data_version` and keeps its own sequences.
    pub(in crate::store) const fn is_file(&self) -> bool {
        matches!(self.conn, Any::Sqlite(_))
    }

    /// Everything that `read` sees is of one instant.
    ///
    /// # Errors
    /// What `read` answers, or that the database does not answer.
    pub fn snapshot<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.begin(Begin::Snapshot)?;
        let result = read(self);
        let ended = self.rollback();
        let value = result?;
        ended?;
        Ok(value)
    }
}

/// A connection in a transaction that writes.
pub struct Writer {
    reader: Reader,
}

impl Writer {
    pub(in crate::store) const fn new(reader: Reader) -> Self {
        Self { reader }
    }
}

impl Deref for Writer {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl DerefMut for Writer {
    fn deref_mut(&mut self) -> &mut Reader {
        &mut self.reader
    }
}

/// A transaction that the change log and the audit log hear of. One at a time runs, so that log ids appear in order.
pub struct Change<'w> {
    writer: &'w mut Writer,
}

impl<'w> Change<'w> {
    /// Takes the change log's lock, which the transaction's end gives back.
    fn begin(writer: &'w mut Writer) -> Result<Self> {
        writer.lock_change_log()?;
        Ok(Self { writer })
    }
}

impl Deref for Change<'_> {
    type Target = Writer;

    fn deref(&self) -> &Writer {
        self.writer
    }
}

impl DerefMut for Change<'_> {
    fn deref_mut(&mut self) -> &mut Writer {
        self.writer
    }
}

impl AsMut<Reader> for Reader {
    fn as_mut(&mut self) -> &mut Reader {
        self
    }
}

impl AsMut<Reader> for Writer {
    fn as_mut(&mut self) -> &mut Reader {
        self
    }
}
