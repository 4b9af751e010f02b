//! What the gate answers: headers, JSON errors, and the one line of CORS that lets a page read them.
//!
//! It must not decide anything.

pub(crate) mod json;
mod limits;
pub(crate) mod names;
mod texts;

use actix_http::body::BoxBody;
use actix_http::header::{self, HeaderMap, HeaderValue, HttpDate};
use actix_http::{ConnectionType, Response, StatusCode};
use latchkey_rules::code::Code;
use latchkey_rules::key_id::KeyIdText;
use latchkey_rules::time::Millis;
use serde::Serialize;
use std::time::{Duration, UNIX_EPOCH};

use super::GateSettings;
use super::judge::{JudgedKey, JudgedLimits};
use crate::web::request_id::RequestId;
use names as name;
use texts::Texts;

/// Seconds after which an unavailable gate may be asked again.
pub(crate) const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");
/// What a page from elsewhere may read.
const EXPOSED: &str = "Retry-After, RateLimit, RateLimit-Policy, X-RateLimit-Limit, X-RateLimit-Remaining, \
                       X-RateLimit-Reset, Latchkey-Request-Id, Latchkey-Verdict, Latchkey-Secret-Ends";
/// Of the body of an allow.
const PLAIN_TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const NOTHING: HeaderValue = HeaderValue::from_static("-");

/// What a request is answered with.
pub(crate) type Answer = Response<BoxBody>;

/// A request that never came to a verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    BadRequest(String),
    #[error("This gate answers only to gateways that send its Latchkey-Gate-Token.")]
    Stranger,
    #[error("There is nothing at this path of the gate.")]
    NotFound,
    #[error("This path takes {allow}.")]
    Method { allow: &'static str },
    #[error("The body took too long to arrive.")]
    BodyTimeout,
    #[error("The body broke off.")]
    BodyBroken,
    #[error("The body is larger than {} KiB.", limit / 1024)]
    TooLarge { limit: usize },
    #[error("A batch holds at most {limit} requests.")]
    TooMany { limit: usize },
    #[error("The body has a Content-Encoding. Send it as it is.")]
    Encoded,
    #[error("Latchkey failed on this request. It was refused.")]
    Internal,
}

impl Failure {
    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadRequest(_) | Self::BodyBroken => (StatusCode::BAD_REQUEST, "BadRequest"),
            Self::Stranger => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::NotFound => (StatusCode::NOT_FOUND, "NotFound"),
            Self::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
            Self::BodyTimeout => (StatusCode::REQUEST_TIMEOUT, "RequestTimeout"),
            Self::TooLarge { .. } | Self::TooMany { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLarge")
            }
            Self::Encoded => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError"),
        }
    }

    fn verdict(&self) -> Code {
        match self {
            Self::Internal => Code::Unavailable,
            _ => Code::RequestInvalid,
        }
    }
}

/// The body of every error.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorText<'a>,
}

#[derive(Serialize)]
struct ErrorText<'a> {
    code: &'a str,
    message: &'a str,
    request_id: &'a str,
    help: String,
}

/// What an error says.
pub(crate) struct Refused<'a> {
    pub(crate) status: StatusCode,
    /// The word of the status, as it stands in `error.code`.
    pub(crate) word: &'a str,
    /// The verdict, if it is one.
    pub(crate) verdict: Option<Code>,
    pub(crate) message: &'a str,
    pub(crate) request_id: &'a str,
    /// Where the challenge of a 401 says that the key is for.
    pub(crate) realm: &'a str,
    /// What the limits said, where the decision came that far.
    pub(crate) limits: Option<&'a JudgedLimits>,
}

/// An answer whose body is JSON.
pub(crate) fn as_json(status: StatusCode, body: &impl Serialize) -> Answer {
    // Texts and numbers of ours always have a form in JSON.
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut answer = Answer::with_body(status, BoxBody::new(body));
    let media_type = HeaderValue::from_static("application/json");
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    answer
}

/// An error as the client reads it.
pub(crate) fn refused(refused: &Refused<'_>, settings: &GateSettings) -> Answer {
    let (status, id) = (refused.status, refused.request_id);
    let help = settings.help(refused.verdict, id);
    let body = ErrorBody {
        error: ErrorText {
            code: refused.word,
            message: refused.message,
            request_id: id,
            help,
        },
    };
    let mut answer = as_json(status, &body);
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(name::REQUEST_ID.clone(), value(id));
    if let Some(code) = refused.verdict {
        headers.insert(
            name::VERDICT.clone(),
            HeaderValue::from_static(code.as_str()),
        );
    }
    if status == StatusCode::UNAUTHORIZED {
        let challenge = format!("ApiKey realm=\"{}\"", refused.realm);
        headers.insert(header::WWW_AUTHENTICATE, value(&challenge));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, RETRY_AFTER);
    }
    if let Some(said) = refused.limits {
        limits::head(headers, said);
    }
    answer
}

/// A request that never came to a verdict, as the client reads it.
pub(crate) fn failed(failure: &Failure, id: &RequestId, settings: &GateSettings) -> Answer {
    let (status, word) = failure.status();
    let mut answer = refused(
        &Refused {
            status,
            word,
            verdict: Some(failure.verdict()),
            message: &failure.to_string(),
            request_id: id.as_str(),
            realm: "latchkey",
            limits: None,
        },
        settings,
    );
    match failure {
        Failure::Method { allow } => {
            answer
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        Failure::Stranger => {
            let challenge = HeaderValue::from_static("Latchkey-Gate-Token realm=\"latchkey\"");
            answer
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        // What is left of the body is not waited for.
        Failure::BodyTimeout
        | Failure::TooLarge { .. }
        | Failure::Encoded
        | Failure::BodyBroken => {
            answer.head_mut().set_connection_type(ConnectionType::Close);
        }
        _ => {}
    }
    answer
}

/// Every header of an admitted request. All of them stand there always, `-` where there is nothing: some proxies let a
/// client's own through where ours is missing (T-43).
pub(crate) fn admit(
    headers: &mut HeaderMap,
    key: &JudgedKey<'_>,
    product: &str,
    id: &RequestId,
    uri: &str,
    limits: Option<&JudgedLimits>,
) {
    let mut texts = Texts::with_capacity(192 + uri.len());
    let key_id = texts.push(KeyIdText::of(&key.key_id).as_str());
    let account = texts.push(key.account);
    let product = texts.push(product);
    let plan = texts.push(key.plan);
    let id = texts.push_bytes(id.as_bytes());
    let uri = texts.push(uri);
    let texts = texts.done();
    let environment = HeaderValue::from_static(key.environment.word());
    let access = HeaderValue::from_static(key.access.word());
    let ends = key.ends_at().map_or(NOTHING, http_date);
    // The map is new: appending spares the look for what would be replaced.
    headers.append(header::CONTENT_TYPE, PLAIN_TEXT);
    headers.append(name::KEY_ID.clone(), texts.value(key_id));
    headers.append(name::ACCOUNT.clone(), texts.value(account));
    headers.append(name::PRODUCT.clone(), texts.value(product));
    headers.append(name::ENVIRONMENT.clone(), environment);
    headers.append(name::ACCESS.clone(), access);
    headers.append(name::PLAN.clone(), texts.value(plan));
    headers.append(name::REQUEST_ID.clone(), texts.value(id));
    headers.append(name::SECRET_ENDS.clone(), ends);
    headers.append(name::SUBJECT.clone(), NOTHING);
    headers.append(name::ASSERTION.clone(), NOTHING);
    headers.append(name::URI.clone(), texts.value(uri));
    if let Some(said) = limits {
        limits::head(headers, said);
    }
}

/// Lets the page that asked read the answer. Never with credentials: a key is sent on purpose.
pub(crate) fn readable_by(headers: &mut HeaderMap, origin: Option<&HeaderValue>) {
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED),
        );
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    }
}

/// A header's value; a text that can be none becomes `-`.
pub(crate) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_bytes(text.as_bytes()).unwrap_or(NOTHING)
}

fn http_date(at: Millis) -> HeaderValue {
    let secs = u64::try_from(at.secs()).unwrap_or(0);
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(secs));
    at.map_or(NOTHING, |at| value(&HttpDate::from(at).to_string()))
}
