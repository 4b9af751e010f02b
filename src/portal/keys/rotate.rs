//! Rotating a key's secret: a page that says what stops and when, and the new secret in the answer to its form alone (T-32).

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use latchkey_rules::code::Code;
use latchkey_rules::rotation::{GRACE_HOURS, RotationReason};
use latchkey_rules::secret::Secret;
use latchkey_rules::time::{HOUR_MS, Millis};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use serde::Deserialize;

use super::callers::{self, Callers};
use super::secret::{Rotated, SecretView, Shown, stored};
use super::used::UsedView;
use super::{CHANGED, KeyPath, facts, show};
use crate::store::activity::{self, ActivityRow};
use crate::store::callers::{self as stored_callers, Caller};
use crate::store::keys::{self, Key, NewRotation};
use crate::store::products;
use crate::store::scope::AccountScope;
use crate::store::{self, Conflict};
use crate::web::error::Error;
use crate::web::form::{self, Choice, Field, Fields, Post, Problems};
use crate::web::frame::{self, Frame};
use crate::web::scope::{Developer, Member};
use crate::web::token::Token;
use crate::web::zone::When;
use crate::web::{Shared, render};

/// What a person says of a rotation.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RotateForm {
    reason: Field,
    grace: Field,
    /// The time, where the grace is to last until one.
    until: Field,
    generation: i64,
    form_id: String,
}

impl Fields for RotateForm {
    const ONE: &'static [&'static str] = &["reason", "grace", "until", "generation", "form_id"];
}

impl RotateForm {
    fn check(&mut self, now: Millis) -> Option<(RotationReason, i64)> {
        let reason = self
            .reason
            .read(|word| RotationReason::from_word(word).ok_or("Choose why you rotate."));
        let grace = if self.grace.raw == UNTIL {
            self.until.read(|text| until_time(text, now))
        } else {
            self.grace.read(grace_ms)
        };
        reason.zip(grace)
    }
}

/// The choice of a time instead of hours.
const UNTIL: &str = "until";

/// How long it is until a time that a person typed, in UTC.
fn until_time(text: &str, now: Millis) -> Result<i64, &'static str> {
    let time: jiff::civil::DateTime = text
        .trim()
        .parse()
        .map_err(|_no_time| "Type a day and a time, such as 2027-03-31 18:00.")?;
    let time = time
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|_out_of_range| "This time is too far away.")?;
    let grace = time.timestamp().as_millisecond() - now.0;
    let longest = GRACE_HOURS.iter().max().copied().unwrap_or_default() * HOUR_MS;
    match grace {
        ..=0 => Err("This time is over. The old secret can work on for at most 48 hours from now."),
        _ if grace > longest => Err("The old secret can work on for at most 48 hours from now."),
        _ => Ok(grace),
    }
}

/// One of the hours that are offered, in milliseconds.
pub(super) fn grace_ms(text: &str) -> Result<i64, &'static str> {
    GRACE_HOURS
        .iter()
        .find(|hours| hours.to_string() == text)
        .map(|hours| hours * HOUR_MS)
        .ok_or("Choose one of the times.")
}

/// A rotation that is not over yet.
#[derive(Debug)]
struct Running {
    newest: String,
    older: String,
    ends: When,
    newest_used: bool,
}

#[derive(Template)]
#[template(path = "keys/rotate.html")]
struct RotateView {
    frame: Frame,
    title: String,
    problems: Problems,
    changed: Option<&'static str>,
    keys_href: String,
    href: String,
    name: String,
    shown: String,
    running: Option<Running>,
    reasons: Vec<Choice>,
    reason_error: Option<String>,
    graces: Vec<Choice>,
    grace_error: Option<String>,
    until: Field,
    deployed: Vec<String>,
    callers: Callers,
    generation: i64,
    form_id: String,
}

/// What the page is made from.
struct Read {
    key: Key,
    week: Vec<ActivityRow>,
    /// Who called with the newest secret.
    callers: Vec<Caller>,
}

impl RotateView {
    fn new(
        frame: Frame,
        account: &str,
        read: &Read,
        form: RotateForm,
        changed: Option<&'static str>,
    ) -> Self {
        let key = &read.key;
        let problems = form::problems(&[
            ("reason", &form.reason.error),
            ("grace", &form.grace.error),
            ("until", &form.until.error),
        ]);
        let hours = GRACE_HOURS.iter().map(|hours| Choice {
            small: until(&frame, *hours),
            ..Choice::plain(&hours.to_string(), &spoken(*hours), &form.grace.raw)
        });
        let at_a_time = Choice {
            small: "within 48 hours, typed below".to_owned(),
            ..Choice::plain(UNTIL, "Until a time", &form.grace.raw)
        };
        let newest = key.secrets.first();
        Self {
            title: form::title(&format!("Rotate {}", key.name), &problems),
            problems,
            changed,
            keys_href: facts::list_href(account),
            href: facts::href(account, key),
            name: key.name.clone(),
            shown: newest
                .map(|secret| facts::shown(key, secret))
                .unwrap_or_default(),
            running: running(&frame, read),
            reasons: RotationReason::ALL
                .iter()
                .map(|reason| Choice {
                    small: consequence(*reason).to_owned(),
                    ..Choice::plain(reason.word(), reason.label(), &form.reason.raw)
                })
                .collect(),
            reason_error: form.reason.error,
            graces: hours.chain([at_a_time]).collect(),
            until: form.until,
            grace_error: form.grace.error,
            deployed: key.deployed.clone(),
            callers: Callers::all(read.callers.clone(), &frame),
            generation: key.generation,
            form_id: form.form_id,
            frame,
        }
    }
}

const fn consequence(reason: RotationReason) -> &'static str {
    match reason {
        RotationReason::Routine => "Change over within the grace",
        RotationReason::SomeoneLeft => "A short grace is safer",
        RotationReason::Leaked => {
            "No grace: refused within a second, and marked as leaked for ever"
        }
    }
}

/// `48 hours`, `1 hour`, `Not at all`.
pub(super) fn spoken(hours: i64) -> String {
    match hours {
        0 => "Not at all".to_owned(),
        1 => "1 hour".to_owned(),
        hours => format!("{hours} hours"),
    }
}

/// `until 23 Nov 2026, 09:40:12 UTC`, or that it ends at once.
pub(super) fn until(frame: &Frame, hours: i64) -> String {
    if hours == 0 {
        return "refused within a second, everywhere".to_owned();
    }
    let end = frame.when(frame.now().plus_ms(hours * HOUR_MS));
    format!("until {}", end.exact)
}

fn running(frame: &Frame, read: &Read) -> Option<Running> {
    let key = &read.key;
    let (newest, older) = (key.secrets.first()?, key.older_secret(frame.now())?);
    let ends_at = older.retires_at?;
    let is_of_newest =
        |row: &&ActivityRow| row.secret_number == newest.number && row.code == Code::Valid;
    Some(Running {
        newest: facts::shown(key, newest),
        older: facts::shown(key, older),
        ends: frame.when(ends_at),
        newest_used: read.week.iter().find(is_of_newest).is_some(),
    })
}

async fn read(
    shared: &Shared,
    scope: &AccountScope,
    path: &KeyPath,
    frame: &Frame,
) -> Result<Read, Error> {
    let (scope, key_id, now) = (scope.clone(), path.key_id()?, frame.now());
    let read = shared.db.read(move |r| {
        let key = keys::get(r, &scope, &key_id)?;
        let newest = key.secrets.first().map(|secret| secret.number);
        let week = now.plus_ms(-callers::WEEK);
        Ok(Read {
            callers: stored_callers::of_key(r, &scope, &key_id, newest, week)?,
            key,
            week: activity::of_key(r, &scope, &key_id, week, show::after(now))?,
        })
    });
    let read = read.await?;
    if read.key.deleted_at.is_some() {
        return Err(Error::NotFound);
    }
    Ok(read)
}

/// The reason that is chosen beforehand.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Why {
    reason: String,
}

pub(super) async fn new(
    member: Member<Developer>,
    path: Path<KeyPath>,
    asked: Query<Why>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let read = read(&shared, &member.scope, &path, &frame).await?;
    let reason = RotationReason::from_word(&asked.reason).unwrap_or(RotationReason::Routine);
    let grace = if reason == RotationReason::Leaked {
        "0"
    } else {
        "48"
    };
    let form = RotateForm {
        reason: Field::holding(reason.word()),
        grace: Field::holding(grace),
        form_id: Token::generate()?.expose().to_owned(),
        ..RotateForm::default()
    };
    let slug = member.scope.slug();
    render::ok(&RotateView::new(frame, slug, &read, form, None))
}

pub(super) async fn rotate(
    post: Post<Member<Developer>, RotateForm>,
    path: Path<KeyPath>,
    req: HttpRequest,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, mut form) = (post.scope.scope, post.form);
    let read = read(&shared, &scope, &path, &frame).await?;
    let account = scope.slug().to_owned();
    if !(16..=64).contains(&form.form_id.len()) {
        let text = "The field \"form_id\" does not come from the page.";
        return Err(Error::BadRequest(text.to_owned()));
    }
    let Some((reason, grace_ms)) = form.check(frame.now()) else {
        return render::refused(&RotateView::new(frame, &account, &read, form, None));
    };
    let key = &read.key;
    let mut rng = UnwrapErr(SysRng);
    let secret = Secret::generate(&shared.secret_prefix, key.environment, &mut rng);
    let new = NewRotation {
        key_id: key.key_id,
        generation: form.generation,
        secret: stored(&shared, &account, &key.key_id, &secret)?,
        reason,
        grace_ms,
        form_id: form.form_id.clone(),
    };
    match shared
        .db
        .change(move |c| keys::rotate(c, &scope, &new))
        .await
    {
        Ok(key) => {
            let leaked = (reason == RotationReason::Leaked)
                .then(|| Callers::all(read.callers.clone(), &frame));
            shown(&shared, &req, frame, &account, &key, &secret, leaked).await
        }
        Err(store::Error::Conflict(Conflict::FormUsed { made_at, .. })) => {
            let view = UsedView::of_rotation(frame, &account, key, made_at);
            render::page(StatusCode::CONFLICT, &view)
        }
        Err(store::Error::Conflict(Conflict::Stale)) => {
            let view = RotateView::new(frame, &account, &read, form, Some(CHANGED));
            render::page(StatusCode::CONFLICT, &view)
        }
        Err(error) => Err(error.into()),
    }
}

async fn shown(
    shared: &Data<Shared>,
    req: &HttpRequest,
    frame: Frame,
    account: &str,
    key: &Key,
    secret: &Secret,
    leaked: Option<Callers>,
) -> Result<HttpResponse, Error> {
    let known = shared.db.read(products::all).await?;
    let own = key.own_of(&known);
    let product = products::Product::to_try_first(own.iter()).cloned();
    // The page was asked for before the rotation's own moment, at which a secret without a grace ended.
    let older = key.older_secret(key.last_rotated_at.unwrap_or_else(|| frame.now()));
    let rotated = Rotated {
        old_ends: older
            .and_then(|secret| secret.retires_at)
            .map(|end| frame.when(end)),
        leaked,
        support_href: frame::support_href(shared, Some(&key.key_id.to_string())),
    };
    let shown = Shown {
        account,
        key,
        secret,
        product,
        rotated: Some(rotated),
    };
    render::private(req, &SecretView::new(frame, shared, shown))
}
