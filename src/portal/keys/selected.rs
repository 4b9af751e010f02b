//! Several keys at once: deleted, or made good for one more product. A page says which they are before anything happens.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use latchkey_rules::key_id::KeyId;
use serde::Deserialize;

use super::facts::{self, Row};
use crate::store::keys::{self, Key, PAGE_AT_MOST};
use crate::store::products::{self, Product};
use crate::store::scope::AccountScope;
use crate::store::{self, Conflict};
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::form::{self, Choice, Field, Fields, Post, Problems};
use crate::web::format::counted;
use crate::web::frame::Frame;
use crate::web::scope::{Developer, Member};
use crate::web::{Shared, render};

/// Which keys, and what is to become of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SelectedForm {
    key: Vec<String>,
    #[serde(rename = "do")]
    what: String,
    product: Field,
    typed: Field,
}

impl Fields for SelectedForm {
    const ONE: &'static [&'static str] = &["do", "product", "typed"];
    const MANY: &'static [&'static str] = &["key"];
}

/// What becomes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Delete,
    AddProduct,
}

impl SelectedForm {
    fn deed(&self) -> Result<Deed, Error> {
        match self.what.as_str() {
            "delete" => Ok(Deed::Delete),
            "add" => Ok(Deed::AddProduct),
            _ => Err(Error::BadRequest(
                "The field \"do\" takes \"delete\" or \"add\".".to_owned(),
            )),
        }
    }

    /// As many as a page of the list has, each a key ID.
    fn ids(&self) -> Result<Vec<KeyId>, Error> {
        if self.key.len() > PAGE_AT_MOST {
            let text = format!("At most {PAGE_AT_MOST} keys can be chosen at once.");
            return Err(Error::BadRequest(text));
        }
        let read = |text: &String| text.parse().map_err(|_key_id_error| Error::NotFound);
        self.key.iter().map(read).collect()
    }
}

#[derive(Template)]
#[template(path = "keys/selected.html")]
struct SelectedView {
    frame: Frame,
    title: String,
    problems: Problems,
    keys_href: String,
    rows: Vec<Row>,
    deletes: bool,
    what: String,
    /// `delete 3 keys`.
    phrase: String,
    products: Vec<Choice>,
    product_error: Option<String>,
    typed: Field,
}

/// What the page is made from.
struct Read {
    keys: Vec<Key>,
    known: Vec<Product>,
}

impl SelectedView {
    fn new(frame: Frame, account: &str, read: &Read, form: SelectedForm, deed: Deed) -> Self {
        let problems = form::problems(&[
            ("product", &form.product.error),
            ("typed", &form.typed.error),
        ]);
        let several = counted(read.keys.len(), "key", "keys");
        let title = match deed {
            Deed::Delete => format!("Delete {several}"),
            Deed::AddProduct => format!("Add a product to {several}"),
        };
        let choice = |product: &Product| {
            Choice::plain(product.slug.as_str(), &product.name, &form.product.raw)
        };
        Self {
            title: form::title(&title, &problems),
            problems,
            keys_href: facts::list_href(account),
            rows: read
                .keys
                .iter()
                .map(|key| Row::of(account, key, &frame))
                .collect(),
            deletes: deed == Deed::Delete,
            phrase: phrase(&read.keys),
            products: read.known.iter().map(choice).collect(),
            product_error: form.product.error,
            what: form.what,
            typed: form.typed,
            frame,
        }
    }
}

fn phrase(keys: &[Key]) -> String {
    format!("delete {}", counted(keys.len(), "key", "keys"))
}

async fn read(shared: &Shared, scope: &AccountScope, form: &SelectedForm) -> Result<Read, Error> {
    let (scope, ids) = (scope.clone(), form.ids()?);
    let count = ids.len();
    let read = shared.db.read(move |r| {
        Ok(Read {
            keys: keys::these(r, &scope, &ids)?,
            known: products::all(r)?,
        })
    });
    let read = read.await?;
    // One of them is another account's, or gone: nothing is done to the others unseen.
    if read.keys.len() != count {
        return Err(Error::NotFound);
    }
    Ok(read)
}

fn nothing_chosen(shared: &Shared, account: &str) -> HttpResponse {
    let said = Flash::info("No key was chosen. Tick those that are meant, then press again.");
    render::see_other_saying(shared, &facts::list_href(account), &said)
}

pub(super) async fn confirm(
    member: Member<Developer>,
    req: HttpRequest,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let form: SelectedForm = form::of_query(&req)?;
    let slug = member.scope.slug();
    if form.key.is_empty() {
        return Ok(nothing_chosen(&shared, slug));
    }
    let deed = form.deed()?;
    let read = read(&shared, &member.scope, &form).await?;
    render::ok(&SelectedView::new(frame, slug, &read, form, deed))
}

pub(super) async fn apply(
    post: Post<Member<Developer>, SelectedForm>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, mut form) = (post.scope.scope, post.form);
    let account = scope.slug().to_owned();
    if form.key.is_empty() {
        return Ok(nothing_chosen(&shared, &account));
    }
    let deed = form.deed()?;
    let read = read(&shared, &scope, &form).await?;
    let said = match deed {
        Deed::Delete if form.typed.raw.trim() == phrase(&read.keys) => {
            delete(&shared, scope, form.ids()?).await?
        }
        Deed::Delete => {
            let wanted = format!("Type \"{}\" exactly.", phrase(&read.keys));
            form.typed.refuse(&wanted);
            return render::refused(&SelectedView::new(frame, &account, &read, form, deed));
        }
        Deed::AddProduct => {
            let Some(said) = add(&shared, scope, &form).await? else {
                form.product.refuse(&"Choose one of the products.");
                return render::refused(&SelectedView::new(frame, &account, &read, form, deed));
            };
            said
        }
    };
    let list = facts::list_href(&account);
    Ok(render::see_other_saying(&shared, &list, &Flash::ok(said)))
}

async fn delete(
    shared: &Shared,
    scope: std::sync::Arc<AccountScope>,
    ids: Vec<KeyId>,
) -> Result<String, Error> {
    let several = counted(ids.len(), "key is", "keys are");
    let deleted = shared.db.change(move |c| {
        ids.iter()
            .try_for_each(|key_id| keys::delete(c, &scope, key_id))
    });
    deleted.await?;
    Ok(format!(
        "{several} deleted. Their requests are refused from now on. For 60 minutes each can be restored on its page."
    ))
}

/// What was done; nothing when there is no such product.
async fn add(
    shared: &Shared,
    scope: std::sync::Arc<AccountScope>,
    form: &SelectedForm,
) -> Result<Option<String>, Error> {
    let (ids, slug) = (form.ids()?, form.product.raw.clone());
    let added = shared.db.change(move |c| {
        let mut count = 0;
        for key_id in &ids {
            count += usize::from(keys::add_product(c, &scope, key_id, &slug)?);
        }
        Ok(count)
    });
    match added.await {
        Ok(0) => Ok(Some("They were good for it already.".to_owned())),
        Ok(count) => Ok(Some(format!(
            "{} good for it from now on.",
            counted(count, "key is", "keys are")
        ))),
        Err(store::Error::Conflict(Conflict::ProductUnknown { .. })) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
