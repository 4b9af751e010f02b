//! Products: what a key can be good for, and the hosts and paths that belong to each.
//!
//! It must not know how a request is matched; whether the products make a catalogue, the rules say.

mod add;
mod moved;
mod scopes;

use std::collections::HashMap;

use diesel::{ExpressionMethods, QueryDsl, Queryable, RunQueryDsl};
use latchkey_rules::environment::{Environment, EnvironmentSet};
use latchkey_rules::name::folded;
use latchkey_rules::path::split_target;
use latchkey_rules::product::{
    HostPattern, KeyInQuery, PathPrefix, ProductFacts, ResourceScope, RouteFacts,
};
use latchkey_rules::slug::Slug;

use super::Reader;
use super::columns::{readable, word};
use super::error::{Conflict, Result};
use super::schema::{product_admin_prefixes, product_routes, products};

pub use add::{add, seed};
pub use moved::{relocate, set_rate};

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
    /// Whether server keys' secrets can be read again, where all of a key's products say so.
    pub recoverable: bool,
    /// How often a second a key may ask for it.
    pub per_second: Option<u32>,
    /// The slugs of the products that a key with this one needs too.
    pub needs: Vec<Slug>,
    /// The hosts and paths that belong to it.
    pub routes: Vec<RouteFacts>,
    /// The paths that need the access admin.
    pub admin_prefixes: Vec<PathPrefix>,
    /// The parts of it that a key can be bound to.
    pub scopes: Vec<ResourceScope>,
}

/// A product that is to be added.
pub type NewProduct = Product;

impl Product {
    /// Of these products the one whose request is the easiest to try first: one that has a request, and reads.
    pub fn to_try_first<'p>(products: impl Iterator<Item = &'p Self>) -> Option<&'p Self> {
        products
            .filter(|product| !product.sample.url.is_empty())
            .min_by_key(|product| product.sample.method != "GET")
    }

    /// The product as a key sees it that has these parts of it, or all of it where there are none: without its request
    /// when that is outside of them.
    #[must_use]
    pub fn seen_in_parts(&self, parts: &[&str]) -> Self {
        let rest = self.sample.url.split_once("://").map(|(_, rest)| rest);
        let path = rest.and_then(|rest| rest.find('/').map(|at| rest.split_at(at).1));
        let path = path.map(|path| split_target(path).0);
        let mut scopes = self.scopes.iter();
        let is_open = parts.is_empty()
            || scopes.any(|scope| {
                let holds = |prefix: &PathPrefix| path.is_some_and(|path| prefix.holds(path));
                parts.contains(&scope.slug.as_str()) && scope.prefixes.iter().any(holds)
            });
        let mut seen = self.clone();
        if !is_open {
            seen.sample = Sample::default();
        }
        seen
    }

    /// What the catalogue needs of it.
    pub fn facts(&self) -> ProductFacts {
        ProductFacts {
            slug: self.slug.clone(),
            name: self.name.clone(),
            key_in_query: self.key_in_query,
            routes: self.routes.clone(),
            admin_prefixes: self.admin_prefixes.clone(),
            scopes: self.scopes.clone(),
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
    recoverable: bool,
    per_second: Option<i64>,
    _created_at: i64,
    generation: i64,
    needs: String,
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
            host: readable("host", HostPattern::parse(&host))?,
            prefix: readable("path", PathPrefix::parse(&path))?,
            environments: environment_set(&environments)?,
        });
    }
    let mut prefixes: HashMap<i64, Vec<PathPrefix>> = HashMap::new();
    let prefix_rows = product_admin_prefixes::table
        .order(product_admin_prefixes::prefix.asc())
        .select(product_admin_prefixes::all_columns)
        .load::<(i64, String)>(&mut reader.conn)?;
    for (row, prefix) in prefix_rows {
        let prefix = readable("path", PathPrefix::parse(&prefix))?;
        prefixes.entry(row).or_default().push(prefix);
    }
    let mut scopes = scopes::of_all(reader)?;
    rows.into_iter()
        .map(|row| {
            let (routes, prefixes) = (routes.remove(&row.id), prefixes.remove(&row.id));
            let scopes = scopes.remove(&row.id).unwrap_or_default();
            row.with(
                routes.unwrap_or_default(),
                prefixes.unwrap_or_default(),
                scopes,
            )
        })
        .collect()
}

impl ProductRow {
    fn with(
        self,
        routes: Vec<RouteFacts>,
        admin_prefixes: Vec<PathPrefix>,
        scopes: Vec<ResourceScope>,
    ) -> Result<Stored> {
        Ok(Stored {
            row: self.id,
            generation: self.generation,
            product: Product {
                slug: readable("slug", Slug::parse(&self.slug))?,
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
                recoverable: self.recoverable,
                per_second: self.per_second.and_then(|rate| u32::try_from(rate).ok()),
                needs: self
                    .needs
                    .split_whitespace()
                    .map(|slug| readable("slug", Slug::parse(slug)))
                    .collect::<Result<_>>()?,
                routes,
                admin_prefixes,
                scopes,
            },
        })
    }
}

/// What these products need that is not among them, and what that needs, in the order in which it is found. What there is
/// no product of is left out.
pub fn lacking<'p>(chosen: &[String], known: &'p [Product]) -> Vec<&'p Product> {
    let product = |slug: &str| known.iter().find(|one| one.slug.as_str() == slug);
    let mut lacking: Vec<&Product> = Vec::new();
    let mut open: Vec<&Product> = chosen.iter().filter_map(|slug| product(slug)).collect();
    while let Some(one) = open.pop() {
        for needed in one.needs.iter().filter_map(|slug| product(slug.as_str())) {
            let is_there = chosen.iter().any(|slug| slug == needed.slug.as_str())
                || lacking.iter().any(|other| other.slug == needed.slug);
            if !is_there {
                lacking.push(needed);
                open.push(needed);
            }
        }
    }
    lacking
}

fn environment_set(words: &str) -> Result<EnvironmentSet> {
    words
        .split_whitespace()
        .map(|text| word(text, Environment::from_word))
        .collect()
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
