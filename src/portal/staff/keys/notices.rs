//! What stands at the top of a key's page because it decides about every request: deleted, disabled, expired, paused, its
//! account suspended. It prints nothing itself.

use crate::store::accounts::AccountFacts;
use crate::store::keys::{Key, StaffKey};
use crate::web::frame::Frame;

/// Something that decides about the key's requests, said at the top.
pub(super) struct Notice {
    /// `bad` or `warn`.
    pub(super) kind: &'static str,
    /// What holds.
    pub(super) title: &'static str,
    /// Since when, and what that means.
    pub(super) text: String,
    /// The lines of the reason, if one was given.
    pub(super) reason: Vec<String>,
}

/// What decides about every request with the key, most final first.
pub(super) fn of(frame: &Frame, found: &StaffKey) -> Vec<Notice> {
    let key = &found.key;
    let all = [
        deleted(frame, key),
        disabled(frame, key),
        expired(frame, key),
        paused(frame, key),
        suspended(frame, &found.account),
    ];
    all.into_iter().flatten().collect()
}

fn deleted(frame: &Frame, key: &Key) -> Option<Notice> {
    let at = frame.when(key.deleted_at?).exact;
    let until = key.purge_at.map_or_else(String::new, |until| {
        format!(
            " Its account can take that back until {}.",
            frame.when(until).exact
        )
    });
    Some(Notice {
        kind: "bad",
        title: "Deleted.",
        text: format!("Since {at}. It is refused as if it had never been.{until}"),
        reason: Vec::new(),
    })
}

fn disabled(frame: &Frame, key: &Key) -> Option<Notice> {
    let disabled = key.disabled.as_ref()?;
    let at = frame.when(disabled.at).exact;
    Some(Notice {
        kind: "bad",
        title: "Disabled.",
        text: format!(
            "By {}, {at}. Each request is refused with KEY_DISABLED.",
            disabled.by
        ),
        reason: lines(&disabled.reason),
    })
}

fn expired(frame: &Frame, key: &Key) -> Option<Notice> {
    let at = key.expires_at.filter(|at| *at <= frame.now())?;
    let at = frame.when(at).exact;
    Some(Notice {
        kind: "bad",
        title: "Expired.",
        text: format!("Since {at}. Each request is refused with KEY_EXPIRED."),
        reason: Vec::new(),
    })
}

fn paused(frame: &Frame, key: &Key) -> Option<Notice> {
    key.paused_at?;
    let until = match key.paused_until {
        Some(until) if until <= frame.now() => return None,
        Some(until) => format!("It resumes by itself {}.", frame.when(until).exact),
        None => "Until its account resumes it.".to_owned(),
    };
    Some(Notice {
        kind: "warn",
        title: "Paused by its account.",
        text: format!("{until} Each request is refused with KEY_DISABLED."),
        reason: Vec::new(),
    })
}

fn suspended(frame: &Frame, account: &AccountFacts) -> Option<Notice> {
    let suspended = account.suspended.as_ref()?;
    let at = frame.when(suspended.at).exact;
    Some(Notice {
        kind: "bad",
        title: "The account is suspended.",
        text: format!(
            "By {}, {at}. Each request with any of its keys is refused with ACCOUNT_SUSPENDED.",
            suspended.by
        ),
        reason: lines(&suspended.reason),
    })
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
