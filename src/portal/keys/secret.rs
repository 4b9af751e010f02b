//! The page that shows a secret, once. It is built from the secret itself and can be built by nothing else.

use askama::Template;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::product::sample_url_for;
use latchkey_rules::secret::Secret;

use super::callers::Callers;
use super::examples::Examples;
use super::facts;
use crate::store::keys::{Key, NewSecret, Sealed, sealed_about};
use crate::store::products::{Product, Sample};
use crate::web::Shared;
use crate::web::error::Error;
use crate::web::frame::Frame;
use crate::web::zone::When;

/// What the page is made from.
pub(super) struct Shown<'a> {
    pub account: &'a str,
    pub key: &'a Key,
    pub secret: &'a Secret,
    pub product: Option<Product>,
    pub rotated: Option<Rotated>,
}

/// What a rotation did to the secret from before.
pub(super) struct Rotated {
    /// When it ends; none when it has ended.
    pub old_ends: Option<When>,
    /// Who called with it in the last week, if it may have leaked.
    pub leaked: Option<Callers>,
    pub support_href: Option<String>,
}

/// What the store keeps of a secret of that key: whether it keeps it sealed too is for it to say.
pub(super) fn stored(
    shared: &Shared,
    account: &str,
    key_id: &KeyId,
    secret: &Secret,
) -> Result<NewSecret, Error> {
    let digest = secret.digest();
    let about = sealed_about(account, key_id, &digest);
    let sealed = shared.secret_seal.seal(&about, secret.expose());
    Ok(NewSecret {
        digest,
        prefix: shared.secret_prefix.clone(),
        last4: secret.last4().to_owned(),
        sealed: Some(Sealed {
            by: shared.secret_seal.in_use().to_owned(),
            bytes: sealed.map_err(|error| Error::Internal(error.to_string()))?,
        }),
    })
}

#[derive(Template)]
#[template(path = "keys/secret.html")]
pub(super) struct SecretView {
    frame: Frame,
    name: String,
    environment_label: &'static str,
    key_id: String,
    href: String,
    secret: String,
    product: String,
    docs_url: Option<String>,
    header: String,
    examples: Option<Examples>,
    rotated: Option<Rotated>,
    /// Whether it can be read again.
    again: bool,
}

impl SecretView {
    pub(super) fn new(frame: Frame, shared: &Shared, shown: Shown<'_>) -> Self {
        let Shown {
            account,
            key,
            secret,
            product,
            rotated,
        } = shown;
        let lines = |product: &Product| {
            let url = &product.sample.url;
            let sample = Sample {
                url: sample_url_for(url, &product.routes, key.environment),
                ..product.sample.clone()
            };
            Examples::of(
                &sample,
                &shared.key_header,
                &shared.env_var_name,
                secret.expose(),
            )
        };
        Self {
            frame,
            name: key.name.clone(),
            environment_label: key.environment.label(),
            key_id: key.key_id.to_string(),
            href: facts::href(account, key),
            secret: secret.expose().to_owned(),
            examples: product
                .as_ref()
                .filter(|product| !product.sample.url.is_empty())
                .map(lines),
            docs_url: product
                .as_ref()
                .and_then(|product| product.docs_url.clone()),
            product: product.map(|product| product.name).unwrap_or_default(),
            header: shared.key_header.clone(),
            rotated,
            again: key.secrets.first().is_some_and(|one| one.is_recoverable),
        }
    }
}
