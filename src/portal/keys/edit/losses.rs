//! What an edit takes away from those who use the key, told before it is saved.

use latchkey_rules::time::Millis;

use crate::store::keys::{Key, KeyTerms, ProductName};
use crate::web::frame::Frame;

/// A sentence for each.
pub(super) fn of(key: &Key, new: &KeyTerms, frame: &Frame) -> Vec<String> {
    let mut losses = Vec::new();
    for product in &key.products {
        if !new.products.contains(&product.slug) {
            losses.push(format!("{} stops working with this key.", product.name));
        }
    }
    losses.extend(key.products.iter().filter_map(|one| narrowed(one, new)));
    if new.access < key.access {
        let (before, after) = (key.access.label(), new.access.label());
        losses.push(format!(
            "Access falls from {before} to {after}: what needs more is refused."
        ));
    }
    let domains: Vec<String> = new.domains.iter().map(ToString::to_string).collect();
    losses.extend(of_list(
        "page of another domain",
        "pages of",
        &key.domains,
        &domains,
    ));
    let ips: Vec<String> = new.ips.iter().map(ToString::to_string).collect();
    losses.extend(of_list(
        "request from another address",
        "requests from",
        &key.ips,
        &ips,
    ));
    if let Some(end) = new
        .expires_at
        .filter(|end| key.expires_at.is_none_or(|old| *end < old))
    {
        losses.push(sooner(end, frame));
    }
    losses
}

/// What a product loses that stays.
fn narrowed(product: &ProductName, new: &KeyTerms) -> Option<String> {
    let scopes = new.scopes.iter();
    let kept: Vec<&str> = scopes
        .filter(|scope| scope.product.as_str() == product.slug)
        .map(|scope| scope.scope.as_str())
        .collect();
    if kept.is_empty() {
        return None;
    }
    if product.parts.is_empty() {
        return Some(format!(
            "Of {} everything but the chosen parts is refused.",
            product.name
        ));
    }
    let gone = product.parts.iter();
    let gone: Vec<&str> = gone
        .filter(|part| !kept.contains(&part.slug.as_str()))
        .map(|part| part.name.as_str())
        .collect();
    let gone = gone.join(" and ");
    (!gone.is_empty()).then(|| format!("Of {} it loses {gone}.", product.name))
}

fn of_list(other: &str, those: &str, old: &[String], new: &[String]) -> Vec<String> {
    if old.is_empty() {
        let is_new = !new.is_empty();
        return is_new
            .then(|| format!("Every {other} is refused."))
            .into_iter()
            .collect();
    }
    if new.is_empty() {
        return Vec::new();
    }
    let gone = old.iter().filter(|entry| !new.contains(entry));
    gone.map(|entry| {
        format!("Without {entry}, {those} it are refused unless another entry allows them.")
    })
    .collect()
}

fn sooner(end: Millis, frame: &Frame) -> String {
    format!("It stops working at {}.", frame.when(end).exact)
}
