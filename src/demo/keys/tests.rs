//! Whether the tables hold what the suites from outside and the pages rely on.

use std::collections::HashSet;

use latchkey_rules::role::Role;

use super::State::{Active, Suspended};
use super::*;
use crate::demo::company::{PEOPLE, Rank};
use crate::demo::products::PRODUCTS;

fn plan(account: &str) -> &'static str {
    ACCOUNTS.iter().find(|a| a.slug == account).unwrap().plan
}

#[test]
fn the_demo_holds_what_the_suites_from_outside_rely_on() {
    let keys: Vec<KeyShape> = keys().collect();
    assert_eq!(keys.len(), 42);
    let on_a_plain_host = |slug: &str| {
        PRODUCTS.iter().any(|p| {
            p.slug == slug
                && p.public_routes()
                    .iter()
                    .any(|(host, _)| !host.contains('*'))
        })
    };
    let active: Vec<&KeyShape> = keys.iter().filter(|k| k.state == Active).collect();
    let on = |plans: &[&str]| {
        active
            .iter()
            .filter(|k| plans.contains(&plan(k.account)))
            .count()
    };
    assert!(on(&["free"]) >= 4 && on(&["starter"]) >= 1 && on(&["professional"]) >= 2);
    assert!(on(&["professional", "enterprise"]) >= 4);
    for key in &active {
        assert!(
            key.products.iter().any(|slug| on_a_plain_host(slug)),
            "{}",
            key.name
        );
        assert!(key.products.len() < PRODUCTS.len(), "{}", key.name);
    }
    assert!(
        keys[0].state == Active && ["professional", "enterprise"].contains(&plan(keys[0].account))
    );
    assert!(active.iter().any(|k| k.access == Access::Read));
    let bound = |is: fn(&Bound) -> bool| active.iter().filter(|k| is(&k.bound())).count();
    assert_eq!(
        bound(|one| one.kind == KeyKind::Browser && !one.domains.is_empty()),
        1
    );
    assert_eq!(bound(|one| !one.ips.is_empty()), 1);
    let states: HashSet<&str> = keys.iter().map(|k| k.state.word()).collect();
    let all = [
        "active",
        "rotating",
        "paused",
        "disabled",
        "expired",
        "retired",
        "deleted",
        "suspended",
    ];
    assert_eq!(states, HashSet::from(all));
    for key in &keys {
        assert_eq!(
            key.state == Suspended,
            key.account == "lumen-parcel",
            "{}",
            key.name
        );
    }
}

#[test]
fn names_are_unique_and_refer_to_what_there_is() {
    let slugs: HashSet<&str> = PRODUCTS.iter().map(|p| p.slug).collect();
    assert_eq!(slugs.len(), PRODUCTS.len());
    let names: HashSet<(&str, &str)> = keys().map(|k| (k.account, k.name)).collect();
    assert_eq!(names.len(), 42);
    for key in keys() {
        assert!(
            key.products.iter().all(|slug| slugs.contains(slug)),
            "{}",
            key.name
        );
    }
    let mails: HashSet<&str> = PEOPLE.iter().map(|(_, mail, _)| *mail).collect();
    assert_eq!(mails.len(), PEOPLE.len());
    for account in ACCOUNTS {
        for role in [Role::Owner, Role::Developer] {
            let rank = Rank::Member(account.slug, role);
            assert!(
                PEOPLE.iter().any(|(_, _, r)| *r == rank),
                "{}",
                account.slug
            );
        }
    }
}

#[test]
fn a_free_account_has_most_of_its_day_left() {
    let daily: u32 = keys()
        .filter(|k| plan(k.account) == "free")
        .map(|k| k.daily)
        .sum();
    assert!(daily * 2 <= 700, "{daily}");
}
