//! Configurations that cannot be used: the server says where the mistake stands, which setting it is and what would be right,
//! at once, and repeats nothing that may be a secret.

use crate::process::run;
use std::time::Duration;
use tempfile::TempDir;

/// What no message may repeat.
const CANARY: &str = "canary";

struct Broken {
    file: &'static str,
    variables: &'static [(&'static str, &'static str)],
    /// The place, the setting, and what is allowed.
    says: &'static [&'static str],
}

const fn file(file: &'static str, says: &'static [&'static str]) -> Broken {
    Broken {
        file,
        variables: &[],
        says,
    }
}

const fn variable(
    variables: &'static [(&'static str, &'static str)],
    says: &'static [&'static str],
) -> Broken {
    Broken {
        file: "",
        variables,
        says,
    }
}

const CORPUS: &[Broken] = &[
    file(
        "keys_per_accout = 5",
        &[
            "latchkey.toml, line 1",
            "keys_per_accout",
            "keys_per_account",
        ],
    ),
    file(
        "[gate]\nlistn = \"127.0.0.1:1\"",
        &["latchkey.toml, line 2", "gate.listn", "gate.listen"],
    ),
    file(
        "[gates]\nlisten = \"127.0.0.1:1\"",
        &["latchkey.toml, line", "gates", "gate"],
    ),
    file(
        "[gate]\nlisten = \"everywhere\"",
        &["latchkey.toml, line 2", "gate.listen", "127.0.0.1:"],
    ),
    file(
        "[gate]\nlisten = \"unix:gate.sock\"",
        &["latchkey.toml, line 2", "gate.listen", "whole path"],
    ),
    file(
        "[gate]\nlisten = \"0.0.0.0:8081\"",
        &["latchkey.toml, line 2", "gate.listen", "gate.tokens"],
    ),
    file(
        "[gate]\ntokens = [\"canary\"]",
        &["latchkey.toml, line 2", "gate.tokens", "32 to 256"],
    ),
    file(
        "[gate]\ntokens = [\"canary-0123456789-0123456789-0123\", \"canary-1123456789-0123456789-0123\", \"canary-2123456789-0123456789-0123\"]",
        &["latchkey.toml, line 2", "gate.tokens", "at most two"],
    ),
    file(
        "[gate]\nkey_headers = []",
        &["latchkey.toml, line 2", "gate.key_headers", "X-API-Key"],
    ),
    file(
        "[gate]\nkey_headers = [\"X Key\"]",
        &[
            "latchkey.toml, line 2",
            "gate.key_headers",
            "letters, digits",
        ],
    ),
    file(
        "[gate]\nkey_headers = [\"Cookie\"]",
        &[
            "latchkey.toml, line 2",
            "gate.key_headers",
            "meaning of its own",
        ],
    ),
    file(
        "[gate]\nkey_query = [\"k&y\"]",
        &["latchkey.toml, line 2", "gate.key_query", "letters, digits"],
    ),
    file(
        "[gate]\nmax_staleness = 0",
        &[
            "latchkey.toml, line 2",
            "gate.max_staleness",
            "from 1 to 86400",
        ],
    ),
    file(
        "[gate]\nmax_staleness = \"long\"",
        &[
            "latchkey.toml, line 2",
            "gate.max_staleness",
            "whole number",
        ],
    ),
    file(
        "[gate]\ntrusted_proxies = [\"10.0.0.1/8\"]",
        &[
            "latchkey.toml, line 2",
            "gate.trusted_proxies",
            "10.0.0.0/8",
        ],
    ),
    file(
        "[portal]\ntrusted_proxies = 5",
        &[
            "latchkey.toml, line 2",
            "portal.trusted_proxies",
            "must be a list",
        ],
    ),
    file(
        "[portal]\nlisten = \"0.0.0.0:8080\"",
        &["public_url", "https://"],
    ),
    file(
        "public_url = \"http://keys.example.com\"",
        &["latchkey.toml, line 1", "public_url", "https://"],
    ),
    file(
        "public_url = \"https://keys.example.com/portal\"",
        &["latchkey.toml, line 1", "public_url", "without a path"],
    ),
    file(
        "public_url = 5",
        &["latchkey.toml, line 1", "public_url", "text in quotes"],
    ),
    file(
        "secret_prefix = \"LK\"",
        &["latchkey.toml, line 1", "secret_prefix", "2 to 12"],
    ),
    file(
        "env_var_name = \"api key\"",
        &["latchkey.toml, line 1", "env_var_name", "capital letters"],
    ),
    file(
        "sign_up = \"maybe\"",
        &["latchkey.toml, line 1", "sign_up", "open, invite, closed"],
    ),
    file(
        "keys_per_account = 0",
        &[
            "latchkey.toml, line 1",
            "keys_per_account",
            "from 1 to 10000",
        ],
    ),
    file(
        "# where the keys are\ndatabase_url = \"mysql://root:canary@db/x\"",
        &["latchkey.toml, line 2", "database_url", "postgres://"],
    ),
    file(
        "[brand]\nname = \"\"",
        &["latchkey.toml, line 2", "brand.name", "1 to 40"],
    ),
    file(
        "[brand]\nlogo = \"logo.gif\"",
        &["latchkey.toml, line 2", "brand.logo", ".svg"],
    ),
    file(
        "[brand]\naccent = \"yellow\"",
        &["latchkey.toml, line 2", "brand.accent", "#"],
    ),
    file(
        "[brand]\naccent = \"#ffff00\"",
        &["latchkey.toml, line 2", "brand.accent", "contrast"],
    ),
    file(
        "[support]\nmail = \"nobody\"",
        &["latchkey.toml, line 2", "support.mail", "help@example.com"],
    ),
    file(
        "[support]\nurl = \"javascript:alert(1)\"",
        &["latchkey.toml, line 2", "support.url", "https://"],
    ),
    file(
        "[log]\nlevel = \"loud\"",
        &[
            "latchkey.toml, line 2",
            "log.level",
            "error, warn, info, debug",
        ],
    ),
    file(
        "[log]\nformat = \"xml\"",
        &["latchkey.toml, line 2", "log.format", "json, text"],
    ),
    file(
        "gate = 5",
        &["latchkey.toml, line 1", "gate", "must be a table"],
    ),
    file("[gate\nlisten = 1", &["latchkey.toml, line 1"]),
    file(
        "sign_up = \"open\"\nsign_up = \"closed\"",
        &["latchkey.toml, line 2", "sign_up stands twice"],
    ),
    file(
        "[[product]]\nname = \"Maps\"",
        &["latchkey.toml, line 1", "product.slug", "is missing"],
    ),
    file(
        "[[product]]\nslug = \"Maps & more\"\nname = \"Maps\"",
        &["latchkey.toml, line 2", "product.slug", "lower-case"],
    ),
    variable(
        &[("LATCHKEY_GATE__LISTN", "canary")],
        &["variable LATCHKEY_GATE__LISTN", "LATCHKEY_GATE__LISTEN"],
    ),
    variable(
        &[("LATCHKEY_KEYS_PER_ACCOUNT", "many")],
        &[
            "variable LATCHKEY_KEYS_PER_ACCOUNT",
            "keys_per_account",
            "from 1 to 10000",
        ],
    ),
    variable(
        &[("DATABASE_URL", "oracle://canary:canary@db")],
        &["variable DATABASE_URL", "postgres://"],
    ),
    variable(
        &[("LATCHKEY_GATE__TOKENS", "canary")],
        &["variable LATCHKEY_GATE__TOKENS", "gate.tokens", "32 to 256"],
    ),
];

#[test]
fn r_13_broken_configurations_are_refused_at_once_with_place_setting_and_remedy() {
    assert!(CORPUS.len() >= 30);
    let mut off = Vec::new();
    for broken in CORPUS {
        let folder = TempDir::new().unwrap();
        if !broken.file.is_empty() {
            std::fs::write(folder.path().join("latchkey.toml"), broken.file).unwrap();
        }
        let ended = run(folder.path(), &["serve"], broken.variables);
        let what = format!(
            "{:?} {:?}\n  said: {}",
            broken.file,
            broken.variables,
            ended.said.trim()
        );
        if ended.code != Some(78) {
            off.push(format!("exit {:?}, not 78: {what}", ended.code));
        }
        if ended.took > Duration::from_secs(1) {
            off.push(format!("{:?}: {what}", ended.took));
        }
        for word in broken.says {
            if !ended.said.contains(word) {
                off.push(format!("does not say {word:?}: {what}"));
            }
        }
        let all = format!("{}{}", ended.said, ended.printed).replace("LATCHKEY_GATE__LISTN", "");
        if all.contains(CANARY) || all.contains("panicked") {
            off.push(format!("repeats a secret or panics: {what}"));
        }
        if folder.path().join("data").exists() {
            off.push(format!("began its data before it was sure: {what}"));
        }
    }
    assert!(off.is_empty(), "{}", off.join("\n"));
}

#[test]
fn r_13_a_file_that_cannot_be_read_is_named() {
    let folder = TempDir::new().unwrap();
    let ended = run(folder.path(), &["--config", "nowhere.toml", "serve"], &[]);
    assert_eq!(ended.code, Some(78), "{}", ended.said);
    assert!(ended.said.contains("nowhere.toml"), "{}", ended.said);
    std::fs::write(folder.path().join("latchkey.toml"), b"sign_up = \"\xff\"").unwrap();
    let ended = run(folder.path(), &["serve"], &[]);
    assert_eq!(ended.code, Some(78), "{}", ended.said);
    assert!(ended.said.contains("latchkey.toml"), "{}", ended.said);
}
