//! The company's products as the store takes them, with a way to each through the demo's own gate.
//!
//! Must not know keys or people.

use std::net::SocketAddr;

use latchkey_rules::environment::EnvironmentSet;
use latchkey_rules::product::{HostPattern, KeyInQuery, PathPrefix, ResourceScope, RouteFacts};
use latchkey_rules::slug::Slug;
use serde::Serialize;

use super::Error;
use super::facts::ProductLine;
use super::products::{PRODUCTS, ProductShape, ScopeLine};
use crate::store::products::{NewProduct, Sample};

/// A host and path of a product.
#[derive(Clone, Serialize)]
pub(super) struct RouteLine {
    pub(super) host: String,
    pub(super) path: String,
}

/// All products of a demo whose gate listens there.
pub(super) fn products(gate: SocketAddr) -> Result<Vec<NewProduct>, Error> {
    PRODUCTS.iter().map(|shape| product(shape, gate)).collect()
}

fn product(shape: &ProductShape, gate: SocketAddr) -> Result<NewProduct, Error> {
    let own = (own_host(gate), shape.own_path);
    let routes = shape
        .public_routes()
        .into_iter()
        .map(|(host, path)| (host.to_owned(), path))
        .chain([own])
        .map(|(host, path)| route(&host, path))
        .collect::<Result<_, _>>()?;
    let admin_prefixes = shape
        .admin_prefixes
        .iter()
        .map(|prefix| PathPrefix::parse(prefix).map_err(Error::table))
        .collect::<Result<_, _>>()?;
    let scopes = shape
        .scopes
        .iter()
        .map(|line| scope(shape, line))
        .collect::<Result<_, _>>()?;
    let needs = shape
        .needs
        .iter()
        .map(|slug| Slug::parse(slug).map_err(Error::table))
        .collect::<Result<_, _>>()?;
    Ok(NewProduct {
        slug: Slug::parse(shape.slug).map_err(Error::table)?,
        name: shape.name.to_owned(),
        kind: shape.kind.to_owned(),
        docs_url: Some(format!("https://docs.meridian.example/{}", shape.slug)),
        sample: Sample {
            method: shape.method().to_owned(),
            url: sample_url(shape, gate),
            expect: "VALID, with status 200. In the demo the gate answers in the product's place."
                .to_owned(),
        },
        key_in_query: KeyInQuery::Browser,
        needs_token: false,
        per_second: shape.per_second,
        recoverable: false,
        needs,
        routes,
        admin_prefixes,
        scopes,
    })
}

fn route(host: &str, path: &str) -> Result<RouteFacts, Error> {
    Ok(RouteFacts {
        host: HostPattern::parse(host).map_err(Error::table)?,
        prefix: PathPrefix::parse(path).map_err(Error::table)?,
        environments: EnvironmentSet::default(),
    })
}

/// A part of a product, at its path for customers and on the gate's own host.
fn scope(shape: &ProductShape, (slug, name, path): &ScopeLine) -> Result<ResourceScope, Error> {
    let public = shape.public_routes().into_iter().map(|(_, base)| base);
    let mut prefixes = public
        .chain([shape.own_path])
        .map(|base| PathPrefix::parse(&format!("{}{path}", base.trim_end_matches('/'))))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Error::table)?;
    prefixes.sort();
    prefixes.dedup();
    Ok(ResourceScope {
        slug: Slug::parse(slug).map_err(Error::table)?,
        name: (*name).to_owned(),
        prefixes,
    })
}

/// The address of an ordinary request to a product, by way of the demo's gate.
pub(super) fn sample_url(shape: &ProductShape, gate: SocketAddr) -> String {
    format!("http://{gate}/v1/authorize{}{}", shape.own_path, shape.asks)
}

fn own_host(gate: SocketAddr) -> String {
    match gate {
        SocketAddr::V4(v4) => v4.ip().to_string(),
        SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
    }
}

/// The products, as the demo's line names them.
pub(super) fn lines(products: &[NewProduct]) -> Vec<ProductLine> {
    products
        .iter()
        .map(|product| ProductLine {
            slug: product.slug.to_string(),
            routes: product
                .routes
                .iter()
                .map(|route| RouteLine {
                    host: route.host.to_string(),
                    path: route.prefix.as_str().to_owned(),
                })
                .collect(),
            token: product.needs_token,
        })
        .collect()
}
