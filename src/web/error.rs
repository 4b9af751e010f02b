//! The one error of pages and API: what happened, which status it is, what people read. Its source is logged once, at the
//! rim, and never shown. It knows no page: `rim` turns it into one.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use crate::web::next;

mod of_store;

/// Why a request got no ordinary answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was sent cannot be read; the text says what and where.
    #[error("{0}")]
    BadRequest(String),
    /// Nobody is signed in; the page to come back to.
    #[error("sign in first")]
    SignInFirst(String),
    /// A write that does not come from a page of this portal (T-13).
    #[error("the request did not come from a page of this portal")]
    CrossOrigin,
    /// The person's role is too low.
    #[error("the role is too low for this")]
    Forbidden,
    /// There is no such thing, or it is somebody else's: the two are not told apart (T-27).
    #[error("not found")]
    NotFound,
    /// The path knows other methods only.
    #[error("the method is not allowed here")]
    MethodNotAllowed(String),
    /// The body took too long to arrive.
    #[error("the body took too long")]
    TooSlow,
    /// Something else was done in the meantime; the text says what.
    #[error("{0}")]
    Conflict(String),
    /// The body is too large.
    #[error("the body is too large")]
    TooLarge,
    /// The body is packed, or of a kind that is not read here.
    #[error("{0}")]
    UnsupportedMedia(String),
    /// The request was meant for another host (T-42).
    #[error("this host is not answered here")]
    Misdirected,
    /// Too much work is waiting already (T-04).
    #[error("too many people are signing in at this moment")]
    Busy,
    /// The database does not answer.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// A defect of ours; the text is for the log only.
    #[error("{0}")]
    Internal(String),
}

/// What people read of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// What happened, as a heading.
    pub title: String,
    /// What happened, as a sentence or two.
    pub message: String,
    /// What to do now.
    pub mend: String,
}

impl Error {
    /// The words for people.
    pub fn words(&self) -> Words {
        let (title, message, mend) = match self {
            Self::BadRequest(what) | Self::UnsupportedMedia(what) => {
                let [title, _, mend] = UNREADABLE;
                (title, what.as_str(), mend)
            }
            Self::Conflict(what) => {
                let [title, _, mend] = MEANWHILE;
                (title, what.as_str(), mend)
            }
            other => {
                let [title, message, mend] = other.fixed_words();
                (title, message, mend)
            }
        };
        Words {
            title: title.to_owned(),
            message: message.to_owned(),
            mend: mend.to_owned(),
        }
    }

    fn fixed_words(&self) -> [&'static str; 3] {
        match self {
            Self::BadRequest(_) | Self::UnsupportedMedia(_) => UNREADABLE,
            Self::Conflict(_) => MEANWHILE,
            Self::SignInFirst(_) => SIGN_IN,
            Self::CrossOrigin => CROSS_ORIGIN,
            Self::Forbidden => FORBIDDEN,
            Self::NotFound => NOT_FOUND,
            Self::MethodNotAllowed(_) => METHOD,
            Self::TooSlow => TOO_SLOW,
            Self::TooLarge => TOO_LARGE,
            Self::Misdirected => MISDIRECTED,
            Self::Busy => BUSY,
            Self::Unavailable(_) => UNAVAILABLE,
            Self::Internal(_) => INTERNAL,
        }
    }

    fn code(&self) -> &'static str {
        match self.status_code().as_u16() {
            400 => "BadRequest",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "NotFound",
            429 => "TooManyRequests",
            503 => "ServiceUnavailable",
            500 => "InternalError",
            _ => "RequestRefused",
        }
    }
}

// What happened as a heading, the same in a sentence or two, what to do now.
const UNREADABLE: [&str; 3] = [
    "The request could not be read",
    "It does not have the form that is read here.",
    "Go back, load the page again, and send it once more.",
];
const SIGN_IN: [&str; 3] = [
    "Sign in first",
    "This page is for people who are signed in.",
    "Sign in, and the page opens.",
];
const CROSS_ORIGIN: [&str; 3] = [
    "This form did not come from here",
    "Changes are taken only from the portal's own pages, in a browser that says so. Nothing was changed.",
    "Open the page in the portal itself and send it from there.",
];
const FORBIDDEN: [&str; 3] = [
    "Your role does not allow this",
    "You may look at this, or at things near it, but not do this.",
    "Ask an owner of the account, or a colleague with the admin role.",
];
const NOT_FOUND: [&str; 3] = [
    "There is nothing here",
    "The address is mistyped, the thing was deleted, or it belongs to an account that you are not a member of.",
    "Check the address, or go on from the start page.",
];
const METHOD: [&str; 3] = [
    "This address is used in another way",
    "The address exists, but does not take this kind of request.",
    "Open it as a page, and use the form on it.",
];
const TOO_SLOW: [&str; 3] = [
    "The form took too long to arrive",
    "The connection delivered only part of it. Nothing was changed.",
    "Send it once more.",
];
const MEANWHILE: [&str; 3] = [
    "This was changed in the meantime",
    "Nothing was changed by you.",
    "Load the page again and look at what it says now.",
];
const TOO_LARGE: [&str; 3] = [
    "That is more than is read here",
    "The form holds more than is read of one. Nothing was changed.",
    "Go back and shorten what you entered.",
];
const MISDIRECTED: [&str; 3] = [
    "This address is not served here",
    "The request names a host that this portal does not answer to.",
    "Use the portal's own address.",
];
const BUSY: [&str; 3] = [
    "Many people are signing in right now",
    "The queue is full, so that everything else stays quick.",
    "Try again in a few seconds.",
];
const UNAVAILABLE: [&str; 3] = [
    "The portal cannot reach its database",
    "Your keys go on working: the gate decides from its own copy. Nothing was changed.",
    "Try again in a minute.",
];
const INTERNAL: [&str; 3] = [
    "Something broke on our side",
    "The mistake is ours, and it has been written to the log.",
    "Try again; if it stays, send the request ID to support.",
];

/// The words for a status that came without an error of ours.
pub fn of_status(status: StatusCode) -> Error {
    match status.as_u16() {
        403 => Error::Forbidden,
        404 => Error::NotFound,
        405 => Error::MethodNotAllowed(String::new()),
        408 => Error::TooSlow,
        413 => Error::TooLarge,
        421 => Error::Misdirected,
        503 => Error::Unavailable(String::new()),
        400..=499 => {
            Error::BadRequest("The request does not have the form that is read here.".to_owned())
        }
        _ => Error::Internal(format!("an answer with status {status} and no cause")),
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: Detail<'a>,
}

#[derive(Serialize)]
struct Detail<'a> {
    code: &'a str,
    message: String,
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::SignInFirst(_) => StatusCode::SEE_OTHER,
            Self::CrossOrigin | Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMedia(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::Busy | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::SignInFirst(here) => {
                return response
                    .insert_header((header::LOCATION, next::sign_in(here)))
                    .finish();
            }
            Self::MethodNotAllowed(allow) => {
                response.insert_header((header::ALLOW, allow.as_str()))
            }
            Self::Busy | Self::Unavailable(_) => response.insert_header((header::RETRY_AFTER, "5")),
            _ => &mut response,
        };
        let words = self.words();
        response.json(Body {
            error: Detail {
                code: self.code(),
                message: format!("{}. {}", words.title, words.message),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_broke_inside_is_never_in_the_words() {
        for error in [
            Error::Internal("select secret from x".into()),
            Error::Unavailable("host=db password=hunter2".into()),
        ] {
            let words = error.words();
            let all = format!("{}{}{}", words.title, words.message, words.mend);
            assert!(!all.contains("select") && !all.contains("hunter2"), "{all}");
        }
    }

    #[test]
    fn busy_says_when_to_come_back() {
        let response = Error::Busy.error_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers().get("Retry-After").unwrap(), "5");
    }

    #[test]
    fn t_56_signing_in_first_leads_back() {
        let response = Error::SignInFirst("/accounts/a/keys".into()).error_response();
        assert_eq!(response.status(), 303);
        assert_eq!(
            response.headers().get("Location").unwrap(),
            "/sign-in?next=%2Faccounts%2Fa%2Fkeys"
        );
    }
}
