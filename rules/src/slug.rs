//! The short names that stand in paths: accounts and products.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most characters.
pub const MAX_CHARS: usize = 40;
const FALLBACK: &str = "account";

/// A slug: 1 to 40 of `a-z` and `0-9`, with single hyphens inside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

/// The text is no slug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "A short name has 1 to {MAX_CHARS} lower-case letters and digits, with single hyphens between them, such as “map-tiles”."
)]
pub struct SlugError;

impl Slug {
    /// Reads a slug spelled exactly.
    ///
    /// # Errors
    /// When it is empty, too long, or holds anything but `a-z`, `0-9` and single inner hyphens.
    pub fn parse(text: &str) -> Result<Self, SlugError> {
        let is_word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if text.len() <= MAX_CHARS && text.split('-').all(is_word) {
            Ok(Self(text.to_owned()))
        } else {
            Err(SlugError)
        }
    }

    /// The slug nearest to a name: accents dropped, all else folded into hyphens. A name that leaves
    /// nothing becomes “account”.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let mut slug = String::with_capacity(MAX_CHARS);
        let mut gap = false;
        let plain = name.nfkd().filter(|c| !is_combining_mark(*c));
        for c in plain.flat_map(char::to_lowercase) {
            let one = [c];
            let letters: &[char] = match c {
                'ß' => &['s', 's'],
                'æ' => &['a', 'e'],
                'œ' => &['o', 'e'],
                'ø' => &['o'],
                'đ' | 'ð' => &['d'],
                'ł' => &['l'],
                'þ' => &['t', 'h'],
                'ı' => &['i'],
                'a'..='z' | '0'..='9' => &one,
                // An apostrophe joins: "Anna's maps" is "annas-maps".
                '\'' | '’' => continue,
                _ => {
                    gap = true;
                    continue;
                }
            };
            if gap && !slug.is_empty() {
                slug.push('-');
            }
            gap = false;
            slug.extend(letters);
        }
        slug.truncate(MAX_CHARS);
        let kept = slug.trim_end_matches('-');
        Self(if kept.is_empty() { FALLBACK } else { kept }.to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for Slug {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = SlugError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_fold_to_slugs_that_people_expect() {
        for (name, slug) in [
            ("Northwind Maps", "northwind-maps"),
            ("  Café — Zürich, Inc. ", "cafe-zurich-inc"),
            ("Anna's maps", "annas-maps"),
            ("Straße & Søn", "strasse-son"),
            ("Ægir, Œuvre, Þór", "aegir-oeuvre-thor"),
            ("Łódź, Đà, Eiðr", "lodz-da-eidr"),
            ("ＦＵＬＬ wide", "full-wide"),
            ("東京", "account"),
            ("!!!", "account"),
            ("", "account"),
            ("İstanbul", "istanbul"),
            ("Diyarbakır", "diyarbakir"),
            (
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbb",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            ),
        ] {
            assert_eq!(Slug::from_name(name).as_str(), slug, "{name:?}");
        }
    }

    #[test]
    fn only_the_exact_form_is_a_slug() {
        for good in ["a", "0", "map-tiles", "a-b-c", &"x".repeat(40)] {
            let slug = Slug::parse(good).unwrap();
            assert_eq!((slug.as_str(), slug.as_ref()), (good, good));
        }
        for wrong in [
            "",
            "-",
            "-a",
            "a-",
            "a--b",
            "A",
            "a b",
            "a_b",
            "é",
            "a/b",
            "..",
            &"x".repeat(41),
        ] {
            assert_eq!(Slug::parse(wrong), Err(SlugError), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn every_name_gives_a_slug(name: String) {
            let slug = Slug::from_name(&name);
            prop_assert_eq!(Slug::parse(slug.as_str()), Ok(slug));
        }
    }
}
