//! Signing up: a person and an account of their own. A taken address gets the same answer, after the same work, as a free
//! one (T-05); nobody is signed in by it.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use latchkey_rules::email::Email;
use latchkey_rules::mail::MailKind;
use latchkey_rules::name::DisplayName;
use latchkey_rules::secret::Prefix;
use latchkey_rules::slug::Slug;
use serde::Deserialize;

use crate::store::confirmations::{self, Asked, PendingSignUp};
use crate::store::users::{self, NewSignUp};
use crate::store::{self, Conflict};
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::form::{self, Field, Fields, Post, Problems};
use crate::web::frame::Frame;
use crate::web::links::Links;
use crate::web::new_password;
use crate::web::password::Password;
use crate::web::scope::Anyone;
use crate::web::shared::SignUp;
use crate::web::{Shared, render};

crate::routes! {
    GET "/sign-up" Anyone => new;
    POST "/sign-up" Anyone => create;
}

const DONE: &str = "If this address was new here, its account is ready: sign in with the password that you just chose. If it was known already, nothing was changed.";

/// What a person types to sign up.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SignUpForm {
    name: Field,
    company: Field,
    email: Field,
    password: Password,
    #[serde(skip)]
    password_error: Option<String>,
}

impl Fields for SignUpForm {
    const ONE: &'static [&'static str] = &["name", "company", "email", "password"];
}

/// A form in which everything is right.
struct Checked {
    name: DisplayName,
    company: DisplayName,
    email: Email,
    password: Password,
}

impl SignUpForm {
    fn check(&mut self, prefix: &Prefix, wrong_password: Option<String>) -> Option<Checked> {
        let name = self.name.read_public(prefix, DisplayName::parse);
        let company = self.company.read_public(prefix, company_name);
        let email = self.email.read(Email::parse);
        self.password_error = wrong_password;
        match (name, company, email, &self.password_error) {
            (Some(name), Some(company), Some(email), None) => Some(Checked {
                name,
                company,
                email,
                password: self.password.clone(),
            }),
            _ => None,
        }
    }
}

/// Two names stand on this page: an error says which of them it means.
fn company_name(text: &str) -> Result<DisplayName, String> {
    DisplayName::parse(text)
        .map_err(|wrong| wrong.to_string().replace("he name", "he company’s name"))
}

#[derive(Template)]
#[template(path = "sign_in/sign_up.html")]
struct SignUpView {
    frame: Frame,
    title: String,
    problems: Problems,
    form: SignUpForm,
}

impl SignUpView {
    fn new(frame: Frame, form: SignUpForm) -> Self {
        let problems = form::problems(&[
            ("name", &form.name.error),
            ("company", &form.company.error),
            ("email", &form.email.error),
            ("password", &form.password_error),
        ]);
        Self {
            frame,
            title: form::title("Create an account", &problems),
            problems,
            form,
        }
    }
}

#[derive(Template)]
#[template(path = "sign_in/sign_up_closed.html")]
struct ClosedView {
    frame: Frame,
}

async fn new(_scope: Anyone, frame: Frame, shared: Data<Shared>) -> Result<HttpResponse, Error> {
    if shared.sign_up != SignUp::Open {
        return render::ok(&ClosedView { frame });
    }
    render::ok(&SignUpView::new(frame, SignUpForm::default()))
}

async fn create(
    post: Post<Anyone, SignUpForm>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    if shared.sign_up != SignUp::Open {
        return Err(Error::Forbidden);
    }
    let mut form = post.form;
    let about = [&form.name.raw, &form.company.raw, &form.email.raw].map(String::as_str);
    let wrong = new_password::wrong_with(&shared, &form.password, &about).await?;
    let Some(good) = form.check(&shared.secret_prefix, wrong) else {
        return render::refused(&SignUpView::new(frame, form));
    };
    let password_hash = shared.hashing.hash(good.password).await?;
    if let Some(links) = &shared.mail {
        let new = PendingSignUp {
            person: good.name,
            company: good.company,
            email: good.email,
            password_hash,
        };
        return ask(&shared, links, new).await;
    }
    let new = NewSignUp {
        slug_hint: Slug::from_name(good.company.as_str()),
        person: good.name,
        company: good.company,
        email: good.email,
        password_hash,
        request: post.scope.facts(),
    };
    let signed_up = shared.db.change(move |c| users::sign_up(c, new)).await;
    match &signed_up {
        Ok(()) => shared.counts.sign_ups.count("created"),
        Err(store::Error::Conflict(Conflict::EmailTaken)) => shared.counts.sign_ups.count("taken"),
        Err(_) => {}
    }
    match signed_up {
        Ok(()) | Err(store::Error::Conflict(Conflict::EmailTaken)) => Ok(render::see_other_saying(
            &shared,
            "/sign-in",
            &Flash::info(DONE),
        )),
        Err(error) => Err(error.into()),
    }
}

/// Keeps the sign-up until the link in a mail was followed. To a taken address another mail goes, and to one that got three
/// within the hour none; the page says the same.
async fn ask(shared: &Shared, links: &Links, new: PendingSignUp) -> Result<HttpResponse, Error> {
    let said = format!(
        "A mail is on its way to {}. Follow its link within 24 hours, then sign in. If none comes, look where spam goes, or sign up once more.",
        new.email.as_str()
    );
    if links.may_ask(&new.email, shared.clock.now()) {
        let link = links.draw(MailKind::ConfirmSignUp, &new.email)?;
        let asked = shared
            .db
            .write(move |w| confirmations::ask_sign_up(w, &new, &link));
        if asked.await? == Asked::Taken {
            shared.counts.sign_ups.count("taken");
        }
    }
    Ok(render::see_other_saying(
        shared,
        "/sign-in",
        &Flash::info(said),
    ))
}
