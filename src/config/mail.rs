//! Through which server mail is sent, and from whom.
//!
//! Must not repeat the address of the server: it may hold a password.

use std::fmt;
use std::sync::Arc;

use lettre::message::Mailbox;
use lettre::transport::smtp::SmtpTransport;

use super::reading::Reading;

/// How mail is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The server.
    pub smtp_url: SmtpUrl,
    /// Who sends: an address, with a name where it was set.
    pub from: Mailbox,
}

/// The address of a mail server, which may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl(Arc<str>);

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl SmtpUrl {
    /// Reads `smtps://user:password@host` or `smtp://…`. Mails hold links that open an account: beyond this machine they
    /// travel by TLS, unless `?tls=none` says otherwise.
    fn parse(text: &str) -> Result<Self, String> {
        let allowed = || {
            "must be an address such as smtps://user:password@mail.example.com or \
             smtp://user:password@mail.example.com:587, with %-codes for what is special in a password"
                .to_owned()
        };
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").ok_or_else(allowed)?;
        let has_tls = rest.contains("tls=");
        let url = match scheme {
            "smtp" if !has_tls && !is_this_machine(rest) => {
                let joint = if rest.contains('?') { '&' } else { '?' };
                format!("{text}{joint}tls=required")
            }
            "smtp" | "smtps" => text.replace("?tls=none", ""),
            _ => return Err(allowed()),
        };
        SmtpTransport::from_url(&url).map_err(|_may_quote_it| allowed())?;
        Ok(Self(Arc::from(url)))
    }

    /// The address, for the mailer.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Whether what follows `smtp://` leads to this machine.
fn is_this_machine(rest: &str) -> bool {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

/// The table `[mail]`; without a server no mail is sent.
pub(super) fn mail(mut table: Reading<'_>) -> Option<Mail> {
    let smtp_url = table.text("smtp_url", SmtpUrl::parse);
    let from_given = table.holds("from");
    let place = table.place("smtp_url");
    let from = table.text("from", mailbox);
    if smtp_url.is_some() && !from_given {
        table.problem(
            place,
            "mail.from must be set where mail.smtp_url is, such as \"Acme Maps <keys@example.com>\"",
        );
    }
    table.end();
    Some(Mail {
        smtp_url: smtp_url?,
        from: from?,
    })
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_mailbox_error| {
        "must be a mail address, or a name and one, such as Acme Maps <keys@example.com>".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_this_machine_mail_travels_by_tls() {
        let table = [
            ("smtp://localhost:1025", "smtp://localhost:1025"),
            ("smtp://127.0.0.1", "smtp://127.0.0.1"),
            ("smtp://[::1]:25", "smtp://[::1]:25"),
            ("smtp://u:p@localhost", "smtp://u:p@localhost"),
            (
                "smtp://mail.example.com",
                "smtp://mail.example.com?tls=required",
            ),
            (
                "smtp://u:p%40@mail.example.com:587",
                "smtp://u:p%40@mail.example.com:587?tls=required",
            ),
            ("smtp://relay.internal?tls=none", "smtp://relay.internal"),
            (
                "smtp://localhost@mail.example.com",
                "smtp://localhost@mail.example.com?tls=required",
            ),
            ("smtps://mail.example.com", "smtps://mail.example.com"),
            (
                "smtp://mail.example.com?tls=opportunistic",
                "smtp://mail.example.com?tls=opportunistic",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(SmtpUrl::parse(text).unwrap().expose(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_server_is_refused_and_not_repeated() {
        for text in [
            "",
            "mail.example.com",
            "http://hunter2@mail",
            "smtp://",
            "smtps://",
        ] {
            let refused = SmtpUrl::parse(text).unwrap_err();
            assert!(
                refused.contains("smtps://") && !refused.contains("hunter2"),
                "{text}"
            );
        }
        let url = SmtpUrl::parse("smtps://u:hunter2@mail.example.com").unwrap();
        assert_eq!(format!("{url:?}"), "[redacted]");
    }
}
