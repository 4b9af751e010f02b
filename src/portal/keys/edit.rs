//! Editing a key: everything that its people may change, on one form. What would take something away is said before it is
//! saved, and nobody overwrites what somebody else has changed meanwhile.

mod entries;
mod losses;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use latchkey_rules::access::Access;
use latchkey_rules::domain::DomainPattern;
use latchkey_rules::ip_range::IpRange;
use latchkey_rules::name::KeyName;
use latchkey_rules::role::Role;
use latchkey_rules::time::{DAY_MS, Millis};
use serde::Deserialize;

use super::{KeyPath, facts};
use crate::store::keys::{self, Key, KeyEdit};
use crate::store::products::{self, Product};
use crate::store::scope::AccountScope;
use crate::store::{self, Conflict};
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::form::{self, Choice, Field, Fields, Post, Problems};
use crate::web::frame::Frame;
use crate::web::scope::{Developer, Member};
use crate::web::{Shared, render};
use entries::{Entries, EntryView, Kind};

const NAME_TAKEN: &str = "Another key of this account has this name. Choose a different one.";
const CHANGED: &str = "Somebody changed this key in the meantime. What you typed is kept; what it is now stands beside it.";
const LONGEST_NOTE: usize = 2_000;

const DOMAINS: Kind<DomainPattern> = Kind {
    list: "Allowed domains",
    read: |text| {
        let entry = DomainPattern::parse(text).map_err(|wrong| wrong.to_string())?;
        let words = entry.pattern.in_words();
        let says = if entry.was_cut {
            format!("{words}; what came after the host was left away")
        } else {
            words
        };
        Ok((entry.pattern, says))
    },
    includes: DomainPattern::includes,
};

const IPS: Kind<IpRange> = Kind {
    list: "Allowed IPs",
    read: |text| {
        let range = IpRange::parse(text).map_err(|wrong| wrong.to_string())?;
        Ok((range, range.in_words()))
    },
    includes: IpRange::includes,
};

/// What a person wants a key to be.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EditForm {
    name: Field,
    access: Field,
    products: Vec<String>,
    domains: Field,
    ips: Field,
    expires: Field,
    note: Field,
    generation: i64,
    /// How many losses were read and accepted.
    confirm: String,
    #[serde(skip)]
    products_error: Option<String>,
}

impl Fields for EditForm {
    const ONE: &'static [&'static str] = &[
        "name",
        "access",
        "domains",
        "ips",
        "expires",
        "note",
        "generation",
        "confirm",
    ];
    const MANY: &'static [&'static str] = &["products"];
}

impl EditForm {
    fn of(key: &Key) -> Self {
        let date = key.expires_at.map(last_day).unwrap_or_default();
        Self {
            name: Field::holding(&key.name),
            access: Field::holding(key.access.word()),
            products: key.products.iter().map(|one| one.slug.clone()).collect(),
            domains: Field::holding(key.domains.join("\n")),
            ips: Field::holding(key.ips.join("\n")),
            expires: Field::holding(date),
            note: Field::holding(&key.note),
            generation: key.generation,
            ..Self::default()
        }
    }

    fn check(&mut self, asked: &Asked<'_>) -> Option<KeyEdit> {
        let prefix = &asked.shared.secret_prefix;
        let name = self.name.read_public(prefix, KeyName::parse);
        let access = self.access.read(|word| may_have(word, asked));
        let domains = list(&mut self.domains, &DOMAINS);
        let ips = list(&mut self.ips, &IPS);
        let expires_at = self.expires.read(|text| end_of(text, asked));
        let note = self.note.read_public(prefix, note);
        self.products_error = if self.products.is_empty() {
            Some("Choose at least one product: without one, the key opens nothing.".to_owned())
        } else {
            None
        };
        Some(KeyEdit {
            name: name?,
            access: access?,
            products: self
                .products_error
                .is_none()
                .then(|| self.products.clone())?,
            domains: domains?,
            ips: ips?,
            expires_at: expires_at?,
            note: note?,
        })
    }
}

/// What a form is checked against.
struct Asked<'a> {
    shared: &'a Shared,
    scope: &'a AccountScope,
    key: &'a Key,
    now: Millis,
}

fn may_have(word: &str, asked: &Asked<'_>) -> Result<Access, &'static str> {
    let access = Access::from_word(word).ok_or("Choose what the key may do.")?;
    let is_more = access == Access::Admin && asked.key.access != Access::Admin;
    if is_more && asked.scope.role() < Role::Owner {
        return Err("Only an owner of the account can give a key the access Admin.");
    }
    Ok(access)
}

fn list<T: ToString>(field: &mut Field, kind: &Kind<T>) -> Option<Vec<T>> {
    let Entries { read, error, .. } = entries::entries(&field.raw, kind);
    field.error = error;
    field.error.is_none().then_some(read)
}

fn note(text: &str) -> Result<String, String> {
    let text = text.trim().replace("\r\n", "\n");
    let length = text.chars().count();
    if length > LONGEST_NOTE {
        return Err(format!(
            "The note has {length} characters; it may have {LONGEST_NOTE}."
        ));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err("The note holds a character that cannot be shown. Type it anew.".to_owned());
    }
    Ok(text)
}

/// The UTC day at whose end a key expires, as a date field has it.
fn last_day(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0 - 1)
        .map(|at| at.strftime("%Y-%m-%d").to_string())
        .unwrap_or_default()
}

/// The end of a UTC day. The day that stands there already is kept as exactly as it is.
fn end_of(text: &str, asked: &Asked<'_>) -> Result<Option<Millis>, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if asked.key.expires_at.map(last_day).as_deref() == Some(text) {
        return Ok(asked.key.expires_at);
    }
    let date: jiff::civil::Date = text
        .parse()
        .map_err(|_no_date| "Type a date such as 2027-03-31, or leave it empty for never.")?;
    let begin = date
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|_out_of_range| "This date is too far away.")?;
    let end = Millis(begin.timestamp().as_millisecond()).plus_ms(DAY_MS);
    if end <= asked.now {
        return Err("This day is over. Choose today or a later day, or leave it empty for never.");
    }
    Ok(Some(end))
}

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
    form: EditForm,
    access: Vec<Choice>,
    products: Vec<Choice>,
    domain_entries: Vec<EntryView>,
    ip_entries: Vec<EntryView>,
    generation: i64,
}

/// What the page is made from.
struct Read {
    key: Key,
    known: Vec<Product>,
}

impl EditView {
    fn new(frame: Frame, account: &str, read: &Read, form: EditForm) -> Self {
        let key = &read.key;
        let problems = form::problems(&[
            ("name", &form.name.error),
            ("products", &form.products_error),
            ("access", &form.access.error),
            ("domains", &form.domains.error),
            ("ips", &form.ips.error),
            ("expires", &form.expires.error),
            ("note", &form.note.error),
        ]);
        let choice = |product: &Product| Choice {
            checked: form
                .products
                .iter()
                .any(|slug| slug == product.slug.as_str()),
            ..Choice::plain(product.slug.as_str(), &product.name, "")
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
            access: Access::ALL
                .iter()
                .map(|access| Choice {
                    small: allows(*access).to_owned(),
                    ..Choice::plain(access.word(), access.label(), &form.access.raw)
                })
                .collect(),
            products: read.known.iter().map(choice).collect(),
            domain_entries: entries::entries(&form.domains.raw, &DOMAINS).views,
            ip_entries: entries::entries(&form.ips.raw, &IPS).views,
            generation: key.generation,
            form,
            frame,
        }
    }

    /// The same after somebody else was quicker: what differs now stands beside what was typed.
    fn with_theirs(mut self, key: &Key) -> Self {
        let now = EditForm::of(key);
        let both = [
            ("Name", &now.name.raw, &self.form.name.raw),
            ("Access", &now.access.raw, &self.form.access.raw),
            ("Allowed domains", &now.domains.raw, &self.form.domains.raw),
            ("Allowed IPs", &now.ips.raw, &self.form.ips.raw),
            ("Expires", &now.expires.raw, &self.form.expires.raw),
            ("Note", &now.note.raw, &self.form.note.raw),
        ];
        self.theirs = both
            .into_iter()
            .filter(|(_, now, typed)| *now != &typed.replace("\r\n", "\n"))
            .map(|(field, now, _)| Theirs {
                field,
                now: if now.is_empty() {
                    "none".to_owned()
                } else {
                    now.replace('\n', ", ")
                },
            })
            .collect();
        if now.products != self.form.products {
            let names: Vec<&str> = key.products.iter().map(|one| one.name.as_str()).collect();
            self.theirs.push(Theirs {
                field: "Products",
                now: names.join(", "),
            });
        }
        self.changed = Some(CHANGED);
        self
    }
}

const fn allows(access: Access) -> &'static str {
    match access {
        Access::Read => "GET, HEAD and OPTIONS",
        Access::Write => "Also POST, PUT, PATCH and DELETE",
        Access::Admin => "Also other methods and administrative paths",
    }
}

async fn read(shared: &Shared, scope: &AccountScope, path: &KeyPath) -> Result<Read, Error> {
    let (scope, key_id) = (scope.clone(), path.key_id()?);
    let read = shared.db.read(move |r| {
        Ok(Read {
            key: keys::get(r, &scope, &key_id)?,
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
    let form = EditForm::of(&read.key);
    render::ok(&EditView::new(frame, member.scope.slug(), &read, form))
}

pub(super) async fn update(
    post: Post<Member<Developer>, EditForm>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, mut form) = (post.scope.scope, post.form);
    let found = read(&shared, &scope, &path).await?;
    let account = scope.slug().to_owned();
    let asked = Asked {
        shared: &shared,
        scope: &scope,
        key: &found.key,
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
