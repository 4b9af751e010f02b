//! The example file: it is a configuration, it lists every setting, and it states the defaults.

use std::collections::BTreeSet;
use std::fs;

use latchkey::config::{Config, SURFACES, Sources, setting_names};

const EXAMPLE: &str = include_str!("../../latchkey.example.toml");

/// Comments that are settings: one `#`, no space behind it.
fn switched_on() -> String {
    let on = |line: &str| {
        line.strip_prefix('#')
            .filter(|rest| !rest.starts_with([' ', '#']) && !rest.is_empty())
            .unwrap_or(line)
            .to_owned()
    };
    EXAMPLE.lines().map(on).collect::<Vec<_>>().join("\n")
}

fn load(text: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latchkey.toml");
    let logo = folder.path().join("logo.svg");
    fs::write(&logo, "<svg xmlns=\"http://www.w3.org/2000/svg\"/>").unwrap();
    fs::write(
        &path,
        text.replace("\"logo.svg\"", &format!("{:?}", logo.display().to_string())),
    )
    .unwrap();
    Config::load(&Sources {
        named_file: Some(path),
        ..Sources::default()
    })
    .unwrap_or_else(|broken| panic!("{broken}"))
}

#[test]
fn the_example_is_a_configuration_with_and_without_its_switches() {
    let plain = load(EXAMPLE);
    let full = load(&switched_on());
    assert_eq!(
        plain.portal, full.portal,
        "the example states another default"
    );
    assert_eq!(plain.gate, full.gate, "the example states another default");
    assert_eq!(
        (
            plain.log,
            plain.activity,
            plain.sign_up,
            plain.keys_per_account
        ),
        (full.log, full.activity, full.sign_up, full.keys_per_account)
    );
    assert_eq!(
        (&plain.data_dir, &plain.database, &plain.env_var_name),
        (&full.data_dir, &full.database, &full.env_var_name)
    );
    assert_eq!(
        (
            plain.secret_prefix.as_str(),
            &plain.brand.name,
            plain.master_key_path()
        ),
        (
            full.secret_prefix.as_str(),
            &full.brand.name,
            full.master_key_path()
        )
    );
    assert_eq!((plain.products.len(), full.products.len()), (0, 1));
}

#[test]
fn the_example_lists_every_setting() {
    fn names(prefix: &str, value: &toml::Value, into: &mut BTreeSet<String>) {
        match value {
            toml::Value::Table(table) => {
                for (name, inner) in table {
                    let full = if prefix.is_empty() {
                        name.clone()
                    } else {
                        format!("{prefix}.{name}")
                    };
                    names(&full, inner, into);
                    into.insert(full);
                }
            }
            toml::Value::Array(list) => list.iter().for_each(|inner| names(prefix, inner, into)),
            _ => {}
        }
    }
    let table: toml::Table = switched_on().parse().unwrap();
    let mut listed = BTreeSet::new();
    names("", &toml::Value::Table(table), &mut listed);
    let known = setting_names();
    assert!(known.len() > 40, "{known:?}");
    assert_eq!(
        known.difference(&listed).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "not in the example"
    );
    assert_eq!(
        listed.difference(&known).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "no setting"
    );
}

#[test]
fn the_accent_is_measured_on_the_surfaces_of_the_style_sheet() {
    let css =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/static/latchkey.css")).unwrap();
    let token = |name: &str| {
        let (_, behind) = css
            .split_once(&format!("--{name}:light-dark("))
            .unwrap_or_else(|| panic!("no --{name} in the style sheet"));
        let (inside, _) = behind.split_once(')').unwrap();
        let (light, dark) = inside.split_once(',').unwrap();
        let full = |hex: &str| {
            if hex.len() == 4 {
                hex.chars()
                    .flat_map(|c| if c == '#' { vec![c] } else { vec![c, c] })
                    .collect()
            } else {
                hex.to_owned()
            }
        };
        (full(light.trim()), full(dark.trim()))
    };
    let (page, card) = (token("bg"), token("surface"));
    let expected = [page.0, card.0, page.1, card.1];
    assert_eq!(SURFACES.map(|(_, hex)| hex.to_owned()), expected);
}
