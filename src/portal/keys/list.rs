//! The keys of an account by name, with a filter that works without scripts.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use askama::Template;
use latchkey_rules::environment::Environment;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::role::Role;
use latchkey_rules::status::Status;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::facts::Row;
use crate::store::accounts::{self, AccountFacts};
use crate::store::keys::{self, Key, KeyFilter, KeyPage};
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::form::Choice;
use crate::web::format::counted;
use crate::web::frame::Frame;
use crate::web::scope::{Member, Viewer};
use crate::web::{Shared, render};

/// What the list is narrowed to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Narrow {
    q: String,
    environment: String,
    status: String,
    after: String,
}

impl Narrow {
    fn is_empty(&self) -> bool {
        self.q.trim().is_empty() && self.environment.is_empty() && self.status.is_empty()
    }

    /// What the database narrows by. The status is none of it: it depends on the time of day.
    fn filter(&self) -> Result<KeyFilter, Error> {
        let after = (!self.after.is_empty())
            .then(|| self.after.parse())
            .transpose();
        let search = self.q.trim();
        Ok(KeyFilter {
            search: (!search.is_empty()).then(|| search.to_owned()),
            environment: Environment::from_word(&self.environment),
            after: after.map_err(|_key_id_error| Error::NotFound)?,
            ..KeyFilter::default()
        })
    }

    fn takes(&self, status: Status) -> bool {
        self.status.is_empty() || self.status == status.word()
    }

    /// The same list, from another key on.
    fn page_after(&self, key_id: &KeyId) -> String {
        let coded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        format!(
            "?q={}&environment={}&status={}&after={key_id}",
            coded(&self.q),
            coded(&self.environment),
            coded(&self.status)
        )
    }
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
    narrowed: bool,
    summary: String,
    by_status: Vec<(&'static str, String)>,
    environments: Vec<Choice>,
    statuses: Vec<Choice>,
    rows: Vec<Row>,
    next: Option<String>,
}

pub(super) async fn list(
    member: Member<Viewer>,
    mut frame: Frame,
    shared: Data<Shared>,
    narrow: Query<Narrow>,
) -> Result<HttpResponse, Error> {
    let (scope, filter) = (member.scope.clone(), narrow.filter()?);
    let (facts, page) = shared
        .db
        .read(move |r| Ok((accounts::facts(r, &scope)?, keys::list(r, &scope, &filter)?)))
        .await?;
    if facts.suspended.is_some() {
        frame.band = Some(suspended(&facts.name));
    }
    render::ok(&view(frame, &member, &narrow, facts, &page))
}

fn view(
    frame: Frame,
    member: &Member<Viewer>,
    narrow: &Narrow,
    facts: AccountFacts,
    page: &KeyPage,
) -> ListView {
    let account = member.scope.slug().to_owned();
    let states: Vec<(&Key, Status)> = page
        .keys
        .iter()
        .map(|key| (key, key.status(frame.now())))
        .collect();
    let taken = states.iter().filter(|(_, status)| narrow.takes(*status));
    ListView {
        rows: taken
            .map(|(key, _)| Row::of(&account, key, &frame))
            .collect(),
        account_name: facts.name,
        plan: facts.plan.name,
        may_create: member.scope.role() >= Role::Developer,
        q: narrow.q.clone(),
        narrowed: !narrow.is_empty() || !narrow.after.is_empty(),
        summary: counted(usize::try_from(page.total).unwrap_or(0), "key", "keys"),
        by_status: by_status(&states),
        environments: environments(&narrow.environment),
        statuses: statuses(&narrow.status),
        next: page.next.as_ref().map(|next| narrow.page_after(next)),
        account,
        frame,
    }
}

/// What an account's people read while it is suspended.
pub(super) fn suspended(account: &str) -> Flash {
    Flash::bad(format!(
        "{account} is suspended: every request with one of its keys is refused. Support can say why, and what ends it."
    ))
}

/// How many keys are in each state that is not simply active.
fn by_status(states: &[(&Key, Status)]) -> Vec<(&'static str, String)> {
    let worth = Status::ALL
        .iter()
        .filter(|status| **status != Status::Active);
    let counts = worth.map(|status| (status, states.iter().filter(|(_, of)| of == status).count()));
    counts
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| (status.word(), format!("{count} {}", status.word())))
        .collect()
}

fn environments(chosen: &str) -> Vec<Choice> {
    let any = Choice::plain("", "All environments", chosen);
    let each = Environment::ALL
        .iter()
        .map(|one| Choice::plain(one.word(), one.label(), chosen));
    std::iter::once(any).chain(each).collect()
}

fn statuses(chosen: &str) -> Vec<Choice> {
    let any = Choice::plain("", "Any status", chosen);
    let shown = Status::ALL
        .iter()
        .filter(|status| **status != Status::Deleted);
    std::iter::once(any)
        .chain(shown.map(|one| Choice::plain(one.word(), one.label(), chosen)))
        .collect()
}
