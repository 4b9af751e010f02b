//! Names that people give: to keys, to themselves, to companies.
//!
//! A name is shown on pages, in mail and in logs, so it holds nothing that could change how the text
//! around it is read.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// The most characters.
pub const MAX_CHARS: usize = 80;

/// What is wrong with a name. Positions count characters from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing that could be seen.
    #[error("The name is empty. It needs 1 to {MAX_CHARS} characters.")]
    Empty,
    /// More than [`MAX_CHARS`].
    #[error("The name has {chars} characters. It can have at most {MAX_CHARS}.")]
    TooLong {
        /// How many it has.
        chars: usize,
    },
    /// A control character or a line break.
    #[error(
        "Character {position} of the name is a control character (U+{code_point:04X}). Remove it."
    )]
    Control {
        /// Where it stands.
        position: usize,
        /// Which it is.
        code_point: u32,
    },
    /// A character that turns the direction of the text after it.
    #[error(
        "Character {position} of the name is invisible and turns the direction of the text after it (U+{code_point:04X}). Remove it."
    )]
    Bidi {
        /// Where it stands.
        position: usize,
        /// Which it is.
        code_point: u32,
    },
}

fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_line_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Characters that take no ink, beside white space: a name made of them alone looks empty.
/// Unseen at the start of a pasted text, where it makes a twin of a name.
const BYTE_ORDER_MARK: char = '\u{feff}';

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00ad}' | '\u{034f}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e01ef}')
}

fn normal(text: &str) -> Result<String, NameError> {
    let composed: String = text.nfc().collect();
    let name = composed.trim();
    for (position, c) in (1..).zip(name.chars()) {
        let code_point = u32::from(c);
        if c.is_control() || is_line_separator(c) {
            return Err(NameError::Control {
                position,
                code_point,
            });
        }
        if is_bidi_control(c) {
            return Err(NameError::Bidi {
                position,
                code_point,
            });
        }
    }
    if name.chars().all(|c| c.is_whitespace() || is_invisible(c)) {
        return Err(NameError::Empty);
    }
    if let Some(before) = name.chars().position(|c| c == BYTE_ORDER_MARK) {
        return Err(NameError::Control {
            position: before + 1,
            code_point: u32::from(BYTE_ORDER_MARK),
        });
    }
    match name.chars().count() {
        chars if chars > MAX_CHARS => Err(NameError::TooLong { chars }),
        _ => Ok(name.to_owned()),
    }
}

macro_rules! name_type {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Reads a name: composed (NFC) and trimmed, 1 to 80 characters, none of which is a control
            /// character or turns the direction of text.
            ///
            /// # Errors
            /// Names the first character that is wrong, or the length.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                normal(text).map(Self)
            }

            /// The name as people see it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The name as it is sorted, searched and compared: lower case, with compatible characters
            /// made one.
            #[must_use]
            pub fn folded(&self) -> String {
                folded(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name_type! {
    /// The name of a key, unique among its account's keys that are not deleted.
    KeyName
}

name_type! {
    /// The name of a person or a company.
    DisplayName
}

/// Any text as it is sorted, searched and compared: what [`KeyName::folded`] does to a name, for what
/// a person types into a search box.
#[must_use]
pub fn folded(text: &str) -> String {
    let lower = text.nfkc().collect::<String>().to_lowercase();
    lower.nfkc().collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_composed_and_trimmed() {
        assert_eq!(
            KeyName::parse("  Cafe\u{301} \n").unwrap().as_str(),
            "Caf\u{e9}"
        );
        assert_eq!(
            DisplayName::parse("Anna de Vries").unwrap().to_string(),
            "Anna de Vries"
        );
        assert_eq!(
            KeyName::parse("👩\u{200d}🔧 tools").unwrap().as_str(),
            "👩\u{200d}🔧 tools"
        );
    }

    #[test]
    fn length_is_counted_in_characters_after_composing() {
        assert!(KeyName::parse(&"é".repeat(80)).is_ok());
        assert!(
            KeyName::parse(&"e\u{301}".repeat(80)).is_ok(),
            "160 typed, 80 composed"
        );
        assert_eq!(
            KeyName::parse(&"x".repeat(81)),
            Err(NameError::TooLong { chars: 81 })
        );
    }

    #[test]
    fn names_that_show_nothing_are_empty() {
        for nothing in ["", " ", "\t\n", "\u{a0}", "\u{200b}", " \u{feff}\u{200d} "] {
            assert_eq!(
                KeyName::parse(nothing),
                Err(NameError::Empty),
                "{nothing:?}"
            );
        }
    }

    #[test]
    fn t_58_control_characters_and_line_breaks_are_refused_where_they_stand() {
        for (text, position, code_point) in [
            ("a\0b", 2, 0),
            ("a\r\nb", 2, 0x0d),
            ("ab\tc", 3, 9),
            ("\u{7f}x", 1, 0x7f),
            ("x\u{85}y", 2, 0x85),
            ("é\u{2028}y", 2, 0x2028),
            ("ab\u{feff}c", 3, 0xfeff),
        ] {
            assert_eq!(
                KeyName::parse(text),
                Err(NameError::Control {
                    position,
                    code_point
                }),
                "{text:?}"
            );
        }
    }

    #[test]
    fn characters_that_turn_text_are_refused_where_they_stand() {
        for code_point in [
            0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068,
            0x2069,
        ] {
            let text = format!("ab{}c", char::from_u32(code_point).unwrap());
            assert_eq!(
                KeyName::parse(&text),
                Err(NameError::Bidi {
                    position: 3,
                    code_point
                })
            );
        }
        assert!(
            KeyName::parse("مفتاح").is_ok(),
            "text that runs from the right is fine"
        );
    }

    #[test]
    fn names_that_read_alike_fold_alike() {
        for (a, b, folded_to) in [
            ("Checkout WEB", "checkout web", "checkout web"),
            ("ﬁne", "FINE", "fine"),
            ("Ｋｅｙ", "key", "key"),
        ] {
            assert_eq!(KeyName::parse(a).unwrap().folded(), folded_to);
            assert_eq!(KeyName::parse(b).unwrap().folded(), folded_to);
            assert_eq!(folded(a), folded_to);
        }
    }

    proptest! {
        #[test]
        fn a_name_read_again_is_itself(text: String) {
            if let Ok(name) = KeyName::parse(&text) {
                prop_assert_eq!(KeyName::parse(name.as_str()), Ok(name.clone()));
                prop_assert!((1..=80).contains(&name.as_str().chars().count()));
                prop_assert!(!name.as_str().chars().any(|c| c.is_control() || is_bidi_control(c)));
            }
        }
    }
}
