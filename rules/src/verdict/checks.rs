//! The checks themselves, as data: a list in order, each a small pure function.

use std::borrow::Cow;

use super::place::{Nowhere, Question};
use super::{Check, Credential, KeyFacts, Refusal, Standing};
use crate::access::Access;
use crate::code::Code;
use crate::domain::Origin;
use crate::environment::Environment;
use crate::limit::{LimitName, Taking};
use crate::time::Millis;

/// What a check says when it does not pass.
pub(super) struct Refused {
    pub(super) code: Code,
    pub(super) message: Cow<'static, str>,
}

impl Refused {
    pub(super) fn by(self, check: Check) -> Refusal {
        Refusal {
            code: self.code,
            check,
            message: self.message,
        }
    }
}

type Judgement = Result<(), Refused>;
type Judge = fn(&Question<'_>) -> Judgement;

/// Every check, in the order in which they are made.
pub(super) const CHECKS: &[(Check, Judge)] = &[
    (Check::InTouch, in_touch),
    (Check::OneKey, one_key),
    (Check::KeySent, key_sent),
    (Check::KeyWellFormed, key_well_formed),
    (Check::KeyKnown, key_known),
    (Check::SecretLive, secret_live),
    (Check::KeyUnexpired, key_unexpired),
    (Check::KeyEnabled, key_enabled),
    (Check::AccountActive, account_active),
    (Check::PathClear, path_clear),
    (Check::ProductKnown, product_known),
    (Check::ProductAssigned, product_assigned),
    (Check::EnvironmentAllowed, environment_allowed),
    (Check::AccessAllowed, access_allowed),
    (Check::ScopeAllowed, scope_allowed),
    (Check::OriginAllowed, origin_allowed),
    (Check::IpAllowed, ip_allowed),
];

/// Those that ask for no key: where does the request lead?
pub(super) const OF_THE_PLACE: &[(Check, Judge)] = &[
    (Check::PathClear, path_clear),
    (Check::ProductKnown, product_known),
];

/// What the limits are asked, after all others: they alone take something.
pub(super) const OF_THE_LIMITS: &[Check] = &[Check::RateAllowed, Check::QuotaAllowed];

const PAUSED: &str =
    "This API key is paused by its owner. It works again once it is resumed in the portal.";
const TWO_READINGS: &str = "The path of this request leads to one product, scope or access as it was sent, and to another once it is resolved, so it was refused. Send it resolved and without encoding that it does not need.";
const NOTHING_NAMED: &str =
    "No product was named. Name a product, or the host and path that are asked for.";
const NO_SUCH_SLUG: &str = "There is no product of the name that was given.";
const DISAGREE: &str = "The product that was named is not the one that this path leads to.";

const TOO_FAST: &str =
    "Too many requests to this product within a second. Wait as long as Retry-After says.";
const TOO_DEAR: &str = "This request costs more than its limit ever holds, so it can never pass. Ask for less at a time.";

/// What the limits refuse, if they do.
pub(super) fn limited(taking: Taking) -> Option<Refusal> {
    let (code, check, message) = match taking {
        Taking::Taken => return None,
        Taking::NotNow(LimitName::Second) => (Code::RateLimited, Check::RateAllowed, TOO_FAST),
        Taking::NotNow(LimitName::Minute) => {
            let message = Code::RateLimited.message();
            (Code::RateLimited, Check::RateAllowed, message)
        }
        Taking::NotNow(LimitName::Day) => {
            let message = Code::QuotaExceeded.message();
            (Code::QuotaExceeded, Check::QuotaAllowed, message)
        }
        Taking::Never(_) => (Code::RateLimited, Check::RateAllowed, TOO_DEAR),
    };
    let message = Cow::Borrowed(message);
    Some(Refusal {
        code,
        check,
        message,
    })
}

fn pass_if(passes: bool, code: Code) -> Judgement {
    if passes { Ok(()) } else { refuse(code) }
}

fn refuse(code: Code) -> Judgement {
    refuse_with(code, code.message())
}

fn refuse_with(code: Code, message: impl Into<Cow<'static, str>>) -> Judgement {
    let message = message.into();
    Err(Refused { code, message })
}

/// The key. The checks before have made sure of it; should a list ever lack them, it is closed.
fn key<'a>(question: &Question<'a>) -> Result<&'a KeyFacts<'a>, Refused> {
    question.key().ok_or(Refused {
        code: Code::KeyNotFound,
        message: Cow::Borrowed(Code::KeyNotFound.message()),
    })
}

fn in_touch(question: &Question<'_>) -> Judgement {
    let is_in_touch = !matches!(question.credential, Credential::OutOfTouch);
    pass_if(is_in_touch, Code::Unavailable)
}

fn one_key(question: &Question<'_>) -> Judgement {
    let is_one = !matches!(question.credential, Credential::TwoKeys);
    pass_if(is_one, Code::RequestInvalid)
}

fn key_sent(question: &Question<'_>) -> Judgement {
    let is_sent = !matches!(question.credential, Credential::Missing);
    pass_if(is_sent, Code::KeyMissing)
}

fn key_well_formed(question: &Question<'_>) -> Judgement {
    let is_well_formed = !matches!(question.credential, Credential::Malformed);
    pass_if(is_well_formed, Code::KeyMalformed)
}

fn key_known(question: &Question<'_>) -> Judgement {
    key(question).map(|_known| ())
}

/// An instant named as an end is the first one at which it is over.
fn is_over(end: Option<Millis>, now: Millis) -> bool {
    end.is_some_and(|end| end <= now)
}

fn secret_live(question: &Question<'_>) -> Judgement {
    let is_over = is_over(key(question)?.secret_ends_at, question.now);
    pass_if(!is_over, Code::SecretRetired)
}

fn key_unexpired(question: &Question<'_>) -> Judgement {
    let is_over = is_over(key(question)?.expires_at, question.now);
    pass_if(!is_over, Code::KeyExpired)
}

fn key_enabled(question: &Question<'_>) -> Judgement {
    match key(question)?.standing {
        Standing::Enabled => Ok(()),
        Standing::Disabled => refuse(Code::KeyDisabled),
        Standing::Paused => refuse_with(Code::KeyDisabled, PAUSED),
    }
}

fn account_active(question: &Question<'_>) -> Judgement {
    pass_if(!key(question)?.account_suspended, Code::AccountSuspended)
}

fn path_clear(question: &Question<'_>) -> Judgement {
    match question.place() {
        Err(Nowhere::Path(why)) => refuse_with(
            Code::PathAmbiguous,
            format!("{why} Servers read such a path in different ways, so it was refused."),
        ),
        Err(Nowhere::TwoReadings) => refuse_with(Code::PathAmbiguous, TWO_READINGS),
        _ => Ok(()),
    }
}

fn product_known(question: &Question<'_>) -> Judgement {
    match question.place() {
        Ok(_) => Ok(()),
        Err(Nowhere::NothingNamed) => refuse_with(Code::ProductUnknown, NOTHING_NAMED),
        Err(Nowhere::NoSuchSlug) => refuse_with(Code::ProductUnknown, NO_SUCH_SLUG),
        Err(Nowhere::Disagree) => refuse_with(Code::ProductUnknown, DISAGREE),
        Err(Nowhere::NoRoute | Nowhere::Path(_) | Nowhere::TwoReadings) => {
            refuse(Code::ProductUnknown)
        }
    }
}

/// The place. The checks before have made sure of it.
fn place(question: &Question<'_>) -> Result<super::place::Place, Refused> {
    question.place().map_err(|_nowhere| Refused {
        code: Code::ProductUnknown,
        message: Cow::Borrowed(Code::ProductUnknown.message()),
    })
}

fn product_assigned(question: &Question<'_>) -> Judgement {
    let product = place(question)?.product;
    if key(question)?.products.binary_search(&product).is_ok() {
        return Ok(());
    }
    match question.catalogue.get(product) {
        Some(product) => refuse_with(
            Code::ProductNotAssigned,
            format!(
                "This API key is not assigned to the product {}. Use a key that has it, or create one in the portal.",
                product.name
            ),
        ),
        None => refuse(Code::ProductNotAssigned),
    }
}

fn environment_allowed(question: &Question<'_>) -> Judgement {
    let (environment, taken) = (key(question)?.environment, place(question)?.environments);
    if taken.takes(environment) {
        return Ok(());
    }
    let named: Vec<_> = taken.named().map(Environment::label).collect();
    refuse_with(
        Code::EnvironmentNotAllowed,
        format!(
            "This API key is of the environment {}. What was asked for takes keys of {}.",
            environment.label(),
            named.join(" or ")
        ),
    )
}

fn access_allowed(question: &Question<'_>) -> Judgement {
    let (access, place) = (key(question)?.access, place(question)?);
    let needed = question.needed(place);
    if access >= needed {
        return Ok(());
    }
    let what = match (place.is_admin_path, needed) {
        (Some(true), _) => "This path is administrative and",
        (_, Access::Admin) => "This method is not one of the common ones and",
        _ => known_method(question.asked.method),
    };
    refuse_with(
        Code::AccessNotAllowed,
        format!(
            "{what} needs the access {}. This API key has the access {}.",
            needed.word(),
            access.word()
        ),
    )
}

/// A method's name for a message, never a caller's own text.
fn known_method(method: &str) -> &'static str {
    match method {
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "This method",
    }
}

fn scope_allowed(question: &Question<'_>) -> Judgement {
    let place = place(question)?;
    let bound = key(question)?.scopes;
    let Some(own) = bound.iter().find(|one| one.product == place.product) else {
        return Ok(());
    };
    if own.scopes.meets(place.scopes) {
        return Ok(());
    }
    let Some(product) = question.catalogue.get(place.product) else {
        return refuse(Code::AccessNotAllowed);
    };
    let parts: Vec<&str> = product.names_of(own.scopes).collect();
    let parts = if parts.is_empty() {
        "no part".to_owned()
    } else {
        parts.join(" and ")
    };
    let outside = match place.is_admin_path {
        Some(_) => "this path is not in it",
        // Without a path nobody can know where in the product the request leads: it is closed.
        None => "the request names no path",
    };
    refuse_with(
        Code::AccessNotAllowed,
        format!(
            "This API key is good for {parts} of {}, and {outside}.",
            product.name
        ),
    )
}

const NO_PAGE: &str = "This API key only works from pages of the domains that it is bound to, and the request names no page: it holds neither Origin nor Referer.";

/// Without an `Origin`, and only then, the `Referer` counts. Whoever is no browser can send either: it keeps honest browsers
/// of other sites out, and nobody else.
fn origin_allowed(question: &Question<'_>) -> Judgement {
    let Some(domains) = key(question)?.domains else {
        return Ok(());
    };
    let caller = question.asked.caller;
    let Some(text) = caller.origin.or(caller.referer) else {
        return refuse_with(Code::OriginNotAllowed, NO_PAGE.to_owned());
    };
    let origin = Origin::parse(text);
    let is_covered = origin.is_some_and(|origin| domains.iter().any(|one| one.covers(&origin)));
    pass_if(is_covered, Code::OriginNotAllowed)
}

fn ip_allowed(question: &Question<'_>) -> Judgement {
    let Some(ranges) = key(question)?.ips else {
        return Ok(());
    };
    let ip = question.asked.caller.address.get();
    let is_held = ip.is_some_and(|ip| ranges.iter().any(|range| range.holds(ip)));
    pass_if(is_held, Code::IpNotAllowed)
}
