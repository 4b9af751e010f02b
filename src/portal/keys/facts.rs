//! A key's facts in ready-to-print form, for the list and for its own page.

use latchkey_rules::billing::BillingType;
use latchkey_rules::status::Status;

use crate::store::keys::{Key, SecretFacts};
use crate::web::frame::Frame;
use crate::web::zone::When;

/// One row of the list.
#[derive(Debug)]
pub(super) struct Row {
    pub name: String,
    pub href: String,
    pub key_id: String,
    pub secret: String,
    pub environment: &'static str,
    pub environment_label: &'static str,
    pub status: &'static str,
    pub status_label: &'static str,
    pub off: bool,
    pub products: String,
    pub more_products: usize,
    pub domains: Vec<String>,
    pub more_domains: usize,
    pub created: When,
    pub rotated: Option<When>,
    pub used: Option<When>,
    pub labels: Vec<String>,
    pub responsible: String,
}

/// The address of an account's list of keys.
pub(super) fn list_href(account: &str) -> String {
    format!("/accounts/{account}/keys")
}

/// The address of a key's page.
pub(super) fn href(account: &str, key: &Key) -> String {
    format!("/accounts/{account}/keys/{}", key.key_id)
}

/// How a secret is shown once it must not be read any more.
pub(super) fn shown(key: &Key, of: &SecretFacts) -> String {
    format!("{}_{}_…{}", of.prefix, key.environment.word(), of.last4)
}

/// Whether the status means that the key opens nothing.
pub(super) fn is_off(status: Status) -> bool {
    matches!(
        status,
        Status::Deleted | Status::Disabled | Status::Paused | Status::Expired
    )
}

impl Row {
    pub(super) fn of(account: &str, key: &Key, frame: &Frame) -> Self {
        let status = key.status(frame.now());
        let shown_products: Vec<&str> = key
            .products
            .iter()
            .take(2)
            .map(|product| product.name.as_str())
            .collect();
        Self {
            name: key.name.clone(),
            href: href(account, key),
            key_id: key.key_id.to_string(),
            secret: key
                .secrets
                .first()
                .map(|newest| shown(key, newest))
                .unwrap_or_default(),
            environment: key.environment.word(),
            environment_label: key.environment.label(),
            status: status.word(),
            status_label: status.label(),
            off: is_off(status),
            products: shown_products.join(", "),
            more_products: key.products.len().saturating_sub(2),
            domains: key.domains.iter().take(1).cloned().collect(),
            more_domains: key.domains.len().saturating_sub(1),
            created: frame.when(key.created_at),
            rotated: key.last_rotated_at.map(|at| frame.when(at)),
            used: key.last_used_at.map(|at| frame.when(at)),
            labels: key.labels.clone(),
            responsible: key.responsible.clone(),
        }
    }
}

/// The billing type, so that a free key is never taken for a free plan.
pub(super) fn billing(of: BillingType) -> String {
    match of {
        BillingType::Free => "Free (personal key)".to_owned(),
        other => other.label().to_owned(),
    }
}
