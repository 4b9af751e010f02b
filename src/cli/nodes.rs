//! The processes that serve, as they told of themselves.

use latchkey_rules::time::{Millis, SECOND_MS};

use super::print::say;
use super::{Failed, Outcome};
use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::nodes::{self, Node, NodeRole};

pub(super) fn nodes(config: &Config, clock: Clock) -> Outcome {
    let now = clock.now();
    let db = app::open_database(config, clock, false)?;
    let nodes = db.read_blocking(nodes::all).map_err(Failed::because)?;
    if nodes.is_empty() {
        return say("No node was heard in the last day.");
    }
    let lines: Vec<String> = nodes.iter().map(|node| line(node, now)).collect();
    say(lines.join("\n"))
}

fn line(node: &Node, now: Millis) -> String {
    let seconds = (now.0 - node.heard_at.0).max(0) / SECOND_MS;
    let heard = match node.left_at {
        Some(_) => format!("ended {seconds} s ago"),
        None if now.0 - node.heard_at.0 > nodes::SILENT_MS => format!("not heard for {seconds} s"),
        None => format!("heard {seconds} s ago"),
    };
    let log = match (node.role, node.behind) {
        (NodeRole::Portal, _) => "",
        (_, None) => "\tanother change log",
        (_, Some(0)) => "\tall changes applied",
        (_, Some(behind)) => &format!("\t{behind} changes behind"),
    };
    format!(
        "{}\t{}\t{}\t{heard}{log}",
        node.name,
        node.role.label(),
        node.version
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_says_how_it_stands() {
        let now = Millis(1_795_256_100_000);
        let node = |heard_ago: i64, left: bool, behind: Option<i64>| Node {
            name: "one 127.0.0.1:8081".to_owned(),
            role: NodeRole::Both,
            version: "0.1.0".to_owned(),
            started_at: now.plus_ms(-90_000),
            heard_at: now.plus_ms(-heard_ago),
            left_at: left.then(|| now.plus_ms(-heard_ago)),
            behind,
        };
        for (node, words) in [
            (
                node(4_000, false, Some(0)),
                "heard 4 s ago\tall changes applied",
            ),
            (
                node(15_001, false, Some(3)),
                "not heard for 15 s\t3 changes behind",
            ),
            (
                node(60_000, true, None),
                "ended 60 s ago\tanother change log",
            ),
        ] {
            let told = line(&node, now);
            assert_eq!(
                told,
                format!("one 127.0.0.1:8081\tportal and gate\t0.1.0\t{words}")
            );
        }
        let portal = Node {
            role: NodeRole::Portal,
            ..node(0, false, None)
        };
        assert!(line(&portal, now).ends_with("\tportal\t0.1.0\theard 0 s ago"));
    }
}
