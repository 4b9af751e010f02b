//! The demo's people with their passwords, which the demo prints.
//!
//! Must not know the database.

use std::thread;

use super::Error;
use super::company::{PEOPLE, Rank};
use super::facts::PersonLine;
use crate::web::password::{Password, hash_now};

/// One of the company's people, ready to be made a user.
pub(super) struct Someone {
    pub(super) name: &'static str,
    pub(super) email: &'static str,
    pub(super) rank: Rank,
    pub(super) password_hash: String,
}

/// Everybody. The hashes take their time, so every core makes some.
pub(super) fn everybody() -> Result<Vec<Someone>, Error> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let share = PEOPLE.len().div_ceil(cores);
    thread::scope(|scope| {
        let working: Vec<_> = PEOPLE
            .chunks(share)
            .map(|some| {
                scope.spawn(move || some.iter().map(someone).collect::<Result<Vec<_>, _>>())
            })
            .collect();
        let mut all = Vec::with_capacity(PEOPLE.len());
        for worker in working {
            all.extend(worker.join().map_err(|_panicked| Error::Hashing)??);
        }
        Ok(all)
    })
}

fn someone(&(name, email, rank): &(&'static str, &'static str, Rank)) -> Result<Someone, Error> {
    let password = Password::from(password(email));
    Ok(Someone {
        name,
        email,
        rank,
        password_hash: hash_now(&password).map_err(|_hash_error| Error::Hashing)?,
    })
}

/// A pass phrase that is easy to type; everybody may know it.
fn password(email: &str) -> String {
    let (who, company) = email.split_once('@').unwrap_or((email, ""));
    let company = company.split('.').next().unwrap_or_default();
    format!("demo-{who}-{company}-1")
}

/// Everybody, as the demo's line names them.
pub(super) fn lines() -> Vec<PersonLine> {
    PEOPLE
        .iter()
        .map(|&(_, email, rank)| {
            let (role, account) = match rank {
                Rank::Member(account, role) => (role.word(), Some(account.to_owned())),
                Rank::Staff(role) => (role.word(), None),
            };
            PersonLine {
                email: email.to_owned(),
                password: password(email),
                role: role.to_owned(),
                account,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybodys_password_is_one_that_the_portal_would_take() {
        for person in lines() {
            assert_eq!(latchkey_rules::password::check(&person.password), Ok(()));
        }
    }
}
