//! Keys: made, listed, looked at, switched off and on, deleted, purged.
//!
//! It must not know a secret: it stores the digests that it is given. Verdicts are not its matter.

mod bounds;
mod change;
mod create;
mod edit;
mod filter;
mod import;
mod list;
mod load;
mod pause;
mod remind;
mod rotate;
mod scopes;
mod sealed;
mod staff;
mod terms;

use latchkey_rules::access::Access;
use latchkey_rules::billing::BillingType;
use latchkey_rules::environment::Environment;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::status::{Status, StatusFacts};
use latchkey_rules::time::Millis;

use super::products::Product;

pub use bounds::{own_bounds, set_own_bounds};
pub use change::{RESTORABLE_MS, delete, disable, enable, purge_due};
pub use create::{NewKey, NewSecret, create};
pub use edit::{add_product, edit};
pub use filter::{KeyFilter, KeyOrder, UNUSED_MS};
pub use import::{ImportKey, ImportSecret, ImportedRows, ImportedState, import};
pub use list::{
    FILE_AT_MOST, KeyPage, PAGE_AT_MOST, Worth, all, get, list, replaced_by, these, worth_a_look,
};
pub(super) use load::{row_for_staff, row_in_account};
pub use pause::{pause, restore, resume};
pub use remind::remind_of_ends;
pub use rotate::{NewRotation, note_ends, rotate, shorten_grace, warn_of_ends};
pub use scopes::ProductPart;
pub use sealed::{Revealed, Sealed, rekey, reveal, sealed_about, sealing_keys};
pub use staff::{Contact, StaffKey, find, find_by_digest};
pub use terms::KeyTerms;

/// A key, with everything that its page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its public name.
    pub key_id: KeyId,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: KeyKind,
    /// Its environment.
    pub environment: Environment,
    /// What it may do.
    pub access: Access,
    /// The products that it is good for, by name.
    pub products: Vec<ProductName>,
    /// The domains that it is bound to.
    pub domains: Vec<String>,
    /// The IP ranges that it is bound to.
    pub ips: Vec<String>,
    /// Whether it was confirmed that any site may use it.
    pub any_site: bool,
    /// How its use is billed.
    pub billing: BillingType,
    /// The account's words for it.
    pub labels: Vec<String>,
    /// Who answers for it: a member's mail address, or the name of a team or service; empty for nobody.
    pub responsible: String,
    /// Where its secret is deployed, a place each.
    pub deployed: Vec<String>,
    /// Its people's note.
    pub note: String,
    /// When it expires.
    pub expires_at: Option<Millis>,
    /// When it was made.
    pub created_at: Millis,
    /// Who made it, by name.
    pub created_by: String,
    /// When it got its newest secret by rotation.
    pub last_rotated_at: Option<Millis>,
    /// When it was last used with success.
    pub last_used_at: Option<Millis>,
    /// Since when its account has paused it.
    pub paused_at: Option<Millis>,
    /// When it resumes by itself.
    pub paused_until: Option<Millis>,
    /// Whether and why it is switched off.
    pub disabled: Option<Disabled>,
    /// When it was deleted.
    pub deleted_at: Option<Millis>,
    /// Until when the delete can be taken back.
    pub purge_at: Option<Millis>,
    /// Its secrets, the newest first.
    pub secrets: Vec<SecretFacts>,
    /// How often it was changed.
    pub generation: i64,
}

/// A product that a key is good for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProductName {
    /// Its name for people.
    pub name: String,
    /// Its name in paths.
    pub slug: String,
    /// The parts of it that the key is good for; none is the whole product.
    pub parts: Vec<ProductPart>,
}

impl ProductName {
    /// The product's name, and the parts' where the key has not all of it.
    pub fn label(&self) -> String {
        if self.parts.is_empty() {
            return self.name.clone();
        }
        let parts: Vec<&str> = self.parts.iter().map(|part| part.name.as_str()).collect();
        format!("{}: {}", self.name, parts.join(", "))
    }
}

/// Who switched a key off, when and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disabled {
    /// When.
    pub at: Millis,
    /// Who, by mail address or command.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Whether a policy did it.
    pub by_policy: bool,
}

/// What may be told of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFacts {
    /// Its number within the key; the first is 1.
    pub number: i16,
    /// Its operator's prefix.
    pub prefix: String,
    /// Its last four characters.
    pub last4: String,
    /// When it was made.
    pub created_at: Millis,
    /// When it ends.
    pub retires_at: Option<Millis>,
    /// When it was reported as leaked.
    pub leaked_at: Option<Millis>,
    /// Whether it can be read again.
    pub is_recoverable: bool,
}

impl Key {
    /// What it has of these products.
    pub fn own_of(&self, known: &[Product]) -> Vec<Product> {
        let own = |product: &Product| {
            let slug = product.slug.as_str();
            let own = self.products.iter().find(|one| one.slug == slug)?;
            let parts: Vec<&str> = own.parts.iter().map(|part| part.slug.as_str()).collect();
            Some(product.seen_in_parts(&parts))
        };
        known.iter().filter_map(own).collect()
    }

    /// The scopes that it is bound to, of all its products.
    pub fn scopes(&self) -> impl Iterator<Item = String> {
        let of_product = |product: &ProductName| {
            let name = |part: &ProductPart| format!("{}:{}", product.slug, part.slug);
            product.parts.iter().map(name).collect::<Vec<_>>()
        };
        self.products.iter().flat_map(of_product)
    }

    /// Whether its account has paused it, and it has not resumed by itself.
    pub fn is_paused(&self, now: Millis) -> bool {
        self.paused_at.is_some() && self.paused_until.is_none_or(|until| until > now)
    }

    /// The secret from before the last rotation, while it works.
    pub fn older_secret(&self, now: Millis) -> Option<&SecretFacts> {
        let works = |secret: &&SecretFacts| secret.retires_at.is_some_and(|end| end > now);
        self.secrets.iter().skip(1).find(works)
    }

    /// The one word that says how the key stands at this instant.
    pub fn status(&self, now: Millis) -> Status {
        let facts = StatusFacts {
            deleted: self.deleted_at.is_some(),
            disabled: self.disabled.is_some(),
            paused: self.is_paused(now),
            expires_at: self.expires_at,
            other_secret_ends_at: self
                .secrets
                .iter()
                .skip(1)
                .filter_map(|s| s.retires_at)
                .max(),
        };
        Status::of(&facts, now)
    }
}
