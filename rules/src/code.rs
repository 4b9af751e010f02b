//! The codes of verdicts: what each means to the one who gets it, and how it is mended.
//!
//! These texts stand in answers of the gate and in the docs. They must not tell anything of a key that
//! the caller has not shown the secret of: malformed, unknown and deleted read the same.

mod texts;

use std::fmt;
use std::str::FromStr;

worded! {
    /// What kinds of outcome a chart tells apart.
    pub enum OutcomeGroup {
        /// Let through.
        Allowed => "allowed", "Allowed";
        /// A restriction of the key refused it.
        Restriction => "restriction", "Restriction";
        /// A limit was reached.
        Limit => "limit", "Rate or quota";
        /// No key, a wrong one, or one that is over; likewise tokens.
        Invalid => "invalid", "Invalid or expired";
        /// The key or its account is switched off.
        Disabled => "disabled", "Disabled";
        /// The gate itself could not tell.
        Unavailable => "unavailable", "Unavailable";
    }
}

/// A code that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("There is no such verdict code.")]
pub struct CodeError;

/// Declares the codes: name, number, status, group.
macro_rules! codes {
    ($( $(#[$meta:meta])* $variant:ident = $number:literal, $text:literal, $status:literal, $group:ident; )+) => {
        /// A verdict's code. The order is that of the checks; the first that refuses names the verdict.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $( $(#[$meta])* $variant, )+
        }

        impl Code {
            /// Every code, in the order of the checks; `VALID` is the last.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as it stands in answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The number that is stored. It never changes; new codes get new numbers.
            #[must_use]
            pub const fn number(self) -> i16 {
                match self { $(Self::$variant => $number,)+ }
            }

            /// The code with this stored number.
            #[must_use]
            pub const fn from_number(number: i16) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)+ _ => None }
            }

            /// The HTTP status of an answer that carries it.
            #[must_use]
            pub const fn http_status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// The kind of outcome that it is counted under.
            #[must_use]
            pub const fn outcome_group(self) -> OutcomeGroup {
                match self { $(Self::$variant => OutcomeGroup::$group,)+ }
            }

            fn from_text(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

codes! {
    /// The gate cannot tell at present.
    Unavailable = 1, "UNAVAILABLE", 503, Unavailable;
    /// The request cannot be judged as it was asked.
    RequestInvalid = 2, "REQUEST_INVALID", 400, Invalid;
    /// No key.
    KeyMissing = 3, "KEY_MISSING", 401, Invalid;
    /// Not the form of a secret.
    KeyMalformed = 4, "KEY_MALFORMED", 401, Invalid;
    /// The form of a secret, but none that is known.
    KeyNotFound = 5, "KEY_NOT_FOUND", 401, Invalid;
    /// A secret that a rotation replaced, past its grace.
    SecretRetired = 6, "SECRET_RETIRED", 401, Invalid;
    /// The key's expiry date has passed.
    KeyExpired = 7, "KEY_EXPIRED", 401, Invalid;
    /// The key is switched off, by staff or by a pause.
    KeyDisabled = 8, "KEY_DISABLED", 403, Disabled;
    /// The account is switched off.
    AccountSuspended = 9, "ACCOUNT_SUSPENDED", 403, Disabled;
    /// The path can be read in more than one way.
    PathAmbiguous = 10, "PATH_AMBIGUOUS", 403, Restriction;
    /// No product answers at this host and path, or under this name.
    ProductUnknown = 11, "PRODUCT_UNKNOWN", 403, Restriction;
    /// The key is not good for the product.
    ProductNotAssigned = 12, "PRODUCT_NOT_ASSIGNED", 403, Restriction;
    /// The host takes keys of other environments.
    EnvironmentNotAllowed = 13, "ENVIRONMENT_NOT_ALLOWED", 403, Restriction;
    /// The key's access is too low, or the path is outside its scopes.
    AccessNotAllowed = 14, "ACCESS_NOT_ALLOWED", 403, Restriction;
    /// The page's domain is not among the allowed ones.
    OriginNotAllowed = 15, "ORIGIN_NOT_ALLOWED", 403, Restriction;
    /// The client's address is not among the allowed ones.
    IpNotAllowed = 16, "IP_NOT_ALLOWED", 403, Restriction;
    /// The product also needs a bearer token.
    TokenMissing = 17, "TOKEN_MISSING", 401, Invalid;
    /// The bearer token is over.
    TokenExpired = 18, "TOKEN_EXPIRED", 401, Invalid;
    /// The bearer token cannot be trusted.
    TokenInvalid = 19, "TOKEN_INVALID", 401, Invalid;
    /// The bearer token does not allow this.
    TokenNotAuthorized = 20, "TOKEN_NOT_AUTHORIZED", 403, Restriction;
    /// Too many requests in a short time.
    RateLimited = 21, "RATE_LIMITED", 429, Limit;
    /// The day's requests are used up.
    QuotaExceeded = 22, "QUOTA_EXCEEDED", 429, Limit;
    /// Let through.
    Valid = 23, "VALID", 200, Allowed;
}

impl Code {
    /// The code spelled so.
    ///
    /// # Errors
    /// When there is none.
    #[expect(
        clippy::should_implement_trait,
        reason = "FromStr is implemented below; this saves its import"
    )]
    pub fn from_str(text: &str) -> Result<Self, CodeError> {
        Self::from_text(text).ok_or(CodeError)
    }

    /// The word that stands for the status in `{"error":{"code":…}}`.
    #[must_use]
    pub const fn error_word(self) -> &'static str {
        match self.http_status() {
            200 => "OK",
            400 => "BadRequest",
            401 => "Unauthorized",
            429 => "TooManyRequests",
            503 => "ServiceUnavailable",
            _ => "Forbidden",
        }
    }

    /// A few words for a heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        texts::of(self).title
    }

    /// What the client reads when nothing more exact is known.
    #[must_use]
    pub const fn message(self) -> &'static str {
        texts::of(self).message
    }

    /// Why this happens, for the docs.
    #[must_use]
    pub const fn cause(self) -> &'static str {
        texts::of(self).cause
    }

    /// How to mend it, for the docs.
    #[must_use]
    pub const fn mend(self) -> &'static str {
        texts::of(self).mend
    }

    /// Whether the request may go on.
    #[must_use]
    pub const fn is_allow(self) -> bool {
        matches!(self, Self::Valid)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_text(text).ok_or(CodeError)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_stand_in_the_order_of_the_checks() {
        let in_order = "UNAVAILABLE REQUEST_INVALID KEY_MISSING KEY_MALFORMED KEY_NOT_FOUND SECRET_RETIRED \
            KEY_EXPIRED KEY_DISABLED ACCOUNT_SUSPENDED PATH_AMBIGUOUS PRODUCT_UNKNOWN PRODUCT_NOT_ASSIGNED \
            ENVIRONMENT_NOT_ALLOWED ACCESS_NOT_ALLOWED ORIGIN_NOT_ALLOWED IP_NOT_ALLOWED TOKEN_MISSING \
            TOKEN_EXPIRED TOKEN_INVALID TOKEN_NOT_AUTHORIZED RATE_LIMITED QUOTA_EXCEEDED VALID";
        let codes: Vec<_> = Code::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(codes, in_order.split_ascii_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn each_code_is_found_by_its_text_and_its_number() {
        for code in Code::ALL {
            assert_eq!(Code::from_str(code.as_str()), Ok(*code));
            assert_eq!(Code::from_number(code.number()), Some(*code));
        }
        assert_eq!(Code::from_str("valid"), Err(CodeError));
        assert_eq!(Code::from_number(0), None);
    }

    #[test]
    fn valid_alone_lets_through() {
        let allowing: Vec<_> = Code::ALL.iter().filter(|c| c.is_allow()).collect();
        assert_eq!(allowing, [&Code::Valid]);
    }

    #[test]
    fn a_code_is_printed_as_it_stands_in_answers() {
        assert_eq!(Code::KeyExpired.to_string(), "KEY_EXPIRED");
    }

    #[test]
    fn stored_numbers_never_change() {
        let numbers: Vec<_> = Code::ALL.iter().map(|c| c.number()).collect();
        assert_eq!(numbers, (1..=23).collect::<Vec<_>>());
    }

    #[test]
    fn statuses_are_those_of_the_published_table() {
        for code in Code::ALL {
            let status = match code.as_str() {
                "UNAVAILABLE" => 503,
                "REQUEST_INVALID" => 400,
                "KEY_MISSING" | "KEY_MALFORMED" | "KEY_NOT_FOUND" | "SECRET_RETIRED"
                | "KEY_EXPIRED" | "TOKEN_MISSING" | "TOKEN_EXPIRED" | "TOKEN_INVALID" => 401,
                "RATE_LIMITED" | "QUOTA_EXCEEDED" => 429,
                "VALID" => 200,
                _ => 403,
            };
            assert_eq!(code.http_status(), status, "{code}");
            let word = match status {
                200 => "OK",
                400 => "BadRequest",
                401 => "Unauthorized",
                403 => "Forbidden",
                429 => "TooManyRequests",
                _ => "ServiceUnavailable",
            };
            assert_eq!(code.error_word(), word);
        }
    }

    #[test]
    fn malformed_and_unknown_read_the_same() {
        let (malformed, unknown) = (Code::KeyMalformed, Code::KeyNotFound);
        assert_eq!(malformed.message(), unknown.message());
        assert_eq!(malformed.http_status(), unknown.http_status());
        assert_eq!(malformed.error_word(), unknown.error_word());
    }

    #[test]
    fn texts_are_sentences_without_shouting_or_blame() {
        let titles: BTreeSet<_> = Code::ALL.iter().map(|c| c.title()).collect();
        assert_eq!(titles.len(), Code::ALL.len(), "each title names one code");
        for code in Code::ALL {
            assert!(!code.title().ends_with('.') && !code.title().is_empty());
            for text in [code.message(), code.cause(), code.mend()] {
                assert!(text.ends_with('.'), "{code}: {text}");
                for word in ["!", "lease ", " oops", "uccessfully", "nvalid input", "  "] {
                    assert!(!text.contains(word), "{code}: {text}");
                }
                assert!(text.is_ascii() || !text.contains('"'), "{code}: {text}");
            }
            let message = code.message();
            assert!(
                message.is_ascii(),
                "{code}: read in logs and terminals of any kind"
            );
        }
    }
}
