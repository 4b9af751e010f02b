//! The names of the gate's own headers.

use actix_http::header::HeaderName;

macro_rules! names {
    ($($name:ident = $text:literal;)+) => {
        $(
            #[doc = concat!("`", $text, "`")]
            pub(crate) static $name: HeaderName = HeaderName::from_static($text);
        )+
    };
}

names! {
    KEY_ID = "latchkey-key-id";
    ACCOUNT = "latchkey-account";
    PRODUCT = "latchkey-product";
    ENVIRONMENT = "latchkey-environment";
    ACCESS = "latchkey-access";
    PLAN = "latchkey-plan";
    REQUEST_ID = "latchkey-request-id";
    SECRET_ENDS = "latchkey-secret-ends";
    SUBJECT = "latchkey-subject";
    ASSERTION = "latchkey-assertion";
    URI = "latchkey-uri";
    VERDICT = "latchkey-verdict";
    STATUS = "latchkey-status";
    RATE_LIMIT = "x-ratelimit-limit";
    RATE_REMAINING = "x-ratelimit-remaining";
    RATE_RESET = "x-ratelimit-reset";
    ROOM = "ratelimit";
    POLICY = "ratelimit-policy";
}
