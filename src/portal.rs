//! The pages, one file a family. A page takes a scope, asks the store once, prints a view: no SQL, no rule of its own.

mod account;
mod audit;
pub mod chart;
mod confirm;
mod docs;
mod keys;
mod limits;
mod preferences;
mod profile;
mod receipts;
mod reset;
mod set_password;
mod sign_in;
mod sign_up;
mod staff;
mod start;

use actix_web::HttpResponse;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};

use crate::web::error::Error;
use crate::web::route::Route;
use crate::web::{Shared, assets, rim, session, visitor};

/// Every route of the portal, for the test that walks them.
pub fn routes() -> Vec<Route> {
    let families = [
        start::ROUTES,
        sign_in::ROUTES,
        sign_up::ROUTES,
        set_password::ROUTES,
        reset::ROUTES,
        confirm::ROUTES,
        account::ROUTES,
        audit::ROUTES,
        keys::ROUTES,
        limits::ROUTES,
        staff::ROUTES,
        preferences::ROUTES,
        docs::ROUTES,
        receipts::ROUTES,
    ];
    let mut routes = families.concat();
    routes.extend(profile::routes());
    routes
}

/// Registers the portal: the rim around everything, sessions around the pages.
pub fn configure(shared: Data<Shared>) -> impl FnOnce(&mut ServiceConfig) {
    move |cfg| {
        cfg.app_data(shared.limits);
        let pages = web::scope("")
            .wrap(from_fn(visitor::welcome))
            .wrap(session::middleware(&shared))
            .configure(start::configure)
            .configure(sign_in::configure)
            .configure(sign_up::configure)
            .configure(set_password::configure)
            .configure(reset::configure)
            .configure(confirm::configure)
            .configure(profile::configure)
            .configure(account::configure)
            .configure(audit::configure)
            .configure(keys::configure)
            .configure(limits::configure)
            .configure(staff::configure)
            .configure(preferences::configure)
            .configure(docs::configure)
            .configure(receipts::configure)
            .default_service(web::to(nothing_here));
        let all = web::scope("")
            .wrap(from_fn(rim::rim))
            .configure(assets::configure)
            .configure(start::configure_brand)
            .service(pages);
        cfg.app_data(shared).service(all);
    }
}

async fn nothing_here() -> Result<HttpResponse, Error> {
    Err(Error::NotFound)
}
