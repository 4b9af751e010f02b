//! The decision against a second one that is written for nothing but being obviously right: slow, without a list of checks,
//! from the same facts in their plainest form. A million random questions get the same answer from both, and the step by
//! step way of the page that explains comes to the same check.
//!
//! `LATCHKEY_CASES` says how many; the usual number is what a change should wait for.

#![cfg(test)]

mod case;
mod dice;
mod door;
mod plain;

use std::collections::BTreeMap;

use latchkey_rules::limit::Taking;
use latchkey_rules::verdict::{Check, Grant, Machine, Step, decide};

use case::{Case, NOW, World};
use dice::Dice;
use plain::{Answer, judge};

/// Questions about one set of products.
const OF_A_WORLD: u64 = 500;

#[expect(
    clippy::disallowed_methods,
    reason = "how many there are is for whoever runs the test to say"
)]
fn cases() -> u64 {
    let said = std::env::vars().find(|(name, _)| name == "LATCHKEY_CASES");
    said.map_or(100_000, |(_, number)| {
        number.parse().expect("a number of cases")
    })
}

/// What the machine says, one step at a time, with the checks that passed before.
fn stepped(machine: &mut Machine<'_>) -> (Vec<Check>, Result<Grant, Check>) {
    let mut passed = Vec::new();
    loop {
        match machine.step() {
            Step::Passed(check) => passed.push(check),
            Step::Refuse(refusal) => return (passed, Err(refusal.check)),
            Step::NeedLimits(_) => machine.resume(Taking::Taken),
            Step::Allow(grant) => return (passed, Ok(grant)),
        }
    }
}

#[test]
fn the_decision_is_the_plain_ones_and_explains_first_failing_check_is_its_code() {
    let (mut met, mut done) = (BTreeMap::new(), 0);
    for number in 0..cases().div_ceil(OF_A_WORLD) {
        let mut dice = Dice::new(number);
        let world = World::draw(&mut dice);
        for _ in 0..OF_A_WORLD {
            let case = Case::draw(&world, &mut dice);
            let plain = judge(&world, &case);
            case.put(&world, |credential, asked, catalogue| {
                let decided = decide(credential, asked, catalogue, NOW);
                let (passed, end) = stepped(&mut Machine::new(credential, asked, catalogue, NOW));
                let told = || format!("{case:#?}\nof {world:#?}\n{plain:?} but {decided:?}");
                match (&plain, &decided) {
                    (Answer::Refuse(code, check), Err(refusal)) => {
                        assert_eq!((*code, *check), (refusal.code, refusal.check), "{}", told());
                        assert_eq!(end, Err(refusal.check), "{}", told());
                        // The check that refuses is the first in their order that had not passed.
                        let next = Check::ALL.iter().find(|check| !passed.contains(check));
                        assert_eq!(next, Some(check), "{}", told());
                        *met.entry(code.as_str()).or_insert(0_u64) += 1;
                    }
                    (
                        Answer::Allow {
                            product,
                            needed,
                            by_method_alone,
                        },
                        Ok(grant),
                    ) => {
                        let same = usize::from(grant.product.0) == *product
                            && grant.needed == *needed
                            && grant.by_method_alone == *by_method_alone;
                        assert!(same && end == Ok(*grant), "{}", told());
                        assert_eq!(passed, Check::ALL, "{}", told());
                        *met.entry("VALID").or_insert(0) += 1;
                    }
                    _ => panic!("{}", told()),
                }
            });
            done += 1;
        }
    }
    println!("{done} questions: {met:?}");
    // Each way out is gone often enough to mean something.
    for code in case::CODES {
        let often = met.get(code).copied().unwrap_or(0);
        assert!(
            often * 2_000 > done,
            "{code} came up {often} times in {done}"
        );
    }
}
