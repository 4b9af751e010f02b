//! Server secrets that were sent where others can read them: what a key's page warns of.
//!
//! It must not know how the gate finds out.

use std::collections::BTreeMap;

use diesel::upsert::excluded;
use diesel::{ExpressionMethods, Insertable, JoinOnDsl, QueryDsl, RunQueryDsl};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::time::{DAY_MS, Millis};

use super::columns::unreadable;
use super::db::each;
use super::error::Result;
use super::replica::RowId;
use super::schema::{key_exposures, keys};
use super::scope::{AccountScope, StaffScope};
use super::{Reader, Writer};

/// How long an exposure is remembered after it was last seen.
const KEPT_MS: i64 = 90 * DAY_MS;

/// Where a secret was sent that others can read. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exposure {
    /// In the query of a URL, which browsers, proxies and servers keep.
    Url,
    /// Over http without encryption.
    PlainHttp,
}

impl Exposure {
    const ALL: [Self; 2] = [Self::Url, Self::PlainHttp];

    const fn number(self) -> i16 {
        match self {
            Self::Url => 1,
            Self::PlainHttp => 2,
        }
    }
}

/// How often the gate saw one, since it last told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExposureCount {
    /// The key.
    pub key: RowId,
    /// The number of the secret.
    pub secret_number: i16,
    /// Where it was sent.
    pub way: Exposure,
    /// How often.
    pub times: i64,
    /// When last.
    pub last_at: Millis,
}

/// How often a secret was sent that way, all in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// The number of the secret.
    pub secret_number: i16,
    /// Where it was sent.
    pub way: Exposure,
    /// How often.
    pub times: i64,
    /// When first.
    pub first_at: Millis,
    /// When last.
    pub last_at: Millis,
}

#[derive(Insertable)]
#[diesel(table_name = key_exposures, treat_none_as_default_value = false)]
struct Stored {
    key_row: i64,
    secret_number: i16,
    way: i16,
    times: i64,
    first_at: i64,
    last_at: i64,
}

/// Adds what a gate saw.
pub(super) fn add_exposures(writer: &mut Writer, counts: &[ExposureCount]) -> Result<()> {
    // Each row once and in the order of the primary key: two nodes then never wait for each other in a ring.
    let mut rows: BTreeMap<(i64, i16, i16), Stored> = BTreeMap::new();
    for count in counts {
        let place = (count.key.0, count.secret_number, count.way.number());
        let row = rows.entry(place).or_insert(Stored {
            key_row: place.0,
            secret_number: place.1,
            way: place.2,
            times: 0,
            first_at: count.last_at.0,
            last_at: count.last_at.0,
        });
        row.times += count.times;
        row.last_at = row.last_at.max(count.last_at.0);
    }
    for row in rows.values() {
        each!(&mut writer.conn, conn => diesel::insert_into(key_exposures::table)
            .values(row)
            .on_conflict((key_exposures::key_row, key_exposures::secret_number, key_exposures::way))
            .do_update()
            .set((
                key_exposures::times.eq(key_exposures::times + excluded(key_exposures::times)),
                key_exposures::last_at.eq(excluded(key_exposures::last_at)),
            ))
            .execute(conn))?;
    }
    Ok(())
}

/// How the account's key was exposed, by secret.
///
/// # Errors
/// When the database does not answer.
pub fn of_key(reader: &mut Reader, scope: &AccountScope, key_id: &KeyId) -> Result<Vec<Exposed>> {
    let rows = key_exposures::table
        .inner_join(keys::table.on(keys::id.eq(key_exposures::key_row)))
        .filter(keys::account_id.eq(scope.account))
        .filter(keys::key_id.eq(key_id.as_bytes().as_slice()))
        .order((key_exposures::secret_number.asc(), key_exposures::way.asc()))
        .select(EXPOSED)
        .load(&mut reader.conn)?;
    rows.into_iter().map(exposed).collect()
}

/// The same of any account's key, for staff.
///
/// # Errors
/// When the database does not answer.
pub fn of_key_for_staff(
    reader: &mut Reader,
    _scope: &StaffScope,
    key_id: &KeyId,
) -> Result<Vec<Exposed>> {
    let rows = key_exposures::table
        .inner_join(keys::table.on(keys::id.eq(key_exposures::key_row)))
        .filter(keys::key_id.eq(key_id.as_bytes().as_slice()))
        .order((key_exposures::secret_number.asc(), key_exposures::way.asc()))
        .select(EXPOSED)
        .load(&mut reader.conn)?;
    rows.into_iter().map(exposed).collect()
}

type ExposedRow = (i16, i16, i64, i64, i64);

const EXPOSED: (
    key_exposures::secret_number,
    key_exposures::way,
    key_exposures::times,
    key_exposures::first_at,
    key_exposures::last_at,
) = (
    key_exposures::secret_number,
    key_exposures::way,
    key_exposures::times,
    key_exposures::first_at,
    key_exposures::last_at,
);

fn exposed((secret_number, way, times, first_at, last_at): ExposedRow) -> Result<Exposed> {
    let known = Exposure::ALL
        .into_iter()
        .find(|known| known.number() == way);
    Ok(Exposed {
        secret_number,
        way: known.ok_or_else(|| unreadable("way"))?,
        times,
        first_at: Millis(first_at),
        last_at: Millis(last_at),
    })
}

/// Forgets what was not seen again for three months, and says how many rows that were.
///
/// # Errors
/// When the database does not answer.
pub fn sweep(writer: &mut Writer) -> Result<usize> {
    let end = writer.now().plus_ms(-KEPT_MS);
    let old = key_exposures::table.filter(key_exposures::last_at.lt(end.0));
    Ok(diesel::delete(old).execute(&mut writer.conn)?)
}
