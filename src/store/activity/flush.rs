//! Writes a batch of counts, once.

use std::collections::{BTreeMap, BTreeSet};

use diesel::upsert::excluded;
use diesel::{BoolExpressionMethods, ExpressionMethods, Insertable, QueryDsl, RunQueryDsl};
use latchkey_rules::code::Code;
use latchkey_rules::time::{DAY_MS, Millis, SECOND_MS};

use crate::store::callers::{self, CallerCount};
use crate::store::db::each;
use crate::store::error::Result;
use crate::store::exposures::{self, ExposureCount};
use crate::store::replica::RowId;
use crate::store::schema::{account_days, activity, keys, meter_batches};
use crate::store::{Reader, Writer};

/// Rows in a statement: both databases take so many bound values.
const CHUNK: usize = 1_000;

/// How long the number of a batch is remembered. A node that is away for longer draws a new epoch.
const REMEMBERED_MS: i64 = 90 * DAY_MS;

/// A node's counts since its last batch.
#[derive(Clone, Debug)]
pub struct MeterBatch {
    /// The node's name.
    pub node: String,
    /// The number that the node drew when it started.
    pub epoch: i64,
    /// The batch's number; no two of an epoch have the same.
    pub seq: i64,
    /// When the counts were taken off the meter.
    pub at: Millis,
    /// The counts.
    pub rows: Vec<MeterRow>,
    /// Who called.
    pub callers: Vec<CallerCount>,
    /// Which secrets were sent where others can read them.
    pub exposures: Vec<ExposureCount>,
}

/// A count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterRow {
    /// The key's account.
    pub account: RowId,
    /// The key.
    pub key: RowId,
    /// The number of the secret that was used.
    pub secret_number: i16,
    /// The product, when the request led to one.
    pub product: Option<RowId>,
    /// The verdict's code.
    pub code: Code,
    /// When the last of them was, which also says in which UTC hour they were.
    pub last: Millis,
    /// How often.
    pub count: i64,
    /// What they took off the account's day.
    pub units: i64,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flushed {
    /// It is written.
    Written,
    /// It was written before; nothing was counted twice.
    AlreadyWritten,
}

/// What an account has used of a day, of which all its keys and all nodes take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayTotal {
    /// The account.
    pub account: RowId,
    /// The UTC day, by its first instant.
    pub day: Millis,
    /// What is used.
    pub used: i64,
}

#[derive(Insertable, Clone, Copy)]
#[diesel(table_name = activity, treat_none_as_default_value = false)]
struct HourRow {
    account_id: i64,
    key_row: i64,
    hour: i64,
    secret_number: i16,
    product_row: i64,
    outcome: i16,
    count: i64,
}

#[derive(Insertable, Clone, Copy)]
#[diesel(table_name = account_days, treat_none_as_default_value = false)]
struct DayRow {
    account_id: i64,
    day: i64,
    count: i64,
}

/// Adds a batch to the counts, to the accounts' days and to the keys' last use. Says what those days come to now, with what
/// other nodes let through.
///
/// # Errors
/// When the database does not answer; then the batch may be handed in again as it is.
pub fn flush(writer: &mut Writer, batch: &MeterBatch) -> Result<(Flushed, Vec<DayTotal>)> {
    let new = each!(&mut writer.conn, conn => diesel::insert_into(meter_batches::table)
        .values((
            meter_batches::node.eq(&batch.node),
            meter_batches::epoch.eq(batch.epoch),
            meter_batches::seq.eq(batch.seq),
            meter_batches::at.eq(batch.at.0),
        ))
        .on_conflict_do_nothing()
        .execute(conn))?;
    if new == 0 {
        return Ok((Flushed::AlreadyWritten, days_of(writer, batch)?));
    }
    add_counts(writer, batch)?;
    let days = add_days(writer, batch)?;
    note_last_use(writer, batch)?;
    callers::add_callers(writer, &batch.callers)?;
    exposures::add_exposures(writer, &batch.exposures)?;
    Ok((Flushed::Written, days))
}

/// In the order of the primary key, each row once: two nodes that flush at a time do not wait for each other in a ring.
fn add_counts(writer: &mut Writer, batch: &MeterBatch) -> Result<()> {
    let mut sums: BTreeMap<(i64, i64, i64, i16, i64, i16), i64> = BTreeMap::new();
    for row in &batch.rows {
        let place = (
            row.account.0,
            row.key.0,
            row.last.hour_start().0,
            row.secret_number,
            row.product.map_or(0, |product| product.0),
            row.code.number(),
        );
        *sums.entry(place).or_default() += row.count;
    }
    let counts: Vec<HourRow> = sums
        .into_iter()
        .map(|(place, count)| {
            let (account_id, key_row, hour, secret_number, product_row, outcome) = place;
            HourRow {
                account_id,
                key_row,
                hour,
                secret_number,
                product_row,
                outcome,
                count,
            }
        })
        .collect();
    for chunk in counts.chunks(CHUNK) {
        each!(&mut writer.conn, conn => diesel::insert_into(activity::table)
            .values(chunk)
            .on_conflict((
                activity::account_id,
                activity::key_row,
                activity::hour,
                activity::secret_number,
                activity::product_row,
                activity::outcome,
            ))
            .do_update()
            .set(activity::count.eq(activity::count + excluded(activity::count)))
            .execute(conn))?;
    }
    Ok(())
}

/// The account's day is made of what was let through: a refused request consumes nothing.
fn add_days(writer: &mut Writer, batch: &MeterBatch) -> Result<Vec<DayTotal>> {
    let mut sums: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for row in batch.rows.iter().filter(|row| row.code.is_allow()) {
        *sums
            .entry((row.account.0, row.last.day_start().0))
            .or_default() += row.units;
    }
    let days: Vec<DayRow> = sums
        .into_iter()
        .map(|((account_id, day), count)| DayRow {
            account_id,
            day,
            count,
        })
        .collect();
    let mut totals = Vec::with_capacity(days.len());
    for chunk in days.chunks(CHUNK) {
        let of_chunk: Vec<(i64, i64, i64)> = each!(&mut writer.conn, conn => diesel::insert_into(account_days::table)
            .values(chunk)
            .on_conflict((account_days::account_id, account_days::day))
            .do_update()
            .set(account_days::count.eq(account_days::count + excluded(account_days::count)))
            .returning(DAY)
            .get_results(conn))?;
        totals.extend(of_chunk.into_iter().map(total));
    }
    Ok(totals)
}

const DAY: (
    account_days::account_id,
    account_days::day,
    account_days::count,
) = (
    account_days::account_id,
    account_days::day,
    account_days::count,
);

fn total((account, day, used): (i64, i64, i64)) -> DayTotal {
    DayTotal {
        account: RowId(account),
        day: Millis(day),
        used,
    }
}

/// The days of a batch that was written before.
fn days_of(writer: &mut Writer, batch: &MeterBatch) -> Result<Vec<DayTotal>> {
    let allowed = || batch.rows.iter().filter(|row| row.code.is_allow());
    let accounts: BTreeSet<i64> = allowed().map(|row| row.account.0).collect();
    let days: BTreeSet<i64> = allowed().map(|row| row.last.day_start().0).collect();
    let accounts: Vec<i64> = accounts.into_iter().collect();
    let mut totals = Vec::new();
    for chunk in accounts.chunks(CHUNK) {
        let of_chunk: Vec<(i64, i64, i64)> = account_days::table
            .filter(account_days::account_id.eq_any(chunk.to_vec()))
            .filter(account_days::day.eq_any(days.iter().copied().collect::<Vec<_>>()))
            .select(DAY)
            .load(&mut writer.conn)?;
        totals.extend(of_chunk.into_iter().map(total));
    }
    Ok(totals)
}

/// What all accounts have used of the day that `now` lies in.
///
/// # Errors
/// When the database does not answer.
pub fn days(reader: &mut Reader, now: Millis) -> Result<Vec<DayTotal>> {
    let rows: Vec<(i64, i64, i64)> = account_days::table
        .filter(account_days::day.eq(now.day_start().0))
        .select(DAY)
        .load(&mut reader.conn)?;
    Ok(rows.into_iter().map(total).collect())
}

fn note_last_use(writer: &mut Writer, batch: &MeterBatch) -> Result<()> {
    let mut last: BTreeMap<i64, i64> = BTreeMap::new();
    for row in batch.rows.iter().filter(|row| row.code.is_allow()) {
        let at = last.entry(row.key.0).or_default();
        *at = row.last.0.max(*at);
    }
    // To the second: the keys of a batch then share the few statements of its seconds.
    let mut by_second: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (key, at) in last {
        let second = at - at % SECOND_MS;
        by_second.entry(second).or_default().push(key);
    }
    for (second, used) in by_second {
        let earlier = keys::last_used_at
            .is_null()
            .or(keys::last_used_at.lt(second));
        for chunk in used.chunks(CHUNK) {
            diesel::update(
                keys::table
                    .filter(keys::id.eq_any(chunk.to_vec()))
                    .filter(earlier),
            )
            .set(keys::last_used_at.eq(second))
            .execute(&mut writer.conn)?;
        }
    }
    Ok(())
}

/// Forgets the numbers of old batches, and says how many.
///
/// # Errors
/// When the database does not answer.
pub fn sweep_batches(writer: &mut Writer) -> Result<usize> {
    let end = writer.now().plus_ms(-REMEMBERED_MS);
    let old = meter_batches::table.filter(meter_batches::at.lt(end.0));
    Ok(diesel::delete(old).execute(&mut writer.conn)?)
}
