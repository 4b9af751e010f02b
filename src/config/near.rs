//! Finds the setting that was probably meant by a name that is none.
//!
//! Must not know which settings exist: it is told.

use std::collections::BTreeSet;

use super::place::Place;

/// The rest of a sentence about a name that is no setting.
pub(super) fn unknown(at: &Place, name: &str, known: &BTreeSet<String>) -> String {
    let spell = |setting: &str| match at {
        Place::Variable(_) => variable(setting),
        _ => setting.to_owned(),
    };
    match nearest(name, known) {
        Some(right) => format!(
            "there is no setting {name}; the nearest is {}",
            spell(right)
        ),
        None => format!(
            "there is no setting {name}; it may hold {}",
            siblings(name, known, spell)
        ),
    }
}

/// The variable of a setting: `LATCHKEY_GATE__LISTEN` of `gate.listen`.
pub fn variable(setting: &str) -> String {
    format!("LATCHKEY_{}", setting.replace('.', "__").to_uppercase())
}

fn nearest<'k>(name: &str, known: &'k BTreeSet<String>) -> Option<&'k str> {
    let plain = |text: &str| text.replace(['.', '-'], "_").to_lowercase();
    let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_lowercase();
    let typed = plain(name);
    let near_enough = |distance: usize| distance <= 1.max(typed.len() / 4).min(4);
    let by_whole = known
        .iter()
        .map(|k| (strsim::damerau_levenshtein(&typed, &plain(k)), k.as_str()))
        .filter(|(distance, _)| near_enough(*distance))
        .min();
    by_whole
        .or_else(|| {
            known
                .iter()
                .map(|k| (0, k.as_str()))
                .find(|(_, k)| last(k) == last(name))
        })
        .map(|(_, k)| k)
}

/// The settings that stand in the same table.
fn siblings(name: &str, known: &BTreeSet<String>, spell: impl Fn(&str) -> String) -> String {
    let table = name
        .rsplit_once('.')
        .map(|(table, _)| format!("{table}."))
        .unwrap_or_default();
    let inside = |k: &&String| {
        k.strip_prefix(&table)
            .is_some_and(|rest| !rest.is_empty() && !rest.contains('.'))
    };
    let names: Vec<String> = known.iter().filter(inside).map(|k| spell(k)).collect();
    names.join(", ")
}
