//! The `[[product]]` entries of the configuration.
//!
//! Must not know the store: what becomes of a product there is the store's matter.

use std::collections::{BTreeMap, BTreeSet};

use latchkey_rules::environment::{Environment, EnvironmentSet};
use latchkey_rules::product::{
    HostPattern, KeyInQuery, MOST_SCOPES, PathPrefix, ResourceScope, RouteFacts,
};
use latchkey_rules::slug::Slug;

use super::place::Place;
use super::reading::Reading;
use super::values;

/// A product that is added once.
#[derive(Clone, Debug)]
pub struct ProductEntry {
    /// Its short name in addresses.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// What it is, in a word or two.
    pub kind: String,
    /// Where it is documented.
    pub docs_url: Option<String>,
    /// A request that shows it at work.
    pub sample: Option<SampleEntry>,
    /// Which keys may stand in the query.
    pub key_in_query: KeyInQuery,
    /// Whether server keys' secrets can be read again, where all of a key's products say so.
    pub recoverable: bool,
    /// How often a second a key may ask for it.
    pub per_second: Option<u32>,
    /// The products that a key with this one needs too.
    pub needs: Vec<Slug>,
    /// The hosts and paths that belong to it; a product without any is asked for by its slug.
    pub routes: Vec<RouteFacts>,
    /// Paths below which a key needs admin access.
    pub admin_prefixes: Vec<PathPrefix>,
    /// The parts of it that a key can be bound to.
    pub scopes: Vec<ResourceScope>,
}

/// A request that shows a product at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleEntry {
    /// Its method.
    pub method: String,
    /// Where it goes.
    pub url: String,
    /// What one should see.
    pub expect: String,
}

/// All entries, with no two of one slug and no two on one route.
pub(super) fn entries(root: &mut Reading<'_>) -> Vec<ProductEntry> {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mut entries: Vec<ProductEntry> = Vec::new();
    for table in root.tables("product") {
        let at = table.place("slug");
        let routes_at = table.place("routes");
        let scopes_at = table.place("scopes");
        let Some(entry) = entry(table) else { continue };
        if entries.iter().any(|other| other.slug == entry.slug) {
            root.problem(
                at,
                format!(
                    "product.slug must be one that no other product has; {} has been used",
                    entry.slug
                ),
            );
            continue;
        }
        check_routes(root, &entry, &routes_at, &mut taken);
        check_scopes(root, &entry, &scopes_at);
        entries.push(entry);
    }
    entries
}

fn check_routes(
    root: &Reading<'_>,
    entry: &ProductEntry,
    at: &Place,
    taken: &mut BTreeMap<String, String>,
) {
    for route in &entry.routes {
        let pair = format!("{}{}", route.host, route.prefix);
        if let Some(owner) = taken.insert(pair, entry.slug.to_string()) {
            let RouteFacts { host, prefix, .. } = route;
            let text = format!(
                "product.routes must be pairs that no other has: host {host} with path {prefix} belongs to {owner} and to {}",
                entry.slug
            );
            root.problem(at.clone(), text);
        }
    }
}

fn check_scopes(root: &Reading<'_>, entry: &ProductEntry, at: &Place) {
    let mut seen = BTreeSet::new();
    for scope in &entry.scopes {
        if !seen.insert(&scope.slug) {
            let text = format!(
                "product.scopes must have slugs of their own; {} has been used",
                scope.slug
            );
            root.problem(at.clone(), text);
        }
    }
    if entry.scopes.len() > MOST_SCOPES {
        let text = format!("product.scopes must be at most {MOST_SCOPES}");
        root.problem(at.clone(), text);
    }
}

fn entry(mut table: Reading<'_>) -> Option<ProductEntry> {
    let slug = table.required("slug", slug);
    let name = table.required("name", |t| values::words(t, 80));
    let kind = table
        .text("kind", |t| values::words(t, 40))
        .unwrap_or_else(|| "API".to_owned());
    let docs_url = table.text("docs_url", values::link);
    let words = [
        ("never", KeyInQuery::Never),
        ("browser", KeyInQuery::Browser),
        ("any", KeyInQuery::Any),
    ];
    let key_in_query = table
        .text("key_in_query", |t| values::one_of(t, &words))
        .unwrap_or(KeyInQuery::Browser);
    let recoverable = table.truth("recoverable").unwrap_or(false);
    let per_second = table.whole("per_second", 1..=1_000_000);
    let needs = table.list("needs", self::slug).unwrap_or_default();
    let has_sample = table.holds("sample");
    let sample_table = table.table("sample");
    let sample = sample(sample_table, has_sample);
    let routes = table
        .tables("routes")
        .into_iter()
        .filter_map(route)
        .collect();
    let admin_prefixes = table.list("admin_prefixes", prefix).unwrap_or_default();
    let scopes = table
        .tables("scopes")
        .into_iter()
        .filter_map(scope)
        .collect();
    table.end();
    Some(ProductEntry {
        slug: slug?,
        name: name?,
        kind,
        docs_url,
        sample,
        key_in_query,
        recoverable,
        per_second,
        needs,
        routes,
        admin_prefixes,
        scopes,
    })
}

fn route(mut table: Reading<'_>) -> Option<RouteFacts> {
    let host = table.required("host", |t| {
        HostPattern::parse(t)
            .map_err(|_host_error| "must be a host such as api.example.com, *.example.com for all below it, or * for any".to_owned())
    });
    let path = table.required("path", prefix);
    let words: Vec<_> = Environment::ALL
        .iter()
        .map(|environment| (environment.word(), *environment))
        .collect();
    let environments = table
        .list("environments", |t| values::one_of(t, &words))
        .unwrap_or_default();
    table.end();
    Some(RouteFacts {
        host: host?,
        prefix: path?,
        environments: environments
            .into_iter()
            .fold(EnvironmentSet::ANY, EnvironmentSet::with),
    })
}

fn scope(mut table: Reading<'_>) -> Option<ResourceScope> {
    let slug = table.required("slug", slug);
    let name = table.required("name", |t| values::words(t, 80));
    let at = table.place("paths");
    let prefixes = table.list("paths", prefix).unwrap_or_default();
    if prefixes.is_empty() {
        table.problem(
            at,
            "product.scopes.paths must name at least one path".to_owned(),
        );
        return None;
    }
    table.end();
    Some(ResourceScope {
        slug: slug?,
        name: name?,
        prefixes,
    })
}

fn slug(text: &str) -> Result<Slug, String> {
    Slug::parse(text).map_err(|_slug_error| {
        "must be lower-case letters and digits with hyphens between, at most 40".to_owned()
    })
}

fn prefix(text: &str) -> Result<PathPrefix, String> {
    PathPrefix::parse(text).map_err(|_path_error| {
        "must be a path such as /search: a slash first, whole segments, no wildcard or escape"
            .to_owned()
    })
}

fn sample(mut table: Reading<'_>, is_there: bool) -> Option<SampleEntry> {
    let method = table.text("method", |t| {
        let plain = (1..=20).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_uppercase());
        if plain {
            Ok(t.to_owned())
        } else {
            Err("must be a method such as GET".to_owned())
        }
    });
    let url = if is_there {
        table.required("url", values::link)
    } else {
        table.text("url", values::link)
    };
    let expect = table.text("expect", |t| values::words(t, 200));
    table.end();
    Some(SampleEntry {
        method: method.unwrap_or_else(|| "GET".to_owned()),
        url: url?,
        expect: expect.unwrap_or_default(),
    })
}
