//! Another password. Every other session ends with it (T-11), and this one gets a new token (T-09).

use actix_session::Session;
use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use serde::Deserialize;

use super::{done, wrong_password};
use crate::store::users;
use crate::web::error::Error;
use crate::web::form::{self, Fields, Post, Problems};
use crate::web::frame::Frame;
use crate::web::new_password;
use crate::web::password::Password;
use crate::web::scope::SignedIn;
use crate::web::{Shared, render, session};

crate::routes! {
    GET "/profile/password" SignedIn => new;
    POST "/profile/password" SignedIn => update;
}

const SAME: &str = "This is the password that you have. Choose another one.";

/// The password, and the new one.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PasswordForm {
    password: Password,
    new_password: Password,
}

impl Fields for PasswordForm {
    const ONE: &'static [&'static str] = &["password", "new_password"];
}

#[derive(Template)]
#[template(path = "profile/password.html")]
struct PasswordView {
    frame: Frame,
    title: String,
    problems: Problems,
    email: String,
    password_error: Option<String>,
    new_password_error: Option<String>,
}

impl PasswordView {
    fn new(
        frame: Frame,
        email: &str,
        password_error: Option<String>,
        new_password_error: Option<String>,
    ) -> Self {
        let problems = form::problems(&[
            ("password", &password_error),
            ("new_password", &new_password_error),
        ]);
        Self {
            frame,
            title: form::title("Change password", &problems),
            problems,
            email: email.to_owned(),
            password_error,
            new_password_error,
        }
    }
}

async fn new(scope: SignedIn, frame: Frame) -> Result<HttpResponse, Error> {
    let email = &scope.visitor.person.email;
    render::ok(&PasswordView::new(frame, email, None, None))
}

async fn update(
    post: Post<SignedIn, PasswordForm>,
    frame: Frame,
    session: Session,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (visitor, request) = (post.scope.visitor, post.scope.facts);
    let PasswordForm {
        password,
        new_password,
    } = post.form;
    let about = [visitor.person.name.as_str(), &visitor.person.email];
    let weak = if new_password.expose() == password.expose() {
        Some(SAME.to_owned())
    } else {
        new_password::wrong_with(&shared, &new_password, &about).await?
    };
    let wrong = wrong_password(&shared, &visitor.person.email, &password).await?;
    if weak.is_some() || wrong.is_some() {
        let email = &visitor.person.email;
        return render::refused(&PasswordView::new(frame, email, wrong, weak));
    }
    let handle = visitor.person.handle();
    let hash = shared.hashing.hash(new_password).await?;
    shared
        .db
        .change(move |c| users::change_password(c, &handle, &hash, request))
        .await?;
    session::sign_in(&session, &handle)?;
    Ok(done(
        &shared,
        "Your password is changed. Wherever else you were signed in, you are signed out.",
    ))
}
