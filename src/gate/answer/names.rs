//! The names of the headers that the gate writes, in lower case.

macro_rules! names {
    ($($name:ident = $text:literal;)+) => {
        $(
            #[doc = concat!("`", $text, "`")]
            pub(crate) const $name: &str = $text;
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
    ACCESS_CONTROL_ALLOW_HEADERS = "access-control-allow-headers";
    ACCESS_CONTROL_ALLOW_METHODS = "access-control-allow-methods";
    ACCESS_CONTROL_ALLOW_ORIGIN = "access-control-allow-origin";
    ACCESS_CONTROL_EXPOSE_HEADERS = "access-control-expose-headers";
    ACCESS_CONTROL_MAX_AGE = "access-control-max-age";
    ALLOW = "allow";
    CACHE_CONTROL = "cache-control";
    CONTENT_TYPE = "content-type";
    RETRY_AFTER = "retry-after";
    VARY = "vary";
    WWW_AUTHENTICATE = "www-authenticate";
}
