//! An installation as its operator sets it up: a configuration with one product, a database, people made on the command line.

use crate::canaries;
use crate::facts::Person;
use crate::page::Browser;
use crate::process::{Ended, Latchkey, begin, run};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Child;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "a long enough passphrase, 42";

/// The product of the configuration, and where it is.
pub(crate) const PRODUCT: &str = "search";
pub(crate) const HOST: &str = "api.example.com";
pub(crate) const PATH: &str = "/search/v1/places";

const CONFIG: &str = r#"
[[product]]
slug = "search"
name = "Search API"
routes = [{ host = "api.example.com", path = "/search" }]
"#;

/// A folder with a configuration; processes run in it.
pub(crate) struct Installation {
    pub(crate) folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Installation {
    /// On SQLite, in its own folder.
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("latchkey.toml"), CONFIG).unwrap();
        Self {
            folder,
            variables: Vec::new(),
        }
    }

    /// For those who ask more often than the plan of whoever signs up allows.
    pub(crate) fn without_limits(self) -> Self {
        self.done(&["migrate"]);
        let rates = ["--per-minute", "none", "--burst", "none"];
        let words = [&["plans", "set", "free", "--per-day", "none"], &rates[..]];
        self.done(&words.concat());
        self
    }

    /// Without any product.
    pub(crate) fn empty() -> Self {
        let installation = Self::new();
        fs::remove_file(installation.path().join("latchkey.toml")).unwrap();
        installation
    }

    /// On PostgreSQL, with the master key that all nodes share.
    pub(crate) fn on_postgres(url: &str) -> Self {
        let installation = Self::for_postgres(url);
        installation.done(&["migrate"]);
        installation
    }

    /// The same, before its tables are made.
    pub(crate) fn for_postgres(url: &str) -> Self {
        let mut installation = Self::new();
        let key = installation.path().join("master.key");
        fs::write(&key, format!("k1 {}\n", "5a".repeat(32))).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        installation.variables = vec![
            ("DATABASE_URL".to_owned(), url.to_owned()),
            (
                "LATCHKEY_MASTER_KEY_FILE".to_owned(),
                key.to_str().unwrap().to_owned(),
            ),
        ];
        installation
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn variables(&self) -> Vec<(&str, &str)> {
        self.variables
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect()
    }

    pub(crate) fn serve(&self) -> Latchkey {
        Latchkey::serve_in(self.path(), &self.variables())
    }

    /// The same with these variables too.
    pub(crate) fn serve_with(&self, variables: &[(&str, &str)]) -> Latchkey {
        let variables = [&self.variables(), variables].concat();
        Latchkey::serve_in(self.path(), &variables)
    }

    /// A node with a data folder of its own.
    pub(crate) fn serve_node(&self, name: &str) -> Latchkey {
        let data = self.path().join(name);
        self.serve_with(&[("LATCHKEY_DATA_DIR", data.to_str().unwrap())])
    }

    /// A node of its own that serves one listener alone.
    pub(crate) fn serve_only(&self, part: &str, name: &str) -> Latchkey {
        let data = self.path().join(name);
        let data = [("LATCHKEY_DATA_DIR", data.to_str().unwrap())];
        let variables = [&self.variables(), &data[..]].concat();
        Latchkey::serve_only(part, self.path(), &variables)
    }

    /// A command that has begun.
    pub(crate) fn begin(&self, words: &[&str]) -> Child {
        begin(self.path(), words, &self.variables())
    }

    /// A command that has ended.
    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        run(self.path(), words, &self.variables())
    }

    /// The same with these variables besides.
    pub(crate) fn run_with(&self, words: &[&str], more: &[(&str, &str)]) -> Ended {
        run(self.path(), words, &[&self.variables(), more].concat())
    }

    /// A command that went well.
    pub(crate) fn done(&self, words: &[&str]) -> Ended {
        let ended = self.run(words);
        assert_eq!(ended.code, Some(0), "{words:?}: {}", ended.said);
        ended
    }

    /// Makes an administrator on the command line, whose one-time link sets the password. Gives the link's path too.
    pub(crate) fn admin(&self, latchkey: &Latchkey) -> (Person, String) {
        let email = "ada@operator.example";
        self.made(latchkey, "Ada", email, &["--staff", "admin"])
    }

    /// Somebody whom the operator makes, with a password of their own, and the link by which they chose it.
    pub(crate) fn made(
        &self,
        latchkey: &Latchkey,
        name: &str,
        email: &str,
        more: &[&str],
    ) -> (Person, String) {
        let words = ["admin", "create-user", "--name", name, "--email", email];
        let made = self.done(&[&words[..], more].concat());
        let link = made
            .printed
            .split_whitespace()
            .find(|word| word.starts_with("http"))
            .unwrap_or_else(|| panic!("no link in: {}", made.printed));
        let path = format!("/{}", link.splitn(4, '/').nth(3).expect("a path"));
        let token = link.rsplit(['/', '=']).next().unwrap();
        assert!(token.len() >= 40, "the link's token: {token}");
        canaries::note(&latchkey.portal, "a link's token", token);
        let mut browser = Browser::at(&latchkey.portal);
        browser
            .get(&path)
            .submit("Set password", &[("password", PASSWORD)]);
        assert_eq!(browser.status, 200, "{}", browser.text());
        let person = Person {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            role: "admin".to_owned(),
            account: None,
        };
        (person, path)
    }
}

/// Signs somebody up, with an account of their own, and gives who that is.
pub(crate) fn sign_up(latchkey: &Latchkey, name: &str, company: &str, email: &str) -> Person {
    let mut browser = Browser::at(&latchkey.portal);
    browser.get("/sign-up").submit(
        "Create",
        &[
            ("name", name),
            ("company", company),
            ("email", email),
            ("password", PASSWORD),
        ],
    );
    assert_eq!(browser.status, 200, "{}", browser.text());
    let mut person = Person {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        role: "owner".to_owned(),
        account: None,
    };
    let mut browser = Browser::signed_in(&latchkey.portal, &person);
    browser.get("/");
    let account = browser
        .at
        .strip_prefix("/accounts/")
        .unwrap_or_else(|| panic!("led to {}", browser.at));
    person.account = Some(account.split('/').next().unwrap().to_owned());
    person
}

/// A key that has just been made, while its secret is on the page.
pub(crate) struct Made {
    pub(crate) key_id: String,
    pub(crate) secret: String,
    /// The key's page.
    pub(crate) path: String,
}

/// Makes a server key for the product by the form.
pub(crate) fn make_key(browser: &mut Browser, account: &str, name: &str) -> Made {
    let keys = format!("/accounts/{account}/keys");
    browser.get(&format!("{keys}/new")).submit(
        "Create",
        &[
            ("name", name),
            ("environment", "live"),
            ("products", PRODUCT),
        ],
    );
    assert_eq!(browser.status, 200, "{}", browser.text());
    let secret = browser
        .find("lk_live_", |c| c.is_ascii_alphanumeric())
        .unwrap_or_else(|| panic!("no secret on {}: {}", browser.at, browser.text()));
    let key_id = browser
        .find("key_", |c| c.is_ascii_lowercase() || c.is_ascii_digit())
        .expect("a key ID");
    canaries::note(browser.portal(), "a key's secret", &secret);
    let path = format!("{keys}/{key_id}");
    Made {
        key_id,
        secret,
        path,
    }
}
