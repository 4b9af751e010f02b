//! How a one-time link's token leaves the address: opening the link puts it into a cookie and leads on to the page without
//! it (T-18), so that no history, log or `Referer` has it.
//!
//! Must not know what a link opens.

use actix_web::cookie::time::Duration;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use crate::web::error::Error;
use crate::web::{Shared, flash, render, token};

/// How long the browser keeps it.
const KEPT: Duration = Duration::minutes(30);

/// The link's token, while it is still in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Link {
    token: Option<String>,
}

/// A cookie of this name, for the links that lead to one page.
#[derive(Clone, Copy, Debug)]
pub struct LinkCookie {
    /// The cookie's name.
    pub name: &'static str,
    /// The page's path.
    pub page: &'static str,
}

impl LinkCookie {
    /// The way on to the page without the token, if there is one in the address.
    pub fn taken(self, link: Link, shared: &Shared) -> Result<Option<HttpResponse>, Error> {
        let Some(token) = link.token else {
            return Ok(None);
        };
        let kept = flash::dressed(
            &shared.cookie_name(self.name),
            short(token),
            shared.public_url.is_https(),
            KEPT,
        );
        let mut answer = render::see_other(self.page);
        answer
            .add_cookie(&kept)
            .map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Some(answer))
    }

    /// The digest of the token that this browser came with.
    pub fn digest(self, req: &HttpRequest, shared: &Shared) -> Option<[u8; 32]> {
        let cookie = req.cookie(&shared.cookie_name(self.name))?;
        Some(token::digest(cookie.value()))
    }

    /// Takes the cookie away with this answer.
    pub fn done(self, mut answer: HttpResponse, shared: &Shared) -> Result<HttpResponse, Error> {
        let ended = flash::done(&shared.cookie_name(self.name), shared.public_url.is_https());
        answer
            .add_cookie(&ended)
            .map_err(|error| Error::Internal(error.to_string()))?;
        Ok(answer)
    }
}

/// A token of ours is 43 characters; what is longer cannot be one and need not be carried.
fn short(token: String) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if token.len() <= 64 && token.bytes().all(plain) {
        token
    } else {
        String::new()
    }
}
