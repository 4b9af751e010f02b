//! One verdict: from what a request presents to what becomes of it, counted at the moment it is decided.
//!
//! Everything is read from memory, under the lock of one shard, and handed to a closure; nothing is copied out. It must
//! not know HTTP: the handlers, the batch, benches and the demo call the same thing.

mod limits;

use std::borrow::Cow;
use std::sync::Arc;

use latchkey_rules::access::Access;
use latchkey_rules::code::Code;
use latchkey_rules::environment::Environment;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::limit::{LimitName, Micros, Taking};
use latchkey_rules::product::{KeyInQuery, ProductIx};
use latchkey_rules::secret::{Digest, Prefix, Presented};
use latchkey_rules::time::Millis;
use latchkey_rules::verdict::{Asked, Credential, Grant, Machine, Step, product_of};

use crate::clock::Clock;
use crate::store::exposures::Exposure;
use crate::store::replica::RowId;

use super::contact::{Contact, Freshness};
use super::limiter::addresses::Addresses;
use super::limiter::{self, Limiter};
use super::meter::Meter;
use super::meter::tally::{Counted, Subject};
use super::metrics::Metrics;
use super::replica::{Facts, Found, Known, Replica};

pub use limits::JudgedLimits;

/// Questions of which it is worth to read the buckets beforehand, since that takes every lock there is over them.
const MANY: usize = 32;

const NOT_FROM_QUERY: &str = "A key stands in the query of this request, where this product does not take it. Send it in a header.";

/// What is asked of the gate.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The key, as it was presented.
    pub key: AskedKey<'a>,
    /// What it is to open.
    pub asked: Asked<'a>,
    /// What it takes off the limits if it is let through, from 1 to 1,000.
    pub cost: u32,
    /// Whether the request came over http without encryption, as far as that is known.
    pub is_plain: bool,
    /// Whether the verdict is counted and takes of the limits: real requests do, trials do not.
    pub counted: bool,
}

/// The key of a request.
#[derive(Clone, Copy)]
pub enum AskedKey<'a> {
    /// None.
    Missing,
    /// Two different ones.
    TwoKeys,
    /// This text.
    Text(&'a str),
    /// This text, which stood in the query: whether it counts is the product's to say.
    InQuery(&'a str),
}

impl std::fmt::Debug for AskedKey<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Missing => "Missing",
            Self::TwoKeys => "TwoKeys",
            Self::Text(_) | Self::InQuery(_) => "[redacted]",
        })
    }
}

/// A verdict, with what an answer may say of it.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The code.
    pub code: Code,
    /// What the client reads.
    pub message: &'a str,
    /// The key, if its secret was presented.
    pub key: Option<JudgedKey<'a>>,
    /// The slug of the product that the request leads to.
    pub product: Option<&'a str>,
    /// Whether that product reads keys from the query.
    pub reads_query: bool,
    /// Whether access was judged by the method alone, as no path was known.
    pub by_method_alone: bool,
    /// What the limits said, where the decision came that far.
    pub limits: Option<JudgedLimits>,
}

/// The key of a verdict.
#[derive(Clone, Copy, Debug)]
pub struct JudgedKey<'a> {
    /// Its public name.
    pub key_id: KeyId,
    /// Which of its secrets was presented.
    pub secret_number: u16,
    /// Its account's slug.
    pub account: &'a str,
    /// Its account's plan.
    pub plan: &'a str,
    /// Its environment.
    pub environment: Environment,
    /// What it may do.
    pub access: Access,
    /// When it expires.
    pub expires_at: Option<Millis>,
    /// When the presented secret ends, if a rotation gave it an end.
    pub retires_at: Option<Millis>,
}

impl JudgedKey<'_> {
    /// When the presented secret stops to work, for whichever reason comes first.
    pub fn ends_at(&self) -> Option<Millis> {
        match (self.retires_at, self.expires_at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }
}

/// Whether a verdict may wait for an early look at the change log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// It may: an unknown secret then yields the number of the look to wait for.
    Waits,
    /// It must say what is known now.
    AtOnce,
}

/// An early look at the log that a verdict waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look(pub(crate) u64);

/// All that a verdict reads and counts.
pub(crate) struct Judge {
    pub(crate) replica: Arc<Replica>,
    pub(crate) contact: Arc<Contact>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) limiter: Arc<Limiter>,
    /// What one address may ask with one browser key, where there is a limit to it.
    pub(crate) addresses: Option<Addresses>,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
    pub(crate) prefix: Prefix,
}

/// The instant of a verdict, and how fresh the replica is then.
#[derive(Clone, Copy)]
struct Moment {
    /// The hour that is counted in.
    now: Millis,
    /// By which ends are judged: it does not go back.
    due: Millis,
    /// By which buckets fill.
    micros: Micros,
    freshness: Freshness,
    patience: Patience,
}

/// What a request shows, before anything is looked up.
enum Shown {
    /// The credential says it all.
    Plain(Credential<'static>),
    /// A text that is no secret of ours.
    Malformed,
    /// A well-formed secret, by its digest.
    Secret(Digest),
}

impl Shown {
    fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Secret(digest) => Some(digest),
            Self::Plain(_) | Self::Malformed => None,
        }
    }
}

/// Where a verdict goes: to the answer, and to the count.
struct Out<'o, A> {
    answer: &'o mut A,
    count: &'o mut dyn FnMut(Counted),
}

impl Judge {
    /// Decides, counts, and calls `answer` with the verdict.
    pub(crate) fn judge<R>(
        &self,
        ask: &Ask<'_>,
        patience: Patience,
        answer: &mut impl FnMut(&Judged<'_>) -> R,
    ) -> Result<R, Look> {
        let moment = self.moment(patience);
        let count = &mut |counted| self.meter.count([counted], moment.now);
        let out = &mut Out { answer, count };
        match self.shown(ask, moment) {
            Shown::Secret(digest) => self.replica.with_secret(&digest, |found, facts| {
                self.note_exposure(ask, &found, moment.now);
                let (credential, known) = self.credential(ask, &found, facts, moment)?;
                Ok(self.conclude(ask, &credential, known, facts, moment, out))
            }),
            shown => Ok(self.replica.with_facts(|facts| {
                let credential = without_secret(ask, &shown, facts);
                self.conclude(ask, &credential, None, facts, moment, out)
            })),
        }
    }

    /// Decides all of them in their order, at one instant. When one has to wait for a look at the log, it says how many
    /// were decided before it.
    pub(crate) fn judge_all(
        &self,
        asks: &[Ask<'_>],
        patience: Patience,
        answer: &mut impl FnMut(&Judged<'_>),
    ) -> Result<(), (usize, Look)> {
        let moment = self.moment(patience);
        let shown: Vec<Shown> = asks.iter().map(|ask| self.shown(ask, moment)).collect();
        let mut counted = Vec::with_capacity(asks.len());
        let judged = self.replica.with_all(|view, facts| {
            // All are looked up before the first is decided: see `with_all`.
            let found = view.find_all(shown.iter().map(Shown::digest));
            if found.len() >= MANY {
                let known = found.iter().filter_map(Found::known);
                self.limiter.warm(known.map(Known::key_row));
            }
            for (done, ((ask, shown), found)) in asks.iter().zip(&shown).zip(&found).enumerate() {
                let (credential, known) = match shown {
                    Shown::Secret(_) => {
                        self.note_exposure(ask, found, moment.now);
                        self.credential(ask, found, facts, moment)
                            .map_err(|look| (done, look))?
                    }
                    shown => (without_secret(ask, shown, facts), None),
                };
                let count = &mut |verdict| counted.push(verdict);
                let out = &mut Out {
                    answer: &mut *answer,
                    count,
                };
                self.conclude(ask, &credential, known, facts, moment, out);
            }
            Ok(())
        });
        self.meter.count(counted, moment.now);
        judged
    }

    /// A server's secret in a URL or on an open line is known to others from then on, whatever the verdict is.
    fn note_exposure(&self, ask: &Ask<'_>, found: &Found<'_>, now: Millis) {
        let is_in_url = matches!(ask.key, AskedKey::InQuery(_));
        if !(is_in_url || ask.is_plain) || !ask.counted {
            return;
        }
        let Found::Known(known) = found else { return };
        if known.policy.kind != KeyKind::Server {
            return;
        }
        let note = |way| {
            let key = RowId::from_number(known.key_row());
            self.meter
                .note_exposure(key, known.secret_number(), way, now);
        };
        if is_in_url {
            note(Exposure::Url);
        }
        if ask.is_plain {
            note(Exposure::PlainHttp);
        }
    }

    fn moment(&self, patience: Patience) -> Moment {
        let now = self.clock.now();
        Moment {
            now,
            due: self.contact.not_back(now),
            micros: limiter::monotonic(&self.clock),
            freshness: self.contact.freshness(),
            patience,
        }
    }

    fn shown(&self, ask: &Ask<'_>, moment: Moment) -> Shown {
        if moment.freshness == Freshness::TooOld {
            return Shown::Plain(Credential::OutOfTouch);
        }
        let text = match ask.key {
            AskedKey::Missing => return Shown::Plain(Credential::Missing),
            AskedKey::TwoKeys => return Shown::Plain(Credential::TwoKeys),
            AskedKey::Text(text) | AskedKey::InQuery(text) => text,
        };
        match Presented::parse(&self.prefix, text) {
            Ok(presented) => Shown::Secret(presented.digest()),
            Err(_malformed) => Shown::Malformed,
        }
    }

    /// What a well-formed secret comes to, and its key if it counts.
    fn credential<'f>(
        &self,
        ask: &Ask<'_>,
        found: &'f Found<'f>,
        facts: &Facts,
        moment: Moment,
    ) -> Result<(Credential<'f>, Option<&'f Known<'f>>), Look> {
        let rule = query_rule(ask, facts);
        Ok(match (found, rule) {
            (_, KeyInQuery::Never) => (Credential::Missing, None),
            (Found::Known(known), KeyInQuery::Browser) if known.policy.kind == KeyKind::Server => {
                (Credential::Missing, None)
            }
            (Found::Known(known), _) => {
                (Credential::Known(known.key_facts(moment.due)), Some(known))
            }
            (Found::Broken, _) => (Credential::OutOfTouch, None),
            (Found::Unknown, _) => (self.unknown(moment)?, None),
        })
    }

    /// What a well-formed secret is that no key has: unknown only as far as the log has been read.
    fn unknown(&self, moment: Moment) -> Result<Credential<'static>, Look> {
        if moment.freshness != Freshness::InTouch {
            return Ok(Credential::OutOfTouch);
        }
        match moment.patience {
            Patience::AtOnce => Ok(Credential::Unknown),
            Patience::Waits => match self.contact.ask() {
                Some(look) => Err(Look(look)),
                None => Ok(Credential::Unknown),
            },
        }
    }

    fn conclude<R, A: FnMut(&Judged<'_>) -> R>(
        &self,
        ask: &Ask<'_>,
        credential: &Credential<'_>,
        known: Option<&Known<'_>>,
        facts: &Facts,
        moment: Moment,
        out: &mut Out<'_, A>,
    ) -> R {
        let mut machine = Machine::new(credential, &ask.asked, &facts.catalogue, moment.due);
        let mut limits = None;
        let (code, mut message, by_method_alone) = run(&mut machine, |grant| {
            let Some(known) = known else {
                return Taking::NotNow(LimitName::Minute);
            };
            let judged = self.limits(ask, known, grant.product, facts, moment);
            limits.insert(judged).limits.taking()
        });
        if code == Code::KeyMissing && matches!(ask.key, AskedKey::InQuery(_)) {
            message = Cow::Borrowed(NOT_FROM_QUERY);
        }
        let product = machine.product();
        if ask.counted {
            self.metrics.verdict(code);
            if let Some(known) = known {
                let subject = subject(known, product, code, facts);
                self.meter
                    .note_caller(&subject, ask.asked.caller, moment.now);
                let is_allow = code == Code::Valid;
                // Almost every verdict is an allow that costs one, which the key's own record counts.
                let is_counted =
                    is_allow && ask.cost == 1 && known.admits(moment.now, subject.product_row);
                if !is_counted {
                    let units = if is_allow { i64::from(ask.cost) } else { 0 };
                    (out.count)(Counted { subject, units });
                }
            }
        }
        let product = product.and_then(|product| facts.catalogue.get(product));
        (out.answer)(&Judged {
            code,
            message: &message,
            key: known.map(judged_key),
            product: product.map(|product| product.slug.as_str()),
            reads_query: product.is_none_or(|product| product.key_in_query != KeyInQuery::Never),
            by_method_alone,
            limits,
        })
    }
}

/// What a request is that shows no well-formed secret.
fn without_secret(ask: &Ask<'_>, shown: &Shown, facts: &Facts) -> Credential<'static> {
    match shown {
        Shown::Plain(credential) => *credential,
        Shown::Malformed if query_rule(ask, facts) == KeyInQuery::Never => Credential::Missing,
        Shown::Malformed => Credential::Malformed,
        // Without its key a secret opens nothing.
        Shown::Secret(_) => Credential::Unknown,
    }
}

/// What a verdict is counted under.
fn subject(known: &Known<'_>, product: Option<ProductIx>, code: Code, facts: &Facts) -> Subject {
    Subject {
        account_row: known.account.row,
        key_row: RowId::from_number(known.key_row()),
        secret_number: known.secret_number(),
        product_row: product
            .and_then(|product| facts.product_row(product))
            .unwrap_or(RowId::NONE),
        code,
    }
}

/// Drives the decision to its end, with what the limits say to what is granted but for them.
fn run(
    machine: &mut Machine<'_>,
    limits: impl FnOnce(&Grant) -> Taking,
) -> (Code, Cow<'static, str>, bool) {
    let mut limits = Some(limits);
    loop {
        match machine.step() {
            Step::Passed(_) => {}
            Step::NeedLimits(grant) => {
                let asked = limits.take().map(|limits| limits(&grant));
                machine.resume(asked.unwrap_or(Taking::NotNow(LimitName::Minute)));
            }
            Step::Refuse(refusal) => return (refusal.code, refusal.message, false),
            Step::Allow(grant) => {
                let message = Cow::Borrowed(Code::Valid.message());
                return (Code::Valid, message, grant.by_method_alone);
            }
        }
    }
}

fn judged_key<'a>(known: &Known<'a>) -> JudgedKey<'a> {
    JudgedKey {
        key_id: known.key_id(),
        secret_number: known.secret_number(),
        account: &known.account.slug,
        plan: &known.plan.slug,
        environment: known.policy.environment,
        access: known.policy.access,
        expires_at: known.expires_at(),
        retires_at: known.retires_at(),
    }
}

/// What the product that the request leads to says of keys in the query, if the key stands there; where none is found,
/// the default.
fn query_rule(ask: &Ask<'_>, facts: &Facts) -> KeyInQuery {
    if !matches!(ask.key, AskedKey::InQuery(_)) {
        return KeyInQuery::Any;
    }
    let product = product_of(&ask.asked, &facts.catalogue).ok();
    let product = product.and_then(|product| facts.catalogue.get(product));
    product.map_or(KeyInQuery::Browser, |product| product.key_in_query)
}
