//! The answer to a form that was sent before: what it made then, whose secret is not shown again (T-59).

use askama::Template;
use latchkey_rules::time::Millis;

use super::facts;
use crate::store::keys::Key;
use crate::web::frame::Frame;
use crate::web::zone::When;

#[derive(Template)]
#[template(path = "keys/used.html")]
pub(super) struct UsedView {
    frame: Frame,
    keys_href: String,
    /// The page that the form stood on.
    here: &'static str,
    did: &'static str,
    advice: &'static str,
    href: String,
    again: (String, &'static str),
    made: When,
}

impl UsedView {
    /// Of the form that makes a key.
    pub(super) fn of_key(frame: Frame, account: &str, key_id: &str, made_at: Millis) -> Self {
        let keys_href = facts::list_href(account);
        Self {
            here: "Create key",
            did: "It made a key",
            advice: "If you did not copy the secret, rotate that key: a new secret is shown once.",
            href: format!("{keys_href}/{key_id}"),
            again: (format!("{keys_href}/new"), "Create another key"),
            made: frame.when(made_at),
            keys_href,
            frame,
        }
    }

    /// Of the form that rotates one.
    pub(super) fn of_rotation(frame: Frame, account: &str, key: &Key, made_at: Millis) -> Self {
        let href = facts::href(account, key);
        Self {
            here: "Rotate",
            did: "It rotated this key",
            advice: "If you did not copy the new secret, rotate once more: while nobody used the new one, the old one keeps its end.",
            again: (format!("{href}/rotate"), "Rotate once more"),
            made: frame.when(made_at),
            keys_href: facts::list_href(account),
            href,
            frame,
        }
    }
}
