//! Who did what to which thing, when, from where: written in the change's own transaction, never changed.

mod of_account;

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::time::Millis;
use serde_json::Value;

use super::columns::word;
use super::error::Result;
use super::schema::audit_events;
use super::scope::{AccountScope, Actor, ActorKind};
use super::{Change, Reader};

pub use of_account::{AuditFilter, AuditPage, AuditPlace, FILE_AT_MOST, of_account};

macro_rules! actions {
    ($( $(#[$meta:meta])* $variant:ident => $word:literal, $label:literal; )+) => {
        /// What was done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Action { $( $(#[$meta])* $variant, )+ }

        impl Action {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that is stored. It never changes.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// What people read.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }
        }
    };
}

actions! {
    /// An account came to be.
    AccountCreated => "account.created", "Account created";
    /// Its plan changed.
    AccountPlanChanged => "account.plan_changed", "Plan changed";
    /// A plan has other numbers.
    PlanChanged => "plan.changed", "Plan’s limits changed";
    /// It was suspended.
    AccountSuspended => "account.suspended", "Account suspended";
    /// Its suspension ended.
    AccountResumed => "account.resumed", "Account resumed";
    /// Somebody became a member.
    MemberAdded => "member.added", "Member added";
    /// A user came to be.
    UserCreated => "user.created", "User created";
    /// A person has another name.
    UserRenamed => "user.renamed", "Name changed";
    /// A person has another mail address.
    EmailChanged => "user.email_changed", "Mail address changed";
    /// A password was set.
    PasswordSet => "user.password_set", "Password set";
    /// A one-time link was made.
    LinkCreated => "user.link_created", "One-time link created";
    /// A product was added.
    ProductAdded => "product.added", "Product added";
    /// A product lies at other hosts and paths now, or its sample request changed.
    ProductMoved => "product.moved", "Product moved";
    /// How often it may be asked for changed.
    ProductRateChanged => "product.rate_changed", "Product’s rate changed";
    /// A key came to be.
    KeyCreated => "key.created", "Key created";
    /// A key came from elsewhere.
    KeyImported => "key.imported", "Key imported";
    /// Many keys were made at once, for measuring.
    KeysSeeded => "keys.seeded", "Keys seeded";
    /// A key's people changed it.
    KeyEdited => "key.edited", "Key edited";
    /// It has other bounds of its own.
    KeyBoundsChanged => "key.bounds_changed", "Key’s limits changed";
    /// A key got a new secret.
    KeyRotated => "key.rotated", "Secret rotated";
    /// A key's secret was shown again.
    SecretRevealed => "key.secret_revealed", "Secret shown again";
    /// Secrets were sealed anew with another master key.
    SecretsRekeyed => "secrets.rekeyed", "Secrets sealed anew";
    /// The older secret of a key ends sooner.
    GraceShortened => "key.grace_shortened", "Grace shortened";
    /// A key was switched off by staff.
    KeyDisabled => "key.disabled", "Key disabled";
    /// It was switched on again.
    KeyEnabled => "key.enabled", "Key enabled";
    /// Its account paused it.
    KeyPaused => "key.paused", "Key paused";
    /// It was resumed.
    KeyResumed => "key.resumed", "Key resumed";
    /// Its delete was taken back.
    KeyRestored => "key.restored", "Key restored";
    /// Its account deleted it.
    KeyDeleted => "key.deleted", "Key deleted";
    /// The time in which the delete could be taken back is over; its secrets are gone.
    KeyPurged => "key.purged", "Key purged";
    /// The database came back from a backup.
    InstallationRestored => "installation.restored", "Restored from a backup";
    /// Every node was told to load everything anew.
    EpochRenewed => "installation.epoch_renewed", "Change log begun anew";
}

impl Action {
    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|a| a.word() == word)
    }
}

/// What is recorded of a change.
pub(super) struct Event {
    /// The account that it is about.
    pub(super) account: Option<i64>,
    pub(super) action: Action,
    /// The public name of the thing: a key ID, a slug, a mail address.
    pub(super) target: String,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
}

/// Writes the event. When it cannot be written, the change fails: there is no change without its trace.
pub(super) fn record(change: &mut Change<'_>, actor: &Actor, event: Event) -> Result<()> {
    let now = change.now();
    let request_id = Some(actor.request_id.as_str()).filter(|id| !id.is_empty());
    diesel::insert_into(audit_events::table)
        .values((
            audit_events::at.eq(now.0),
            audit_events::actor_kind.eq(actor.kind.word()),
            audit_events::actor.eq(&actor.label),
            audit_events::actor_user_id.eq(actor.user),
            audit_events::ip.eq(actor.ip.map(|ip| ip.to_string())),
            audit_events::request_id.eq(request_id),
            audit_events::account_id.eq(event.account),
            audit_events::action.eq(event.action.word()),
            audit_events::target.eq(event.target),
            audit_events::before.eq(event.before.map(|v| v.to_string())),
            audit_events::after.eq(event.after.map(|v| v.to_string())),
        ))
        .execute(&mut change.conn)?;
    Ok(())
}

/// An event as the account's people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Millis,
    /// As what the actor acted.
    pub actor_kind: ActorKind,
    /// Who, by mail address or command.
    pub actor: String,
    /// From which address.
    pub ip: Option<String>,
    /// The public name of the thing: a key ID, a slug, a mail address.
    pub target: String,
    /// What.
    pub action: Action,
    /// What was so before, as JSON.
    pub before: Option<String>,
    /// What is so after, as JSON.
    pub after: Option<String>,
}

/// The latest events of one of the account's keys, newest first.
///
/// # Errors
/// When the database does not answer.
pub fn of_key(
    reader: &mut Reader,
    scope: &AccountScope,
    key_id: &KeyId,
    limit: i64,
) -> Result<Vec<AuditEntry>> {
    type Row = (
        i64,
        String,
        String,
        Option<String>,
        String,
        Option<String>,
        Option<String>,
    );
    audit_events::table
        .filter(audit_events::account_id.eq(scope.account))
        .filter(audit_events::target.eq(key_id.to_string()))
        .order(audit_events::id.desc())
        .limit(limit.clamp(0, 100))
        .select((
            audit_events::at,
            audit_events::actor_kind,
            audit_events::actor,
            audit_events::ip,
            audit_events::action,
            audit_events::before,
            audit_events::after,
        ))
        .load::<Row>(&mut reader.conn)?
        .into_iter()
        .map(|(at, kind, actor, ip, action, before, after)| {
            Ok(AuditEntry {
                at: Millis(at),
                actor_kind: word(&kind, ActorKind::from_word)?,
                actor,
                ip,
                target: key_id.to_string(),
                action: word(&action, Action::from_word)?,
                before,
                after,
            })
        })
        .collect()
}
