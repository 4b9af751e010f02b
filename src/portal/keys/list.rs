//! The keys of an account by name, with a filter that works without scripts.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Query};
use askama::Template;
use latchkey_rules::environment::Environment;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::role::Role;
use latchkey_rules::status::Status;
use latchkey_rules::time::Millis;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::csv;
use super::facts::{self, Row};
use crate::store::accounts::{self, AccountFacts};
use crate::store::keys::{self, Key, KeyFilter, KeyOrder, KeyPage, Worth};
use crate::store::products::{self, Product};
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::form::Choice;
use crate::web::format::counted;
use crate::web::frame::Frame;
use crate::web::scope::{Member, Viewer};
use crate::web::zone;
use crate::web::{Shared, render};

/// What the list is narrowed to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Narrow {
    q: String,
    environment: String,
    kind: String,
    product: String,
    status: String,
    sort: String,
    after: String,
}

/// The word beside the statuses that says that nobody used a key for long.
const UNUSED: &str = "unused";

impl Narrow {
    fn is_empty(&self) -> bool {
        let all = [
            self.q.trim(),
            &self.environment,
            &self.kind,
            &self.product,
            &self.status,
        ];
        all.iter().all(|text| text.is_empty())
    }

    fn order(&self) -> KeyOrder {
        match self.sort.as_str() {
            "newest" => KeyOrder::Newest,
            "used" => KeyOrder::LastUsed,
            _ => KeyOrder::Name,
        }
    }

    fn filter(&self) -> Result<KeyFilter, Error> {
        let after = (!self.after.is_empty())
            .then(|| self.after.parse())
            .transpose();
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok(KeyFilter {
            search: given(self.q.trim()),
            environment: Environment::from_word(&self.environment),
            kind: KeyKind::from_word(&self.kind),
            status: Status::from_word(&self.status),
            unused: self.status == UNUSED,
            product: given(&self.product),
            order: self.order(),
            after: after.map_err(|_key_id_error| Error::NotFound)?,
            limit: 0,
        })
    }

    /// The same list in another order, from its beginning.
    fn query(&self, sort: &str) -> String {
        let pairs = [
            ("q", self.q.trim()),
            ("environment", &self.environment),
            ("kind", &self.kind),
            ("product", &self.product),
            ("status", &self.status),
            ("sort", sort),
        ];
        let given = pairs.iter().filter(|(_, text)| !text.is_empty());
        let coded = given
            .map(|(name, text)| format!("{name}={}", utf8_percent_encode(text, NON_ALPHANUMERIC)));
        let coded: Vec<String> = coded.collect();
        format!("?{}", coded.join("&"))
    }
}

/// A column by which the list can be sorted.
#[derive(Debug)]
struct Sort {
    href: String,
    /// As `aria-sort` has it, where the list is sorted by it.
    direction: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "keys/list.html")]
struct ListView {
    frame: Frame,
    account: String,
    account_name: String,
    plan: String,
    may_create: bool,
    q: String,
    sort: String,
    narrowed: bool,
    summary: String,
    worth: Vec<(&'static str, String)>,
    environments: Vec<Choice>,
    kinds: Vec<Choice>,
    products: Vec<Choice>,
    statuses: Vec<Choice>,
    by_name: Sort,
    by_age: Sort,
    by_use: Sort,
    rows: Vec<Row>,
    file: String,
    first: Option<String>,
    next: Option<String>,
}

/// What the page is made from.
struct Read {
    facts: AccountFacts,
    page: KeyPage,
    worth: Vec<(Worth, i64)>,
    products: Vec<Product>,
}

pub(super) async fn list(
    member: Member<Viewer>,
    mut frame: Frame,
    shared: Data<Shared>,
    narrow: Query<Narrow>,
) -> Result<HttpResponse, Error> {
    let (scope, filter) = (member.scope.clone(), narrow.filter()?);
    let read = shared.db.read(move |r| {
        Ok(Read {
            facts: accounts::facts(r, &scope)?,
            page: keys::list(r, &scope, &filter)?,
            worth: keys::worth_a_look(r, &scope)?,
            products: products::all(r)?,
        })
    });
    let read = read.await?;
    if read.facts.suspended.is_some() {
        frame.band = Some(suspended(&read.facts.name));
    }
    render::ok(&view(frame, &member, &narrow, read))
}

/// The same keys as a file.
pub(super) async fn download(
    member: Member<Viewer>,
    frame: Frame,
    shared: Data<Shared>,
    narrow: Query<Narrow>,
) -> Result<HttpResponse, Error> {
    let (scope, filter) = (member.scope.clone(), narrow.filter()?);
    let all = shared
        .db
        .read(move |r| keys::all(r, &scope, &filter))
        .await?;
    let mut text = csv::line(FILE_COLUMNS);
    for key in &all {
        text.push_str(&file_line(key, &frame));
    }
    let name = format!("attachment; filename=\"keys-{}.csv\"", member.scope.slug());
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(text))
}

const FILE_COLUMNS: &[&str] = &[
    "key_id",
    "name",
    "secret",
    "kind",
    "environment",
    "status",
    "access",
    "products",
    "domains",
    "ips",
    "labels",
    "responsible",
    "billing",
    "created",
    "last_rotated",
    "last_used",
    "expires",
];

fn file_line(key: &Key, frame: &Frame) -> String {
    let at = |at: Option<Millis>| at.map(zone::iso).unwrap_or_default();
    let newest = key.secrets.first();
    let products: Vec<&str> = key.products.iter().map(|one| one.slug.as_str()).collect();
    csv::line(&[
        &key.key_id.to_string(),
        &key.name,
        &newest
            .map(|secret| facts::shown(key, secret))
            .unwrap_or_default(),
        key.kind.word(),
        key.environment.word(),
        key.status(frame.now()).word(),
        key.access.word(),
        &products.join(" "),
        &key.domains.join(" "),
        &key.ips.join(" "),
        &key.labels.join(" "),
        &key.responsible,
        key.billing.word(),
        &zone::iso(key.created_at),
        &at(key.last_rotated_at),
        &at(key.last_used_at),
        &at(key.expires_at),
    ])
}

fn view(frame: Frame, member: &Member<Viewer>, narrow: &Narrow, read: Read) -> ListView {
    let account = member.scope.slug().to_owned();
    let page = &read.page;
    let sorted_by = |sort: &str, order: KeyOrder, direction| Sort {
        href: narrow.query(sort),
        direction: (narrow.order() == order).then_some(direction),
    };
    let here = narrow.query(&narrow.sort);
    ListView {
        rows: page
            .keys
            .iter()
            .map(|key| Row::of(&account, key, &frame))
            .collect(),
        account_name: read.facts.name,
        plan: read.facts.plan.name,
        may_create: member.scope.role() >= Role::Developer,
        q: narrow.q.clone(),
        sort: narrow.sort.clone(),
        narrowed: !narrow.is_empty() || !narrow.after.is_empty(),
        summary: counted(usize::try_from(page.total).unwrap_or(0), "key", "keys"),
        worth: read.worth.iter().map(worth_words).collect(),
        environments: choices(
            "All environments",
            &narrow.environment,
            Environment::ALL.iter().map(|one| (one.word(), one.label())),
        ),
        kinds: choices(
            "Any kind",
            &narrow.kind,
            KeyKind::ALL.iter().map(|one| (one.word(), one.label())),
        ),
        products: choices(
            "All products",
            &narrow.product,
            read.products
                .iter()
                .map(|one| (one.slug.as_str(), one.name.as_str())),
        ),
        statuses: choices("Any status", &narrow.status, statuses()),
        by_name: sorted_by("", KeyOrder::Name, "ascending"),
        by_age: sorted_by("newest", KeyOrder::Newest, "descending"),
        by_use: sorted_by("used", KeyOrder::LastUsed, "descending"),
        file: format!("/accounts/{account}/keys.csv{here}"),
        first: (!narrow.after.is_empty()).then(|| here.clone()),
        next: page
            .next
            .as_ref()
            .map(|next| format!("{here}&after={next}")),
        account,
        frame,
    }
}

/// A word for the filter, and what stands in the page's head: `2 rotating`, `1 unused for 90 days`.
fn worth_words((worth, count): &(Worth, i64)) -> (&'static str, String) {
    match worth {
        Worth::Standing(status) => (status.word(), format!("{count} {}", status.word())),
        Worth::Unused => (UNUSED, format!("{count} unused for 90 days")),
    }
}

fn choices<'a>(
    any: &str,
    chosen: &str,
    each: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<Choice> {
    let any = Choice::plain("", any, chosen);
    let each = each.map(|(word, label)| Choice::plain(word, label, chosen));
    std::iter::once(any).chain(each).collect()
}

fn statuses() -> impl Iterator<Item = (&'static str, &'static str)> {
    let shown = Status::ALL
        .iter()
        .filter(|status| **status != Status::Deleted);
    shown
        .map(|one| (one.word(), one.label()))
        .chain([(UNUSED, "Unused for 90 days")])
}

/// What an account's people read while it is suspended.
pub(super) fn suspended(account: &str) -> Flash {
    Flash::bad(format!(
        "{account} is suspended: every request with one of its keys is refused. Support can say why, and what ends it."
    ))
}
