//! A product that lies elsewhere now.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use latchkey_rules::product::ProductFacts;
use serde_json::json;

use super::add::{catalogue, insert_routes};
use super::{NewProduct, Product, stored};
use crate::store::Change;
use crate::store::audit::{Action, Event, record};
use crate::store::changes::{ChangeKind, log, next_generation};
use crate::store::error::{Error, Result};
use crate::store::schema::{product_routes, products};
use crate::store::scope::{OperatorScope, Overseer};

/// Gives a product the routes and the sample request of `product`, and says whether it had others.
///
/// # Errors
/// `NotFound`; `RouteTaken` or `Catalogue` when the products together would make none.
pub fn relocate(
    change: &mut Change<'_>,
    scope: &OperatorScope,
    product: &NewProduct,
) -> Result<bool> {
    let all = stored(change)?;
    let found = all.iter().find(|s| s.product.slug == product.slug);
    let found = found.ok_or(Error::NotFound)?;
    let before = &found.product;
    if before.routes == product.routes && before.sample == product.sample {
        return Ok(false);
    }
    let moved = |known: &Product| {
        let is_it = known.slug == product.slug;
        if is_it {
            product.facts()
        } else {
            known.facts()
        }
    };
    let facts: Vec<ProductFacts> = all.iter().map(|s| moved(&s.product)).collect();
    catalogue(facts)?;
    let generation = next_generation(found.generation)?;
    diesel::delete(product_routes::table.filter(product_routes::product_row.eq(found.row)))
        .execute(&mut change.conn)?;
    insert_routes(change, found.row, product)?;
    diesel::update(products::table.filter(products::id.eq(found.row)))
        .set((
            products::sample_method.eq(&product.sample.method),
            products::sample_url.eq(&product.sample.url),
            products::sample_expect.eq(&product.sample.expect),
            products::generation.eq(generation),
        ))
        .execute(&mut change.conn)?;
    log(change, ChangeKind::Product, found.row, generation)?;
    let event = Event {
        account: None,
        action: Action::ProductMoved,
        target: product.slug.to_string(),
        before: Some(json!({ "routes": words(before) })),
        after: Some(json!({ "routes": words(product) })),
    };
    record(change, scope.actor(), event)?;
    Ok(true)
}

/// Says how often a second a key may ask for the product; every gate holds keys to it within a second.
///
/// # Errors
/// `NotFound` when there is no such product.
pub fn set_rate(
    change: &mut Change<'_>,
    scope: &OperatorScope,
    slug: &str,
    per_second: Option<u32>,
) -> Result<()> {
    let all = stored(change)?;
    let found = all.iter().find(|s| s.product.slug.as_str() == slug);
    let found = found.ok_or(Error::NotFound)?;
    let generation = next_generation(found.generation)?;
    diesel::update(products::table.filter(products::id.eq(found.row)))
        .set((
            products::per_second.eq(per_second.map(i64::from)),
            products::generation.eq(generation),
        ))
        .execute(&mut change.conn)?;
    log(change, ChangeKind::Product, found.row, generation)?;
    let event = Event {
        account: None,
        action: Action::ProductRateChanged,
        target: slug.to_owned(),
        before: Some(json!({ "per_second": found.product.per_second })),
        after: Some(json!({ "per_second": per_second })),
    };
    record(change, scope.may_change()?, event)
}

fn words(product: &Product) -> Vec<String> {
    let pair = |route: &latchkey_rules::product::RouteFacts| {
        format!("{}{}", route.host, route.prefix.as_str())
    };
    product.routes.iter().map(pair).collect()
}
