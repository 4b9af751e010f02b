//! A key as it was elsewhere, or as a demo wants it: in any state.

use diesel::{ExpressionMethods, RunQueryDsl};
use latchkey_rules::access::Access;
use latchkey_rules::billing::{BillingType, default_for};
use latchkey_rules::environment::Environment;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::name::KeyName;
use latchkey_rules::product::ScopeName;
use latchkey_rules::secret::{Digest, HashKind, Prefix};
use latchkey_rules::time::Millis;
use serde_json::json;

use super::Disabled;
use super::create::assign;
use super::scopes;
use super::sealed::Sealed;
use crate::store::Change;
use crate::store::accounts::{self, by_row};
use crate::store::audit::{Action, Event, record};
use crate::store::changes::{ChangeKind, log};
use crate::store::error::{Conflict, Result, unless_unique};
use crate::store::products::rows_of_all;
use crate::store::replica::RowId;
use crate::store::schema::{keys, secrets};
use crate::store::scope::OperatorScope;

/// A key to be taken over.
pub struct ImportKey {
    /// Its account's slug.
    pub account: String,
    /// Its public name.
    pub key_id: KeyId,
    /// Its name.
    pub name: KeyName,
    /// Its kind.
    pub kind: KeyKind,
    /// Its environment.
    pub environment: Environment,
    /// What it may do.
    pub access: Access,
    /// The slugs of the products that it is good for.
    pub products: Vec<String>,
    /// The parts of them that it is bound to.
    pub scopes: Vec<ScopeName>,
    /// How it is billed; without one as its account buys.
    pub billing: Option<BillingType>,
    /// The domains that it is bound to.
    pub domains: Vec<String>,
    /// The IP ranges that it is bound to.
    pub ips: Vec<String>,
    /// Whether any site may use it.
    pub any_site: bool,
    /// Its people's note.
    pub note: String,
    /// Who made it, by name.
    pub created_by: String,
    /// When it was made.
    pub created_at: Millis,
    /// What happened to it since.
    pub state: ImportedState,
    /// Its secrets; the newest has the highest number.
    pub secrets: Vec<ImportSecret>,
}

/// What happened to a key before it was taken over.
#[derive(Clone, Debug, Default)]
pub struct ImportedState {
    /// When it expires.
    pub expires_at: Option<Millis>,
    /// When it was rotated.
    pub last_rotated_at: Option<Millis>,
    /// When it was last used with success.
    pub last_used_at: Option<Millis>,
    /// Since when it is paused.
    pub paused_at: Option<Millis>,
    /// Until when it is paused.
    pub paused_until: Option<Millis>,
    /// Whether and why it is switched off.
    pub disabled: Option<Disabled>,
    /// When it was deleted; its secrets are purged an hour later.
    pub deleted_at: Option<Millis>,
}

/// A secret of a key to be taken over.
pub struct ImportSecret {
    /// Its number within the key.
    pub number: i16,
    /// SHA-256 of its text.
    pub digest: Digest,
    /// Its operator's prefix.
    pub prefix: Prefix,
    /// Its last four characters.
    pub last4: String,
    /// When it was made.
    pub created_at: Millis,
    /// When it ends.
    pub retires_at: Option<Millis>,
    /// The secret itself, sealed, where it may be read again.
    pub sealed: Option<Sealed>,
}

/// The rows of a key that was taken over, for counts of its past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportedRows {
    /// Its account's row.
    pub account: RowId,
    /// Its own.
    pub key: RowId,
}

/// Takes a key over.
///
/// # Errors
/// `NotFound` when there is no such account; `NameTaken`, `ProductUnknown`, `ScopeUnknown`.
pub fn import(
    change: &mut Change<'_>,
    scope: &OperatorScope,
    new: &ImportKey,
) -> Result<ImportedRows> {
    let account = accounts::row_of(change, &new.account)?;
    let facts = by_row(change, account)?;
    let billing = new
        .billing
        .unwrap_or_else(|| default_for(facts.tier, facts.plan.is_free));
    let products = rows_of_all(change, &new.products)?;
    let row = insert(change, account, new, billing)?;
    assign(change, row, &products)?;
    scopes::bind(change, row, &new.scopes)?;
    for secret in &new.secrets {
        diesel::insert_into(secrets::table)
            .values((
                secrets::key_row.eq(row),
                secrets::number.eq(secret.number),
                secrets::digest.eq(secret.digest.as_bytes().as_slice()),
                secrets::hash_kind.eq(HashKind::Sha256.word()),
                secrets::prefix.eq(secret.prefix.as_str()),
                secrets::last4.eq(&secret.last4),
                secrets::created_at.eq(secret.created_at.0),
                secrets::retires_at.eq(secret.retires_at.map(|at| at.0)),
                secrets::ciphertext.eq(secret.sealed.as_ref().map(|sealed| &sealed.bytes)),
                secrets::sealed_by.eq(secret.sealed.as_ref().map(|sealed| &sealed.by)),
            ))
            .execute(&mut change.conn)?;
    }
    log(change, ChangeKind::Key, row, 1)?;
    let event = Event {
        account: Some(account),
        action: Action::KeyImported,
        target: new.key_id.to_string(),
        before: None,
        after: Some(json!({ "name": new.name.as_str(), "environment": new.environment.word() })),
    };
    record(change, scope.actor(), event)?;
    Ok(ImportedRows {
        account: RowId(account),
        key: RowId(row),
    })
}

fn insert(
    change: &mut Change<'_>,
    account: i64,
    new: &ImportKey,
    billing: BillingType,
) -> Result<i64> {
    let state = &new.state;
    let ms = |at: Option<Millis>| at.map(|at| at.0);
    let disabled = state.disabled.as_ref();
    let purge_at = state.deleted_at.map(|at| at.plus_ms(super::RESTORABLE_MS));
    diesel::insert_into(keys::table)
        .values((
            keys::key_id.eq(new.key_id.as_bytes().as_slice()),
            keys::account_id.eq(account),
            keys::name.eq(new.name.as_str()),
            keys::name_key.eq(new.name.folded()),
            keys::kind.eq(new.kind.word()),
            keys::environment.eq(new.environment.word()),
            keys::access.eq(new.access.word()),
            keys::billing_type.eq(billing.word()),
            keys::note.eq(&new.note),
            keys::domains.eq(new.domains.join("\n")),
            keys::ips.eq(new.ips.join("\n")),
            keys::any_site.eq(new.any_site),
            keys::created_at.eq(new.created_at.0),
            keys::created_by.eq(&new.created_by),
            (
                keys::expires_at.eq(ms(state.expires_at)),
                keys::last_rotated_at.eq(ms(state.last_rotated_at)),
                keys::last_used_at.eq(ms(state.last_used_at)),
                keys::paused_at.eq(ms(state.paused_at)),
                keys::paused_until.eq(ms(state.paused_until)),
                keys::disabled_at.eq(disabled.map(|d| d.at.0)),
                keys::disabled_by.eq(disabled.map(|d| d.by.as_str())),
                keys::disabled_reason.eq(disabled.map(|d| d.reason.as_str())),
                keys::disabled_kind
                    .eq(disabled.map(|d| if d.by_policy { "policy" } else { "staff" })),
                keys::deleted_at.eq(ms(state.deleted_at)),
                keys::purge_at.eq(ms(purge_at)),
                keys::generation.eq(1),
            ),
        ))
        .returning(keys::id)
        .get_result(&mut change.conn)
        .map_err(unless_unique(Conflict::NameTaken))
}
