//! The one decision: does this key open this door.
//!
//! A verdict is a list of [`Check`]s in a fixed order; the first that refuses names it. A [`Machine`]
//! goes through them one step at a time, so that the gate, the page that explains a refusal, previews
//! and tests drive the very same checks and cannot disagree. It must not know where the facts came
//! from: no clock, no request, no key table.
//!
//! What changes with every request stands last: the machine asks for it with [`Step::NeedLimits`] and is
//! resumed with the limits' answer. [`Step`] is not open-ended, so every driver has to say what it does.

mod checks;
mod place;

use std::borrow::Cow;

use checks::CHECKS;
use place::Question;

use std::net::IpAddr;

use crate::access::Access;
use crate::code::Code;
use crate::domain::DomainPattern;
use crate::environment::Environment;
use crate::ip_range::IpRange;
use crate::limit::Taking;
use crate::product::{Catalogue, ProductIx, ProductScopes};
use crate::time::Millis;

/// What is known of the key that was presented.
#[derive(Clone, Copy, Debug)]
pub enum Credential<'a> {
    /// Two different keys in one request.
    TwoKeys,
    /// None.
    Missing,
    /// Not the form of a secret.
    Malformed,
    /// Whoever answers cannot tell: it has been out of touch with the key table for too long.
    OutOfTouch,
    /// A well-formed secret of no key.
    Unknown,
    /// The secret of this key.
    Known(KeyFacts<'a>),
}

/// Whether a key is switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// On.
    #[default]
    Enabled,
    /// Switched off by staff or a policy.
    Disabled,
    /// Switched off for a while by its account.
    Paused,
}

/// What a decision needs of a key and of the secret that was presented.
#[derive(Clone, Copy, Debug)]
pub struct KeyFacts<'a> {
    /// When this secret ends, if a rotation gave it an end.
    pub secret_ends_at: Option<Millis>,
    /// When the key expires.
    pub expires_at: Option<Millis>,
    /// Whether it is switched on.
    pub standing: Standing,
    /// Whether its account is suspended.
    pub account_suspended: bool,
    /// Its environment.
    pub environment: Environment,
    /// What it may do.
    pub access: Access,
    /// The products that it is good for, in ascending order.
    pub products: &'a [ProductIx],
    /// Those of them that it is good for in part, with the parts.
    pub scopes: &'a [ProductScopes],
    /// The domains that it is bound to, if it is bound to any.
    pub domains: Option<&'a [DomainPattern]>,
    /// The addresses that it is bound to, if it is bound to any.
    pub ips: Option<&'a [IpRange]>,
}

/// What the request is after.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// Nothing was said. It is the installation's product if there is only one.
    Nothing,
    /// A product by name.
    Slug(&'a str),
    /// A path alone, as it was sent. It is the installation's product if there is only one.
    Path(&'a str),
    /// A product by name, and a path as it was sent.
    SlugAndPath {
        /// The product's slug.
        slug: &'a str,
        /// The path; a query after it is not read.
        path: &'a str,
    },
    /// A host and a path as they were sent.
    Route {
        /// The host; a port is not read.
        host: &'a str,
        /// The path; a query after it is not read.
        path: &'a str,
        /// The product that host and path are said to lead to.
        slug: Option<&'a str>,
    },
}

/// What is asked of the key.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What the request is after.
    pub target: Target<'a>,
    /// The HTTP method, spelled as sent. Where none is known it is `GET`: access read.
    pub method: &'a str,
    /// Who calls, as far as that is known.
    pub caller: &'a Caller<'a>,
}

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// What stands in `Origin`, as it was sent.
    pub origin: Option<&'a str>,
    /// What stands in `Referer`, as it was sent. It is read only without an `Origin`.
    pub referer: Option<&'a str>,
    /// What stands in `User-Agent`. No check reads it.
    pub user_agent: Option<&'a str>,
    /// The client's address.
    pub address: Address<'a>,
}

impl Caller<'static> {
    /// Somebody of whom nothing is known.
    pub const NOBODY: Self = Self {
        origin: None,
        referer: None,
        user_agent: None,
        address: Address::Is(None),
    };
}

/// The address of a client. Most keys are bound to none, so it need not be found out before one is that is.
#[derive(Clone, Copy)]
pub enum Address<'a> {
    /// This, if it is known.
    Is(Option<IpAddr>),
    /// What this finds out.
    AskedFor(&'a dyn Fn() -> Option<IpAddr>),
}

impl std::fmt::Debug for Address<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Address({:?})", self.get())
    }
}

impl Address<'_> {
    /// The address, found out now where it was not yet.
    #[must_use]
    pub fn get(&self) -> Option<IpAddr> {
        match self {
            Self::Is(ip) => *ip,
            Self::AskedFor(find) => find(),
        }
    }
}

worded! {
    /// The checks, in their order. A label says what holds when the check passes.
    pub enum Check {
        /// Whoever answers knows the key table.
        InTouch => "in_touch", "The gate is in touch with the key table";
        /// At most one key was sent.
        OneKey => "one_key", "The request carries one key";
        /// A key was sent.
        KeySent => "key_sent", "A key was sent";
        /// It has the form of a secret.
        KeyWellFormed => "key_well_formed", "The secret is complete";
        /// It is a key's secret.
        KeyKnown => "key_known", "The key is known";
        /// The secret has not been replaced, or is within its grace.
        SecretLive => "secret_live", "The secret has not been retired";
        /// The key has not expired.
        KeyUnexpired => "key_unexpired", "The key has not expired";
        /// The key is neither disabled nor paused.
        KeyEnabled => "key_enabled", "The key is enabled";
        /// The account is not suspended.
        AccountActive => "account_active", "The account is not suspended";
        /// The path reads in one way only.
        PathClear => "path_clear", "The path can be read in one way only";
        /// Host and path, or the name, lead to a product.
        ProductKnown => "product_known", "The request leads to a product";
        /// The key is good for the product.
        ProductAssigned => "product_assigned", "The key has the product";
        /// The host takes keys of this environment.
        EnvironmentAllowed => "environment_allowed", "The host takes keys of this environment";
        /// The key's access is enough for method and path.
        AccessAllowed => "access_allowed", "The key's access is enough";
        /// The path belongs to a scope of the key's, if it is bound to any of the product.
        ScopeAllowed => "scope_allowed", "The path is within the key's scopes";
        /// The page's domain is allowed.
        OriginAllowed => "origin_allowed", "The domain is allowed";
        /// The client's address is allowed.
        IpAllowed => "ip_allowed", "The IP address is allowed";
        /// The limits by second and by minute have room for it.
        RateAllowed => "rate_allowed", "The key is within its rate";
        /// The account's day has room for it.
        QuotaAllowed => "quota_allowed", "The account is within its day";
    }
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The verdict.
    pub code: Code,
    /// The check that refused.
    pub check: Check,
    /// What the client reads: the code's message, or a more exact one.
    pub message: Cow<'static, str>,
}

/// What an allowed request is allowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The product that it reaches.
    pub product: ProductIx,
    /// The access that it needed.
    pub needed: Access,
    /// Whether that was judged by the method alone, as no path was known.
    pub by_method_alone: bool,
}

/// One step of the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// This check passed; there is more to come.
    Passed(Check),
    /// Refused; the decision is over.
    Refuse(Refusal),
    /// Nothing but the limits is left: [`Machine::resume`] is to be told what they say, and this comes again until it was.
    NeedLimits(Grant),
    /// Every check passed; the decision is over.
    Allow(Grant),
}

/// A decision on its way.
pub struct Machine<'a> {
    question: Question<'a>,
    next: usize,
    taking: Option<Taking>,
}

impl<'a> Machine<'a> {
    /// A decision about this key and this request at this instant.
    #[must_use]
    pub fn new(
        credential: &'a Credential<'a>,
        asked: &'a Asked<'a>,
        catalogue: &'a Catalogue,
        now: Millis,
    ) -> Self {
        Self {
            question: Question::new(credential, asked, catalogue, now),
            next: 0,
            taking: None,
        }
    }

    /// The product that the request leads to, whatever becomes of the key: for counting refusals.
    #[must_use]
    pub fn product(&self) -> Option<ProductIx> {
        self.question.place().ok().map(|place| place.product)
    }

    /// Tells what the limits say, once [`Step::NeedLimits`] has asked for it.
    pub fn resume(&mut self, taking: Taking) {
        self.taking = Some(taking);
    }

    /// Goes one check further. Once the decision is over, it says the same again.
    pub fn step(&mut self) -> Step {
        let Some((check, judge)) = CHECKS.get(self.next) else {
            return self
                .question
                .grant()
                .map_or_else(closed, |grant| self.limited(grant));
        };
        match judge(&self.question) {
            Ok(()) => {
                self.next += 1;
                Step::Passed(*check)
            }
            Err(refused) => Step::Refuse(refused.by(*check)),
        }
    }

    fn limited(&mut self, grant: Grant) -> Step {
        let Some(taking) = self.taking else {
            return Step::NeedLimits(grant);
        };
        let refused = checks::limited(taking);
        match (checks::OF_THE_LIMITS.get(self.next - CHECKS.len()), refused) {
            (Some(check), Some(refusal)) if refusal.check == *check => Step::Refuse(refusal),
            (Some(check), _) => {
                self.next += 1;
                Step::Passed(*check)
            }
            (None, _) => Step::Allow(grant),
        }
    }
}

/// The end that no list of checks can reach: all passed, and yet there is nothing to allow.
fn closed() -> Step {
    Step::Refuse(closed_refusal())
}

fn closed_refusal() -> Refusal {
    Refusal {
        code: Code::Unavailable,
        check: Check::InTouch,
        message: Cow::Borrowed(Code::Unavailable.message()),
    }
}

/// The whole decision at once, as if the limits had room for it.
///
/// # Errors
/// When a check refuses.
pub fn decide(
    credential: &Credential<'_>,
    asked: &Asked<'_>,
    catalogue: &Catalogue,
    now: Millis,
) -> Result<Grant, Refusal> {
    let mut machine = Machine::new(credential, asked, catalogue, now);
    loop {
        match machine.step() {
            Step::Passed(_) => {}
            Step::Refuse(refusal) => return Err(refusal),
            Step::NeedLimits(_) => machine.resume(Taking::Taken),
            Step::Allow(grant) => return Ok(grant),
        }
    }
}

/// The product that a request leads to, without any key: what a browser's preflight is judged by.
///
/// # Errors
/// When the path can be read in two ways, or leads to no product.
pub fn product_of(asked: &Asked<'_>, catalogue: &Catalogue) -> Result<ProductIx, Refusal> {
    let question = Question::new(&Credential::Missing, asked, catalogue, Millis(0));
    for (check, judge) in checks::OF_THE_PLACE {
        if let Err(refused) = judge(&question) {
            return Err(refused.by(*check));
        }
    }
    match question.place() {
        Ok(place) => Ok(place.product),
        Err(_) => Err(closed_refusal()),
    }
}

#[cfg(test)]
mod tests;
