//! Which mails there are, who wants which, and when one that could not be sent is tried again.
//!
//! Must not know what a mail says, nor how it is sent.

use crate::time::{HOUR_MS, MINUTE_MS, SECOND_MS};

worded! {
    /// What a mail tells.
    pub enum MailKind {
        /// Somebody signed up with this address: a link confirms it.
        ConfirmSignUp => "confirm_sign_up", "Confirm a sign-up";
        /// Somebody signed up with this address, which has an account.
        SignUpTaken => "sign_up_taken", "Sign-up with a known address";
        /// Somebody asked to set a new password: a link lets them.
        ResetPassword => "reset_password", "Reset a password";
        /// The password was changed.
        PasswordChanged => "password_changed", "Password changed";
        /// Somebody with an account wants to use this address: a link confirms it.
        ConfirmAddress => "confirm_address", "Confirm a new address";
        /// Somebody else with an account wants to use this address, which has an account already.
        AddressTaken => "address_taken", "Change to a known address";
        /// The account is signed in to with another address now.
        AddressChanged => "address_changed", "Mail address changed";
        /// A key came to be.
        KeyCreated => "key_created", "Key created";
        /// A key got a new secret.
        KeyRotated => "key_rotated", "Secret rotated";
        /// A key's secret was shown again.
        SecretRevealed => "secret_revealed", "Secret shown again";
        /// A key's older secret is still used and ends soon.
        SecretEnding => "secret_ending", "Older secret ends soon";
        /// A key expires soon.
        KeyExpiring => "key_expiring", "Key expires soon";
        /// An account's requests of a day are nearly used up, or are.
        DayUsed => "day_used", "Day used up";
        /// A key was deleted.
        KeyDeleted => "key_deleted", "Key deleted";
        /// Staff switched a key off.
        KeyDisabled => "key_disabled", "Key disabled";
        /// It was switched on again.
        KeyEnabled => "key_enabled", "Key enabled";
    }
}

worded! {
    /// Of which keys somebody gets mails.
    pub enum KeyMails {
        /// Of every key of their accounts.
        All => "all", "All keys";
        /// Of the keys that they are responsible for.
        Own => "own", "My keys";
        /// Of none.
        None => "none", "None";
    }
}

/// Before how many days of a key's end its people hear of it; 0 is the last day.
pub const REMINDED_DAYS: [i16; 3] = [14, 3, 0];

/// For how long a mail is tried, from when it was written.
pub const TRIED_FOR_MS: i64 = 24 * HOUR_MS;

/// How long after a failed try the next one comes, in milliseconds. `tries` counts those that failed.
#[must_use]
pub const fn next_try_ms(tries: i64) -> i64 {
    match tries {
        ..=1 => 5 * SECOND_MS,
        2 => 15 * SECOND_MS,
        3 => 30 * SECOND_MS,
        4 => MINUTE_MS,
        5 => 2 * MINUTE_MS,
        6 => 5 * MINUTE_MS,
        _ => 10 * MINUTE_MS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_tried_again_sooner_at_first_and_never_more_than_ten_minutes_apart() {
        let waits: Vec<i64> = (1..200).map(next_try_ms).collect();
        assert!(waits.is_sorted());
        assert_eq!(waits.first(), Some(&(5 * SECOND_MS)));
        assert_eq!(waits.last(), Some(&(10 * MINUTE_MS)));
        let in_the_first_hour = waits
            .iter()
            .scan(0, |at, wait| {
                *at += wait;
                Some(*at)
            })
            .filter(|at| *at < HOUR_MS)
            .count();
        assert!((8..20).contains(&in_the_first_hour), "{in_the_first_hour}");
    }

    #[test]
    fn every_word_leads_back_to_what_it_names() {
        for kind in MailKind::ALL {
            assert_eq!(MailKind::from_word(kind.word()), Some(*kind));
        }
        for choice in KeyMails::ALL {
            assert_eq!(KeyMails::from_word(choice.word()), Some(*choice));
        }
    }
}
