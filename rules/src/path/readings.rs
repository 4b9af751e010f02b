//! Every way in which a server might read a path.
//!
//! Servers differ in what they do before they choose what answers: some decode, some drop parameters,
//! some resolve dots (encoded ones too, or not), some merge slashes. A path is judged only where all of
//! these readings lead to the same place.

use std::borrow::Cow;

use super::segments::decode;

/// Which dot segments a reading resolves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dots {
    Kept,
    AsWritten,
    EncodedToo,
}

/// What one reading does.
#[derive(Clone, Copy)]
struct Reading {
    decodes: bool,
    drops_parameters: bool,
    dots: Dots,
    merges: bool,
}

/// The choices that matter for one path: of each, the first is what leaves the path as it was sent.
struct Choices {
    decodes: &'static [bool],
    drops_parameters: &'static [bool],
    dots: &'static [Dots],
    merges: &'static [bool],
}

impl Choices {
    fn of(rest: &str) -> Self {
        let mut has_parameters = false;
        let mut has_empty = false;
        let mut dots: &[Dots] = &[Dots::Kept];
        for raw in rest.split('/') {
            let at_parameters = find_parameters(raw);
            has_parameters |= at_parameters.is_some();
            // A segment of parameters alone is empty for whoever drops them.
            has_empty |= at_parameters == Some(0) || raw.is_empty();
            match dots_in(raw) {
                Dots::AsWritten if dots.len() == 1 => dots = &[Dots::Kept, Dots::AsWritten],
                Dots::EncodedToo => dots = &[Dots::Kept, Dots::AsWritten, Dots::EncodedToo],
                _ => {}
            }
        }
        let both_if =
            |odd: bool| -> &'static [bool] { if odd { &[false, true] } else { &[false] } };
        Self {
            decodes: both_if(rest.contains('%')),
            drops_parameters: both_if(has_parameters),
            dots,
            merges: both_if(has_empty),
        }
    }

    /// Whether all that can differ is that some decode: then there is the path as sent, its canonical
    /// form, and nothing between them.
    fn are_of_decoding_alone(&self) -> bool {
        self.drops_parameters.len() == 1 && self.dots.len() == 1 && self.merges.len() == 1
    }

    /// All readings that can differ, the one as sent first.
    fn readings(&self) -> impl Iterator<Item = Reading> {
        self.decodes.iter().flat_map(move |decodes| {
            self.drops_parameters
                .iter()
                .flat_map(move |drops_parameters| {
                    self.dots.iter().flat_map(move |dots| {
                        self.merges.iter().map(move |merges| Reading {
                            decodes: *decodes,
                            drops_parameters: *drops_parameters,
                            dots: *dots,
                            merges: *merges,
                        })
                    })
                })
        })
    }
}

impl Reading {
    /// The path as this reading sees it; `None` when it climbs above the root.
    fn of(self, rest: &str) -> Option<String> {
        let mut segments: Vec<Cow<'_, str>> = Vec::new();
        let mut ends_in_dots = false;
        for raw in rest.split('/') {
            let decoded = decode(raw).ok()?;
            let dots = match self.dots {
                Dots::Kept => "",
                Dots::AsWritten => raw,
                Dots::EncodedToo => &decoded,
            };
            ends_in_dots = matches!(dots, "." | "..");
            match dots {
                "." => {}
                ".." => drop(segments.pop()?),
                _ => {
                    let text = if self.decodes {
                        decoded
                    } else {
                        Cow::Borrowed(raw)
                    };
                    segments.push(self.without_parameters(text));
                }
            }
        }
        if ends_in_dots {
            segments.push(Cow::Borrowed(""));
        }
        Some(self.join(&segments))
    }

    fn without_parameters(self, text: Cow<'_, str>) -> Cow<'_, str> {
        match text.split_once(';') {
            Some((name, _)) if self.drops_parameters => Cow::Owned(name.to_owned()),
            _ => text,
        }
    }

    fn join(self, segments: &[Cow<'_, str>]) -> String {
        let mut path = String::new();
        let last = segments.len().saturating_sub(1);
        for (index, segment) in segments.iter().enumerate() {
            if !segment.is_empty() || !self.merges || index == last {
                path.push('/');
                path.push_str(segment);
            }
        }
        path
    }
}

/// Where the parameters of a segment begin, a `;` that is encoded counting too.
fn find_parameters(raw: &str) -> Option<usize> {
    [";", "%3b", "%3B"]
        .iter()
        .filter_map(|mark| raw.find(mark))
        .min()
}

/// Who reads a segment as dots: nobody, everybody, or those who decode.
fn dots_in(raw: &str) -> Dots {
    let mut rest = raw;
    let mut count = 0;
    while let Some(after) = ["%2e", "%2E", "."]
        .iter()
        .find_map(|dot| rest.strip_prefix(dot))
    {
        rest = after;
        count += 1;
    }
    match (rest, count) {
        ("", 1 | 2) if raw.len() == count => Dots::AsWritten,
        ("", 1 | 2) => Dots::EncodedToo,
        _ => Dots::Kept,
    }
}

/// Whether something that holds of a path as sent and of its canonical form also holds of every reading
/// between them.
pub(crate) fn every_reading_between(raw_path: &str, holds: impl Fn(&str) -> bool) -> bool {
    let Some(rest) = raw_path.strip_prefix('/') else {
        return false;
    };
    let choices = Choices::of(rest);
    choices.are_of_decoding_alone()
        || choices
            .readings()
            .all(|reading| reading.of(rest).is_some_and(|path| holds(&path)))
}
