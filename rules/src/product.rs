//! Products, and which one a host and path lead to.
//!
//! Products own (host, path prefix) pairs. Among the pairs that match on both, the most specific host
//! wins, then the longest prefix; no two products own the same pair. This module must not know how a
//! path was sent: it gets one reading of it at a time.

mod catalogue;
mod host;
mod prefix;
mod sample;
mod scope;

pub use catalogue::{Catalogue, CatalogueError};
pub use host::{HostError, HostPattern, normal_host};
pub use prefix::{PathPrefix, PrefixError};
pub use sample::sample_url_for;
pub use scope::{MOST_SCOPES, ProductScopes, ResourceScope, ScopeName, ScopeSet};

use crate::environment::EnvironmentSet;
use crate::slug::Slug;

worded! {
    /// Which keys a product takes from the query of a request.
    pub enum KeyInQuery {
        /// None.
        Never => "never", "Never";
        /// Browser keys, which are public anyway.
        Browser => "browser", "Browser keys only";
        /// Any, for clients that can send no header.
        Any => "any", "Any key";
    }
}

/// A product's place in its catalogue. It means nothing in another catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductIx(pub u16);

/// A pair that a product owns, as it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteFacts {
    /// The hosts.
    pub host: HostPattern,
    /// The paths.
    pub prefix: PathPrefix,
    /// The environments whose keys the host takes; none named is all.
    pub environments: EnvironmentSet,
}

/// A product, as it is given.
#[derive(Clone, Debug)]
pub struct ProductFacts {
    /// Its name in paths and requests.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// Which keys it takes from the query.
    pub key_in_query: KeyInQuery,
    /// The pairs that it owns. A product without any is asked for by its slug.
    pub routes: Vec<RouteFacts>,
    /// The paths that need the access admin, whatever the method.
    pub admin_prefixes: Vec<PathPrefix>,
    /// The parts of it that a key can be bound to.
    pub scopes: Vec<ResourceScope>,
}

/// A pair in a catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The hosts.
    pub host: HostPattern,
    /// The paths.
    pub prefix: PathPrefix,
    /// Who owns it.
    pub product: ProductIx,
    /// The environments whose keys the host takes; none named is all.
    pub environments: EnvironmentSet,
}

/// A product in a catalogue.
#[derive(Clone, Debug)]
pub struct Product {
    /// Its name in paths and requests.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// Which keys it takes from the query.
    pub key_in_query: KeyInQuery,
    /// The environments whose keys any of its hosts takes.
    pub environments: EnvironmentSet,
    admin_prefixes: Vec<PathPrefix>,
    scopes: Vec<ResourceScope>,
    hosts: Vec<HostPattern>,
}

impl Product {
    /// Those of its scopes that have these slugs. One that it does not have is left out: a key that is bound to it alone
    /// opens nothing here.
    #[must_use]
    pub fn scopes_named(&self, slugs: &[&str]) -> ScopeSet {
        ScopeSet::of(&self.scopes, |scope| slugs.contains(&scope.slug.as_str()))
    }

    /// The names of these scopes, for people, in its own order.
    pub fn names_of(&self, scopes: ScopeSet) -> impl Iterator<Item = &str> {
        let places = self.scopes.iter().enumerate();
        let named = places.filter(move |(place, _)| scopes.holds(*place));
        named.map(|(_, scope)| scope.name.as_str())
    }
}

#[cfg(test)]
mod tests;
