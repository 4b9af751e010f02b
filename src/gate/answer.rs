//! What the gate answers: headers, JSON errors, and the one line of CORS that lets a page read them.
//!
//! It must not decide anything.

pub(crate) mod json;
mod limits;
mod lines;
pub(crate) mod names;
mod wire;

use std::borrow::Cow;
use std::time::{Duration, UNIX_EPOCH};

use actix_http::StatusCode;
use actix_http::header::HttpDate;
use latchkey_rules::code::Code;
use latchkey_rules::key_id::KeyIdText;
use latchkey_rules::time::Millis;
use serde::Serialize;

use super::GateSettings;
use super::judge::{JudgedKey, JudgedLimits};
use crate::web::request_id::RequestId;
use lines::Lines;
use names as name;

/// Seconds after which an unavailable gate may be asked again.
pub(crate) const RETRY_AFTER: &str = "1";
/// What a page from elsewhere may read.
const EXPOSED: &str = "Retry-After, RateLimit, RateLimit-Policy, X-RateLimit-Limit, X-RateLimit-Remaining, \
                       X-RateLimit-Reset, Latchkey-Request-Id, Latchkey-Verdict, Latchkey-Secret-Ends";
/// Proxies drop the body of an allow; a person who tries a key with `curl` reads it.
const SEEN_BY_PEOPLE: &[u8] = b"VALID\n";
/// Stands where there is nothing to say.
const NOTHING: &str = "-";

/// What a request is answered with, written out once: whoever sends it copies lines.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Of the headers, but for those of the connection: its length, its date, whether it stays.
    pub(crate) lines: Lines,
    pub(crate) body: Cow<'static, [u8]>,
    /// Whether the connection ends with it, since what is left of the request is not waited for.
    pub(crate) closes: bool,
}

impl Answer {
    /// An answer without headers.
    pub(crate) fn new(status: StatusCode, body: impl Into<Cow<'static, [u8]>>) -> Self {
        Self {
            status,
            lines: Lines::default(),
            body: body.into(),
            closes: false,
        }
    }

    /// The same with a header that says what the body is.
    pub(crate) fn of_type(mut self, media_type: &str) -> Self {
        self.lines.add(name::CONTENT_TYPE, media_type);
        self
    }
}

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

    /// Whether a body may still be on its way, which nobody will read.
    fn leaves_a_body(&self) -> bool {
        matches!(
            self,
            Self::BodyTimeout | Self::TooLarge { .. } | Self::Encoded | Self::BodyBroken
        )
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
    /// What a 401 asks for.
    pub(crate) challenge: Challenge<'a>,
    /// What the limits said, where the decision came that far.
    pub(crate) limits: Option<&'a JudgedLimits>,
}

impl<'a> Refused<'a> {
    fn challenge(&self) -> Option<Challenge<'a>> {
        (self.status == StatusCode::UNAUTHORIZED).then_some(self.challenge)
    }
}

/// What is missing, as `WWW-Authenticate` names it (RFC 9110, 11.6.1).
#[derive(Clone, Copy)]
pub(crate) struct Challenge<'a> {
    scheme: &'static str,
    realm: &'a str,
}

impl<'a> Challenge<'a> {
    /// A key, for whatever it may open.
    pub(crate) const KEY: Challenge<'static> = Challenge {
        scheme: "ApiKey",
        realm: "latchkey",
    };
    /// A gateway's token.
    const GATE_TOKEN: Challenge<'static> = Challenge {
        scheme: "Latchkey-Gate-Token",
        realm: "latchkey",
    };

    /// A key for this product.
    pub(crate) fn key_for(product: Option<&'a str>) -> Self {
        match product {
            Some(realm) => Self { realm, ..Self::KEY },
            None => Self::KEY,
        }
    }
}

/// An answer whose body is JSON.
pub(crate) fn as_json(status: StatusCode, body: &impl Serialize) -> Answer {
    // Texts and numbers of ours always have a form in JSON.
    let body = serde_json::to_vec(body).unwrap_or_default();
    Answer::new(status, body).of_type("application/json")
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
    let lines = &mut answer.lines;
    lines.add(name::CACHE_CONTROL, "no-store");
    lines.add(name::REQUEST_ID, id);
    if let Some(code) = refused.verdict {
        lines.add(name::VERDICT, code.as_str());
    }
    if let Some(Challenge { scheme, realm }) = refused.challenge() {
        let challenge = format!("{scheme} realm=\"{realm}\"");
        lines.add(name::WWW_AUTHENTICATE, &challenge);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        lines.add(name::RETRY_AFTER, RETRY_AFTER);
    }
    if let Some(said) = refused.limits {
        limits::head(lines, said);
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
            challenge: match failure {
                Failure::Stranger => Challenge::GATE_TOKEN,
                _ => Challenge::KEY,
            },
            limits: None,
        },
        settings,
    );
    if let Failure::Method { allow } = failure {
        answer.lines.add(name::ALLOW, allow);
    }
    answer.closes = failure.leaves_a_body();
    answer
}

/// Every header of an admitted request. All of them stand there always, `-` where there is nothing: some proxies let a
/// client's own through where ours is missing (T-43).
pub(crate) fn admitted(
    key: &JudgedKey<'_>,
    product: &str,
    id: &RequestId,
    uri: &str,
    limits: Option<&JudgedLimits>,
) -> Answer {
    let mut answer = Answer::new(StatusCode::OK, SEEN_BY_PEOPLE);
    let lines = &mut answer.lines;
    lines.reserve(896 + uri.len());
    lines.add(name::CONTENT_TYPE, "text/plain; charset=utf-8");
    lines.add_bytes(name::KEY_ID, KeyIdText::of(&key.key_id).as_bytes());
    lines.add(name::ACCOUNT, key.account);
    lines.add(name::PRODUCT, product);
    lines.add(name::ENVIRONMENT, key.environment.word());
    lines.add(name::ACCESS, key.access.word());
    lines.add(name::PLAN, key.plan);
    lines.add_bytes(name::REQUEST_ID, id.as_bytes());
    match key.ends_at().and_then(http_date) {
        Some(ends) => lines.add(name::SECRET_ENDS, &ends),
        None => lines.add(name::SECRET_ENDS, NOTHING),
    }
    lines.add(name::SUBJECT, NOTHING);
    lines.add(name::ASSERTION, NOTHING);
    lines.add(name::URI, uri);
    if let Some(said) = limits {
        limits::head(lines, said);
    }
    answer
}

/// Lets the page that asked read the answer. Never with credentials: a key is sent on purpose.
pub(crate) fn readable_by(lines: &mut Lines, origin: Option<&[u8]>) {
    if let Some(origin) = origin {
        lines.add_bytes(name::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        lines.add(name::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        lines.add(name::VARY, "Origin");
    }
}

/// An instant as HTTP writes it (RFC 9110, 5.6.7), if it can.
pub(crate) fn http_date(at: Millis) -> Option<String> {
    let secs = u64::try_from(at.secs()).unwrap_or(0);
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(secs))?;
    Some(HttpDate::from(at).to_string())
}
