//! Where settings come from, and which source wins.

use std::fs;
use std::path::PathBuf;

use latchkey::config::{Config, Database, Listen, LogFormat, SignUp, Sources, TrustedProxies};

fn load(text: &str, variables: &[(&str, &str)]) -> Config {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("latchkey.toml"), text).unwrap();
    Config::load(&Sources {
        folder: Some(folder.path().to_owned()),
        variables: variables
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect(),
        ..Sources::default()
    })
    .unwrap()
}

#[test]
fn without_any_source_the_defaults_hold() {
    let config = Config::load(&Sources::default()).unwrap();
    assert_eq!(config.portal.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.gate.listen.to_string(), "127.0.0.1:8081");
    assert_eq!(config.data_dir, PathBuf::from("data"));
    assert_eq!(
        config.database,
        Database::Sqlite(PathBuf::from("data/latchkey.db"))
    );
    assert_eq!(config.master_key_path(), PathBuf::from("data/master.key"));
    assert_eq!(config.secret_prefix.as_str(), "lk");
    assert_eq!(
        (
            config.sign_up,
            config.keys_per_account,
            config.gate.max_staleness
        ),
        (SignUp::Open, 100, 300)
    );
    assert_eq!(config.gate.key_headers, ["X-API-Key"]);
    assert_eq!(config.gate.key_query, ["key", "api_key"]);
    assert_eq!(config.gate.trusted_proxies, TrustedProxies::this_machine());
    assert_eq!(config.portal.trusted_proxies, TrustedProxies::default());
    assert_eq!(config.log.format, LogFormat::Json);
    assert!(
        config.public_url.is_none() && config.gate.tokens.is_empty() && config.products.is_empty()
    );
}

#[test]
fn a_variable_wins_over_the_file_and_the_file_over_the_default() {
    let file = "sign_up = \"closed\"\nkeys_per_account = 7\n[gate]\nlisten = \"127.0.0.1:1\"\nkey_headers = [\"X-Ours\"]";
    let config = load(
        file,
        &[
            ("LATCHKEY_GATE__LISTEN", "127.0.0.1:2"),
            ("LATCHKEY_KEYS_PER_ACCOUNT", "9"),
            ("PATH", "/bin"),
            ("LATCHKEY_TEST_ANYTHING", "x"),
        ],
    );
    assert_eq!(config.gate.listen.to_string(), "127.0.0.1:2");
    assert_eq!(
        (config.sign_up, config.keys_per_account),
        (SignUp::Closed, 9)
    );
    assert_eq!(config.gate.key_headers, ["X-Ours"]);
}

#[test]
fn a_variable_may_hold_a_list_with_commas_or_as_toml() {
    let config = load(
        "",
        &[
            ("LATCHKEY_GATE__KEY_HEADERS", "X-API-Key, tomtom-api-key"),
            (
                "LATCHKEY_PORTAL__TRUSTED_PROXIES",
                "[\"10.0.0.0/8\", \"unix\"]",
            ),
            ("LATCHKEY_GATE__TOKENS", "0123456789abcdef0123456789abcdef"),
            ("LATCHKEY_GATE__LISTEN", "0.0.0.0:8081"),
            (
                "LATCHKEY_PRODUCT",
                "[{ slug = \"tiles\", name = \"Tiles\", routes = [{ host = \"*.tiles.example.com\", path = \"/\" }] }]",
            ),
        ],
    );
    assert_eq!(config.gate.key_headers, ["X-API-Key", "tomtom-api-key"]);
    assert!(
        config.portal.trusted_proxies.unix && config.portal.trusted_proxies.networks.len() == 1
    );
    assert_eq!(config.gate.tokens.len(), 1);
    assert_eq!(config.products.len(), 1);
}

#[test]
fn the_databases_own_variable_is_read_and_ours_wins_over_it() {
    let plain = load("", &[("DATABASE_URL", "postgres://u:p@h/d")]);
    assert_eq!(
        plain.database,
        Database::Postgres("postgres://u:p@h/d".to_owned())
    );
    let ours = load(
        "",
        &[
            ("DATABASE_URL", "postgres://u:p@h/d"),
            ("LATCHKEY_DATABASE_URL", "sqlite:x.db"),
        ],
    );
    assert_eq!(ours.database, Database::Sqlite(PathBuf::from("x.db")));
}

#[test]
fn a_file_that_was_named_must_exist() {
    let sources = Sources {
        named_file: Some(PathBuf::from("/no/such/latchkey.toml")),
        ..Sources::default()
    };
    let message = Config::load(&sources).unwrap_err().to_string();
    assert!(
        message.starts_with("/no/such/latchkey.toml: the configuration cannot be read"),
        "{message}"
    );
}

#[test]
fn t_33_a_configuration_prints_neither_tokens_nor_the_databases_password() {
    let config = load(
        "",
        &[
            ("DATABASE_URL", "postgres://u:hunter2hunter2@h/d"),
            (
                "LATCHKEY_GATE__TOKENS",
                "hunter2hunter2hunter2hunter2hunter2",
            ),
        ],
    );
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn listeners_may_be_unix_sockets() {
    let config = load(
        "public_url = \"https://keys.example.com\"\n[portal]\nlisten = \"unix:/run/p.sock\"\n[gate]\nlisten = \"unix:/run/g.sock\"",
        &[],
    );
    assert_eq!(
        config.gate.listen,
        Listen::Unix(PathBuf::from("/run/g.sock"))
    );
    assert_eq!(
        config.public_url.unwrap().as_str(),
        "https://keys.example.com"
    );
}
