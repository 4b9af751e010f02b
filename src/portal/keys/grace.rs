//! Ending the grace of a key's older secret, or making it shorter. It cannot be made longer again.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use latchkey_rules::rotation::GRACE_HOURS;
use latchkey_rules::time::HOUR_MS;
use serde::Deserialize;

use super::callers;
use super::rotate::{grace_ms, spoken, until};
use super::rotation::Rotation;
use super::{CHANGED, KeyPath, facts, show};
use crate::store::activity;
use crate::store::keys::{self, Key};
use crate::store::scope::AccountScope;
use crate::store::{self, Conflict};
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::form::{self, Choice, Field, Fields, Post, Problems};
use crate::web::frame::Frame;
use crate::web::scope::{Developer, Member};
use crate::web::{Shared, render};

/// How long the older secret works on, from now.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct GraceForm {
    grace: Field,
    generation: i64,
}

impl Fields for GraceForm {
    const ONE: &'static [&'static str] = &["grace", "generation"];
}

#[derive(Template)]
#[template(path = "keys/grace.html")]
struct GraceView {
    frame: Frame,
    title: String,
    problems: Problems,
    changed: Option<&'static str>,
    keys_href: String,
    href: String,
    name: String,
    rotation: Rotation,
    graces: Vec<Choice>,
    grace_error: Option<String>,
    generation: i64,
}

impl GraceView {
    fn new(
        frame: Frame,
        account: &str,
        read: (Key, Rotation),
        grace: Field,
        changed: Option<&'static str>,
    ) -> Self {
        let (key, rotation) = read;
        let problems = form::problems(&[("grace", &grace.error)]);
        let shorter = GRACE_HOURS.iter().rev();
        let left_ms = rotation.left_ms;
        Self {
            title: form::title(&format!("Old secret of {}", key.name), &problems),
            problems,
            changed,
            keys_href: facts::list_href(account),
            href: facts::href(account, &key),
            graces: shorter
                .filter(|hours| **hours * HOUR_MS < left_ms)
                .map(|hours| Choice {
                    small: until(&frame, *hours),
                    ..Choice::plain(&hours.to_string(), &label(*hours), &grace.raw)
                })
                .collect(),
            grace_error: grace.error,
            generation: key.generation,
            name: key.name,
            rotation,
            frame,
        }
    }
}

fn label(hours: i64) -> String {
    if hours == 0 {
        return "End it now".to_owned();
    }
    format!("{} more", spoken(hours))
}

/// The key and its rotation, if one is running.
async fn read(
    shared: &Shared,
    scope: &AccountScope,
    path: &KeyPath,
    frame: &Frame,
) -> Result<(Key, Option<Rotation>), Error> {
    let (scope, key_id, now) = (scope.clone(), path.key_id()?, frame.now());
    let from = now.plus_ms(-3 * latchkey_rules::time::DAY_MS);
    let read = shared.db.read(move |r| {
        let key = keys::get(r, &scope, &key_id)?;
        let counts = activity::of_key(r, &scope, &key_id, from, show::after(now))?;
        let late = callers::late(r, &scope, &key, now)?;
        Ok((key, counts, late))
    });
    let (key, counts, late) = read.await?;
    if key.deleted_at.is_some() {
        return Err(Error::NotFound);
    }
    let rotation = Rotation::of(&key, &counts, late, frame);
    Ok((key, rotation))
}

/// To the key's page: there is nothing to end.
fn nothing_to_end(shared: &Shared, account: &str, key: &Key) -> HttpResponse {
    let said = Flash::info("Its old secret is refused already: there is nothing to end.");
    render::see_other_saying(shared, &facts::href(account, key), &said)
}

pub(super) async fn edit(
    member: Member<Developer>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let slug = member.scope.slug();
    let (key, rotation) = read(&shared, &member.scope, &path, &frame).await?;
    let Some(rotation) = rotation else {
        return Ok(nothing_to_end(&shared, slug, &key));
    };
    let now = Field::holding("0");
    render::ok(&GraceView::new(frame, slug, (key, rotation), now, None))
}

pub(super) async fn update(
    post: Post<Member<Developer>, GraceForm>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, mut form) = (post.scope.scope, post.form);
    let (key, rotation) = read(&shared, &scope, &path, &frame).await?;
    let account = scope.slug().to_owned();
    let Some(rotation) = rotation else {
        return Ok(nothing_to_end(&shared, &account, &key));
    };
    let Some(grace_ms) = form.grace.read(grace_ms) else {
        let view = GraceView::new(frame, &account, (key, rotation), form.grace, None);
        return render::refused(&view);
    };
    let (key_id, generation) = (key.key_id, form.generation);
    let shortened = shared
        .db
        .change(move |c| keys::shorten_grace(c, &scope, &key_id, generation, grace_ms));
    match shortened.await {
        Ok(()) => {
            let said = if grace_ms == 0 {
                "The old secret is refused from now on.".to_owned()
            } else {
                let end = frame.when(frame.now().plus_ms(grace_ms));
                format!("The old secret works until {}.", end.exact)
            };
            let href = facts::href(&account, &key);
            Ok(render::see_other_saying(&shared, &href, &Flash::ok(said)))
        }
        Err(store::Error::Conflict(Conflict::Stale)) => {
            let read = (key, rotation);
            let view = GraceView::new(frame, &account, read, form.grace, Some(CHANGED));
            render::page(StatusCode::CONFLICT, &view)
        }
        Err(error) => Err(error.into()),
    }
}
