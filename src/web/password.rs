//! Password hashes (T-01), made away from the threads that serve requests and never more at once than there are cores
//! (T-04). It knows no account: an unknown address costs the same work as a known one.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Deserializer};
use tokio::sync::{Semaphore, oneshot};
use zeroize::Zeroizing;

use crate::web::error::Error;
use crate::web::priority::{StandsBack, stand_back};

/// How many people may wait for a hash beyond those that are being served.
pub const QUEUE: usize = 64;

/// A hash that no password has, with the floor's parameters: what an unknown address is measured against.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bGF0Y2hrZXlsYXRjaGtleQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password as it was typed: never trimmed, never printed, wiped when dropped.
#[derive(Clone, Default)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// The text, for the hash and for the rules about passwords.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// What a look at a password brought to light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It is wrong, or there is nobody of that address.
    No,
    /// It is right.
    Yes,
    /// It is right, and its hash is weaker than the floor: it should be replaced now, while the password is at hand.
    Weak,
}

/// Makes and compares hashes, a bounded number at once, on threads of its own.
#[derive(Clone, Debug)]
pub struct Hashing {
    jobs: Sender<Job>,
    places: Arc<Semaphore>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Hashing {
    /// As many at once as there are `cores`, and [`QUEUE`] waiting.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(cores: usize) -> io::Result<Self> {
        let cores = cores.max(1);
        let (jobs, queue) = mpsc::channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        for number in 1..=cores {
            let queue = Arc::clone(&queue);
            thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || work_on(&queue))?;
        }
        Ok(Self {
            jobs,
            places: Arc::new(Semaphore::new(cores + QUEUE)),
        })
    }

    /// The hash of a new password.
    pub async fn hash(&self, password: Password) -> Result<String, Error> {
        self.run(move || hash_now(&password)).await
    }

    /// Whether the password has that hash; without a hash, the same work and a no.
    pub async fn verify(
        &self,
        password: Password,
        hash: Option<String>,
    ) -> Result<Verified, Error> {
        self.run(move || Ok(verify(&password, hash.as_deref())))
            .await
    }

    /// Runs work of a password's kind: away from the threads that serve, in its turn.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_all_taken| Error::Busy)?;
        let (reply, answer) = oneshot::channel();
        let job = move || {
            // Whoever has gone meanwhile waits for nothing.
            if !reply.is_closed() {
                drop(reply.send(work()));
            }
            // Held until the work is done, also when the client has gone in between.
            drop(place);
        };
        let failed = || Error::Internal("hashing did not run".to_owned());
        self.jobs.send(Box::new(job)).map_err(|_ended| failed())?;
        answer.await.map_err(|_panicked| failed())?
    }
}

/// Takes one job after another until nobody can send any more.
fn work_on(queue: &Mutex<Receiver<Job>>) {
    stand_back(StandsBack::Passwords);
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("hashing a password ended in a panic");
        }
    }
}

/// The hash of a new password, made on the spot: for threads that serve nobody.
pub fn hash_now(password: &Password) -> Result<String, Error> {
    let hash = floor()
        .hash_password(password.expose().as_bytes())
        .map_err(|error| Error::Internal(format!("hashing failed: {error}")))?;
    Ok(hash.to_string())
}

fn floor() -> Argon2<'static> {
    let params = Params::new(
        Params::DEFAULT_M_COST,
        Params::DEFAULT_T_COST,
        Params::DEFAULT_P_COST,
        None,
    )
    .unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, argon2::Version::V0x13, params)
}

fn verify(password: &Password, hash: Option<&str>) -> Verified {
    let text = hash.unwrap_or(NOBODY);
    let Ok(parsed) = PasswordHash::new(text) else {
        return Verified::No;
    };
    let right = floor()
        .verify_password(password.expose().as_bytes(), &parsed)
        .is_ok();
    match (right && hash.is_some(), is_weak(&parsed)) {
        (false, _) => Verified::No,
        (true, true) => Verified::Weak,
        (true, false) => Verified::Yes,
    }
}

fn is_weak(hash: &PasswordHash) -> bool {
    let Ok(params) = Params::try_from(hash) else {
        return true;
    };
    hash.algorithm != Algorithm::Argon2id.ident()
        || params.m_cost() < Params::DEFAULT_M_COST
        || params.t_cost() < Params::DEFAULT_T_COST
        || params.p_cost() < Params::DEFAULT_P_COST
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn password(text: &str) -> Password {
        Password::from(text.to_owned())
    }

    #[actix_web::test]
    async fn t_01_the_floor_is_argon2id_with_19_mib_and_two_passes() {
        let hashing = Hashing::new(2).unwrap();
        let hash = hashing
            .hash(password("a password of a kind"))
            .await
            .unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert_eq!(
            hashing
                .verify(password("a password of a kind"), Some(hash.clone()))
                .await
                .unwrap(),
            Verified::Yes
        );
        assert_eq!(
            hashing
                .verify(password("another password"), Some(hash))
                .await
                .unwrap(),
            Verified::No
        );
    }

    #[test]
    fn t_01_a_weaker_hash_is_told() {
        let weak = Argon2::new(
            Algorithm::Argon2id,
            argon2::Version::V0x13,
            Params::new(8, 1, 1, None).unwrap(),
        );
        let hash = weak
            .hash_password(b"a password of a kind")
            .unwrap()
            .to_string();
        assert_eq!(
            verify(&password("a password of a kind"), Some(&hash)),
            Verified::Weak
        );
        let other = Argon2::new(
            Algorithm::Argon2i,
            argon2::Version::V0x13,
            Params::default(),
        );
        let hash = other
            .hash_password(b"a password of a kind")
            .unwrap()
            .to_string();
        assert_eq!(
            verify(&password("a password of a kind"), Some(&hash)),
            Verified::Weak
        );
    }

    #[test]
    fn t_05_nobody_is_measured_against_a_hash_of_the_same_cost() {
        let parsed = PasswordHash::new(NOBODY).unwrap();
        assert!(!is_weak(&parsed));
        assert_eq!(verify(&password("anything at all"), None), Verified::No);
        assert_eq!(
            verify(&password("anything at all"), Some("no hash")),
            Verified::No
        );
    }

    #[test]
    fn t_33_a_password_is_never_printed() {
        assert_eq!(format!("{:?}", password("hunter2hunter2")), "[redacted]");
    }

    #[actix_web::test]
    async fn t_04_beyond_the_queue_people_are_asked_to_come_back() {
        let hashing = Hashing::new(1).unwrap();
        let (release, held) = mpsc::channel::<()>();
        let first = hashing.clone();
        let running =
            actix_web::rt::spawn(async move { first.run(move || Ok(held.recv().is_ok())).await });
        let mut waiting = Vec::new();
        while hashing.places.available_permits() > 0 {
            let next = hashing.clone();
            waiting.push(actix_web::rt::spawn(
                async move { next.run(|| Ok(true)).await },
            ));
            actix_web::rt::task::yield_now().await;
        }
        assert_eq!(waiting.len(), QUEUE);
        assert!(matches!(hashing.run(|| Ok(true)).await, Err(Error::Busy)));
        release.send(()).unwrap();
        assert!(running.await.unwrap().unwrap());
        for task in waiting {
            assert!(task.await.unwrap().unwrap());
        }
        assert!(hashing.run(|| Ok(true)).await.unwrap());
    }
}
