//! A key's limits: what binds it and where that comes from, what was too many, and the lower bounds that its account's owner
//! may set, beside what the key really needed.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use latchkey_rules::code::{Code, OutcomeGroup};
use latchkey_rules::limit::{Bounds, Rate};
use latchkey_rules::role::Role;
use latchkey_rules::time::{DAY_MS, Millis};
use serde::Deserialize;

use super::{CHANGED, KeyPath, facts};
use crate::store::activity::{self, ActivityRow};
use crate::store::keys::{self, Key};
use crate::store::limits::{self, AccountLimits};
use crate::store::products::{self, Product};
use crate::store::scope::AccountScope;
use crate::store::{self, Conflict};
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::form::{self, Field, Fields, Post, Problems};
use crate::web::format::number;
use crate::web::frame::Frame;
use crate::web::scope::{Member, Owner, Viewer};
use crate::web::{Shared, render};

/// Where there is no bound.
const NONE: &str = "–";

/// Over how many days the busiest hour is looked for.
const PEAK_DAYS: i64 = 30;

/// The bounds that an owner sets; an empty one is none.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LimitsForm {
    per_minute: Field,
    burst: Field,
    per_second: Field,
    generation: i64,
}

impl Fields for LimitsForm {
    const ONE: &'static [&'static str] = &["per_minute", "burst", "per_second", "generation"];
}

impl LimitsForm {
    fn of(own: &Bounds, generation: i64) -> Self {
        let field = |bound: Option<u32>| {
            Field::holding(bound.map(|bound| bound.to_string()).unwrap_or_default())
        };
        Self {
            per_minute: field(own.per_minute),
            burst: field(own.burst),
            per_second: field(own.per_second),
            generation,
        }
    }

    fn check(&mut self, plan: &Bounds) -> Option<Bounds> {
        let per_minute = self
            .per_minute
            .read(|text| lower_bound("Requests a minute", text, plan.per_minute));
        let burst = self
            .burst
            .read(|text| lower_bound("Requests at once", text, plan.burst));
        let per_second = self
            .per_second
            .read(|text| lower_bound("Requests a second", text, plan.per_second));
        Some(Bounds {
            per_second: per_second?,
            per_minute: per_minute?,
            burst: burst?,
            per_day: None,
        })
    }
}

/// A whole number from 1 to what the plan allows; nothing is no bound.
fn lower_bound(name: &str, text: &str, most: Option<u32>) -> Result<Option<u32>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let most = most.unwrap_or(latchkey_rules::limit::MAX_RATE);
    match text.parse() {
        Ok(bound) if (1..=most).contains(&bound) => Ok(Some(bound)),
        _ => Err(format!(
            "{name} must be a whole number from 1 to {}, which the plan allows, or left empty.",
            number(most)
        )),
    }
}

/// One limit, and whose it is.
#[derive(Debug)]
struct LimitRow {
    name: String,
    plan: String,
    product: String,
    own: String,
    binds: String,
}

/// What was too many, of one product.
#[derive(Debug)]
struct RefusedRow {
    product: String,
    allowed: String,
    limited: String,
}

#[derive(Template)]
#[template(path = "keys/limits.html")]
struct LimitsView {
    frame: Frame,
    title: String,
    problems: Problems,
    changed: Option<&'static str>,
    account: String,
    keys_href: String,
    href: String,
    name: String,
    plan: String,
    rows: Vec<LimitRow>,
    day: String,
    refused: Vec<RefusedRow>,
    peak: String,
    may_change: bool,
    form: LimitsForm,
}

/// All that the page reads.
struct Read {
    key: Key,
    own: Bounds,
    limits: AccountLimits,
    known: Vec<Product>,
    activity: Vec<ActivityRow>,
}

async fn read(shared: &Shared, scope: &AccountScope, path: &KeyPath) -> Result<Read, Error> {
    let (scope, key_id) = (scope.clone(), path.key_id()?);
    let read = shared.db.read(move |r| {
        let now = r.now();
        let since = now.plus_ms(-PEAK_DAYS * DAY_MS);
        Ok(Read {
            key: keys::get(r, &scope, &key_id)?,
            own: keys::own_bounds(r, &scope, &key_id)?,
            limits: limits::of_account(r, &scope)?,
            known: products::all(r)?,
            activity: activity::of_key(r, &scope, &key_id, since, now.plus_ms(1))?,
        })
    });
    Ok(read.await?)
}

fn view(
    frame: Frame,
    scope: &AccountScope,
    read: &Read,
    form: LimitsForm,
    changed: Option<&'static str>,
) -> LimitsView {
    let problems = form::problems(&[
        ("per_minute", &form.per_minute.error),
        ("burst", &form.burst.error),
        ("per_second", &form.per_second.error),
    ]);
    let account = scope.slug();
    LimitsView {
        title: form::title(&format!("Limits of {}", read.key.name), &problems),
        problems,
        changed,
        account: account.to_owned(),
        keys_href: facts::list_href(account),
        href: facts::href(account, &read.key),
        name: read.key.name.clone(),
        plan: read.limits.plan.name.clone(),
        rows: rows(read),
        day: day(&read.limits),
        refused: refused(read, frame.now()),
        peak: peak(&read.activity, &frame),
        may_change: scope.role() >= Role::Owner,
        form,
        frame,
    }
}

fn rows(read: &Read) -> Vec<LimitRow> {
    let (plan, own) = (read.limits.plan.bounds(), read.own);
    let of_key = |name: &str, plan: Option<u32>, own: Option<u32>, binds: Option<u32>| LimitRow {
        name: name.to_owned(),
        plan: shown(plan),
        product: NONE.to_owned(),
        own: shown(own),
        binds: shown(binds),
    };
    let both = plan.within(own);
    let (plan_rate, both_rate) = (plan.minute(), both.minute());
    let mut rows = vec![
        of_key("A minute", plan.per_minute, own.per_minute, both.per_minute),
        of_key(
            "At once",
            plan_rate.map(Rate::burst),
            own.burst,
            both_rate.map(Rate::burst),
        ),
    ];
    let assigned = |product: &&Product| {
        let mut of_key = read.key.products.iter();
        of_key.any(|one| one.slug == product.slug.as_str())
    };
    rows.extend(read.known.iter().filter(assigned).map(|product| {
        let of_product = Bounds {
            per_second: product.per_second,
            ..Bounds::default()
        };
        LimitRow {
            name: format!("A second, {}", product.name),
            plan: shown(plan.per_second),
            product: shown(product.per_second),
            own: shown(own.per_second),
            binds: shown(both.within(of_product).per_second),
        }
    }));
    // Products that bind nothing by second say nothing.
    rows.retain(|row| row.binds != NONE);
    rows
}

fn shown(bound: Option<u32>) -> String {
    bound.map_or(NONE.to_owned(), number)
}

fn day(limits: &AccountLimits) -> String {
    let used = number(limits.used_today);
    match limits.plan.per_day {
        Some(per_day) => format!(
            "The account’s day is shared by all its keys: {used} of {} requests are used.",
            number(per_day)
        ),
        None => "The plan has no limit a day.".to_owned(),
    }
}

/// What was let through and what was too many within a day, by product.
fn refused(read: &Read, now: Millis) -> Vec<RefusedRow> {
    let since = now.plus_ms(-DAY_MS).hour_start();
    let mut counts: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for row in read.activity.iter().filter(|row| row.hour >= since) {
        let counts = counts
            .entry(row.product_slug.as_deref().unwrap_or("-"))
            .or_default();
        match row.code {
            Code::Valid => counts.0 += row.count,
            code if code.outcome_group() == OutcomeGroup::Limit => counts.1 += row.count,
            _ => {}
        }
    }
    let name = |slug: &str| {
        let known = read.known.iter().find(|known| known.slug.as_str() == slug);
        known.map_or_else(|| slug.to_owned(), |known| known.name.clone())
    };
    counts
        .into_iter()
        .filter(|(_, (allowed, limited))| allowed + limited > 0)
        .map(|(slug, (allowed, limited))| RefusedRow {
            product: name(slug),
            allowed: number(allowed),
            limited: number(limited),
        })
        .collect()
}

/// The busiest hour, in words.
fn peak(activity: &[ActivityRow], frame: &Frame) -> String {
    let mut hours: BTreeMap<Millis, i64> = BTreeMap::new();
    for row in activity.iter().filter(|row| row.code.is_allow()) {
        *hours.entry(row.hour).or_default() += row.count;
    }
    let Some((hour, count)) = hours.into_iter().max_by_key(|(_, count)| *count) else {
        return format!("The key was not let through in the last {PEAK_DAYS} days.");
    };
    format!(
        "The busiest hour of the last {PEAK_DAYS} days had {} requests, {} a minute on average: from {} on.",
        number(count),
        number((count + 59) / 60),
        frame.when(hour).exact
    )
}

pub(super) async fn show(
    member: Member<Viewer>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let read = read(&shared, &member.scope, &path).await?;
    let form = LimitsForm::of(&read.own, read.key.generation);
    render::ok(&view(frame, &member.scope, &read, form, None))
}

pub(super) async fn update(
    post: Post<Member<Owner>, LimitsForm>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, mut form) = (post.scope.scope, post.form);
    let found = read(&shared, &scope, &path).await?;
    let Some(bounds) = form.check(&found.limits.plan.bounds()) else {
        return render::refused(&view(frame, &scope, &found, form, None));
    };
    let (key_id, generation, own) = (found.key.key_id, form.generation, scope.clone());
    let changed = shared
        .db
        .change(move |c| keys::set_own_bounds(c, &own, &key_id, generation, &bounds));
    match changed.await {
        Ok(()) => {}
        Err(store::Error::Conflict(Conflict::Stale)) => {
            // What the other person set stands beside what was typed.
            form.generation = found.key.generation;
            let view = view(frame, &scope, &found, form, Some(CHANGED));
            return render::page(StatusCode::CONFLICT, &view);
        }
        Err(error) => return Err(error.into()),
    }
    let said = Flash::ok("The limits are saved. Every gate holds the key to them within a second.");
    let href = format!("{}/limits", facts::href(scope.slug(), &found.key));
    Ok(render::see_other_saying(&shared, &href, &said))
}
