//! What the gate would say to a request with this key, check by check: the one decision, driven one step at a time. It is the
//! same decision as the gate's, so the two cannot disagree; it counts nothing.

mod words;

use std::net::IpAddr;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use latchkey_rules::code::Code;
use latchkey_rules::domain::DomainPattern;
use latchkey_rules::ip_range::IpRange;
use latchkey_rules::limit::{Bounds, LimitName, Taking};
use latchkey_rules::product::{Catalogue, ProductIx, ProductScopes};
use latchkey_rules::verdict::{
    Address, Asked, Caller, Check, Credential, KeyFacts, Machine, Standing, Step, Target,
};
use serde::Deserialize;

use super::{KeyPath, facts};
use crate::store::accounts::{self, AccountFacts};
use crate::store::keys::{self, Key, ProductName};
use crate::store::limits::{self, AccountLimits};
use crate::store::products::{self, Product};
use crate::store::scope::AccountScope;
use crate::web::error::Error;
use crate::web::form::{self, Choice, Field, Fields, Post, Problems};
use crate::web::frame::Frame;
use crate::web::scope::{Member, Viewer};
use crate::web::{Shared, render};

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// A request that is asked about.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ExplainForm {
    url: Field,
    method: Field,
    origin: Field,
    ip: Field,
}

impl Fields for ExplainForm {
    const ONE: &'static [&'static str] = &["url", "method", "origin", "ip"];
}

/// A form in which everything is right.
struct Request {
    host: String,
    path: String,
    method: String,
    origin: Option<String>,
    ip: Option<IpAddr>,
}

impl ExplainForm {
    fn check(&mut self, shared: &Shared) -> Option<Request> {
        let prefix = &shared.secret_prefix;
        let place = self.url.read_public(prefix, place);
        let origin = self
            .origin
            .read_public(prefix, |text| Ok::<_, String>(given(text)));
        let method = self.method.read(|text| {
            let known = METHODS.iter().find(|method| **method == text);
            known
                .map(|method| (*method).to_owned())
                .ok_or("Choose a method.")
        });
        let ip = self.ip.read(|text| match given(text) {
            None => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_no_address| "Type an address such as 203.0.113.7, or leave it empty."),
        });
        let (host, path) = place?;
        Some(Request {
            host,
            path,
            method: method?,
            origin: origin?,
            ip: ip?,
        })
    }
}

fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Host and path of an address. What stands in its query is not asked about.
fn place(text: &str) -> Result<(String, String), &'static str> {
    let text = text.trim();
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let (host, path) = match rest.split_once('/') {
        Some((host, path)) => (host, format!("/{path}")),
        None => (rest, "/".to_owned()),
    };
    let path = path.split(['?', '#']).next().unwrap_or("/").to_owned();
    let host = host.split(['?', '#']).next().unwrap_or_default();
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err("Type the request’s whole address, such as https://api.example.com/maps/1.");
    }
    Ok((host.to_owned(), path))
}

/// One check of the decision.
#[derive(Debug)]
struct CheckRow {
    label: &'static str,
    /// `passed`, `failed` or `left`.
    state: &'static str,
    icon: &'static str,
    says: String,
}

/// What it all comes to.
#[derive(Debug)]
struct Outcome {
    code: &'static str,
    group: &'static str,
    title: &'static str,
    message: String,
    mend: &'static str,
    allowed: bool,
    kind: &'static str,
    checks: Vec<CheckRow>,
}

#[derive(Template)]
#[template(path = "keys/explain.html")]
struct ExplainView {
    frame: Frame,
    title: String,
    problems: Problems,
    keys_href: String,
    href: String,
    key_name: String,
    form: ExplainForm,
    methods: Vec<Choice>,
    outcome: Option<Outcome>,
}

impl ExplainView {
    fn new(
        frame: Frame,
        account: &str,
        key: &Key,
        form: ExplainForm,
        outcome: Option<Outcome>,
    ) -> Self {
        let problems = form::problems(&[
            ("url", &form.url.error),
            ("method", &form.method.error),
            ("origin", &form.origin.error),
            ("ip", &form.ip.error),
        ]);
        Self {
            title: form::title(&format!("Explain {}", key.name), &problems),
            problems,
            keys_href: facts::list_href(account),
            href: facts::href(account, key),
            key_name: key.name.clone(),
            methods: METHODS
                .iter()
                .map(|method| Choice::plain(method, method, &form.method.raw))
                .collect(),
            form,
            outcome,
            frame,
        }
    }
}

/// What the page is made from.
struct Read {
    key: Key,
    account: AccountFacts,
    known: Vec<Product>,
    limits: AccountLimits,
    own: Bounds,
}

async fn read(shared: &Shared, scope: &AccountScope, path: &KeyPath) -> Result<Read, Error> {
    let (scope, key_id) = (scope.clone(), path.key_id()?);
    let read = shared.db.read(move |r| {
        Ok(Read {
            key: keys::get(r, &scope, &key_id)?,
            account: accounts::facts(r, &scope)?,
            known: products::all(r)?,
            limits: limits::of_account(r, &scope)?,
            own: keys::own_bounds(r, &scope, &key_id)?,
        })
    });
    Ok(read.await?)
}

pub(super) async fn new(
    member: Member<Viewer>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let read = read(&shared, &member.scope, &path).await?;
    let form = ExplainForm {
        url: Field::holding(first_address(&read)),
        method: Field::holding("GET"),
        ..ExplainForm::default()
    };
    let slug = member.scope.slug();
    render::ok(&ExplainView::new(frame, slug, &read.key, form, None))
}

/// An address that the key opens, to begin with.
fn first_address(read: &Read) -> String {
    let mut own = read.key.products.iter();
    let place = own.find_map(|own| first_place(own, &read.known));
    place.unwrap_or_default()
}

fn first_place(own: &ProductName, known: &[Product]) -> Option<String> {
    let is_own = |product: &&Product| product.slug.as_str() == own.slug;
    let product = known.iter().find(is_own)?;
    let route = product.routes.first()?;
    let is_part = |slug: &str| own.parts.iter().any(|part| part.slug == slug);
    let parts = product.scopes.iter();
    let parts = parts.filter(|scope| is_part(scope.slug.as_str()));
    let part = parts
        .flat_map(|scope| &scope.prefixes)
        .find(|prefix| route.prefix.holds(prefix.as_str()));
    Some(format!(
        "https://{}{}",
        route.host.to_string().replace('*', "www"),
        part.unwrap_or(&route.prefix)
    ))
}

pub(super) async fn explain(
    post: Post<Member<Viewer>, ExplainForm>,
    path: Path<KeyPath>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, mut form) = (post.scope.scope, post.form);
    let read = read(&shared, &scope, &path).await?;
    let slug = scope.slug();
    let Some(request) = form.check(&shared) else {
        return render::refused(&ExplainView::new(frame, slug, &read.key, form, None));
    };
    let outcome = outcome(&read, &request, &frame)?;
    render::ok(&ExplainView::new(
        frame,
        slug,
        &read.key,
        form,
        Some(outcome),
    ))
}

/// What the decision needs, in its own terms.
struct Terms {
    catalogue: Catalogue,
    products: Vec<ProductIx>,
    scopes: Vec<ProductScopes>,
    domains: Vec<DomainPattern>,
    ips: Vec<IpRange>,
}

impl Terms {
    fn of(read: &Read) -> Result<Self, Error> {
        let key = &read.key;
        let catalogue = Catalogue::build(read.known.iter().map(Product::facts).collect())
            .map_err(|error| Error::Internal(format!("the stored products: {error}")))?;
        let is_own = |product: &Product| {
            let slug = product.slug.as_str();
            key.products.iter().any(|one| one.slug == slug)
        };
        let own = (0_u16..).zip(&read.known);
        let own = own.filter(|(_, product)| is_own(product));
        let own: Vec<ProductIx> = own.map(|(number, _)| ProductIx(number)).collect();
        let scopes = own.iter().filter_map(|ix| scopes(key, *ix, &catalogue));
        let domain = |text: &String| DomainPattern::parse(text).ok().map(|entry| entry.pattern);
        Ok(Self {
            scopes: scopes.collect(),
            catalogue,
            products: own,
            domains: key.domains.iter().filter_map(domain).collect(),
            ips: key
                .ips
                .iter()
                .filter_map(|text| IpRange::parse(text).ok())
                .collect(),
        })
    }

    fn credential(&self, read: &Read, frame: &Frame) -> Credential<'_> {
        let key = &read.key;
        if key.deleted_at.is_some() {
            return Credential::Unknown;
        }
        Credential::Known(KeyFacts {
            secret_ends_at: key.secrets.first().and_then(|secret| secret.retires_at),
            expires_at: key.expires_at,
            standing: standing(key, frame),
            account_suspended: read.account.suspended.is_some(),
            environment: key.environment,
            access: key.access,
            products: &self.products,
            scopes: &self.scopes,
            domains: (!key.domains.is_empty()).then_some(self.domains.as_slice()),
            ips: (!key.ips.is_empty()).then_some(self.ips.as_slice()),
        })
    }
}

/// What the key has of a product, where that is not the whole of it.
fn scopes(key: &Key, ix: ProductIx, catalogue: &Catalogue) -> Option<ProductScopes> {
    let product = catalogue.get(ix)?;
    let own = key.products.iter();
    let own = own.filter(|one| one.slug == product.slug.as_str());
    let slugs: Vec<&str> = own
        .flat_map(|one| &one.parts)
        .map(|part| part.slug.as_str())
        .collect();
    (!slugs.is_empty()).then(|| ProductScopes {
        product: ix,
        scopes: product.scopes_named(&slugs),
    })
}

impl Request {
    fn caller(&self) -> Caller<'_> {
        Caller {
            origin: self.origin.as_deref(),
            address: Address::Is(self.ip),
            ..Caller::NOBODY
        }
    }

    fn asked<'a>(&'a self, caller: &'a Caller<'a>) -> Asked<'a> {
        Asked {
            target: Target::Route {
                host: &self.host,
                path: &self.path,
                slug: None,
            },
            method: &self.method,
            caller,
        }
    }
}

fn outcome(read: &Read, request: &Request, frame: &Frame) -> Result<Outcome, Error> {
    let terms = Terms::of(read)?;
    let caller = request.caller();
    let (credential, asked) = (terms.credential(read, frame), request.asked(&caller));
    let mut machine = Machine::new(&credential, &asked, &terms.catalogue, frame.now());
    let mut passed = Vec::new();
    let (code, failed, message) = loop {
        match machine.step() {
            Step::Passed(check) => passed.push(check),
            Step::Refuse(refusal) => {
                let message = refusal.message.into_owned();
                break (refusal.code, Some(refusal.check), message);
            }
            Step::NeedLimits(_) => machine.resume(taking(read)),
            Step::Allow(_) => break (Code::Valid, None, Code::Valid.message().to_owned()),
        }
    };
    let product = machine.product();
    let product = product.and_then(|product| terms.catalogue.get(product));
    let product = product.map(|product| product.name.as_str());
    let row = |check: &Check| {
        let (state, icon) = match failed {
            Some(failed) if failed == *check => ("failed", "x"),
            _ if passed.contains(check) => ("passed", "check"),
            _ => ("left", "minus"),
        };
        CheckRow {
            label: check.label(),
            state,
            icon,
            says: words::says(*check, read, request, product, frame),
        }
    };
    Ok(Outcome {
        code: code.as_str(),
        group: code.outcome_group().word(),
        title: code.title(),
        message,
        mend: code.mend(),
        allowed: code.is_allow(),
        kind: if code.is_allow() { "ok" } else { "bad" },
        checks: Check::ALL.iter().map(row).collect(),
    })
}

/// What the limits would say now, as far as it is written down: each gate keeps the rates for itself, from moment to moment.
fn taking(read: &Read) -> Taking {
    let per_day = read.limits.plan.per_day;
    if per_day.is_some_and(|per_day| read.limits.used_today >= per_day) {
        return Taking::NotNow(LimitName::Day);
    }
    Taking::Taken
}

fn standing(key: &Key, frame: &Frame) -> Standing {
    match (&key.disabled, key.is_paused(frame.now())) {
        (Some(_), _) => Standing::Disabled,
        (None, true) => Standing::Paused,
        (None, false) => Standing::Enabled,
    }
}
