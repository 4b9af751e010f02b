//! Around every request of the portal: its id, log line and count, what is refused before anything else, errors and panics made
//! into pages, the headers of every answer. It knows no page but the error page.

use std::fmt::Display;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;

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
use crate::web::request_id::RequestId;
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
    let log = Line::begin(&shared, &context, &req);
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
    let error = answer
        .response()
        .error()
        .map(|error| -> &dyn Display { error });
    log.end(shared, status, error);
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
    headers::name(answer.headers_mut(), &context.id);
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
    log.end(shared, status, Some(error));
    let mut response = error.error_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("text/html; charset=utf-8"),
    );
    let mut response =
        response.set_body(BoxBody::new(html(shared, context, status, error.words())));
    headers::apply(response.headers_mut(), shared.public_url.is_https(), true);
    headers::name(response.headers_mut(), &context.id);
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

/// What is asked of which route, and when: never the address as it came, which may hold anything, nor its query, its
/// headers or its body (T-33, T-61). What the request was about stands in the audit event of the same id.
struct Line {
    method: &'static str,
    /// The pattern of the route.
    route: String,
    id: RequestId,
    began: Duration,
}

impl Line {
    fn begin(shared: &Shared, context: &Context, req: &ServiceRequest) -> Self {
        Self {
            method: known_method(req.method()),
            route: req
                .match_pattern()
                .filter(|pattern| !pattern.is_empty())
                .unwrap_or_else(|| UNKNOWN.to_owned()),
            id: context.id,
            began: shared.clock.monotonic(),
        }
    }

    /// Counts the answer, and writes its line.
    fn end(&self, shared: &Shared, status: StatusCode, error: Option<&dyn Display>) {
        let took = shared.clock.monotonic().saturating_sub(self.began);
        shared
            .counts
            .answered(self.method, &self.route, status, took);
        let (id, method, route, status) = (&self.id, self.method, &self.route, status.as_u16());
        let ms = took.as_secs_f64() * 1_000.0;
        match error {
            Some(error) if status >= 500 => {
                tracing::error!(request.id = %id, http.method = method, http.route = route, http.status = status, http.duration_ms = ms, error = %error, "answered");
            }
            _ => {
                tracing::info!(request.id = %id, http.method = method, http.route = route, http.status = status, http.duration_ms = ms, "answered");
            }
        }
    }
}

/// What stands for a route or a method that is none of ours.
const UNKNOWN: &str = "other";

fn known_method(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let found = known.into_iter().find(|known| *known == method.as_str());
    found.unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_33_a_secret_for_a_method_is_not_logged() {
        let secret = "lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu";
        let method = Method::from_bytes(secret.as_bytes()).unwrap();
        assert_eq!(known_method(&method), "other");
        assert_eq!(known_method(&Method::GET), "GET");
        assert_eq!(known_method(&Method::TRACE), "other");
    }
}
