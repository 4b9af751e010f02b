//! The scopes of products: parts that a key can be bound to.

use std::collections::HashMap;

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use latchkey_rules::product::{PathPrefix, ResourceScope};
use latchkey_rules::slug::Slug;

use crate::store::columns::{lines, readable};
use crate::store::error::Result;
use crate::store::schema::product_scopes;
use crate::store::{Change, Reader};

/// Those of all products, by their rows, in the operator's order.
pub(super) fn of_all(reader: &mut Reader) -> Result<HashMap<i64, Vec<ResourceScope>>> {
    let rows = product_scopes::table
        .order((
            product_scopes::product_row.asc(),
            product_scopes::place.asc(),
        ))
        .select((
            product_scopes::product_row,
            product_scopes::slug,
            product_scopes::name,
            product_scopes::prefixes,
        ))
        .load::<(i64, String, String, String)>(&mut reader.conn)?;
    let mut all: HashMap<i64, Vec<ResourceScope>> = HashMap::new();
    for (row, slug, name, prefixes) in rows {
        let prefixes = lines(&prefixes)
            .iter()
            .map(|text| readable("path", PathPrefix::parse(text)))
            .collect::<Result<_>>()?;
        all.entry(row).or_default().push(ResourceScope {
            slug: readable("slug", Slug::parse(&slug))?,
            name,
            prefixes,
        });
    }
    Ok(all)
}

pub(super) fn insert_scopes(
    change: &mut Change<'_>,
    row: i64,
    scopes: &[ResourceScope],
) -> Result<()> {
    for (place, scope) in (0_i16..).zip(scopes) {
        let prefixes: Vec<&str> = scope.prefixes.iter().map(PathPrefix::as_str).collect();
        diesel::insert_into(product_scopes::table)
            .values((
                product_scopes::product_row.eq(row),
                product_scopes::slug.eq(scope.slug.as_str()),
                product_scopes::place.eq(place),
                product_scopes::name.eq(&scope.name),
                product_scopes::prefixes.eq(prefixes.join("\n")),
            ))
            .execute(&mut change.conn)?;
    }
    Ok(())
}
