//! Whether somebody may have the password that they chose: long enough, hard to guess for whoever knows them, and in no
//! list of breached ones (T-02, T-03).

use latchkey_rules::password::check;
use zxcvbn::{Score, zxcvbn};

use crate::web::error::Error;
use crate::web::password::Password;
use crate::web::shared::Shared;

/// What is looked at: an estimate of more takes too long, and nobody needs more to be safe.
const LOOKED_AT: usize = 50;

const BREACHED: &str =
    "This password is known from a breach of another site. Choose one that you use nowhere else.";
const ADVICE: &str = "A few uncommon words in a row are hard to guess and easy to type.";

/// What is wrong with a password that a person of these names and mail address chose, in a sentence for them.
///
/// # Errors
/// [`Error::Busy`] when too many wait for a password's work already (T-04).
pub async fn wrong_with(
    shared: &Shared,
    password: &Password,
    about: &[&str],
) -> Result<Option<String>, Error> {
    if let Err(error) = check(password.expose()) {
        return Ok(Some(error.to_string()));
    }
    let (password, breached) = (password.clone(), shared.breached.clone());
    let known = known_words(about.iter().copied().chain([shared.brand.name.as_str()]));
    let weigh = move || {
        let is_breached = breached.map_or(Ok(false), |list| list.has(&password));
        let is_breached =
            is_breached.map_err(|error| Error::Internal(format!("breached passwords: {error}")))?;
        if is_breached {
            return Ok(Some(BREACHED.to_owned()));
        }
        Ok(guessable(&password, &known))
    };
    shared.hashing.run(weigh).await
}

/// Each text, and each word in it: `Jonas Vogel` and `jonas@kestrel.example` give `jonas`, `vogel`, `kestrel` too.
fn known_words<'a>(about: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut known = vec!["latchkey".to_owned()];
    for text in about {
        let text = text.to_lowercase();
        let words = text.split(|c: char| !c.is_alphanumeric());
        known.extend(words.filter(|w| w.chars().count() > 2).map(str::to_owned));
        known.push(text);
    }
    known
}

/// Why the password is easy to guess, if it is.
fn guessable(password: &Password, known: &[String]) -> Option<String> {
    let looked_at: String = password.expose().chars().take(LOOKED_AT).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let estimate = zxcvbn(&looked_at, &known);
    if estimate.score() >= Score::Three {
        return None;
    }
    let why = estimate
        .feedback()
        .and_then(zxcvbn::feedback::Feedback::warning);
    let why = why.map_or("Few tries are enough for it.".to_owned(), |why| {
        why.to_string()
    });
    Some(format!("This password is easy to guess. {why} {ADVICE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> Option<String> {
        let known =
            known_words(["Jonas Vogelsang", "jonas@kestrel.example", "Acme Maps"].into_iter());
        guessable(&Password::from(text.to_owned()), &known)
    }

    #[test]
    fn t_03_a_guessable_password_is_refused_with_the_reason() {
        for text in [
            "password1234",
            "qwertyuiop12",
            "aaaaaaaaaaaa",
            "hunter2hunter2",
            "123456789012",
            "jonas@kestrel.example",
            "vogelsangjonas",
            "acmemapsacmemaps",
            "Latchkey1234",
        ] {
            let reason = reason(text).unwrap_or_default();
            assert!(
                reason.starts_with("This password is easy to guess. "),
                "{text}: {reason}"
            );
            assert!(reason.ends_with(ADVICE), "{reason}");
            assert!(!reason.contains(text), "{reason}");
        }
    }

    #[test]
    fn t_03_a_few_words_in_a_row_are_fine() {
        for text in [
            "correct horse battery staple",
            "a long enough passphrase, 42",
            "пароль из четырёх слов",
            "kQ8#vv2!mLp0zR",
        ] {
            assert_eq!(reason(text), None, "{text}");
        }
    }

    #[test]
    fn t_03_what_is_long_is_looked_at_in_part() {
        let end = "kQ8#vv2!mLp0zR";
        assert_eq!(reason(end), None);
        assert!(reason(&format!("{}{end}", "a".repeat(LOOKED_AT))).is_some());
    }
}
