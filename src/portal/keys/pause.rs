//! Pausing a key, to see who misses it, resuming it, and taking a delete back.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use latchkey_rules::time::MINUTE_MS;
use serde::Deserialize;

use super::{KeyPath, facts, read_key};
use crate::portal::sign_in::EmptyForm;
use crate::store::keys::{self, Key};
use crate::store::{self, Conflict};
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::form::{self, Choice, Field, Fields, Post, Problems};
use crate::web::frame::Frame;
use crate::web::scope::{Developer, Member};
use crate::web::zone::When;
use crate::web::{Shared, render};

/// For how many minutes a key may be paused; 0 is until somebody resumes it.
const MINUTES: [i64; 4] = [10, 60, 24 * 60, 0];

/// For how long.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PauseForm {
    minutes: Field,
}

impl Fields for PauseForm {
    const ONE: &'static [&'static str] = &["minutes"];
}

#[derive(Template)]
#[template(path = "keys/pause.html")]
struct PauseView {
    frame: Frame,
    title: String,
    problems: Problems,
    keys_href: String,
    href: String,
    name: String,
    used: Option<When>,
    minutes: Vec<Choice>,
    minutes_error: Option<String>,
}

impl PauseView {
    fn new(frame: Frame, account: &str, key: &Key, minutes: Field) -> Self {
        let problems = form::problems(&[("minutes", &minutes.error)]);
        let choice = |count: &i64| Choice {
            small: ends(&frame, *count),
            ..Choice::plain(&count.to_string(), spoken(*count), &minutes.raw)
        };
        Self {
            title: form::title(&format!("Pause {}", key.name), &problems),
            problems,
            keys_href: facts::list_href(account),
            href: facts::href(account, key),
            name: key.name.clone(),
            used: key.last_used_at.map(|at| frame.when(at)),
            minutes: MINUTES.iter().map(choice).collect(),
            minutes_error: minutes.error,
            frame,
        }
    }
}

const fn spoken(minutes: i64) -> &'static str {
    match minutes {
        10 => "10 minutes",
        60 => "1 hour",
        0 => "Until it is resumed",
        _ => "24 hours",
    }
}

fn ends(frame: &Frame, minutes: i64) -> String {
    if minutes == 0 {
        return "by one of you, on its page".to_owned();
    }
    let end = frame.when(frame.now().plus_ms(minutes * MINUTE_MS));
    format!("it resumes by itself, {}", end.exact)
}

fn minutes(text: &str) -> Result<i64, &'static str> {
    let found = MINUTES.iter().find(|count| count.to_string() == text);
    found.copied().ok_or("Choose one of the times.")
}

/// Back to the key's page.
fn back(shared: &Shared, account: &str, key: &Key, said: &Flash) -> HttpResponse {
    render::see_other_saying(shared, &facts::href(account, key), said)
}

pub(super) async fn new(
    member: Member<Developer>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let key = read_key(&shared, &member.scope, &path).await?;
    let ten = Field::holding("10");
    render::ok(&PauseView::new(frame, member.scope.slug(), &key, ten))
}

pub(super) async fn pause(
    post: Post<Member<Developer>, PauseForm>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, mut form) = (post.scope.scope, post.form);
    let key = read_key(&shared, &scope, &path).await?;
    let account = scope.slug().to_owned();
    let Some(count) = form.minutes.read(minutes) else {
        return render::refused(&PauseView::new(frame, &account, &key, form.minutes));
    };
    let until = (count > 0).then(|| frame.now().plus_ms(count * MINUTE_MS));
    let key_id = key.key_id;
    let paused = shared
        .db
        .change(move |c| keys::pause(c, &scope, &key_id, until));
    let said = match paused.await {
        Ok(()) => Flash::ok(format!(
            "{} is paused. Its requests are refused from now on; this page counts them.",
            key.name
        )),
        Err(store::Error::Conflict(Conflict::Stale)) => Flash::info(format!(
            "{} is disabled already: there is nothing to pause.",
            key.name
        )),
        Err(error) => return Err(error.into()),
    };
    Ok(back(&shared, &account, &key, &said))
}

pub(super) async fn resume(
    post: Post<Member<Developer>, EmptyForm>,
    path: Path<KeyPath>,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let scope = post.scope.scope;
    let key = read_key(&shared, &scope, &path).await?;
    let (account, key_id) = (scope.slug().to_owned(), key.key_id);
    let resumed = shared.db.change(move |c| keys::resume(c, &scope, &key_id));
    let said = match resumed.await {
        Ok(()) => Flash::ok(format!("{} works again.", key.name)),
        Err(store::Error::Conflict(Conflict::Stale)) => {
            Flash::info(format!("{} was not paused.", key.name))
        }
        Err(error) => return Err(error.into()),
    };
    Ok(back(&shared, &account, &key, &said))
}

pub(super) async fn restore(
    post: Post<Member<Developer>, EmptyForm>,
    path: Path<KeyPath>,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let scope = post.scope.scope;
    let key = read_key(&shared, &scope, &path).await?;
    let (account, key_id) = (scope.slug().to_owned(), key.key_id);
    let most = shared.keys_per_account;
    let restored = shared
        .db
        .change(move |c| keys::restore(c, &scope, &key_id, most));
    let said = match restored.await {
        Ok(()) => Flash::ok(format!("{} is back, and its secrets work again.", key.name)),
        Err(store::Error::Conflict(Conflict::NameTaken)) => Flash::warn(
            "It was not restored: another key has its name now. Delete that one, then restore this one.",
        ),
        Err(store::Error::Conflict(conflict @ Conflict::TooManyKeys { .. })) => {
            Flash::warn(format!("It was not restored. {conflict}"))
        }
        Err(store::Error::NotFound) => {
            Flash::warn("Its time is over: a delete can be taken back for 60 minutes.")
        }
        Err(error) => return Err(error.into()),
    };
    Ok(back(&shared, &account, &key, &said))
}
