//! People who make, disable, enable and delete keys without a pause, and know of each change whether they were told that it
//! is done. A change that was cut off is asked for again, with the same form, until somebody says so.

use crate::http::{Answer, Ask};
use crate::operator::{Installation, PRODUCT, sign_up};
use crate::page::Browser;
use crate::process::Latchkey;

/// What is done to a key, one after another.
const LIFE: [Change; 5] = [
    Change::Create,
    Change::Disable,
    Change::Enable,
    Change::Disable,
    Change::Delete,
];

/// A change of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    Create,
    Disable,
    Enable,
    Delete,
}

impl Change {
    /// As the audit log calls it.
    pub(crate) fn action(self) -> &'static str {
        match self {
            Self::Create => "key.created",
            Self::Disable => "key.disabled",
            Self::Enable => "key.enabled",
            Self::Delete => "key.deleted",
        }
    }
}

/// A key, and how much of its life is known to be done.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub(crate) name: String,
    pub(crate) key_id: Option<String>,
    pub(crate) secret: Option<String>,
    /// So many changes were answered.
    pub(crate) done: usize,
    /// Whether the next one was sent, and no answer came.
    pub(crate) open: bool,
}

impl Life {
    fn new(name: String) -> Self {
        Self {
            name,
            key_id: None,
            secret: None,
            done: 0,
            open: false,
        }
    }

    /// The first so many changes.
    pub(crate) fn changes(first: usize) -> &'static [Change] {
        &LIFE[..first]
    }

    /// What is to be done to it next.
    pub(crate) fn next(&self) -> Option<Change> {
        LIFE.get(self.done).copied()
    }

    /// The form's own number: the same for every attempt.
    fn form_id(&self) -> String {
        format!("{:-<24}", self.name)
    }
}

/// One who writes: an account's owner, and the administrator's hand on the same keys.
pub(crate) struct Writer {
    number: usize,
    pub(crate) account: String,
    owner: Browser,
    admin: Browser,
    pub(crate) lives: Vec<Life>,
    /// So many attempts were not answered.
    pub(crate) cut_off: usize,
}

/// Why no answer came.
#[derive(Debug)]
pub(crate) struct CutOff;

impl Writer {
    /// So many of them, each with an account of their own, all with one administrator's session each.
    pub(crate) fn sign_up(
        installation: &Installation,
        latchkey: &Latchkey,
        count: usize,
    ) -> Vec<Self> {
        let (admin, _) = installation.admin(latchkey);
        let each = |number: usize| {
            let (name, company) = (format!("Writer {number}"), format!("Writer {number} Ltd"));
            let mail = format!("w{number}@writers.example");
            let person = sign_up(latchkey, &name, &company, &mail);
            Self {
                number,
                account: person.account.clone().expect("an account"),
                owner: Browser::signed_in(&latchkey.portal, &person),
                admin: Browser::signed_in(&latchkey.portal, &admin),
                lives: Vec::new(),
                cut_off: 0,
            }
        };
        (0..count).map(each).collect()
    }

    /// The portal is here now.
    pub(crate) fn move_to(&mut self, portal: &str) {
        self.owner.move_to(portal);
        self.admin.move_to(portal);
    }

    /// Asks for the next change, or again for the one that was cut off.
    pub(crate) fn step(&mut self) -> Result<(), CutOff> {
        if self.lives.last().and_then(Life::next).is_none() {
            let name = format!("writer-{}-{}", self.number, self.lives.len());
            self.lives.push(Life::new(name));
        }
        let life = self.lives.last().expect("a life has begun");
        let again = life.open;
        let change = life.next().expect("it is not over");
        let answer = self.ask(change);
        let life = self.lives.last_mut().expect("a life has begun");
        life.open = true;
        // What the server itself could not do, it may have done all the same.
        let Some(answer) = answer.ok().filter(|answer| answer.status < 500) else {
            self.cut_off += 1;
            return Err(CutOff);
        };
        life.told(change, again, &answer);
        life.done += 1;
        life.open = false;
        Ok(())
    }

    /// Makes a key and leaves it as it is. Gives its secret.
    pub(crate) fn another_key(&mut self) -> String {
        if self.lives.last().is_some_and(|life| life.open) {
            self.step().expect("the portal answers");
        }
        let name = format!("writer-{}-{}", self.number, self.lives.len());
        self.lives.push(Life::new(name));
        self.step().expect("the portal answers");
        let life = self.lives.last().expect("a life has begun");
        life.secret.clone().expect("the answer shows it")
    }

    /// Replaces the secret of the key that was made last, which has leaked. Gives the old one and the new one.
    pub(crate) fn replace_leaked(&mut self) -> (String, String) {
        let life = self.lives.last_mut().expect("a life has begun");
        let id = life.key_id.as_deref().expect("the answer named it");
        let page = format!("/accounts/{}/keys/{id}/rotate", self.account);
        self.owner
            .get(&page)
            .submit("Rotate secret", &[("reason", "leaked")]);
        let new = word(&self.owner.html(), "lk_live_", 24).expect("the answer shows it");
        let old = life.secret.replace(new.clone());
        (old.expect("the answer showed it"), new)
    }

    /// Looks at the account's keys.
    pub(crate) fn looks(&self) -> std::io::Result<Answer> {
        let keys = format!("/accounts/{}/keys", self.account);
        self.owner.ask(Ask::get(&keys))
    }

    fn ask(&self, change: Change) -> std::io::Result<Answer> {
        let life = self.lives.last().expect("a life has begun");
        let keys = format!("/accounts/{}/keys", self.account);
        let id = || life.key_id.as_deref().expect("the answer named it");
        match change {
            Change::Create => self.owner.post(
                &format!("{keys}/new"),
                &[
                    ("name", &life.name),
                    ("kind", "server"),
                    ("environment", "live"),
                    ("products", PRODUCT),
                    ("form_id", &life.form_id()),
                ],
            ),
            Change::Disable => {
                let path = format!("/staff/keys/{}/disable", id());
                self.admin.post(&path, &[("reason", "A drill")])
            }
            Change::Enable => self
                .admin
                .post(&format!("/staff/keys/{}/enable", id()), &[]),
            Change::Delete => {
                let path = format!("{keys}/{}/delete", id());
                self.owner.post(&path, &[("name", &life.name)])
            }
        }
    }
}

impl Life {
    /// Reads the answer. One to a second attempt may say that the first one did it.
    fn told(&mut self, change: Change, again: bool, answer: &Answer) {
        let fits = match (change, answer.status) {
            (Change::Create, 200) | (Change::Disable | Change::Enable | Change::Delete, 303) => {
                true
            }
            (Change::Create, 409) | (Change::Delete, 404) => again,
            _ => false,
        };
        assert!(
            fits,
            "{change:?} of {} was answered {}: {}",
            self.name,
            answer.status,
            answer.text()
        );
        if change == Change::Create {
            let text = answer.text();
            self.key_id = word(&text, "key_", 16);
            assert!(self.key_id.is_some(), "no key ID in: {text}");
            self.secret = word(&text, "lk_live_", 24);
        }
    }
}

/// The first word of the page that begins so.
fn word(text: &str, begins: &str, at_least: usize) -> Option<String> {
    let rests = text.split(begins).skip(1);
    rests
        .map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric()).next())
        .find_map(|word| word.filter(|word| word.len() >= at_least))
        .map(|word| format!("{begins}{word}"))
}
