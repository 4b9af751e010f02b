//! What each mail says. No mail holds a secret; the only thing in it that opens anything is the link of its own.

use latchkey_rules::mail::MailKind;
use latchkey_rules::time::Millis;

use super::letter::{Letter, Parts};
use crate::store::outbox::Mail;

/// What every mail shares.
#[derive(Clone, Debug)]
pub struct Look {
    /// The operator's name.
    pub brand: String,
    /// The portal's address, without a slash at its end.
    pub portal: String,
    /// Where people get help: a page or a mail address.
    pub support: Option<String>,
}

impl Look {
    fn page(&self, path: &str) -> String {
        format!("{}{path}", self.portal)
    }

    /// "tell support, help@example.com", as far as the operator said whom.
    fn tell_support(&self) -> String {
        match &self.support {
            Some(support) => format!("tell support at once: {support}"),
            None => format!("tell {} at once", self.brand),
        }
    }
}

/// The mail in both forms. `token` is that of its link, where it has one.
///
/// # Errors
/// When a template cannot be filled in.
pub fn letter(look: &Look, mail: &Mail, token: Option<&str>) -> Result<Letter, askama::Error> {
    let mut parts = match mail.kind {
        MailKind::ConfirmSignUp | MailKind::SignUpTaken => of_sign_up(look, mail, token),
        MailKind::ConfirmAddress | MailKind::AddressTaken | MailKind::AddressChanged => {
            of_address(look, mail, token)
        }
        MailKind::ResetPassword | MailKind::PasswordChanged => of_password(look, mail, token),
        MailKind::KeyRotated | MailKind::SecretEnding => of_rotation(look, mail),
        MailKind::KeyExpiring => of_expiry(look, mail),
        MailKind::DayUsed => of_day(look, mail),
        MailKind::KeyCreated
        | MailKind::SecretRevealed
        | MailKind::KeyDeleted
        | MailKind::KeyDisabled
        | MailKind::KeyEnabled => of_key(look, mail),
    };
    parts.greeting = format!("Hello {},", mail.name);
    parts.sender.clone_from(&look.brand);
    if parts.why.is_empty() {
        parts.why = format!(
            "You get this mail because this address belongs to an account at {}.",
            look.portal
        );
    }
    parts.letter()
}

fn link(look: &Look, path: &str, token: Option<&str>) -> String {
    look.page(&format!("{path}?token={}", token.unwrap_or_default()))
}

fn of_sign_up(look: &Look, mail: &Mail, token: Option<&str>) -> Parts {
    let brand = &look.brand;
    match mail.kind {
        MailKind::ConfirmSignUp => Parts {
            subject: format!("Confirm your mail address for {brand}"),
            lines: vec![format!(
                "You signed up for {brand} with the account {}. One step is left: confirm that this address is yours.",
                mail.about.subject
            )],
            action: Some(("Confirm this address", link(look, "/confirm", token))),
            after: vec![
                "The link works once, for 24 hours. If you did not sign up, do nothing: without it no account is made."
                    .to_owned(),
            ],
            why: format!("Somebody gave this address at {}.", look.portal),
            ..Parts::default()
        },
        _ => Parts {
            subject: format!("You have an account at {brand} already"),
            lines: vec![format!(
                "Somebody, probably you, just signed up for {brand} with this address. It has an account already, so nothing was changed."
            )],
            action: Some(("Sign in", look.page("/sign-in"))),
            after: vec![
                format!("Forgot your password? Set another one: {}", look.page("/reset")),
                "If it was not you, you need not do anything.".to_owned(),
            ],
            ..Parts::default()
        },
    }
}

fn of_address(look: &Look, mail: &Mail, token: Option<&str>) -> Parts {
    let brand = &look.brand;
    match mail.kind {
        MailKind::ConfirmAddress => Parts {
            subject: format!("Confirm your new mail address for {brand}"),
            lines: vec![format!(
                "You want to sign in to {brand} with this address instead of {}. Confirm that it is yours.",
                mail.about.actor
            )],
            action: Some(("Confirm this address", link(look, "/confirm", token))),
            after: vec![
                "The link works once, for 24 hours. If it was not you, do nothing: nothing changes without it."
                    .to_owned(),
            ],
            why: format!("Somebody gave this address at {}.", look.portal),
            ..Parts::default()
        },
        MailKind::AddressTaken => Parts {
            subject: format!("Somebody gave your mail address at {brand}"),
            lines: vec![format!(
                "Somebody with another account at {brand} wanted to use this address for it. It belongs to yours, so nothing was changed."
            )],
            after: vec!["You need not do anything.".to_owned()],
            ..Parts::default()
        },
        _ => Parts {
            subject: format!("Your mail address for {brand} was changed"),
            lines: vec![format!(
                "Since {} you sign in to {brand} with {}. This address gets no more mails.",
                when(mail.created_at),
                mail.about.detail
            )],
            after: vec![format!("If it was not you, {}.", look.tell_support())],
            ..Parts::default()
        },
    }
}

fn of_password(look: &Look, mail: &Mail, token: Option<&str>) -> Parts {
    let brand = &look.brand;
    if mail.kind == MailKind::ResetPassword {
        return Parts {
            subject: format!("Set another password for {brand}"),
            lines: vec![format!(
                "Somebody, probably you, asked to set another password for {brand}."
            )],
            action: Some(("Set another password", link(look, "/set-password", token))),
            after: vec![
                "The link works once, for 30 minutes. If it was not you, do nothing: your password stays as it is."
                    .to_owned(),
            ],
            ..Parts::default()
        };
    }
    Parts {
        subject: format!("Your password for {brand} was changed"),
        lines: vec![format!(
            "Your password was changed on {}. Wherever else you were signed in, you are signed out.",
            when(mail.created_at)
        )],
        after: vec![format!(
            "If it was not you, set another one now at {} and {}.",
            look.page("/reset"),
            look.tell_support()
        )],
        ..Parts::default()
    }
}

fn of_key(look: &Look, mail: &Mail) -> Parts {
    let about = &mail.about;
    let (subject, actor) = (&about.subject, &about.actor);
    let (keys, key_id, key) = pages_of_key(look, mail);
    let (subject, line, action, after) = match mail.kind {
        MailKind::KeyCreated => (
            format!("New key: {subject}"),
            format!("{actor} made a key."),
            ("Look at the key", key),
            "If none of you did this, delete the key and set another password.".to_owned(),
        ),
        MailKind::SecretRevealed => (
            format!("Secret shown again: {subject}"),
            format!("{actor} had a key’s secret shown again, with their password."),
            ("Look at the key", key),
            "If none of you did this, rotate the key and set another password.".to_owned(),
        ),
        MailKind::KeyDeleted => (
            format!("Key deleted: {subject}"),
            format!("{actor} deleted a key. Every request with it is refused."),
            ("See the account’s keys", keys),
            format!("If none of you did this, {}.", look.tell_support()),
        ),
        MailKind::KeyDisabled => (
            format!("Key disabled: {subject}"),
            format!(
                "{} switched a key off. Every request with it is refused.",
                look.brand
            ),
            ("Look at the key", key),
            match &look.support {
                Some(support) => {
                    format!("To have it switched on again, write to {support} and name the key ID.")
                }
                None => format!(
                    "To have it switched on again, ask {} and name the key ID.",
                    look.brand
                ),
            },
        ),
        _ => (
            format!("Key enabled: {subject}"),
            format!("{} switched a key on again.", look.brand),
            ("Look at the key", key),
            "Requests with it are let through again.".to_owned(),
        ),
    };
    Parts {
        subject,
        lines: vec![line],
        facts: facts_of_key(mail, key_id),
        action: Some(action),
        after: vec![after],
        why: format!(
            "Choose of which keys you get mails: {}",
            look.page("/profile")
        ),
        ..Parts::default()
    }
}

fn of_rotation(look: &Look, mail: &Mail) -> Parts {
    let about = &mail.about;
    let (_, key_id, key) = pages_of_key(look, mail);
    let ends = about.detail.parse().ok().map(|ms| when(Millis(ms)));
    let mut facts = facts_of_key(mail, key_id);
    facts.truncate(4);
    let (subject, line, after) = if mail.kind == MailKind::KeyRotated {
        let line = match &ends {
            Some(ends) => format!(
                "{} rotated a key’s secret. The old one works until {ends}.",
                about.actor
            ),
            None => format!(
                "{} rotated a key’s secret. The old one is refused.",
                about.actor
            ),
        };
        let after = format!("If none of you did this, {}.", look.tell_support());
        (format!("Secret rotated: {}", about.subject), line, after)
    } else {
        let line = format!(
            "A key’s old secret was used within the last 6 hours, and ends on {}.",
            ends.unwrap_or_default()
        );
        let after = "Whoever uses it then is refused. The grace cannot be made longer.".to_owned();
        (
            format!("Old secret still used: {}", about.subject),
            line,
            after,
        )
    };
    Parts {
        subject,
        lines: vec![line],
        facts,
        action: Some(("Look at the key", key)),
        after: vec![after],
        why: format!(
            "Choose of which keys you get mails: {}",
            look.page("/profile")
        ),
        ..Parts::default()
    }
}

fn of_expiry(look: &Look, mail: &Mail) -> Parts {
    let about = &mail.about;
    let (_, key_id, key) = pages_of_key(look, mail);
    let end: Millis = Millis(about.detail.parse().unwrap_or_default());
    let mut facts = facts_of_key(mail, key_id);
    facts.truncate(3);
    facts.push(("Expires", when(end)));
    Parts {
        subject: format!("Key expires soon: {}", about.subject),
        lines: vec![format!(
            "A key expires on {}. Requests with it are refused from then on.",
            when(end)
        )],
        facts,
        action: Some(("Look at the key", format!("{key}/edit"))),
        after: vec![
            "If it is still needed, give it a later end. If not, there is nothing to do."
                .to_owned(),
        ],
        why: format!(
            "Choose of which keys you get mails: {}",
            look.page("/profile")
        ),
        ..Parts::default()
    }
}

/// `detail` is the share that is used, in percent, and what the plan allows.
fn of_day(look: &Look, mail: &Mail) -> Parts {
    let about = &mail.about;
    let (share, per_day) = about.detail.split_once(' ').unwrap_or_default();
    let account = about.account.as_deref().unwrap_or_default();
    let is_over = share == "100";
    let subject = if is_over {
        format!("Today’s requests are used up: {}", about.subject)
    } else {
        format!("{share} % of today’s requests are used: {}", about.subject)
    };
    let line = if is_over {
        "All requests that the plan allows your account today are used. Every further one is refused until 00:00 UTC."
    } else {
        "Most of the requests that the plan allows your account today are used. Once all are, every further one is refused until 00:00 UTC."
    };
    Parts {
        subject,
        lines: vec![line.to_owned()],
        facts: vec![
            ("Account", account.to_owned()),
            ("Requests a day", per_day.to_owned()),
            ("When", when(mail.created_at)),
        ],
        action: Some((
            "See which keys used them",
            look.page(&format!("/accounts/{account}/limits")),
        )),
        after: vec![
            "A key can be given lower limits of its own, so that one program does not use up what all share.".to_owned(),
        ],
        why: format!(
            "Choose of which keys you get mails: {}",
            look.page("/profile")
        ),
        ..Parts::default()
    }
}

/// The list of the account's keys, the key's ID, and its page.
fn pages_of_key(look: &Look, mail: &Mail) -> (String, String, String) {
    let account = mail.about.account.as_deref().unwrap_or_default();
    let key_id = mail.about.key_id.map(|id| id.to_string());
    let key_id = key_id.unwrap_or_default();
    let keys = look.page(&format!("/accounts/{account}/keys"));
    let key = format!("{keys}/{key_id}");
    (keys, key_id, key)
}

fn facts_of_key(mail: &Mail, key_id: String) -> Vec<(&'static str, String)> {
    let about = &mail.about;
    let mut facts = vec![
        ("Key", about.subject.clone()),
        ("Key ID", key_id),
        ("Account", about.account.clone().unwrap_or_default()),
        ("When", when(mail.created_at)),
    ];
    if !about.detail.is_empty() {
        facts.push(("Reason", about.detail.clone()));
    }
    facts
}

/// An instant as a mail writes it, which does not know its reader's time zone: `25 November 2026, 21:51 UTC`.
fn when(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|at| at.strftime("%-d %B %Y, %H:%M UTC").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
