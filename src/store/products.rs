//! Products: what a key can be good for, and the hosts and paths that belong to each.
//!
//! It must not know how a request is matched; whether the products make a catalogue, the rules say.

use std::collections::HashMap;

use diesel::{ExpressionMethods, QueryDsl, Queryable, RunQueryDsl};
use latchkey_rules::environment::{Environment, EnvironmentSet};
use latchkey_rules::name::folded;
use latchkey_rules::product::{
    Catalogue, CatalogueError, HostPattern, KeyInQuery, PathPrefix, ProductFacts, RouteFacts,
};
use latchkey_rules::slug::Slug;
use serde_json::json;

use super::audit::{Action, Event, record};
use super::changes::{ChangeKind, log};
use super::columns::{unreadable, word};
use super::error::{Conflict, Error, Result, unless_unique};
use super::schema::{product_admin_prefixes, product_routes, products};
use super::scope::OperatorScope;
use super::{Change, Reader};

/// A request that shows what a product does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Its method.
    pub method: String,
    /// Its URL.
    pub url: String,
    /// What one should see.
    pub expect: String,
}

/// A product.
#[derive(Clone, Debug)]
pub struct Product {
    /// Its name in paths and requests.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// What it is: `API`, `SDK`.
    pub kind: String,
    /// Where it is documented.
    pub docs_url: Option<String>,
    /// A request to try.
    pub sample: Sample,
    /// Which keys it takes from the query.
    pub key_in_query: KeyInQuery,
    /// Whether it also needs a bearer token.
    pub needs_token: bool,
    /// The hosts and paths that belong to it.
    pub routes: Vec<RouteFacts>,
    /// The paths that need the access admin.
    pub admin_prefixes: Vec<PathPrefix>,
}

/// A product that is to be added.
pub type NewProduct = Product;

impl Product {
    /// What the catalogue needs of it.
    pub fn facts(&self) -> ProductFacts {
        ProductFacts {
            slug: self.slug.clone(),
            name: self.name.clone(),
            key_in_query: self.key_in_query,
            routes: self.routes.clone(),
            admin_prefixes: self.admin_prefixes.clone(),
        }
    }
}

#[derive(Queryable)]
struct ProductRow {
    id: i64,
    slug: String,
    name: String,
    _name_key: String,
    kind: String,
    docs_url: Option<String>,
    sample_method: String,
    sample_url: String,
    sample_expect: String,
    key_in_query: String,
    needs_token: bool,
    _recoverable: bool,
    _per_second: Option<i64>,
    _created_at: i64,
    generation: i64,
}

/// A product with its row.
pub(super) struct Stored {
    pub(super) row: i64,
    pub(super) generation: i64,
    pub(super) product: Product,
}

/// All products, by name.
///
/// # Errors
/// When the database does not answer.
pub fn all(reader: &mut Reader) -> Result<Vec<Product>> {
    let mut all: Vec<Product> = stored(reader)?.into_iter().map(|s| s.product).collect();
    all.sort_by_cached_key(|product| folded(&product.name));
    Ok(all)
}

/// How many products there are.
///
/// # Errors
/// When the database does not answer.
pub fn count(reader: &mut Reader) -> Result<i64> {
    Ok(products::table.count().get_result(&mut reader.conn)?)
}

/// All products with their rows, in the order in which they were added.
pub(super) fn stored(reader: &mut Reader) -> Result<Vec<Stored>> {
    let rows = products::table
        .order(products::id.asc())
        .select(products::all_columns)
        .load::<ProductRow>(&mut reader.conn)?;
    let mut routes: HashMap<i64, Vec<RouteFacts>> = HashMap::new();
    let route_rows = product_routes::table
        .order(product_routes::id.asc())
        .select((
            product_routes::product_row,
            product_routes::host,
            product_routes::path,
            product_routes::environments,
        ))
        .load::<(i64, String, String, String)>(&mut reader.conn)?;
    for (row, host, path, environments) in route_rows {
        routes.entry(row).or_default().push(RouteFacts {
            host: HostPattern::parse(&host).map_err(|_| unreadable("host"))?,
            prefix: PathPrefix::parse(&path).map_err(|_| unreadable("path"))?,
            environments: environment_set(&environments)?,
        });
    }
    let mut prefixes: HashMap<i64, Vec<PathPrefix>> = HashMap::new();
    let prefix_rows = product_admin_prefixes::table
        .order(product_admin_prefixes::prefix.asc())
        .select(product_admin_prefixes::all_columns)
        .load::<(i64, String)>(&mut reader.conn)?;
    for (row, prefix) in prefix_rows {
        let prefix = PathPrefix::parse(&prefix).map_err(|_| unreadable("path"))?;
        prefixes.entry(row).or_default().push(prefix);
    }
    rows.into_iter()
        .map(|row| {
            let (routes, prefixes) = (routes.remove(&row.id), prefixes.remove(&row.id));
            row.with(routes.unwrap_or_default(), prefixes.unwrap_or_default())
        })
        .collect()
}

impl ProductRow {
    fn with(self, routes: Vec<RouteFacts>, admin_prefixes: Vec<PathPrefix>) -> Result<Stored> {
        Ok(Stored {
            row: self.id,
            generation: self.generation,
            product: Product {
                slug: Slug::parse(&self.slug).map_err(|_| unreadable("slug"))?,
                name: self.name,
                kind: self.kind,
                docs_url: self.docs_url,
                sample: Sample {
                    method: self.sample_method,
                    url: self.sample_url,
                    expect: self.sample_expect,
                },
                key_in_query: word(&self.key_in_query, KeyInQuery::from_word)?,
                needs_token: self.needs_token,
                routes,
                admin_prefixes,
            },
        })
    }
}

fn environment_set(words: &str) -> Result<EnvironmentSet> {
    words
        .split_whitespace()
        .map(|text| word(text, Environment::from_word))
        .collect()
}

/// Adds a product.
///
/// # Errors
/// `SlugTaken`, `RouteTaken`, or `Catalogue` when the products together would make none.
pub fn add(change: &mut Change<'_>, scope: &OperatorScope, product: &NewProduct) -> Result<()> {
    let mut facts: Vec<ProductFacts> = stored(change)?.iter().map(|s| s.product.facts()).collect();
    facts.push(product.facts());
    Catalogue::build(facts).map_err(|error| match error {
        CatalogueError::SameSlug(_) => Error::Conflict(Conflict::SlugTaken),
        CatalogueError::SameRoute { .. } => Error::Conflict(Conflict::RouteTaken),
        CatalogueError::TooMany => Error::Conflict(Conflict::Catalogue(error.to_string())),
    })?;
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
            products::created_at.eq(now.0),
            products::generation.eq(1),
        ))
        .returning(products::id)
        .get_result(&mut change.conn)
        .map_err(unless_unique(Conflict::SlugTaken))?;
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

fn row_of(reader: &mut Reader, slug: &str) -> Result<Option<i64>> {
    Ok(rows_of(reader, &[slug.to_owned()])?.first().copied())
}

/// The rows of the products with these slugs, as many as there are.
fn rows_of(reader: &mut Reader, slugs: &[String]) -> Result<Vec<i64>> {
    Ok(products::table
        .filter(products::slug.eq_any(slugs.to_vec()))
        .select(products::id)
        .load(&mut reader.conn)?)
}

/// The rows of all these products.
///
/// # Errors
/// Names the first that is not there.
pub(super) fn rows_of_all(reader: &mut Reader, slugs: &[String]) -> Result<Vec<i64>> {
    let mut wanted = slugs.to_vec();
    wanted.sort();
    wanted.dedup();
    let mut rows = rows_of(reader, &wanted)?;
    if rows.len() < wanted.len() {
        for slug in wanted {
            if row_of(reader, &slug)?.is_none() {
                return Err(Conflict::ProductUnknown { slug }.into());
            }
        }
    }
    rows.sort_unstable();
    Ok(rows)
}
