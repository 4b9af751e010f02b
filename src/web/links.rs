//! Links that go out by mail: their tokens, and how often one may be asked for (T-07).
//!
//! Must not know what a link opens.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use latchkey_rules::email::Email;
use latchkey_rules::mail::MailKind;
use latchkey_rules::time::{HOUR_MS, Millis};

use crate::seal::Seal;
use crate::store::outbox::{MailedLink, belonging};
use crate::web::error::Error;
use crate::web::recent::Recent;
use crate::web::token::Token;

/// So many mails may be asked for with one address in an hour, whoever asks.
const MAILS_AN_HOUR: usize = 3;

/// So many addresses are remembered; beyond that those that were asked for longest ago are forgotten.
const ADDRESSES: usize = 10_000;

/// Makes links for mails.
#[derive(Clone)]
pub struct Links {
    seal: Seal,
    asked: Arc<Mutex<Recent<Vec<Millis>>>>,
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Links")
    }
}

impl Links {
    /// With the seal that the mails' sender opens.
    pub fn new(seal: Seal) -> Self {
        Self {
            seal,
            asked: Arc::new(Mutex::new(Recent::new(ADDRESSES))),
        }
    }

    /// Draws a link for a mail of this kind to this address.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn draw(&self, kind: MailKind, email: &Email) -> Result<MailedLink, Error> {
        let token = Token::generate()?;
        let sealed = self
            .seal
            .seal(&belonging(kind, email), token.expose())
            .map_err(|error| Error::Internal(format!("a mail's link: {error}")))?;
        Ok(MailedLink {
            digest: token.digest(),
            sealed,
        })
    }

    /// Whether a mail may be asked for with this address now, known or not; if so, that counts.
    pub fn may_ask(&self, email: &Email, now: Millis) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let of_the_hour = |at: &Millis| at.plus_ms(HOUR_MS) > now;
        let times = asked.of(&email.folded(), now);
        times.retain(of_the_hour);
        let may = times.len() < MAILS_AN_HOUR;
        if may {
            times.push(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn links() -> Links {
        Links::new(Seal::new(vec![("k1".to_owned(), Zeroizing::new([7; 32]))]))
    }

    fn email(text: &str) -> Email {
        Email::parse(text).unwrap()
    }

    #[test]
    fn t_07_an_address_gets_three_mails_an_hour() {
        let (links, begin) = (links(), Millis(1_000_000));
        let mira = email("Mira@example.com");
        for _ in 0..MAILS_AN_HOUR {
            assert!(links.may_ask(&mira, begin));
        }
        assert!(!links.may_ask(&email("mira@example.com"), begin.plus_ms(HOUR_MS - 1)));
        assert!(links.may_ask(&email("ana@example.com"), begin));
        assert!(links.may_ask(&mira, begin.plus_ms(HOUR_MS)));
    }
}
