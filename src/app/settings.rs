//! Hands each part its settings in its own terms.

use std::sync::Arc;
use std::time::Duration;

use actix_web::cookie::Key;
use latchkey_rules::secret::Digest;
use latchkey_rules::time::{Millis, SECOND_MS};

use super::Error;
use super::listen::Bound;
use crate::clock::Clock;
use crate::config::master_key::MasterKeys;
use crate::config::{self, Config, Listen, ProductEntry, VerdictEntry};
use crate::gate::{GateSettings, VerdictText};
use crate::jobs::Bag;
use crate::mail::{Look, Mailer};
use crate::metrics::Registry;
use crate::seal::Seal;
use crate::store::Db;
use crate::store::nodes::{NodeFacts, NodeRole};
use crate::store::products::{NewProduct, Sample};
use crate::web::Shared;
use crate::web::breached::Breached;
use crate::web::counts::Counts;
use crate::web::guesses::{GuessLimits, Guesses};
use crate::web::limits::RequestLimits;
use crate::web::links::Links;
use crate::web::password::Hashing;
use crate::web::public_url::PublicUrl;
use crate::web::shared::{Brand, Logo, SignUp, Support};

/// Where people reach the portal: as configured, else where it listens.
pub(super) fn portal_url(config: &Config, bound: Option<&Bound>) -> String {
    let listen = bound.map_or_else(|| config.portal.listen.clone(), Bound::listen);
    match (&config.public_url, listen) {
        (Some(url), _) => url.to_string(),
        (None, Listen::Tcp(address)) => config::PublicUrl::of_listener(address).to_string(),
        (None, Listen::Unix(_)) => "http://localhost".to_owned(),
    }
}

/// Where gateways on this machine reach the gate.
pub(super) fn gate_url(config: &Config, bound: Option<&Bound>) -> String {
    let listen = bound.map_or_else(|| config.gate.listen.clone(), Bound::listen);
    match listen {
        Listen::Tcp(address) => format!("http://{address}"),
        Listen::Unix(path) => format!("unix:{}", path.display()),
    }
}

pub(super) fn gate(
    config: &Config,
    bound: &Bound,
    portal_url: &str,
    measured: Registry,
) -> GateSettings {
    let gate = &config.gate;
    GateSettings {
        prefix: config.secret_prefix.clone(),
        key_headers: gate.key_headers.clone(),
        key_query: gate.key_query.clone(),
        trusted_proxies: gate.trusted_proxies.networks.clone(),
        unix_trusted: gate.trusted_proxies.unix,
        max_staleness: Duration::from_secs(u64::from(gate.max_staleness)),
        per_address: (gate.per_address > 0).then_some(gate.per_address),
        limits: limits(&config.limits),
        gate_tokens: gate
            .tokens
            .iter()
            .map(|token| Digest::of(token.expose()))
            .collect(),
        // Beyond this machine there must be one; on it, whoever sets tokens wants them shown.
        require_token: !bound.listen().is_local() || !gate.tokens.is_empty(),
        node: node(bound.listen()),
        address_detail: config.activity.ip,
        data_dir: config.data_dir.clone(),
        public_url: portal_url.to_owned(),
        verdicts: config.verdicts.iter().map(verdict_text).collect(),
        measured,
    }
}

fn verdict_text(entry: &VerdictEntry) -> VerdictText {
    VerdictText {
        code: entry.code,
        message: entry.message.clone(),
        help: entry.help.clone(),
    }
}

/// A node's name, in its batches of counts too: the machine and the address at which it listens.
fn node(listen: impl std::fmt::Display) -> String {
    let machine = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    format!("{} {listen}", machine.trim()).trim().to_owned()
}

/// This process, as the other nodes see it: by the gate's address, where it serves one.
pub(super) fn node_facts(
    config: &Config,
    portal: Option<&Bound>,
    gate: Option<&Bound>,
    now: Millis,
) -> Option<NodeFacts> {
    let role = match (portal, gate) {
        (Some(_), Some(_)) => NodeRole::Both,
        (None, Some(_)) => NodeRole::Gate,
        (Some(_), None) => NodeRole::Portal,
        (None, None) => return None,
    };
    Some(NodeFacts {
        name: node(gate.or(portal)?.listen()),
        role,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: now,
        max_staleness_ms: i64::from(config.gate.max_staleness) * SECOND_MS,
    })
}

pub(super) fn shared(
    config: &Config,
    db: &Db,
    clock: &Clock,
    keys: &MasterKeys,
    portal_url: &str,
    gate_url: &str,
    counts: Arc<Counts>,
) -> Result<Shared, Error> {
    let public_url =
        PublicUrl::parse(portal_url).map_err(|error| Error::PublicUrl(error.to_string()))?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let first = |list: &[String]| list.first().cloned().unwrap_or_default();
    Ok(Shared {
        db: db.clone(),
        clock: clock.clone(),
        brand: brand(&config.brand),
        breached: breached(config)?,
        support: Support {
            url: config.support.url.clone(),
            mail: config.support.mail.clone(),
        },
        sales_url: config.sales_url.clone(),
        terms_url: config.terms_url.clone(),
        public_url,
        key_header: first(&config.gate.key_headers),
        key_query: first(&config.gate.key_query),
        env_var_name: config.env_var_name.clone(),
        secret_prefix: config.secret_prefix.clone(),
        sign_up: match config.sign_up {
            config::SignUp::Open => SignUp::Open,
            config::SignUp::Invite => SignUp::Invite,
            config::SignUp::Closed => SignUp::Closed,
        },
        keys_per_account: i64::from(config.keys_per_account),
        gate_url: gate_url.to_owned(),
        cookie_key: Key::from(keys.sub_key::<64>("session cookies").as_slice()),
        // One core is left to those who wait for a verdict.
        hashing: Hashing::new(cores.saturating_sub(1))?,
        limits: limits(&config.limits),
        guesses: Guesses::new(guess_limits(&config.limits)),
        trusted_proxies: config.portal.trusted_proxies.networks.clone(),
        unix_trusted: config.portal.trusted_proxies.unix,
        secret_seal: secret_seal(keys),
        mail: config.mail.as_ref().map(|_| Links::new(mail_seal(keys))),
        counts,
    })
}

fn limits(limits: &config::Limits) -> RequestLimits {
    let seconds = |number| Duration::from_secs(u64::from(number));
    let whole = |number| usize::try_from(number).unwrap_or(usize::MAX);
    let bytes = |kib| whole(kib).saturating_mul(1024);
    RequestLimits {
        head_time: seconds(limits.head_seconds),
        body_time: seconds(limits.body_seconds),
        body_bytes: bytes(limits.body_kib),
        batch_bytes: bytes(limits.batch_kib),
        connections: whole(limits.connections),
    }
}

fn guess_limits(limits: &config::Limits) -> GuessLimits {
    GuessLimits {
        free: limits.failed_passwords,
        of_network: limits.failed_passwords_per_network,
        longest_wait_ms: i64::from(limits.longest_wait) * SECOND_MS,
    }
}

fn breached(config: &Config) -> Result<Option<Breached>, Error> {
    let Some(path) = &config.breached_passwords else {
        return Ok(None);
    };
    Breached::open(path)
        .map(Some)
        .map_err(|why| Error::Breached {
            file: path.display().to_string(),
            why,
        })
}

/// Seals secrets that can be read again.
pub(super) fn secret_seal(keys: &MasterKeys) -> Seal {
    Seal::new(keys.sub_keys("recoverable secrets"))
}

/// Seals the links of mails.
fn mail_seal(keys: &MasterKeys) -> Seal {
    Seal::new(keys.sub_keys("mail links"))
}

/// What the mails are sent with.
pub(super) fn mail_bag(
    config: &Config,
    mail: &config::Mail,
    keys: &MasterKeys,
    portal_url: &str,
) -> Result<Bag, Error> {
    let support = &config.support;
    Ok(Bag {
        mailer: Mailer::new(mail.smtp_url.expose(), mail.from.clone())?,
        look: Look {
            brand: config.brand.name.clone(),
            portal: portal_url.to_owned(),
            support: support.mail.clone().or_else(|| support.url.clone()),
        },
        seal: mail_seal(keys),
    })
}

fn brand(brand: &config::Brand) -> Brand {
    Brand {
        name: brand.name.clone(),
        logo: brand.logo.as_ref().map(|logo| Logo {
            bytes: logo.content.to_vec(),
            media_type: logo.media_type.to_owned(),
        }),
        css: brand
            .accent
            .map_or_else(String::new, |accent| format!(":root{{--brass:{accent}}}")),
    }
}

/// The configuration's products as the store takes them.
pub(super) fn products(config: &Config) -> Vec<NewProduct> {
    config.products.iter().map(product).collect()
}

fn product(entry: &ProductEntry) -> NewProduct {
    NewProduct {
        slug: entry.slug.clone(),
        name: entry.name.clone(),
        kind: entry.kind.clone(),
        docs_url: entry.docs_url.clone(),
        sample: entry
            .sample
            .as_ref()
            .map_or_else(Sample::default, |sample| Sample {
                method: sample.method.clone(),
                url: sample.url.clone(),
                expect: sample.expect.clone(),
            }),
        key_in_query: entry.key_in_query,
        needs_token: false,
        per_second: entry.per_second,
        recoverable: entry.recoverable,
        needs: entry.needs.clone(),
        routes: entry.routes.clone(),
        admin_prefixes: entry.admin_prefixes.clone(),
        scopes: entry.scopes.clone(),
    }
}
