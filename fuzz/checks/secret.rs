//! F-1: a secret that was made is read back as itself, and with one character changed it is none.
//!
//! The bytes: eight that seed the generator, one for the environment, one for the place of the change; then a text whose
//! first character is put there, and which is also read as a secret itself.

use latchkey_rules::environment::Environment;
use latchkey_rules::secret::{
    CHECKSUM_CHARS, Digest, Prefix, Presented, RANDOM_CHARS, Secret, has_shape,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

pub(crate) fn check(data: &[u8]) {
    let Some((seed, [environment, place, text @ ..])) = data.split_first_chunk::<8>() else {
        return;
    };
    let environments = Environment::ALL;
    let environment = environments[usize::from(*environment) % environments.len()];
    let text = String::from_utf8_lossy(text);
    let prefix = Prefix::default();
    let mut rng = StdRng::seed_from_u64(u64::from_le_bytes(*seed));
    let secret = Secret::generate(&prefix, environment, &mut rng);
    reads_back(&prefix, &secret, environment);
    if let Some(to) = text.chars().next() {
        let place = usize::from(*place) % secret.expose().len();
        no_longer_parses(&prefix, secret.expose(), place, to);
    }
    any_text(&prefix, &text);
}

fn reads_back(prefix: &Prefix, secret: &Secret, environment: Environment) {
    let presented = Presented::parse(prefix, secret.expose()).unwrap();
    assert_eq!(presented.environment(), environment);
    assert_eq!(presented.digest(), secret.digest());
    assert_eq!(presented.last4(), secret.last4());
}

fn no_longer_parses(prefix: &Prefix, text: &str, place: usize, to: char) {
    let (before, rest) = text.split_at(place);
    let mut rest = rest.chars();
    if rest.next() != Some(to) {
        let changed = format!("{before}{to}{}", rest.as_str());
        assert!(Presented::parse(prefix, &changed).is_err(), "{changed}");
    }
}

/// A text that somebody presents: if it is a secret, it is spelled as one that was made would be.
fn any_text(prefix: &Prefix, text: &str) {
    let Ok(presented) = Presented::parse(prefix, text) else {
        return;
    };
    assert!(has_shape(prefix, text));
    let word = presented.environment().word();
    let head = format!("{prefix}_{word}_");
    let random = text.strip_prefix(&head).unwrap();
    assert_eq!(random.len(), RANDOM_CHARS + CHECKSUM_CHARS);
    assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!(presented.digest(), Digest::of(text));
    for place in 0..text.len() {
        for to in ['0', 'Z', '_', 'é'] {
            no_longer_parses(prefix, text, place, to);
        }
    }
}
