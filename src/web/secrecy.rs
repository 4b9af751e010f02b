//! Whether a text that a person typed holds a secret: such a text is neither kept nor shown again. It knows no form.

use latchkey_rules::environment::Environment;
use latchkey_rules::secret::Prefix;

/// How many last characters of a secret may be shown.
const LAST_SHOWN: usize = 4;

/// Whether a text holds a secret, a damaged one, or enough of one to be worth hiding. The shown form does not count.
pub fn holds_secret(prefix: &Prefix, text: &str) -> bool {
    words(text).any(|word| {
        let marked = Environment::ALL.iter().any(|environment| {
            let mark = format!("_{}_", environment.word());
            word.split_once(&mark)
                .is_some_and(|(_, random)| random.len() > LAST_SHOWN)
        });
        let ours = word
            .strip_prefix(prefix.as_str())
            .is_some_and(|rest| rest.starts_with('_') && rest.len() > 12);
        marked || ours || is_random(word)
    })
}

/// The words of a text: letters, digits and underscores.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// Whether a word reads like the random part of a secret. Hashes of commits and the like are not that mixed.
fn is_random(word: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| word.as_bytes().iter().any(kind);
    word.len() >= 32
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}
