//! The products of a key, and the parts of them that it is bound to.

use latchkey_rules::product::{PathPrefix, ResourceScope, ScopeName};

use crate::store::products::{self, Product};
use crate::web::form::Choice;

pub(super) fn products_error(chosen: &[String], known: &[Product]) -> Option<String> {
    match chosen.iter().find(|slug| product(slug, known).is_none()) {
        Some(slug) => Some(format!(
            "There is no product \"{slug}\". Choose from the list."
        )),
        None if chosen.is_empty() => {
            Some("Choose at least one product: without one, the key opens nothing.".to_owned())
        }
        None => None,
    }
}

/// Chooses what the chosen products need too, and says so.
pub(super) fn complete(chosen: &mut Vec<String>, known: &[Product]) -> Option<String> {
    let lacking = products::lacking(chosen, known);
    let said = lacking.iter().map(|needed| {
        let by = known.iter().filter(|one| one.needs.contains(&needed.slug));
        let by = by.filter(|one| is_in(chosen, one) || lacking.iter().any(|l| l.slug == one.slug));
        let by: Vec<&str> = by.map(|one| one.name.as_str()).collect();
        format!("{} needs {} too", by.join(" and "), needed.name)
    });
    let said: Vec<String> = said.collect();
    chosen.extend(lacking.iter().map(|needed| needed.slug.to_string()));
    (!said.is_empty()).then(|| {
        format!(
            "{}. It was chosen for you; look it over and send the form again.",
            said.join(", ")
        )
    })
}

fn is_in(chosen: &[String], product: &Product) -> bool {
    chosen.iter().any(|slug| slug == product.slug.as_str())
}

fn product<'p>(slug: &str, known: &'p [Product]) -> Option<&'p Product> {
    known.iter().find(|one| one.slug.as_str() == slug)
}

/// The chosen parts, each of a chosen product.
pub(super) fn scopes(
    chosen: &[String],
    products: &[String],
    known: &[Product],
) -> Result<Vec<ScopeName>, String> {
    chosen
        .iter()
        .map(|text| scope(text, products, known))
        .collect()
}

fn scope(text: &str, products: &[String], known: &[Product]) -> Result<ScopeName, String> {
    let unknown = || format!("There is no part \"{text}\". Choose from the list.");
    let name = ScopeName::parse(text).ok_or_else(unknown)?;
    let product = product(name.product.as_str(), known).ok_or_else(unknown)?;
    let part = product.scopes.iter().find(|one| one.slug == name.scope);
    let part = part.ok_or_else(unknown)?;
    // To take it for the whole product, or for none of it, would both be a guess.
    if !is_in(products, product) {
        return Err(format!(
            "{part} is a part of {product}. Choose the product {product} too, or leave {part} out.",
            part = part.name,
            product = product.name
        ));
    }
    Ok(name)
}

/// Every part of every product, and those chosen ones that a product has no more: were they not shown, saving the form would
/// open the whole product.
pub(super) fn choices(chosen: &[String], known: &[Product]) -> Vec<Choice> {
    let of_product = |product: &Product| {
        let choice = |scope: &ResourceScope| {
            let value = format!("{}:{}", product.slug, scope.slug);
            let paths: Vec<&str> = scope.prefixes.iter().map(PathPrefix::as_str).collect();
            Choice {
                label: format!("{}: {}", product.name, scope.name),
                small: paths.join(", "),
                checked: chosen.contains(&value),
                value,
            }
        };
        product.scopes.iter().map(choice).collect::<Vec<_>>()
    };
    let mut all: Vec<Choice> = known.iter().flat_map(of_product).collect();
    let is_shown = |value: &String| all.iter().any(|choice| choice.value == *value);
    let gone = chosen.iter().filter(|value| !is_shown(value));
    let gone: Vec<Choice> = gone
        .filter_map(|value| ScopeName::parse(value))
        .map(|name| Choice {
            value: name.to_string(),
            label: name.to_string(),
            small: "no part of the product any more".to_owned(),
            checked: true,
        })
        .collect();
    all.extend(gone);
    all
}

/// A product as something to choose.
pub(super) fn product_choice(product: &Product, chosen: &[String], known: &[Product]) -> Choice {
    let route = product.routes.first();
    let place = route.map(|route| format!("{}{}", route.host, route.prefix));
    let needed = known.iter().filter(|one| product.needs.contains(&one.slug));
    let needed: Vec<&str> = needed.map(|one| one.name.as_str()).collect();
    let needs = (!needed.is_empty()).then(|| format!("needs {}", needed.join(", ")));
    let small: Vec<String> = needs.into_iter().chain(place).collect();
    Choice {
        value: product.slug.to_string(),
        label: product.name.clone(),
        small: small.join(" · "),
        checked: is_in(chosen, product),
    }
}
