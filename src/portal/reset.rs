//! Asking for a link that sets another password. The answer is the same whether the address is known or not (T-05); what
//! the link opens is `set_password`'s.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use latchkey_rules::email::Email;
use latchkey_rules::mail::MailKind;
use serde::Deserialize;

use crate::store::one_time_links;
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::form::{self, Field, Fields, Post, Problems};
use crate::web::frame::Frame;
use crate::web::scope::Anyone;
use crate::web::{Shared, render};

crate::routes! {
    GET "/reset" Anyone => new;
    POST "/reset" Anyone => create;
}

/// Whose password.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ResetForm {
    email: Field,
}

impl Fields for ResetForm {
    const ONE: &'static [&'static str] = &["email"];
}

#[derive(Template)]
#[template(path = "sign_in/reset.html")]
struct ResetView {
    frame: Frame,
    title: String,
    problems: Problems,
    form: ResetForm,
}

impl ResetView {
    fn new(frame: Frame, form: ResetForm) -> Self {
        let problems = form::problems(&[("email", &form.email.error)]);
        Self {
            frame,
            title: form::title("Set another password", &problems),
            problems,
            form,
        }
    }
}

#[derive(Template)]
#[template(path = "sign_in/reset_by_support.html")]
struct BySupportView {
    frame: Frame,
}

async fn new(_scope: Anyone, frame: Frame, shared: Data<Shared>) -> Result<HttpResponse, Error> {
    if shared.mail.is_none() {
        return render::ok(&BySupportView { frame });
    }
    render::ok(&ResetView::new(frame, ResetForm::default()))
}

async fn create(
    post: Post<Anyone, ResetForm>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let Some(links) = &shared.mail else {
        return Err(Error::Forbidden);
    };
    let mut form = post.form;
    let Some(email) = form.email.read(Email::parse) else {
        return render::refused(&ResetView::new(frame, form));
    };
    if links.may_ask(&email, shared.clock.now()) {
        let link = links.draw(MailKind::ResetPassword, &email)?;
        let (folded, request) = (email.folded(), post.scope.facts());
        shared
            .db
            .change(move |c| one_time_links::ask_reset(c, &folded, &link, request))
            .await?;
    }
    let said = format!(
        "If {} has an account here, a mail with a link is on its way. The link works once, for 30 minutes.",
        email.as_str()
    );
    Ok(render::see_other_saying(
        &shared,
        "/sign-in",
        &Flash::info(said),
    ))
}
