//! Mails: what each says, and how one is handed to a mail server.
//!
//! Must not know which mails wait, nor when they are sent.

mod letter;
mod smtp;
mod words;

pub use letter::Letter;
pub use smtp::{Mailer, MailerError, SendError};
pub use words::{Look, letter};
