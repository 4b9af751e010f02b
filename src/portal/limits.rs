//! An account's limits: what its plan allows, what is used of its day and how long the rest lasts, which keys took it, and
//! what was refused by product.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use latchkey_rules::code::OutcomeGroup;
use latchkey_rules::limit::runs_out_in;
use latchkey_rules::time::{DAY_MS, HOUR_MS, Millis};

use crate::store::limits::{self, AccountLimits, KeyUse, ProductOutcome};
use crate::store::products::{self, Product};
use crate::store::scope::AccountScope;
use crate::web::error::Error;
use crate::web::format::number;
use crate::web::frame::Frame;
use crate::web::scope::{Member, Viewer};
use crate::web::zone::When;
use crate::web::{Shared, render};

crate::routes! {
    GET "/accounts/{account}/limits" Viewer => show;
}

/// Over how many hours, besides the one that runs, the pace is measured.
const PACE_HOURS: i64 = 1;

/// The account's day, as its page shows it.
#[derive(Debug)]
struct Day {
    used: i64,
    most: i64,
    used_text: String,
    most_text: String,
    left_text: String,
    pace: String,
}

/// A key that took of it.
#[derive(Debug)]
struct KeyRow {
    name: String,
    href: String,
    allowed: String,
    limited: String,
}

/// What a product allows, and what was refused there.
#[derive(Debug)]
struct ProductRow {
    name: String,
    rate: String,
    allowed: String,
    limited: String,
}

#[derive(Template)]
#[template(path = "account/limits.html")]
struct LimitsView {
    frame: Frame,
    plan: String,
    rates: String,
    keys: String,
    used: String,
    day: Option<Day>,
    renewed: When,
    rows: Vec<KeyRow>,
    products: Vec<ProductRow>,
}

/// All that the page reads.
struct Read {
    limits: AccountLimits,
    keys: Vec<KeyUse>,
    recent: Vec<ProductOutcome>,
    of_a_day: Vec<ProductOutcome>,
    known: Vec<Product>,
}

async fn read(shared: &Shared, scope: &AccountScope) -> Result<Read, Error> {
    let scope = scope.clone();
    let read = shared.db.read(move |r| {
        Ok(Read {
            limits: limits::of_account(r, &scope)?,
            keys: limits::busiest_keys(r, &scope)?,
            recent: limits::outcomes(r, &scope, PACE_HOURS)?,
            of_a_day: limits::outcomes(r, &scope, 24)?,
            known: products::all(r)?,
        })
    });
    Ok(read.await?)
}

async fn show(
    member: Member<Viewer>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let read = read(&shared, &member.scope).await?;
    let account = member.scope.slug();
    let plan = &read.limits.plan;
    let keys = plan
        .keys
        .unwrap_or(shared.keys_per_account)
        .min(shared.keys_per_account);
    render::ok(&LimitsView {
        plan: plan.name.clone(),
        rates: plan.bounds().rates_in_words(),
        keys: number(keys),
        used: number(read.limits.used_today),
        day: plan.per_day.map(|per_day| day(&read, per_day, &frame)),
        renewed: frame.when(midnight(frame.now())),
        rows: read.keys.iter().map(|key| key_row(account, key)).collect(),
        products: product_rows(&read),
        frame,
    })
}

fn midnight(now: Millis) -> Millis {
    now.day_start().plus_ms(DAY_MS)
}

fn day(read: &Read, per_day: i64, frame: &Frame) -> Day {
    let used = read.limits.used_today;
    let left = (per_day - used).max(0);
    Day {
        used: used.min(per_day),
        most: per_day,
        used_text: number(used),
        most_text: number(per_day),
        left_text: number(left),
        pace: pace(read, left, frame),
    }
}

/// How long the rest of the day lasts, at the pace of the last hour.
fn pace(read: &Read, left: i64, frame: &Frame) -> String {
    let now = frame.now();
    if left == 0 {
        return "It is used up: every request is refused until then.".to_owned();
    }
    let since = now.plus_ms(-PACE_HOURS * HOUR_MS).hour_start();
    let recent: i64 = allowed(&read.recent).sum();
    let runs_out = runs_out_in(left, recent, now.0 - since.0).map(|ms| now.plus_ms(ms));
    match runs_out.filter(|at| *at < midnight(now)) {
        Some(at) => {
            let at = frame.when(at);
            format!(
                "At the pace of the last hour it is used up at {}.",
                at.exact
            )
        }
        None if recent == 0 => "Nothing was let through within the last hour.".to_owned(),
        None => "At the pace of the last hour it lasts the day.".to_owned(),
    }
}

fn allowed(outcomes: &[ProductOutcome]) -> impl Iterator<Item = i64> {
    let allowed = outcomes.iter().filter(|one| one.code.is_allow());
    allowed.map(|one| one.count)
}

fn key_row(account: &str, key: &KeyUse) -> KeyRow {
    KeyRow {
        name: key.name.clone(),
        href: format!("/accounts/{account}/keys/{}/limits", key.key_id),
        allowed: number(key.allowed),
        limited: number(key.limited),
    }
}

/// Products that say how often they may be asked for, or where a limit refused something.
fn product_rows(read: &Read) -> Vec<ProductRow> {
    let mut counts: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for one in &read.of_a_day {
        let Some(product) = one.product.as_deref() else {
            continue;
        };
        let counts = counts.entry(product).or_default();
        if one.code.is_allow() {
            counts.0 += one.count;
        } else if one.code.outcome_group() == OutcomeGroup::Limit {
            counts.1 += one.count;
        }
    }
    let row = |product: &Product| {
        let (allowed, limited) = counts
            .get(product.slug.as_str())
            .copied()
            .unwrap_or_default();
        let has_rate = product.per_second.is_some();
        (has_rate || limited > 0).then(|| ProductRow {
            name: product.name.clone(),
            rate: product.per_second.map_or("as the plan".to_owned(), |rate| {
                format!("{} a second", number(rate))
            }),
            allowed: number(allowed),
            limited: number(limited),
        })
    };
    read.known.iter().filter_map(row).collect()
}
