//! What the page of a key prints for staff. It takes what the store read, and asks nothing itself.

use std::collections::BTreeMap;

use askama::Template;
use latchkey_rules::{
    code::{Code, OutcomeGroup},
    environment::Environment,
    role::StaffRole,
    secret::{self, Prefix},
    status::Status,
    time::Millis,
};

use super::notices::{self, Notice};
use crate::portal::chart::Chart;
use crate::portal::keys::callers::Callers;
use crate::portal::keys::exposed::{self, Warning};
use crate::portal::keys::proof::{Ended, Proof};
use crate::store::{
    activity::ActivityRow,
    callers::Caller,
    exposures::Exposed,
    keys::{Contact, Key, ProductName, SecretFacts, StaffKey},
    nodes::NodeProof,
};
use crate::web::{format::number, frame::Frame, zone::When};

/// How many rows the table of today has at most.
const TODAY_AT_MOST: usize = 20;

#[derive(Template)]
#[template(path = "staff/keys/show.html")]
pub(super) struct ShowView {
    frame: Frame,
    crumbs: Vec<(&'static str, &'static str)>,
    may_change: bool,
    key: KeyView,
    account: AccountView,
    notices: Vec<Notice>,
    warnings: Vec<Warning>,
    proof: Option<Proof>,
    secrets: Vec<SecretView>,
    stats: Vec<Stat>,
    today: Vec<TodayRow>,
    more_today: usize,
    callers: Callers,
    chart: Chart,
}

struct KeyView {
    key_id: String,
    name: String,
    env_word: &'static str,
    env_label: &'static str,
    status_word: &'static str,
    status_label: &'static str,
    is_disabled: bool,
    is_deleted: bool,
    kind: &'static str,
    access: &'static str,
    billing: &'static str,
    products: Vec<String>,
    domains: Vec<String>,
    ips: Vec<String>,
    created: When,
    created_by: String,
    last_rotated: Option<When>,
    last_used: Option<When>,
    expires: Option<When>,
}

struct AccountView {
    slug: String,
    name: String,
    plan: String,
    tier: &'static str,
    owners: Vec<Contact>,
}

struct SecretView {
    shown: String,
    state: &'static str,
    created: When,
    ends_word: &'static str,
    ends: Option<When>,
}

struct Stat {
    label: &'static str,
    value: String,
    small: String,
}

struct TodayRow {
    code: &'static str,
    group: &'static str,
    product: String,
    last4: String,
    count: String,
}

impl ShowView {
    pub(super) fn new(
        frame: Frame,
        role: StaffRole,
        found: &StaffKey,
        counted: &[ActivityRow],
        called: Vec<Caller>,
        nodes: Option<Vec<NodeProof>>,
        exposed: &[Exposed],
    ) -> Self {
        let now = frame.now();
        let ended = Ended::of(&found.key, now);
        let rows = counted.iter().map(|row| (row.hour, row.code, row.count));
        let chart = Chart::of(rows, now, "day");
        let mut today = today(counted, &found.key, now);
        let more_today = today.len().saturating_sub(TODAY_AT_MOST);
        today.truncate(TODAY_AT_MOST);
        let secret_view = |secret: &SecretFacts| secret_view(&frame, found.key.environment, secret);
        Self {
            crumbs: vec![("/staff/look-up", "Look up")],
            may_change: role == StaffRole::Admin,
            key: key_view(&frame, &found.key),
            account: account_view(found),
            notices: notices::of(&frame, found),
            warnings: exposed::warnings(&found.key, exposed, &frame),
            proof: Proof::of(&found.key, ended, nodes, &frame),
            secrets: found.key.secrets.iter().map(secret_view).collect(),
            stats: stats(&frame, &found.key, counted, &chart),
            today,
            callers: Callers::few(called, &frame),
            more_today,
            chart,
            frame,
        }
    }
}

fn key_view(frame: &Frame, key: &Key) -> KeyView {
    let status = key.status(frame.now());
    let when = |at: Option<Millis>| at.map(|at| frame.when(at));
    KeyView {
        key_id: key.key_id.to_string(),
        name: key.name.clone(),
        env_word: key.environment.word(),
        env_label: key.environment.label(),
        status_word: status.word(),
        status_label: status.label(),
        is_disabled: key.disabled.is_some(),
        is_deleted: status == Status::Deleted,
        kind: key.kind.label(),
        access: key.access.label(),
        billing: key.billing.label(),
        products: key.products.iter().map(ProductName::label).collect(),
        domains: key.domains.clone(),
        ips: key.ips.clone(),
        created: frame.when(key.created_at),
        created_by: key.created_by.clone(),
        last_rotated: when(key.last_rotated_at),
        last_used: when(key.last_used_at),
        expires: when(key.expires_at),
    }
}

fn account_view(found: &StaffKey) -> AccountView {
    AccountView {
        slug: found.account.slug.clone(),
        name: found.account.name.clone(),
        plan: found.account.plan.name.clone(),
        tier: found.account.tier.label(),
        owners: found.owners.clone(),
    }
}

fn secret_view(frame: &Frame, environment: Environment, facts: &SecretFacts) -> SecretView {
    let has_ended = facts.retires_at.is_some_and(|at| at <= frame.now());
    let shown = Prefix::parse(&facts.prefix).map_or_else(
        |_odd| format!("…{}", facts.last4),
        |prefix| secret::shown(&prefix, environment, &facts.last4),
    );
    SecretView {
        shown,
        state: match (has_ended, facts.retires_at, facts.leaked_at) {
            (_, _, Some(_)) => "Leaked",
            (true, ..) => "Retired",
            (false, Some(_), _) => "Older, in its grace",
            (false, None, _) => "Current",
        },
        created: frame.when(facts.created_at),
        ends_word: if has_ended { "ended" } else { "ends" },
        ends: facts.retires_at.map(|at| frame.when(at)),
    }
}

fn stats(frame: &Frame, key: &Key, counted: &[ActivityRow], chart: &Chart) -> Vec<Stat> {
    let midnight = frame.now().day_start();
    let today = || counted.iter().filter(|row| row.hour >= midnight);
    let all: i64 = today().map(|row| row.count).sum();
    let allowed: i64 = today()
        .filter(|row| row.code == Code::Valid)
        .map(|row| row.count)
        .sum();
    let last = key.last_used_at.map(|at| frame.when(at));
    let stat = |label, value, small: &str| Stat {
        label,
        value,
        small: small.to_owned(),
    };
    vec![
        stat("Requests today", number(all), "since 00:00 UTC"),
        stat("Allowed today", number(allowed), ""),
        stat("Refused today", number(all - allowed), ""),
        stat(
            "Requests, 30 days",
            number(chart.total),
            &format!("{} refused", number(chart.refused)),
        ),
        stat(
            "Last used",
            last.map_or_else(|| "Never".to_owned(), |at| at.text),
            "last allowed request",
        ),
    ]
}

/// Today's counts by code, product and secret: refusals first, for they are what support is asked about.
fn today(counted: &[ActivityRow], key: &Key, now: Millis) -> Vec<TodayRow> {
    let midnight = now.day_start();
    let mut sums: BTreeMap<(Code, Option<&str>, &str), i64> = BTreeMap::new();
    for row in counted
        .iter()
        .filter(|row| row.hour >= midnight && row.count > 0)
    {
        let place = (
            row.code,
            row.product_slug.as_deref(),
            row.secret_last4.as_str(),
        );
        *sums.entry(place).or_default() += row.count;
    }
    let mut rows: Vec<_> = sums.into_iter().collect();
    rows.sort_by_key(|((code, ..), count)| (code.outcome_group() == OutcomeGroup::Allowed, -count));
    let name = |slug: Option<&str>| match slug {
        Some(slug) => key
            .products
            .iter()
            .find(|product| product.slug == slug)
            .map_or_else(|| slug.to_owned(), |product| product.name.clone()),
        None => "none".to_owned(),
    };
    rows.into_iter()
        .map(|((code, slug, last4), count)| TodayRow {
            code: code.as_str(),
            group: code.outcome_group().word(),
            product: name(slug),
            last4: last4.to_owned(),
            count: number(count),
        })
        .collect()
}
