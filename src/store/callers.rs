//! Who calls with a key's secrets, by the hour: written with the counts, kept for eight days, read for one key.
//!
//! It must not know which callers are kept apart, nor how a place or an agent is told.

use std::collections::BTreeMap;

use diesel::upsert::excluded;
use diesel::{
    ExpressionMethods, Insertable, JoinOnDsl, NullableExpressionMethods, QueryDsl, RunQueryDsl,
};
use latchkey_rules::caller::CallerPlace;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::time::{DAY_MS, Millis};

use super::db::each;
use super::error::Result;
use super::keys::{row_for_staff, row_in_account};
use super::replica::RowId;
use super::schema::{callers, products};
use super::scope::{AccountScope, StaffScope};
use super::{Reader, Writer};

/// Rows in a statement: both databases take so many bound values.
const CHUNK: usize = 1_000;
/// How long callers are kept: a week, and the day that it began in.
const KEPT_MS: i64 = 8 * DAY_MS;

/// Requests of one caller, by way of the meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerCount {
    /// The key's account.
    pub account: RowId,
    /// The key.
    pub key: RowId,
    /// The number of the secret that was used.
    pub secret_number: i16,
    /// The product, when the request led to one.
    pub product: Option<RowId>,
    /// The UTC hour, by its start.
    pub hour: Millis,
    /// Where from.
    pub place: CallerPlace,
    /// The user agent's family; empty where none was sent.
    pub agent: String,
    /// Requests that were let through.
    pub allowed: i64,
    /// Requests that were refused.
    pub refused: i64,
    /// When the last one came.
    pub last_at: Millis,
}

/// A caller of a key, over some hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Where from.
    pub place: CallerPlace,
    /// The user agent's family; empty where none was sent.
    pub agent: String,
    /// The names of the products that were asked for, sorted.
    pub products: Vec<String>,
    /// Requests that were let through.
    pub allowed: i64,
    /// Requests that were refused.
    pub refused: i64,
    /// When the last one came.
    pub last_at: Millis,
}

impl Caller {
    /// All its requests.
    #[must_use]
    pub const fn requests(&self) -> i64 {
        self.allowed.saturating_add(self.refused)
    }
}

#[derive(Insertable, Clone)]
#[diesel(table_name = callers, treat_none_as_default_value = false)]
struct HourOfCaller {
    account_id: i64,
    key_row: i64,
    hour: i64,
    secret_number: i16,
    product_row: i64,
    place: String,
    agent: String,
    allowed: i64,
    refused: i64,
    last_at: i64,
}

/// The primary key: account, key, hour, secret number, product, place, agent.
type Place = (i64, i64, i64, i16, i64, String, String);
/// Allowed, refused, last.
type Sums = (i64, i64, i64);

/// In the order of the primary key, each row once: two nodes that write at a time do not wait for each other in a ring.
pub(super) fn add_callers(writer: &mut Writer, counts: &[CallerCount]) -> Result<()> {
    let mut rows: BTreeMap<Place, Sums> = BTreeMap::new();
    for count in counts {
        let place = (
            count.account.0,
            count.key.0,
            count.hour.hour_start().0,
            count.secret_number,
            count.product.map_or(0, |product| product.0),
            count.place.to_string(),
            count.agent.clone(),
        );
        let sums = rows.entry(place).or_default();
        sums.0 += count.allowed;
        sums.1 += count.refused;
        sums.2 = sums.2.max(count.last_at.0);
    }
    let rows: Vec<HourOfCaller> = rows.into_iter().map(row).collect();
    for chunk in rows.chunks(CHUNK) {
        each!(&mut writer.conn, conn => diesel::insert_into(callers::table)
            .values(chunk)
            .on_conflict((
                callers::account_id,
                callers::key_row,
                callers::hour,
                callers::secret_number,
                callers::product_row,
                callers::place,
                callers::agent,
            ))
            .do_update()
            .set((
                callers::allowed.eq(callers::allowed + excluded(callers::allowed)),
                callers::refused.eq(callers::refused + excluded(callers::refused)),
                callers::last_at.eq(excluded(callers::last_at)),
            ))
            .execute(conn))?;
    }
    Ok(())
}

fn row((place, sums): (Place, Sums)) -> HourOfCaller {
    let (account_id, key_row, hour, secret_number, product_row, place, agent) = place;
    let (allowed, refused, last_at) = sums;
    HourOfCaller {
        account_id,
        key_row,
        hour,
        secret_number,
        product_row,
        place,
        agent,
        allowed,
        refused,
        last_at,
    }
}

/// Who called with one of the key's secrets, or with any, since that instant, by whole hours; those with the most requests
/// first.
///
/// # Errors
/// `NotFound` when the account has no such key.
pub fn of_key(
    reader: &mut Reader,
    scope: &AccountScope,
    key_id: &KeyId,
    secret_number: Option<i16>,
    since: Millis,
) -> Result<Vec<Caller>> {
    let key = row_in_account(reader, scope, key_id)?;
    callers_of(reader, (scope.account, key), secret_number, since)
}

/// The same for staff, whose account the key may be of, with any of its secrets.
///
/// # Errors
/// `NotFound` when there is no such key.
pub fn of_key_for_staff(
    reader: &mut Reader,
    scope: &StaffScope,
    key_id: &KeyId,
    since: Millis,
) -> Result<Vec<Caller>> {
    let place = row_for_staff(reader, scope, key_id)?;
    callers_of(reader, place, None, since)
}

fn callers_of(
    reader: &mut Reader,
    (account, key): (i64, i64),
    secret_number: Option<i16>,
    since: Millis,
) -> Result<Vec<Caller>> {
    let mut query = callers::table
        .left_join(products::table.on(products::id.eq(callers::product_row)))
        .filter(callers::account_id.eq(account))
        .filter(callers::key_row.eq(key))
        .filter(callers::hour.ge(since.hour_start().0))
        .select((
            callers::place,
            callers::agent,
            products::name.nullable(),
            callers::allowed,
            callers::refused,
            callers::last_at,
        ))
        .into_boxed();
    if let Some(number) = secret_number {
        query = query.filter(callers::secret_number.eq(number));
    }
    Ok(summed(query.load::<Found>(&mut reader.conn)?))
}

/// Place, agent, product, allowed, refused, last.
type Found = (String, String, Option<String>, i64, i64, i64);

fn summed(rows: Vec<Found>) -> Vec<Caller> {
    let mut sums: BTreeMap<(String, String), Caller> = BTreeMap::new();
    for (place, agent, product, allowed, refused, last_at) in rows {
        let caller = sums
            .entry((place, agent))
            .or_insert_with_key(|(place, agent)| Caller {
                place: CallerPlace::from_text(place),
                agent: agent.clone(),
                products: Vec::new(),
                allowed: 0,
                refused: 0,
                last_at: Millis(0),
            });
        caller.allowed = caller.allowed.saturating_add(allowed);
        caller.refused = caller.refused.saturating_add(refused);
        caller.last_at = caller.last_at.max(Millis(last_at));
        if let Some(product) = product
            && let Err(at) = caller.products.binary_search(&product)
        {
            caller.products.insert(at, product);
        }
    }
    let mut sums: Vec<Caller> = sums.into_values().collect();
    sums.sort_by_key(|caller| std::cmp::Reverse((caller.requests(), caller.last_at)));
    sums
}

/// Forgets callers of hours long gone, and says how many rows; call it until that is none.
///
/// # Errors
/// When the database does not answer.
pub fn sweep(writer: &mut Writer) -> Result<usize> {
    let end = writer.now().plus_ms(-KEPT_MS);
    let oldest: Option<i64> = callers::table
        .select(diesel::dsl::min(callers::hour))
        .first(&mut writer.conn)?;
    match oldest {
        // An hour at a time.
        Some(hour) if hour < end.0 => {
            let old = callers::table.filter(callers::hour.eq(hour));
            Ok(diesel::delete(old).execute(&mut writer.conn)?)
        }
        _ => Ok(0),
    }
}
