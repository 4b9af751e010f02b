//! Puts a copy of a database in the database's place, and lets nobody serve it before it was made fit for that.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use diesel::connection::SimpleConnection;

use super::backup::{
    CopyError, POSTGRES, SQLITE, begins_with, damage, ended, file, not_begun, program,
};
use super::connect::{Opener, Role, any};
use super::transaction::Begin;
use super::{Change, DatabaseUrl, migrate};
use crate::clock::Clock;
use crate::store::error::Result;

/// All tables that any version of Latchkey has made, and what stands beside them: a copy may be of an older version, and what
/// that does not know must not stay.
const CLEARED: &str = "DROP TABLE IF EXISTS installation, plans, products, product_routes, product_admin_prefixes, accounts, \
     users, members, keys, key_products, secrets, changes, audit_events, sessions, one_time_links, form_ids, activity, \
     meter_batches, account_days, outbox, confirmations, callers, key_reminders, product_scopes, key_bounds, \
     key_ends, nodes, node_acks, key_exposures, __diesel_schema_migrations CASCADE;\n\
     DROP FUNCTION IF EXISTS audit_events_are_append_only() CASCADE;\n";

/// In the same transaction as the copy's tables: until a restore is through, no node takes the database for a whole one.
const MARKED: &str = "\nRESET search_path;\nUPDATE installation SET log_epoch = -1;\n";

/// What a restore did.
#[derive(Debug)]
pub struct PutBack<T> {
    /// Where the SQLite file is that stood there before.
    pub kept: Option<PathBuf>,
    /// What `settle` answered.
    pub settled: T,
}

/// Puts a copy in the database's place, brings its tables to this version, and calls `settle` before anybody can serve it. A
/// SQLite file that stands there is kept beside it; of a PostgreSQL database the tables are replaced, all or none.
///
/// # Errors
/// When the copy cannot be read, is damaged or of another kind of database, or `settle` fails. A SQLite database is then as it
/// was; PostgreSQL's is as it was, or refuses to be served until a restore goes through.
pub fn put_back<T>(
    url: &DatabaseUrl,
    from: &Path,
    clock: Clock,
    settle: impl FnOnce(&mut Change<'_>) -> Result<T>,
) -> std::result::Result<PutBack<T>, CopyError> {
    let magic = match url {
        DatabaseUrl::Sqlite(_) => SQLITE,
        DatabaseUrl::Postgres(_) => POSTGRES,
    };
    if !begins_with(from, magic).map_err(|why| file(from, "cannot be read", why))? {
        return Err(CopyError::Other {
            file: from.display().to_string(),
            kind: url.kind(),
        });
    }
    match url {
        DatabaseUrl::Sqlite(path) => replace_file(path, from, clock, settle),
        DatabaseUrl::Postgres(text) => {
            replace_tables(text, from)?;
            let settled = made_fit(url, clock, settle)?;
            let kept = None;
            Ok(PutBack { kept, settled })
        }
    }
}

fn replace_file<T>(
    path: &Path,
    from: &Path,
    clock: Clock,
    settle: impl FnOnce(&mut Change<'_>) -> Result<T>,
) -> std::result::Result<PutBack<T>, CopyError> {
    let new = path.with_extension("restoring");
    for end in ["", "-wal", "-shm"] {
        remove(&with_end(&new, end))?;
    }
    write_copy(from, &new).map_err(|why| file(&new, "cannot be written", why))?;
    let url = DatabaseUrl::Sqlite(new.clone());
    if let Some(why) = damage(&url)? {
        remove(&new)?;
        let file = from.display().to_string();
        return Err(CopyError::Damaged { file, why });
    }
    let settled = made_fit(&url, clock, settle)?;
    // Everything into the one file, which then takes the other's place.
    any(&url, Role::Plain)?
        .batch_execute("PRAGMA wal_checkpoint(TRUNCATE);")
        .map_err(crate::store::Error::from)?;
    for end in ["-wal", "-shm"] {
        remove(&with_end(&new, end))?;
    }
    let kept = set_aside(path)?;
    fs::rename(&new, path).map_err(|why| file(path, "cannot be replaced", why))?;
    Ok(PutBack { kept, settled })
}

/// Brings the tables to this version and settles, as one transaction.
fn made_fit<T>(
    url: &DatabaseUrl,
    clock: Clock,
    settle: impl FnOnce(&mut Change<'_>) -> Result<T>,
) -> std::result::Result<T, CopyError> {
    migrate::run(url)?;
    let opener = Opener {
        url: url.clone(),
        clock,
        sends_mail: false,
    };
    let mut writer = opener.writer()?;
    writer.begin(Begin::Write)?;
    let settled = Change::begin(&mut writer).and_then(|mut change| settle(&mut change));
    match settled {
        Ok(settled) => {
            writer.commit()?;
            Ok(settled)
        }
        Err(error) => {
            writer.rollback()?;
            Err(error.into())
        }
    }
}

fn write_copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut copy = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)?;
    io::copy(&mut File::open(from)?, &mut copy)?;
    copy.sync_all()
}

fn remove(path: &Path) -> std::result::Result<(), CopyError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(file(path, "cannot be removed", error))
        }
        _ => Ok(()),
    }
}

/// Moves a database file, and what SQLite keeps beside it, to a name that is free.
fn set_aside(path: &Path) -> std::result::Result<Option<PathBuf>, CopyError> {
    if !path.exists() {
        return Ok(None);
    }
    let kept = (1..=u32::MAX)
        .map(|number| with_end(path, &format!(".before-{number}")))
        .find(|kept| !kept.exists())
        .unwrap_or_default();
    for end in ["-wal", "-shm", ""] {
        let old = with_end(path, end);
        if old.exists() {
            fs::rename(&old, with_end(&kept, end))
                .map_err(|why| file(&old, "cannot be renamed", why))?;
        }
    }
    Ok(Some(kept))
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    PathBuf::from(format!("{}{end}", path.display()))
}

/// `pg_restore` turns the copy into statements, which `psql` runs as one transaction with ours around them.
fn replace_tables(url: &str, from: &Path) -> std::result::Result<(), CopyError> {
    let mut reading = Command::new("pg_restore")
        .args(["--no-owner", "--no-privileges", "--file=-"])
        .arg(from)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| not_begun("pg_restore", &error))?;
    let writing = program("psql", url)
        .args(["--no-psqlrc", "--quiet", "--single-transaction", "--file=-"])
        .args(["--set", "ON_ERROR_STOP=1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| not_begun("psql", &error));
    let mut writing = match writing {
        Ok(writing) => writing,
        Err(error) => {
            // It waits for somebody who reads.
            drop(reading.stdout.take());
            ended("pg_restore", &waited_for("pg_restore", reading)?)?;
            return Err(error);
        }
    };
    let handed = hand_over(&mut reading, &mut writing);
    let read = waited_for("pg_restore", reading)?;
    let complete = handed.and_then(|mut statements| {
        // psql commits at the end of what it is given; only an error makes it roll back.
        let end = if read.status.success() {
            MARKED
        } else {
            "\nSELECT 1/0;\n"
        };
        statements.write_all(end.as_bytes())
    });
    ended("psql", &waited_for("psql", writing)?).or_else(|error| {
        // Of two that failed, the one that was first says why.
        ended("pg_restore", &read).and(Err(error))
    })?;
    ended("pg_restore", &read)?;
    complete.map_err(|why| file(from, "cannot be handed to psql", why))
}

/// Gives psql what clears the way and then what `pg_restore` prints; answers psql's end, to be gone on with.
fn hand_over(reading: &mut Child, writing: &mut Child) -> io::Result<std::process::ChildStdin> {
    let gone = || io::Error::other("a pipe is not there");
    let mut statements = writing.stdin.take().ok_or_else(gone)?;
    statements.write_all(CLEARED.as_bytes())?;
    io::copy(
        &mut reading.stdout.take().ok_or_else(gone)?,
        &mut statements,
    )?;
    Ok(statements)
}

fn waited_for(
    program: &'static str,
    child: Child,
) -> std::result::Result<std::process::Output, CopyError> {
    child
        .wait_with_output()
        .map_err(|error| not_begun(program, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_cleared_away_before_a_copy_takes_its_place() {
        let schema = include_str!("../schema.rs");
        let tables = schema.split("diesel::table! {\n").skip(1);
        let mut names: Vec<&str> = tables
            .filter_map(|table| table.trim_start().split([' ', '(']).next())
            .collect();
        names.push("__diesel_schema_migrations");
        assert!(names.len() > 25, "{names:?}");
        for name in names {
            let is_cleared = CLEARED.contains(&format!(" {name},"))
                || CLEARED.contains(&format!(" {name} CASCADE"));
            assert!(is_cleared, "{name}");
        }
    }
}
