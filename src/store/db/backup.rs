//! An online copy of a SQLite database.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use diesel::{RunQueryDsl, sql_query, sql_types::Text};

use super::connect::{Role, any};
use super::{Any, DatabaseUrl};
use crate::store::error::{Error, Result};

pub(super) fn copy(url: &DatabaseUrl, to: &Path) -> Result<()> {
    let mut conn = match any(url, Role::Plain).map_err(unreachable)? {
        Any::Sqlite(conn) => conn,
        Any::Pg(_) => {
            return Err(Error::Database(
                "a PostgreSQL database is backed up by its own pg_dump".to_owned(),
            ));
        }
    };
    let path = to
        .to_str()
        .ok_or_else(|| Error::Database("the backup's path is not UTF-8".to_owned()))?;
    // Made before SQLite writes into it, so that at no moment anybody else may read it.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(|error| Error::Database(format!("the backup cannot be written: {error}")))?;
    sql_query("VACUUM INTO $1")
        .bind::<Text, _>(path)
        .execute(&mut conn)?;
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in a map_err")]
fn unreachable(error: super::OpenError) -> Error {
    Error::Unavailable(error.to_string())
}
