//! What a key's people say of it when they make it, and may change of it later: as a whole and at once.

use diesel::{
    AsChangeset, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, RunQueryDsl,
};
use latchkey_rules::access::Access;
use latchkey_rules::billing::BillingType;
use latchkey_rules::domain::DomainPattern;
use latchkey_rules::email::Email;
use latchkey_rules::ip_range::IpRange;
use latchkey_rules::label::Label;
use latchkey_rules::name::KeyName;
use latchkey_rules::product::ScopeName;
use latchkey_rules::time::Millis;
use serde_json::{Map, Value, json};

use super::Key;
use crate::store::Reader;
use crate::store::error::Result;
use crate::store::schema::{keys, members, users};
use crate::store::scope::AccountScope;

/// A key as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTerms {
    /// Its name.
    pub name: KeyName,
    /// What it may do.
    pub access: Access,
    /// The slugs of the products that it is good for.
    pub products: Vec<String>,
    /// The parts of them that it is bound to; it has a product of which none is named as a whole.
    pub scopes: Vec<ScopeName>,
    /// The domains that it is bound to.
    pub domains: Vec<DomainPattern>,
    /// Whether any site may use it, where it is bound to no domain.
    pub any_site: bool,
    /// The addresses that it is bound to.
    pub ips: Vec<IpRange>,
    /// When it expires.
    pub expires_at: Option<Millis>,
    /// How it is billed; without one as its account buys, or as before.
    pub billing: Option<BillingType>,
    /// The account's words for it.
    pub labels: Vec<Label>,
    /// Who answers for it: a member's mail address, or the name of a team or service; without one whoever makes it, or
    /// as before.
    pub responsible: Option<String>,
    /// Where its secret is deployed, a place each.
    pub deployed: Vec<String>,
    /// Its people's note.
    pub note: String,
}

impl KeyTerms {
    /// Those of a key with nothing but what each must have.
    pub fn plain(name: KeyName, access: Access, products: Vec<String>) -> Self {
        Self {
            name,
            access,
            products,
            scopes: Vec::new(),
            domains: Vec::new(),
            any_site: false,
            ips: Vec::new(),
            expires_at: None,
            billing: None,
            labels: Vec::new(),
            responsible: None,
            deployed: Vec::new(),
            note: String::new(),
        }
    }
}

/// The columns that they stand in, but for those that may stay as they are.
#[derive(Insertable, AsChangeset, Clone)]
#[diesel(table_name = keys, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct Columns {
    name: String,
    name_key: String,
    access: String,
    domains: String,
    any_site: bool,
    ips: String,
    expires_at: Option<i64>,
    labels: String,
    deployed: String,
    note: String,
}

impl Columns {
    pub(super) fn of(terms: &KeyTerms) -> Self {
        Self {
            name: terms.name.as_str().to_owned(),
            name_key: terms.name.folded(),
            access: terms.access.word().to_owned(),
            domains: lines(&terms.domains),
            any_site: terms.any_site && terms.domains.is_empty(),
            ips: lines(&terms.ips),
            expires_at: terms.expires_at.map(|at| at.0),
            labels: enclosed(&terms.labels),
            deployed: lines(&terms.deployed),
            note: terms.note.clone(),
        }
    }
}

/// A list, one entry a line.
fn lines(entries: &[impl ToString]) -> String {
    let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
    entries.join("\n")
}

/// A list with a line end on both sides of each entry, so that one can be looked for.
fn enclosed(entries: &[impl ToString]) -> String {
    if entries.is_empty() {
        return String::new();
    }
    format!("\n{}\n", lines(entries))
}

/// Who answers for a key: a member, or else a name.
pub(super) type Responsible = (Option<i64>, String);

/// Who is meant: a member of the account by their mail address, else the text itself.
pub(super) fn responsible(
    reader: &mut Reader,
    scope: &AccountScope,
    text: &str,
) -> Result<Responsible> {
    let Ok(email) = Email::parse(text) else {
        return Ok((None, text.to_owned()));
    };
    let member: Option<i64> = members::table
        .inner_join(users::table)
        .filter(members::account_id.eq(scope.account))
        .filter(users::email_key.eq(email.folded()))
        .select(users::id)
        .first(&mut reader.conn)
        .optional()?;
    let name = if member.is_some() { "" } else { text };
    Ok((member, name.to_owned()))
}

/// What was so before and is so after, of what is not the same.
pub(super) fn differences(old: &Key, new: &KeyTerms) -> (Value, Value) {
    let mut products = new.products.clone();
    products.sort();
    let mut old_products: Vec<&str> = old.products.iter().map(|one| one.slug.as_str()).collect();
    old_products.sort_unstable();
    let (mut scopes, mut old_scopes) = (new.scopes.clone(), old.scopes().collect::<Vec<_>>());
    scopes.sort();
    old_scopes.sort_unstable();
    let any_site = new.any_site && new.domains.is_empty();
    let responsible = new.responsible.as_ref().unwrap_or(&old.responsible);
    let billing = new.billing.unwrap_or(old.billing);
    let both = [
        ("name", json!(old.name), json!(new.name.as_str())),
        ("access", json!(old.access.word()), json!(new.access.word())),
        ("products", json!(old_products), json!(products)),
        ("scopes", json!(old_scopes), texts(&scopes)),
        ("domains", json!(old.domains), texts(&new.domains)),
        ("any_site", json!(old.any_site), json!(any_site)),
        ("ips", json!(old.ips), texts(&new.ips)),
        (
            "expires_at",
            json!(old.expires_at.map(|at| at.0)),
            json!(new.expires_at.map(|at| at.0)),
        ),
        ("billing", json!(old.billing.word()), json!(billing.word())),
        ("labels", json!(old.labels), texts(&new.labels)),
        ("responsible", json!(old.responsible), json!(responsible)),
        ("deployed", json!(old.deployed), json!(new.deployed)),
        ("note", json!(old.note), json!(new.note)),
    ];
    let (mut before, mut after) = (Map::new(), Map::new());
    for (name, was, is) in both.into_iter().filter(|(_, was, is)| was != is) {
        before.insert(name.to_owned(), was);
        after.insert(name.to_owned(), is);
    }
    (Value::Object(before), Value::Object(after))
}

fn texts(entries: &[impl ToString]) -> Value {
    let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
    json!(entries)
}
