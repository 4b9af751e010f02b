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
        let is_dots = |text: &str| matches!(text, "." | "..");
        let mut has_parameters = rest.contains(';');
        let mut has_empty = rest.contains("//") || rest.starts_with('/');
        let mut dots: &[Dots] = &[Dots::Kept];
        for raw in rest.split('/') {
            let decoded = decode(raw).unwrap_or(Cow::Borrowed(raw));
            has_parameters |= decoded.contains(';');
            // A segment of parameters alone is empty for whoever drops them.
            has_empty |= decoded.starts_with(';');
            if is_dots(raw) && dots.len() == 1 {
                dots = &[Dots::Kept, Dots::AsWritten];
            } else if is_dots(&decoded) && !is_dots(raw) {
                dots = &[Dots::Kept, Dots::AsWritten, Dots::EncodedToo];
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
                Dots::AsWritten if !self.decodes => raw,
                Dots::AsWritten | Dots::EncodedToo => &decoded,
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

/// Whether something holds of every reading of a path that has a canonical form.
pub(crate) fn every_reading(raw_path: &str, holds: impl Fn(&str) -> bool) -> bool {
    let Some(rest) = raw_path.strip_prefix('/') else {
        return false;
    };
    Choices::of(rest)
        .readings()
        .all(|reading| reading.of(rest).is_some_and(|path| holds(&path)))
}
