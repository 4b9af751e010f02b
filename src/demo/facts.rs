//! What the demo says of itself: the JSON line, and the file that keeps its secrets.
//!
//! Must not know the database. Its types hold secrets and passwords in clear, so none of them has a `Debug`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use latchkey_rules::time::Millis;
use serde::{Deserialize, Serialize};

use super::catalogue::RouteLine;

/// Somebody who can sign in.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct PersonLine {
    pub(super) email: String,
    pub(super) password: String,
    pub(super) role: String,
    /// The account's slug; none for staff.
    pub(super) account: Option<String>,
}

/// A product.
#[derive(Clone, Serialize)]
pub(super) struct ProductLine {
    pub(super) slug: String,
    pub(super) routes: Vec<RouteLine>,
    /// Whether it also needs a bearer token.
    pub(super) token: bool,
}

/// A key with a secret that was presented to it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KeyLine {
    pub(super) key_id: String,
    pub(super) secret: String,
    pub(super) account: String,
    pub(super) environment: String,
    pub(super) products: Vec<String>,
    pub(super) state: String,
    pub(super) plan: String,
    pub(super) kind: String,
    pub(super) access: String,
    pub(super) domains: Vec<String>,
    pub(super) ips: Vec<String>,
}

/// A key as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KeptKey {
    #[serde(flatten)]
    pub(super) line: KeyLine,
    /// The newer secret of a key that was rotated.
    pub(super) newer_secret: Option<String>,
    /// When the printed secret ends, and as what state it is then.
    pub(super) ends: Option<Ending>,
}

/// A change of state that time brings by itself.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Ending {
    pub(super) at: i64,
    pub(super) then: String,
}

impl KeptKey {
    fn line(&self, now: Millis) -> KeyLine {
        let mut line = self.line.clone();
        if let Some(ending) = self.ends.as_ref().filter(|ending| ending.at <= now.0) {
            line.state.clone_from(&ending.then);
        }
        line
    }
}

/// What the demo alone knows of its database.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) people: Vec<PersonLine>,
    pub(super) keys: Vec<KeptKey>,
}

/// The JSON line.
#[derive(Serialize)]
pub(super) struct Line {
    portal: String,
    gate: String,
    people: Vec<PersonLine>,
    products: Vec<ProductLine>,
    keys: Vec<KeyLine>,
}

impl Kept {
    /// The JSON line, as it is true now.
    pub(super) fn line(
        &self,
        portal: &str,
        gate: &str,
        products: Vec<ProductLine>,
        now: Millis,
    ) -> Line {
        Line {
            portal: portal.to_owned(),
            gate: gate.to_owned(),
            people: self.people.clone(),
            products,
            keys: self.keys.iter().map(|key| key.line(now)).collect(),
        }
    }

    /// What a file keeps; nothing when there is no such file.
    pub(super) fn read(file: &Path) -> io::Result<Option<Self>> {
        match fs::read(file) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the file, whole or not at all, for its owner alone.
    pub(super) fn write(&self, file: &Path) -> io::Result<()> {
        let unfinished = file.with_extension("json.part");
        let mut out = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)?;
        out.write_all(&serde_json::to_vec(self)?)?;
        out.sync_all()?;
        fs::rename(&unfinished, file)
    }
}
