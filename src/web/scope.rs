//! Rights as types: a handler that takes one of these is only reached by people who have it. The store builds the scopes;
//! nothing else can.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use latchkey_rules::role::{Role, StaffRole};

use crate::store::scope::{self, AccountScope, RequestFacts, StaffScope};
use crate::web::Shared;
use crate::web::context::Context;
use crate::web::error::Error;
use crate::web::visitor::Visitor;

/// Everybody, signed in or not.
#[derive(Clone, Debug)]
pub struct Anyone {
    /// Who is signed in, if somebody is.
    pub visitor: Option<Rc<Visitor>>,
    facts: RequestFacts,
}

impl Anyone {
    /// What the audit log keeps of the request.
    pub fn facts(&self) -> RequestFacts {
        self.facts.clone()
    }
}

/// Everybody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub visitor: Rc<Visitor>,
    /// From where.
    pub facts: RequestFacts,
}

/// A role in an account.
pub trait AtLeast: 'static {
    /// The lowest role that suffices.
    const ROLE: Role;
}

/// A staff role.
pub trait StaffAtLeast: 'static {
    /// The lowest role that suffices.
    const ROLE: StaffRole;
}

/// Looks.
#[derive(Debug)]
pub struct Viewer;
/// Changes keys.
#[derive(Debug)]
pub struct Developer;
/// Changes the account.
#[derive(Debug)]
pub struct Owner;
/// Looks and explains, changes nothing.
#[derive(Debug)]
pub struct Support;
/// Has all staff pages.
#[derive(Debug)]
pub struct Admin;

impl AtLeast for Viewer {
    const ROLE: Role = Role::Viewer;
}
impl AtLeast for Developer {
    const ROLE: Role = Role::Developer;
}
impl AtLeast for Owner {
    const ROLE: Role = Role::Owner;
}
impl StaffAtLeast for Support {
    const ROLE: StaffRole = StaffRole::Support;
}
impl StaffAtLeast for Admin {
    const ROLE: StaffRole = StaffRole::Admin;
}

/// A member of the account in the path, with at least that role.
#[derive(Debug)]
pub struct Member<R: AtLeast> {
    /// What the store's functions ask for.
    pub scope: Arc<AccountScope>,
    role: PhantomData<R>,
}

/// A member of staff, with at least that role.
#[derive(Debug)]
pub struct Staff<R: StaffAtLeast> {
    /// What the store's functions ask for.
    pub scope: Arc<StaffScope>,
    role: PhantomData<R>,
}

fn context(req: &HttpRequest) -> Result<Rc<Context>, Error> {
    Context::of(req).ok_or_else(|| Error::Internal("a request came past the rim".to_owned()))
}

fn visitor(context: &Context) -> Result<Rc<Visitor>, Error> {
    context
        .visitor()
        .ok_or_else(|| Error::SignInFirst(context.here.clone()))
}

fn facts(context: &Context) -> RequestFacts {
    RequestFacts {
        ip: context.ip,
        request_id: context.id.to_string(),
    }
}

impl FromRequest for Anyone {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(context(req).map(|context| Self {
            visitor: context.visitor(),
            facts: facts(&context),
        }))
    }
}

impl FromRequest for SignedIn {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(context(req).and_then(|context| {
            Ok(Self {
                visitor: visitor(&context)?,
                facts: facts(&context),
            })
        }))
    }
}

impl<R: AtLeast> FromRequest for Member<R> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let context = context(req);
        let slug = req
            .match_info()
            .get("account")
            .unwrap_or_default()
            .to_owned();
        let shared = req.app_data::<Data<Shared>>().cloned();
        Box::pin(async move {
            let context = context?;
            let person = visitor(&context)?.person.clone();
            let facts = facts(&context);
            let shared =
                shared.ok_or_else(|| Error::Internal("a request came past the rim".to_owned()))?;
            let scope = shared
                .db
                .read(move |r| scope::account(r, &person, &slug, R::ROLE, facts))
                .await?;
            Ok(Self {
                scope: Arc::new(scope),
                role: PhantomData,
            })
        })
    }
}

impl<R: StaffAtLeast> FromRequest for Staff<R> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = context(req).and_then(|context| {
            let visitor = visitor(&context)?;
            let scope = scope::staff(&visitor.person, R::ROLE, facts(&context))?;
            Ok(Self {
                scope: Arc::new(scope),
                role: PhantomData,
            })
        });
        ready(found)
    }
}
