//! Fills an empty database with the company, as it would have come about: each thing at its time, by the person who
//! did it, through the store's own calls. The store's clock is moved along.
//!
//! Must not know listeners or files.

use std::collections::HashMap;

use latchkey_rules::access::Access;
use latchkey_rules::email::Email;
use latchkey_rules::name::DisplayName;
use latchkey_rules::role::{Role, StaffRole};
use latchkey_rules::slug::Slug;
use latchkey_rules::time::{DAY_MS, Millis};

use super::company::{ACCOUNTS, AccountShape, PEOPLE, Rank};
use super::counted;
use super::drawn::Drawn;
use super::keys::State;
use super::past;
use super::people::Someone;
use crate::clock::Hand;
use crate::seal::Seal;
use crate::store::accounts::{self, NewAccount};
use crate::store::keys as stored;
use crate::store::products::{self, NewProduct};
use crate::store::scope::{self, AccountScope, OperatorScope, RequestFacts, StaffScope};
use crate::store::users::{self, NewUser, Person};
use crate::store::{Change, Error, Result};

/// How long ago the company opened its portal.
const OPENED_DAYS: i64 = 500;

/// For how long an account was there before its oldest key.
const HESITATION_DAYS: i64 = 3;

/// Something that happened.
enum Event<'a> {
    Account(&'a AccountShape),
    Made(&'a Drawn),
    Disabled(&'a Drawn, &'static str),
    Deleted(&'a Drawn),
    Suspended(&'a AccountShape, &'static str),
}

/// Lets everything happen, in order, and leaves the clock at `now`.
pub(super) fn fill(
    change: &mut Change<'_>,
    hand: &Hand,
    now: Millis,
    products: &[NewProduct],
    people: &[Someone],
    drawn: &[Drawn],
    seal: &Seal,
) -> Result<()> {
    let operator = scope::operator("demo");
    hand.set(now.plus_ms(-OPENED_DAYS * DAY_MS));
    for product in products {
        products::add(change, &operator, product)?;
    }
    let mut world = World {
        operator,
        people,
        seal,
        known: HashMap::new(),
    };
    for someone in people {
        if matches!(someone.rank, Rank::Staff(_)) {
            world.enters(change, someone)?;
        }
    }
    // A key is counted before it is deleted; nothing happened since the deletes.
    let (deletes, story): (Vec<_>, Vec<_>) = story(drawn, now)
        .into_iter()
        .partition(|(_, event)| matches!(event, Event::Deleted(_)));
    world.lives_all(change, hand, story)?;
    counted::write(change, drawn, now)?;
    world.lives_all(change, hand, deletes)?;
    hand.set(now);
    Ok(())
}

fn story(drawn: &[Drawn], now: Millis) -> Vec<(Millis, Event<'_>)> {
    let mut story: Vec<(Millis, Event<'_>)> = Vec::new();
    for account in ACCOUNTS {
        let oldest = drawn
            .iter()
            .filter(|key| key.shape.account == account.slug)
            .map(|key| key.past.created_at)
            .min();
        let at = oldest.unwrap_or(now).plus_ms(-HESITATION_DAYS * DAY_MS);
        story.push((at, Event::Account(account)));
        if let Some(reason) = account.suspended {
            story.push((past::suspended_at(now), Event::Suspended(account, reason)));
        }
    }
    for key in drawn {
        story.push((key.past.created_at, Event::Made(key)));
        if let (State::Disabled(reason), Some(at)) = (key.shape.state, key.past.disabled_at) {
            story.push((at, Event::Disabled(key, reason)));
        }
        if let Some(at) = key.past.deleted_at {
            story.push((at, Event::Deleted(key)));
        }
    }
    story.sort_by_key(|(at, _)| *at);
    story
}

struct World<'a> {
    operator: OperatorScope,
    people: &'a [Someone],
    seal: &'a Seal,
    known: HashMap<&'static str, Person>,
}

impl World<'_> {
    fn enters(&mut self, change: &mut Change<'_>, someone: &Someone) -> Result<()> {
        let (staff, member_of) = match someone.rank {
            Rank::Staff(role) => (Some(role), None),
            Rank::Member(slug, role) => (None, Some((Slug::parse(slug).map_err(table)?, role))),
        };
        let new = NewUser {
            name: DisplayName::parse(someone.name).map_err(table)?,
            email: Email::parse(someone.email).map_err(table)?,
            staff,
            member_of,
            password_hash: Some(someone.password_hash.clone()),
        };
        let handle = users::create_user(change, &self.operator, &new)?;
        let person = users::person(change, &handle)?;
        self.known.insert(someone.email, person);
        Ok(())
    }

    fn lives_all(
        &mut self,
        change: &mut Change<'_>,
        hand: &Hand,
        story: Vec<(Millis, Event<'_>)>,
    ) -> Result<()> {
        for (at, event) in story {
            hand.set(at);
            self.lives(change, &event)?;
        }
        Ok(())
    }

    fn lives(&mut self, change: &mut Change<'_>, event: &Event<'_>) -> Result<()> {
        match event {
            Event::Account(account) => self.account(change, account),
            Event::Made(key) => self.made(change, key),
            Event::Disabled(key, reason) => {
                let admin = self.admin()?;
                stored::disable(change, &admin, &key.key_id, reason)
            }
            Event::Deleted(key) => {
                let scope = self.member(change, key.shape.account, Role::Owner)?;
                stored::delete(change, &scope, &key.key_id)
            }
            Event::Suspended(account, reason) => {
                let admin = self.admin()?;
                accounts::suspend(change, &admin, account.slug, reason)
            }
        }
    }

    fn account(&mut self, change: &mut Change<'_>, shape: &AccountShape) -> Result<()> {
        let new = NewAccount {
            slug: Slug::parse(shape.slug).map_err(table)?,
            name: DisplayName::parse(shape.name).map_err(table)?,
            tier: shape.tier,
            plan: shape.plan.to_owned(),
        };
        accounts::create(change, &self.operator, &new)?;
        let people = self.people;
        for someone in people {
            if matches!(someone.rank, Rank::Member(slug, _) if slug == shape.slug) {
                self.enters(change, someone)?;
            }
        }
        Ok(())
    }

    /// A key comes to be as any does. One that was rotated, paused or bound since is taken over as it is today.
    fn made(&self, change: &mut Change<'_>, key: &Drawn) -> Result<()> {
        // Only an owner gives a key the access to everything.
        let role = match key.shape.access {
            Access::Admin => Role::Owner,
            Access::Read | Access::Write => Role::Developer,
        };
        let scope = self.member(change, key.shape.account, role)?;
        let bound = key.shape.bound();
        let is_bound = !bound.domains.is_empty() || !bound.ips.is_empty();
        if is_bound || key.past.rotated_at.is_some() || key.past.paused_at.is_some() {
            let by = self.developer(key.shape.account)?.name.clone();
            stored::import(change, &self.operator, &key.imported(by, self.seal)?)?;
        } else {
            stored::create(change, &scope, &key.new_key()?)?;
        }
        Ok(())
    }

    fn admin(&self) -> Result<StaffScope> {
        let admin = self.who(|rank| rank == Rank::Staff(StaffRole::Admin))?;
        scope::staff(admin, StaffRole::Admin, RequestFacts::default())
    }

    fn developer(&self, account: &'static str) -> Result<&Person> {
        self.who(|rank| rank == Rank::Member(account, Role::Developer))
    }

    fn member(
        &self,
        change: &mut Change<'_>,
        account: &'static str,
        role: Role,
    ) -> Result<AccountScope> {
        let person = self.who(|rank| rank == Rank::Member(account, role))?;
        let request = RequestFacts::default();
        scope::account(change, person, account, role, request)
    }

    fn who(&self, is_meant: impl Fn(Rank) -> bool) -> Result<&Person> {
        PEOPLE
            .iter()
            .filter(|(_, _, rank)| is_meant(*rank))
            .find_map(|(_, email, _)| self.known.get(email))
            .ok_or(Error::NotFound)
    }
}

/// A line of the tables that the rules do not take: the tables' own test would have said so.
pub(super) fn table(error: impl std::fmt::Display) -> Error {
    Error::Database(format!("the demo's tables do not hold: {error}"))
}
