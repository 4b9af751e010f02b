//! Finding a key by what a customer gives: its ID, or a secret that reached support. The search changes nothing, and is a
//! POST so that a pasted secret stands in no address.

use actix_web::{HttpResponse, web::Data};
use askama::Template;
use latchkey_rules::{environment::Environment, key_id::KeyId, secret};
use serde::Deserialize;

use super::pasted::{Meaning, Pasted};
use crate::store::{self, keys};
use crate::web::{
    Shared,
    error::Error,
    form::{self, Field, Fields, Post, Problems},
    frame::Frame,
    render,
    scope::{Staff, Support},
};

/// What is looked up.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LookUpForm {
    q: Pasted,
}

impl Fields for LookUpForm {
    const ONE: &'static [&'static str] = &["q"];
}

#[derive(Template)]
#[template(path = "staff/look_up.html")]
struct LookUpView {
    frame: Frame,
    title: String,
    problems: Problems,
    q: Field,
    secret_shape: String,
}

impl LookUpView {
    fn new(frame: Frame, shared: &Shared, q: Field) -> Self {
        let problems = form::problems(&[("q", &q.error)]);
        Self {
            frame,
            title: form::title("Look up a key · Staff", &problems),
            problems,
            q,
            secret_shape: secret::shown(&shared.secret_prefix, Environment::Live, ""),
        }
    }
}

pub(crate) async fn new(
    _scope: Staff<Support>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    render::ok(&LookUpView::new(frame, &shared, Field::default()))
}

pub(crate) async fn look_up(
    post: Post<Staff<Support>, LookUpForm>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let meaning = post.form.q.meaning(&shared.secret_prefix);
    let refusal = match meaning {
        Meaning::KeyId(id) => match find(&shared, &post.scope, Wanted::Id(id)).await? {
            Some(id) => return Ok(to(id)),
            None => {
                format!("No key has the ID {id}. It is mistyped, or the key was deleted for good.")
            }
        },
        Meaning::Secret(digest) => {
            let wanted = Wanted::Digest(*digest.as_bytes());
            match find(&shared, &post.scope, wanted).await? {
                Some(id) => return Ok(to(id)),
                None => "No key has this secret. It was made by another installation, or its key was deleted for good.".to_owned(),
            }
        }
        other => refusal(&other),
    };
    let mut q = Field::holding(post.form.q.to_show(&shared.secret_prefix));
    q.refuse(&refusal);
    render::refused(&LookUpView::new(frame, &shared, q))
}

enum Wanted {
    Id(KeyId),
    Digest([u8; 32]),
}

async fn find(
    shared: &Shared,
    staff: &Staff<Support>,
    wanted: Wanted,
) -> Result<Option<KeyId>, Error> {
    let scope = staff.scope.clone();
    let found = shared.db.read(move |r| match wanted {
        Wanted::Id(id) => keys::find(r, &scope, &id).map(|found| found.key.key_id),
        Wanted::Digest(digest) => keys::find_by_digest(r, &scope, &digest),
    });
    match found.await {
        Ok(id) => Ok(Some(id)),
        Err(store::Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn to(id: KeyId) -> HttpResponse {
    render::see_other(&format!("/staff/keys/{id}"))
}

/// Why a text is no key ID and no secret. The text itself is not part of it.
fn refusal(meaning: &Meaning) -> String {
    match meaning {
        Meaning::Nothing => "Enter a key ID or a secret.".to_owned(),
        Meaning::NoKeyId { characters: 16 } => {
            "A key ID has only the letters a to z and the digits 2 to 7 behind key_. Copy it again from the key’s page.".to_owned()
        }
        Meaning::NoKeyId { characters } => format!(
            "A key ID has 16 characters behind key_, this has {characters}. Ask for the whole ID."
        ),
        Meaning::NoSecret => "This is not a complete secret: part of it is missing or was changed. Ask for the key ID instead.".to_owned(),
        _ => "This is neither a key ID nor a secret. A key ID is key_ and 16 characters.".to_owned(),
    }
}
