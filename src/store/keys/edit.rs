//! What a key's people may change of it, as a whole and at once.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use latchkey_rules::access::Access;
use latchkey_rules::domain::DomainPattern;
use latchkey_rules::ip_range::IpRange;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::name::KeyName;
use latchkey_rules::role::Role;
use latchkey_rules::time::Millis;
use serde_json::{Map, Value, json};

use super::change::{changed, find_own};
use super::create::assign;
use super::{Key, get};
use crate::store::Change;
use crate::store::audit::Action;
use crate::store::error::{Conflict, Error, Result, unless_unique};
use crate::store::products::rows_of_all;
use crate::store::schema::{key_products, keys};
use crate::store::scope::{AccountScope, lock_account};

/// A key as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEdit {
    /// Its name.
    pub name: KeyName,
    /// What it may do.
    pub access: Access,
    /// The slugs of the products that it is good for.
    pub products: Vec<String>,
    /// The domains that it is bound to.
    pub domains: Vec<DomainPattern>,
    /// The addresses that it is bound to.
    pub ips: Vec<IpRange>,
    /// When it expires.
    pub expires_at: Option<Millis>,
    /// Its people's note.
    pub note: String,
}

/// Changes a key that is still as it was when the form was shown.
///
/// # Errors
/// `Stale` when it was changed since; `NameTaken`; `ProductUnknown`; `NotFound`; `Forbidden`, also for admin access by
/// somebody who is no owner.
pub fn edit(
    change: &mut Change<'_>,
    scope: &AccountScope,
    key_id: &KeyId,
    generation: i64,
    new: &KeyEdit,
) -> Result<()> {
    lock_account(change, scope)?;
    let found = find_own(change, scope, key_id)?;
    if found.generation != generation {
        return Err(Conflict::Stale.into());
    }
    let old = get(change, scope, key_id)?;
    if new.access == Access::Admin && old.access != Access::Admin && scope.role() < Role::Owner {
        return Err(Error::Forbidden);
    }
    let products = rows_of_all(change, &new.products)?;
    diesel::update(keys::table.filter(keys::id.eq(found.row)))
        .set((
            keys::name.eq(new.name.as_str()),
            keys::name_key.eq(new.name.folded()),
            keys::access.eq(new.access.word()),
            keys::domains.eq(lines(&new.domains)),
            keys::ips.eq(lines(&new.ips)),
            keys::expires_at.eq(new.expires_at.map(|at| at.0)),
            keys::note.eq(&new.note),
        ))
        .execute(&mut change.conn)
        .map_err(unless_unique(Conflict::NameTaken))?;
    diesel::delete(key_products::table.filter(key_products::key_row.eq(found.row)))
        .execute(&mut change.conn)?;
    assign(change, found.row, &products)?;
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

/// A list, one entry a line.
fn lines(entries: &[impl ToString]) -> String {
    let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
    entries.join("\n")
}

/// What was so before and is so after, of what is not the same.
fn differences(old: &Key, new: &KeyEdit) -> (Value, Value) {
    let mut products = new.products.clone();
    products.sort();
    let mut old_products: Vec<&str> = old.products.iter().map(|one| one.slug.as_str()).collect();
    old_products.sort_unstable();
    let text = |entries: String| -> Vec<String> { entries.lines().map(str::to_owned).collect() };
    let both = [
        ("name", json!(old.name), json!(new.name.as_str())),
        ("access", json!(old.access.word()), json!(new.access.word())),
        ("products", json!(old_products), json!(products)),
        (
            "domains",
            json!(old.domains),
            json!(text(lines(&new.domains))),
        ),
        ("ips", json!(old.ips), json!(text(lines(&new.ips)))),
        (
            "expires_at",
            json!(old.expires_at.map(|at| at.0)),
            json!(new.expires_at.map(|at| at.0)),
        ),
        ("note", json!(old.note), json!(new.note)),
    ];
    let (mut before, mut after) = (Map::new(), Map::new());
    for (name, was, is) in both.into_iter().filter(|(_, was, is)| was != is) {
        before.insert(name.to_owned(), was);
        after.insert(name.to_owned(), is);
    }
    (Value::Object(before), Value::Object(after))
}
