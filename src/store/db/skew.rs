//! How far the database server's clock and this node's are apart.

use diesel::dsl::sql;
use diesel::sql_types::BigInt;
use diesel::{RunQueryDsl, select};

use super::{Any, Reader};
use crate::store::error::Result;

const NOW_MS: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

impl Reader {
    /// How many milliseconds the database server's clock is ahead of this node's, negative when it is behind: the least that
    /// fits the time that asking took. Nothing where the database is a file of this machine.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn clock_skew(&mut self) -> Result<Option<i64>> {
        let before = self.now();
        let theirs = match &mut self.conn {
            Any::Pg(conn) => select(sql::<BigInt>(NOW_MS)).get_result::<i64>(conn)?,
            Any::Sqlite(_) => return Ok(None),
        };
        let after = self.now();
        Ok(Some(least(theirs, before.0, after.0)))
    }
}

/// The server's clock was read at some instant between the two of ours.
const fn least(theirs: i64, before: i64, after: i64) -> i64 {
    if theirs < before {
        theirs - before
    } else if theirs > after {
        theirs - after
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_52_the_time_that_asking_takes_is_no_skew() {
        for (theirs, before, after, skew) in [
            (1_000, 1_000, 1_000, 0),
            (1_400, 1_000, 2_000, 0),
            (2_500, 1_000, 2_000, 500),
            (400, 1_000, 2_000, -600),
            (7, 7_000, 7_000, -6_993),
        ] {
            assert_eq!(least(theirs, before, after), skew);
        }
    }
}
