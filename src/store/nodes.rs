//! The processes that serve: who they are, until when they were heard, and how far each has followed the change log.
//!
//! It must not know how a node follows the log.

mod proof;

use diesel::upsert::excluded;
use diesel::{ExpressionMethods, Insertable, QueryDsl, Queryable, RunQueryDsl};
use latchkey_rules::time::{DAY_MS, Millis, SECOND_MS};

use super::changes::Epoch;
use super::columns::word;
use super::db::each;
use super::error::Result;
use super::replica::RowId;
use super::schema::{keys, node_acks, nodes};
use super::{Reader, Writer};

pub use proof::{NodeProof, NodeState, proof, proof_for_staff};

/// Rows in a statement.
const CHUNK: usize = 1_000;

/// How long it is known when a node began to refuse.
pub const ACKS_KEPT_MS: i64 = 30 * DAY_MS;

/// A node tells of itself every five seconds; one that has not for this long is not in touch.
pub const SILENT_MS: i64 = 15 * SECOND_MS;

/// How long a node that is not heard any more stays in the list.
const NODES_KEPT_MS: i64 = DAY_MS;

/// What a node serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeRole {
    /// Pages alone.
    Portal,
    /// Verdicts alone.
    Gate,
    /// Both.
    Both,
}

impl NodeRole {
    const ALL: [Self; 3] = [Self::Portal, Self::Gate, Self::Both];

    const fn word(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Gate => "gate",
            Self::Both => "both",
        }
    }

    /// What people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Gate => "gate",
            Self::Both => "portal and gate",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// A node, as it names itself.
#[derive(Clone, Debug)]
pub struct NodeFacts {
    /// Its name: no two that run have the same.
    pub name: String,
    /// What it serves.
    pub role: NodeRole,
    /// Which version of Latchkey it is.
    pub version: String,
    /// When it started.
    pub started_at: Millis,
    /// How long it serves known keys without hearing from the database.
    pub max_staleness_ms: i64,
}

/// How far a node has followed the change log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The log.
    pub epoch: Epoch,
    /// The place up to which its last load of everything had read.
    pub loaded: i64,
    /// When that load was over.
    pub loaded_at: Millis,
    /// The place up to which all is applied.
    pub applied: i64,
}

/// A key that a node refuses now, whole or by one of its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// The key.
    pub key: RowId,
    /// The generation of the change that ended it.
    pub generation: i64,
    /// From when on.
    pub at: Millis,
}

/// A node, as the others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// What it serves.
    pub role: NodeRole,
    /// Which version of Latchkey it is.
    pub version: String,
    /// When it started.
    pub started_at: Millis,
    /// When it was last heard.
    pub heard_at: Millis,
    /// When it ended in good order.
    pub left_at: Option<Millis>,
    /// Lines of the change log that it has not applied yet; none when it follows another log, or none at all.
    pub behind: Option<i64>,
}

#[derive(Insertable)]
#[diesel(table_name = nodes, treat_none_as_default_value = false)]
struct NewRow<'a> {
    name: &'a str,
    role: &'static str,
    version: &'a str,
    started_at: i64,
    heard_at: i64,
    left_at: Option<i64>,
    max_staleness: i64,
    epoch: i64,
    loaded: i64,
    loaded_at: i64,
    applied: i64,
}

#[derive(Queryable)]
struct Row {
    name: String,
    role: String,
    version: String,
    started_at: i64,
    heard_at: i64,
    left_at: Option<i64>,
    max_staleness: i64,
    epoch: i64,
    loaded: i64,
    loaded_at: i64,
    applied: i64,
}

#[derive(Insertable)]
#[diesel(table_name = node_acks, treat_none_as_default_value = false)]
struct AckRow<'a> {
    key_row: i64,
    generation: i64,
    node: &'a str,
    at: i64,
}

/// Notes that the node lives, how far it has followed, and what it refuses since it was last noted.
///
/// # Errors
/// When the database does not answer; then the same may be noted again.
pub fn note(
    writer: &mut Writer,
    node: &NodeFacts,
    followed: Option<&Followed>,
    acks: &[Ack],
) -> Result<()> {
    let row = NewRow {
        name: &node.name,
        role: node.role.word(),
        version: &node.version,
        started_at: node.started_at.0,
        heard_at: writer.now().0,
        left_at: None,
        max_staleness: node.max_staleness_ms,
        epoch: followed.map_or(0, |followed| followed.epoch.number()),
        loaded: followed.map_or(0, |followed| followed.loaded),
        loaded_at: followed.map_or(0, |followed| followed.loaded_at.0),
        applied: followed.map_or(0, |followed| followed.applied),
    };
    each!(&mut writer.conn, conn => diesel::insert_into(nodes::table)
        .values(&row)
        .on_conflict(nodes::name)
        .do_update()
        .set((
            nodes::role.eq(excluded(nodes::role)),
            nodes::version.eq(excluded(nodes::version)),
            nodes::started_at.eq(excluded(nodes::started_at)),
            nodes::heard_at.eq(excluded(nodes::heard_at)),
            nodes::left_at.eq(excluded(nodes::left_at)),
            nodes::max_staleness.eq(excluded(nodes::max_staleness)),
            nodes::epoch.eq(excluded(nodes::epoch)),
            nodes::loaded.eq(excluded(nodes::loaded)),
            nodes::loaded_at.eq(excluded(nodes::loaded_at)),
            nodes::applied.eq(excluded(nodes::applied)),
        ))
        .execute(conn))?;
    acks.chunks(CHUNK)
        .try_for_each(|acks| acknowledge(writer, &node.name, acks))
}

fn acknowledge(writer: &mut Writer, node: &str, acks: &[Ack]) -> Result<()> {
    // A key may have gone since: its row is what an acknowledgement hangs on.
    let rows: Vec<i64> = acks.iter().map(|ack| ack.key.0).collect();
    let there: Vec<i64> = keys::table
        .filter(keys::id.eq_any(rows))
        .select(keys::id)
        .load(&mut writer.conn)?;
    let row = |ack: &Ack| AckRow {
        key_row: ack.key.0,
        generation: ack.generation,
        node,
        at: ack.at.0,
    };
    let rows: Vec<AckRow<'_>> = acks
        .iter()
        .filter(|ack| there.contains(&ack.key.0))
        .map(row)
        .collect();
    each!(&mut writer.conn, conn => diesel::insert_into(node_acks::table)
        .values(rows)
        .on_conflict_do_nothing()
        .execute(conn))?;
    Ok(())
}

/// Notes that the node ends in good order: it lets nothing through any more.
///
/// # Errors
/// When the database does not answer.
pub fn leave(writer: &mut Writer, name: &str) -> Result<()> {
    let now = writer.now();
    diesel::update(nodes::table.find(name))
        .set((nodes::heard_at.eq(now.0), nodes::left_at.eq(now.0)))
        .execute(&mut writer.conn)?;
    Ok(())
}

/// All nodes that were heard in the last day, by name.
///
/// # Errors
/// When the database does not answer.
pub fn all(reader: &mut Reader) -> Result<Vec<Node>> {
    let epoch = super::changes::epoch(reader)?.number();
    let head = super::changes::head(reader)?;
    let rows: Vec<Row> = nodes::table
        .order(nodes::name.asc())
        .load(&mut reader.conn)?;
    rows.into_iter()
        .map(|row| {
            let follows = row.epoch == epoch;
            Ok(Node {
                role: word(&row.role, NodeRole::from_word)?,
                name: row.name,
                version: row.version,
                started_at: Millis(row.started_at),
                heard_at: Millis(row.heard_at),
                left_at: row.left_at.map(Millis),
                behind: follows.then(|| (head - row.applied).max(0)),
            })
        })
        .collect()
}

/// Forgets nodes that have not been heard for a day and acknowledgements that are a month old, and says how many rows that
/// were.
///
/// # Errors
/// When the database does not answer.
pub fn sweep(writer: &mut Writer) -> Result<usize> {
    let now = writer.now();
    let silent = nodes::table.filter(nodes::heard_at.lt(now.plus_ms(-NODES_KEPT_MS).0));
    let nodes = diesel::delete(silent).execute(&mut writer.conn)?;
    let old = node_acks::table.filter(node_acks::at.lt(now.plus_ms(-ACKS_KEPT_MS).0));
    Ok(nodes + diesel::delete(old).execute(&mut writer.conn)?)
}
