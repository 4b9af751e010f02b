//! What a key's changes ended, as a log outside of the database remembers it, and its replay after a restore: a backup from
//! before a revocation revives nothing (T-62).
//!
//! It must not know where that log lies.

use std::collections::HashMap;

use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, RunQueryDsl};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Change;
use super::audit::{Action, Event, record};
use super::changes::{ChangeKind, Epoch, log, next_generation, renew};
use super::columns::key_id as read_key_id;
use super::error::Result;
use super::replica::{ReplicaKey, ReplicaSecret, ReplicaStanding};
use super::schema::{
    confirmations, form_ids, keys, node_acks, nodes, one_time_links, outbox, secrets, sessions,
};
use super::scope::OperatorScope;

/// Keys that are looked up in one statement.
const CHUNK: usize = 500;
/// Keys that the audit event names.
const NAMED: usize = 100;
/// Who switched a key off that the log says was off.
const BY: &str = "restore";
const REASON: &str = "It was disabled after the backup was made.";

/// How a key stood after a change: a line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The key ID.
    key: String,
    /// The key's generation: of two lines the one with the higher holds.
    generation: i64,
    /// When the change became known, in milliseconds UTC.
    at: i64,
    /// Whether it was off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    off: Option<Off>,
    /// When it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
    /// Numbers of its secrets that end, and when each does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ends: Vec<(i16, i64)>,
    /// The change log that it was read from, and the place up to which that was read.
    log: (i64, i64),
}

/// How a key is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Off {
    Deleted,
    Disabled,
    Paused {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<i64>,
    },
}

impl Standing {
    /// How the key stands, read from the log up to that place.
    pub fn of(key: &ReplicaKey, at: Millis, epoch: Epoch, place: i64) -> Self {
        let off = match key.standing {
            _ if key.deleted => Some(Off::Deleted),
            ReplicaStanding::Enabled => None,
            ReplicaStanding::Disabled => Some(Off::Disabled),
            ReplicaStanding::Paused { until } => Some(Off::Paused {
                until: until.map(|until| until.0),
            }),
        };
        let end = |secret: &ReplicaSecret| secret.retires.at.map(|at| (secret.number, at.0));
        Self {
            key: key.key_id.to_string(),
            generation: key.generation,
            at: at.0,
            off,
            expires: key.expires.at.map(|at| at.0),
            ends: key.secrets.iter().filter_map(end).collect(),
            log: (epoch.number(), place),
        }
    }

    /// Whether it takes anything from the key.
    pub fn restricts(&self) -> bool {
        self.off.is_some() || self.expires.is_some() || !self.ends.is_empty()
    }

    /// The place up to which that log was read, if it is the one that the line was read from.
    pub fn place_in(&self, epoch: Epoch) -> Option<i64> {
        (self.log.0 == epoch.number()).then_some(self.log.1)
    }

    /// The key.
    pub fn key_id(&self) -> Option<KeyId> {
        self.key.parse().ok()
    }

    /// The key's generation.
    pub const fn generation(&self) -> i64 {
        self.generation
    }
}

/// What a restore settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Keys that lost something which the backup still had.
    pub ended: Vec<KeyId>,
    /// Keys whose last line the backup knew, or that it does not hold.
    pub left: usize,
}

/// A key of the database that has come back.
struct Held {
    row: i64,
    generation: i64,
}

/// Makes a database that came from a backup fit to serve: what was ended since is ended again, every node loads everything, and
/// nobody is signed in, no link works, no mail is sent twice. Nothing that was ended before becomes alive.
///
/// # Errors
/// When the database does not answer; then nothing of it was done.
pub fn settle(
    change: &mut Change<'_>,
    scope: &OperatorScope,
    lines: &[Standing],
) -> Result<Settled> {
    let mut last: HashMap<KeyId, &Standing> = HashMap::new();
    for line in lines {
        let Some(id) = line.key_id() else { continue };
        let known = last.entry(id).or_insert(line);
        if line.generation >= known.generation {
            *known = line;
        }
    }
    let mut wanted: Vec<(KeyId, &Standing)> = last.into_iter().collect();
    wanted.sort_unstable_by_key(|(id, _)| *id);
    let mut settled = Settled::default();
    for chunk in wanted.chunks(CHUNK) {
        let held = held(change, chunk)?;
        for (id, line) in chunk {
            match held
                .get(id)
                .filter(|held| held.generation < line.generation)
            {
                Some(held) if end(change, held, line)? => settled.ended.push(*id),
                _ => settled.left += 1,
            }
        }
    }
    forget(change)?;
    renew(change)?;
    let named: Vec<String> = settled
        .ended
        .iter()
        .take(NAMED)
        .map(KeyId::to_string)
        .collect();
    let event = Event {
        account: None,
        action: Action::InstallationRestored,
        target: "installation".to_owned(),
        before: None,
        after: Some(json!({ "ended": settled.ended.len(), "keys": named })),
    };
    record(change, scope.actor(), event)?;
    Ok(settled)
}

fn held(change: &mut Change<'_>, wanted: &[(KeyId, &Standing)]) -> Result<HashMap<KeyId, Held>> {
    let ids: Vec<&[u8]> = wanted
        .iter()
        .map(|(id, _)| id.as_bytes().as_slice())
        .collect();
    let rows: Vec<(i64, Vec<u8>, i64)> = keys::table
        .filter(keys::key_id.eq_any(ids))
        .select((keys::id, keys::key_id, keys::generation))
        .load(&mut change.conn)?;
    rows.into_iter()
        .map(|(row, id, generation)| Ok((read_key_id(&id)?, Held { row, generation })))
        .collect()
}

/// Takes from a key what the line says is over, and nothing else; whether that was anything.
fn end(change: &mut Change<'_>, held: &Held, line: &Standing) -> Result<bool> {
    let key = keys::table.filter(keys::id.eq(held.row));
    let mut ended = match line.off {
        None => 0,
        Some(Off::Deleted) => diesel::update(key.filter(keys::deleted_at.is_null()))
            // Whoever deleted it could take that back for an hour, which is over.
            .set((keys::deleted_at.eq(line.at), keys::purge_at.eq(line.at)))
            .execute(&mut change.conn)?,
        Some(Off::Disabled) => diesel::update(key.filter(keys::disabled_at.is_null()))
            .set((
                keys::disabled_at.eq(line.at),
                keys::disabled_by.eq(BY),
                keys::disabled_reason.eq(REASON),
                keys::disabled_kind.eq("staff"),
            ))
            .execute(&mut change.conn)?,
        Some(Off::Paused { until }) => diesel::update(key.filter(keys::paused_at.is_null()))
            .set((keys::paused_at.eq(line.at), keys::paused_until.eq(until)))
            .execute(&mut change.conn)?,
    };
    if let Some(expires) = line.expires {
        let later = keys::expires_at.is_null().or(keys::expires_at.gt(expires));
        ended += diesel::update(key.filter(later))
            .set(keys::expires_at.eq(expires))
            .execute(&mut change.conn)?;
    }
    for (number, at) in &line.ends {
        let later = secrets::retires_at
            .is_null()
            .or(secrets::retires_at.gt(*at));
        let secret = secrets::table
            .filter(secrets::key_row.eq(held.row))
            .filter(secrets::number.eq(*number));
        ended += diesel::update(secret.filter(later))
            .set(secrets::retires_at.eq(*at))
            .execute(&mut change.conn)?;
    }
    if ended == 0 {
        return Ok(false);
    }
    // Beyond what any node has seen of it, so that the same line says nothing new when it is replayed again.
    let generation = next_generation(line.generation)?;
    diesel::update(key)
        .set(keys::generation.eq(generation))
        .execute(&mut change.conn)?;
    log(change, ChangeKind::Key, held.row, generation)?;
    Ok(true)
}

/// What must not come back with a backup: sessions that ended, links that were used, mails that were sent, nodes that were.
fn forget(change: &mut Change<'_>) -> Result<()> {
    diesel::delete(sessions::table).execute(&mut change.conn)?;
    diesel::delete(one_time_links::table).execute(&mut change.conn)?;
    diesel::delete(confirmations::table).execute(&mut change.conn)?;
    diesel::delete(form_ids::table).execute(&mut change.conn)?;
    diesel::delete(outbox::table).execute(&mut change.conn)?;
    diesel::delete(node_acks::table).execute(&mut change.conn)?;
    diesel::delete(nodes::table).execute(&mut change.conn)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_is_short_and_comes_back_as_it_was() {
        let line = Standing {
            key: "key_aaaaaaaaaaaaaaaa".to_owned(),
            generation: 4,
            at: 17,
            off: Some(Off::Disabled),
            expires: None,
            ends: vec![(1, 9)],
            log: (5, 6),
        };
        let text = serde_json::to_string(&line).unwrap();
        assert_eq!(
            text,
            r#"{"key":"key_aaaaaaaaaaaaaaaa","generation":4,"at":17,"off":"disabled","ends":[[1,9]],"log":[5,6]}"#
        );
        assert_eq!(serde_json::from_str::<Standing>(&text).unwrap(), line);
        let paused = text.replace("\"disabled\"", r#"{"paused":{"until":8}}"#);
        let read: Standing = serde_json::from_str(&paused).unwrap();
        assert_eq!(read.off, Some(Off::Paused { until: Some(8) }));
    }
}
