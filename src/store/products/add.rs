//! A product comes to be.

use diesel::{ExpressionMethods, RunQueryDsl};
use latchkey_rules::environment::Environment;
use latchkey_rules::name::folded;
use latchkey_rules::product::{Catalogue, CatalogueError, ProductFacts};
use latchkey_rules::slug::Slug;
use serde_json::json;

use super::scopes::insert_scopes;
use super::{NewProduct, row_of, stored};
use crate::store::Change;
use crate::store::audit::{Action, Event, record};
use crate::store::changes::{ChangeKind, log};
use crate::store::error::{Conflict, Error, Result, unless_unique};
use crate::store::schema::{product_admin_prefixes, product_routes, products};
use crate::store::scope::OperatorScope;

/// Adds a product.
///
/// # Errors
/// `SlugTaken`, `RouteTaken`, or `Catalogue` when the products together would make none.
pub fn add(change: &mut Change<'_>, scope: &OperatorScope, product: &NewProduct) -> Result<()> {
    let mut facts: Vec<ProductFacts> = stored(change)?.iter().map(|s| s.product.facts()).collect();
    facts.push(product.facts());
    catalogue(facts)?;
    let row = insert(change, product)?;
    log(change, ChangeKind::Product, row, 1)?;
    let event = Event {
        account: None,
        action: Action::ProductAdded,
        target: product.slug.to_string(),
        before: None,
        after: Some(json!({ "name": product.name, "kind": product.kind })),
    };
    record(change, scope.actor(), event)
}

/// Whether these make a catalogue together.
pub(super) fn catalogue(facts: Vec<ProductFacts>) -> Result<Catalogue> {
    Catalogue::build(facts).map_err(|error| match error {
        CatalogueError::SameSlug(_) => Error::Conflict(Conflict::SlugTaken),
        CatalogueError::SameRoute { .. } => Error::Conflict(Conflict::RouteTaken),
        CatalogueError::TooMany
        | CatalogueError::SameScope { .. }
        | CatalogueError::TooManyScopes(_) => {
            Error::Conflict(Conflict::Catalogue(error.to_string()))
        }
    })
}

fn insert(change: &mut Change<'_>, product: &NewProduct) -> Result<i64> {
    let now = change.now();
    let row: i64 = diesel::insert_into(products::table)
        .values((
            products::slug.eq(product.slug.as_str()),
            products::name.eq(&product.name),
            products::name_key.eq(folded(&product.name)),
            products::kind.eq(&product.kind),
            products::docs_url.eq(&product.docs_url),
            products::sample_method.eq(&product.sample.method),
            products::sample_url.eq(&product.sample.url),
            products::sample_expect.eq(&product.sample.expect),
            products::key_in_query.eq(product.key_in_query.word()),
            products::needs_token.eq(product.needs_token),
            products::per_second.eq(product.per_second.map(i64::from)),
            products::recoverable.eq(product.recoverable),
            products::needs.eq(words(&product.needs)),
            products::created_at.eq(now.0),
            products::generation.eq(1),
        ))
        .returning(products::id)
        .get_result(&mut change.conn)
        .map_err(unless_unique(Conflict::SlugTaken))?;
    insert_routes(change, row, product)?;
    insert_scopes(change, row, &product.scopes)?;
    for prefix in &product.admin_prefixes {
        diesel::insert_into(product_admin_prefixes::table)
            .values((
                product_admin_prefixes::product_row.eq(row),
                product_admin_prefixes::prefix.eq(prefix.as_str()),
            ))
            .execute(&mut change.conn)?;
    }
    Ok(row)
}

fn words(slugs: &[Slug]) -> String {
    let words: Vec<&str> = slugs.iter().map(Slug::as_str).collect();
    words.join(" ")
}

pub(super) fn insert_routes(change: &mut Change<'_>, row: i64, product: &NewProduct) -> Result<()> {
    for route in &product.routes {
        let named: Vec<&str> = route.environments.named().map(Environment::word).collect();
        diesel::insert_into(product_routes::table)
            .values((
                product_routes::product_row.eq(row),
                product_routes::host.eq(route.host.to_string()),
                product_routes::path.eq(route.prefix.as_str()),
                product_routes::environments.eq(named.join(" ")),
            ))
            .execute(&mut change.conn)
            .map_err(unless_unique(Conflict::RouteTaken))?;
    }
    Ok(())
}

/// Adds those products whose slug is not there yet, and says how many: what the configuration seeds once.
///
/// # Errors
/// As [`add`].
pub fn seed(
    change: &mut Change<'_>,
    scope: &OperatorScope,
    products: &[NewProduct],
) -> Result<usize> {
    let mut added = 0;
    for product in products {
        if row_of(change, product.slug.as_str())?.is_none() {
            add(change, scope, product)?;
            added += 1;
        }
    }
    Ok(added)
}
