//! The mail server: one connection at a time, kept for the next mail.

use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::{PoolConfig, SmtpTransport};
use lettre::{Address, Message, Transport};

use super::Letter;

/// How long the server may take for a step of the conversation.
const PATIENCE: Duration = Duration::from_secs(20);

/// The server's address is none.
#[derive(Debug, thiserror::Error)]
#[error("the mail server’s address cannot be used")]
pub struct MailerError;

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It cannot be put into a mail's form: its address is none.
    #[error("it cannot be written: {0}")]
    Form(String),
    /// The server did not take it. The text is the server's, or the system's.
    #[error("the mail server did not take it: {0}")]
    Refused(String),
}

/// Hands mails to the mail server.
pub struct Mailer {
    transport: SmtpTransport,
    from: Mailbox,
}

impl Mailer {
    /// A mailer by the address of the server; nothing is connected yet.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(smtp_url: &str, from: Mailbox) -> Result<Self, MailerError> {
        let transport = SmtpTransport::from_url(smtp_url)
            .map_err(|_may_quote_it| MailerError)?
            .timeout(Some(PATIENCE))
            .pool_config(PoolConfig::new().max_size(1))
            .build();
        Ok(Self { transport, from })
    }

    /// Sends a mail. It is sent when this answers so; when it does not, the server may have it nevertheless.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn send(
        &self,
        name: &str,
        email: &str,
        message_id: &str,
        letter: Letter,
    ) -> Result<(), SendError> {
        let form = |error: &dyn std::fmt::Display| SendError::Form(error.to_string());
        let to: Address = email
            .parse()
            .map_err(|error: lettre::address::AddressError| form(&error))?;
        let domain = self.from.email.domain();
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(Some(name.to_owned()), to))
            .subject(letter.subject)
            .message_id(Some(format!("<{message_id}@{domain}>")))
            .multipart(MultiPart::alternative_plain_html(letter.text, letter.html))
            .map_err(|error| form(&error))?;
        // So that nobody's absence note answers it (RFC 3834).
        message.headers_mut().insert_raw(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
        self.transport
            .send(&message)
            .map(|_answer| ())
            // Servers like to repeat whom they refuse, and this ends in a log line.
            .map_err(|error| SendError::Refused(causes(&error).replace(email, "the address")))
    }
}

/// What went wrong, and why.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let said = deeper.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = deeper.source();
    }
    text
}
