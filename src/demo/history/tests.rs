//! The past, looked at as a whole.

use std::collections::BTreeMap;

use super::*;
use crate::demo::keys::{State, keys};
use crate::demo::past;

/// 2026-11-21, a Saturday, at 12:20.
const NOW: Millis = Millis(1_795_263_600_000);

fn every(mut look: impl FnMut(&Life<'_>, &[Counted])) {
    for (place, shape) in (0_u32..).zip(keys()) {
        let past = past::of(&shape, i64::from(place), NOW);
        let life = Life {
            shape: &shape,
            past: &past,
            place: u64::from(place),
        };
        look(&life, &life.counts(NOW));
    }
}

fn sum(counts: &[Counted], is_meant: impl Fn(&Counted) -> bool) -> u64 {
    counts.iter().filter(|c| is_meant(c)).map(|c| c.count).sum()
}

#[test]
fn nothing_is_counted_before_a_key_was_made_or_in_the_future() {
    every(|life, counts| {
        let made = life.past.created_at.hour_start();
        assert!(
            counts.iter().all(|c| c.hour >= made && c.hour <= NOW),
            "{}",
            life.shape.name
        );
        assert!(!counts.is_empty(), "{}", life.shape.name);
    });
}

#[test]
fn a_key_that_stopped_is_refused_with_the_reason_since() {
    every(|life, counts| {
        let (at, code) = match (life.shape.state, life.stop()) {
            (State::Deleted, Some(stop)) => (stop.at, None),
            (
                _,
                Some(Stop {
                    at,
                    code: Some(code),
                }),
            ) => (at, Some(code)),
            _ => return,
        };
        let after = |c: &Counted| c.hour >= at;
        assert_eq!(
            sum(counts, |c| after(c) && c.code == Code::Valid),
            0,
            "{}",
            life.shape.name
        );
        if let Some(code) = code.filter(|_| at <= NOW) {
            assert!(sum(counts, |c| c.code == code) > 0, "{}", life.shape.name);
        }
    });
}

#[test]
fn a_rotated_key_is_used_by_its_newer_secret_more_and_more() {
    every(|life, counts| {
        let (Some(rotated), Some(ends)) = (life.past.rotated_at, life.past.older_ends_at) else {
            assert!(
                counts.iter().all(|c| c.secret_number == 1),
                "{}",
                life.shape.name
            );
            return;
        };
        let newer = |c: &Counted| c.secret_number == 2;
        assert_eq!(sum(counts, |c| newer(c) && c.hour < rotated), 0);
        assert!(sum(counts, newer) > 0, "{}", life.shape.name);
        let older_valid = |c: &Counted| !newer(c) && c.code == Code::Valid;
        assert_eq!(sum(counts, |c| older_valid(c) && c.hour >= ends), 0);
        let retired = sum(counts, |c| c.code == Code::SecretRetired);
        assert_eq!(retired > 0, ends <= NOW, "{}", life.shape.name);
    });
}

#[test]
fn a_free_account_has_most_of_every_day_left() {
    let mut days: BTreeMap<Millis, u64> = BTreeMap::new();
    every(|life, counts| {
        if life.shape.account == "hollis-cycling" {
            for counted in counts.iter().filter(|c| c.code.is_allow()) {
                *days.entry(counted.hour.day_start()).or_default() += counted.count;
            }
        }
    });
    assert!(days.values().all(|count| *count <= 700), "{days:?}");
}

#[test]
fn refusals_are_there_and_rare_while_a_key_works() {
    every(|life, counts| {
        let working = life.shape.state == State::Active && life.shape.daily > 500;
        if working {
            let refused = sum(counts, |c| !c.code.is_allow());
            let all = sum(counts, |_| true);
            assert!(
                refused > 0 && refused * 20 < all,
                "{}: {refused} of {all}",
                life.shape.name
            );
        }
    });
}

#[test]
fn a_last_use_lies_within_its_hour() {
    every(|life, counts| {
        for counted in counts.iter().filter(|c| c.code.is_allow()) {
            let last = life.last_of(counted, NOW);
            assert_eq!(last.hour_start(), counted.hour, "{}", life.shape.name);
            assert!(last <= NOW && life.stop().is_none_or(|stop| last <= stop.at));
        }
    });
}
