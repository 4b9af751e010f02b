//! Lists that people type, entry by entry: each comes back numbered, with what it covers or what is wrong with it.
//!
//! It must not know what the entries are.

/// An entry as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::portal::keys) struct EntryView {
    /// From 1.
    pub(in crate::portal::keys) number: usize,
    /// As it is kept, or as it was typed when it is none.
    pub(in crate::portal::keys) text: String,
    /// Whether it was read.
    pub(in crate::portal::keys) ok: bool,
    /// What it covers, or what is wrong.
    pub(in crate::portal::keys) says: String,
    /// What can be done about it: what the button sends, and what it says.
    pub(in crate::portal::keys) mends: Vec<(String, String)>,
}

impl EntryView {
    /// A tick or a cross.
    pub(in crate::portal::keys) const fn icon(&self) -> &'static str {
        if self.ok { "check" } else { "x" }
    }
}

/// A list as it was read.
#[derive(Clone, Debug)]
pub(super) struct Entries<T> {
    pub(super) views: Vec<EntryView>,
    /// What was read, in order, each once.
    pub(super) read: Vec<T>,
    /// What is wrong with the list as a whole: the first entry that is none.
    pub(super) error: Option<String>,
}

/// What an entry of a list can do.
pub(super) struct Kind<T> {
    /// As the list is called at the beginning of a sentence.
    pub(super) list: &'static str,
    /// Its field's name.
    pub(super) field: &'static str,
    /// Reads an entry: the entry, and what it covers; or what is wrong.
    pub(super) read: fn(&str) -> Result<(T, String), String>,
    /// Whether the first covers all that the second does.
    pub(super) includes: fn(&T, &T) -> bool,
    /// What was probably meant by a text that is no entry.
    pub(super) mended: fn(&str) -> Option<String>,
}

/// So many entries a list may have.
const MOST: usize = 100;

/// Reads a list with commas, semicolons, spaces or line ends between its entries.
pub(super) fn entries<T: ToString>(raw: &str, kind: &Kind<T>) -> Entries<T> {
    let mut found = Entries {
        views: Vec::new(),
        read: Vec::new(),
        error: None,
    };
    for (number, text) in (1..).zip(texts(raw)) {
        let view = match (kind.read)(text) {
            Ok((entry, says)) => found.add(number, entry, says, kind),
            Err(wrong) => {
                let wrong_here = format!("{}, entry {number}: {wrong}.", kind.list);
                found.error.get_or_insert(wrong_here);
                EntryView {
                    number,
                    text: text.chars().take(300).collect(),
                    ok: false,
                    says: wrong,
                    mends: mends(number, text, kind),
                }
            }
        };
        found.views.push(view);
    }
    if found.views.len() > MOST {
        let most = format!(
            "{} may have {MOST} entries, and these are {}.",
            kind.list,
            found.views.len()
        );
        found.error = Some(most);
    }
    found
}

/// With commas, semicolons, spaces or line ends between them.
fn texts(raw: &str) -> impl Iterator<Item = &str> {
    raw.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'))
        .filter(|text| !text.is_empty())
}

fn mends<T>(number: usize, text: &str, kind: &Kind<T>) -> Vec<(String, String)> {
    let fix = |what: &str| format!("{}:{number}:{what}", kind.field);
    let used = (kind.mended)(text).map(|better| (fix("use"), format!("Use {better}")));
    let removed = (fix("drop"), format!("Remove entry {number}"));
    used.into_iter().chain([removed]).collect()
}

/// Mends an entry as a button says: `3:drop` or `3:use`. What names no entry changes nothing.
pub(super) fn mend<T>(raw: &mut String, fix: &str, kind: &Kind<T>) {
    let Some((number, what)) = fix.split_once(':') else {
        return;
    };
    let kept = (1..)
        .zip(texts(raw))
        .filter_map(|(place, text): (usize, &str)| {
            if place.to_string() != number {
                return Some(text.to_owned());
            }
            match what {
                "drop" => None,
                "use" => Some((kind.mended)(text).unwrap_or_else(|| text.to_owned())),
                _ => Some(text.to_owned()),
            }
        });
    let kept: Vec<String> = kept.collect();
    *raw = kept.join("\n");
}

impl<T: ToString> Entries<T> {
    fn add(&mut self, number: usize, entry: T, says: String, kind: &Kind<T>) -> EntryView {
        let by = self
            .read
            .iter()
            .position(|one| (kind.includes)(one, &entry));
        let text = entry.to_string();
        let says = match by {
            Some(at) => format!("{says}; entry {} allows it already", self.number_of(at)),
            None => says,
        };
        if by.is_none() {
            self.read.push(entry);
        }
        EntryView {
            number,
            text,
            ok: true,
            says,
            mends: Vec::new(),
        }
    }

    /// The number of an entry that was read, by its place among those.
    fn number_of(&self, at: usize) -> usize {
        let text = self.read.get(at).map(ToString::to_string);
        let of_text = |view: &&EntryView| Some(&view.text) == text.as_ref();
        self.views
            .iter()
            .find(of_text)
            .map_or(at + 1, |view| view.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: Kind<u8> = Kind {
        list: "Numbers",
        field: "numbers",
        mended: |text| text.strip_suffix('x').map(str::to_owned),
        read: |text| {
            let number: u8 = text
                .parse()
                .map_err(|_no_number| "it is no number".to_owned())?;
            Ok((number, format!("{number} things")))
        },
        includes: |one, other| one == other,
    };

    #[test]
    fn each_entry_comes_back_with_its_number_and_what_it_says() {
        let found = entries("1, x\n2;1  3", &NUMBERS);
        assert_eq!(found.read, [1, 2, 3]);
        let said: Vec<(usize, &str, bool, &str)> = found
            .views
            .iter()
            .map(|view| (view.number, view.text.as_str(), view.ok, view.says.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                (1, "1", true, "1 things"),
                (2, "x", false, "it is no number"),
                (3, "2", true, "2 things"),
                (4, "1", true, "1 things; entry 1 allows it already"),
                (5, "3", true, "3 things"),
            ]
        );
        assert_eq!(
            found.error.as_deref(),
            Some("Numbers, entry 2: it is no number.")
        );
    }

    #[test]
    fn a_list_has_an_end() {
        let many = "7 ".repeat(101);
        let error = entries(&many, &NUMBERS).error.unwrap();
        assert!(error.contains("100 entries"), "{error}");
        assert!(entries("", &NUMBERS).views.is_empty());
    }

    #[test]
    fn a_button_mends_one_entry_and_leaves_the_others() {
        let mends = |raw: &str| entries(raw, &NUMBERS).views.remove(1).mends;
        let said: Vec<String> = mends("1, 2x, y")
            .into_iter()
            .map(|(_, said)| said)
            .collect();
        assert_eq!(said, ["Use 2", "Remove entry 2"]);
        assert!(mends("1 2").is_empty());
        for (fix, left) in [
            ("2:use", "1\n2\ny"),
            ("2:drop", "1\ny"),
            ("3:use", "1\n2x\ny"),
            ("9:drop", "1\n2x\ny"),
            ("2:what", "1\n2x\ny"),
        ] {
            let mut raw = "1, 2x, y".to_owned();
            mend(&mut raw, fix, &NUMBERS);
            assert_eq!(raw, left, "{fix}");
        }
    }
}
