//! The proof that an end has come everywhere: which nodes refuse what a change of a key ended, and since when.

use std::collections::HashMap;

use diesel::dsl::min;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::time::{Millis, SECOND_MS};

use super::{ACKS_KEPT_MS, NodeRole, Row};
use crate::store::Reader;
use crate::store::changes::{self, ChangeKind};
use crate::store::error::Result;
use crate::store::schema::{changes as log, keys, node_acks, nodes};
use crate::store::scope::{AccountScope, StaffScope};

/// How soon after the instant of an end its line stands in the log: both are of one transaction.
const SAME_CHANGE_MS: i64 = SECOND_MS;

/// A node, and whether it refuses yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeProof {
    /// The node's name.
    pub node: String,
    /// How it stands.
    pub state: NodeState,
}

/// How a node stands towards an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeState {
    /// It has not said yet that it refuses.
    Waiting {
        /// When it was last heard.
        heard_at: Millis,
        /// Until when it may still let requests through, if it runs and cannot reach the database.
        until: Millis,
    },
    /// It refuses since.
    Refuses(Millis),
    /// It started after the end, and has refused ever since.
    Started(Millis),
    /// It ended.
    Left(Millis),
}

/// Which nodes refuse what ended at that instant on one of the account's keys. Nothing when that is a
/// month ago, or the log holds no change of that instant.
///
/// # Errors
/// `NotFound` when the account has no such key.
pub fn proof(
    reader: &mut Reader,
    scope: &AccountScope,
    key_id: &KeyId,
    ended_at: Millis,
) -> Result<Option<Vec<NodeProof>>> {
    let row = keys::table
        .filter(keys::account_id.eq(scope.account))
        .filter(keys::key_id.eq(key_id.as_bytes().as_slice()))
        .select(keys::id)
        .first(&mut reader.conn)?;
    of_row(reader, row, ended_at)
}

/// The same of any account's key, for staff.
///
/// # Errors
/// `NotFound` when there is no such key.
pub fn proof_for_staff(
    reader: &mut Reader,
    _scope: &StaffScope,
    key_id: &KeyId,
    ended_at: Millis,
) -> Result<Option<Vec<NodeProof>>> {
    let row = keys::table
        .filter(keys::key_id.eq(key_id.as_bytes().as_slice()))
        .select(keys::id)
        .first(&mut reader.conn)?;
    of_row(reader, row, ended_at)
}

fn of_row(reader: &mut Reader, key: i64, ended_at: Millis) -> Result<Option<Vec<NodeProof>>> {
    // Acknowledgements are forgotten: a gate that gave one then must not look as if it had not.
    if reader.now().plus_ms(-ACKS_KEPT_MS) >= ended_at {
        return Ok(None);
    }
    let change: Option<(i64, i64)> = log::table
        .filter(log::ref_row.eq(key))
        .filter(log::at.between(ended_at.0, ended_at.plus_ms(SAME_CHANGE_MS).0))
        .filter(log::kind.eq(ChangeKind::Key.number()))
        .order(log::id.asc())
        .select((log::id, log::generation))
        .first(&mut reader.conn)
        .optional()?;
    let Some((place, generation)) = change else {
        return Ok(None);
    };
    let acks: HashMap<String, Option<i64>> = node_acks::table
        .filter(node_acks::key_row.eq(key))
        .filter(node_acks::generation.ge(generation))
        .group_by(node_acks::node)
        .select((node_acks::node, min(node_acks::at)))
        .load(&mut reader.conn)?
        .into_iter()
        .collect();
    let epoch = changes::epoch(reader)?.number();
    let rows: Vec<Row> = nodes::table
        .filter(nodes::role.ne(NodeRole::Portal.word()))
        .order(nodes::name.asc())
        .load(&mut reader.conn)?;
    let state = |row: &Row| {
        let acked = acks.get(&row.name).copied().flatten();
        let has_loaded = row.epoch == epoch && row.loaded >= place;
        let loaded = has_loaded.then_some(row.loaded_at);
        match (acked.or(loaded), row.left_at) {
            (Some(_), _) if row.started_at > ended_at.0 => {
                Some(NodeState::Started(Millis(row.started_at)))
            }
            (Some(at), _) => Some(NodeState::Refuses(Millis(at))),
            // It had ended before: it let nothing through.
            (None, Some(left)) if left < ended_at.0 => None,
            (None, Some(left)) => Some(NodeState::Left(Millis(left))),
            (None, None) => {
                // Whoever read the log after the end knows of it, so it was last read before.
                let until = ended_at.plus_ms(row.max_staleness);
                let heard_at = Millis(row.heard_at);
                Some(NodeState::Waiting { heard_at, until })
            }
        }
    };
    let proofs = rows.iter().filter_map(|row| {
        let state = state(row)?;
        let node = row.name.clone();
        Some(NodeProof { node, state })
    });
    Ok(Some(proofs.collect()))
}
