//! Where the key of a request is read: header, `Authorization`, query; and what two of them mean.
//!
//! It must not know HTTP types or keys: it gets texts and says which one is the key.

use std::borrow::Cow;

use data_encoding::BASE64;
use latchkey_rules::secret::{Prefix, has_shape};

/// Where a key came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// One of the key headers.
    Header,
    /// `Authorization`.
    Authorization,
    /// The query of the request that is asked about.
    Query,
}

/// The key of a request, as far as texts can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Offered<'a> {
    /// None.
    Missing,
    /// Two different ones.
    TwoKeys,
    /// This text; whether it is a secret of anything is yet to be seen.
    One(Cow<'a, str>, Source),
}

/// Collects what could be the key.
#[derive(Clone)]
pub(crate) struct KeyReader<'a, 's> {
    prefix: &'s Prefix,
    /// What stands in a header or has our shape; the first one wins, a different one is a contradiction.
    found: Option<(Cow<'a, str>, Source)>,
    contradicted: bool,
    /// A query value without our shape: the key only if there is no other.
    shapeless: Option<&'a str>,
}

impl<'a, 's> KeyReader<'a, 's> {
    /// A reader that has seen nothing yet.
    pub(crate) fn new(prefix: &'s Prefix) -> Self {
        Self {
            prefix,
            found: None,
            contradicted: false,
            shapeless: None,
        }
    }

    /// A line of a key header: the key, whatever it looks like.
    pub(crate) fn header(&mut self, value: &'a [u8]) {
        let text = match std::str::from_utf8(value) {
            Ok(text) => text.trim_matches([' ', '\t']),
            // Something was sent, and it is no secret of ours.
            Err(_) => "?",
        };
        if !text.is_empty() {
            self.take(Cow::Borrowed(text), Source::Header);
        }
    }

    /// A line of `Authorization`: the key if what it holds has our shape; a bearer token of somebody else has not.
    pub(crate) fn authorization(&mut self, value: &'a [u8]) {
        let Ok(text) = std::str::from_utf8(value) else {
            return;
        };
        let Some((scheme, rest)) = text.trim_matches([' ', '\t']).split_once([' ', '\t']) else {
            return;
        };
        let rest = rest.trim_matches([' ', '\t']);
        let named = |name: &str| scheme.eq_ignore_ascii_case(name);
        if ["bearer", "apikey", "api-key", "key"]
            .into_iter()
            .any(named)
        {
            if has_shape(self.prefix, rest) {
                self.take(Cow::Borrowed(rest), Source::Authorization);
            }
        } else if named("basic")
            && let Some(user) = basic_user(rest)
            && has_shape(self.prefix, &user)
        {
            self.take(Cow::Owned(user), Source::Authorization);
        }
    }

    /// The query of the request that is asked about. Names are compared as they were sent: an encoded one is no key.
    pub(crate) fn query(&mut self, query: &'a str, names: &[String]) {
        for pair in query.split('&') {
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            if value.is_empty() || !names.iter().any(|other| other == name) {
                continue;
            }
            if has_shape(self.prefix, value) {
                self.take(Cow::Borrowed(value), Source::Query);
            } else {
                self.shapeless = self.shapeless.or(Some(value));
            }
        }
    }

    /// What it comes to.
    pub(crate) fn done(self) -> Offered<'a> {
        if self.contradicted {
            return Offered::TwoKeys;
        }
        match (self.found, self.shapeless) {
            (Some((text, source)), _) => Offered::One(text, source),
            (None, Some(text)) => Offered::One(Cow::Borrowed(text), Source::Query),
            (None, None) => Offered::Missing,
        }
    }

    fn take(&mut self, text: Cow<'a, str>, source: Source) {
        match &self.found {
            None => self.found = Some((text, source)),
            Some((first, _)) => self.contradicted |= *first != text,
        }
    }
}

/// The user name of a Basic credential.
fn basic_user(credential: &str) -> Option<String> {
    let decoded = BASE64.decode(credential.as_bytes()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (user, _) = text.split_once(':')?;
    Some(user.to_owned())
}

/// The names to take out of the query that goes to the backend: those of the key, unless the product never reads a key
/// there and none stands there, for then the parameter is the backend's own.
pub(crate) fn names_to_strip<'n>(
    prefix: &Prefix,
    query: Option<&str>,
    names: &'n [String],
    product_reads_query: bool,
) -> &'n [String] {
    let holds_secret = |query: &str| {
        query.split('&').any(|pair| {
            let value = pair
                .split_once('=')
                .map(|(name, value)| (names.iter().any(|n| n == name), value));
            value.is_some_and(|(is_ours, value)| is_ours && has_shape(prefix, value))
        })
    };
    match query {
        None => &[],
        Some(query) if !product_reads_query && !holds_secret(query) => &[],
        Some(_) => names,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu";
    const TWO: &str = "lk_test_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu";

    fn offered(headers: &[&str], authorization: &[&str], query: &str) -> String {
        let prefix = Prefix::default();
        let names = ["key".to_owned(), "api_key".to_owned()];
        let mut reader = KeyReader::new(&prefix);
        for line in headers {
            reader.header(line.as_bytes());
        }
        for line in authorization {
            reader.authorization(line.as_bytes());
        }
        reader.query(query, &names);
        match reader.done() {
            Offered::Missing => "missing".to_owned(),
            Offered::TwoKeys => "two".to_owned(),
            Offered::One(text, source) => {
                let name = if text == ONE { "one" } else { "other" };
                format!("{name} {source:?}")
            }
        }
    }

    #[test]
    fn the_key_is_read_from_each_place() {
        let basic = |text: &str| format!("Basic {}", BASE64.encode(text.as_bytes()));
        let in_query = format!("a=1&key={ONE}&b=2");
        for (headers, authorization, query, expected) in [
            (vec![ONE], vec![], "", "one Header"),
            (vec![" junk "], vec![], "", "other Header"),
            (vec![""], vec![], "", "missing"),
            (
                vec![],
                vec![format!("Bearer {ONE}")],
                "",
                "one Authorization",
            ),
            (
                vec![],
                vec![format!("bEARER   {ONE}")],
                "",
                "one Authorization",
            ),
            (
                vec![],
                vec![format!("ApiKey {ONE}")],
                "",
                "one Authorization",
            ),
            (
                vec![],
                vec![format!("Api-Key {ONE}")],
                "",
                "one Authorization",
            ),
            (vec![], vec![format!("Digest {ONE}")], "", "missing"),
            (vec![], vec![ONE.to_owned()], "", "missing"),
            (vec![], vec!["Bearer aaa.bbb.ccc".to_owned()], "", "missing"),
            (
                vec![],
                vec![basic(&format!("{ONE}:"))],
                "",
                "one Authorization",
            ),
            (
                vec![],
                vec![basic(&format!("{ONE}:x:y"))],
                "",
                "one Authorization",
            ),
            (vec![], vec![basic(&format!("u:{ONE}"))], "", "missing"),
            (vec![], vec!["Basic %%%".to_owned()], "", "missing"),
            (vec![], vec![], &*in_query, "one Query"),
            (vec![], vec![], "key=junk", "other Query"),
            (vec![], vec![], "key=&api_key", "missing"),
            (vec![], vec![], "k%65y=junk", "missing"),
        ] {
            let authorization: Vec<&str> = authorization.iter().map(String::as_str).collect();
            assert_eq!(
                offered(&headers, &authorization, query),
                expected,
                "{headers:?} {authorization:?} {query}"
            );
        }
    }

    #[test]
    fn two_different_keys_are_a_contradiction_and_two_equal_ones_are_one() {
        let (bearer, other) = (format!("Bearer {ONE}"), format!("Bearer {TWO}"));
        assert_eq!(
            offered(&[ONE, ONE], &[&bearer], &format!("key={ONE}")),
            "one Header"
        );
        assert_eq!(offered(&[ONE], &[&other], ""), "two");
        assert_eq!(offered(&[ONE, TWO], &[], ""), "two");
        assert_eq!(offered(&[ONE], &[], &format!("api_key={TWO}")), "two");
        assert_eq!(offered(&["junk"], &[&bearer], ""), "two");
        assert_eq!(
            offered(&[], &[], &format!("key={ONE}&api_key={TWO}")),
            "two"
        );
    }

    #[test]
    fn a_query_value_without_our_shape_does_not_count_beside_a_key() {
        assert_eq!(offered(&[ONE], &[], "key=berlin"), "one Header");
        assert_eq!(
            offered(&[], &[], &format!("key=berlin&api_key={ONE}")),
            "one Query"
        );
        assert_eq!(
            offered(&[], &["Bearer aaa.bbb.ccc"], "key=berlin"),
            "other Query"
        );
    }

    #[test]
    fn the_keys_parameters_are_stripped_unless_they_are_the_backends_own() {
        let prefix = Prefix::default();
        let names = ["key".to_owned(), "api_key".to_owned()];
        let strip = |query, reads| names_to_strip(&prefix, query, &names, reads);
        assert!(strip(None, true).is_empty());
        assert_eq!(strip(Some("key=berlin"), true), ["key", "api_key"]);
        assert!(strip(Some("key=berlin"), false).is_empty());
        assert_eq!(
            strip(Some(&format!("key={ONE}")), false),
            ["key", "api_key"]
        );
    }
}
