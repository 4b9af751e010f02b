//! Forms as they were typed: read whole or refused (T-28), never larger nor slower than the limits (T-60). It checks no
//! meaning: a form's own `check` does, field by field, and keeps what was typed.

use std::collections::HashSet;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use latchkey_rules::secret::Prefix;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::web::error::Error;
use crate::web::limits::RequestLimits;
use crate::web::secrecy::holds_secret;

/// The names that a form may carry. Everything else is refused by name.
pub trait Fields: DeserializeOwned {
    /// Names that may stand once.
    const ONE: &'static [&'static str];
    /// Names that may repeat: groups of tick boxes.
    const MANY: &'static [&'static str] = &[];
}

/// What is said of a text that others will read and that holds a secret.
const HOLDS_SECRET: &str = "This holds a secret, or a large part of one, so it was not kept. Type a name; to speak of a key, use its key ID.";

/// One field: what was typed, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// As typed, shown again when the form comes back.
    pub raw: String,
    /// What is wrong and how to mend it.
    pub error: Option<String>,
}

impl Field {
    /// A field with a value already in it.
    pub fn holding(raw: impl Into<String>) -> Self {
        Self {
            raw: raw.into(),
            error: None,
        }
    }

    /// Notes what is wrong.
    pub fn refuse(&mut self, error: &impl ToString) {
        self.error = Some(error.to_string());
    }

    /// Reads the value as [`Field::read`] does, unless it holds a secret: then it is neither kept nor shown again.
    pub fn read_public<T, E: ToString>(
        &mut self,
        prefix: &Prefix,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if !holds_secret(prefix, &self.raw) {
            return self.read(parse);
        }
        self.raw.clear();
        self.refuse(&HOLDS_SECRET);
        None
    }

    /// Reads the value, or notes why it cannot be read.
    pub fn read<T, E: ToString>(&mut self, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        match parse(&self.raw) {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(&error);
                None
            }
        }
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::holding)
    }
}

/// The summary above a refused form: the id of each bad field, and what is wrong with it, in the order given.
pub type Problems = Vec<(&'static str, String)>;

/// The problems of a form.
pub fn problems(fields: &[(&'static str, &Option<String>)]) -> Problems {
    let bad = |(id, error): &(&'static str, &Option<String>)| {
        error.as_ref().map(|error| (*id, error.clone()))
    };
    fields.iter().filter_map(bad).collect()
}

/// A page's title, which says how many entries need mending.
pub fn title(text: &str, problems: &Problems) -> String {
    match problems.len() {
        0 => text.to_owned(),
        1 => format!("{text} (1 error)"),
        count => format!("{text} ({count} errors)"),
    }
}

/// One option of a list to choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What people read.
    pub label: String,
    /// What stands beside it, smaller.
    pub small: String,
    /// Whether it is chosen.
    pub checked: bool,
}

impl Choice {
    /// An option without a word beside it, chosen if its value is the one given.
    pub fn plain(value: &str, label: &str, chosen: &str) -> Self {
        Self {
            value: value.to_owned(),
            label: label.to_owned(),
            small: String::new(),
            checked: value == chosen,
        }
    }
}

/// A write: first the right to it, then its form. Not a byte of the body is read before the right is there.
#[derive(Debug)]
pub struct Post<S, T> {
    /// Who may do this, and to what.
    pub scope: S,
    /// What was sent.
    pub form: T,
}

impl<S, T> FromRequest for Post<S, T>
where
    S: FromRequest<Error = Error> + 'static,
    T: Fields + 'static,
{
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let scope = S::from_request(req, &mut Payload::None);
        let limits = RequestLimits::of(req);
        let readable = readable(req, limits.body_bytes);
        let payload = payload.take();
        Box::pin(async move {
            let scope = scope.await?;
            readable?;
            let body = read_within(&limits, payload).await?;
            Ok(Self {
                scope,
                form: parse(&body)?,
            })
        })
    }
}

fn readable(req: &HttpRequest, limit: usize) -> Result<(), Error> {
    let head = req.headers();
    let kind = head
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("application/x-www-form-urlencoded");
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Error::UnsupportedMedia(
            "A form of the portal is sent as application/x-www-form-urlencoded.".to_owned(),
        ));
    }
    let announced = head
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > limit) {
        return Err(Error::TooLarge);
    }
    Ok(())
}

async fn read_within(limits: &RequestLimits, payload: Payload) -> Result<Bytes, Error> {
    let read = read(payload, limits.body_bytes);
    let read = actix_web::rt::time::timeout(limits.body_time, read);
    read.await.map_err(|_elapsed| Error::TooSlow)?
}

async fn read(payload: Payload, limit: usize) -> Result<Bytes, Error> {
    let mut payload: Pin<Box<Payload>> = Box::pin(payload);
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|error| Error::BadRequest(format!("The body broke off: {error}.")))?;
        if body.len() + chunk.len() > limit {
            return Err(Error::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// A form that stands in the address: of a page that asks before anything is done.
///
/// # Errors
/// `BadRequest` as for a form that is sent.
pub fn of_query<T: Fields>(req: &HttpRequest) -> Result<T, Error> {
    parse(req.query_string().as_bytes())
}

fn parse<T: Fields>(body: &[u8]) -> Result<T, Error> {
    let unreadable = |error: serde_html_form::de::Error| {
        Error::BadRequest(format!("The form cannot be read: {error}."))
    };
    let pairs: Vec<(String, String)> = serde_html_form::from_bytes(body).map_err(unreadable)?;
    let mut seen = HashSet::new();
    for (name, _) in &pairs {
        let many = T::MANY.contains(&name.as_str());
        if !many && !T::ONE.contains(&name.as_str()) {
            return Err(Error::BadRequest(format!(
                "The form has no field named \"{}\".",
                shortened(name)
            )));
        }
        if !many && !seen.insert(name.as_str()) {
            return Err(Error::BadRequest(format!(
                "The field \"{name}\" was sent more than once."
            )));
        }
    }
    serde_html_form::from_bytes(body).map_err(unreadable)
}

fn shortened(name: &str) -> String {
    name.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use actix_web::error::PayloadError;
    use actix_web::test::TestRequest;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Sample {
        name: Field,
        products: Vec<String>,
    }

    impl Fields for Sample {
        const ONE: &'static [&'static str] = &["name"];
        const MANY: &'static [&'static str] = &["products"];
    }

    struct Nobody;

    impl FromRequest for Nobody {
        type Error = Error;
        type Future = LocalBoxFuture<'static, Result<Self, Error>>;
        fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
            Box::pin(async { Err(Error::NotFound) })
        }
    }

    #[derive(Debug)]
    struct Everybody;

    impl FromRequest for Everybody {
        type Error = Error;
        type Future = LocalBoxFuture<'static, Result<Self, Error>>;
        fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
            Box::pin(async { Ok(Self) })
        }
    }

    async fn send<S: FromRequest<Error = Error> + 'static>(
        body: impl Into<Bytes>,
    ) -> Result<Sample, Error> {
        let (req, mut payload) = TestRequest::post()
            .insert_header(("content-type", "application/x-www-form-urlencoded"))
            .set_payload(body)
            .to_http_parts();
        Post::<S, Sample>::from_request(&req, &mut payload)
            .await
            .map(|post| post.form)
    }

    #[actix_web::test]
    async fn t_28_unknown_and_repeated_fields_are_refused_by_name() {
        for (body, says) in [
            ("name=a&admin=1", "no field named \"admin\""),
            ("name=a&name=b", "\"name\" was sent more than once"),
            ("role=owner", "no field named \"role\""),
        ] {
            let Err(Error::BadRequest(text)) = send::<Everybody>(body).await else {
                panic!("{body} was taken")
            };
            assert!(text.contains(says), "{text}");
        }
    }

    #[actix_web::test]
    async fn a_declared_list_may_repeat_and_what_lacks_is_empty() {
        let form = send::<Everybody>("products=a&products=b%20c")
            .await
            .unwrap();
        assert_eq!(form.products, ["a", "b c"]);
        assert_eq!(form.name.raw, "");
        assert_eq!(
            send::<Everybody>("products=a").await.unwrap().products,
            ["a"]
        );
        assert_eq!(
            send::<Everybody>("name=%C3%A9+x").await.unwrap().name.raw,
            "é x"
        );
        assert_eq!(send::<Everybody>("").await.unwrap().products.len(), 0);
    }

    #[actix_web::test]
    async fn t_60_more_than_64_kib_is_not_read() {
        let limit = RequestLimits::default().body_bytes;
        let long = format!("name={}", "a".repeat(limit));
        assert!(matches!(
            send::<Everybody>(long).await,
            Err(Error::TooLarge)
        ));
        let full = format!("name={}", "a".repeat(limit - 5));
        assert!(send::<Everybody>(full).await.is_ok());
    }

    #[actix_web::test]
    async fn t_60_a_body_that_does_not_arrive_is_not_waited_for() {
        let never = futures_util::stream::pending::<Result<Bytes, PayloadError>>();
        let never: Pin<Box<dyn futures_util::Stream<Item = Result<Bytes, PayloadError>>>> =
            Box::pin(never);
        let payload = Payload::Stream { payload: never };
        let limits = RequestLimits {
            body_time: Duration::from_millis(1),
            ..RequestLimits::default()
        };
        let read = read_within(&limits, payload).await;
        assert!(matches!(read, Err(Error::TooSlow)));
    }

    #[actix_web::test]
    async fn t_27_without_the_right_the_form_is_never_looked_at() {
        assert!(matches!(
            send::<Nobody>("name=a&admin=1").await,
            Err(Error::NotFound)
        ));
        assert!(matches!(
            send::<Nobody>("a".repeat(RequestLimits::default().body_bytes * 2)).await,
            Err(Error::NotFound)
        ));
    }

    #[actix_web::test]
    async fn another_media_type_is_415() {
        let (req, mut payload) = TestRequest::post()
            .insert_header(("content-type", "application/json"))
            .set_payload("{}")
            .to_http_parts();
        assert!(matches!(
            Post::<Everybody, Sample>::from_request(&req, &mut payload).await,
            Err(Error::UnsupportedMedia(_))
        ));
    }
}
