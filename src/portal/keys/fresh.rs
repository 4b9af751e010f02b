//! Pieces of pages that a script looks at again and again: today's counts, and whether the first request has arrived.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use latchkey_rules::code::Code;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::time::Millis;

use super::counts::Counts;
use super::{KeyPath, facts, show};
use crate::store::activity::{self, ActivityRow};
use crate::store::keys;
use crate::store::scope::AccountScope;
use crate::web::error::Error;
use crate::web::frame::Frame;
use crate::web::scope::{Member, Viewer};
use crate::web::{Shared, render};

/// Whether the first request has arrived, as a piece of the page that shows a secret.
#[derive(Template)]
#[template(path = "keys/first_request.html")]
struct FirstRequestView {
    frame: Frame,
    href: String,
    code: Option<(&'static str, &'static str, &'static str)>,
}

pub(super) async fn first_request(
    member: Member<Viewer>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, key_id, now) = (member.scope.clone(), path.key_id()?, frame.now());
    let rows = rows_today(&shared, scope, key_id, now).await?;
    let best = rows
        .iter()
        .map(|row| row.code)
        .max_by_key(|code| code.is_allow());
    let href = format!("{}/{key_id}", facts::list_href(member.scope.slug()));
    render::ok(&FirstRequestView {
        frame,
        href,
        code: best.map(told),
    })
}

fn told(code: Code) -> (&'static str, &'static str, &'static str) {
    (code.as_str(), code.outcome_group().word(), code.title())
}

/// Today's counts, as a piece of the key's page.
#[derive(Template)]
#[template(path = "keys/today.html")]
struct TodayView {
    today: Counts,
}

pub(super) async fn today(
    member: Member<Viewer>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let now = frame.now();
    let rows = rows_today(&shared, member.scope.clone(), path.key_id()?, now).await?;
    render::ok(&TodayView {
        today: Counts::since(&rows, now.day_start()),
    })
}

async fn rows_today(
    shared: &Shared,
    scope: Arc<AccountScope>,
    key_id: KeyId,
    now: Millis,
) -> Result<Vec<ActivityRow>, Error> {
    let rows = shared.db.read(move |r| {
        keys::get(r, &scope, &key_id)?;
        activity::of_key(r, &scope, &key_id, now.day_start(), show::after(now))
    });
    Ok(rows.await?)
}
