//! Broken configurations: each is refused with the file and line, the setting, and what is allowed.

use std::fs;

use latchkey::config::{Config, Sources};
use proptest::prelude::*;
use proptest::sample::Index;

fn refusal(text: &str, variables: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("latchkey.toml"), text).unwrap();
    let sources = Sources {
        folder: Some(folder.path().to_owned()),
        variables: variables
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect(),
        ..Sources::default()
    };
    match Config::load(&sources) {
        Ok(_) => panic!("not refused: {text}"),
        Err(broken) => broken.to_string(),
    }
}

/// Text of the file; the line that is named; what else the message says.
const FILES: &[(&str, usize, &[&str])] = &[
    (
        "public_url = \"keys.example.com\"",
        1,
        &["public_url must be an address such as https://keys.example.com"],
    ),
    (
        "public_url = \"http://keys.example.com\"",
        1,
        &["public_url must begin with https://"],
    ),
    (
        "public_url = \"https://keys.example.com/portal\"",
        1,
        &["public_url must be", "without a path"],
    ),
    (
        "public_url = \"https://me:hunter2hunter2@keys.example.com\"",
        1,
        &["public_url must be"],
    ),
    (
        "public_url = 8080",
        1,
        &["public_url must be text in quotes, not a number"],
    ),
    (
        "\n\npublicurl = \"https://keys.example.com\"",
        3,
        &["there is no setting publicurl", "public_url"],
    ),
    (
        "data_dri = \"x\"",
        1,
        &["there is no setting data_dri", "data_dir"],
    ),
    ("data_dir = \"\"", 1, &["data_dir must be a path"]),
    (
        "database_url = \"mysql://root:hunter2hunter2@localhost/x\"",
        1,
        &["database_url must begin with postgres:// or", "sqlite:"],
    ),
    (
        "database_url = \"sqlite:\"",
        1,
        &["database_url must begin with"],
    ),
    (
        "secret_prefix = \"LK\"",
        1,
        &["secret_prefix must be 2 to 12 lower-case"],
    ),
    (
        "secret_prefix = \"a_b\"",
        1,
        &["secret_prefix must be 2 to 12 lower-case"],
    ),
    (
        "env_var_name = \"my-key\"",
        1,
        &["env_var_name must be a variable's name", "ACME_API_KEY"],
    ),
    (
        "sign_up = \"yes\"",
        1,
        &["sign_up must be one of open, invite, closed"],
    ),
    (
        "sign_up = true",
        1,
        &["sign_up must be text in quotes, not true or false"],
    ),
    (
        "[limits]\nbody_kib = 8",
        2,
        &["limits.body_kib must be a whole number from 16 to 1024"],
    ),
    (
        "keys_per_account = 0",
        1,
        &["keys_per_account must be a whole number from 1 to 10000"],
    ),
    (
        "keys_per_account = \"100\"",
        1,
        &["keys_per_account must be a whole number"],
    ),
    (
        "keys_per_account = 1.5",
        1,
        &["keys_per_account must be a whole number"],
    ),
    (
        "[brand]\nname = \"\"",
        2,
        &["brand.name must be 1 to 40 characters"],
    ),
    (
        "[brand]\nlogo = \"logo.gif\"",
        2,
        &["brand.logo must be the path of an .svg, .png or .webp"],
    ),
    (
        "[brand]\nlogo = \"no-such-file.svg\"",
        2,
        &["brand.logo must be a file that can be read"],
    ),
    (
        "[brand]\naccent = \"#ffee00\"",
        2,
        &[
            "brand.accent must have a contrast of at least 3.0:1",
            "light page",
            "1.1",
        ],
    ),
    (
        "[brand]\naccent = \"#202020\"",
        2,
        &["brand.accent must have a contrast", "dark page", ":1"],
    ),
    (
        "[brand]\naccent = \"brass\"",
        2,
        &["brand.accent must be a colour such as #"],
    ),
    (
        "[brand]\ncolour = \"#b4771a\"",
        2,
        &[
            "there is no setting brand.colour",
            "brand.accent, brand.logo, brand.name",
        ],
    ),
    (
        "[support]\nmail = \"help\"",
        2,
        &["support.mail must be a mail address"],
    ),
    (
        "[support]\nurl = \"javascript:alert(1)\"",
        2,
        &["support.url must be an address that begins with https://"],
    ),
    (
        "[sales]\nurl = \"ftp://example.com\"",
        2,
        &["sales.url must be an address"],
    ),
    (
        "[terms]\nuri = \"https://example.com\"",
        2,
        &["there is no setting terms.uri", "terms.url"],
    ),
    (
        "[portal]\nlisten = \"localhost:8080\"",
        2,
        &["portal.listen must be an address and port, such as 127.0.0.1:8080"],
    ),
    (
        "[portal]\nlisten = \"0.0.0.0:8080\"",
        1,
        &["public_url must be set"],
    ),
    (
        "[portal]\ntrusted_proxies = \"10.0.0.0/8\"",
        2,
        &["portal.trusted_proxies must be a list"],
    ),
    (
        "[portal]\ntrusted_proxies = [\n  \"10.0.0.0/8\",\n  \"10.0.0.1/8\",\n]",
        4,
        &["portal.trusted_proxies entry 2", "10.0.0.0/8 may be meant"],
    ),
    (
        "[gate]\nlisten = \"0.0.0.0:8081\"",
        2,
        &[
            "gate.listen must be this machine's own address",
            "gate.tokens",
        ],
    ),
    (
        "[gate]\nlisten = \"[::]:8081\"",
        2,
        &["gate.listen must be this machine's own address"],
    ),
    (
        "[gate]\nlisten = \"unix:gate.sock\"",
        2,
        &["gate.listen must give the socket's whole path"],
    ),
    (
        "[gate]\ntokens = [\"hunter2hunter2\"]",
        2,
        &["gate.tokens entry 1 must be 32 to 256"],
    ),
    (
        "[gate]\ntokens = [\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", \"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\", \"cccccccccccccccccccccccccccccccc\"]",
        2,
        &["gate.tokens must be at most two"],
    ),
    (
        "[gate]\nkey_headers = []",
        2,
        &["gate.key_headers must name at least one"],
    ),
    (
        "[gate]\nkey_headers = [\"X API Key\"]",
        2,
        &["gate.key_headers entry 1 must be a header's name"],
    ),
    (
        "[gate]\nkey_headers = [\"X-API-Key\", \"Cookie\"]",
        2,
        &["gate.key_headers entry 2 must not be a header"],
    ),
    (
        "[gate]\nkey_query = [\"a&b\"]",
        2,
        &["gate.key_query entry 1 must be a parameter's name"],
    ),
    (
        "[gate]\nmax_staleness = \"5m\"",
        2,
        &["gate.max_staleness must be a whole number from 1 to 86400"],
    ),
    (
        "[gate]\nmax_stalenes = 5",
        2,
        &[
            "there is no setting gate.max_stalenes",
            "gate.max_staleness",
        ],
    ),
    (
        "[gate.limits]\nburst = 5",
        1,
        &["there is no setting gate.limits"],
    ),
    ("gate = \"127.0.0.1:8081\"", 1, &["gate must be a table"]),
    (
        "listen = \"127.0.0.1:8080\"",
        1,
        &["there is no setting listen", "listen"],
    ),
    (
        "[log]\nlevel = \"verbose\"",
        2,
        &["log.level must be one of error, warn, info, debug"],
    ),
    (
        "[log]\nformat = \"xml\"",
        2,
        &["log.format must be one of json, text"],
    ),
    (
        "[[products]]\nslug = \"search\"",
        1,
        &["there is no setting products", "product"],
    ),
    (
        "[[product]]\nname = \"Search\"\nroutes = [{ host = \"a.example\", path = \"/\" }]",
        1,
        &["product.slug is missing"],
    ),
    (
        "[[product]]\nslug = \"Search API\"\nname = \"Search\"",
        2,
        &["product.slug must be"],
    ),
    (
        "[[product]]\nslug = \"s\"\nname = \"S\"\nroutes = [{ host = \"a.example\" }]",
        4,
        &["product.routes.path is missing"],
    ),
    (
        "[[product]]\nslug = \"s\"\nname = \"S\"\nroutes = [{ host = \"a.*.example\", path = \"/\" }]",
        4,
        &["product.routes.host must be"],
    ),
    (
        "[[product]]\nslug = \"s\"\nname = \"S\"\nroutes = [{ host = \"a.example\", path = \"search\" }]",
        4,
        &["product.routes.path must"],
    ),
    (
        "[[product]]\nslug = \"s\"\nname = \"S\"\nroutes = [{ host = \"a.example\", path = \"/\", environments = [\"prod\"] }]",
        4,
        &["product.routes.environments entry 1 must be one of live, staging, test"],
    ),
    (
        "[[product]]\nslug = \"s\"\nname = \"S\"\nkey_in_query = \"always\"\nroutes = [{ host = \"a.example\", path = \"/\" }]",
        4,
        &["product.key_in_query must be one of never, browser, any"],
    ),
    (
        "[[verdict]]\ncode = \"VALID\"",
        2,
        &["verdict.code must be the code of a refusal"],
    ),
    (
        "[[verdict]]\ncode = \"RATE_LIMITED\"\n[[verdict]]\ncode = \"RATE_LIMITED\"",
        4,
        &["verdict.code must be one that no other entry has"],
    ),
    (
        "[[verdict]]\ncode = \"RATE_LIMITED\"\nhelp = \"help page\"",
        3,
        &["verdict.help must"],
    ),
    (
        "public_url = \"https://keys.example.com",
        1,
        &["this is no TOML"],
    ),
    (
        "sign_up = \"open\"\nsign_up = \"closed\"",
        2,
        &["sign_up stands twice"],
    ),
];

#[test]
fn r_13_a_broken_file_is_refused_with_its_line_the_setting_and_what_is_allowed() {
    for (text, line, parts) in FILES {
        let message = refusal(text, &[]);
        let place = if *line == 1 && text.contains("0.0.0.0:8080") {
            "latchkey.toml: ".to_owned()
        } else {
            format!("latchkey.toml, line {line}: ")
        };
        assert!(message.contains(&place), "{text}\n{message}");
        for part in *parts {
            assert!(message.contains(part), "{text}\n{message}\nlacks {part}");
        }
        assert!(
            !message.contains("hunter2"),
            "a value is repeated: {message}"
        );
        assert_eq!(
            message.lines().count(),
            1,
            "one problem, one line: {message}"
        );
    }
}

#[test]
fn r_13_two_products_on_one_route_are_refused() {
    let product = |slug: &str| {
        format!(
            "[[product]]\nslug = \"{slug}\"\nname = \"N\"\nroutes = [{{ host = \"a.example\", path = \"/x\" }}]\n"
        )
    };
    let message = refusal(&format!("{}{}", product("one"), product("two")), &[]);
    assert!(
        message.contains("one") && message.contains("two") && message.contains("a.example"),
        "{message}"
    );
    let message = refusal(&format!("{}{}", product("one"), product("one")), &[]);
    assert!(
        message.contains("product.slug") && message.contains("line 6"),
        "{message}"
    );
}

/// A variable, its value; what is said beside its name.
const VARIABLES: &[(&str, &str, &[&str])] = &[
    (
        "LATCHKEY_GATE__LISTN",
        "127.0.0.1:1",
        &["there is no setting gate.listn", "LATCHKEY_GATE__LISTEN"],
    ),
    (
        "LATCHKEY_GATE_LISTEN",
        "127.0.0.1:1",
        &["there is no setting gate_listen", "LATCHKEY_GATE__LISTEN"],
    ),
    ("LATCHKEY_PUBLICURL", "x", &["LATCHKEY_PUBLIC_URL"]),
    (
        "LATCHKEY_PORTAL__TRUSTED",
        "x",
        &["there is no setting portal.trusted"],
    ),
    ("LATCHKEY_PORTAL", "x", &["portal must be a table"]),
    (
        "LATCHKEY_GATE__MAX_STALENESS",
        "soon",
        &["gate.max_staleness must be a whole number from 1 to 86400"],
    ),
    (
        "LATCHKEY_GATE__TOKENS",
        "short-hunter2",
        &["gate.tokens entry 1 must be 32 to 256"],
    ),
    (
        "LATCHKEY_GATE__KEY_HEADERS",
        "[\"X-API-Key\"",
        &["gate.key_headers must be a list"],
    ),
    (
        "LATCHKEY_SIGN_UP",
        "maybe",
        &["sign_up must be one of open, invite, closed"],
    ),
    (
        "DATABASE_URL",
        "oracle://hunter2",
        &["database_url must begin with postgres://"],
    ),
    (
        "LATCHKEY_PRODUCT",
        "[{ slug = \"s\" }]",
        &["product.name is missing"],
    ),
];

#[test]
fn r_13_a_broken_variable_is_refused_by_its_name() {
    for (name, value, parts) in VARIABLES {
        let message = refusal("", &[(name, value)]);
        assert!(
            message.contains(&format!("variable {name}: ")),
            "{name}\n{message}"
        );
        for part in *parts {
            assert!(message.contains(part), "{name}\n{message}\nlacks {part}");
        }
        assert!(
            !message.contains("hunter2"),
            "a value is repeated: {message}"
        );
    }
}

#[test]
fn r_13_everything_that_is_wrong_is_said_at_once() {
    let message = refusal(
        "sign_up = \"x\"\n[gate]\nmax_staleness = 0\nlistne = \"y\"",
        &[("LATCHKEY_LOG__LEVEL", "loud")],
    );
    assert_eq!(message.lines().count(), 4, "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn r_13_a_slip_of_the_hand_anywhere_never_panics_and_repeats_no_secret(
        at in any::<Index>(), slip in prop_oneof![Just(None), any::<char>().prop_map(Some)], cut in any::<bool>(),
    ) {
        let text = "database_url = \"postgres://me:hunter2@db/x\"\nsign_up = \"open\"\n\n[gate]\nlisten = \"127.0.0.1:1\"\n\
                    tokens = [\"hunter2hunter2hunter2hunter2hunter2\"]\n\n[[product]]\nslug = \"s\"\nname = \"S\"\n";
        let mut typed: Vec<char> = text.chars().collect();
        let at = at.index(typed.len());
        match (slip, cut) {
            (Some(c), _) => typed.insert(at, c),
            (None, false) => drop(typed.remove(at)),
            (None, true) => typed.truncate(at),
        }
        let typed: String = typed.into_iter().collect();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("latchkey.toml"), &typed).unwrap();
        let sources = Sources { folder: Some(folder.path().to_owned()), ..Sources::default() };
        match Config::load(&sources) {
            Ok(config) => {
                let printed = format!("{config:?}");
                prop_assert!(!printed.contains("hunter2"));
            }
            Err(broken) => prop_assert!(!broken.to_string().contains("hunter2"), "{typed}\n{broken}"),
        }
    }
}
