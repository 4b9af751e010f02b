//! Signing in and out. It never tells whether an address is known: an unknown one costs the same and reads the same.

use actix_session::Session;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use latchkey_rules::email::Email;
use serde::Deserialize;

use crate::store::users;
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::form::{self, Field, Fields, Post, Problems};
use crate::web::frame::Frame;
use crate::web::guesses::{Wait, Whose};
use crate::web::password::{Password, Verified};
use crate::web::scope::Anyone;
use crate::web::shared::SignUp;
use crate::web::{Shared, device, next, render, session};

crate::routes! {
    GET "/sign-in" Anyone => new;
    POST "/sign-in" Anyone => create;
    POST "/sign-out" Anyone => end;
}

const WRONG: &str = "The mail address or the password is wrong. Check both and try again.";

/// What a person types to sign in.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SignInForm {
    email: Field,
    password: Password,
    next: String,
}

impl Fields for SignInForm {
    const ONE: &'static [&'static str] = &["email", "password", "next"];
}

/// Nothing to fill in.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EmptyForm {}

impl Fields for EmptyForm {
    const ONE: &'static [&'static str] = &[];
}

/// Where to go on after signing in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Onward {
    next: String,
}

#[derive(Template)]
#[template(path = "sign_in/new.html")]
struct SignInView {
    frame: Frame,
    title: String,
    problems: Problems,
    email: Field,
    password_error: Option<String>,
    next: String,
    sign_up_open: bool,
}

impl SignInView {
    fn new(frame: Frame, shared: &Shared, form: SignInForm, wrong: Option<&str>) -> Self {
        let password_error = wrong.map(str::to_owned);
        let problems =
            form::problems(&[("email", &form.email.error), ("password", &password_error)]);
        Self {
            frame,
            title: form::title("Sign in", &problems),
            problems,
            email: form.email,
            password_error,
            next: next::safe(&form.next).to_owned(),
            sign_up_open: shared.sign_up == SignUp::Open,
        }
    }
}

async fn new(
    scope: Anyone,
    frame: Frame,
    shared: Data<Shared>,
    onward: Query<Onward>,
) -> Result<HttpResponse, Error> {
    if scope.visitor.is_some() {
        return Ok(render::see_other(next::safe(&onward.next)));
    }
    let form = SignInForm {
        next: onward.into_inner().next,
        ..SignInForm::default()
    };
    render::ok(&SignInView::new(frame, &shared, form, None))
}

async fn create(
    post: Post<Anyone, SignInForm>,
    req: HttpRequest,
    frame: Frame,
    session: Session,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let mut form = post.form;
    let Some(email) = form.email.read(Email::parse) else {
        return render::refused(&SignInView::new(frame, &shared, form, None));
    };
    let device = device::known(&req, &shared, &email);
    let whose = device
        .as_deref()
        .map_or(Whose::Address(&email), Whose::Device);
    let ip = post.scope.facts().ip;
    let begun = match shared.guesses.begin(&whose, ip, shared.clock.now()) {
        Ok(begun) => begun,
        Err(wait) => {
            shared.counts.sign_ins.count("slowed");
            let view = SignInView::new(frame, &shared, form, Some(&wait.words()));
            return slowed(wait, &view);
        }
    };
    let folded = email.folded();
    let known = shared
        .db
        .read(move |r| users::credentials(r, &folded))
        .await?;
    let hash = known.as_ref().and_then(|known| known.password_hash.clone());
    let verified = shared.hashing.verify(form.password.clone(), hash).await?;
    let (Some(known), true) = (known, verified != Verified::No) else {
        shared.counts.sign_ins.count("refused");
        return render::refused(&SignInView::new(frame, &shared, form, Some(WRONG)));
    };
    if verified == Verified::Weak {
        let stronger = shared.hashing.hash(form.password.clone()).await?;
        let handle = known.handle;
        shared
            .db
            .change(move |c| users::set_password(c, &handle, &stronger))
            .await?;
    }
    shared.guesses.succeeded(begun);
    session::sign_in(&session, &known.handle)?;
    shared.counts.sign_ins.count("admitted");
    let mut answer = render::see_other(next::safe(&form.next));
    if device.is_none() {
        answer
            .add_cookie(&device::cookie(&shared, &email)?)
            .map_err(|error| Error::Internal(format!("the device's cookie: {error}")))?;
    }
    Ok(answer)
}

fn slowed(wait: Wait, view: &SignInView) -> Result<HttpResponse, Error> {
    let mut answer = render::page(StatusCode::TOO_MANY_REQUESTS, view)?;
    answer
        .headers_mut()
        .insert(header::RETRY_AFTER, header::HeaderValue::from(wait.secs));
    Ok(answer)
}

async fn end(
    _post: Post<Anyone, EmptyForm>,
    session: Session,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    session.purge();
    let mut answer =
        render::see_other_saying(&shared, "/sign-in", &Flash::ok("You are signed out."));
    let clear = header::HeaderValue::from_static("\"cache\", \"storage\"");
    answer
        .headers_mut()
        .insert(header::HeaderName::from_static("clear-site-data"), clear);
    Ok(answer)
}
