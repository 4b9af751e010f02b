//! A person's own pages: name, mail address, password, and of which keys they get mails. Whatever would let somebody else in
//! asks for the password again (T-12).

mod address;
mod name;
mod password;

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};
use askama::Template;
use latchkey_rules::email::Email;
use latchkey_rules::mail::KeyMails;
use serde::Deserialize;

use crate::store::users;
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::form::{self, Choice, Field, Fields, Post, Problems};
use crate::web::frame::Frame;
use crate::web::guesses::Whose;
use crate::web::password::{Password, Verified};
use crate::web::route::Route;
use crate::web::scope::SignedIn;
use crate::web::visitor::Visitor;
use crate::web::{Shared, render};

mod own {
    use super::{set_mails, show};

    crate::routes! {
        GET "/profile" SignedIn => show;
        POST "/profile/mails" SignedIn => set_mails;
    }
}

/// The routes of these pages.
pub(crate) fn routes() -> Vec<Route> {
    [own::ROUTES, name::ROUTES, address::ROUTES, password::ROUTES].concat()
}

/// Registers them.
pub(crate) fn configure(cfg: &mut ServiceConfig) {
    own::configure(cfg);
    name::configure(cfg);
    address::configure(cfg);
    password::configure(cfg);
}

const WRONG: &str = "This is not your password. Check it and try again.";

/// Of which keys mails are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MailsForm {
    mails: Field,
}

impl Fields for MailsForm {
    const ONE: &'static [&'static str] = &["mails"];
}

#[derive(Template)]
#[template(path = "profile/show.html")]
struct ProfileView {
    frame: Frame,
    title: String,
    problems: Problems,
    name: String,
    email: String,
    sends_mail: bool,
    mails: Vec<Choice>,
    mails_error: Option<String>,
}

impl ProfileView {
    fn new(frame: Frame, visitor: &Visitor, shared: &Shared, mails_error: Option<String>) -> Self {
        let person = &visitor.person;
        let problems = form::problems(&[("mails", &mails_error)]);
        Self {
            title: form::title("Your profile", &problems),
            problems,
            name: person.name.clone(),
            email: person.email.clone(),
            sends_mail: shared.mail.is_some(),
            mails: KeyMails::ALL
                .iter()
                .map(|choice| Choice {
                    small: hint(*choice).to_owned(),
                    ..Choice::plain(choice.word(), choice.label(), person.key_mails.word())
                })
                .collect(),
            mails_error,
            frame,
        }
    }
}

const fn hint(choice: KeyMails) -> &'static str {
    match choice {
        KeyMails::All => "Of every key of your accounts",
        KeyMails::Own => "Of keys that you are responsible for",
        KeyMails::None => "Changes of your password and address are told all the same",
    }
}

async fn show(scope: SignedIn, frame: Frame, shared: Data<Shared>) -> Result<HttpResponse, Error> {
    render::ok(&ProfileView::new(frame, &scope.visitor, &shared, None))
}

async fn set_mails(
    post: Post<SignedIn, MailsForm>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let visitor = post.scope.visitor;
    let Some(choice) = KeyMails::from_word(&post.form.mails.raw) else {
        let error = Some("Choose All keys, My keys or None.".to_owned());
        return render::refused(&ProfileView::new(frame, &visitor, &shared, error));
    };
    let handle = visitor.person.handle();
    shared
        .db
        .write(move |w| users::set_key_mails(w, &handle, choice))
        .await?;
    Ok(done(&shared, "Your choice of mails is kept."))
}

fn done(shared: &Shared, said: &str) -> HttpResponse {
    render::see_other_saying(shared, "/profile", &Flash::ok(said))
}

/// Whether this is the person's password; what to say if not.
pub(in crate::portal) async fn wrong_password(
    shared: &Shared,
    email: &str,
    password: &Password,
) -> Result<Option<String>, Error> {
    let email = Email::parse(email)
        .map_err(|_unreadable| Error::Internal("a stored mail address is none".to_owned()))?;
    let folded = email.folded();
    let now = shared.clock.now();
    let begun = match shared.guesses.begin(&Whose::Person(&folded), None, now) {
        Ok(begun) => begun,
        Err(wait) => return Ok(Some(wait.words())),
    };
    let known = shared
        .db
        .read(move |r| users::credentials(r, &folded))
        .await?;
    let hash = known.and_then(|known| known.password_hash);
    let verified = shared.hashing.verify(password.clone(), hash).await?;
    if verified == Verified::No {
        return Ok(Some(WRONG.to_owned()));
    }
    shared.guesses.succeeded(begun);
    Ok(None)
}
