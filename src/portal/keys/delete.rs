//! Deleting a key: a page that says what stops, and the key's name typed by hand.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use latchkey_rules::name::KeyName;
use serde::Deserialize;

use super::callers::{self, Callers};
use super::{KeyPath, facts};
use crate::store::callers::Caller;
use crate::store::keys::{self, Key};
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::form::{self, Field, Fields, Post, Problems};
use crate::web::frame::Frame;
use crate::web::scope::{Developer, Member};
use crate::web::zone::When;
use crate::web::{Shared, render};

/// The name typed to confirm.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DeleteForm {
    name: Field,
}

impl Fields for DeleteForm {
    const ONE: &'static [&'static str] = &["name"];
}

#[derive(Template)]
#[template(path = "keys/delete.html")]
struct DeleteView {
    frame: Frame,
    title: String,
    problems: Problems,
    keys_href: String,
    key_id: String,
    name: String,
    href: String,
    environment: &'static str,
    environment_label: &'static str,
    used: Option<When>,
    callers: Callers,
    secrets: usize,
    typed: Field,
}

impl DeleteView {
    fn new(frame: Frame, account: &str, (key, callers): (&Key, Vec<Caller>), typed: Field) -> Self {
        let problems = form::problems(&[("name", &typed.error)]);
        Self {
            title: form::title(&format!("Delete {}", key.name), &problems),
            problems,
            keys_href: facts::list_href(account),
            key_id: key.key_id.to_string(),
            name: key.name.clone(),
            href: facts::href(account, key),
            environment: key.environment.word(),
            environment_label: key.environment.label(),
            used: key.last_used_at.map(|at| frame.when(at)),
            callers: Callers::all(callers, &frame),
            secrets: key.secrets.len(),
            typed,
            frame,
        }
    }
}

pub(super) async fn confirm(
    member: Member<Developer>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let week = frame.now().plus_ms(-callers::WEEK);
    let (key, callers) = callers::read_with_key(&shared, &member.scope, &path, week).await?;
    render::ok(&DeleteView::new(
        frame,
        member.scope.slug(),
        (&key, callers),
        Field::default(),
    ))
}

pub(super) async fn delete(
    post: Post<Member<Developer>, DeleteForm>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let scope = post.scope.scope.clone();
    let week = frame.now().plus_ms(-callers::WEEK);
    let (key, callers) = callers::read_with_key(&shared, &scope, &path, week).await?;
    let key_id = key.key_id;
    let mut typed = post.form.name;
    if KeyName::parse(&typed.raw)
        .ok()
        .as_ref()
        .map(KeyName::as_str)
        != Some(key.name.as_str())
    {
        typed.refuse(&format!(
            "That is not the key's name. Type \"{}\" exactly.",
            key.name
        ));
        return render::refused(&DeleteView::new(
            frame,
            scope.slug(),
            (&key, callers),
            typed,
        ));
    }
    let account = scope.slug().to_owned();
    shared
        .db
        .change(move |c| keys::delete(c, &scope, &key_id))
        .await?;
    let said = format!(
        "{} is deleted. Its requests are refused from now on. For 60 minutes you can restore it here.",
        key.name
    );
    Ok(render::see_other_saying(
        &shared,
        &facts::href(&account, &key),
        &Flash::ok(said),
    ))
}
