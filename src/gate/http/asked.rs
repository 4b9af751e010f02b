//! The JSON that verify and batch are asked in. Texts are borrowed from the body; unknown and repeated fields are
//! refused by name (T-28), and no message quotes a value, which may be a secret.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;

use latchkey_rules::limit::MAX_COST;
use latchkey_rules::verdict::{Address, Asked, Caller, Target};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Deserializer as Json;

use crate::gate::answer::Failure;
use crate::gate::judge::{Ask, AskedKey};

/// Requests of one batch.
pub(super) const BATCH_ITEMS: usize = 1_000;
const COSTS: std::ops::RangeInclusive<u32> = 1..=MAX_COST;

/// One question.
#[derive(Default)]
pub(super) struct Question<'a> {
    secret: Option<Text<'a>>,
    product: Option<Text<'a>>,
    host: Option<Text<'a>>,
    path: Option<Text<'a>>,
    method: Option<Text<'a>>,
    origin: Option<Text<'a>>,
    referer: Option<Text<'a>>,
    ip: Ip,
    user_agent: Option<Text<'a>>,
    cost: Option<u32>,
    dry_run: Option<bool>,
}

/// The fields of a question.
#[derive(Clone, Copy, Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Secret,
    Product,
    Host,
    Path,
    Method,
    Origin,
    Referer,
    Ip,
    UserAgent,
    // Facts for checks that are yet to come: read and held to their form, so that a gateway can send them today.
    Country,
    Token,
    Cost,
    DryRun,
}

impl Field {
    /// Its bit among those that were seen, and its name.
    const fn bit(self) -> (u16, &'static str) {
        match self {
            Self::Secret => (1, "secret"),
            Self::Product => (1 << 1, "product"),
            Self::Host => (1 << 2, "host"),
            Self::Path => (1 << 3, "path"),
            Self::Method => (1 << 4, "method"),
            Self::Origin => (1 << 5, "origin"),
            Self::Referer => (1 << 6, "referer"),
            Self::Ip => (1 << 7, "ip"),
            Self::UserAgent => (1 << 8, "user_agent"),
            Self::Country => (1 << 9, "country"),
            Self::Token => (1 << 10, "token"),
            Self::Cost => (1 << 11, "cost"),
            Self::DryRun => (1 << 12, "dry_run"),
        }
    }
}

/// Reads a question into its place: one that is read and then moved there is copied three times, which costs a question of
/// a batch as much as its digest.
struct Fill<'q, 'a>(&'q mut Question<'a>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for Fill<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Fill<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (question, mut seen) = (self.0, 0);
        while let Some(field) = map.next_key::<Field>()? {
            let (bit, name) = field.bit();
            if seen & bit != 0 {
                return Err(A::Error::duplicate_field(name));
            }
            seen |= bit;
            match field {
                Field::Secret => question.secret = map.next_value()?,
                Field::Product => question.product = map.next_value()?,
                Field::Host => question.host = map.next_value()?,
                Field::Path => question.path = map.next_value()?,
                Field::Method => question.method = map.next_value()?,
                Field::Origin => question.origin = map.next_value()?,
                Field::Referer => question.referer = map.next_value()?,
                Field::Ip => question.ip = map.next_value()?,
                Field::UserAgent => question.user_agent = map.next_value()?,
                Field::Country | Field::Token => drop(map.next_value::<Option<Text<'_>>>()?),
                Field::Cost => question.cost = map.next_value()?,
                Field::DryRun => question.dry_run = map.next_value()?,
            }
        }
        Ok(())
    }
}

impl Question<'_> {
    /// Who is said to call.
    pub(super) fn caller(&self) -> Caller<'_> {
        Caller {
            origin: given(self.origin.as_ref()),
            referer: given(self.referer.as_ref()),
            user_agent: given(self.user_agent.as_ref()),
            address: Address::Is(match self.ip {
                Ip::Is(ip) => Some(ip),
                Ip::Absent | Ip::Wrong => None,
            }),
        }
    }

    /// What is asked of the gate.
    pub(super) fn ask<'a>(&'a self, caller: &'a Caller<'a>) -> Ask<'a> {
        let key = match given(self.secret.as_ref()) {
            Some(secret) => AskedKey::Text(secret),
            None => AskedKey::Missing,
        };
        let (slug, host, path) = (
            given(self.product.as_ref()),
            given(self.host.as_ref()),
            given(self.path.as_ref()),
        );
        let target = match (host, slug, path) {
            // A host without a path asks for its root.
            (Some(host), slug, path) => Target::Route {
                host,
                path: path.unwrap_or("/"),
                slug,
            },
            (None, Some(slug), Some(path)) => Target::SlugAndPath { slug, path },
            (None, Some(slug), None) => Target::Slug(slug),
            (None, None, Some(path)) => Target::Path(path),
            (None, None, None) => Target::Nothing,
        };
        Ask {
            key,
            asked: Asked {
                target,
                method: given(self.method.as_ref()).unwrap_or("GET"),
                caller,
            },
            cost: self.cost.unwrap_or(1),
            is_plain: false,
            counted: self.dry_run != Some(true),
        }
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.cost.is_some_and(|cost| !COSTS.contains(&cost)) {
            return Err("“cost” has to be a whole number from 1 to 1,000.");
        }
        if matches!(self.ip, Ip::Wrong) {
            return Err("“ip” has to be an IPv4 or IPv6 address.");
        }
        Ok(())
    }
}

/// An empty text says as much as an absent one.
fn given<'a>(text: Option<&'a Text<'_>>) -> Option<&'a str> {
    text.map(|text| &*text.0).filter(|text| !text.is_empty())
}

/// Reads one question.
pub(super) fn one<'a>(body: &'a [u8], prefix: &str) -> Result<Question<'a>, Failure> {
    let (mut question, mut json) = (Question::default(), Json::from_slice(body));
    let read = Fill(&mut question).deserialize(&mut json);
    read.and_then(|()| json.end())
        .map_err(|error| Failure::BadRequest(said_of(&error, prefix)))?;
    match question.check() {
        Ok(()) => Ok(question),
        Err(why) => Err(Failure::BadRequest(why.to_owned())),
    }
}

/// Reads a batch.
pub(super) fn batch<'a>(body: &'a [u8], prefix: &str) -> Result<Vec<Question<'a>>, Failure> {
    let Object(batch) = parse::<Object<Batch<'a>>>(body, prefix)?;
    let Some(questions) = batch.requests.0 else {
        return Err(Failure::TooMany { limit: BATCH_ITEMS });
    };
    for (place, question) in questions.iter().enumerate() {
        if let Err(why) = question.check() {
            return Err(Failure::BadRequest(format!(
                "In “requests”, at place {place} (from 0): {why}"
            )));
        }
    }
    Ok(questions)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch<'a> {
    #[serde(borrow)]
    requests: Questions<'a>,
}

/// The questions of a batch, or nothing when there are too many; those are not kept in memory.
struct Questions<'a>(Option<Vec<Question<'a>>>);

impl<'de: 'a, 'a> Deserialize<'de> for Questions<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Questions<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of requests")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut questions =
                    Vec::with_capacity(list.size_hint().unwrap_or(64).min(BATCH_ITEMS));
                while questions.len() <= BATCH_ITEMS {
                    let place = questions.push_mut(Question::default());
                    if list.next_element_seed(Fill(place))?.is_none() {
                        questions.pop();
                        return Ok(Questions(Some(questions)));
                    }
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Questions(None))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// What stands in braces: serde would take a list for it too, by the order of its fields.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Braces<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Braces<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Braces(PhantomData))
    }
}

/// A text, borrowed from the body unless it holds escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Either)
    }
}

/// An address, read once. What is none is told at its place, with the question's number.
#[derive(Clone, Copy, Default)]
enum Ip {
    #[default]
    Absent,
    Is(IpAddr),
    Wrong,
}

impl<'de> Deserialize<'de> for Ip {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<Text<'de>>::deserialize(deserializer)?;
        Ok(match given(text.as_ref()) {
            None => Self::Absent,
            Some(ip) => ip.parse().map_or(Self::Wrong, Self::Is),
        })
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8], prefix: &str) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| Failure::BadRequest(said_of(&error, prefix)))
}

/// What is wrong with the body and where, without any value of it.
fn said_of(error: &serde_json::Error, prefix: &str) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    if !error.is_data() {
        return format!("The body is no valid JSON at {place}.");
    }
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    // serde quotes the value in some of its messages; a field's name it puts between backticks, and that is shown
    // unless somebody put a secret there.
    let is_name = what.starts_with("unknown field")
        || what.starts_with("duplicate field")
        || what.starts_with("missing field");
    if is_name && !what.contains(&format!("{prefix}_")) {
        let named: String = what.chars().filter(|c| !c.is_control()).take(300).collect();
        format!("The body has an {named}, at {place}.")
            .replace("an missing", "a missing")
            .replace("an duplicate", "a duplicate")
    } else {
        format!("A field of the body has a value of the wrong kind at {place}.")
    }
}
