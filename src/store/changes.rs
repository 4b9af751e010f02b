//! The change log: which rows the gate must read anew, in the order in which they were committed.
//!
//! It must not know what a row means to the gate.

use diesel::dsl::max;
use diesel::sql_types::{BigInt, Integer};
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, QueryableByName, RunQueryDsl, sql_query,
};
use latchkey_rules::time::Millis;
use rand::RngExt;

use super::audit::{Action, Event, record};
use super::error::{Error, Result};
use super::nodes::ACKS_KEPT_MS;
use super::replica::{RowId, Tally};
use super::schema::{changes, installation};
use super::scope::OperatorScope;
use super::{Change, Reader};

/// What kind of row a line of the log names. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// A key, its products or its secrets.
    Key,
    /// An account.
    Account,
    /// A product and its routes.
    Product,
    /// A plan.
    Plan,
}

impl ChangeKind {
    const ALL: [Self; 4] = [Self::Key, Self::Account, Self::Product, Self::Plan];

    pub(super) const fn number(self) -> i16 {
        match self {
            Self::Key => 1,
            Self::Account => 2,
            Self::Product => 3,
            Self::Plan => 4,
        }
    }
}

/// A line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeRow {
    /// Its place in the log.
    pub id: i64,
    /// What kind of row changed.
    pub kind: ChangeKind,
    /// Which one.
    pub ref_row: RowId,
}

/// What stands in the log after a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changes {
    /// These lines, in order; none when nothing happened.
    Rows(Vec<ChangeRow>),
    /// The log cannot say: lines after the cursor were pruned, or the cursor is of another log. Load everything.
    Gap,
}

/// The log's random name. Another one means: load everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(i64);

impl Epoch {
    pub(super) const fn number(self) -> i64 {
        self.0
    }
}

/// The log's epoch.
///
/// # Errors
/// When the database does not answer.
pub fn epoch(reader: &mut Reader) -> Result<Epoch> {
    Ok(Epoch(
        installation::table
            .select(installation::log_epoch)
            .first(&mut reader.conn)?,
    ))
}

/// The last line's place, where a cursor begins that saw everything.
///
/// # Errors
/// When the database does not answer.
pub fn head(reader: &mut Reader) -> Result<i64> {
    let last: Option<i64> = changes::table
        .select(max(changes::id))
        .first(&mut reader.conn)?;
    last.map_or_else(|| pruned(reader), Ok)
}

fn pruned(reader: &mut Reader) -> Result<i64> {
    Ok(installation::table
        .select(installation::log_pruned)
        .first(&mut reader.conn)?)
}

/// The lines after the cursor, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn after(reader: &mut Reader, cursor: i64, limit: i64) -> Result<Changes> {
    if cursor < pruned(reader)? {
        return Ok(Changes::Gap);
    }
    let rows = changes::table
        .filter(changes::id.gt(cursor))
        .order(changes::id.asc())
        .limit(limit)
        .select((changes::id, changes::kind, changes::ref_row))
        .load::<(i64, i16, i64)>(&mut reader.conn)?;
    if rows.is_empty() && cursor > head(reader)? {
        return Ok(Changes::Gap);
    }
    let known = |(id, number, row): (i64, i16, i64)| {
        let kind = ChangeKind::ALL.into_iter().find(|k| k.number() == number)?;
        Some(ChangeRow {
            id,
            kind,
            ref_row: RowId(row),
        })
    };
    // A later release's kind says nothing to this one, but what it stands for may: then everything is read.
    let rows: Option<Vec<ChangeRow>> = rows.into_iter().map(known).collect();
    Ok(rows.map_or(Changes::Gap, Changes::Rows))
}

/// On SQLite a number that differs when another connection committed since this one asked last.
///
/// # Errors
/// When the database does not answer.
pub fn data_version(reader: &mut Reader) -> Result<Option<i64>> {
    #[derive(QueryableByName)]
    struct Version {
        #[diesel(sql_type = Integer)]
        data_version: i32,
    }
    if !reader.is_file() {
        return Ok(None);
    }
    let version: Version = sql_query("PRAGMA data_version").get_result(&mut reader.conn)?;
    Ok(Some(i64::from(version.data_version)))
}

/// How many rows a replica of everything holds, and the sum over them; see [`Tally::add`].
///
/// # Errors
/// When the database does not answer.
pub fn checksum(reader: &mut Reader) -> Result<Tally> {
    #[derive(QueryableByName)]
    struct Sum {
        #[diesel(sql_type = BigInt)]
        count: i64,
        #[diesel(sql_type = BigInt)]
        sum: i64,
    }
    let found: Sum =
        sql_query(include_str!("changes/checksum.sql")).get_result(&mut reader.conn)?;
    Ok(Tally {
        count: found.count,
        sum: found.sum,
    })
}

/// Tells every node that this row changed, and to which generation.
pub(super) fn log(
    change: &mut Change<'_>,
    kind: ChangeKind,
    row: i64,
    generation: i64,
) -> Result<()> {
    let now = change.now();
    diesel::insert_into(changes::table)
        .values((
            changes::kind.eq(kind.number()),
            changes::ref_row.eq(row),
            changes::generation.eq(generation),
            changes::at.eq(now.0),
        ))
        .execute(&mut change.conn)?;
    Ok(())
}

/// Begins the log anew, so that every node loads everything: after a restore, after work past the log.
///
/// # Errors
/// When the database does not answer.
pub fn new_epoch(change: &mut Change<'_>, scope: &OperatorScope) -> Result<()> {
    renew(change)?;
    let event = Event {
        account: None,
        action: Action::EpochRenewed,
        target: "installation".to_owned(),
        before: None,
        after: None,
    };
    record(change, scope.actor(), event)
}

pub(super) fn renew(change: &mut Change<'_>) -> Result<()> {
    let epoch = rand::rng().random_range(0..i64::MAX);
    diesel::update(installation::table)
        .set(installation::log_epoch.eq(epoch))
        .execute(&mut change.conn)?;
    Ok(())
}

/// Drops the lines older than a month: what ended a key is found by them as long as it is known when nodes began to refuse.
///
/// # Errors
/// When the database does not answer.
pub fn sweep(change: &mut Change<'_>) -> Result<usize> {
    let end = change.now().plus_ms(-ACKS_KEPT_MS);
    prune(change, end)
}

/// Drops the lines older than this, except the last one. Nodes that are further behind load everything.
///
/// # Errors
/// When the database does not answer.
pub fn prune(change: &mut Change<'_>, before: Millis) -> Result<usize> {
    let oldest_kept: Option<i64> = changes::table
        .filter(changes::at.ge(before.0))
        .order(changes::id.asc())
        .select(changes::id)
        .first(&mut change.conn)
        .optional()?;
    let end = match oldest_kept {
        Some(id) => id,
        None => head(change)?,
    };
    let dropped =
        diesel::delete(changes::table.filter(changes::id.lt(end))).execute(&mut change.conn)?;
    if dropped > 0 {
        diesel::update(installation::table)
            .set(installation::log_pruned.eq(end - 1))
            .execute(&mut change.conn)?;
    }
    Ok(dropped)
}

/// The error for a row whose generation would be past what can be counted; no row gets there.
pub(super) fn next_generation(generation: i64) -> Result<i64> {
    generation
        .checked_add(1)
        .ok_or_else(|| Error::Database("a row's generation is at its end".to_owned()))
}
