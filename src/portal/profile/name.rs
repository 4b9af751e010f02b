//! Another name.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use latchkey_rules::name::DisplayName;
use serde::Deserialize;

use super::{done, wrong_password};
use crate::store::users;
use crate::web::error::Error;
use crate::web::form::{self, Field, Fields, Post, Problems};
use crate::web::frame::Frame;
use crate::web::password::Password;
use crate::web::scope::SignedIn;
use crate::web::{Shared, render};

crate::routes! {
    GET "/profile/name" SignedIn => new;
    POST "/profile/name" SignedIn => update;
}

/// The new name, and the password.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NameForm {
    name: Field,
    password: Password,
}

impl Fields for NameForm {
    const ONE: &'static [&'static str] = &["name", "password"];
}

#[derive(Template)]
#[template(path = "profile/name.html")]
struct NameView {
    frame: Frame,
    title: String,
    problems: Problems,
    name: Field,
    password_error: Option<String>,
}

impl NameView {
    fn new(frame: Frame, name: Field, password_error: Option<String>) -> Self {
        let problems = form::problems(&[("name", &name.error), ("password", &password_error)]);
        Self {
            frame,
            title: form::title("Change name", &problems),
            problems,
            name,
            password_error,
        }
    }
}

async fn new(scope: SignedIn, frame: Frame) -> Result<HttpResponse, Error> {
    let name = Field::holding(&scope.visitor.person.name);
    render::ok(&NameView::new(frame, name, None))
}

async fn update(
    post: Post<SignedIn, NameForm>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (visitor, request) = (post.scope.visitor, post.scope.facts);
    let mut form = post.form;
    let name = form
        .name
        .read_public(&shared.secret_prefix, DisplayName::parse);
    let wrong = wrong_password(&shared, &visitor.person.email, &form.password).await?;
    let (Some(name), None) = (name, &wrong) else {
        return render::refused(&NameView::new(frame, form.name, wrong));
    };
    let handle = visitor.person.handle();
    shared
        .db
        .change(move |c| users::rename(c, &handle, &name, request))
        .await?;
    Ok(done(&shared, "Your name is changed."))
}
