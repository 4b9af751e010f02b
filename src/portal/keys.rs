//! The keys of an account: the list, a key's page, making and deleting one, its activity. What is true of keys is in
//! `rules`, what is kept of them in the store.

mod activity;
pub(super) mod callers;
mod counts;
mod create;
pub(super) mod csv;
mod delete;
mod edit;
mod examples;
mod explain;
pub(super) mod exposed;
mod facts;
mod fresh;
mod grace;
mod limits;
mod list;
mod pause;
pub(super) mod proof;
mod reveal;
mod rotate;
mod rotation;
mod secret;
mod selected;
mod show;
mod terms;
mod used;

use latchkey_rules::key_id::KeyId;
use serde::Deserialize;

use crate::store::keys::{self as stored, Key};
use crate::store::scope::AccountScope;
use crate::web::Shared;
use crate::web::error::Error;

crate::routes! {
    GET "/accounts/{account}/keys" Viewer => list::list;
    GET "/accounts/{account}/keys.csv" Viewer => list::download;
    GET "/accounts/{account}/keys/selected" Developer => selected::confirm;
    POST "/accounts/{account}/keys/selected" Developer => selected::apply;
    GET "/accounts/{account}/keys/new" Developer => create::new;
    POST "/accounts/{account}/keys/new" Developer => create::create;
    GET "/accounts/{account}/keys/{key_id}" Viewer => show::show;
    GET "/accounts/{account}/keys/{key_id}/first-request" Viewer => fresh::first_request;
    GET "/accounts/{account}/keys/{key_id}/today" Viewer => fresh::today;
    GET "/accounts/{account}/keys/{key_id}/calling" Viewer => callers::calling;
    GET "/accounts/{account}/keys/{key_id}/proof" Viewer => proof::fresh;
    GET "/accounts/{account}/keys/{key_id}/callers" Viewer => callers::week;
    GET "/accounts/{account}/keys/{key_id}/activity" Viewer => activity::show;
    GET "/accounts/{account}/keys/{key_id}/activity.csv" Viewer => activity::download;
    GET "/accounts/{account}/keys/{key_id}/explain" Viewer => explain::new;
    POST "/accounts/{account}/keys/{key_id}/explain" Viewer => explain::explain;
    GET "/accounts/{account}/keys/{key_id}/edit" Developer => edit::edit;
    POST "/accounts/{account}/keys/{key_id}/edit" Developer => edit::update;
    GET "/accounts/{account}/keys/{key_id}/rotate" Developer => rotate::new;
    POST "/accounts/{account}/keys/{key_id}/rotate" Developer => rotate::rotate;
    GET "/accounts/{account}/keys/{key_id}/grace" Developer => grace::edit;
    POST "/accounts/{account}/keys/{key_id}/grace" Developer => grace::update;
    GET "/accounts/{account}/keys/{key_id}/reveal" Viewer => reveal::confirm;
    POST "/accounts/{account}/keys/{key_id}/reveal" Viewer => reveal::reveal;
    GET "/accounts/{account}/keys/{key_id}/limits" Viewer => limits::show;
    POST "/accounts/{account}/keys/{key_id}/limits" Owner => limits::update;
    GET "/accounts/{account}/keys/{key_id}/pause" Developer => pause::new;
    POST "/accounts/{account}/keys/{key_id}/pause" Developer => pause::pause;
    POST "/accounts/{account}/keys/{key_id}/resume" Developer => pause::resume;
    POST "/accounts/{account}/keys/{key_id}/restore" Developer => pause::restore;
    GET "/accounts/{account}/keys/{key_id}/delete" Developer => delete::confirm;
    POST "/accounts/{account}/keys/{key_id}/delete" Developer => delete::delete;
}

/// What whoever comes second reads.
const CHANGED: &str = "This key was changed in the meantime. Look at it again before you go on.";

/// The key that a path names, if it is one of the account's.
async fn read_key(shared: &Shared, scope: &AccountScope, path: &KeyPath) -> Result<Key, Error> {
    let (scope, key_id) = (scope.clone(), path.key_id()?);
    let read = shared.db.read(move |r| stored::get(r, &scope, &key_id));
    Ok(read.await?)
}

/// The key that a path names, as it stands there.
#[derive(Debug, Deserialize)]
pub(crate) struct KeyPath {
    key_id: String,
}

impl KeyPath {
    /// The key ID. A text that is none names nothing, as an ID that was never drawn does.
    fn key_id(&self) -> Result<KeyId, Error> {
        self.key_id.parse().map_err(|_key_id_error| Error::NotFound)
    }
}
