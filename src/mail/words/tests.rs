//! Each kind of mail, in both forms.

use super::*;
use crate::store::outbox::{About, Mail, MailHandle};

fn look(support: Option<&str>) -> Look {
    Look {
        brand: "Acme & Co Maps".to_owned(),
        portal: "https://keys.example.com".to_owned(),
        support: support.map(str::to_owned),
    }
}

fn mail(kind: MailKind) -> Mail {
    Mail {
        handle: MailHandle::default(),
        message_id: "0".repeat(32),
        kind,
        email: "ana@example.com".to_owned(),
        name: "Ana \"<b>\"".to_owned(),
        about: About {
            account: Some("harbour-vale".to_owned()),
            key_id: Some("key_aaaaaaaaaaaaaaaa".parse().unwrap()),
            subject: "Till <1>".to_owned(),
            actor: "mira@example.com".to_owned(),
            detail: "Found in a <public> repository".to_owned(),
        },
        sealed_link: None,
        belonging: String::new(),
        created_at: Millis(1_795_255_200_000),
        tries: 0,
    }
}

#[test]
fn every_mail_says_what_it_is_about_in_both_forms() {
    for kind in MailKind::ALL {
        let letter = letter(&look(None), &mail(*kind), Some("the-token")).unwrap();
        assert!(!letter.subject.is_empty() && !letter.subject.contains(['\r', '\n']));
        assert!(letter.text.starts_with("Hello Ana \"<b>\",\n"), "{kind:?}");
        assert!(letter.text.contains("https://keys.example.com"), "{kind:?}");
        assert!(
            letter.html.contains("Acme &#38; Co Maps"),
            "{}",
            letter.html
        );
        for tag in ["<b>", "<1>", "<public>"] {
            assert!(!letter.html.contains(tag), "{kind:?} escapes {tag}");
        }
        assert!(!letter.text.contains("\n\n\n"), "{kind:?}: {}", letter.text);
        assert!(letter.text.lines().count() < 25, "{kind:?} is short");
    }
}

#[test]
fn only_a_mail_with_a_link_holds_its_token() {
    for kind in MailKind::ALL {
        let letter = letter(&look(None), &mail(*kind), Some("the-token")).unwrap();
        let opens = matches!(
            kind,
            MailKind::ConfirmSignUp | MailKind::ConfirmAddress | MailKind::ResetPassword
        );
        for form in [&letter.text, &letter.html] {
            assert_eq!(form.contains("the-token"), opens, "{kind:?}");
        }
    }
}

#[test]
fn a_disabled_key_comes_with_reason_and_whom_to_ask() {
    let mail = mail(MailKind::KeyDisabled);
    let letter = letter(&look(Some("help@example.com")), &mail, None).unwrap();
    assert_eq!(letter.subject, "Key disabled: Till <1>");
    let expected = "\
Hello Ana \"<b>\",

Acme & Co Maps switched a key off. Every request with it is refused.

Key: Till <1>
Key ID: key_aaaaaaaaaaaaaaaa
Account: harbour-vale
When: 21 November 2026, 10:00 UTC
Reason: Found in a <public> repository

Look at the key:
https://keys.example.com/accounts/harbour-vale/keys/key_aaaaaaaaaaaaaaaa

To have it switched on again, write to help@example.com and name the key ID.

-- 
Acme & Co Maps
Choose of which keys you get mails: https://keys.example.com/profile";
    assert_eq!(letter.text, expected);
}
