//! The commands about people and what is theirs: users, accounts, keys.

use latchkey_rules::email::Email;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::name::DisplayName;
use latchkey_rules::role::{Role, StaffRole};
use latchkey_rules::slug::Slug;

use super::args::{AccountsCommand, AdminCommand, CreateUserArgs, KeysCommand, Member, Staff};
use super::print::say;
use super::{BY, Failed, Outcome};
use crate::app;
use crate::clock::Clock;
use crate::config::{Config, Listen};
use crate::store::changes;
use crate::store::one_time_links;
use crate::store::users::{self, NewUser};
use crate::store::{Conflict, Error, accounts as stored_accounts, keys as stored_keys, scope};
use crate::web::token::Token;

/// How long the link works.
const LINK_HOURS: i64 = 24;

pub(super) fn admin(config: &Config, command: &AdminCommand, clock: Clock) -> Outcome {
    let args = match command {
        AdminCommand::CreateUser(args) => args,
        AdminCommand::NewEpoch => return new_epoch(config, clock),
    };
    let new = read(args).map_err(Failed::Because)?;
    let db = app::open_database(config, clock, false)?;
    let token = Token::generate().map_err(Failed::because)?;
    let digest = token.digest();
    db.change_blocking(move |change| {
        let user = users::create_user(change, &scope::operator(BY), &new)?;
        let ends = change.now().plus_secs(LINK_HOURS * 3600);
        one_time_links::create(change, &user, digest, ends)
    })
    .map_err(|error| Failed::Because(of_user(&error)))?;
    say(format_args!(
        "{} can choose a password here, once, within {LINK_HOURS} hours:\n{}/set-password?token={}",
        args.email,
        portal_url(config),
        token.expose()
    ))
}

fn new_epoch(config: &Config, clock: Clock) -> Outcome {
    let db = app::open_database(config, clock, false)?;
    db.change_blocking(|change| changes::new_epoch(change, &scope::operator(BY)))
        .map_err(Failed::because)?;
    say("The change log was begun anew. Every gate loads everything within a second.")
}

fn of_user(error: &Error) -> String {
    match error {
        Error::Conflict(Conflict::EmailTaken) => {
            "Somebody with this mail address exists already.".to_owned()
        }
        Error::NotFound => {
            "There is no account of that name. It is the part after /accounts/ in its pages' addresses.".to_owned()
        }
        other => other.to_string(),
    }
}

/// Where the portal is reached, as far as the configuration alone can tell.
fn portal_url(config: &Config) -> String {
    match (&config.public_url, &config.portal.listen) {
        (Some(url), _) => url.to_string(),
        (None, Listen::Tcp(address)) => crate::config::PublicUrl::of_listener(*address).to_string(),
        (None, Listen::Unix(_)) => "http://localhost".to_owned(),
    }
}

fn read(args: &CreateUserArgs) -> Result<NewUser, String> {
    let member_of = match &args.account {
        Some(slug) => {
            let slug = Slug::parse(slug).map_err(|error| error.to_string())?;
            let role = match args.role {
                Member::Viewer => Role::Viewer,
                Member::Developer => Role::Developer,
                Member::Owner => Role::Owner,
            };
            Some((slug, role))
        }
        None => None,
    };
    Ok(NewUser {
        name: DisplayName::parse(&args.name).map_err(|error| error.to_string())?,
        email: Email::parse(&args.email).map_err(|error| error.to_string())?,
        staff: args.staff.map(|staff| match staff {
            Staff::Support => StaffRole::Support,
            Staff::Admin => StaffRole::Admin,
        }),
        member_of,
        password_hash: None,
    })
}

pub(super) fn accounts(config: &Config, command: &AccountsCommand, clock: Clock) -> Outcome {
    let AccountsCommand::SetPlan { account, plan } = command;
    let db = app::open_database(config, clock, false)?;
    let (slug, wanted) = (account.clone(), plan.clone());
    db.change_blocking(move |change| {
        stored_accounts::set_plan(change, &scope::operator(BY), &slug, &wanted)
    })
    .map_err(|error| match error {
        Error::NotFound => Failed::Because(format!("There is no account {account}.")),
        Error::Conflict(Conflict::PlanUnknown { .. }) => Failed::Because(format!(
            "There is no plan {plan}. The plans are free, starter, professional and enterprise."
        )),
        Error::Conflict(Conflict::PlanNeedsEnterprise { .. }) => Failed::Because(format!(
            "{account} is a self-serve account; only an enterprise account may have the plan Enterprise."
        )),
        other => Failed::because(other),
    })?;
    say(format_args!("{account} has the plan {plan} now."))
}

pub(super) fn keys(config: &Config, command: &KeysCommand, clock: Clock) -> Outcome {
    let (text, reason, disables) = match command {
        KeysCommand::Disable { key_id, reason } => (key_id, reason.trim().to_owned(), true),
        KeysCommand::Enable { key_id, reason } => (key_id, reason.trim().to_owned(), false),
    };
    let key_id: KeyId = text.trim().parse().map_err(Failed::because)?;
    if reason.is_empty() {
        return Err(Failed::Because(
            "--reason must say why; the key's owner reads it.".to_owned(),
        ));
    }
    let db = app::open_database(config, clock, false)?;
    db.change_blocking(move |change| {
        let by = scope::operator(BY);
        if disables {
            stored_keys::disable(change, &by, &key_id, &reason)
        } else {
            stored_keys::enable(change, &by, &key_id, Some(&reason))
        }
    })
    .map_err(|error| match error {
        Error::NotFound => Failed::Because(format!("There is no key {key_id}.")),
        Error::Conflict(Conflict::Stale) if disables => {
            Failed::Because(format!("{key_id} is disabled already."))
        }
        Error::Conflict(Conflict::Stale) => Failed::Because(format!("{key_id} is not disabled.")),
        other => Failed::because(other),
    })?;
    if disables {
        say(format_args!(
            "{key_id} is disabled. Every gate refuses it within a second."
        ))
    } else {
        say(format_args!(
            "{key_id} is enabled. Every gate lets it through within a second."
        ))
    }
}
