//! An account's day over several gates on one database: together they let through what the plan allows, and at most so much
//! more as each lets through within the second that it takes to hear of the others. What clients were told is what is
//! counted.

use crate::books::Site;
use crate::line;
use crate::load::{Load, Sample};
use crate::needs;
use crate::operator::PRODUCT;
use crate::process::Latchkey;
use crate::writers::Writer;
use serde_json::json;
use std::thread;
use std::time::Duration;

const NODES: u32 = 3;
/// Requests a second at each node.
const PER_SECOND: u32 = 200;
/// How far the nodes may be behind each other.
const BEHIND: Duration = Duration::from_secs(1);

/// What came of a day.
pub(crate) struct Spent {
    pub(crate) per_day: usize,
    pub(crate) allowed: usize,
    pub(crate) exceeded: usize,
    pub(crate) others: usize,
    /// Let through after every node had had time to hear that the day is over.
    pub(crate) late: usize,
    pub(crate) counted: usize,
}

impl Spent {
    /// Whether it is as promised.
    pub(crate) fn holds(&self) -> bool {
        let nodes = usize::try_from(NODES * PER_SECOND).expect("a small number");
        let most = self.per_day + nodes * usize::try_from(BEHIND.as_secs()).expect("a second");
        (self.per_day..=most).contains(&self.allowed)
            && self.counted == self.allowed
            && (self.late, self.others) == (0, 0)
            && self.exceeded > 0
    }
}

pub(crate) fn drill(per_day: u32) {
    let site = Site::on_postgres().expect("a PostgreSQL: scripts/drill starts one");
    let spent = spend(&site, per_day);
    println!(
        "{NODES} gates at {PER_SECOND} a second each, a day of {}: {} let through ({} beyond), {} QUOTA_EXCEEDED, {} other answers",
        spent.per_day,
        spent.allowed,
        spent.allowed - spent.per_day,
        spent.exceeded,
        spent.others
    );
    println!(
        "let through after the day was over everywhere: {}; counted in the database: {}",
        spent.late, spent.counted
    );
    assert!(spent.holds());
}

/// Asks three nodes for the keys of one account until its day is over, and some seconds longer.
pub(crate) fn spend(site: &Site, per_day: u32) -> Spent {
    let nodes = ["one", "two", "three"].map(|name| site.installation.serve_node(name));
    let mut writers = Writer::sign_up(&site.installation, &nodes[0], 1);
    let writer = writers.first_mut().expect("a writer");
    let secrets = [(); 3].map(|()| writer.another_key());
    let words = per_day.to_string();
    site.installation
        .done(&["plans", "set", "free", "--per-day", &words]);
    for node in &nodes {
        for secret in &secrets {
            needs::soon("the plan and the key on each node", || {
                is_known(node, secret)
            });
        }
    }
    let loads = nodes.each_ref().map(|node| {
        let asks = secrets.clone().map(|secret| line::authorize(&secret));
        Load::begin(&node.gate, PER_SECOND, 2, move |number| {
            (0, asks[number % asks.len()].clone())
        })
    });
    thread::sleep(Duration::from_secs((per_day / (NODES * PER_SECOND)).into()) + 4 * BEHIND);
    let samples: Vec<Sample> = loads.into_iter().flat_map(Load::end).collect();
    for mut node in nodes {
        assert!(node.stop().success(), "a node ends when it is told to");
    }
    let mut spent = count(&samples, per_day);
    let counted = site
        .books()
        .lines("SELECT CAST(SUM(count) AS TEXT) AS line FROM account_days");
    spent.counted = counted[0].parse().expect("a number");
    spent
}

/// A trial takes nothing of the day.
fn is_known(node: &Latchkey, secret: &str) -> Option<()> {
    let asked = json!({"secret": secret, "product": PRODUCT, "dry_run": true});
    let limits = node.verdict(&asked);
    (limits["code"] == "VALID" && limits["limits"][2]["limit"].is_u64()).then_some(())
}

fn count(samples: &[Sample], per_day: u32) -> Spent {
    let of = |code: &str| samples.iter().filter(|s| s.code == code).count();
    let per_day = usize::try_from(per_day).expect("a small number");
    let mut ends: Vec<_> = samples
        .iter()
        .filter(|s| s.code == "VALID")
        .map(|s| s.began + s.took)
        .collect();
    ends.sort_unstable();
    // When the last request of the day was answered.
    let over = ends.get(per_day.saturating_sub(1)).copied();
    let is_late =
        |s: &&Sample| s.code == "VALID" && over.is_some_and(|over| s.began > over + BEHIND);
    let (allowed, exceeded) = (of("VALID"), of("QUOTA_EXCEEDED"));
    Spent {
        per_day,
        allowed,
        exceeded,
        others: samples.len() - allowed - exceeded,
        late: samples.iter().filter(is_late).count(),
        counted: 0,
    }
}

#[test]
fn three_gates_let_a_days_requests_through_and_at_most_a_second_more() {
    if let Some(site) = Site::on_postgres() {
        assert!(spend(&site, 900).holds());
    }
}
