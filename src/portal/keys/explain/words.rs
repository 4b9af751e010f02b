//! What each check was asked, and what is set, in words.
//!
//! It must not know what a check decides.

use latchkey_rules::limit::Bounds;
use latchkey_rules::verdict::Check;

use super::{Read, Request};
use crate::portal::keys::facts;
use crate::store::keys::{Key, ProductName};
use crate::web::format::number;
use crate::web::frame::Frame;

/// What was asked, and what is set.
pub(super) fn says(
    check: Check,
    read: &Read,
    request: &Request,
    product: Option<&str>,
    frame: &Frame,
) -> String {
    let key = &read.key;
    match check {
        Check::InTouch | Check::OneKey | Check::KeySent | Check::KeyWellFormed => {
            "Taken as given here.".to_owned()
        }
        Check::KeyKnown | Check::SecretLive => key
            .secrets
            .first()
            .map(|newest| format!("The newest secret, {}.", facts::shown(key, newest)))
            .unwrap_or_default(),
        Check::KeyUnexpired => match key.expires_at {
            Some(end) => format!("It expires at {}.", frame.when(end).exact),
            None => "It never expires.".to_owned(),
        },
        Check::KeyEnabled => format!(
            "The key is {}.",
            key.status(frame.now()).label().to_lowercase()
        ),
        Check::AccountActive => format!("The account {}.", read.account.name),
        Check::PathClear => format!("The path {}.", request.path),
        Check::ProductKnown => match product {
            Some(product) => format!("{}{} leads to {product}.", request.host, request.path),
            None => format!("{}{}", request.host, request.path),
        },
        Check::ProductAssigned => {
            format!("The key has {}.", products_of(key))
        }
        Check::EnvironmentAllowed => format!("The key is for {}.", key.environment.label()),
        Check::AccessAllowed => {
            format!(
                "{} was asked; the key has the access {}.",
                request.method,
                key.access.label()
            )
        }
        Check::ScopeAllowed => {
            format!(
                "{} was asked; the key has {}.",
                request.path,
                products_of(key)
            )
        }
        Check::OriginAllowed => format!(
            "From {}; allowed: {}.",
            request.origin.as_deref().unwrap_or("no page"),
            listed(&key.domains, "any")
        ),
        Check::IpAllowed => format!(
            "From {}; allowed: {}.",
            request
                .ip
                .map_or_else(|| "no address".to_owned(), |ip| ip.to_string()),
            listed(&key.ips, "any")
        ),
        Check::RateAllowed => rate(read, product),
        Check::QuotaAllowed => quota(read),
    }
}

/// The account's day, in words.
fn quota(read: &Read) -> String {
    let Some(per_day) = read.limits.plan.per_day else {
        return "The plan has no limit a day.".to_owned();
    };
    format!(
        "{} of the account’s {} requests of today are used.",
        number(read.limits.used_today),
        number(per_day),
    )
}

/// A rate, in words.
fn rate(read: &Read, product: Option<&str>) -> String {
    let product = read
        .known
        .iter()
        .find(|known| Some(known.name.as_str()) == product);
    let of_product = Bounds {
        per_second: product.and_then(|product| product.per_second),
        ..Bounds::default()
    };
    let bounds = read
        .limits
        .plan
        .bounds()
        .within(read.own)
        .within(of_product);
    format!(
        "Allowed: {}. The gate judges it when a request comes.",
        bounds.rates_in_words()
    )
}

fn listed(entries: &[String], none: &str) -> String {
    match entries {
        [] => none.to_owned(),
        entries => entries.join(", "),
    }
}

fn products_of(key: &Key) -> String {
    let names: Vec<String> = key.products.iter().map(ProductName::label).collect();
    listed(&names, "none")
}
