//! A key comes to be, with its first secret.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use latchkey_rules::access::Access;
use latchkey_rules::billing::{BillingType, default_for};
use latchkey_rules::environment::Environment;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::mail::MailKind;
use latchkey_rules::role::Role;
use latchkey_rules::secret::{Digest, HashKind, Prefix};
use serde_json::{Value, json};

use super::bounds;
use super::load::row_in_account;
use super::scopes;
use super::sealed::{Sealed, may_be_sealed};
use super::terms::{Columns, KeyTerms, responsible};
use super::{Key, get};
use crate::store::Change;
use crate::store::audit::{Action, Event, record};
use crate::store::changes::{ChangeKind, log};
use crate::store::error::{Conflict, Error, Result, unless_unique};
use crate::store::form_ids;
use crate::store::outbox;
use crate::store::products::rows_of_all;
use crate::store::schema::{key_products, keys, secrets};
use crate::store::scope::{AccountScope, Locked, lock_account};

/// What is stored of a secret.
pub struct NewSecret {
    /// SHA-256 of its text.
    pub digest: Digest,
    /// Its operator's prefix.
    pub prefix: Prefix,
    /// Its last four characters.
    pub last4: String,
    /// The secret itself, sealed. It is kept where the key's kind or all of its products allow it.
    pub sealed: Option<Sealed>,
}

/// A key to be made.
pub struct NewKey {
    /// Its public name, drawn by the caller.
    pub key_id: KeyId,
    /// Its kind.
    pub kind: KeyKind,
    /// Its environment.
    pub environment: Environment,
    /// What its people say of it.
    pub terms: KeyTerms,
    /// Its first secret.
    pub secret: NewSecret,
    /// The key of the same account that it is to take the place of.
    pub replaces: Option<KeyId>,
    /// The form that asks for it: good for one key.
    pub form_id: String,
    /// How many keys the operator lets an account have.
    pub keys_per_account: i64,
}

/// Makes a key.
///
/// # Errors
/// `FormUsed`, `NameTaken`, `TooManyKeys`, `ProductUnknown`, `ScopeUnknown`, `BillingNotOffered`; `NotFound` or `Forbidden` when the
/// person lost their role meanwhile; `Forbidden` also for admin access by somebody who is no owner.
pub fn create(change: &mut Change<'_>, scope: &AccountScope, new: &NewKey) -> Result<Key> {
    let account = lock_account(change, scope)?;
    form_ids::claim(change, scope, &new.form_id, &new.key_id)?;
    keep_to_limit(change, scope, &account, new.keys_per_account)?;
    let terms = &new.terms;
    if terms.access == Access::Admin && scope.role() < Role::Owner {
        return Err(Error::Forbidden);
    }
    let products = rows_of_all(change, &terms.products)?;
    let billing = match terms.billing {
        None => default_for(account.tier, account.plan_is_free),
        Some(billing) => offered(&account, billing)?,
    };
    let row = insert(change, scope, new, billing)?;
    assign(change, row, &products)?;
    scopes::bind(change, row, &terms.scopes)?;
    let is_kept = may_be_sealed(change, new.kind, &products)?;
    insert_secret(change, row, 1, &new.secret, is_kept)?;
    log(change, ChangeKind::Key, row, 1)?;
    let event = Event {
        account: Some(scope.account),
        action: Action::KeyCreated,
        target: new.key_id.to_string(),
        before: None,
        after: Some(made(new)),
    };
    record(change, scope.actor(), event)?;
    let actor = &scope.actor().label;
    outbox::tell_of_key(change, MailKind::KeyCreated, &new.key_id, actor, "")?;
    get(change, scope, &new.key_id)
}

/// What the audit log says of a new key: what each has, and whatever binds it.
fn made(new: &NewKey) -> Value {
    let terms = &new.terms;
    let texts = |entries: Vec<String>| (!entries.is_empty()).then_some(entries);
    let mut made = json!({
        "name": terms.name.as_str(),
        "kind": new.kind.word(),
        "environment": new.environment.word(),
        "access": terms.access.word(),
        "products": terms.products,
        "scopes": texts(terms.scopes.iter().map(ToString::to_string).collect()),
        "domains": texts(terms.domains.iter().map(ToString::to_string).collect()),
        "any_site": terms.any_site.then_some(true),
        "ips": texts(terms.ips.iter().map(ToString::to_string).collect()),
        "expires_at": terms.expires_at.map(|at| at.0),
    });
    if let Some(made) = made.as_object_mut() {
        made.retain(|_, value| !value.is_null());
    }
    made
}

/// The billing type, if an account that buys so may have it.
pub(super) fn offered(account: &Locked, billing: BillingType) -> Result<BillingType> {
    if billing.fits(account.tier) {
        return Ok(billing);
    }
    let billing = billing.label();
    Err(Conflict::BillingNotOffered { billing }.into())
}

pub(super) fn keep_to_limit(
    change: &mut Change<'_>,
    scope: &AccountScope,
    account: &Locked,
    operators: i64,
) -> Result<()> {
    let limit = account
        .plan_keys
        .map_or(operators, |plan| plan.min(operators));
    let count: i64 = keys::table
        .filter(keys::account_id.eq(scope.account))
        .filter(keys::deleted_at.is_null())
        .count()
        .get_result(&mut change.conn)?;
    if count >= limit {
        return Err(Conflict::TooManyKeys { limit }.into());
    }
    Ok(())
}

fn insert(
    change: &mut Change<'_>,
    scope: &AccountScope,
    new: &NewKey,
    billing: BillingType,
) -> Result<i64> {
    let now = change.now();
    let replaces = match &new.replaces {
        Some(key_id) => Some(row_in_account(change, scope, key_id)?),
        None => None,
    };
    let (person, name) = match &new.terms.responsible {
        Some(text) => responsible(change, scope, text)?,
        None => (Some(scope.user), String::new()),
    };
    let row = diesel::insert_into(keys::table)
        .values((
            keys::key_id.eq(new.key_id.as_bytes().as_slice()),
            keys::account_id.eq(scope.account),
            keys::kind.eq(new.kind.word()),
            keys::environment.eq(new.environment.word()),
            keys::billing_type.eq(billing.word()),
            keys::responsible_user_id.eq(person),
            keys::responsible_name.eq(name),
            keys::created_at.eq(now.0),
            keys::created_by.eq(&scope.person),
            keys::generation.eq(1),
            keys::replaces_row.eq(replaces),
            Columns::of(&new.terms),
        ))
        .returning(keys::id)
        .get_result(&mut change.conn)
        .map_err(unless_unique(Conflict::NameTaken))?;
    if let Some(like) = replaces {
        bounds::copy(change, like, row)?;
    }
    Ok(row)
}

pub(super) fn assign(change: &mut Change<'_>, key: i64, products: &[i64]) -> Result<()> {
    for product in products {
        diesel::insert_into(key_products::table)
            .values((
                key_products::key_row.eq(key),
                key_products::product_row.eq(product),
            ))
            .execute(&mut change.conn)?;
    }
    Ok(())
}

pub(super) fn insert_secret(
    change: &mut Change<'_>,
    key: i64,
    number: i16,
    secret: &NewSecret,
    is_kept: bool,
) -> Result<()> {
    let now = change.now();
    let sealed = secret.sealed.as_ref().filter(|_| is_kept);
    diesel::insert_into(secrets::table)
        .values((
            secrets::key_row.eq(key),
            secrets::number.eq(number),
            secrets::digest.eq(secret.digest.as_bytes().as_slice()),
            secrets::hash_kind.eq(HashKind::Sha256.word()),
            secrets::prefix.eq(secret.prefix.as_str()),
            secrets::last4.eq(&secret.last4),
            secrets::created_at.eq(now.0),
            secrets::ciphertext.eq(sealed.map(|sealed| &sealed.bytes)),
            secrets::sealed_by.eq(sealed.map(|sealed| &sealed.by)),
        ))
        .execute(&mut change.conn)?;
    Ok(())
}
