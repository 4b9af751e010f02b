//! A key's people change it: all of it at once, and none of it unseen.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use latchkey_rules::access::Access;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::role::Role;
use serde_json::json;

use super::change::{changed, find_own};
use super::create::{assign, offered};
use super::get;
use super::scopes;
use super::sealed::{forget_sealed, may_be_sealed};
use super::terms::{Columns, KeyTerms, differences, responsible};
use crate::store::Change;
use crate::store::audit::Action;
use crate::store::error::{Conflict, Error, Result, unless_unique};
use crate::store::products::{self, rows_of_all};
use crate::store::schema::{key_products, keys};
use crate::store::scope::{AccountScope, lock_account};

/// Changes a key that is still as it was when the form was shown.
///
/// # Errors
/// `Stale` when it was changed since; `NameTaken`; `ProductUnknown`; `ScopeUnknown`; `BillingNotOffered`; `NotFound`; `Forbidden`, also for admin access by
/// somebody who is no owner.
pub fn edit(
    change: &mut Change<'_>,
    scope: &AccountScope,
    key_id: &KeyId,
    generation: i64,
    new: &KeyTerms,
) -> Result<()> {
    let account = lock_account(change, scope)?;
    let found = find_own(change, scope, key_id)?;
    if found.generation != generation {
        return Err(Conflict::Stale.into());
    }
    let old = get(change, scope, key_id)?;
    if new.access == Access::Admin && old.access != Access::Admin && scope.role() < Role::Owner {
        return Err(Error::Forbidden);
    }
    let products = rows_of_all(change, &new.products)?;
    let own = keys::table.filter(keys::id.eq(found.row));
    diesel::update(own)
        .set(&Columns::of(new))
        .execute(&mut change.conn)
        .map_err(unless_unique(Conflict::NameTaken))?;
    if let Some(text) = &new.responsible {
        let (person, name) = responsible(change, scope, text)?;
        diesel::update(own)
            .set((
                keys::responsible_user_id.eq(person),
                keys::responsible_name.eq(name),
            ))
            .execute(&mut change.conn)?;
    }
    if let Some(billing) = new.billing.filter(|billing| *billing != old.billing) {
        let billing = offered(&account, billing)?;
        diesel::update(own)
            .set(keys::billing_type.eq(billing.word()))
            .execute(&mut change.conn)?;
    }
    diesel::delete(key_products::table.filter(key_products::key_row.eq(found.row)))
        .execute(&mut change.conn)?;
    assign(change, found.row, &products)?;
    scopes::bind(change, found.row, &new.scopes)?;
    if !may_be_sealed(change, old.kind, &products)? {
        forget_sealed(change, found.row)?;
    }
    let (before, after) = differences(&old, new);
    changed(
        change,
        scope.actor(),
        key_id,
        &found,
        Action::KeyEdited,
        Some(before),
        Some(after),
    )
}

/// Makes a key good for one more product, and for those that it needs. False when it was already.
///
/// # Errors
/// `ProductUnknown`, `NotFound`, `Forbidden`.
pub fn add_product(
    change: &mut Change<'_>,
    scope: &AccountScope,
    key_id: &KeyId,
    slug: &str,
) -> Result<bool> {
    lock_account(change, scope)?;
    let found = find_own(change, scope, key_id)?;
    let old = get(change, scope, key_id)?;
    if old.products.iter().any(|one| one.slug == slug) {
        return Ok(false);
    }
    let before: Vec<String> = old.products.iter().map(|one| one.slug.clone()).collect();
    let mut after: Vec<String> = before.iter().cloned().chain([slug.to_owned()]).collect();
    let known = products::all(change)?;
    let needed = products::lacking(&after, &known);
    after.extend(needed.iter().map(|product| product.slug.to_string()));
    let (_, added) = after.split_at(before.len());
    let new = rows_of_all(change, added)?;
    assign(change, found.row, &new)?;
    if !may_be_sealed(change, old.kind, &new)? {
        forget_sealed(change, found.row)?;
    }
    changed(
        change,
        scope.actor(),
        key_id,
        &found,
        Action::KeyEdited,
        Some(json!({ "products": before })),
        Some(json!({ "products": after })),
    )?;
    Ok(true)
}
