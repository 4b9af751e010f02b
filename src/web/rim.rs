//! Around every request of the portal: its id and log line, what is refused before anything else, errors and panics made
//! into pages, the headers of every answer. It knows no page but the error page.

use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use actix_session::storage::{LoadError, SaveError, UpdateError};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpResponse, ResponseError};
use askama::Template;
use futures_util::FutureExt;

use crate::web::context::{Context, FLASH_COOKIE};
use crate::web::error::{self, Error};
use crate::web::frame::Frame;
use crate::web::{Shared, flash, headers, origin};

/// The page of an error.
#[derive(Template)]
#[template(path = "errors/page.html")]
struct ErrorPage {
    frame: Frame,
    status: u16,
    title: String,
    what: String,
    todo: String,
    request_id: String,
}

/// The middleware.
pub async fn rim(
    shared: Data<Shared>,
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let context = Rc::new(Context::read(&req, &shared));
    req.extensions_mut().insert(Rc::clone(&context));
    let log = Line {
        method: req.method().clone(),
        path: loggable(&context.path),
        id: context.id.to_string(),
    };
    let answer = match early(&shared, &req) {
        Some(refusal) => Ok(Ok(req.error_response(refusal))),
        None => AssertUnwindSafe(next.call(req))
            .catch_unwind()
            .await
            .map(|answer| answer.map(ServiceResponse::map_into_boxed_body)),
    };
    match answer {
        Ok(Ok(answer)) => Ok(finish(&shared, &context, &log, answer)),
        Ok(Err(error)) => Err(alone(&shared, &context, &log, &of_middleware(&error))),
        Err(_panic) => Err(alone(
            &shared,
            &context,
            &log,
            &Error::Internal("a handler panicked; the panic is logged beside this".to_owned()),
        )),
    }
}

/// What is refused without asking anything else.
fn early(shared: &Shared, req: &ServiceRequest) -> Option<Error> {
    let head = req.headers();
    let host = head
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    if !shared.public_url.answers_to(host) {
        return Some(Error::Misdirected);
    }
    if *req.method() == Method::TRACE {
        return Some(Error::MethodNotAllowed("GET, HEAD, POST".to_owned()));
    }
    if head
        .get(header::CONTENT_ENCODING)
        .is_some_and(|coding| coding != "identity")
    {
        return Some(Error::UnsupportedMedia(
            "A packed body is not read here. Send it as it is.".to_owned(),
        ));
    }
    (origin::is_unsafe(req.method()) && !origin::is_ours(head, &shared.public_url))
        .then_some(Error::CrossOrigin)
}

/// An answer on its way out.
fn finish(
    shared: &Shared,
    context: &Context,
    log: &Line,
    answer: ServiceResponse<BoxBody>,
) -> ServiceResponse<BoxBody> {
    let status = answer.status();
    log.write(status, answer.response().error());
    let is_page = is_html(answer.response());
    let mut answer = if (status.is_client_error() || status.is_server_error()) && !is_page {
        as_page(shared, context, answer)
    } else {
        answer
    };
    if context.flash.is_some() && is_html(answer.response()) {
        let ended = flash::done(
            &shared.cookie_name(FLASH_COOKIE),
            shared.public_url.is_https(),
        );
        // The cookie was written by us and is plain ASCII, so adding it cannot fail; if it did, the sentence shows twice.
        let _kept_otherwise = answer.response_mut().add_cookie(&ended);
    }
    headers::apply(
        answer.headers_mut(),
        shared.public_url.is_https(),
        context.is_private(),
    );
    answer
}

fn is_html(response: &HttpResponse) -> bool {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// The same answer with a page as its body; its other headers stay.
fn as_page(
    shared: &Shared,
    context: &Context,
    answer: ServiceResponse<BoxBody>,
) -> ServiceResponse<BoxBody> {
    let status = answer.status();
    let words = match answer
        .response()
        .error()
        .and_then(actix_web::Error::as_error::<Error>)
    {
        Some(error) => error.words(),
        None => error::of_status(status).words(),
    };
    let html = html(shared, context, status, words);
    let (req, response) = answer.into_parts();
    let mut response = response.set_body(BoxBody::new(html));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("text/html; charset=utf-8"),
    );
    ServiceResponse::new(req, response)
}

/// The page of an error for which there is no answer to build on.
fn alone(shared: &Shared, context: &Context, log: &Line, error: &Error) -> actix_web::Error {
    let status = error.status_code();
    tracing::error!(request.id = %log.id, http.method = %log.method, http.path = %log.path, http.status = status.as_u16(), error = %error, "answered");
    let mut response = error.error_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("text/html; charset=utf-8"),
    );
    let mut response =
        response.set_body(BoxBody::new(html(shared, context, status, error.words())));
    headers::apply(response.headers_mut(), shared.public_url.is_https(), true);
    InternalError::from_response(error.to_string(), response).into()
}

fn html(shared: &Shared, context: &Context, status: StatusCode, words: error::Words) -> String {
    let page = ErrorPage {
        frame: Frame::build(shared, context),
        status: status.as_u16(),
        title: words.title,
        what: words.message,
        todo: words.mend,
        request_id: context.id.to_string(),
    };
    page.render().unwrap_or_else(|_| status.to_string())
}

/// Of middlewares only the session's fails by itself, and only because the database does not answer.
fn of_middleware(error: &actix_web::Error) -> Error {
    let from_sessions = error.as_error::<InternalError<LoadError>>().is_some()
        || error.as_error::<InternalError<SaveError>>().is_some()
        || error.as_error::<InternalError<UpdateError>>().is_some()
        || error.as_error::<InternalError<anyhow::Error>>().is_some();
    if from_sessions {
        Error::Unavailable("the session could not be read or written".to_owned())
    } else {
        Error::Internal(error.to_string())
    }
}

/// Letters and digits in a row that no name of ours in an address reaches, and every secret and one-time token does.
const SECRET_RUN: usize = 40;

/// An address as it may be logged: who pastes a secret into it does not find the secret in the log (T-33).
fn loggable(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric();
    let runs = path.split_inclusive(|c| !plain(c)).map(|run| {
        let rest = run.trim_start_matches(plain);
        let long = run.len() - rest.len() >= SECRET_RUN;
        if long {
            format!("…{rest}")
        } else {
            run.to_owned()
        }
    });
    runs.collect()
}

/// The log line of a request: never its query, its headers or its body (T-61).
struct Line {
    method: Method,
    path: String,
    id: String,
}

impl Line {
    fn write(&self, status: StatusCode, error: Option<&actix_web::Error>) {
        let (id, method, path, status) = (&self.id, &self.method, &self.path, status.as_u16());
        match error {
            Some(error) if status >= 500 => {
                tracing::error!(request.id = %id, http.method = %method, http.path = %path, http.status = status, error = %error, "answered");
            }
            _ => {
                tracing::info!(request.id = %id, http.method = %method, http.path = %path, http.status = status, "answered");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::loggable;

    #[test]
    fn t_33_a_secret_in_an_address_is_not_logged() {
        let secret = "lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu";
        let path = format!("/staff/keys/{secret}/edit");
        assert_eq!(loggable(&path), "/staff/keys/lk_live_…/edit");
        let known = "/accounts/kestrel-logistics/keys/key_abcdefghijklmnop/activity.csv";
        assert_eq!(loggable(known), known);
    }
}
