//! A rotation at the gate: on every node the old secret works to its end and not a moment longer.

use latchkey::gate::Gate;
use latchkey::store::Result;
use latchkey::store::keys::{self, ImportedState, NewRotation, NewSecret};
use latchkey::store::scope::{self, AccountScope, RequestFacts};
use latchkey::store::users::{self, NewUser};
use latchkey_rules::email::Email;
use latchkey_rules::environment::Environment;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::name::DisplayName;
use latchkey_rules::role::Role;
use latchkey_rules::rotation::RotationReason;
use latchkey_rules::secret::{Prefix, Secret};
use latchkey_rules::slug::Slug;
use latchkey_rules::time::HOUR_MS;

use serde_json::json;

use crate::ask::{code, verify};
use crate::world::{Made, START, Wanted, World, eventually};

struct Two {
    world: World,
    gates: [Gate; 2],
    owner: AccountScope,
    made: Made,
}

impl Two {
    fn new() -> Self {
        let world = World::new();
        let made = world.plain_key();
        let other = world.dir.path().join("other");
        let gates = [
            world.gate(),
            world.gate_with(|settings| settings.data_dir = other),
        ];
        let owner = owner(&world);
        Self {
            world,
            gates,
            owner,
            made,
        }
    }

    fn rotate(&self, reason: RotationReason, hours: i64) -> String {
        rotated(&self.world, &self.owner, self.made.key_id, reason, hours)
    }

    fn soon_on_both(&self, secret: &str, expected: &str) {
        for gate in &self.gates {
            eventually(expected, || code(gate, secret, "maps") == expected);
        }
    }

    fn both(&self, secret: &str) -> [String; 2] {
        self.gates.each_ref().map(|gate| code(gate, secret, "maps"))
    }
}

/// The new secret.
pub(crate) fn rotated(
    world: &World,
    owner: &AccountScope,
    key_id: KeyId,
    reason: RotationReason,
    hours: i64,
) -> String {
    let scope = owner.clone();
    let secret = Secret::generate(&Prefix::default(), Environment::Live, &mut rand::rng());
    let new = NewSecret {
        digest: secret.digest(),
        prefix: Prefix::default(),
        last4: secret.last4().to_owned(),
        sealed: None,
    };
    let rotated = world.db.change_blocking(move |change| {
        let generation = keys::get(change, &scope, &key_id)?.generation;
        let new = NewRotation {
            key_id,
            generation,
            secret: new,
            reason,
            grace_ms: hours * HOUR_MS,
            form_id: format!("a form {generation}"),
        };
        keys::rotate(change, &scope, &new)
    });
    rotated.unwrap();
    secret.expose().to_owned()
}

pub(crate) fn owner(world: &World) -> AccountScope {
    world
        .db
        .change_blocking(|change| {
            let new = NewUser {
                name: DisplayName::parse("Olga Owner").unwrap(),
                email: Email::parse("olga@acme.example").unwrap(),
                staff: None,
                member_of: Some((Slug::parse("acme").unwrap(), Role::Owner)),
                password_hash: None,
            };
            let user = users::create_user(change, &scope::operator("test"), &new)?;
            let person = users::person(change, &user)?;
            scope::account(
                change,
                &person,
                "acme",
                Role::Developer,
                RequestFacts::default(),
            )
        })
        .unwrap()
}

#[test]
fn a_grace_ends_on_every_node_at_its_moment() {
    let two = Two::new();
    let old = two.made.secret();
    let new = two.rotate(RotationReason::Routine, 48);
    two.soon_on_both(&new, "VALID");
    two.world.hand.advance_ms(48 * HOUR_MS - 1_000);
    // Two days at once: the nodes first look at the log again.
    two.soon_on_both(old, "VALID");
    two.world.hand.advance_ms(2_000);
    assert_eq!(two.both(old), ["SECRET_RETIRED", "SECRET_RETIRED"]);
    two.soon_on_both(&new, "VALID");
}

#[test]
fn after_a_leak_every_node_refuses_the_old_secret_at_once() {
    let two = Two::new();
    two.rotate(RotationReason::Leaked, 48);
    two.soon_on_both(two.made.secret(), "SECRET_RETIRED");
}

#[test]
fn rotating_twice_with_an_unused_secret_keeps_production_alive() {
    let two = Two::new();
    let old = two.made.secret();
    assert_eq!(two.both(old), ["VALID", "VALID"]);
    let unused = two.rotate(RotationReason::Routine, 48);
    let newest = two.rotate(RotationReason::Routine, 48);
    two.soon_on_both(&newest, "VALID");
    two.soon_on_both(&unused, "SECRET_RETIRED");
    assert_eq!(two.both(old), ["VALID", "VALID"]);
}

#[test]
fn a_restored_key_works_again_on_every_node_and_a_paused_one_when_it_resumes() {
    let two = Two::new();
    let secret = two.made.secret();
    let key_id = two.made.key_id;
    let act = |what: fn(&mut latchkey::store::Change<'_>, &AccountScope, &KeyId) -> Result<()>| {
        let scope = two.owner.clone();
        two.world
            .db
            .change_blocking(move |change| what(change, &scope, &key_id))
            .unwrap();
    };
    act(keys::delete);
    two.soon_on_both(secret, "KEY_NOT_FOUND");
    act(|change, scope, key_id| keys::restore(change, scope, key_id, 100));
    two.soon_on_both(secret, "VALID");
    act(|change, scope, key_id| {
        let until = change.now().plus_ms(HOUR_MS);
        keys::pause(change, scope, key_id, Some(until))
    });
    two.soon_on_both(secret, "KEY_DISABLED");
    act(keys::resume);
    two.soon_on_both(secret, "VALID");
}

#[test]
fn t_52_a_key_that_has_expired_stays_so_when_the_clock_is_set_back() {
    let world = World::new();
    let end = START.plus_ms(HOUR_MS);
    let made = world.key(Wanted {
        state: ImportedState {
            expires_at: Some(end),
            ..ImportedState::default()
        },
        ..Wanted::default()
    });
    let note = || world.db.batch_blocking(keys::note_ends).unwrap();
    assert_eq!(note(), 0, "it has not come yet");
    world.hand.set(end);
    assert_eq!((note(), note()), (1, 0), "it is noted once");
    world.hand.set(START);
    let gate = world.gate();
    let answer = verify(&gate, &json!({"secret": made.secret(), "product": "maps"}));
    assert_eq!(answer["code"], "KEY_EXPIRED");
    assert_eq!(
        answer["expires_at"], "2026-11-21T11:15:00Z",
        "it says when it was"
    );
    // Another end is another matter.
    let later = end.plus_ms(HOUR_MS);
    world.sql(&format!("UPDATE keys SET expires_at = {}", later.0));
    gate.stop();
    assert_eq!(code(&world.gate(), made.secret(), "maps"), "VALID");
}
