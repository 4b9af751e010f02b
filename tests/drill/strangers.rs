//! Secrets that no key has, well formed: what somebody sends who guesses.

use latchkey_rules::environment::Environment;
use latchkey_rules::secret::{Prefix, Secret};
use rand::rngs::StdRng;
use rand::{SeedableRng, rng};

/// Draws them, one after another.
pub(crate) struct Strangers {
    prefix: Prefix,
    random: StdRng,
}

impl Strangers {
    pub(crate) fn new() -> Self {
        Self {
            prefix: Prefix::parse("lk").expect("the default prefix"),
            random: StdRng::from_rng(&mut rng()),
        }
    }

    pub(crate) fn draw(&mut self) -> String {
        let secret = Secret::generate(&self.prefix, Environment::Live, &mut self.random);
        secret.expose().to_owned()
    }
}
