//! What holds of secrets: form, checksum, and that they keep silent.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const VECTOR: &str = "lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu";
const DIGITS: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn lk() -> Prefix {
    Prefix::default()
}

#[test]
fn the_published_vector_is_well_formed() {
    let presented = Presented::parse(&lk(), VECTOR).unwrap();
    assert_eq!(presented.environment(), Environment::Live);
    assert_eq!(presented.last4(), "rxHu");
    assert_eq!(presented.digest(), Digest::of(VECTOR));
}

#[test]
fn a_digest_is_sha_256_of_the_whole_text() {
    let hex: String = Digest::of("abc")
        .as_bytes()
        .iter()
        .flat_map(|b| [b >> 4, b & 15])
        .filter_map(|n| char::from_digit(n.into(), 16))
        .collect();
    assert_eq!(
        hex,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_ne!(Digest::of("abc"), Digest::of("abd"));
}

#[test]
fn what_has_no_shape_of_ours_is_malformed() {
    let other = Prefix::parse("acme").unwrap();
    assert!(Presented::parse(&other, VECTOR).is_err());
    for wrong in [
        "",
        "lk",
        "lk_live_",
        "lk_live_4RrxHu",
        "lk_prod_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu",
        "LK_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu",
        " lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu",
        "lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu ",
        "lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4Rrx_u",
        "lk_live__4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu",
        "lk_live_éQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu",
    ] {
        assert!(!has_shape(&lk(), wrong), "{wrong:?}");
        assert_eq!(
            Presented::parse(&lk(), wrong).err(),
            Some(Malformed),
            "{wrong:?}"
        );
    }
}

#[test]
fn shape_does_not_look_at_the_checksum() {
    let edited = VECTOR.replace("4RrxHu", "4RrxHv");
    assert!(has_shape(&lk(), VECTOR) && has_shape(&lk(), &edited));
    assert!(Presented::parse(&lk(), &edited).is_err());
}

#[test]
fn an_edited_environment_is_malformed() {
    for word in ["test", "staging"] {
        let edited = VECTOR.replace("live", word);
        assert!(has_shape(&lk(), &edited));
        assert!(Presented::parse(&lk(), &edited).is_err());
    }
}

#[test]
fn t_31_a_secret_holds_at_least_178_random_bits_and_a_checksum() {
    let bits = 62_f64.log2() * f64::from(u8::try_from(RANDOM_CHARS).unwrap());
    assert!(bits > 256.0, "{bits}");
    let mut rng = rand::rng();
    let drawn: BTreeSet<String> = (0..1_000)
        .map(|_| {
            Secret::generate(&lk(), Environment::Test, &mut rng)
                .expose()
                .to_owned()
        })
        .collect();
    assert_eq!(drawn.len(), 1_000, "no two alike");
    let seen: BTreeSet<char> = drawn
        .iter()
        .flat_map(|s| s.strip_prefix("lk_test_").unwrap().chars())
        .collect();
    assert_eq!(seen.into_iter().collect::<String>(), DIGITS);
}

#[test]
fn t_31_nothing_of_a_secret_is_in_debug_output() {
    let secret = Secret::generate(&lk(), Environment::Live, &mut rand::rng());
    assert_eq!(format!("{secret:?}"), "[redacted]");
    let presented = Presented::parse(&lk(), secret.expose()).unwrap();
    assert_eq!(format!("{presented:?}"), "[redacted]");
    assert_eq!(format!("{:?}", secret.digest()), "Digest(…)");
    assert!(!Malformed.to_string().contains("lk_"));
}

#[test]
fn t_31_a_secret_is_wiped() {
    fn wiped_on_drop<T: zeroize::ZeroizeOnDrop>(_: &T) {}
    let mut secret = Secret::generate(&lk(), Environment::Live, &mut rand::rng());
    wiped_on_drop(&secret.text);
    secret.zeroize();
    assert_eq!(secret.expose(), "");
}

/// Compiles only while a type does *not* have a trait: two answers to `check` would be ambiguous.
macro_rules! lacks {
    ($type:ty: $($trait:path),+) => {
        $({
            struct Has;
            trait Check<Answer> { fn check() {} }
            impl<T: ?Sized> Check<()> for T {}
            impl<T: ?Sized + $trait> Check<Has> for T {}
            <$type as Check<_>>::check();
        })+
    };
}

#[test]
fn t_31_a_secret_cannot_be_compared_printed_or_copied() {
    // Serialize is absent too: this crate does not depend on serde, and no other may add it.
    lacks!(Secret: PartialEq, fmt::Display, Clone, AsRef<str>, std::ops::Deref, Into<String>);
    lacks!(Presented<'static>: PartialEq, fmt::Display, AsRef<str>);
}

#[test]
fn the_shown_form_keeps_prefix_environment_and_four_characters() {
    let secret = Secret::generate(&lk(), Environment::Staging, &mut rand::rng());
    let text = secret.expose();
    let shown_form = secret.shown();
    let (_, last4) = text.split_at(text.len() - 4);
    assert_eq!(shown_form, format!("lk_staging_…{last4}"));
    assert_eq!(
        shown(&lk(), Environment::Staging, secret.last4()),
        shown_form
    );
}

#[test]
fn prefixes_are_short_lower_case_words() {
    for good in ["lk", "acme", "a1", "abcdefghijkl"] {
        assert_eq!(Prefix::parse(good).unwrap().as_str(), good);
    }
    for wrong in ["", "l", "1k", "Lk", "l_k", "l-k", "lké", "abcdefghijklm"] {
        assert_eq!(Prefix::parse(wrong), Err(PrefixError), "{wrong:?}");
    }
}

/// A generator that a property can seed.
fn seeded(seed: u64) -> impl CryptoRng {
    use rand::SeedableRng;
    rand::rngs::StdRng::seed_from_u64(seed)
}

fn any_environment() -> impl Strategy<Value = Environment> {
    prop::sample::select(Environment::ALL)
}

proptest! {
    #[test]
    fn f_1_what_is_made_is_read_back(seed: u64, prefix in "[a-z][a-z0-9]{1,11}", environment in any_environment()) {
        let prefix = Prefix::parse(&prefix).unwrap();
        let secret = Secret::generate(&prefix, environment, &mut seeded(seed));
        let presented = Presented::parse(&prefix, secret.expose()).unwrap();
        prop_assert_eq!(presented.environment(), environment);
        prop_assert_eq!(presented.digest(), secret.digest());
        prop_assert_eq!(presented.last4(), secret.last4());
        prop_assert_eq!(secret.expose().len(), prefix.as_str().len() + environment.word().len() + 51);
    }

    #[test]
    fn f_1_one_changed_character_never_parses(seed: u64, environment in any_environment(), at in 0_usize..60, to in "[ -~]|\\PC") {
        let secret = Secret::generate(&lk(), environment, &mut seeded(seed));
        let text = secret.expose();
        let (head, rest) = text.split_at(at % text.len());
        let (was, tail) = rest.split_at(1);
        prop_assume!(was != to);
        let changed = format!("{head}{to}{tail}");
        prop_assert!(Presented::parse(&lk(), &changed).is_err());
    }

    #[test]
    fn f_1_a_lost_or_doubled_or_swapped_character_never_parses(seed: u64, at in 0_usize..56) {
        let secret = Secret::generate(&lk(), Environment::Live, &mut seeded(seed));
        let text = secret.expose();
        let (head, rest) = text.split_at(at);
        let (one, rest) = rest.split_at(1);
        let (other, tail) = rest.split_at(1);
        let lost = format!("{head}{other}{tail}");
        prop_assert!(Presented::parse(&lk(), &lost).is_err());
        let doubled = format!("{head}{one}{one}{other}{tail}");
        prop_assert!(Presented::parse(&lk(), &doubled).is_err());
        prop_assume!(one != other);
        let swapped = format!("{head}{other}{one}{tail}");
        prop_assert!(Presented::parse(&lk(), &swapped).is_err());
    }

    #[test]
    fn f_1_a_checksum_has_one_spelling(seed: u64, other in "[0-9A-Za-z]{6}") {
        let secret = Secret::generate(&lk(), Environment::Live, &mut seeded(seed));
        let (body, checksum) = secret.expose().split_at(secret.expose().len() - 6);
        let respelled = format!("{body}{other}");
        prop_assert_eq!(Presented::parse(&lk(), &respelled).is_ok(), other == checksum);
    }

    #[test]
    fn any_text_is_read_without_a_panic(text: String) {
        let _read = Presented::parse(&lk(), &text);
        let _ended = Presented::parse(&lk(), &format!("lk_live_{text}"));
    }
}
