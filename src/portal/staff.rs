//! Pages of staff: support looks and explains, an admin also switches keys off and on. They reach every account and no
//! secret, and know nothing of an account's own pages.

mod keys;
mod look_up;
mod pasted;
mod standing;

use actix_web::HttpResponse;

use crate::web::{
    error::Error,
    render,
    scope::{Staff, Support},
};

crate::routes! {
    GET "/staff" Support => start;
    GET "/staff/look-up" Support => look_up::new;
    POST "/staff/look-up" Support => look_up::look_up;
    GET "/staff/keys/{key_id}" Support => keys::show;
    GET "/staff/keys/{key_id}/proof" Support => keys::proof;
    GET "/staff/keys/{key_id}/disable" Admin => standing::ask;
    POST "/staff/keys/{key_id}/disable" Admin => standing::disable;
    POST "/staff/keys/{key_id}/enable" Admin => standing::enable;
}

async fn start(_scope: Staff<Support>) -> Result<HttpResponse, Error> {
    Ok(render::see_other("/staff/look-up"))
}
