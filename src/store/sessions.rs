//! Sessions: kept by the SHA-256 of their token, ended by time on the server's side.
//!
//! It must not know what stands in a session's state.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension,
    QueryDsl, RunQueryDsl,
};
use latchkey_rules::role::StaffRole;
use latchkey_rules::time::{DAY_MS, HOUR_MS, MINUTE_MS, Millis};

use super::columns::word_if;
use super::error::{Error, Result};
use super::schema::{sessions, users};
use super::users::UserHandle;
use super::{Reader, Writer};

/// How long a session may lie idle, and how long it may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Since it was last seen.
    pub idle_ms: i64,
    /// Since it began.
    pub absolute_ms: i64,
}

/// A member's sessions.
pub const MEMBER: Lifetime = Lifetime {
    idle_ms: 8 * HOUR_MS,
    absolute_ms: 7 * DAY_MS,
};

/// Sessions of staff.
pub const STAFF: Lifetime = Lifetime {
    idle_ms: 30 * MINUTE_MS,
    absolute_ms: 12 * HOUR_MS,
};

impl Lifetime {
    /// The lifetime of such a person's sessions.
    pub const fn of(is_staff: bool) -> Self {
        if is_staff { STAFF } else { MEMBER }
    }

    /// Whether a session is over at this instant. A clock set back before its beginning ends it too.
    pub fn is_over(self, created_at: Millis, last_seen_at: Millis, now: Millis) -> bool {
        now < created_at.plus_ms(-MINUTE_MS)
            || now >= created_at.plus_ms(self.absolute_ms)
            || now >= last_seen_at.plus_ms(self.idle_ms)
    }
}

/// A live session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Its state, as JSON.
    pub state_json: String,
    /// Who signed in.
    pub user: Option<UserHandle>,
    /// When it began.
    pub created_at: Millis,
    /// When it was last seen.
    pub last_seen_at: Millis,
    /// Whether the person is staff.
    pub staff: bool,
}

/// The session whose token has this digest, unless it is over.
///
/// # Errors
/// When the database does not answer.
pub fn load(reader: &mut Reader, digest: &[u8; 32]) -> Result<Option<SessionRow>> {
    type Row = (
        String,
        Option<i64>,
        i64,
        i64,
        Option<(Option<String>, Option<i64>)>,
    );
    let now = reader.now();
    let found = sessions::table
        .left_join(users::table)
        .filter(sessions::digest.eq(digest.as_slice()))
        .select((
            sessions::state,
            sessions::user_id,
            sessions::created_at,
            sessions::last_seen_at,
            (users::staff_role, users::disabled_at).nullable(),
        ))
        .first::<Row>(&mut reader.conn)
        .optional()?;
    let Some((state_json, user, created_at, last_seen_at, person)) = found else {
        return Ok(None);
    };
    let (staff_role, disabled_at) = person.unwrap_or_default();
    let staff = word_if(staff_role.as_deref(), StaffRole::from_word)?.is_some();
    let (created_at, last_seen_at) = (Millis(created_at), Millis(last_seen_at));
    if disabled_at.is_some() || Lifetime::of(staff).is_over(created_at, last_seen_at, now) {
        return Ok(None);
    }
    Ok(Some(SessionRow {
        state_json,
        user: user.map(UserHandle::of),
        created_at,
        last_seen_at,
        staff,
    }))
}

/// Whether the database still has a session of this digest, over or not.
///
/// # Errors
/// When the database does not answer.
pub fn is_kept(reader: &mut Reader, digest: &[u8; 32]) -> Result<bool> {
    let found = sessions::table.filter(sessions::digest.eq(digest.as_slice()));
    Ok(diesel::select(diesel::dsl::exists(found)).get_result(&mut reader.conn)?)
}

/// Begins a session.
///
/// # Errors
/// When the database does not answer.
pub fn save(
    writer: &mut Writer,
    digest: &[u8; 32],
    state_json: &str,
    user: Option<&UserHandle>,
) -> Result<()> {
    let now = writer.now();
    diesel::insert_into(sessions::table)
        .values((
            sessions::digest.eq(digest.as_slice()),
            sessions::user_id.eq(user.map(|u| u.row())),
            sessions::state.eq(state_json),
            sessions::created_at.eq(now.0),
            sessions::last_seen_at.eq(now.0),
        ))
        .execute(&mut writer.conn)?;
    Ok(())
}

/// Replaces a session's state.
///
/// # Errors
/// `NotFound` when there is no such session any more.
pub fn update(
    writer: &mut Writer,
    digest: &[u8; 32],
    state_json: &str,
    user: Option<&UserHandle>,
) -> Result<()> {
    let now = writer.now();
    let changed = diesel::update(sessions::table.filter(sessions::digest.eq(digest.as_slice())))
        .set((
            sessions::state.eq(state_json),
            sessions::user_id.eq(user.map(|u| u.row())),
            sessions::last_seen_at.eq(now.0),
        ))
        .execute(&mut writer.conn)?;
    found(changed)
}

/// Notes that a session was seen.
///
/// # Errors
/// `NotFound` when there is no such session any more.
pub fn touch(writer: &mut Writer, digest: &[u8; 32]) -> Result<()> {
    let now = writer.now();
    let changed = diesel::update(sessions::table.filter(sessions::digest.eq(digest.as_slice())))
        .set(sessions::last_seen_at.eq(now.0))
        .execute(&mut writer.conn)?;
    found(changed)
}

fn found(changed: usize) -> Result<()> {
    if changed == 0 {
        return Err(Error::NotFound);
    }
    Ok(())
}

/// Ends a session; one that is not there is ended already.
///
/// # Errors
/// When the database does not answer.
pub fn delete(writer: &mut Writer, digest: &[u8; 32]) -> Result<()> {
    diesel::delete(sessions::table.filter(sessions::digest.eq(digest.as_slice())))
        .execute(&mut writer.conn)?;
    Ok(())
}

/// Ends all sessions of a user, and says how many.
///
/// # Errors
/// When the database does not answer.
pub fn delete_of_user(writer: &mut Writer, user: &UserHandle) -> Result<usize> {
    Ok(
        diesel::delete(sessions::table.filter(sessions::user_id.eq(user.row())))
            .execute(&mut writer.conn)?,
    )
}

/// Forgets sessions that are over for anybody, and says how many.
///
/// # Errors
/// When the database does not answer.
pub fn sweep(writer: &mut Writer) -> Result<usize> {
    let now = writer.now();
    let idle = sessions::last_seen_at.le(now.plus_ms(-MEMBER.idle_ms).0);
    let old = sessions::created_at.le(now.plus_ms(-MEMBER.absolute_ms).0);
    Ok(diesel::delete(sessions::table.filter(idle.or(old))).execute(&mut writer.conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_10_a_session_ends_when_idle_and_when_old() {
        let start = Millis(1_000 * DAY_MS);
        for (is_staff, idle, absolute) in [
            (false, 8 * HOUR_MS, 7 * DAY_MS),
            (true, 30 * MINUTE_MS, 12 * HOUR_MS),
        ] {
            let life = Lifetime::of(is_staff);
            let seen = start.plus_ms(absolute - idle);
            for (last_seen, now, over) in [
                (start, start, false),
                (start, start.plus_ms(idle - 1), false),
                (start, start.plus_ms(idle), true),
                (seen, start.plus_ms(absolute - 1), false),
                (seen.plus_ms(idle), start.plus_ms(absolute), true),
                (start, start.plus_ms(-2 * MINUTE_MS), true),
            ] {
                let found = life.is_over(start, last_seen, now);
                assert_eq!(found, over, "staff {is_staff}, {last_seen:?} at {now:?}");
            }
        }
    }
}
