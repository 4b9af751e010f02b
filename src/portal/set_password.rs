//! A one-time link sets a password (T-17, T-18): opening it changes nothing and takes the token out of the address, sending
//! the form uses it up. It signs nobody in.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use crate::store::one_time_links::LinkOwner;
use crate::store::{self, one_time_links};
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::form::{self, Fields, Post, Problems};
use crate::web::frame::Frame;
use crate::web::link_cookie::{Link, LinkCookie};
use crate::web::new_password;
use crate::web::password::Password;
use crate::web::scope::Anyone;
use crate::web::{Shared, render};

crate::routes! {
    GET "/set-password" Anyone => show;
    POST "/set-password" Anyone => update;
}

const COOKIE: LinkCookie = LinkCookie {
    name: "lk_link",
    page: "/set-password",
};

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
    /// Where a new one is to be had: an address and what the link to it says.
    again: Option<(&'static str, &'static str)>,
}

async fn show(
    _scope: Anyone,
    frame: Frame,
    req: HttpRequest,
    link: Query<Link>,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    if let Some(onward) = COOKIE.taken(link.into_inner(), &shared)? {
        return Ok(onward);
    }
    match owner_of(&req, &shared).await? {
        Some((owner, _)) => render::private(&req, &view(frame, owner.email, None)),
        None => over(&req, frame, &shared),
    }
}

async fn update(
    post: Post<Anyone, SetPasswordForm>,
    frame: Frame,
    req: HttpRequest,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let Some((owner, digest)) = owner_of(&req, &shared).await? else {
        return over(&req, frame, &shared);
    };
    let (password, request) = (post.form.password, post.scope.facts());
    let about = [owner.name.as_str(), &owner.email];
    if let Some(wrong) = new_password::wrong_with(&shared, &password, &about).await? {
        return render::refused(&view(frame, owner.email, Some(wrong)));
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
            let answer = render::see_other_saying(&shared, "/sign-in", &said);
            COOKIE.done(answer, &shared)
        }
        Err(store::Error::NotFound) => over(&req, frame, &shared),
        Err(error) => Err(error.into()),
    }
}

/// Whose link this browser came with, and the digest of its token.
async fn owner_of(
    req: &HttpRequest,
    shared: &Shared,
) -> Result<Option<(LinkOwner, [u8; 32])>, Error> {
    let Some(digest) = COOKIE.digest(req, shared) else {
        return Ok(None);
    };
    let owner = shared
        .db
        .read(move |r| one_time_links::peek(r, &digest))
        .await?;
    Ok(owner.map(|owner| (owner, digest)))
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
    let again = shared.mail.as_ref();
    let again = again.map(|_| ("/reset", "Ask for another link"));
    link_over(req, frame, shared, again)
}

/// The page of a link that opens nothing any more, and where another one is to be had.
pub(crate) fn link_over(
    req: &HttpRequest,
    frame: Frame,
    shared: &Shared,
    again: Option<(&'static str, &'static str)>,
) -> Result<HttpResponse, Error> {
    shared.counts.links.count("over");
    render::keep_private(req);
    render::page(StatusCode::GONE, &LinkOverView { frame, again })
}
