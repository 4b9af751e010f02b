//! What is remembered of a bounded number of names, by when each was last heard of.

use std::collections::HashMap;

use latchkey_rules::time::Millis;

/// Values by name. Beyond the most, the name that was heard of longest ago is forgotten.
#[derive(Debug)]
pub struct Recent<V> {
    most: usize,
    entries: HashMap<String, (Millis, V)>,
}

impl<V: Default> Recent<V> {
    /// Nothing yet, and at most so many names.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            entries: HashMap::new(),
        }
    }

    /// What is remembered of a name, which is heard of now.
    pub fn of(&mut self, name: &str, now: Millis) -> &mut V {
        if self.entries.len() >= self.most && !self.entries.contains_key(name) {
            let oldest = self.entries.iter().min_by_key(|(_, (at, _))| *at);
            let oldest = oldest.map(|(name, _)| name.clone());
            oldest.and_then(|name| self.entries.remove(&name));
        }
        let (at, value) = self.entries.entry(name.to_owned()).or_default();
        *at = now.max(*at);
        value
    }

    /// What is remembered of a name, if something is.
    pub fn known(&mut self, name: &str) -> Option<&mut V> {
        self.entries.get_mut(name).map(|(_, value)| value)
    }

    /// Forgets a name.
    pub fn forget(&mut self, name: &str) {
        self.entries.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_07_what_is_remembered_is_bounded() {
        let mut recent: Recent<u32> = Recent::new(100);
        for number in 0..110_u32 {
            *recent.of(&format!("n{number}"), Millis(i64::from(number))) += number;
        }
        assert_eq!(recent.entries.len(), 100);
        assert!(recent.known("n9").is_none() && recent.known("n10").is_some());
        *recent.of("n10", Millis(200)) += 1;
        recent.of("another", Millis(201));
        assert_eq!(recent.known("n10"), Some(&mut 11), "heard of lately");
        assert!(recent.known("n11").is_none());
        recent.forget("n10");
        assert!(recent.known("n10").is_none());
    }
}
