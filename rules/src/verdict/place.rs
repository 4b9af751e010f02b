//! Where a request leads: to which product, whether to an administrative path of it, and to which of its scopes.
//!
//! The path as sent, its canonical form and all readings between them must lead to the same place:
//! nobody knows which of them the proxy and the backend go by.

use std::cell::OnceCell;

use super::{Asked, Credential, Grant, KeyFacts, Target};
use crate::access::Access;
use crate::environment::EnvironmentSet;
use crate::path::{Canonical, PathError, every_reading_between, split_target};
use crate::product::{Catalogue, ProductIx, ScopeSet, normal_host};
use crate::time::Millis;

/// Where a request leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) product: ProductIx,
    /// Whether the path is an administrative one; `None` when no path is known.
    pub(super) is_admin_path: Option<bool>,
    /// The scopes of the product that the path belongs to; none when no path is known.
    pub(super) scopes: ScopeSet,
    /// The environments whose keys are taken there.
    pub(super) environments: EnvironmentSet,
}

/// Why a request leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nowhere {
    /// The path has no canonical form.
    Path(PathError),
    /// The path leads elsewhere when it is read as sent, or half resolved.
    TwoReadings,
    /// Neither a product nor a host was named.
    NothingNamed,
    /// There is no product with this slug.
    NoSuchSlug,
    /// No product owns this host and path.
    NoRoute,
    /// The product that was named is not the one that host and path lead to.
    Disagree,
}

/// All that a check may look at.
pub(super) struct Question<'a> {
    pub(super) credential: &'a Credential<'a>,
    pub(super) asked: &'a Asked<'a>,
    pub(super) catalogue: &'a Catalogue,
    pub(super) now: Millis,
    /// Worked out when the first check asks: a request without a good key never gets there.
    place: OnceCell<Result<Place, Nowhere>>,
}

impl<'a> Question<'a> {
    pub(super) fn new(
        credential: &'a Credential<'a>,
        asked: &'a Asked<'a>,
        catalogue: &'a Catalogue,
        now: Millis,
    ) -> Self {
        Self {
            credential,
            asked,
            catalogue,
            now,
            place: OnceCell::new(),
        }
    }

    /// The key, if its secret was presented.
    pub(super) fn key(&self) -> Option<&'a KeyFacts<'a>> {
        match self.credential {
            Credential::Known(facts) => Some(facts),
            _ => None,
        }
    }

    /// Where the request leads.
    pub(super) fn place(&self) -> Result<Place, Nowhere> {
        *self
            .place
            .get_or_init(|| place_of(self.asked.target, self.catalogue))
    }

    /// The access that the request needs at this place.
    pub(super) fn needed(&self, place: Place) -> Access {
        if place.is_admin_path == Some(true) {
            Access::Admin
        } else {
            Access::needed_by(self.asked.method)
        }
    }

    /// What is allowed once every check has passed.
    pub(super) fn grant(&self) -> Option<Grant> {
        let place = self.place().ok()?;
        Some(Grant {
            product: place.product,
            needed: self.needed(place),
            by_method_alone: place.is_admin_path.is_none(),
        })
    }
}

fn place_of(target: Target<'_>, catalogue: &Catalogue) -> Result<Place, Nowhere> {
    let named = |slug| catalogue.by_slug(slug).ok_or(Nowhere::NoSuchSlug);
    let only = || catalogue.only().ok_or(Nowhere::NothingNamed);
    match target {
        Target::Nothing => Ok(by_name(only()?, catalogue)),
        Target::Slug(slug) => Ok(by_name(named(slug)?, catalogue)),
        Target::Path(path) => by_path(path, only, catalogue),
        Target::SlugAndPath { slug, path } => by_path(path, || named(slug), catalogue),
        Target::Route { host, path, slug } => {
            let place = by_route(host, path, catalogue)?;
            match slug {
                Some(slug) if named(slug)? != place.product => Err(Nowhere::Disagree),
                _ => Ok(place),
            }
        }
    }
}

fn by_name(product: ProductIx, catalogue: &Catalogue) -> Place {
    Place {
        product,
        is_admin_path: None,
        scopes: ScopeSet::EMPTY,
        environments: catalogue
            .get(product)
            .map_or(EnvironmentSet::ANY, |product| product.environments),
    }
}

fn by_path(
    target: &str,
    product: impl FnOnce() -> Result<ProductIx, Nowhere>,
    catalogue: &Catalogue,
) -> Result<Place, Nowhere> {
    // The path first, as in the order of the checks: an ambiguous one is refused whatever was named.
    let (path, _query) = split_target(target);
    let canonical = Canonical::of(path).map_err(Nowhere::Path)?;
    let product = product()?;
    let place = by_name(product, catalogue);
    let read = |path: &str| {
        catalogue.holds_path(product, path).then(|| Place {
            is_admin_path: Some(catalogue.is_admin(product, path)),
            scopes: catalogue.scopes_at(product, path),
            ..place
        })
    };
    agreed(path, &canonical, read)?.ok_or(Nowhere::Disagree)
}

fn by_route(host: &str, target: &str, catalogue: &Catalogue) -> Result<Place, Nowhere> {
    let (path, _query) = split_target(target);
    let canonical = Canonical::of(path).map_err(Nowhere::Path)?;
    let host = normal_host(host).ok_or(Nowhere::NoRoute)?;
    let read = |path: &str| {
        catalogue.route_at(&host, path).map(|route| Place {
            product: route.product,
            is_admin_path: Some(catalogue.is_admin(route.product, path)),
            scopes: catalogue.scopes_at(route.product, path),
            environments: route.environments,
        })
    };
    agreed(path, &canonical, read)?.ok_or(Nowhere::NoRoute)
}

/// What every reading of the path leads to, its canonical form and the one as sent among them.
fn agreed<T: PartialEq>(
    raw: &str,
    canonical: &Canonical<'_>,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Nowhere> {
    let place = read(canonical.as_str());
    let leads_there = |path: &str| read(path) == place;
    if raw == canonical.as_str() || leads_there(raw) && every_reading_between(raw, leads_there) {
        Ok(place)
    } else {
        Err(Nowhere::TwoReadings)
    }
}
