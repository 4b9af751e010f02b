//! The scopes that a key has of its products. Without any it has the whole product.

use std::collections::{BTreeMap, HashMap};

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use latchkey_rules::product::ScopeName;

use crate::store::error::{Conflict, Result};
use crate::store::schema::{key_products, product_scopes, products};
use crate::store::{Change, Reader};

/// A part of a product that a key is good for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProductPart {
    /// Its name for people.
    pub name: String,
    /// Its slug.
    pub slug: String,
}

/// Binds a key to these scopes of products that it has been given whole.
///
/// # Errors
/// `ScopeUnknown` for one that the product does not have, or of a product that the key does not have.
pub(super) fn bind(change: &mut Change<'_>, key: i64, scopes: &[ScopeName]) -> Result<()> {
    let mut of_products: BTreeMap<&str, Vec<&ScopeName>> = BTreeMap::new();
    for name in scopes {
        let names = of_products.entry(name.product.as_str()).or_default();
        names.push(name);
    }
    for (product, mut names) in of_products {
        names.sort();
        names.dedup();
        let known: Vec<(i64, String)> = product_scopes::table
            .inner_join(products::table)
            .filter(products::slug.eq(product))
            .select((product_scopes::product_row, product_scopes::slug))
            .load(&mut change.conn)?;
        let is_known = |name: &ScopeName| known.iter().any(|(_, slug)| slug == name.scope.as_str());
        if let Some(unknown) = names.iter().find(|name| !is_known(name)) {
            return Err(unknown_scope(unknown));
        }
        let slugs: Vec<&str> = names.iter().map(|name| name.scope.as_str()).collect();
        let row = known.first().map(|(row, _)| *row).unwrap_or_default();
        let bound = key_products::table
            .filter(key_products::key_row.eq(key))
            .filter(key_products::product_row.eq(row));
        let changed = diesel::update(bound)
            .set(key_products::scopes.eq(slugs.join(" ")))
            .execute(&mut change.conn)?;
        if changed == 0
            && let Some(name) = names.first()
        {
            return Err(unknown_scope(name));
        }
    }
    Ok(())
}

fn unknown_scope(name: &ScopeName) -> crate::store::error::Error {
    let scope = name.to_string();
    Conflict::ScopeUnknown { scope }.into()
}

/// The names of all scopes, by their products' slugs; read only where a key has some.
pub(super) fn names(reader: &mut Reader) -> Result<HashMap<(String, String), String>> {
    let rows: Vec<(String, String, String)> = product_scopes::table
        .inner_join(products::table)
        .select((products::slug, product_scopes::slug, product_scopes::name))
        .load(&mut reader.conn)?;
    let named = |(product, slug, name)| ((product, slug), name);
    Ok(rows.into_iter().map(named).collect())
}
