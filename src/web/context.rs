//! What is known of a request before anything is decided: its id, where it is, from where it comes, how its sender likes
//! to read. It decides nothing.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;

use actix_web::dev::ServiceRequest;
use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest};
use latchkey_rules::client_ip::client_ip;

use crate::web::Shared;
use crate::web::flash::{self, Flash};
use crate::web::request_id::RequestId;
use crate::web::visitor::Visitor;
use crate::web::zone::Zone;

/// The colour themes.
pub const THEMES: [&str; 3] = ["auto", "light", "dark"];

/// The name of the cookie with the theme.
pub const THEME_COOKIE: &str = "lk_theme";

/// The name of the cookie with the time zone.
pub const ZONE_COOKIE: &str = "lk_zone";

/// The name of the cookie with a sentence for the next page.
pub const FLASH_COOKIE: &str = "lk_flash";

/// The facts of one request.
#[derive(Debug)]
pub struct Context {
    /// The request's name.
    pub id: RequestId,
    /// Path and query of a page, path alone of a write.
    pub here: String,
    /// The path alone.
    pub path: String,
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// The theme chosen in this browser.
    pub theme: Option<&'static str>,
    /// The time zone chosen in this browser.
    pub zone: Option<Zone>,
    /// A sentence from the page before.
    pub flash: Option<Flash>,
    visitor: RefCell<Option<Rc<Visitor>>>,
    private: Cell<bool>,
}

impl Context {
    /// Reads them.
    pub fn read(req: &ServiceRequest, shared: &Shared) -> Self {
        let cookie = |name: &str| req.cookie(&shared.cookie_name(name));
        let theme = cookie(THEME_COOKIE)
            .and_then(|cookie| THEMES.into_iter().find(|theme| *theme == cookie.value()));
        let path = req.path().to_owned();
        let here = match (req.method().is_safe(), req.query_string()) {
            (true, query) if !query.is_empty() => format!("{path}?{query}"),
            _ => path.clone(),
        };
        Self {
            id: RequestId::generate(),
            here,
            path,
            ip: address(req, shared),
            theme,
            zone: cookie(ZONE_COOKIE).and_then(|cookie| Zone::parse(cookie.value())),
            flash: cookie(FLASH_COOKIE).and_then(|cookie| flash::read(cookie, &shared.cookie_key)),
            visitor: RefCell::new(None),
            private: Cell::new(false),
        }
    }

    /// The context of a request; it is there from the rim on.
    pub fn of(req: &HttpRequest) -> Option<Rc<Self>> {
        req.extensions().get::<Rc<Self>>().map(Rc::clone)
    }

    /// Who is signed in.
    pub fn visitor(&self) -> Option<Rc<Visitor>> {
        self.visitor.borrow().clone()
    }

    /// Notes who is signed in.
    pub fn welcome(&self, visitor: Visitor) {
        *self.visitor.borrow_mut() = Some(Rc::new(visitor));
    }

    /// Notes that the answer is for this person's eyes only, and only once.
    pub fn keep_private(&self) {
        self.private.set(true);
    }

    /// Whether nobody may store the answer.
    pub fn is_private(&self) -> bool {
        self.private.get() || self.flash.is_some() || self.visitor.borrow().is_some()
    }
}

fn address(req: &ServiceRequest, shared: &Shared) -> Option<IpAddr> {
    let lines: Vec<&str> = req
        .headers()
        .get_all(header::X_FORWARDED_FOR)
        .filter_map(|line| line.to_str().ok())
        .collect();
    client_ip(
        req.peer_addr().map(|peer| peer.ip()),
        lines,
        &shared.trusted_proxies,
        shared.unix_trusted,
    )
}
