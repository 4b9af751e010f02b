//! Answers: a view printed as a page, a redirect with a sentence for the page after it. It knows no view.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::web::Shared;
use crate::web::context::{Context, FLASH_COOKIE};
use crate::web::error::Error;
use crate::web::flash::{self, Flash};

/// The view as a page.
pub fn page(status: StatusCode, view: &impl Template) -> Result<HttpResponse, Error> {
    let html = view
        .render()
        .map_err(|error| Error::Internal(format!("a template failed: {error}")))?;
    Ok(HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .body(html))
}

/// The view as a page, 200.
pub fn ok(view: &impl Template) -> Result<HttpResponse, Error> {
    page(StatusCode::OK, view)
}

/// The view again, with what was typed and what is wrong with it.
pub fn refused(view: &impl Template) -> Result<HttpResponse, Error> {
    page(StatusCode::UNPROCESSABLE_ENTITY, view)
}

/// The view as a page that nobody stores: it holds something that is shown once.
pub fn private(req: &HttpRequest, view: &impl Template) -> Result<HttpResponse, Error> {
    keep_private(req);
    ok(view)
}

/// Notes that nobody may store the answer.
pub fn keep_private(req: &HttpRequest) {
    if let Some(context) = Context::of(req) {
        context.keep_private();
    }
}

/// On to another page.
pub fn see_other(to: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, to))
        .finish()
}

/// On to another page, which says what was done.
pub fn see_other_saying(shared: &Shared, to: &str, said: &Flash) -> HttpResponse {
    let cookie = flash::carry(
        said,
        &shared.cookie_name(FLASH_COOKIE),
        &shared.cookie_key,
        shared.public_url.is_https(),
    );
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, to))
        .cookie(cookie)
        .finish()
}
