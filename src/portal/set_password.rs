//! A one-time link sets a password (T-17, T-18): opening it changes nothing and takes the token out of the address, sending
//! the form uses it up. It signs nobody in.

use actix_web::cookie::time::Duration;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use latchkey_rules::password;
use serde::Deserialize;

use crate::store::one_time_links::{self, Purpose};
use crate::store::{self};
use crate::web::error::Error;
use crate::web::flash::{self, Flash};
use crate::web::form::{self, Fields, Post, Problems};
use crate::web::frame::Frame;
use crate::web::password::Password;
use crate::web::scope::Anyone;
use crate::web::{Shared, render, token};

crate::routes! {
    GET "/set-password" Anyone => show;
    POST "/set-password" Anyone => update;
}

const COOKIE: &str = "lk_link";

/// The link's token, while it is still in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Link {
    token: Option<String>,
}

/// The new password.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SetPasswordForm {
    password: Password,
}

impl Fields for SetPasswordForm {
    const ONE: &'static [&'static str] = &["password"];
}

#[derive(Template)]
#[template(path = "sign_in/set_password.html")]
struct SetPasswordView {
    frame: Frame,
    title: String,
    problems: Problems,
    email: String,
    password_error: Option<String>,
}

#[derive(Template)]
#[template(path = "sign_in/link_over.html")]
struct LinkOverView {
    frame: Frame,
}

async fn show(
    _scope: Anyone,
    frame: Frame,
    req: HttpRequest,
    link: Query<Link>,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let secure = shared.public_url.is_https();
    if let Some(token) = link.into_inner().token {
        let kept = flash::dressed(
            &shared.cookie_name(COOKIE),
            short(token),
            secure,
            Duration::minutes(30),
        );
        let mut answer = render::see_other("/set-password");
        answer
            .add_cookie(&kept)
            .map_err(|error| Error::Internal(error.to_string()))?;
        return Ok(answer);
    }
    match email_of(&req, &shared).await? {
        Some((email, _)) => render::private(&req, &view(frame, email, None)),
        None => over(&req, frame, &shared),
    }
}

async fn update(
    post: Post<Anyone, SetPasswordForm>,
    frame: Frame,
    req: HttpRequest,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let Some((email, digest)) = email_of(&req, &shared).await? else {
        return over(&req, frame, &shared);
    };
    let (password, request) = (post.form.password, post.scope.facts());
    if let Err(error) = password::check(password.expose()) {
        return render::refused(&view(frame, email, Some(error.to_string())));
    }
    let hash = shared.hashing.hash(password).await?;
    match shared
        .db
        .change(move |c| one_time_links::consume_set_password(c, &digest, &hash, request))
        .await
    {
        Ok(()) => {
            shared.counts.links.count("used");
            let said = Flash::ok("Your password is set. Sign in with it.");
            let mut answer = render::see_other_saying(&shared, "/sign-in", &said);
            let ended = flash::done(&shared.cookie_name(COOKIE), shared.public_url.is_https());
            answer
                .add_cookie(&ended)
                .map_err(|error| Error::Internal(error.to_string()))?;
            Ok(answer)
        }
        Err(store::Error::NotFound) => over(&req, frame, &shared),
        Err(error) => Err(error.into()),
    }
}

/// Whose link this browser came with, and the digest of its token.
async fn email_of(req: &HttpRequest, shared: &Shared) -> Result<Option<(String, [u8; 32])>, Error> {
    let Some(cookie) = req.cookie(&shared.cookie_name(COOKIE)) else {
        return Ok(None);
    };
    let digest = token::digest(cookie.value());
    let email = shared
        .db
        .read(move |r| one_time_links::peek(r, &digest, Purpose::SetPassword))
        .await?;
    Ok(email.map(|email| (email, digest)))
}

fn view(frame: Frame, email: String, password_error: Option<String>) -> SetPasswordView {
    let problems = form::problems(&[("password", &password_error)]);
    SetPasswordView {
        frame,
        title: form::title("Choose a password", &problems),
        problems,
        email,
        password_error,
    }
}

fn over(req: &HttpRequest, frame: Frame, shared: &Shared) -> Result<HttpResponse, Error> {
    shared.counts.links.count("over");
    render::keep_private(req);
    render::page(StatusCode::GONE, &LinkOverView { frame })
}

/// A token of ours is 43 characters; what is longer cannot be one and need not be carried.
fn short(token: String) -> String {
    if token.len() <= 64
        && token
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    {
        token
    } else {
        String::new()
    }
}
