//! All products together, and the one that a host and path lead to.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::fmt;

use super::{
    HostPattern, MOST_SCOPES, Product, ProductFacts, ProductIx, Route, RouteFacts, ScopeSet,
    normal_host,
};
use crate::environment::EnvironmentSet;
use crate::slug::Slug;

/// Why products make no catalogue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// Two products own one pair, or one product owns it twice.
    #[error(
        "{host}{prefix} belongs to the products “{first}” and “{second}”. One pair of host and path can belong to one product only."
    )]
    SameRoute {
        /// The host.
        host: String,
        /// The path.
        prefix: String,
        /// The product that comes first.
        first: Slug,
        /// The product that comes later.
        second: Slug,
    },
    /// Two products have one slug.
    #[error("Two products are called “{0}” in paths. Give one of them another slug.")]
    SameSlug(Slug),
    /// More than can be counted.
    #[error("There are more than 65,535 products.")]
    TooMany,
    /// Two scopes of one product have one slug.
    #[error("The product “{product}” has two scopes “{scope}”. Give one of them another slug.")]
    SameScope {
        /// The product.
        product: Slug,
        /// The scopes.
        scope: Slug,
    },
    /// More scopes than a product may have.
    #[error("The product “{0}” has more than {MOST_SCOPES} scopes.")]
    TooManyScopes(Slug),
}

/// All products of an installation, arranged so that a host and path find theirs fast.
#[derive(Clone, Default)]
pub struct Catalogue {
    products: Vec<Product>,
    by_slug: HashMap<String, ProductIx>,
    /// Routes by host, each list with the longest prefix first.
    exact: HashMap<String, Vec<Route>>,
    /// Wildcards, the longest suffix first.
    wildcards: Vec<(HostPattern, Vec<Route>)>,
    anywhere: Vec<Route>,
}

impl Catalogue {
    /// Arranges products; each gets the index of its place in the list.
    ///
    /// # Errors
    /// When two own the same pair or have the same slug.
    pub fn build(products: Vec<ProductFacts>) -> Result<Self, CatalogueError> {
        let mut catalogue = Self::default();
        for (place, facts) in products.into_iter().enumerate() {
            let ix = u16::try_from(place)
                .map(ProductIx)
                .map_err(|_too_large| CatalogueError::TooMany)?;
            catalogue.add(ix, facts)?;
        }
        catalogue
            .wildcards
            .sort_by_key(|(host, _)| Reverse(host.suffix_len()));
        let by_host = catalogue.wildcards.iter_mut().map(|(_, routes)| routes);
        for routes in by_host
            .chain(catalogue.exact.values_mut())
            .chain([&mut catalogue.anywhere])
        {
            routes.sort_by_key(|route| Reverse(route.prefix.as_str().len()));
        }
        Ok(catalogue)
    }

    fn add(&mut self, ix: ProductIx, facts: ProductFacts) -> Result<(), CatalogueError> {
        let slug = facts.slug.as_str().to_owned();
        if self.by_slug.insert(slug, ix).is_some() {
            return Err(CatalogueError::SameSlug(facts.slug));
        }
        check_scopes(&facts)?;
        let environments = facts
            .routes
            .iter()
            .map(|route| route.environments)
            .reduce(EnvironmentSet::or)
            .unwrap_or_default();
        let mut hosts: Vec<HostPattern> = facts.routes.iter().map(|r| r.host.clone()).collect();
        hosts.sort();
        hosts.dedup();
        self.products.push(Product {
            slug: facts.slug,
            name: facts.name,
            key_in_query: facts.key_in_query,
            environments,
            admin_prefixes: facts.admin_prefixes,
            scopes: facts.scopes,
            hosts,
        });
        for route in facts.routes {
            self.add_route(ix, route)?;
        }
        Ok(())
    }

    fn add_route(&mut self, ix: ProductIx, facts: RouteFacts) -> Result<(), CatalogueError> {
        let taken = self
            .routes_of(&facts.host)
            .iter()
            .find(|route| route.prefix == facts.prefix)
            .map(|route| route.product);
        if let Some(first) = taken {
            let slug_of = |ix| self.get(ix).map(|product| product.slug.clone());
            if let (Some(first), Some(second)) = (slug_of(first), slug_of(ix)) {
                return Err(CatalogueError::SameRoute {
                    host: facts.host.to_string(),
                    prefix: facts.prefix.to_string(),
                    first,
                    second,
                });
            }
        }
        let route = Route {
            host: facts.host,
            prefix: facts.prefix,
            product: ix,
            environments: facts.environments,
        };
        match &route.host {
            HostPattern::Exact(host) => self.exact.entry(host.clone()).or_default().push(route),
            HostPattern::Any => self.anywhere.push(route),
            HostPattern::Wildcard(_) => {
                let same = self.wildcards.iter_mut().find(|(h, _)| *h == route.host);
                match same {
                    Some((_, routes)) => routes.push(route),
                    None => self.wildcards.push((route.host.clone(), vec![route])),
                }
            }
        }
        Ok(())
    }

    /// The routes that are written with exactly this host pattern.
    fn routes_of(&self, host: &HostPattern) -> &[Route] {
        let routes = match host {
            HostPattern::Exact(name) => self.exact.get(name),
            HostPattern::Any => Some(&self.anywhere),
            HostPattern::Wildcard(_) => self
                .wildcards
                .iter()
                .find(|(pattern, _)| pattern == host)
                .map(|(_, routes)| routes),
        };
        routes.map_or(&[], Vec::as_slice)
    }

    /// The product with this slug.
    #[must_use]
    pub fn by_slug(&self, slug: &str) -> Option<ProductIx> {
        self.by_slug.get(slug).copied()
    }

    /// The product at this place.
    #[must_use]
    pub fn get(&self, ix: ProductIx) -> Option<&Product> {
        self.products.get(usize::from(ix.0))
    }

    /// The one product, if there is exactly one.
    #[must_use]
    pub fn only(&self) -> Option<ProductIx> {
        (self.products.len() == 1).then_some(ProductIx(0))
    }

    /// How many products there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.products.len()
    }

    /// Whether there is no product.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.products.is_empty()
    }

    /// All products, with their places.
    pub fn iter(&self) -> impl Iterator<Item = (ProductIx, &Product)> {
        (0..=u16::MAX).map(ProductIx).zip(&self.products)
    }

    /// The pair that a host, as a request names it, and one reading of a path lead to.
    #[must_use]
    pub fn match_route(&self, host: &str, path: &str) -> Option<&Route> {
        self.route_at(&normal_host(host)?, path)
    }

    /// The same for a host in its normal form.
    pub(crate) fn route_at(&self, host: &str, path: &str) -> Option<&Route> {
        let exact = self.exact.get(host);
        exact
            .and_then(|routes| first_holding(routes, path))
            .or_else(|| {
                self.wildcards
                    .iter()
                    .filter(|(pattern, _)| pattern.matches(host))
                    .find_map(|(_, routes)| first_holding(routes, path))
            })
            .or_else(|| first_holding(&self.anywhere, path))
    }

    /// Whether a path, without a host, can belong to a product: under one of its hosts it leads there.
    /// A product that owns no pairs takes any path.
    #[must_use]
    pub fn holds_path(&self, ix: ProductIx, path: &str) -> bool {
        self.get(ix).is_some_and(|product| {
            product.hosts.is_empty()
                || product.hosts.iter().any(|host| {
                    first_holding(self.routes_of(host), path)
                        .is_some_and(|route| route.product == ix)
                })
        })
    }

    /// Whether a path is an administrative one of a product.
    #[must_use]
    pub fn is_admin(&self, ix: ProductIx, path: &str) -> bool {
        self.get(ix).is_some_and(|product| {
            product
                .admin_prefixes
                .iter()
                .any(|prefix| prefix.holds(path))
        })
    }

    /// The scopes of a product that a path belongs to.
    #[must_use]
    pub fn scopes_at(&self, ix: ProductIx, path: &str) -> ScopeSet {
        self.get(ix).map_or(ScopeSet::EMPTY, |product| {
            ScopeSet::of(&product.scopes, |scope| {
                scope.prefixes.iter().any(|prefix| prefix.holds(path))
            })
        })
    }
}

fn check_scopes(facts: &ProductFacts) -> Result<(), CatalogueError> {
    if facts.scopes.len() > MOST_SCOPES {
        return Err(CatalogueError::TooManyScopes(facts.slug.clone()));
    }
    let mut seen = HashSet::new();
    match facts.scopes.iter().find(|scope| !seen.insert(&scope.slug)) {
        Some(twice) => Err(CatalogueError::SameScope {
            product: facts.slug.clone(),
            scope: twice.slug.clone(),
        }),
        None => Ok(()),
    }
}

/// The first of these routes, longest prefix first, that holds a path.
fn first_holding<'a>(routes: &'a [Route], path: &str) -> Option<&'a Route> {
    routes.iter().find(|route| route.prefix.holds(path))
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.products.iter().map(|product| &product.slug))
            .finish()
    }
}
