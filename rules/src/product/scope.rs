//! Resource scopes: the named parts of a product that a key can be bound to.

use std::fmt;

use super::{PathPrefix, ProductIx};
use crate::slug::Slug;

/// So many scopes a product may have.
pub const MOST_SCOPES: usize = 32;

/// A part of a product: some of its paths, under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceScope {
    /// Its name in requests and rows, its own among its product's.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// The paths that belong to it. They may belong to another scope too.
    pub prefixes: Vec<PathPrefix>,
}

/// Some of one product's scopes, by their places in its list. It means nothing for another product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ScopeSet(u32);

impl ScopeSet {
    /// None of them.
    pub const EMPTY: Self = Self(0);

    /// Whether one scope is in both sets.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Those of a product's scopes of which something holds.
    pub(super) fn of(scopes: &[ResourceScope], holds: impl Fn(&ResourceScope) -> bool) -> Self {
        let places = (0..u32::BITS).zip(scopes);
        let bits = places.map(|(place, scope)| u32::from(holds(scope)) << place);
        Self(bits.fold(0, |all, bit| all | bit))
    }

    pub(super) const fn holds(self, place: usize) -> bool {
        place < MOST_SCOPES && self.0 >> place & 1 == 1
    }
}

/// A scope of a product, written `maps:tiles`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScopeName {
    /// The product's slug.
    pub product: Slug,
    /// The scope's.
    pub scope: Slug,
}

impl ScopeName {
    /// Reads a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (product, scope) = text.split_once(':')?;
        Some(Self {
            product: Slug::parse(product).ok()?,
            scope: Slug::parse(scope).ok()?,
        })
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.product, self.scope)
    }
}

/// What a key has of one product: only these scopes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProductScopes {
    /// The product.
    pub product: ProductIx,
    /// Its scopes. Where there is none of them, the key is good for nothing of the product.
    pub scopes: ScopeSet,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(slug: &str) -> ResourceScope {
        ResourceScope {
            slug: slug.parse().unwrap(),
            name: slug.to_owned(),
            prefixes: vec!["/".parse().unwrap()],
        }
    }

    #[test]
    fn a_name_is_a_product_s_slug_and_a_scope_s() {
        let name = ScopeName::parse("maps:map-tiles").unwrap();
        assert_eq!(
            (name.product.as_str(), name.scope.as_str()),
            ("maps", "map-tiles")
        );
        assert_eq!(name.to_string(), "maps:map-tiles");
        for text in [
            "",
            "maps",
            "maps:",
            ":tiles",
            "maps:a:b",
            "Maps:tiles",
            "maps: tiles",
        ] {
            assert_eq!(ScopeName::parse(text), None, "{text}");
        }
    }

    #[test]
    fn sets_meet_where_one_scope_is_in_both() {
        let scopes: Vec<ResourceScope> = (0..32).map(|n| scope(&format!("s{n}"))).collect();
        let set = |names: &[&str]| ScopeSet::of(&scopes, |one| names.contains(&one.slug.as_str()));
        assert_eq!(set(&[]), ScopeSet::EMPTY);
        assert!(!set(&["s1"]).meets(set(&["s2", "s3"])));
        assert!(set(&["s0", "s31"]).meets(set(&["s31"])));
        assert!(!set(&["s0"]).meets(ScopeSet::EMPTY));
        assert!(set(&["s31"]).holds(31) && !set(&["s31"]).holds(0));
        assert!(!set(&["s31"]).holds(63), "beyond the last there is none");
    }
}
