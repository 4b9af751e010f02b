//! What can go wrong in the store, in words that hold nobody's data.
//!
//! It must not know how an error is shown.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::time::Millis;

/// What the store answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the store did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not there, or not in the asker's reach: the two are the same.
    #[error("There is no such thing.")]
    NotFound,
    /// The asker may see the thing, but their role does not allow this.
    #[error("This needs a higher role.")]
    Forbidden,
    /// It would break a rule that other rows hold.
    #[error("{0}")]
    Conflict(#[from] Conflict),
    /// The database does not answer now.
    #[error("The database is not reachable: {0}.")]
    Unavailable(String),
    /// The database refused; the text holds no values.
    #[error("The database refused: {0}.")]
    Database(String),
}

/// Which rule a change would break.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Another key of the account has this name.
    #[error("Another key of this account has this name.")]
    NameTaken,
    /// Somebody has this address already.
    #[error("This address is taken.")]
    EmailTaken,
    /// Another account or product has this slug.
    #[error("This slug is taken.")]
    SlugTaken,
    /// Another product owns this host and path.
    #[error("Another product owns this host and path.")]
    RouteTaken,
    /// The products together would make no catalogue; the text says why.
    #[error("{0}")]
    Catalogue(String),
    /// The form was sent before, and made this key.
    #[error("This form was sent before.")]
    FormUsed {
        /// When it was.
        made_at: Millis,
        /// What it made.
        key_id: KeyId,
    },
    /// The thing is not, or no longer, in the state that this change starts from.
    #[error("It has changed in the meantime.")]
    Stale,
    /// The account has as many keys as it may.
    #[error("The account has {limit} keys already, as many as it may have.")]
    TooManyKeys {
        /// How many it may have.
        limit: i64,
    },
    /// The person was shown as many secrets within the hour as they may be.
    #[error("You were shown many secrets within this hour. Come back in an hour.")]
    TooManyReveals,
    /// No product has this slug.
    #[error("There is no product “{slug}”.")]
    ProductUnknown {
        /// The slug that was asked for.
        slug: String,
    },
    /// No product of the key has this scope.
    #[error("The key's products have no scope “{scope}”.")]
    ScopeUnknown {
        /// The scope that was asked for, with its product.
        scope: String,
    },
    /// No plan has this slug.
    #[error("There is no plan “{slug}”.")]
    PlanUnknown {
        /// The slug that was asked for.
        slug: String,
    },
    /// Only an account of the tier Enterprise may have this plan.
    #[error("Only an enterprise account may have the plan {plan}.")]
    PlanNeedsEnterprise {
        /// The plan's name.
        plan: String,
    },
    /// An account of this tier and plan has no keys of this billing type.
    #[error("An account of this tier and plan has no keys of the billing type {billing}.")]
    BillingNotOffered {
        /// The billing type's label.
        billing: &'static str,
    },
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::NotFound,
            DieselError::DatabaseError(kind, info) => {
                let text = without_values(info.message());
                match kind {
                    DatabaseErrorKind::ClosedConnection
                    | DatabaseErrorKind::UnableToSendCommand
                    | DatabaseErrorKind::SerializationFailure => Self::Unavailable(text),
                    _ if passes(&text) => Self::Unavailable(text),
                    _ => Self::Database(text),
                }
            }
            DieselError::BrokenTransactionManager | DieselError::RollbackErrorOnCommit { .. } => {
                Self::Unavailable("the transaction was lost".to_owned())
            }
            // Their texts may quote what was read.
            DieselError::DeserializationError(_) | DieselError::SerializationError(_) => {
                Self::Database("a stored value cannot be read".to_owned())
            }
            _ => Self::Database("the query was not accepted".to_owned()),
        }
    }
}

/// Whether the message names a state of the database that mends itself or is mended by the operator.
fn passes(message: &str) -> bool {
    const PASSING: [&str; 12] = [
        "database or disk is full",
        "database is locked",
        "disk I/O error",
        "unable to open database file",
        "server closed the connection",
        "terminating connection",
        "connection to server",
        "could not connect",
        "statement timeout",
        "deadlock detected",
        "No space left",
        "recovery mode",
    ];
    PASSING.iter().any(|passing| message.contains(passing))
}

/// A database's message, cut before the first value that it quotes and at a length that fits a log line.
pub(super) fn without_values(message: &str) -> String {
    let first_line = message.lines().next().unwrap_or_default();
    let end = first_line.find(": \"").unwrap_or(first_line.len());
    first_line
        .get(..end)
        .unwrap_or_default()
        .trim_end_matches('.')
        .chars()
        .take(160)
        .collect()
}

/// Names the rule when the error is a broken uniqueness; any other error stays what it is.
pub(super) fn unless_unique(conflict: Conflict) -> impl FnOnce(DieselError) -> Error {
    move |error| match error {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => {
            Error::Conflict(conflict)
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(message: &str) -> Error {
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned())).into()
    }

    #[test]
    fn values_do_not_reach_the_text_of_an_error() {
        assert_eq!(
            database("invalid input syntax for type bigint: \"ada@example.com\""),
            Error::Database("invalid input syntax for type bigint".to_owned())
        );
    }

    #[test]
    fn a_full_disk_and_a_closed_connection_are_unavailable_and_not_broken() {
        for message in [
            "database or disk is full",
            "server closed the connection unexpectedly\n\tThis probably means",
            "canceling statement due to statement timeout",
        ] {
            assert!(
                matches!(database(message), Error::Unavailable(_)),
                "{message}"
            );
        }
    }

    #[test]
    fn only_a_broken_uniqueness_becomes_the_conflict() {
        let unique = DieselError::DatabaseError(
            DatabaseErrorKind::UniqueViolation,
            Box::new("x".to_owned()),
        );
        assert_eq!(
            unless_unique(Conflict::NameTaken)(unique),
            Error::Conflict(Conflict::NameTaken)
        );
        assert_eq!(
            unless_unique(Conflict::NameTaken)(DieselError::NotFound),
            Error::NotFound
        );
    }
}
