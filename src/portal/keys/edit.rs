//! Editing a key: everything that its people may change, on one form. What would take something away is said before it is
//! saved, and nobody overwrites what somebody else has changed meanwhile.

mod losses;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use latchkey_rules::billing::Tier;

use super::terms::{Asked, KeyForm, NAME_TAKEN, Offered, TermsView};
use super::{KeyPath, facts};
use crate::store::accounts::{self, Member as Colleague};
use crate::store::keys::{self, Key, ProductName};
use crate::store::products::{self, Product};
use crate::store::scope::AccountScope;
use crate::store::{self, Conflict};
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::form::{self, Post, Problems};
use crate::web::frame::Frame;
use crate::web::scope::{Developer, Member};
use crate::web::{Shared, render};

const CHANGED: &str = "Somebody changed this key in the meantime. What you typed is kept; what it is now stands beside it.";

/// A value that somebody else changed: its name, and what it is now.
struct Theirs {
    field: &'static str,
    now: String,
}

#[derive(Template)]
#[template(path = "keys/edit.html")]
struct EditView {
    frame: Frame,
    title: String,
    problems: Problems,
    changed: Option<&'static str>,
    theirs: Vec<Theirs>,
    losses: Vec<String>,
    keys_href: String,
    href: String,
    key_name: String,
    environment: &'static str,
    environment_label: &'static str,
    terms: TermsView,
    kind: &'static str,
    generation: i64,
}

/// What the page is made from.
struct Read {
    key: Key,
    tier: Tier,
    members: Vec<Colleague>,
    known: Vec<Product>,
}

impl EditView {
    fn new(frame: Frame, account: &str, read: &Read, form: KeyForm) -> Self {
        let key = &read.key;
        let problems = form.problems();
        let offered = Offered {
            tier: read.tier,
            members: &read.members,
            known: &read.known,
            is_new: false,
        };
        Self {
            title: form::title(&format!("Edit {}", key.name), &problems),
            problems,
            changed: None,
            theirs: Vec::new(),
            losses: Vec::new(),
            keys_href: facts::list_href(account),
            href: facts::href(account, key),
            key_name: key.name.clone(),
            environment: key.environment.word(),
            environment_label: key.environment.label(),
            kind: key.kind.label(),
            terms: TermsView::new(form, &offered),
            generation: key.generation,
            frame,
        }
    }

    /// The same after somebody else was quicker: what differs now stands beside what was typed.
    fn with_theirs(mut self, key: &Key) -> Self {
        let (now, typed) = (KeyForm::of(key), &self.terms.form);
        let both = [
            ("Name", &now.name.raw, &typed.name.raw),
            ("Access", &now.access.raw, &typed.access.raw),
            ("Allowed domains", &now.domains.raw, &typed.domains.raw),
            ("Any site", &now.any_site, &typed.any_site),
            ("Allowed IPs", &now.ips.raw, &typed.ips.raw),
            ("Expires", &now.expires.raw, &typed.expires.raw),
            ("Labels", &now.labels.raw, &typed.labels.raw),
            ("Responsible", &now.responsible.raw, &typed.responsible.raw),
            ("Deployed", &now.deployed.raw, &typed.deployed.raw),
            ("Note", &now.note.raw, &typed.note.raw),
        ];
        self.theirs = both
            .into_iter()
            .filter(|(_, now, typed)| **now != typed.replace("\r\n", "\n"))
            .map(|(field, now, _)| Theirs {
                field,
                now: if now.is_empty() {
                    "none".to_owned()
                } else {
                    now.replace('\n', ", ")
                },
            })
            .collect();
        // A form without a choice of billing says nothing of it.
        if !typed.billing.raw.is_empty() && now.billing.raw != typed.billing.raw {
            self.theirs.push(Theirs {
                field: "Billing type",
                now: facts::billing(key.billing),
            });
        }
        if now.products != typed.products || now.scopes != typed.scopes {
            let names: Vec<String> = key.products.iter().map(ProductName::label).collect();
            self.theirs.push(Theirs {
                field: "Products",
                now: names.join(", "),
            });
        }
        self.changed = Some(CHANGED);
        self
    }
}

async fn read(shared: &Shared, scope: &AccountScope, path: &KeyPath) -> Result<Read, Error> {
    let (scope, key_id) = (scope.clone(), path.key_id()?);
    let read = shared.db.read(move |r| {
        Ok(Read {
            key: keys::get(r, &scope, &key_id)?,
            tier: accounts::facts(r, &scope)?.tier,
            members: accounts::people(r, &scope)?,
            known: products::all(r)?,
        })
    });
    let read = read.await?;
    if read.key.deleted_at.is_some() {
        return Err(Error::NotFound);
    }
    Ok(read)
}

pub(super) async fn edit(
    member: Member<Developer>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let read = read(&shared, &member.scope, &path).await?;
    let form = KeyForm::of(&read.key);
    render::ok(&EditView::new(frame, member.scope.slug(), &read, form))
}

pub(super) async fn update(
    post: Post<Member<Developer>, KeyForm>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, mut form) = (post.scope.scope, post.form);
    let found = read(&shared, &scope, &path).await?;
    let account = scope.slug().to_owned();
    if form.mend() {
        return render::ok(&EditView::new(frame, &account, &found, form));
    }
    let asked = Asked {
        shared: &shared,
        scope: &scope,
        tier: found.tier,
        members: &found.members,
        known: &found.known,
        kind: found.key.kind,
        key: Some(&found.key),
        now: frame.now(),
    };
    let Some(new) = form.check(&asked) else {
        return render::refused(&EditView::new(frame, &account, &found, form));
    };
    let losses = losses::of(&found.key, &new, &frame);
    let is_stale = form.generation != found.key.generation;
    if !is_stale && !losses.is_empty() && form.confirm != losses.len().to_string() {
        let mut view = EditView::new(frame, &account, &found, form);
        view.losses = losses;
        return render::ok(&view);
    }
    let (key_id, generation) = (found.key.key_id, form.generation);
    let edited = shared
        .db
        .change(move |c| keys::edit(c, &scope, &key_id, generation, &new));
    match edited.await {
        Ok(()) => {
            let said = Flash::ok("Your changes are saved, and in force within a second.");
            let href = facts::href(&account, &found.key);
            Ok(render::see_other_saying(&shared, &href, &said))
        }
        Err(store::Error::Conflict(Conflict::NameTaken)) => {
            form.name.refuse(&NAME_TAKEN);
            render::refused(&EditView::new(frame, &account, &found, form))
        }
        Err(store::Error::Conflict(Conflict::ProductUnknown { slug })) => {
            form.products_error = Some(format!(
                "There is no product \"{slug}\". Choose from the list."
            ));
            render::refused(&EditView::new(frame, &account, &found, form))
        }
        Err(store::Error::Conflict(Conflict::Stale)) => {
            form.confirm.clear();
            let view = EditView::new(frame, &account, &found, form).with_theirs(&found.key);
            render::page(StatusCode::CONFLICT, &view)
        }
        Err(error) => Err(error.into()),
    }
}
