//! The form on which a key is made and edited: everything that its people may say of it.

mod entries;
mod lists;
mod parts;

use latchkey_rules::access::Access;
use latchkey_rules::billing::{BillingType, Tier};
use latchkey_rules::environment::Environment;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::label::Label;
use latchkey_rules::name::KeyName;
use latchkey_rules::role::Role;
use latchkey_rules::time::{DAY_MS, Millis};
use serde::Deserialize;

use crate::store::accounts::Member;
use crate::store::keys::{Key, KeyTerms};
use crate::store::products::Product;
use crate::store::scope::AccountScope;
use crate::web::Shared;
use crate::web::form::{self, Choice, Field, Fields, Problems};
use entries::EntryView;

pub(super) const NAME_TAKEN: &str =
    "Another key of this account has this name. Choose a different one.";
const LONGEST_NOTE: usize = 2_000;
const MOST_PLACES: usize = 20;
const LONGEST_PLACE: usize = 200;
const LONGEST_SERVICE: usize = 100;
const TICKED: &str = "yes";
/// What is filled in as the end of a key with admin access.
const ADMIN_DAYS: i64 = 90;

/// What a person wants a key to be.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct KeyForm {
    pub(super) name: Field,
    pub(super) kind: Field,
    pub(super) environment: Field,
    pub(super) access: Field,
    pub(super) products: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) domains: Field,
    pub(super) any_site: String,
    pub(super) localhost: String,
    pub(super) ips: Field,
    pub(super) expires: Field,
    pub(super) billing: Field,
    pub(super) labels: Field,
    pub(super) responsible: Field,
    pub(super) deployed: Field,
    pub(super) note: Field,
    /// The button that mends an entry of a list.
    pub(super) fix: String,
    pub(super) generation: i64,
    pub(super) form_id: String,
    /// The key that a new one is made like, and is to take the place of.
    pub(super) like: String,
    /// How many warnings were read and accepted.
    pub(super) confirm: String,
    #[serde(skip)]
    pub(super) products_error: Option<String>,
    #[serde(skip)]
    pub(super) scopes_error: Option<String>,
}

impl Fields for KeyForm {
    const ONE: &'static [&'static str] = &[
        "name",
        "kind",
        "environment",
        "access",
        "domains",
        "any_site",
        "localhost",
        "ips",
        "expires",
        "billing",
        "labels",
        "responsible",
        "deployed",
        "note",
        "fix",
        "generation",
        "form_id",
        "like",
        "confirm",
    ];
    const MANY: &'static [&'static str] = &["products", "scopes"];
}

/// What a form is checked against.
pub(super) struct Asked<'a> {
    pub(super) shared: &'a Shared,
    pub(super) scope: &'a AccountScope,
    pub(super) tier: Tier,
    pub(super) members: &'a [Member],
    pub(super) known: &'a [Product],
    pub(super) kind: KeyKind,
    /// The key as it is, where one is edited.
    pub(super) key: Option<&'a Key>,
    pub(super) now: Millis,
}

impl KeyForm {
    /// A key as its form shows it.
    pub(super) fn of(key: &Key) -> Self {
        let date = key.expires_at.map(last_day).unwrap_or_default();
        Self {
            name: Field::holding(&key.name),
            kind: Field::holding(key.kind.word()),
            environment: Field::holding(key.environment.word()),
            access: Field::holding(key.access.word()),
            products: key.products.iter().map(|one| one.slug.clone()).collect(),
            scopes: key.scopes().collect(),
            domains: Field::holding(key.domains.join("\n")),
            any_site: if key.any_site { TICKED } else { "" }.to_owned(),
            ips: Field::holding(key.ips.join("\n")),
            expires: Field::holding(date),
            billing: Field::holding(key.billing.word()),
            labels: Field::holding(key.labels.join(", ")),
            responsible: Field::holding(&key.responsible),
            deployed: Field::holding(key.deployed.join("\n")),
            note: Field::holding(&key.note),
            generation: key.generation,
            ..Self::default()
        }
    }

    /// Does what the pressed button says to an entry of a list; false when none was pressed.
    pub(super) fn mend(&mut self) -> bool {
        let Some((list, fix)) = self.fix.split_once(':') else {
            return false;
        };
        match list {
            "domains" => entries::mend(&mut self.domains.raw, fix, &lists::DOMAINS),
            "ips" => entries::mend(&mut self.ips.raw, fix, &lists::IPS),
            _ => {}
        }
        self.fix.clear();
        true
    }

    /// What was typed, or what is wrong with it at each place.
    pub(super) fn check(&mut self, asked: &Asked<'_>) -> Option<KeyTerms> {
        let prefix = &asked.shared.secret_prefix;
        let name = self.name.read_public(prefix, KeyName::parse);
        let access = self.access.read(|word| may_have(word, asked));
        self.with_localhost();
        let domains = self
            .domains
            .read_public(prefix, |raw| lists::read(raw, &lists::DOMAINS));
        let any_site = self.any_site == TICKED;
        if domains.as_ref().is_some_and(Vec::is_empty) && !any_site {
            self.needs_a_site(asked.kind);
        }
        let ips = self
            .ips
            .read_public(prefix, |raw| lists::read(raw, &lists::IPS));
        let expires_at = self.expires.read(|text| end_of(text, asked));
        let billing = self.billing.read(|word| billing(word, asked.tier));
        let labels = self.labels.read_public(prefix, Label::parse_list);
        let responsible = self
            .responsible
            .read_public(prefix, |text| responsible(text, asked.members));
        let deployed = self.deployed.read_public(prefix, places);
        let note = self.note.read_public(prefix, note);
        self.products_error = parts::products_error(&self.products, asked.known)
            .or_else(|| parts::complete(&mut self.products, asked.known));
        let scopes = match parts::scopes(&self.scopes, &self.products, asked.known) {
            Ok(scopes) => Some(scopes),
            Err(wrong) => {
                self.scopes_error = Some(wrong);
                None
            }
        };
        if self.domains.error.is_some() || self.products_error.is_some() {
            return None;
        }
        Some(KeyTerms {
            name: name?,
            access: access?,
            products: self.products.clone(),
            scopes: scopes?,
            domains: domains?,
            any_site,
            ips: ips?,
            expires_at: expires_at?,
            billing: billing?,
            labels: labels?,
            responsible: Some(responsible?),
            deployed: deployed?,
            note: note?,
        })
    }

    /// The ticked box is an entry like any other from now on.
    fn with_localhost(&mut self) {
        if self.localhost == TICKED {
            self.localhost.clear();
            lists::add_localhost(&mut self.domains.raw);
        }
    }

    fn needs_a_site(&mut self, kind: KeyKind) {
        if kind == KeyKind::Browser {
            self.domains.refuse(
                &"Everybody can read a browser key. Name the sites that may use it, or tick that any site may.",
            );
        }
    }

    /// What a person should think of again before such a key is made. An end is filled in for a key that may do
    /// everything.
    pub(super) fn cautions(
        &mut self,
        terms: &KeyTerms,
        kind: KeyKind,
        environment: Environment,
        now: Millis,
    ) -> Vec<String> {
        let mut cautions = Vec::new();
        let name = terms.name.folded();
        if environment != Environment::Live
            && name.split(|c: char| !c.is_alphanumeric()).any(says_live)
        {
            cautions.push(format!(
                "Its name says production, and it is a key for {}.",
                environment.label()
            ));
        }
        if kind == KeyKind::Browser && terms.access > Access::Read {
            cautions.push(
                "Everybody can read a browser key, and with this one everybody can write. Where a call writes or costs money, put your own server between."
                    .to_owned(),
            );
        }
        if terms.access == Access::Admin && terms.expires_at.is_none() {
            cautions.push(format!(
                "It may do everything, for ever. An end in {ADMIN_DAYS} days is filled in below; empty it to go on without."
            ));
            self.expires.raw = last_day(now.day_start().plus_ms((ADMIN_DAYS + 1) * DAY_MS));
        }
        cautions
    }

    /// Whether something is wrong with what the page shows on demand alone.
    fn has_a_problem_below(&self) -> bool {
        let below = [
            &self.billing,
            &self.labels,
            &self.responsible,
            &self.deployed,
            &self.note,
        ];
        below.iter().any(|field| field.error.is_some())
    }

    /// What is wrong, by field, in the page's order.
    pub(super) fn problems(&self) -> Problems {
        form::problems(&[
            ("name", &self.name.error),
            ("kind", &self.kind.error),
            ("environment", &self.environment.error),
            ("products", &self.products_error),
            ("scopes", &self.scopes_error),
            ("access", &self.access.error),
            ("domains", &self.domains.error),
            ("ips", &self.ips.error),
            ("expires", &self.expires.error),
            ("billing", &self.billing.error),
            ("labels", &self.labels.error),
            ("responsible", &self.responsible.error),
            ("deployed", &self.deployed.error),
            ("note", &self.note.error),
        ])
    }
}

fn says_live(word: &str) -> bool {
    matches!(word, "prod" | "production" | "live")
}

fn may_have(word: &str, asked: &Asked<'_>) -> Result<Access, &'static str> {
    if word.is_empty() && asked.key.is_none() {
        return Ok(usual(asked.kind));
    }
    let access = Access::from_word(word).ok_or("Choose what the key may do.")?;
    let is_more =
        access == Access::Admin && asked.key.is_none_or(|key| key.access != Access::Admin);
    if is_more && asked.scope.role() < Role::Owner {
        return Err("Only an owner of the account can give a key the access Admin.");
    }
    Ok(access)
}

/// The access of a key of which nobody says more.
pub(super) const fn usual(kind: KeyKind) -> Access {
    match kind {
        KeyKind::Server => Access::Write,
        KeyKind::Browser => Access::Read,
    }
}

fn billing(word: &str, tier: Tier) -> Result<Option<BillingType>, &'static str> {
    if word.is_empty() {
        return Ok(None);
    }
    match BillingType::from_word(word) {
        Some(billing) if billing.fits(tier) => Ok(Some(billing)),
        _ => Err("Choose one of the account's billing types."),
    }
}

fn responsible(text: &str, members: &[Member]) -> Result<String, String> {
    let text = text.trim();
    if text.chars().count() > LONGEST_SERVICE {
        return Err(format!("A name has at most {LONGEST_SERVICE} characters."));
    }
    if text.chars().any(char::is_control) {
        return Err("It holds a character that cannot be shown. Type it anew.".to_owned());
    }
    let is_member = |member: &Member| member.email.eq_ignore_ascii_case(text);
    if text.contains('@') && !members.iter().any(is_member) {
        return Err(format!(
            "{text} is no member of this account. Type a member's mail address, or the name of a team or service."
        ));
    }
    Ok(text.to_owned())
}

fn places(text: &str) -> Result<Vec<String>, String> {
    let places: Vec<String> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    if places.len() > MOST_PLACES {
        return Err(format!("At most {MOST_PLACES} places can be named."));
    }
    if places
        .iter()
        .any(|place| place.chars().count() > LONGEST_PLACE)
    {
        return Err(format!("A place has at most {LONGEST_PLACE} characters."));
    }
    if places
        .iter()
        .any(|place| place.chars().any(char::is_control))
    {
        return Err("A place holds a character that cannot be shown. Type it anew.".to_owned());
    }
    Ok(places)
}

fn note(text: &str) -> Result<String, String> {
    let text = text.trim().replace("\r\n", "\n");
    let length = text.chars().count();
    if length > LONGEST_NOTE {
        return Err(format!(
            "The note has {length} characters; it may have {LONGEST_NOTE}."
        ));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err("The note holds a character that cannot be shown. Type it anew.".to_owned());
    }
    Ok(text)
}

/// The UTC day at whose end a key expires, as a date field has it.
fn last_day(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0 - 1)
        .map(|at| at.strftime("%Y-%m-%d").to_string())
        .unwrap_or_default()
}

/// The end of a UTC day. The day that stands there already is kept as exactly as it is.
fn end_of(text: &str, asked: &Asked<'_>) -> Result<Option<Millis>, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let old = asked.key.and_then(|key| key.expires_at);
    if old.map(last_day).as_deref() == Some(text) {
        return Ok(old);
    }
    let date: jiff::civil::Date = text
        .parse()
        .map_err(|_no_date| "Type a date such as 2027-03-31, or leave it empty for never.")?;
    let begin = date
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|_out_of_range| "This date is too far away.")?;
    let end = Millis(begin.timestamp().as_millisecond()).plus_ms(DAY_MS);
    if end <= asked.now {
        return Err("This day is over. Choose today or a later day, or leave it empty for never.");
    }
    Ok(Some(end))
}

/// The fields as the page prints them, but for those that only a new key has.
pub(super) struct TermsView {
    pub(super) form: KeyForm,
    pub(super) products: Vec<Choice>,
    /// Parts of products; none where no product has any.
    pub(super) scopes: Vec<Choice>,
    pub(super) access: Vec<Choice>,
    pub(super) domain_entries: Vec<EntryView>,
    pub(super) ip_entries: Vec<EntryView>,
    pub(super) has_localhost: bool,
    pub(super) any_site: bool,
    pub(super) billing: Vec<Choice>,
    pub(super) members: Vec<String>,
    /// Whether what few people need stands open.
    pub(super) is_open: bool,
}

impl TermsView {
    pub(super) fn new(form: KeyForm, asked: &Offered<'_>) -> Self {
        let choice =
            |product: &Product| parts::product_choice(product, &form.products, asked.known);
        let mut access: Vec<Choice> = Access::ALL
            .iter()
            .map(|access| Choice {
                small: allows(*access).to_owned(),
                ..Choice::plain(access.word(), access.label(), &form.access.raw)
            })
            .collect();
        if asked.is_new {
            let usual = Choice {
                small: "Write for a server key, Read for a browser key".to_owned(),
                ..Choice::plain("", "Usual", &form.access.raw)
            };
            access.insert(0, usual);
        }
        Self {
            products: asked.known.iter().map(choice).collect(),
            scopes: parts::choices(&form.scopes, asked.known),
            access,
            domain_entries: lists::views(&form.domains.raw, &lists::DOMAINS),
            ip_entries: lists::views(&form.ips.raw, &lists::IPS),
            has_localhost: lists::has_localhost(&form.domains.raw),
            any_site: form.any_site == TICKED,
            billing: billing_choices(&form.billing.raw, asked.tier),
            members: asked.members.iter().map(|one| one.email.clone()).collect(),
            is_open: !asked.is_new || form.has_a_problem_below(),
            form,
        }
    }

    /// Whether the parts of products stand open.
    pub(super) fn is_in_parts(&self) -> bool {
        self.form.scopes_error.is_some() || self.scopes.iter().any(|part| part.checked)
    }
}

/// What a form offers to choose from.
pub(super) struct Offered<'a> {
    pub(super) tier: Tier,
    pub(super) members: &'a [Member],
    pub(super) known: &'a [Product],
    pub(super) is_new: bool,
}

/// Nothing where there is no choice.
fn billing_choices(chosen: &str, tier: Tier) -> Vec<Choice> {
    if tier == Tier::SelfServe {
        return Vec::new();
    }
    let fits = BillingType::ALL.iter().filter(|one| one.fits(tier));
    fits.map(|one| Choice::plain(one.word(), one.label(), chosen))
        .collect()
}

const fn allows(access: Access) -> &'static str {
    match access {
        Access::Read => "GET, HEAD and OPTIONS",
        Access::Write => "Also POST, PUT, PATCH and DELETE",
        Access::Admin => "Also other methods and administrative paths",
    }
}

/// The kind of a new key.
pub(super) fn read_kind(form: &mut KeyForm) -> Option<KeyKind> {
    form.kind
        .read(|word| KeyKind::from_word(word).ok_or("Choose where the key is used."))
}

/// The environment of a new key.
pub(super) fn read_environment(form: &mut KeyForm) -> Option<Environment> {
    form.environment
        .read(|word| Environment::from_word(word).ok_or("Choose one of the environments."))
}
