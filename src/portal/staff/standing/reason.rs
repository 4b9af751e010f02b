//! What an admin writes for a key's owner to read. It knows neither store nor page.

use latchkey_rules::secret::Prefix;

use crate::web::secrecy::holds_secret;

/// How long a reason may be.
const MAX_CHARS: usize = 500;

/// Why a text is no reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// It is empty.
    #[error("Write the reason: the owner reads it on the key’s page.")]
    Empty,
    /// It is too long.
    #[error("This has {chars} characters, a reason has 500 at most. Shorten it.")]
    TooLong {
        /// How long it is.
        chars: usize,
    },
    /// It holds a character that is not seen, or that turns the order of those around it.
    #[error(
        "Character {position} cannot be seen (U+{code_point:04X}). Delete it and type the words around it anew."
    )]
    Hidden {
        /// Which, counted from 1.
        position: usize,
        /// Its code point.
        code_point: u32,
    },
    /// It holds a secret.
    #[error(
        "The text holds a secret, or a large part of one, so it was not kept. Name a secret by its last 4 characters."
    )]
    HoldsSecret,
}

/// The reason as it is stored: trimmed, lines ended by a line feed.
pub(super) fn check(raw: &str, prefix: &Prefix) -> Result<String, Refused> {
    let text = raw.replace("\r\n", "\n").trim().to_owned();
    let chars = text.chars().count();
    if chars == 0 {
        return Err(Refused::Empty);
    }
    if holds_secret(prefix, &text) {
        return Err(Refused::HoldsSecret);
    }
    if chars > MAX_CHARS {
        return Err(Refused::TooLong { chars });
    }
    match text.chars().enumerate().find(|(_, c)| is_hidden(*c)) {
        Some((at, c)) => Err(Refused::Hidden {
            position: at + 1,
            code_point: u32::from(c),
        }),
        None => Ok(text),
    }
}

fn is_hidden(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && c != '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(raw: &str) -> Result<String, Refused> {
        check(raw, &Prefix::parse("lk").unwrap())
    }

    #[test]
    fn a_reason_is_one_to_500_seen_characters() {
        assert_eq!(
            of("  Leaked on 21 Nov,\r\nsee ticket 7 (lk_live_…Qm2x) "),
            Ok("Leaked on 21 Nov,\nsee ticket 7 (lk_live_…Qm2x)".to_owned())
        );
        let words = "four ".repeat(100);
        assert_eq!(of(&words).unwrap().len(), 499);
        assert_eq!(of(&"é ".repeat(251)), Err(Refused::TooLong { chars: 501 }));
        let commit = "commit 0f7b6a5e1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f";
        assert_eq!(of(commit), Ok(commit.to_owned()), "a hash is no secret");
        for empty in ["", "  ", "\r\n"] {
            assert_eq!(of(empty), Err(Refused::Empty));
        }
    }

    #[test]
    fn what_cannot_be_seen_is_named_by_its_place() {
        assert_eq!(
            of("a\u{0}b"),
            Err(Refused::Hidden {
                position: 2,
                code_point: 0
            })
        );
        assert_eq!(
            of("ab\u{202e}c"),
            Err(Refused::Hidden {
                position: 3,
                code_point: 0x202e
            })
        );
    }

    #[test]
    fn t_30_a_secret_is_never_kept_as_a_reason() {
        let secret = "lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu";
        for text in [
            secret.to_owned(),
            format!("found {secret} in a gist"),
            format!("url=https://x/?key={secret}&a=1"),
            "other_live_Qm2xabcd".to_owned(),
        ] {
            assert_eq!(of(&text), Err(Refused::HoldsSecret), "{text}");
        }
    }
}
