//! Switching a key off and on again, by an admin: the page that asks for the reason, and the two changes. The gate learns
//! of them by the change log; nothing here speaks to it.

mod reason;

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use askama::Template;
use latchkey_rules::{
    code::Code,
    key_id::KeyId,
    time::{DAY_MS, HOUR_MS},
};
use serde::Deserialize;

use super::keys::named;
use crate::store::{
    self, Conflict,
    activity::{self, ActivityRow},
    keys::{self, StaffKey},
};
use crate::web::{
    Shared,
    error::Error,
    flash::Flash,
    form::{self, Field, Fields, Post, Problems},
    format::number,
    frame::Frame,
    render,
    scope::{Admin, Staff},
};

/// Why a key is disabled.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DisableForm {
    reason: Field,
}

impl Fields for DisableForm {
    const ONE: &'static [&'static str] = &["reason"];
}

/// A button alone.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EnableForm {}

impl Fields for EnableForm {
    const ONE: &'static [&'static str] = &[];
}

#[derive(Template)]
#[template(path = "staff/keys/disable.html")]
struct DisableView {
    frame: Frame,
    title: String,
    crumbs: Vec<(String, String)>,
    problems: Problems,
    reason: Field,
    key_id: String,
    name: String,
    account_name: String,
    env_word: &'static str,
    env_label: &'static str,
    in_use: bool,
    traffic: String,
}

pub(crate) async fn ask(
    staff: Staff<Admin>,
    path: Path<String>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let id = named(&path)?;
    let (found, counted) = read(&shared, &staff, id, &frame).await?;
    if found.key.disabled.is_some() || found.key.deleted_at.is_some() {
        let said = Flash::info("There is nothing to disable: the key is off already.");
        return Ok(render::see_other_saying(&shared, &page_of(id), &said));
    }
    render::ok(&view(frame, &found, &counted, Field::default()))
}

pub(crate) async fn disable(
    post: Post<Staff<Admin>, DisableForm>,
    path: Path<String>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let id = named(&path)?;
    let mut field = post.form.reason;
    let Some(reason) = field.read(|raw| reason::check(raw, &shared.secret_prefix)) else {
        if field.error == Some(reason::Refused::HoldsSecret.to_string()) {
            // It is not sent back, so that it stands in no page.
            field.raw.clear();
        }
        let (found, counted) = read(&shared, &post.scope, id, &frame).await?;
        return render::refused(&view(frame, &found, &counted, field));
    };
    let scope = post.scope.scope.clone();
    let change = move |c: &mut store::Change<'_>| keys::disable(c, &*scope, &id, &reason);
    let said = match shared.db.change(change).await {
        Ok(()) => Flash::ok("The key is disabled. It is refused within a second."),
        Err(store::Error::Conflict(Conflict::Stale)) => {
            Flash::info("Nothing was changed: the key was off already.")
        }
        Err(error) => return Err(error.into()),
    };
    Ok(render::see_other_saying(&shared, &page_of(id), &said))
}

pub(crate) async fn enable(
    post: Post<Staff<Admin>, EnableForm>,
    path: Path<String>,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let id = named(&path)?;
    let scope = post.scope.scope.clone();
    let change = move |c: &mut store::Change<'_>| keys::enable(c, &*scope, &id, None);
    let said = match shared.db.change(change).await {
        Ok(()) => Flash::ok("The key is enabled. It works again within a second."),
        Err(store::Error::Conflict(Conflict::Stale)) => {
            Flash::info("Nothing was changed: the key was not disabled.")
        }
        Err(error) => return Err(error.into()),
    };
    Ok(render::see_other_saying(&shared, &page_of(id), &said))
}

fn page_of(id: KeyId) -> String {
    format!("/staff/keys/{id}")
}

/// The key, and what was counted in the last 24 hours.
async fn read(
    shared: &Shared,
    staff: &Staff<Admin>,
    id: KeyId,
    frame: &Frame,
) -> Result<(StaffKey, Vec<ActivityRow>), Error> {
    let scope = staff.scope.clone();
    let now = frame.now();
    // Activity is kept by the hour: the hour that began before the 24 is counted too, rather than too little.
    let from = now.plus_ms(-DAY_MS - HOUR_MS + 1);
    let read = shared.db.read(move |r| {
        let found = keys::find(r, &scope, &id)?;
        let counted = activity::of_key_for_staff(r, &scope, &id, from, now.plus_ms(1))?;
        Ok((found, counted))
    });
    Ok(read.await?)
}

fn view(frame: Frame, found: &StaffKey, counted: &[ActivityRow], reason: Field) -> DisableView {
    let problems = form::problems(&[("reason", &reason.error)]);
    let key = &found.key;
    let allowed: i64 = counted
        .iter()
        .filter(|row| row.code == Code::Valid)
        .map(|row| row.count)
        .sum();
    let last = key.last_used_at.map(|at| frame.when(at).text);
    let traffic = match (allowed, last) {
        (1.., Some(last)) => format!(
            "{} allowed in the last 24 h, the last one {last}.",
            requests(allowed)
        ),
        (1.., None) => format!("{} allowed in the last 24 h.", requests(allowed)),
        (_, Some(last)) => format!("No request was allowed in the last 24 h, the last one {last}."),
        (_, None) => "No request was ever allowed.".to_owned(),
    };
    DisableView {
        title: form::title(&format!("Disable {}", key.name), &problems),
        crumbs: vec![
            ("/staff/look-up".to_owned(), "Look up".to_owned()),
            (page_of(key.key_id), key.name.clone()),
        ],
        problems,
        reason,
        key_id: key.key_id.to_string(),
        name: key.name.clone(),
        account_name: found.account.name.clone(),
        env_word: key.environment.word(),
        env_label: key.environment.label(),
        in_use: allowed > 0,
        traffic,
        frame,
    }
}

fn requests(count: i64) -> String {
    match count {
        1 => "1 request".to_owned(),
        _ => format!("{} requests", number(count)),
    }
}
