//! Who is signed in, read once for each request. It grants nothing: rights are `scope`'s.

use std::rc::Rc;

use actix_session::SessionExt;
use actix_web::HttpMessage;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::store::accounts::{self, AccountLink};
use crate::store::users::{self, Person};
use crate::web::context::{Context, THEMES};
use crate::web::error::Error;
use crate::web::frame::{self, AccountNav, PersonNav};
use crate::web::zone::Zone;
use crate::web::{Shared, session};

/// A person who is signed in.
#[derive(Debug)]
pub struct Visitor {
    /// The person.
    pub person: Person,
    /// Where they are a member.
    pub accounts: Vec<AccountLink>,
}

impl Visitor {
    /// The person, for the menu.
    pub fn nav(&self) -> PersonNav {
        frame::person_nav(
            &self.person.name,
            &self.person.email,
            self.person
                .staff
                .map(latchkey_rules::role::StaffRole::label),
        )
    }

    /// Their accounts, for the switcher.
    pub fn accounts_nav(&self) -> Vec<AccountNav> {
        let nav = |link: &AccountLink| AccountNav {
            slug: link.slug.clone(),
            name: link.name.clone(),
            role: link.role.label(),
        };
        self.accounts.iter().map(nav).collect()
    }

    /// The theme they chose.
    pub fn theme(&self) -> Option<&'static str> {
        THEMES
            .into_iter()
            .find(|theme| self.person.theme.as_deref() == Some(*theme))
    }

    /// The time zone they chose.
    pub fn zone(&self) -> Option<Zone> {
        self.person.zone.as_deref().and_then(Zone::parse)
    }
}

/// The middleware behind the session's: reads the person, if the session has one.
pub async fn welcome(
    shared: Data<Shared>,
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let context = req.extensions().get::<Rc<Context>>().map(Rc::clone);
    match (context, session::user(&req.get_session())) {
        (Some(context), Some(handle)) => {
            let read = shared.db.read(move |r| {
                let person = users::person(r, &handle)?;
                let accounts = accounts::of_person(r, &person)?;
                Ok(Visitor { person, accounts })
            });
            match read.await {
                Ok(visitor) => context.welcome(visitor),
                // The person was removed or switched off: the session is of no use any more.
                Err(crate::store::Error::NotFound) => req.get_session().purge(),
                Err(error) => {
                    return Ok(req.error_response(Error::from(error)).map_into_right_body());
                }
            }
            Ok(next.call(req).await?.map_into_left_body())
        }
        _ => Ok(next.call(req).await?.map_into_left_body()),
    }
}
