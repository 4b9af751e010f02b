//! Confirming a mail address by the link that was sent to it: opening it changes nothing and takes the token out of the
//! address, the button uses it up (T-18). It signs nobody in.

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::portal::set_password::link_over;
use crate::portal::sign_in::EmptyForm;
use crate::store::confirmations::{self, Confirmed};
use crate::store::{self, Conflict};
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::form::Post;
use crate::web::frame::Frame;
use crate::web::link_cookie::{Link, LinkCookie};
use crate::web::scope::Anyone;
use crate::web::{Shared, render};

crate::routes! {
    GET "/confirm" Anyone => show;
    POST "/confirm" Anyone => create;
}

const COOKIE: LinkCookie = LinkCookie {
    name: "lk_confirm",
    page: "/confirm",
};

const SIGNED_UP: &str = "The address is confirmed, and your account is ready. Sign in with the password that you chose.";

#[derive(Template)]
#[template(path = "sign_in/confirm.html")]
struct ConfirmView {
    frame: Frame,
    email: String,
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
    let Some(digest) = COOKIE.digest(&req, &shared) else {
        return over(&req, frame, &shared);
    };
    let email = shared.db.read(move |r| confirmations::peek(r, &digest));
    match email.await? {
        Some(email) => render::private(&req, &ConfirmView { frame, email }),
        None => over(&req, frame, &shared),
    }
}

async fn create(
    post: Post<Anyone, EmptyForm>,
    frame: Frame,
    req: HttpRequest,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let Some(digest) = COOKIE.digest(&req, &shared) else {
        return over(&req, frame, &shared);
    };
    let request = post.scope.facts();
    let confirmed = shared
        .db
        .change(move |c| confirmations::confirm(c, &digest, request));
    let (page, said) = match confirmed.await {
        Ok(Confirmed::SignUp) => {
            shared.counts.sign_ups.count("created");
            ("/sign-in", SIGNED_UP)
        }
        Ok(Confirmed::Address) => ("/profile", "Your new mail address is confirmed."),
        Err(store::Error::NotFound | store::Error::Conflict(Conflict::EmailTaken)) => {
            return over(&req, frame, &shared);
        }
        Err(error) => return Err(error.into()),
    };
    shared.counts.links.count("used");
    COOKIE.done(
        render::see_other_saying(&shared, page, &Flash::ok(said)),
        &shared,
    )
}

fn over(req: &HttpRequest, frame: Frame, shared: &Shared) -> Result<HttpResponse, Error> {
    let again = Some(("/sign-in", "Sign in, or sign up once more"));
    link_over(req, frame, shared, again)
}
