//! Devices that somebody signed in on before: a signed cookie that says whose it is and draws a name for it (T-06).
//!
//! It opens nothing. Guesses from such a device have a count of their own.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, CookieJar};
use data_encoding::BASE64URL_NOPAD;
use latchkey_rules::email::Email;

use super::Shared;
use super::error::Error;
use super::flash::dressed;
use super::token::{Token, digest};

const NAME: &str = "lk_device";
const KEPT: Duration = Duration::days(180);

/// The device's name, where somebody with this address signed in on it.
pub fn known(req: &HttpRequest, shared: &Shared, email: &Email) -> Option<String> {
    let name = shared.cookie_name(NAME);
    let mut jar = CookieJar::new();
    jar.add_original(req.cookie(&name)?);
    let cookie = jar.signed(&shared.cookie_key).get(&name)?;
    let (whose, device) = cookie.value().split_once('.')?;
    (whose == of(email)).then(|| device.to_owned())
}

/// The cookie of a device on which somebody with this address has just signed in.
///
/// # Errors
/// When the system has no random numbers.
pub fn cookie(shared: &Shared, email: &Email) -> Result<Cookie<'static>, Error> {
    let name = shared.cookie_name(NAME);
    let value = format!("{}.{}", of(email), Token::generate()?.expose());
    let mut jar = CookieJar::new();
    jar.signed_mut(&shared.cookie_key)
        .add(Cookie::new(name.clone(), value));
    let signed = jar.get(&name).map(|cookie| cookie.value().to_owned());
    let signed = signed.unwrap_or_default();
    Ok(dressed(&name, signed, shared.public_url.is_https(), KEPT))
}

fn of(email: &Email) -> String {
    BASE64URL_NOPAD.encode(&digest(&email.folded()))
}
