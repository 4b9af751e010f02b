//! One sentence carried over a redirect, shown once: a signed cookie, so that showing it writes nothing. It knows no
//! session and works for people who are not signed in.

use data_encoding::BASE64URL_NOPAD;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, CookieJar, Key, SameSite};

/// A sentence for the band at the top of the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flash {
    /// `ok`, `warn`, `bad` or `info`.
    pub kind: &'static str,
    /// The sentence.
    pub text: String,
}

impl Flash {
    /// Something was done.
    pub fn ok(text: impl Into<String>) -> Self {
        Self {
            kind: "ok",
            text: text.into(),
        }
    }

    /// Something to know.
    pub fn info(text: impl Into<String>) -> Self {
        Self {
            kind: "info",
            text: text.into(),
        }
    }

    /// Something to take care of.
    pub fn warn(text: impl Into<String>) -> Self {
        Self {
            kind: "warn",
            text: text.into(),
        }
    }

    /// Something that no longer works.
    pub fn bad(text: impl Into<String>) -> Self {
        Self {
            kind: "bad",
            text: text.into(),
        }
    }
}

const KINDS: [&str; 4] = ["ok", "info", "warn", "bad"];

/// The cookie that carries a sentence to the next page.
pub fn carry(flash: &Flash, name: &str, key: &Key, secure: bool) -> Cookie<'static> {
    // Cookies are percent-decoded on their way in, so the text travels in letters that this leaves alone.
    let value = format!(
        "{}:{}",
        flash.kind,
        BASE64URL_NOPAD.encode(flash.text.as_bytes())
    );
    let mut jar = CookieJar::new();
    jar.signed_mut(key).add(Cookie::new(name.to_owned(), value));
    let signed = jar
        .get(name)
        .map(|cookie| cookie.value().to_owned())
        .unwrap_or_default();
    dressed(name, signed, secure, Duration::minutes(5))
}

/// The sentence in such a cookie, if it was us who wrote it.
pub fn read(cookie: Cookie<'static>, key: &Key) -> Option<Flash> {
    let name = cookie.name().to_owned();
    let mut jar = CookieJar::new();
    jar.add_original(cookie);
    let value = jar.signed(key).get(&name)?;
    let (kind, text) = value.value().split_once(':')?;
    let kind = KINDS.into_iter().find(|known| *known == kind)?;
    let text = String::from_utf8(BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()?;
    Some(Flash { kind, text })
}

/// The cookie that ends it, once it was shown.
pub fn done(name: &str, secure: bool) -> Cookie<'static> {
    dressed(name, String::new(), secure, Duration::ZERO)
}

/// A cookie of ours: for this host alone, out of scripts' reach, not sent along from elsewhere.
pub fn dressed(name: &str, value: String, secure: bool, age: Duration) -> Cookie<'static> {
    Cookie::build(name.to_owned(), value)
        .path("/")
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax)
        .max_age(age)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_arrives_as_it_was_said() {
        let key = Key::generate();
        let said = Flash::ok("Key «Grün; \"1\"» = deleted\u{202f}, 100 %");
        let cookie = carry(&said, "lk_flash", &key, true);
        assert!(cookie.secure().unwrap() && cookie.http_only().unwrap());
        let came_in = Cookie::parse_encoded(cookie.to_string())
            .unwrap()
            .into_owned();
        assert_eq!(read(came_in, &key), Some(said));
    }

    #[test]
    fn nobody_else_can_say_it() {
        let cookie = carry(&Flash::ok("hello"), "lk_flash", &Key::generate(), false);
        assert_eq!(read(cookie, &Key::generate()), None);
        assert_eq!(
            read(Cookie::new("lk_flash", "ok:aGVsbG8"), &Key::generate()),
            None
        );
    }
}
