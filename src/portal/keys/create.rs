//! Making a key. Its secret is in the answer to the form itself and nowhere else (T-32): sending the form again makes no
//! second key and shows nothing.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use latchkey_rules::access::Access;
use latchkey_rules::environment::Environment;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::name::KeyName;
use latchkey_rules::secret::{Prefix, Secret};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use serde::Deserialize;

use super::secret::{SecretView, Shown, stored};
use super::used::UsedView;
use crate::store::keys::{self, NewKey};
use crate::store::products::{self, Product};
use crate::store::{self, Conflict};
use crate::web::error::Error;
use crate::web::form::{self, Choice, Field, Fields, Post, Problems};
use crate::web::frame::Frame;
use crate::web::scope::{Developer, Member};
use crate::web::token::Token;
use crate::web::{Shared, render};

const NAME_TAKEN: &str = "Another key of this account has this name. Choose a different one.";
const DELETE_ONE: &str = "Delete one that is not used any more.";

/// What a person says of a new key.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct KeyForm {
    name: Field,
    kind: String,
    environment: Field,
    products: Vec<String>,
    form_id: String,
    #[serde(skip)]
    products_error: Option<String>,
}

impl Fields for KeyForm {
    const ONE: &'static [&'static str] = &["name", "kind", "environment", "form_id"];
    const MANY: &'static [&'static str] = &["products"];
}

/// A form in which everything is right.
struct Checked {
    name: KeyName,
    environment: Environment,
    products: Vec<String>,
}

impl Checked {
    /// The product whose sample request is shown: the first of the list that was chosen.
    fn first_of(&self, known: &[Product]) -> Option<Product> {
        let chosen = |product: &&Product| {
            self.products
                .iter()
                .any(|slug| slug == product.slug.as_str())
        };
        let first = Product::to_try_first(known.iter().filter(chosen));
        first.or_else(|| known.iter().find(chosen)).cloned()
    }
}

impl KeyForm {
    /// What the page sends by itself is not the person's to mend.
    fn comes_from_the_page(&self) -> Result<(), Error> {
        if KeyKind::from_word(&self.kind) != Some(KeyKind::Server) {
            return Err(Error::BadRequest(
                "The field \"kind\" takes \"server\".".to_owned(),
            ));
        }
        if !(16..=64).contains(&self.form_id.len()) {
            return Err(Error::BadRequest(
                "The field \"form_id\" does not come from the page.".to_owned(),
            ));
        }
        Ok(())
    }

    fn check(&mut self, known: &[Product], prefix: &Prefix) -> Option<Checked> {
        let name = self.name.read_public(prefix, KeyName::parse);
        let environment = self
            .environment
            .read(|word| Environment::from_word(word).ok_or("Choose one of the environments."));
        self.products_error = match self.products.iter().find(|slug| {
            !known
                .iter()
                .any(|product| product.slug.as_str() == slug.as_str())
        }) {
            Some(slug) => Some(format!(
                "There is no product \"{slug}\". Choose from the list."
            )),
            None if self.products.is_empty() => {
                Some("Choose at least one product: without one, the key opens nothing.".to_owned())
            }
            None => None,
        };
        match (name, environment, &self.products_error) {
            (Some(name), Some(environment), None) => Some(Checked {
                name,
                environment,
                products: self.products.clone(),
            }),
            _ => None,
        }
    }
}

#[derive(Template)]
#[template(path = "keys/new.html")]
struct NewView {
    frame: Frame,
    title: String,
    problems: Problems,
    account: String,
    name: Field,
    environments: Vec<Choice>,
    environment_error: Option<String>,
    products: Vec<Choice>,
    products_error: Option<String>,
    form_id: String,
}

impl NewView {
    fn new(frame: Frame, account: &str, known: &[Product], form: KeyForm) -> Self {
        let problems = form::problems(&[
            ("name", &form.name.error),
            ("environment", &form.environment.error),
            ("products", &form.products_error),
        ]);
        Self {
            frame,
            title: form::title("Create key", &problems),
            problems,
            account: account.to_owned(),
            environments: Environment::ALL
                .iter()
                .map(|one| Choice {
                    small: purpose(*one).to_owned(),
                    ..Choice::plain(one.word(), one.label(), &form.environment.raw)
                })
                .collect(),
            environment_error: form.environment.error,
            products: known
                .iter()
                .map(|product| choice(product, &form.products))
                .collect(),
            products_error: form.products_error,
            name: form.name,
            form_id: form.form_id,
        }
    }
}

fn purpose(environment: Environment) -> &'static str {
    match environment {
        Environment::Live => "For what your customers use",
        Environment::Staging => "For trying out before that",
        Environment::Test => "For your own machine and for tests",
    }
}

fn choice(product: &Product, chosen: &[String]) -> Choice {
    let place = product
        .routes
        .first()
        .map(|route| format!("{}{}", route.host, route.prefix))
        .unwrap_or_default();
    Choice {
        value: product.slug.to_string(),
        label: product.name.clone(),
        small: place,
        checked: chosen
            .iter()
            .any(|slug| slug.as_str() == product.slug.as_str()),
    }
}

pub(super) async fn new(
    member: Member<Developer>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let known = shared.db.read(products::all).await?;
    let form = KeyForm {
        form_id: Token::generate()?.expose().to_owned(),
        environment: Field::holding(Environment::Live.word()),
        ..KeyForm::default()
    };
    render::ok(&NewView::new(frame, member.scope.slug(), &known, form))
}

pub(super) async fn create(
    post: Post<Member<Developer>, KeyForm>,
    req: HttpRequest,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, mut form) = (post.scope.scope, post.form);
    form.comes_from_the_page()?;
    let known = shared.db.read(products::all).await?;
    let Some(good) = form.check(&known, &shared.secret_prefix) else {
        return render::refused(&NewView::new(frame, scope.slug(), &known, form));
    };
    let product = good.first_of(&known);
    let (new, secret) = draw(&shared, good, &form.form_id);
    let account = scope.slug().to_owned();
    let made = shared.db.change(move |c| keys::create(c, &scope, &new));
    let conflict = match made.await {
        Ok(key) => {
            let shown = Shown {
                account: &account,
                key: &key,
                secret: &secret,
                product,
                rotated: None,
            };
            return render::private(&req, &SecretView::new(frame, &shared, shown));
        }
        Err(store::Error::Conflict(conflict)) => conflict,
        Err(error) => return Err(error.into()),
    };
    match conflict {
        Conflict::FormUsed { made_at, key_id } => {
            let view = UsedView::of_key(frame, &account, &key_id.to_string(), made_at);
            return render::page(StatusCode::CONFLICT, &view);
        }
        Conflict::NameTaken => form.name.refuse(&NAME_TAKEN),
        Conflict::TooManyKeys { .. } => form.name.refuse(&format!("{conflict} {DELETE_ONE}")),
        other => return Err(store::Error::from(other).into()),
    }
    render::refused(&NewView::new(frame, &account, &known, form))
}

/// Draws the key's ID and its secret, from the operating system's randomness.
fn draw(shared: &Shared, good: Checked, form_id: &str) -> (NewKey, Secret) {
    let mut rng = UnwrapErr(SysRng);
    let secret = Secret::generate(&shared.secret_prefix, good.environment, &mut rng);
    let new = NewKey {
        key_id: KeyId::generate(&mut rng),
        name: good.name,
        kind: KeyKind::Server,
        environment: good.environment,
        access: Access::Write,
        products: good.products,
        secret: stored(&secret, &shared.secret_prefix),
        form_id: form_id.to_owned(),
        keys_per_account: shared.keys_per_account,
        billing: None,
        note: String::new(),
        expires_at: None,
    };
    (new, secret)
}
