//! A key as staff see it: how it stands, whose it is, what it was used for today and in thirty days. It shows no secret,
//! and changes nothing: `standing` does.

mod notices;
mod view;

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use latchkey_rules::key_id::KeyId;

use crate::portal::chart;
use crate::portal::keys::callers;
use crate::portal::keys::proof::{Ended, Proof, ProofView, proved};
use crate::store::{activity, callers as stored_callers, exposures, keys, nodes};
use crate::web::{
    Shared,
    error::Error,
    frame::Frame,
    render,
    scope::{Staff, Support},
};

pub(crate) async fn show(
    staff: Staff<Support>,
    path: Path<String>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let id = named(&path)?;
    let scope = staff.scope.clone();
    let now = frame.now();
    let read = shared.db.read(move |r| {
        let found = keys::find(r, &scope, &id)?;
        let from = chart::first_day(now);
        let counted = activity::of_key_for_staff(r, &scope, &id, from, now.plus_ms(1))?;
        let since = now.plus_ms(-callers::DAY);
        let called = stored_callers::of_key_for_staff(r, &scope, &id, since)?;
        let proved = proved(&found.key, now, |at| {
            nodes::proof_for_staff(r, &scope, &id, at)
        })?;
        let exposed = exposures::of_key_for_staff(r, &scope, &id)?;
        Ok((found, counted, called, proved, exposed))
    });
    let (found, counted, called, nodes, exposed) = read.await?;
    render::ok(&view::ShowView::new(
        frame,
        staff.scope.role(),
        &found,
        &counted,
        called,
        nodes,
        &exposed,
    ))
}

pub(crate) async fn proof(
    staff: Staff<Support>,
    path: Path<String>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let (scope, id, now) = (staff.scope.clone(), named(&path)?, frame.now());
    let read = shared.db.read(move |r| {
        let found = keys::find(r, &scope, &id)?;
        let proved = proved(&found.key, now, |at| {
            nodes::proof_for_staff(r, &scope, &id, at)
        })?;
        Ok((found.key, proved))
    });
    let (key, nodes) = read.await?;
    let ended = Ended::of(&key, now);
    render::ok(&ProofView {
        proof: Proof::of(&key, ended, nodes, &frame),
    })
}

/// The key that a path names. What cannot be an ID is not there.
pub(crate) fn named(path: &str) -> Result<KeyId, Error> {
    KeyId::parse(path).map_err(|_no_id| Error::NotFound)
}
