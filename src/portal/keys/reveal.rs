//! A secret shown again, where that may be: a browser key's to each of its people, a server key's to those who may rotate it,
//! with their password (T-30). It stands in the audit log before it is shown.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::role::Role;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{KeyPath, facts, read_key};
use crate::portal::profile::wrong_password;
use crate::store::keys::{self, Key, Revealed, sealed_about};
use crate::store::scope::AccountScope;
use crate::store::{self, Conflict};
use crate::web::error::Error;
use crate::web::form::{self, Fields, Post, Problems};
use crate::web::frame::Frame;
use crate::web::password::Password;
use crate::web::scope::{Member, Viewer};
use crate::web::{Shared, render};

/// So many secrets a person may have shown within an hour, in each account.
const MOST_PER_HOUR: i64 = 20;

/// The password, which a server key's secret asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RevealForm {
    password: Password,
}

impl Fields for RevealForm {
    const ONE: &'static [&'static str] = &["password"];
}

#[derive(Template)]
#[template(path = "keys/reveal.html")]
struct RevealView {
    frame: Frame,
    title: String,
    problems: Problems,
    keys_href: String,
    href: String,
    name: String,
    shown: String,
    asks_password: bool,
    password_error: Option<String>,
}

impl RevealView {
    fn new(frame: Frame, account: &str, key: &Key, password_error: Option<String>) -> Self {
        let problems = form::problems(&[("password", &password_error)]);
        Self {
            frame,
            title: form::title(&format!("Show the secret of {}", key.name), &problems),
            problems,
            keys_href: facts::list_href(account),
            href: facts::href(account, key),
            name: key.name.clone(),
            shown: newest(key),
            asks_password: key.kind == KeyKind::Server,
            password_error,
        }
    }
}

#[derive(Template)]
#[template(path = "keys/revealed.html")]
struct RevealedView {
    frame: Frame,
    keys_href: String,
    href: String,
    name: String,
    secret: Zeroizing<String>,
    is_public: bool,
}

fn newest(key: &Key) -> String {
    let secret = key.secrets.first();
    secret.map_or_else(String::new, |secret| facts::shown(key, secret))
}

/// Whether this person may have the key's secret shown.
pub(super) fn may(scope: &AccountScope, key: &Key) -> bool {
    let can = key.deleted_at.is_none() && key.secrets.first().is_some_and(|one| one.is_recoverable);
    can && (key.kind == KeyKind::Browser || scope.role() >= Role::Developer)
}

/// Of what cannot be shown there is no page; who may not see it is told so.
fn check(scope: &AccountScope, key: &Key) -> Result<(), Error> {
    let can = key.secrets.first().is_some_and(|one| one.is_recoverable);
    if !can || key.deleted_at.is_some() {
        return Err(Error::NotFound);
    }
    if may(scope, key) {
        Ok(())
    } else {
        Err(Error::Forbidden)
    }
}

pub(super) async fn confirm(
    member: Member<Viewer>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let key = read_key(&shared, &member.scope, &path).await?;
    check(&member.scope, &key)?;
    render::ok(&RevealView::new(frame, member.scope.slug(), &key, None))
}

pub(super) async fn reveal(
    post: Post<Member<Viewer>, RevealForm>,
    path: Path<KeyPath>,
    req: HttpRequest,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let scope = post.scope.scope;
    let key = read_key(&shared, &scope, &path).await?;
    check(&scope, &key)?;
    let account = scope.slug().to_owned();
    if key.kind == KeyKind::Server {
        let email = &scope.actor().label;
        if let Some(wrong) = wrong_password(&shared, email, &post.form.password).await? {
            return render::refused(&RevealView::new(frame, &account, &key, Some(wrong)));
        }
    }
    let key_id = key.key_id;
    let taken = shared
        .db
        .change(move |c| keys::reveal(c, &scope, &key_id, MOST_PER_HOUR));
    let revealed = match taken.await {
        Ok(revealed) => revealed,
        Err(store::Error::Conflict(conflict @ Conflict::TooManyReveals)) => {
            let view = RevealView::new(frame, &account, &key, Some(conflict.to_string()));
            return render::page(StatusCode::TOO_MANY_REQUESTS, &view);
        }
        Err(error) => return Err(error.into()),
    };
    let view = RevealedView {
        frame,
        keys_href: facts::list_href(&account),
        href: facts::href(&account, &key),
        name: key.name.clone(),
        secret: opened(&shared, &account, &key, &revealed)?,
        is_public: key.kind == KeyKind::Browser,
    };
    render::private(&req, &view)
}

fn opened(
    shared: &Shared,
    account: &str,
    key: &Key,
    revealed: &Revealed,
) -> Result<Zeroizing<String>, Error> {
    let about = sealed_about(account, &key.key_id, &revealed.digest);
    let opened = shared.secret_seal.open(&about, &revealed.bytes);
    opened.map_err(|error| Error::Internal(format!("a sealed secret: {error}")))
}
