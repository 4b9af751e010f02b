//! `/`, which leads to where the person works, and the operator's own colours and picture.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Data, ServiceConfig};
use askama::Template;

use crate::web::error::Error;
use crate::web::frame::Frame;
use crate::web::scope::Anyone;
use crate::web::{Shared, assets, render};

crate::routes! {
    GET "/" Anyone => show;
}

/// What a person reads who works nowhere yet.
#[derive(Template)]
#[template(path = "account/none.html")]
struct NowhereView {
    frame: Frame,
}

async fn show(scope: Anyone, frame: Frame) -> Result<HttpResponse, Error> {
    let Some(visitor) = scope.visitor else {
        return Ok(render::see_other("/sign-in"));
    };
    if visitor.person.staff.is_some() {
        return Ok(render::see_other("/staff/look-up"));
    }
    match visitor.accounts.first() {
        Some(account) => Ok(render::see_other(&format!(
            "/accounts/{}/keys",
            account.slug
        ))),
        None => render::ok(&NowhereView { frame }),
    }
}

/// Registers what carries the operator's brand. It is the same for everybody and needs no session.
pub(crate) fn configure_brand(cfg: &mut ServiceConfig) {
    cfg.service(web::resource("/brand.css").route(web::get().to(colours)))
        .service(web::resource("/brand/logo").route(web::get().to(logo)))
        .service(web::resource("/favicon.svg").route(web::get().to(favicon)));
}

async fn colours(shared: Data<Shared>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/css; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .body(shared.brand.css.clone())
}

async fn logo(shared: Data<Shared>) -> Result<HttpResponse, Error> {
    let logo = shared.brand.logo.as_ref().ok_or(Error::NotFound)?;
    let answer = HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, logo.media_type.clone()))
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .body(logo.bytes.clone());
    Ok(answer)
}

async fn favicon() -> HttpResponse {
    assets::answer("favicon.svg", "public, max-age=86400")
}
