//! The mails that a world's people got, as they read them.

use latchkey::mail::{self, Look};
use latchkey::seal::Seal;
use latchkey::store::outbox;
use latchkey_rules::mail::MailKind;
use zeroize::Zeroizing;

use crate::world::World;

/// A mail that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) kind: MailKind,
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

impl Arrived {
    /// The path of the first of the portal's addresses in it that holds a token.
    pub(crate) fn link(&self) -> String {
        let portal = "http://127.0.0.1:8080";
        let found = self
            .text
            .split_whitespace()
            .find(|word| word.starts_with(portal) && word.contains("?token="));
        found.unwrap().strip_prefix(portal).unwrap().to_owned()
    }
}

/// The seal of every world's mail links.
pub(crate) fn seal() -> Seal {
    Seal::new(vec![("k1".to_owned(), Zeroizing::new([9; 32]))])
}

impl World {
    /// The mails that were written since the last look.
    pub(crate) async fn mails(&self) -> Vec<Arrived> {
        let look = Look {
            brand: "Northwind Maps".to_owned(),
            portal: self.public_url.to_owned(),
            support: Some("help@northwind.example".to_owned()),
        };
        let mut arrived = Vec::new();
        while let Some(mail) = self.db.write(outbox::take_due).await.unwrap() {
            let token = mail
                .sealed_link
                .as_ref()
                .map(|sealed| seal().open(&mail.belonging, sealed).unwrap());
            let token = token.as_ref().map(|token| token.as_str());
            let letter = mail::letter(&look, &mail, token).unwrap();
            arrived.push(Arrived {
                kind: mail.kind,
                to: mail.email.clone(),
                subject: letter.subject,
                text: letter.text,
                html: letter.html,
            });
            self.db
                .write(move |w| outbox::sent(w, mail.handle))
                .await
                .unwrap();
        }
        arrived
    }

    /// The only mail that was written since the last look.
    pub(crate) async fn mail(&self) -> Arrived {
        let mut mails = self.mails().await;
        assert_eq!(mails.len(), 1, "{mails:#?}");
        mails.remove(0)
    }
}
