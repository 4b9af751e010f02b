//! What a password must be, and nothing about how it is kept.

/// The fewest characters.
pub const MIN_CHARS: usize = 12;
/// The most characters.
pub const MAX_CHARS: usize = 128;

/// What is wrong with a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer than [`MIN_CHARS`].
    #[error("The password has {chars} {}. It needs at least {MIN_CHARS}; a few words in a row are fine.", characters(*chars))]
    TooShort {
        /// How many it has.
        chars: usize,
    },
    /// More than [`MAX_CHARS`].
    #[error("The password has {chars} characters. It can have at most {MAX_CHARS}.")]
    TooLong {
        /// How many it has.
        chars: usize,
    },
}

fn characters(count: usize) -> &'static str {
    if count == 1 {
        "character"
    } else {
        "characters"
    }
}

/// Whether this can be a password: 12 to 128 characters of any kind. It is never trimmed or changed.
///
/// # Errors
/// When it is too short or too long.
pub fn check(password: &str) -> Result<(), PasswordError> {
    match password.chars().count() {
        chars if chars < MIN_CHARS => Err(PasswordError::TooShort { chars }),
        chars if chars > MAX_CHARS => Err(PasswordError::TooLong { chars }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_02_twelve_to_128_characters_of_any_kind_never_trimmed() {
        for good in [
            "aaaaaaaaaaaa",
            "            ",
            " padded with spaces ",
            "пароль-пароль",
            "\u{0}\t\n\u{202e}345678\u{7f}ab",
            &"x".repeat(128),
            &"é".repeat(128),
            &"🔑".repeat(12),
        ] {
            assert_eq!(check(good), Ok(()), "{good:?}");
        }
        assert_eq!(check(""), Err(PasswordError::TooShort { chars: 0 }));
        assert_eq!(
            check("elevenchars"),
            Err(PasswordError::TooShort { chars: 11 })
        );
        assert_eq!(
            check(&"é".repeat(129)),
            Err(PasswordError::TooLong { chars: 129 })
        );
    }

    #[test]
    fn the_sentence_counts_and_never_repeats_the_password() {
        let sentence = check("hunter2").unwrap_err().to_string();
        assert!(sentence.contains("has 7 characters") && !sentence.contains("hunter2"));
        assert!(
            check("x")
                .unwrap_err()
                .to_string()
                .contains("has 1 character.")
        );
    }
}
