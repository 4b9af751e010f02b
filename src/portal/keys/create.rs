//! Making a key. Its secret is in the answer to the form itself and nowhere else (T-32): sending the form again makes no
//! second key and shows nothing.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use latchkey_rules::billing::{Tier, default_for};
use latchkey_rules::environment::Environment;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::secret::Secret;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use serde::Deserialize;

use super::secret::{SecretView, Shown, stored};
use super::terms::{self, Asked, KeyForm, NAME_TAKEN, Offered, TermsView};
use super::used::UsedView;
use crate::store::accounts::{self, Member as Colleague};
use crate::store::keys::{self, Key, KeyTerms, NewKey};
use crate::store::products::{self, Product};
use crate::store::scope::AccountScope;
use crate::store::{self, Conflict};
use crate::web::error::Error;
use crate::web::form::{self, Choice, Field, Post, Problems};
use crate::web::frame::Frame;
use crate::web::scope::{Developer, Member};
use crate::web::token::Token;
use crate::web::{Shared, render};

const DELETE_ONE: &str = "Delete one that is not used any more.";

/// The product whose sample request is shown.
fn first_of(key: &Key, known: &[Product]) -> Option<Product> {
    let own = key.own_of(known);
    let first = Product::to_try_first(own.iter());
    first.or_else(|| own.first()).cloned()
}

#[derive(Template)]
#[template(path = "keys/new.html")]
struct NewView {
    frame: Frame,
    title: String,
    problems: Problems,
    cautions: Vec<String>,
    account: String,
    kinds: Vec<Choice>,
    environments: Vec<Choice>,
    terms: TermsView,
}

/// What the page is made from.
struct Read {
    tier: Tier,
    members: Vec<Colleague>,
    known: Vec<Product>,
}

impl NewView {
    fn new(frame: Frame, account: &str, read: &Read, form: KeyForm) -> Self {
        let problems = form.problems();
        let offered = Offered {
            tier: read.tier,
            members: &read.members,
            known: &read.known,
            is_new: true,
        };
        let kind = |one: &KeyKind| Choice {
            small: use_of(*one).to_owned(),
            ..Choice::plain(one.word(), one.label(), &form.kind.raw)
        };
        let environment = |one: &Environment| Choice {
            small: purpose(*one).to_owned(),
            ..Choice::plain(one.word(), one.label(), &form.environment.raw)
        };
        Self {
            frame,
            title: form::title("Create key", &problems),
            problems,
            cautions: Vec::new(),
            account: account.to_owned(),
            kinds: KeyKind::ALL.iter().map(kind).collect(),
            environments: Environment::ALL.iter().map(environment).collect(),
            terms: TermsView::new(form, &offered),
        }
    }
}

const fn use_of(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Server => "Where nobody can look: your back end, a job, a build",
        KeyKind::Browser => "In pages that everybody can read; bound to your sites",
    }
}

const fn purpose(environment: Environment) -> &'static str {
    match environment {
        Environment::Live => "For what your customers use",
        Environment::Staging => "For trying out before that",
        Environment::Test => "For your own machine and for tests",
    }
}

async fn read(shared: &Shared, scope: &AccountScope) -> Result<Read, Error> {
    let scope = scope.clone();
    let read = shared.db.read(move |r| {
        Ok(Read {
            tier: accounts::facts(r, &scope)?.tier,
            members: accounts::people(r, &scope)?,
            known: products::all(r)?,
        })
    });
    Ok(read.await?)
}

/// The key that the new one is made like.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Like {
    like: String,
}

pub(super) async fn new(
    member: Member<Developer>,
    asked: Query<Like>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let read = read(&shared, &member.scope).await?;
    let form_id = Token::generate()?.expose().to_owned();
    if !asked.like.is_empty() {
        let form = like(&shared, &member.scope, &asked.like, form_id).await?;
        return render::ok(&NewView::new(frame, member.scope.slug(), &read, form));
    }
    let form = KeyForm {
        form_id,
        kind: Field::holding(KeyKind::Server.word()),
        environment: Field::holding(Environment::Live.word()),
        billing: Field::holding(default_for(read.tier, false).word()),
        responsible: Field::holding(&member.scope.actor().label),
        ..KeyForm::default()
    };
    render::ok(&NewView::new(frame, member.scope.slug(), &read, form))
}

/// The form filled in as another key is, but for its name.
async fn like(
    shared: &Shared,
    scope: &AccountScope,
    key_id: &str,
    form_id: String,
) -> Result<KeyForm, Error> {
    let id: KeyId = key_id.parse().map_err(|_key_id_error| Error::NotFound)?;
    let scope = scope.clone();
    let key = shared.db.read(move |r| keys::get(r, &scope, &id)).await?;
    let mut form = KeyForm::of(&key);
    form.name.raw = second_name(&key.name);
    key_id.clone_into(&mut form.like);
    form.form_id = form_id;
    form.generation = 0;
    Ok(form)
}

/// `Shop front 2` after `Shop front`, `Shop front 3` after that.
fn second_name(name: &str) -> String {
    let (stem, number) = name.rsplit_once(' ').unwrap_or((name, ""));
    match number.parse::<u32>() {
        Ok(number) => format!("{stem} {}", number.saturating_add(1)),
        Err(_no_number) => format!("{name} 2"),
    }
}

pub(super) async fn create(
    post: Post<Member<Developer>, KeyForm>,
    req: HttpRequest,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, mut form) = (post.scope.scope, post.form);
    if !(16..=64).contains(&form.form_id.len()) {
        let text = "The field \"form_id\" does not come from the page.";
        return Err(Error::BadRequest(text.to_owned()));
    }
    let read = read(&shared, &scope).await?;
    let account = scope.slug().to_owned();
    if form.mend() {
        return render::ok(&NewView::new(frame, &account, &read, form));
    }
    let Some((kind, environment, terms)) = checked(&mut form, &shared, &scope, &read, &frame)
    else {
        return render::refused(&NewView::new(frame, &account, &read, form));
    };
    let confirmed = form.confirm.clone();
    let before = form.expires.raw.clone();
    let cautions = form.cautions(&terms, kind, environment, frame.now());
    if !cautions.is_empty() && confirmed != cautions.len().to_string() {
        let mut view = NewView::new(frame, &account, &read, form);
        view.cautions = cautions;
        return render::ok(&view);
    }
    form.expires.raw = before;
    let (mut new, secret) = draw(&shared, &account, (kind, environment, terms), &form.form_id)?;
    new.replaces = form.like.parse().ok();
    let made = shared.db.change(move |c| keys::create(c, &scope, &new));
    let conflict = match made.await {
        Ok(key) => {
            let shown = Shown {
                account: &account,
                key: &key,
                secret: &secret,
                product: first_of(&key, &read.known),
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
    render::refused(&NewView::new(frame, &account, &read, form))
}

/// What was typed, if all of it is right. Every field is read, so that each says what is wrong with it.
fn checked(
    form: &mut KeyForm,
    shared: &Shared,
    scope: &AccountScope,
    read: &Read,
    frame: &Frame,
) -> Option<(KeyKind, Environment, KeyTerms)> {
    let kind = terms::read_kind(form);
    let environment = terms::read_environment(form);
    let terms = form.check(&Asked {
        shared,
        scope,
        tier: read.tier,
        members: &read.members,
        known: &read.known,
        kind: kind.unwrap_or(KeyKind::Server),
        key: None,
        now: frame.now(),
    });
    Some((kind?, environment?, terms?))
}

/// Draws the key's ID and its secret, from the operating system's randomness.
fn draw(
    shared: &Shared,
    account: &str,
    (kind, environment, terms): (KeyKind, Environment, KeyTerms),
    form_id: &str,
) -> Result<(NewKey, Secret), Error> {
    let mut rng = UnwrapErr(SysRng);
    let secret = Secret::generate(&shared.secret_prefix, environment, &mut rng);
    let key_id = KeyId::generate(&mut rng);
    let new = NewKey {
        secret: stored(shared, account, &key_id, &secret)?,
        key_id,
        kind,
        environment,
        terms,
        form_id: form_id.to_owned(),
        replaces: None,
        keys_per_account: shared.keys_per_account,
    };
    Ok((new, secret))
}
