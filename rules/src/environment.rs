//! The three environments of keys, and sets of them.

worded! {
    /// Where a key is meant to be used. The word stands in the secret itself and never changes.
    pub enum Environment {
        /// Real users.
        Live => "live", "Production";
        /// A rehearsal of production.
        Staging => "staging", "Staging";
        /// Development and tests.
        Test => "test", "Development";
    }
}

/// A set of environments. A host entry that names none takes keys of all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EnvironmentSet(u8);

impl EnvironmentSet {
    /// The set that names nothing, and therefore takes all.
    pub const ANY: Self = Self(0);

    const fn bit(environment: Environment) -> u8 {
        match environment {
            Environment::Live => 1,
            Environment::Staging => 2,
            Environment::Test => 4,
        }
    }

    /// This set with one more environment named.
    #[must_use]
    pub const fn with(self, environment: Environment) -> Self {
        Self(self.0 | Self::bit(environment))
    }

    /// Whether no environment is named.
    #[must_use]
    pub const fn is_any(self) -> bool {
        self.0 == 0
    }

    /// Whether a key of this environment is taken: it is named, or none is.
    #[must_use]
    pub const fn takes(self, environment: Environment) -> bool {
        self.0 == 0 || self.0 & Self::bit(environment) != 0
    }

    /// What either set takes.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        if self.is_any() || other.is_any() {
            Self::ANY
        } else {
            Self(self.0 | other.0)
        }
    }

    /// The environments named, in order.
    pub fn named(self) -> impl Iterator<Item = Environment> {
        Environment::ALL
            .iter()
            .copied()
            .filter(move |environment| self.0 & Self::bit(*environment) != 0)
    }
}

impl FromIterator<Environment> for EnvironmentSet {
    fn from_iter<I: IntoIterator<Item = Environment>>(environments: I) -> Self {
        environments.into_iter().fold(Self::ANY, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_in_secrets_and_stay() {
        let words: Vec<_> = Environment::ALL.iter().map(|e| e.word()).collect();
        assert_eq!(words, ["live", "staging", "test"]);
        for environment in Environment::ALL {
            assert_eq!(
                Environment::from_word(environment.word()),
                Some(*environment)
            );
        }
        assert_eq!(Environment::from_word("Live"), None);
    }

    #[test]
    fn a_set_that_names_none_takes_all() {
        assert!(
            Environment::ALL
                .iter()
                .all(|e| EnvironmentSet::ANY.takes(*e))
        );
        let live: EnvironmentSet = [Environment::Live].into_iter().collect();
        assert!(live.takes(Environment::Live));
        assert!(!live.takes(Environment::Test));
        assert!(
            live.or(EnvironmentSet::ANY).is_any(),
            "all and live is still all"
        );
        let both = live.or(EnvironmentSet::ANY.with(Environment::Test));
        assert_eq!(
            both.named().collect::<Vec<_>>(),
            [Environment::Live, Environment::Test]
        );
    }

    #[test]
    fn naming_an_environment_again_changes_nothing() {
        let live = EnvironmentSet::ANY.with(Environment::Live);
        assert_eq!(live.with(Environment::Live), live);
        assert_eq!(live.or(live), live);
    }
}
