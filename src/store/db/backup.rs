//! Copies of a whole database, made while it is in use. SQLite copies itself; for PostgreSQL its own `pg_dump` does it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
use percent_encoding::percent_decode_str;

use super::connect::{Role, any};
use super::{DatabaseUrl, OpenError};
use crate::store::error::{Error, Result};

/// What a copy of a SQLite database begins with.
pub(super) const SQLITE: &[u8] = b"SQLite format 3\0";
/// What `pg_dump`'s own format begins with.
pub(super) const POSTGRES: &[u8] = b"PGDMP";

/// Why a copy cannot be made, or put in place.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A file cannot be read or written.
    #[error("{file} {what}: {why}.")]
    File {
        /// Which one.
        file: String,
        /// What cannot be done with it.
        what: &'static str,
        /// What the system said.
        why: io::Error,
    },
    /// The file is no copy of such a database.
    #[error("{file} is no backup of a {kind} database.")]
    Other {
        /// Which file.
        file: String,
        /// What it should be of.
        kind: &'static str,
    },
    /// The copy is damaged.
    #[error("{file} is damaged: {why}.")]
    Damaged {
        /// Which file.
        file: String,
        /// What the database says of it.
        why: String,
    },
    /// PostgreSQL's program is missing or failed.
    #[error("{program} failed: {why}.")]
    Program {
        /// Which one.
        program: &'static str,
        /// What it said.
        why: String,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database refused.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Copies the database, as it is at one instant, to a new file that only its owner may read.
pub(super) fn copy(url: &DatabaseUrl, to: &Path) -> std::result::Result<(), CopyError> {
    // Made before anything is written into it, so that at no moment anybody else may read it.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(|why| file(to, "cannot be written", why))?;
    let copied = match url {
        DatabaseUrl::Sqlite(_) => copy_sqlite(url, to).map_err(CopyError::from),
        DatabaseUrl::Postgres(text) => {
            let mut command = program("pg_dump", text);
            command
                .args(["--format=custom", "--no-owner", "--no-privileges"])
                .arg("--file")
                .arg(to)
                .stdin(Stdio::null());
            let output = command.output();
            let output = output.map_err(|error| not_begun("pg_dump", &error));
            output.and_then(|output| ended("pg_dump", &output))
        }
    };
    if copied.is_err() {
        // Half a copy must not be taken for one.
        fs::remove_file(to).map_err(|why| file(to, "cannot be removed", why))?;
    }
    copied
}

fn copy_sqlite(url: &DatabaseUrl, to: &Path) -> Result<()> {
    let mut conn = any(url, Role::Plain).map_err(|error| Error::Unavailable(error.to_string()))?;
    let path = to
        .to_str()
        .ok_or_else(|| Error::Database("the backup's path is not UTF-8".to_owned()))?;
    sql_query("VACUUM INTO $1")
        .bind::<Text, _>(path)
        .execute(&mut conn)?;
    Ok(())
}

/// What SQLite finds wrong with a database file, if anything; nothing is looked for in PostgreSQL, which has checks of its own.
///
/// # Errors
/// When the file is not there or cannot be opened.
pub fn damage(url: &DatabaseUrl) -> Result<Option<String>> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Text, column_name = integrity_check)]
        said: String,
    }
    match url {
        DatabaseUrl::Postgres(_) => return Ok(None),
        // Asking would make one.
        DatabaseUrl::Sqlite(path) if !path.exists() => {
            return Err(Error::Unavailable(format!(
                "there is no {}",
                path.display()
            )));
        }
        DatabaseUrl::Sqlite(_) => {}
    }
    let mut conn = match any(url, Role::Plain) {
        Ok(conn) => conn,
        // A file that is there and cannot be opened for its content.
        Err(OpenError::Unreachable { why, .. }) => {
            return Ok(Some(why.trim_end_matches('.').to_owned()));
        }
        Err(error) => return Err(Error::Unavailable(error.to_string())),
    };
    let found: Vec<Found> = match sql_query("PRAGMA integrity_check(10)").load(&mut conn) {
        Ok(found) => found,
        // So damaged that not even that can be asked.
        Err(error) => return Ok(Some(error.to_string())),
    };
    let said: Vec<String> = found.into_iter().map(|found| found.said).collect();
    Ok(match said.as_slice() {
        [fine] if fine == "ok" => None,
        _ => Some(said.join("; ")),
    })
}

pub(super) fn begins_with(path: &Path, magic: &[u8]) -> io::Result<bool> {
    let mut head = Vec::new();
    let length = u64::try_from(magic.len()).unwrap_or(0);
    File::open(path)?.take(length).read_to_end(&mut head)?;
    Ok(head == magic)
}

/// One of PostgreSQL's programs, to be run on the database. The password goes into its environment: a command line is
/// everybody's to read.
pub(super) fn program(name: &str, url: &str) -> Command {
    let (shown, password) = without_password(url);
    let mut command = Command::new(name);
    command.arg(format!("--dbname={shown}"));
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    command
}

/// Why one of PostgreSQL's programs did not begin.
pub(super) fn not_begun(program: &'static str, error: &io::Error) -> CopyError {
    let why = match error.kind() {
        io::ErrorKind::NotFound => {
            "it is not installed; Debian has it in postgresql-client, which must not be older than the server".to_owned()
        }
        _ => error.to_string(),
    };
    CopyError::Program { program, why }
}

/// How it ended: well, or with what it said.
pub(super) fn ended(program: &'static str, output: &Output) -> std::result::Result<(), CopyError> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let first: Vec<&str> = said.lines().take(3).collect();
    let why = first.join(" ").trim_end_matches('.').to_owned();
    Err(CopyError::Program { program, why })
}

/// A connection URL without its password, and the password.
fn without_password(url: &str) -> (String, Option<String>) {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut password = None;
    let (url, query) = match url.split_once('?') {
        Some((url, query)) => (url, Some(query)),
        None => (url, None),
    };
    let mut shown = url.to_owned();
    if let Some((scheme, rest)) = url.split_once("://") {
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if let Some((user, host)) = authority.rsplit_once('@')
            && let Some((name, secret)) = user.split_once(':')
        {
            password = Some(decoded(secret));
            shown = format!("{scheme}://{name}@{host}{path}");
        }
    }
    let mut kept = Vec::new();
    for pair in query.into_iter().flat_map(|query| query.split('&')) {
        match pair.split_once('=') {
            Some(("password", secret)) => password = Some(decoded(secret)),
            _ => kept.push(pair),
        }
    }
    if !kept.is_empty() {
        shown = format!("{shown}?{}", kept.join("&"));
    }
    (shown, password)
}

pub(super) fn file(path: &Path, what: &'static str, why: io::Error) -> CopyError {
    CopyError::File {
        file: path.display().to_string(),
        what,
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_61_a_password_does_not_stand_on_a_command_line() {
        for (url, shown, password) in [
            (
                "postgres://me:p%40ss@db:5432/latchkey",
                "postgres://me@db:5432/latchkey",
                Some("p@ss"),
            ),
            (
                "postgres://me@db/n?sslmode=disable",
                "postgres://me@db/n?sslmode=disable",
                None,
            ),
            (
                "postgres:///n?host=/run&password=x%2Fy",
                "postgres:///n?host=/run",
                Some("x/y"),
            ),
            ("postgres://db/n", "postgres://db/n", None),
        ] {
            let (left, secret) = without_password(url);
            assert_eq!(
                (left.as_str(), secret.as_deref()),
                (shown, password),
                "{url}"
            );
        }
    }
}
