//! The commands about the installation itself: migrations, products.

use latchkey_rules::environment::EnvironmentSet;
use latchkey_rules::limit::MAX_RATE;
use latchkey_rules::name::DisplayName;
use latchkey_rules::product::{HostPattern, KeyInQuery, PathPrefix, ResourceScope, RouteFacts};
use latchkey_rules::slug::Slug;

use super::args::{AddProductArgs, InQuery, ProductsCommand};
use super::plans::number;
use super::print::say;
use super::{BY, Failed, Outcome};
use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::check;
use crate::store::products::{self, NewProduct, Product, Sample};
use crate::store::{Conflict, Error, scope};

pub(super) fn migrate(config: &Config) -> Outcome {
    let count = app::migrate(config).map_err(Failed::because)?;
    match count {
        0 => say("The database is of this version already."),
        1 => say("1 migration was run."),
        count => say(format_args!("{count} migrations were run.")),
    }
}

/// Looks at everything, and says what is wrong.
pub(super) fn check_data(config: &Config, clock: Clock) -> Outcome {
    if let Some(why) = app::damage(config).map_err(Failed::because)? {
        return Err(Failed::Because(format!(
            "The database is damaged: {why}. Restore a backup."
        )));
    }
    let db = app::open_database(config, clock, false)?;
    let mut reader = db.own_reader().map_err(Failed::because)?;
    let checked = check::check(&mut reader).map_err(Failed::because)?;
    if checked.problems.is_empty() {
        return say(format_args!(
            "The database is whole. {} keys were read, and all that they lead to.",
            checked.keys
        ));
    }
    Err(Failed::Because(checked.problems.join("\n")))
}

pub(super) fn products(config: &Config, command: &ProductsCommand, clock: Clock) -> Outcome {
    let db = app::open_database(config, clock, false)?;
    match command {
        ProductsCommand::List => {
            for product in db.read_blocking(products::all).map_err(Failed::because)? {
                say(line(&product))?;
            }
            Ok(())
        }
        ProductsCommand::Add(args) => {
            let new = read(args).map_err(Failed::Because)?;
            let added = format!("{} ({}) was added.", new.name, new.slug);
            db.change_blocking(move |change| products::add(change, &scope::operator(BY), &new))
                .map_err(|error| Failed::Because(refusal(&error)))?;
            say(format_args!("{added} Every gate knows it within a second."))
        }
        ProductsCommand::SetRate { slug, per_second } => {
            let rate = number(per_second, "The rate", MAX_RATE.into()).map_err(Failed::Because)?;
            let rate = rate.and_then(|rate| u32::try_from(rate).ok());
            let wanted = slug.clone();
            db.change_blocking(move |change| {
                products::set_rate(change, &scope::operator(BY), &wanted, rate)
            })
            .map_err(|error| match error {
                Error::NotFound => Failed::Because(format!("There is no product {slug}.")),
                other => Failed::because(other),
            })?;
            let rate = rate.map_or("as often as their plans allow".to_owned(), |rate| {
                format!("{rate} times a second")
            });
            say(format_args!("Keys may ask for {slug} {rate}."))
        }
    }
}

fn refusal(error: &Error) -> String {
    match error {
        Error::Conflict(Conflict::SlugTaken) => {
            "A product of that short name exists already.".to_owned()
        }
        Error::Conflict(Conflict::RouteTaken) => {
            "One of these routes belongs to another product already. `latchkey products list` shows which.".to_owned()
        }
        other => other.to_string(),
    }
}

/// Seals secrets with the master key in use.
pub(super) fn rekey(config: &Config, clock: Clock) -> Outcome {
    let db = app::open_database(config, clock, false)?;
    match app::rekey(config, &db, BY)? {
        0 => say("Every secret is sealed with the first key of the master key file already."),
        1 => say("1 secret was sealed anew."),
        count => say(format_args!("{count} secrets were sealed anew.")),
    }
}

fn line(product: &Product) -> String {
    let routes: Vec<String> = product
        .routes
        .iter()
        .map(|route| format!("{}{}", route.host, route.prefix))
        .collect();
    format!("{}\t{}\t{}", product.slug, product.name, routes.join(" "))
}

fn read(args: &AddProductArgs) -> Result<NewProduct, String> {
    Ok(NewProduct {
        slug: Slug::parse(&args.slug).map_err(|error| error.to_string())?,
        name: words(&args.name)?,
        kind: words(&args.kind)?,
        docs_url: args.docs_url.clone(),
        sample: Sample {
            method: "GET".to_owned(),
            url: args.sample_url.clone().unwrap_or_default(),
            expect: args.sample_expect.clone().unwrap_or_default(),
        },
        key_in_query: match args.key_in_query {
            InQuery::Never => KeyInQuery::Never,
            InQuery::Browser => KeyInQuery::Browser,
            InQuery::Any => KeyInQuery::Any,
        },
        needs_token: false,
        per_second: args.per_second,
        recoverable: args.recoverable,
        needs: args
            .needs
            .iter()
            .map(|text| Slug::parse(text).map_err(|error| error.to_string()))
            .collect::<Result<_, _>>()?,
        routes: args
            .routes
            .iter()
            .map(|text| route(text))
            .collect::<Result<_, _>>()?,
        admin_prefixes: args
            .admin_prefixes
            .iter()
            .map(|text| PathPrefix::parse(text).map_err(|error| error.to_string()))
            .collect::<Result<_, _>>()?,
        scopes: args
            .scopes
            .iter()
            .map(|text| scope(text))
            .collect::<Result<_, _>>()?,
    })
}

/// What people read on pages: one line, without characters that cannot be seen.
fn words(text: &str) -> Result<String, String> {
    let name = DisplayName::parse(text).map_err(|error| error.to_string())?;
    Ok(name.as_str().to_owned())
}

/// `api.example.com/routing`: a host, and the path from its first slash on.
fn route(text: &str) -> Result<RouteFacts, String> {
    if text.contains("://") {
        return Err(format!(
            "{text}: a route is a host and a path, without a scheme."
        ));
    }
    let at = text.find('/').unwrap_or(text.len());
    let (host, path) = text.split_at(at);
    let path = if path.is_empty() { "/" } else { path };
    Ok(RouteFacts {
        host: HostPattern::parse(host).map_err(|error| error.to_string())?,
        prefix: PathPrefix::parse(path).map_err(|error| error.to_string())?,
        environments: EnvironmentSet::ANY,
    })
}

/// `tiles Map tiles: /map/tile /map/style`: a slug, a name up to the colon, and paths.
fn scope(text: &str) -> Result<ResourceScope, String> {
    let read = || {
        let (called, paths) = text.split_once(": ")?;
        let (slug, name) = called.split_once(' ')?;
        Some((slug, name, paths))
    };
    let (slug, name, paths) = read().ok_or_else(|| {
        format!("{text}: a scope is a slug, a name, a colon, and paths, such as \"tiles Map tiles: /map/tile\".")
    })?;
    let prefix = |path| PathPrefix::parse(path).map_err(|error| error.to_string());
    let prefixes: Vec<PathPrefix> = paths
        .split_whitespace()
        .map(prefix)
        .collect::<Result<_, _>>()?;
    if prefixes.is_empty() {
        return Err(format!("{text}: a scope has at least one path."));
    }
    Ok(ResourceScope {
        slug: Slug::parse(slug).map_err(|error| error.to_string())?,
        name: words(name)?,
        prefixes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_a_slug_a_name_and_paths() {
        let scope = scope("tiles Map tiles: /map/tile /map/style/").unwrap();
        let paths: Vec<&str> = scope.prefixes.iter().map(PathPrefix::as_str).collect();
        assert_eq!(
            (scope.slug.as_str(), scope.name.as_str()),
            ("tiles", "Map tiles")
        );
        assert_eq!(paths, ["/map/tile", "/map/style"]);
        for wrong in [
            "tiles",
            "tiles: /a",
            "tiles Tiles: ",
            "tiles Tiles: a",
            "Tiles Tiles: /a",
        ] {
            assert!(self::scope(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_route_is_a_host_and_the_path_behind_it() {
        for (text, shown) in [
            ("api.example.com/routing", "api.example.com/routing"),
            ("api.example.com", "api.example.com/"),
            ("*.tiles.example.com/", "*.tiles.example.com/"),
            ("*/search/v2", "*/search/v2"),
        ] {
            let route = route(text).unwrap();
            assert_eq!(format!("{}{}", route.host, route.prefix), shown);
        }
        for text in ["", "/routing", "https://api.example.com/", "api example/x"] {
            assert!(route(text).is_err(), "{text}");
        }
    }
}
