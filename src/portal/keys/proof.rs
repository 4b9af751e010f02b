//! The proof that what ended is refused everywhere: each gate, since when it refuses, and until when one that is silent may
//! not. The key's page and staff's both show it.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use latchkey_rules::status::Status;
use latchkey_rules::time::{Millis, SECOND_MS};

use super::KeyPath;
use crate::store;
use crate::store::keys::{self, Key};
use crate::store::nodes::{self, NodeProof, NodeState};
use crate::web::error::Error;
use crate::web::frame::Frame;
use crate::web::scope::{Member, Viewer};
use crate::web::zone::When;
use crate::web::{Shared, render};

/// What ended of a key, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::portal) struct Ended {
    at: Millis,
    is_whole_key: bool,
}

impl Ended {
    /// What ended last by somebody's doing. An expiry comes by itself, at each gate's own clock.
    pub(in crate::portal) fn of(key: &Key, now: Millis) -> Option<Self> {
        let whole = |at: Option<Millis>| at.map(|at| (at, true));
        let (at, is_whole_key) = match key.status(now) {
            Status::Deleted => whole(key.deleted_at),
            Status::Disabled => whole(key.disabled.as_ref().map(|disabled| disabled.at)),
            Status::Paused => whole(key.paused_at),
            _ => {
                let ends = key.secrets.iter().filter_map(|secret| secret.retires_at);
                ends.filter(|at| *at <= now).max().map(|at| (at, false))
            }
        }?;
        Some(Self { at, is_whole_key })
    }
}

/// What the pages say.
#[derive(Debug)]
pub(in crate::portal) struct Proof {
    pub(in crate::portal) title: &'static str,
    pub(in crate::portal) words: String,
    /// When the last request was let through, of a key that ended as a whole.
    pub(in crate::portal) last_used: Option<When>,
    /// Whether such a key never let one through.
    pub(in crate::portal) is_unused: bool,
    pub(in crate::portal) lines: Vec<Line>,
}

/// A gate, as the table shows it.
#[derive(Debug)]
pub(in crate::portal) struct Line {
    pub(in crate::portal) node: String,
    pub(in crate::portal) kind: &'static str,
    pub(in crate::portal) state: &'static str,
    pub(in crate::portal) at: When,
    /// What stands beside the instant.
    pub(in crate::portal) more: String,
}

impl Proof {
    /// Nothing when nothing ended, or the log does not know how.
    pub(in crate::portal) fn of(
        key: &Key,
        ended: Option<Ended>,
        nodes: Option<Vec<NodeProof>>,
        frame: &Frame,
    ) -> Option<Self> {
        let (ended, mut nodes) = (ended?, nodes.filter(|nodes| !nodes.is_empty())?);
        // Those that may still let requests through stand first.
        nodes.sort_by_key(|node| node.state);
        Some(Self {
            title: if ended.is_whole_key {
                "Where this key is refused"
            } else {
                "Where the old secret is refused"
            },
            words: words(&nodes, ended.at, frame),
            last_used: key
                .last_used_at
                .filter(|_| ended.is_whole_key)
                .map(|at| frame.when(at)),
            is_unused: ended.is_whole_key && key.last_used_at.is_none(),
            lines: nodes
                .iter()
                .map(|node| line(node, ended.at, frame))
                .collect(),
        })
    }
}

fn is_open(node: &NodeProof, now: Millis) -> bool {
    matches!(node.state, NodeState::Waiting { until, .. } if until > now)
}

fn words(nodes: &[NodeProof], ended_at: Millis, frame: &Frame) -> String {
    let now = frame.now();
    let open = nodes.iter().filter(|node| is_open(node, now)).count();
    if open == 0 {
        let slowest = nodes.iter().filter_map(|node| match node.state {
            NodeState::Refuses(at) => Some(at),
            _ => None,
        });
        return match slowest.max() {
            Some(at) => format!(
                "Every gate refuses it. The last one began {} later.",
                delay(at, ended_at)
            ),
            None => "Every gate refuses it.".to_owned(),
        };
    }
    match (open, nodes.len()) {
        (1, 1) => "The gate has not said yet that it refuses it.".to_owned(),
        (1, all) => format!("1 of {all} gates has not said yet that it refuses it."),
        (open, all) => format!("{open} of {all} gates have not said yet that they refuse it."),
    }
}

fn line(node: &NodeProof, ended_at: Millis, frame: &Frame) -> Line {
    let now = frame.now();
    let (kind, state, at, more) = match node.state {
        NodeState::Refuses(at) => ("active", "Refuses since", at, delay(at, ended_at)),
        NodeState::Started(at) => ("active", "Started", at, "it knew from the start".to_owned()),
        NodeState::Left(at) => ("deleted", "Ended", at, "it lets nothing through".to_owned()),
        NodeState::Waiting { heard_at, until } if until <= now => (
            "deleted",
            "Not heard since",
            heard_at,
            format!(
                "without the database it refuses everything since {}",
                frame.when(until).exact
            ),
        ),
        NodeState::Waiting { heard_at, until } if now.0 - heard_at.0 > nodes::SILENT_MS => (
            "disabled",
            "Not heard since",
            heard_at,
            format!(
                "if it still runs, it may let requests through until {}",
                frame.when(until).exact
            ),
        ),
        NodeState::Waiting { heard_at, .. } => {
            ("expiring", "Not yet; last heard", heard_at, String::new())
        }
    };
    Line {
        node: node.node.clone(),
        kind,
        state,
        at: frame.when(at),
        more,
    }
}

/// `0.12 s`; clocks of two machines may differ, and nothing begins before its cause.
fn delay(at: Millis, ended_at: Millis) -> String {
    let ms = (at.0 - ended_at.0).max(0);
    format!("{}.{:02} s", ms / SECOND_MS, ms % SECOND_MS / 10)
}

/// Which gates refuse what ended of the key, as `read` finds them for the instant at which it did.
pub(in crate::portal) fn proved(
    key: &Key,
    now: Millis,
    read: impl FnOnce(Millis) -> store::Result<Option<Vec<NodeProof>>>,
) -> store::Result<Option<Vec<NodeProof>>> {
    Ended::of(key, now).map_or(Ok(None), |ended| read(ended.at))
}

/// The piece that is looked at again until every gate refuses.
#[derive(Template)]
#[template(path = "keys/proof.html")]
pub(in crate::portal) struct ProofView {
    pub(in crate::portal) proof: Option<Proof>,
}

pub(super) async fn fresh(
    member: Member<Viewer>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, key_id, now) = (member.scope.clone(), path.key_id()?, frame.now());
    let read = shared.db.read(move |r| {
        let key = keys::get(r, &scope, &key_id)?;
        let proved = proved(&key, now, |at| nodes::proof(r, &scope, &key_id, at))?;
        Ok((key, proved))
    });
    let (key, nodes) = read.await?;
    let proof = Proof::of(&key, Ended::of(&key, now), nodes, &frame);
    render::ok(&ProofView { proof })
}
