//! An account's audit log: who did what to which thing, when, from where, and what was so before and after.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Query};
use askama::Template;
use latchkey_rules::time::Millis;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::portal::keys::csv;
use crate::store::audit::{
    self, Action, AuditEntry, AuditFilter, AuditPage, AuditPlace, FILE_AT_MOST,
};
use crate::store::scope::AccountScope;
use crate::web::error::Error;
use crate::web::form::Choice;
use crate::web::frame::Frame;
use crate::web::scope::{Member, Viewer};
use crate::web::zone::{When, iso};
use crate::web::{Shared, render};

crate::routes! {
    GET "/accounts/{account}/audit" Viewer => show;
    GET "/accounts/{account}/audit.csv" Viewer => download;
}

const PAGE: i64 = 50;

/// What the log is narrowed to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Narrow {
    q: String,
    action: String,
    before: String,
}

impl Narrow {
    fn filter(&self) -> Result<AuditFilter, Error> {
        let search = self.q.trim();
        Ok(AuditFilter {
            action: Action::ALL
                .iter()
                .copied()
                .find(|one| one.word() == self.action),
            search: (!search.is_empty()).then(|| search.to_owned()),
            before: match self.before.as_str() {
                "" => None,
                text => Some(place(text).ok_or(Error::NotFound)?),
            },
        })
    }

    fn query(&self) -> String {
        let coded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        format!("?q={}&action={}", coded(&self.q), coded(&self.action))
    }
}

/// A place as an address holds it: the instant in milliseconds, and how many of its events were shown.
fn place(text: &str) -> Option<AuditPlace> {
    let (at, shown) = text.split_once('.')?;
    Some(AuditPlace {
        at: Millis(at.parse().ok()?),
        shown: shown
            .parse()
            .ok()
            .filter(|shown| (0..=1_000_000).contains(shown))?,
    })
}

/// One event.
#[derive(Debug)]
struct EventRow {
    when: When,
    actor: String,
    from: String,
    action: &'static str,
    target: String,
    /// The key's page, where the thing is a key.
    href: Option<String>,
    changes: Vec<String>,
}

#[derive(Template)]
#[template(path = "account/audit.html")]
struct AuditView {
    frame: Frame,
    account: String,
    account_name: String,
    q: String,
    actions: Vec<Choice>,
    narrowed: bool,
    rows: Vec<EventRow>,
    next: Option<String>,
    csv: String,
}

async fn read(
    shared: &Shared,
    scope: &AccountScope,
    narrow: &Narrow,
    limit: i64,
) -> Result<AuditPage, Error> {
    let (scope, filter) = (scope.clone(), narrow.filter()?);
    let page = shared
        .db
        .read(move |r| audit::of_account(r, &scope, &filter, limit));
    Ok(page.await?)
}

async fn show(
    member: Member<Viewer>,
    frame: Frame,
    shared: Data<Shared>,
    narrow: Query<Narrow>,
) -> Result<HttpResponse, Error> {
    let page = read(&shared, &member.scope, &narrow, PAGE).await?;
    let account = member.scope.slug().to_owned();
    let query = narrow.query();
    render::ok(&AuditView {
        rows: page
            .events
            .iter()
            .map(|event| row(&account, event, &frame))
            .collect(),
        next: page
            .next
            .map(|next| format!("{query}&before={}.{}", next.at.0, next.shown)),
        csv: format!("/accounts/{account}/audit.csv{query}"),
        narrowed: !narrow.q.trim().is_empty()
            || !narrow.action.is_empty()
            || !narrow.before.is_empty(),
        q: narrow.q.clone(),
        actions: actions(&narrow.action),
        account_name: member.scope.name().to_owned(),
        account,
        frame,
    })
}

fn actions(chosen: &str) -> Vec<Choice> {
    let of_accounts = |action: &&Action| {
        let word = action.word();
        ["account.", "member.", "key."]
            .iter()
            .any(|part| word.starts_with(part))
    };
    let each = Action::ALL.iter().filter(of_accounts);
    std::iter::once(Choice::plain("", "Everything", chosen))
        .chain(each.map(|one| Choice::plain(one.word(), one.label(), chosen)))
        .collect()
}

fn row(account: &str, event: &AuditEntry, frame: &Frame) -> EventRow {
    let is_key = event.target.starts_with("key_");
    EventRow {
        when: frame.when(event.at),
        actor: event.actor.clone(),
        from: event.ip.clone().unwrap_or_default(),
        action: event.action.label(),
        target: event.target.clone(),
        href: is_key.then(|| format!("/accounts/{account}/keys/{}", event.target)),
        changes: changes(event, |at| frame.when(at).exact),
    }
}

/// What was so before and is so after, a line each: `name: Shop front → Till`.
fn changes(event: &AuditEntry, shown: impl Fn(Millis) -> String) -> Vec<String> {
    let (before, after) = (
        fields(event.before.as_deref()),
        fields(event.after.as_deref()),
    );
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let said = |name: &str, value: Option<&Value>| value.map(|value| said(name, value, &shown));
    names
        .into_iter()
        .map(|name| {
            let words = name.replace('_', " ");
            match (said(name, before.get(name)), said(name, after.get(name))) {
                (Some(was), Some(is)) => format!("{words}: {was} → {is}"),
                (Some(was), None) => format!("{words}: {was}"),
                (None, is) => format!("{words}: {}", is.unwrap_or_default()),
            }
        })
        .collect()
}

fn fields(text: Option<&str>) -> Map<String, Value> {
    let value = text.and_then(|text| serde_json::from_str(text).ok());
    match value {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn said(name: &str, value: &Value, shown: &impl Fn(Millis) -> String) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) if text.is_empty() => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(all) if all.is_empty() => "none".to_owned(),
        Value::Array(all) => {
            let all: Vec<String> = all.iter().map(|one| said(name, one, shown)).collect();
            all.join(", ")
        }
        Value::Number(number) if name.ends_with("_at") || name == "until" => number
            .as_i64()
            .map_or_else(String::new, |ms| shown(Millis(ms))),
        other => other.to_string(),
    }
}

async fn download(
    member: Member<Viewer>,
    shared: Data<Shared>,
    narrow: Query<Narrow>,
) -> Result<HttpResponse, Error> {
    let page = read(&shared, &member.scope, &narrow, FILE_AT_MOST).await?;
    let mut text = csv::line(&[
        "at",
        "actor",
        "actor_kind",
        "from",
        "action",
        "target",
        "changes",
    ]);
    for event in &page.events {
        text.push_str(&csv::line(&[
            &iso(event.at),
            &event.actor,
            event.actor_kind.word(),
            event.ip.as_deref().unwrap_or("-"),
            event.action.word(),
            &event.target,
            &changes(event, iso).join("; "),
        ]));
    }
    let name = format!("attachment; filename=\"audit-{}.csv\"", member.scope.slug());
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_and_nothing_else_is() {
        let read = place("1795255200000.3").unwrap();
        assert_eq!((read.at, read.shown), (Millis(1_795_255_200_000), 3));
        for text in ["", "1", "1.", ".1", "1.-1", "x.1", "1.99999999"] {
            assert_eq!(place(text), None, "{text}");
        }
    }
}
