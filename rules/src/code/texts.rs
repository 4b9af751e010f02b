//! The words of each code.
//!
//! `message` is for whoever holds the answer and may know nothing of us; `cause` and `mend` are for the
//! docs and may speak of pages.

use super::Code;

/// The words of one code.
pub(super) struct Texts {
    pub(super) title: &'static str,
    pub(super) message: &'static str,
    pub(super) cause: &'static str,
    pub(super) mend: &'static str,
}

const UNKNOWN_KEY: &str = "This API key is not known. Check that the whole secret was sent, without spaces or line breaks, and that its key was not deleted.";

/// The words of a code.
pub(super) const fn of(code: Code) -> Texts {
    match code {
        Code::Unavailable
        | Code::RequestInvalid
        | Code::KeyMissing
        | Code::KeyMalformed
        | Code::KeyNotFound
        | Code::SecretRetired
        | Code::KeyExpired
        | Code::KeyDisabled
        | Code::AccountSuspended => of_key(code),
        Code::PathAmbiguous
        | Code::ProductUnknown
        | Code::ProductNotAssigned
        | Code::EnvironmentNotAllowed
        | Code::AccessNotAllowed
        | Code::OriginNotAllowed
        | Code::IpNotAllowed => of_restriction(code),
        _ => of_the_rest(code),
    }
}

const fn of_key(code: Code) -> Texts {
    match code {
        Code::RequestInvalid => Texts {
            title: "The request cannot be judged",
            message: "The request cannot be judged as it was sent: it carries two different API keys, or what it asks for cannot be told.",
            cause: "Two different keys stand in one request, for instance one in a header and another in the query; or the proxy in front did not say, or said twice, which host, path and method were asked for.",
            mend: "Send one key, in one place. If only one was sent, the operator finds the proxy's half of the answer with the request id.",
        },
        Code::KeyMissing => Texts {
            title: "No key was sent",
            message: "No API key was sent. Send its secret in the API key header, or as a bearer token in Authorization.",
            cause: "No secret stands where keys are read: the API key header, Authorization, or the query where the product allows that.",
            mend: "Add the header as the key's page shows it. If it is there, look for a redirect or a proxy that drops it, and for an environment variable that is empty.",
        },
        Code::KeyMalformed => Texts {
            title: "Not a complete secret",
            message: UNKNOWN_KEY,
            cause: "What was sent does not have the form of a secret, or its checksum does not fit: a character is missing, doubled or changed. A key ID (key_...) is no secret.",
            mend: "Copy the secret again, whole. If it was not kept, rotate the key: a new secret is shown once.",
        },
        Code::KeyNotFound => Texts {
            title: "The key is not known",
            message: UNKNOWN_KEY,
            cause: "The secret is well formed but belongs to no key here: the key was deleted, or the secret was made by another installation.",
            mend: "Look the key up in the portal. A key deleted less than 60 minutes ago can be restored there; otherwise create a new one.",
        },
        Code::SecretRetired => Texts {
            title: "The secret was replaced",
            message: "This secret was replaced when its key was rotated, and its time has ended. Use the key's current secret.",
            cause: "The key was rotated, and the grace of the older secret is over. The key itself works, with its newer secret.",
            mend: "Put the newer secret wherever the older one still is: the key's page says who still uses it.",
        },
        Code::KeyExpired => Texts {
            title: "The key has expired",
            message: "This API key has expired. Create a new key, or ask the owner of this one for it.",
            cause: "The key was given an expiry date, and it has passed. An expired key does not come back.",
            mend: "Create a new key and use its secret. Choose a later expiry date, or none.",
        },
        Code::KeyDisabled => Texts {
            title: "The key is disabled",
            message: "This API key is disabled. Its owner finds the reason in the portal.",
            cause: "Staff or a policy disabled the key, for a reason that its page shows; or its account has paused it.",
            mend: "Open the key's page: it shows the reason and the way to support, with the key ID to copy. A paused key is resumed on the same page.",
        },
        Code::AccountSuspended => Texts {
            title: "The account is suspended",
            message: "The account that owns this API key is suspended. Its owner finds the reason in the portal.",
            cause: "All keys of the account are refused until the suspension is lifted. The keys themselves stay as they are.",
            mend: "The account's owner sees the reason and the way to support on the account's pages.",
        },
        _ => Texts {
            title: "No verdict at present",
            message: "API keys cannot be checked at the moment. Try again in a few seconds.",
            cause: "The gate has been out of touch with its database for too long to be sure, so it lets nothing through. This says nothing about the key.",
            mend: "Try again after the seconds that Retry-After names. If it lasts, the operator finds the cause in the gate's readiness page.",
        },
    }
}

const fn of_restriction(code: Code) -> Texts {
    match code {
        Code::ProductUnknown => Texts {
            title: "No such product",
            message: "No product is served at this host and path.",
            cause: "No product owns this host and path, or the product that was named is another one than they lead to.",
            mend: "Compare host and path with the product's sample request. The operator adds hosts and paths to a product.",
        },
        Code::ProductNotAssigned => Texts {
            title: "Not a product of this key",
            message: "This API key is not assigned to the product that was asked for.",
            cause: "A key works for the products that it was given, and this one is not among them.",
            mend: "Use a key that has the product, or create one: the key's page lists the products that it has.",
        },
        Code::EnvironmentNotAllowed => Texts {
            title: "Wrong environment",
            message: "This host does not take API keys of this environment.",
            cause: "The host is kept for keys of other environments, such as production alone.",
            mend: "Use a key of the host's environment, or call the host that is meant for this key's.",
        },
        Code::AccessNotAllowed => Texts {
            title: "Not enough access",
            message: "This API key's access does not allow this method or path.",
            cause: "Access read allows GET, HEAD and OPTIONS; write also POST, PUT, PATCH and DELETE; any other method, and the product's administrative paths, need admin.",
            mend: "Use a key with the access that the request needs. Methods are written in capitals.",
        },
        Code::OriginNotAllowed => Texts {
            title: "Domain not allowed",
            message: "This API key only works from the domains that it is bound to, and the request does not come from one of them.",
            cause: "The key has allowed domains. The page's domain, read from Origin or else from Referer, is not among them, or neither header was sent.",
            mend: "Use a key without domains for this caller, or one whose domains hold the page's. localhost needs an entry of its own.",
        },
        Code::IpNotAllowed => Texts {
            title: "Address not allowed",
            message: "This API key only works from the IP addresses that it is bound to, and the request does not come from one of them.",
            cause: "The key has allowed IP ranges, and the client's address is not in any of them, or is not known.",
            mend: "Call from an allowed address, or use a key whose ranges hold this one. Behind a proxy that is not trusted, the address seen is the proxy's.",
        },
        _ => Texts {
            title: "The path can be read in two ways",
            message: "The path of this request can be read in more than one way, so it was refused. Send it without encoded slashes, backslashes, and dot segments.",
            cause: "Servers disagree about such a path: it holds an encoded slash, a backslash, a control character, a doubly encoded character or dots that climb out, or it names one product as sent and another when resolved.",
            mend: "Send the plain path: resolve . and .., and encode each character at most once. A slash inside a value belongs into the query.",
        },
    }
}

const fn of_the_rest(code: Code) -> Texts {
    match code {
        Code::TokenMissing => Texts {
            title: "No bearer token was sent",
            message: "This product also needs a bearer token. Send it in Authorization, and the API key in its own header.",
            cause: "The product asks for two things: the key, and a bearer token of a person or a service. The token was not sent.",
            mend: "Get a token from the issuer that the product's docs name, and send it as Authorization: Bearer.",
        },
        Code::TokenExpired => Texts {
            title: "The bearer token has expired",
            message: "The bearer token has expired. Get a new one; the API key itself was accepted.",
            cause: "The token's own expiry has passed.",
            mend: "Get a new token before the old one ends, and check that the caller's clock is right.",
        },
        Code::TokenInvalid => Texts {
            title: "The bearer token cannot be trusted",
            message: "The bearer token could not be verified. Get a new one from the issuer that this product trusts.",
            cause: "The token's signature, issuer or audience is not the one that the product trusts, or it is no token at all.",
            mend: "Check that the token was made for this product, by the issuer that its docs name, and was sent whole.",
        },
        Code::TokenNotAuthorized => Texts {
            title: "The bearer token does not allow this",
            message: "The bearer token is valid, but does not allow this request.",
            cause: "The token lacks a scope or a claim that the product asks for.",
            mend: "Ask the issuer for a token with the scope that the product's docs name.",
        },
        Code::RateLimited => Texts {
            title: "Too many requests",
            message: "Too many requests in a short time. Wait as long as Retry-After says.",
            cause: "More requests came than the limit allows, by second or by minute. A refused request uses nothing up.",
            mend: "Wait for the seconds that Retry-After names and spread requests out. The key's limits page says what binds.",
        },
        Code::QuotaExceeded => Texts {
            title: "The day's requests are used up",
            message: "The account's requests of this day are used up. They begin anew at 00:00 UTC.",
            cause: "All keys of an account share its requests of a day, and they are used up. New or rotated keys change nothing.",
            mend: "Wait until 00:00 UTC, or choose a larger plan. The account's limits page shows which key used how much.",
        },
        _ => Texts {
            title: "Valid",
            message: "The API key is valid for this request.",
            cause: "Every check passed.",
            mend: "Nothing needs mending.",
        },
    }
}
