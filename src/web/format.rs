//! Numbers as people read them. It knows no page.

/// A whole number in groups of three, set apart by thin spaces: `904 118`.
pub fn number(value: impl Into<i64>) -> String {
    let value: i64 = value.into();
    let digits = value.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len());
    if value < 0 {
        text.push('\u{2212}');
    }
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `1 key`, `2 keys`.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    let shown = number(i64::try_from(count).unwrap_or(i64::MAX));
    if count == 1 {
        format!("{shown} {one}")
    } else {
        format!("{shown} {many}")
    }
}

/// The first letters of a person's first and last name, for the menu.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_three() {
        for (value, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1\u{202f}000"),
            (904_118, "904\u{202f}118"),
            (12_345_678, "12\u{202f}345\u{202f}678"),
            (-1000, "\u{2212}1\u{202f}000"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(counted(1, "key", "keys"), "1 key");
        assert_eq!(counted(0, "key", "keys"), "0 keys");
    }

    #[test]
    fn initials_of_any_name() {
        for (name, text) in [
            ("Mattis Orre", "MO"),
            ("Ada", "A"),
            ("Ana Maria de Souza", "AS"),
            ("", ""),
            ("łukasz  ß", "ŁSS"),
        ] {
            assert_eq!(initials(name), text);
        }
    }
}
