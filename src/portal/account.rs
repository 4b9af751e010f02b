//! An account's start page. Until there is an overview, it leads to the keys.

use actix_web::HttpResponse;

use crate::web::error::Error;
use crate::web::render;
use crate::web::scope::{Member, Viewer};

crate::routes! {
    GET "/accounts/{account}" Viewer => show;
}

async fn show(member: Member<Viewer>) -> Result<HttpResponse, Error> {
    Ok(render::see_other(&format!(
        "/accounts/{}/keys",
        member.scope.slug()
    )))
}
