//! Counters that a closed list of words names.

use std::sync::atomic::{AtomicU64, Ordering};

/// A counter for each word.
#[derive(Debug)]
pub struct Words {
    words: &'static [&'static str],
    counts: Vec<AtomicU64>,
}

impl Words {
    /// All at nothing.
    pub fn new(words: &'static [&'static str]) -> Self {
        Self {
            words,
            counts: words.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Counts one more of a word. One that is not in the list is counted nowhere: the list stays closed.
    pub fn count(&self, word: &str) {
        self.add(word, 1);
    }

    /// Counts some more of a word.
    pub fn add(&self, word: &str, more: u64) {
        let place = self.words.iter().position(|known| *known == word);
        debug_assert!(place.is_some(), "{word} is not in {:?}", self.words);
        if let Some(count) = place.and_then(|place| self.counts.get(place)) {
            count.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// Sets a word's figure, for what is no counter.
    pub fn set(&self, word: &str, figure: u64) {
        let place = self.words.iter().position(|known| *known == word);
        debug_assert!(place.is_some(), "{word} is not in {:?}", self.words);
        if let Some(count) = place.and_then(|place| self.counts.get(place)) {
            count.store(figure, Ordering::Relaxed);
        }
    }

    /// Each word with its count.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let counts = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        self.words.iter().copied().zip(counts)
    }
}
