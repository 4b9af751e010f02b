//! A key of the tables with the ID and the secrets that were drawn for it.
//!
//! Must not know when it is made, nor by whom.

use latchkey_rules::key_id::KeyId;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::name::KeyName;
use latchkey_rules::secret::{Prefix, Secret};
use latchkey_rules::time::Millis;

use super::company::ACCOUNTS;
use super::facts::{Ending, KeptKey, KeyLine};
use super::fixture::table;
use super::keys::{KeyShape, State, keys};
use super::past::{self, Past};
use crate::seal::Seal;
use crate::store::Result;
use crate::store::keys::{
    ImportKey, ImportSecret, ImportedState, KeyTerms, NewKey, NewSecret, Sealed, sealed_about,
};

/// A key of the tables with what was drawn for it.
pub(super) struct Drawn {
    pub(super) shape: KeyShape,
    pub(super) past: Past,
    pub(super) key_id: KeyId,
    /// The first secret; the older one when there are two.
    secret: Secret,
    newer: Option<Secret>,
}

/// Draws the keys.
pub(super) fn draw(now: Millis, prefix: &Prefix) -> Vec<Drawn> {
    let mut rng = rand::rng();
    (0..)
        .zip(keys())
        .map(|(place, shape)| {
            let past = past::of(&shape, place, now);
            let newer = past
                .rotated_at
                .map(|_| Secret::generate(prefix, shape.environment, &mut rng));
            Drawn {
                past,
                key_id: KeyId::generate(&mut rng),
                secret: Secret::generate(prefix, shape.environment, &mut rng),
                newer,
                shape,
            }
        })
        .collect()
}

impl Drawn {
    /// What the demo keeps of it.
    pub(super) fn kept(&self) -> KeptKey {
        let shape = &self.shape;
        let bound = shape.bound();
        let ends = match shape.state {
            State::Rotating => self.past.older_ends_at.map(|at| (at, State::Retired)),
            State::Expiring => self.past.expires_at.map(|at| (at, State::Expired)),
            _ => None,
        };
        KeptKey {
            line: KeyLine {
                key_id: self.key_id.to_string(),
                secret: self.secret.expose().to_owned(),
                account: shape.account.to_owned(),
                environment: shape.environment.word().to_owned(),
                products: shape
                    .products
                    .iter()
                    .map(|slug| (*slug).to_owned())
                    .collect(),
                state: shape.state.word().to_owned(),
                plan: ACCOUNTS
                    .iter()
                    .find(|account| account.slug == shape.account)
                    .map_or("", |account| account.plan)
                    .to_owned(),
                kind: bound.kind.word().to_owned(),
                access: shape.access.word().to_owned(),
                domains: texts(bound.domains),
                ips: texts(bound.ips),
            },
            newer_secret: self.newer.as_ref().map(|secret| secret.expose().to_owned()),
            ends: ends.map(|(at, then)| Ending {
                at: at.0,
                then: then.word().to_owned(),
            }),
        }
    }

    /// What its maker asks of the store.
    pub(super) fn new_key(&self) -> Result<NewKey> {
        let shape = &self.shape;
        Ok(NewKey {
            key_id: self.key_id,
            kind: KeyKind::Server,
            environment: shape.environment,
            terms: KeyTerms {
                billing: Some(shape.billing),
                expires_at: self.past.expires_at,
                ..KeyTerms::plain(
                    KeyName::parse(shape.name).map_err(table)?,
                    shape.access,
                    slugs(shape),
                )
            },
            secret: new_secret(&Prefix::default(), &self.secret),
            replaces: None,
            form_id: self.key_id.to_string(),
            keys_per_account: i64::MAX,
        })
    }

    /// The same for one that was rotated or paused since, as it is today.
    pub(super) fn imported(&self, created_by: String, seal: &Seal) -> Result<ImportKey> {
        let (shape, past) = (&self.shape, &self.past);
        let bound = shape.bound();
        let secret = |number, secret: &Secret, created_at, retires_at| ImportSecret {
            number,
            digest: secret.digest(),
            prefix: Prefix::default(),
            last4: secret.last4().to_owned(),
            created_at,
            retires_at,
            sealed: (bound.kind == KeyKind::Browser)
                .then(|| self.sealed(secret, seal))
                .flatten(),
        };
        let mut secrets = vec![secret(1, &self.secret, past.created_at, past.older_ends_at)];
        if let (Some(newer), Some(at)) = (&self.newer, past.rotated_at) {
            secrets.push(secret(2, newer, at, None));
        }
        Ok(ImportKey {
            account: shape.account.to_owned(),
            key_id: self.key_id,
            name: KeyName::parse(shape.name).map_err(table)?,
            kind: bound.kind,
            environment: shape.environment,
            access: shape.access,
            products: slugs(shape),
            scopes: Vec::new(),
            billing: Some(shape.billing),
            domains: texts(bound.domains),
            ips: texts(bound.ips),
            any_site: false,
            note: String::new(),
            created_by,
            created_at: past.created_at,
            state: ImportedState {
                expires_at: past.expires_at,
                last_rotated_at: past.rotated_at,
                paused_at: past.paused_at,
                ..ImportedState::default()
            },
            secrets,
        })
    }
}

impl Drawn {
    /// What of a browser key can be read again.
    fn sealed(&self, secret: &Secret, seal: &Seal) -> Option<Sealed> {
        let about = sealed_about(self.shape.account, &self.key_id, &secret.digest());
        Some(Sealed {
            by: seal.in_use().to_owned(),
            bytes: seal.seal(&about, secret.expose()).ok()?,
        })
    }
}

fn texts(entries: &[&str]) -> Vec<String> {
    entries.iter().map(|entry| (*entry).to_owned()).collect()
}

fn new_secret(prefix: &Prefix, secret: &Secret) -> NewSecret {
    NewSecret {
        digest: secret.digest(),
        prefix: prefix.clone(),
        last4: secret.last4().to_owned(),
        sealed: None,
    }
}

fn slugs(shape: &KeyShape) -> Vec<String> {
    shape
        .products
        .iter()
        .map(|slug| (*slug).to_owned())
        .collect()
}
