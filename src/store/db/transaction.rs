//! Transactions and savepoints, begun as each database wants it.

use diesel::Connection;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};

use super::{Any, Reader};
use crate::store::error::Result;

type Manager = <Any as Connection>::TransactionManager;

/// The lock that puts changes in order, on PostgreSQL; any number that nothing else uses.
const CHANGE_LOCK: &str = "SELECT pg_advisory_xact_lock(7811887341231)";

/// How a transaction begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// It will write.
    Write,
    /// It reads, and all that it reads is of one instant.
    Snapshot,
}

impl Reader {
    pub(super) fn begin(&mut self, how: Begin) -> Result<()> {
        match &mut self.conn {
            Any::Pg(pg) => {
                let sql = match how {
                    Begin::Write => "BEGIN",
                    Begin::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                };
                AnsiTransactionManager::begin_transaction_sql(pg, sql)?;
            }
            Any::Sqlite(sqlite) => {
                let sql = match how {
                    // At once: a transaction that reads first and then wants to write may be refused.
                    Begin::Write => "BEGIN IMMEDIATE",
                    Begin::Snapshot => "BEGIN DEFERRED",
                };
                AnsiTransactionManager::begin_transaction_sql(sqlite, sql)?;
            }
        }
        Ok(())
    }

    pub(super) fn savepoint(&mut self) -> Result<()> {
        Ok(Manager::begin_transaction(&mut self.conn)?)
    }

    /// Commits, or inside of a transaction releases the savepoint.
    pub(super) fn commit(&mut self) -> Result<()> {
        if let Any::Pg(pg) = &mut self.conn {
            // After a failed statement PostgreSQL answers COMMIT with a rollback and no error: ask first.
            pg.batch_execute("SELECT 1")?;
        }
        Ok(Manager::commit_transaction(&mut self.conn)?)
    }

    /// Rolls back, or inside of a transaction back to the savepoint.
    pub(super) fn rollback(&mut self) -> Result<()> {
        Ok(Manager::rollback_transaction(&mut self.conn)?)
    }

    /// SQLite needs no lock: whoever writes is alone.
    pub(super) fn lock_change_log(&mut self) -> Result<()> {
        if let Any::Pg(pg) = &mut self.conn {
            pg.batch_execute(CHANGE_LOCK)?;
        }
        Ok(())
    }

    pub(super) fn answers(&mut self) -> bool {
        self.conn.batch_execute("SELECT 1").is_ok()
    }
}
