//! An account's people hear that its day is nearly used up, and that it is.

use diesel::sql_types::{BigInt, Text};
use diesel::{ExpressionMethods, QueryDsl, QueryableByName, RunQueryDsl, sql_query};
use latchkey_rules::mail::MailKind;

use crate::store::Change;
use crate::store::db::each;
use crate::store::error::Result;
use crate::store::outbox::{self, About};
use crate::store::schema::account_days;

/// The shares of a day, in percent, that people are told of.
const NEARLY: i16 = 80;
const ALL: i16 = 100;

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = BigInt)]
    account_id: i64,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = BigInt)]
    per_day: i64,
    #[diesel(sql_type = Text)]
    slug: String,
    #[diesel(sql_type = Text)]
    name: String,
}

/// Tells the people of accounts that used four fifths of their day, or all of it, once for each; says of how many. Call it
/// until that is none.
///
/// # Errors
/// When the database does not answer.
pub fn tell_of_days(change: &mut Change<'_>) -> Result<usize> {
    let today = change.now().day_start().0;
    let due: Vec<Due> = each!(&mut change.conn, conn => {
        sql_query(include_str!("to_tell.sql")).bind::<BigInt, _>(today).load(conn)
    })?;
    for one in &due {
        let share = if one.count >= one.per_day {
            ALL
        } else {
            NEARLY
        };
        diesel::update(
            account_days::table
                .filter(account_days::account_id.eq(one.account_id))
                .filter(account_days::day.eq(today)),
        )
        .set(account_days::told.eq(share))
        .execute(&mut change.conn)?;
        let about = About {
            account: Some(one.slug.clone()),
            subject: one.name.clone(),
            detail: format!("{share} {}", one.per_day),
            ..About::default()
        };
        outbox::tell_of_account(change, MailKind::DayUsed, one.account_id, &about)?;
    }
    Ok(due.len())
}
