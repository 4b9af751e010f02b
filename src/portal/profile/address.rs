//! Another mail address: in use once the link that is sent to it was followed, or at once where no mail is sent. Whether the
//! address is somebody else's is told to them alone (T-05).

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use latchkey_rules::email::Email;
use latchkey_rules::mail::MailKind;
use serde::Deserialize;

use super::{done, wrong_password};
use crate::store::{self, Conflict, confirmations, users};
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::form::{self, Field, Fields, Post, Problems};
use crate::web::frame::Frame;
use crate::web::password::Password;
use crate::web::scope::SignedIn;
use crate::web::{Shared, render};

crate::routes! {
    GET "/profile/email" SignedIn => new;
    POST "/profile/email" SignedIn => update;
}

const TAKEN: &str = "This address cannot be used. If it is yours, ask support.";

/// The new address, and the password.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AddressForm {
    email: Field,
    password: Password,
}

impl Fields for AddressForm {
    const ONE: &'static [&'static str] = &["email", "password"];
}

#[derive(Template)]
#[template(path = "profile/email.html")]
struct AddressView {
    frame: Frame,
    title: String,
    problems: Problems,
    now: String,
    email: Field,
    password_error: Option<String>,
    hint: &'static str,
}

impl AddressView {
    fn new(
        frame: Frame,
        shared: &Shared,
        now: &str,
        email: Field,
        password_error: Option<String>,
    ) -> Self {
        let problems = form::problems(&[("email", &email.error), ("password", &password_error)]);
        Self {
            frame,
            title: form::title("Change mail address", &problems),
            problems,
            now: now.to_owned(),
            email,
            password_error,
            hint: match shared.mail {
                Some(_) => "A link is sent to it. Until you follow that, nothing changes.",
                None => "",
            },
        }
    }
}

async fn new(scope: SignedIn, frame: Frame, shared: Data<Shared>) -> Result<HttpResponse, Error> {
    let now = &scope.visitor.person.email;
    render::ok(&AddressView::new(
        frame,
        &shared,
        now,
        Field::default(),
        None,
    ))
}

async fn update(
    post: Post<SignedIn, AddressForm>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (visitor, request) = (post.scope.visitor, post.scope.facts);
    let mut form = post.form;
    let email = form.email.read(Email::parse);
    let wrong = wrong_password(&shared, &visitor.person.email, &form.password).await?;
    let now = &visitor.person.email;
    let (Some(email), None) = (email, &wrong) else {
        return render::refused(&AddressView::new(frame, &shared, now, form.email, wrong));
    };
    let handle = visitor.person.handle();
    if let Some(links) = &shared.mail {
        let said = format!(
            "A mail is on its way to {}. Follow its link within 24 hours; until then you sign in as before.",
            email.as_str()
        );
        if links.may_ask(&email, shared.clock.now()) {
            let link = links.draw(MailKind::ConfirmAddress, &email)?;
            shared
                .db
                .write(move |w| confirmations::ask_address(w, &handle, &email, &link))
                .await?;
        }
        return Ok(render::see_other_saying(
            &shared,
            "/profile",
            &Flash::info(said),
        ));
    }
    let changed = shared
        .db
        .change(move |c| users::change_email(c, &handle, &email, request));
    match changed.await {
        Ok(()) => Ok(done(&shared, "Your mail address is changed.")),
        Err(store::Error::Conflict(Conflict::EmailTaken)) => {
            form.email.refuse(&TAKEN);
            render::refused(&AddressView::new(frame, &shared, now, form.email, None))
        }
        Err(error) => Err(error.into()),
    }
}
