//! The commands as an operator types them: what they print, what they refuse, and how they end.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// How a command ended: its exit code, what it printed, what it said on standard error.
struct Ended {
    code: i32,
    printed: String,
    said: String,
}

fn latchkey(folder: &Path, words: &[&str]) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_latchkey"))
        .args(words)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ended {
        code: output.status.code().unwrap(),
        printed: String::from_utf8(output.stdout).unwrap(),
        said: String::from_utf8(output.stderr).unwrap(),
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Runs a line of words without spaces in them; it must go well.
fn done(folder: &Path, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let ended = latchkey(folder, &words);
    assert_eq!((ended.code, ended.said.as_str()), (0, ""), "{line}");
    ended.printed
}

/// Runs a line that must be refused with one sentence on standard error and nothing printed.
fn refused(folder: &Path, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let ended = latchkey(folder, &words);
    assert_eq!(
        (ended.code, ended.printed.as_str()),
        (1, ""),
        "{line}: {}",
        ended.said
    );
    assert!(!ended.said.contains("panicked"), "{line}: {}", ended.said);
    ended.said.trim().to_owned()
}

#[test]
fn help_lists_the_commands_that_there_are_and_the_exit_codes() {
    let folder = folder();
    let help = done(folder.path(), "--help");
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .map_while(|line| line.strip_prefix("  "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(
        commands,
        [
            "serve",
            "demo",
            "migrate",
            "check-config",
            "check-data",
            "admin",
            "products",
            "plans",
            "accounts",
            "keys",
            "secrets",
            "nodes",
            "backup",
            "restore",
            "dev",
            "help"
        ]
    );
    for code in [
        "0 done",
        "1 could not be done",
        "2 wrong words",
        "78 the configuration",
    ] {
        assert!(help.contains(code), "{help}");
    }
    assert_eq!(
        done(folder.path(), "--version").trim(),
        concat!("latchkey ", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        0,
        "asking for help leaves nothing behind"
    );
}

#[test]
fn the_routes_are_listed_without_a_configuration() {
    let folder = folder();
    let listed = done(folder.path(), "dev routes");
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), latchkey::portal::routes().len());
    assert!(lines.contains(&"GET /sign-in Anyone"), "{listed}");
    assert!(
        lines.contains(&"POST /staff/keys/{key_id}/disable Admin"),
        "{listed}"
    );
}

#[test]
fn wrong_words_end_with_2_and_the_nearest_right_one() {
    let ended = latchkey(folder().path(), &["serve", "--onyl", "gate"]);
    assert_eq!(ended.code, 2);
    assert!(ended.said.contains("--only"), "{}", ended.said);
}

#[test]
fn r_19_check_data_finds_what_is_broken_and_nothing_else() {
    let folder = folder();
    let at = folder.path();
    done(
        at,
        "products add search --name Search --route api.example.com/search",
    );
    assert_eq!(
        done(at, "check-data").trim(),
        "The database is whole. 0 keys were read, and all that they lead to."
    );
    done(at, "admin new-epoch");
    let file = at.join("data/latchkey.db");
    let mut bytes = fs::read(&file).unwrap();
    // The first bytes of every page but the first say how it is to be read.
    for page in bytes.chunks_mut(4_096).skip(1) {
        page[..8].fill(0xff);
    }
    fs::write(&file, bytes).unwrap();
    let said = refused(at, "check-data");
    assert!(said.contains("The database is damaged"), "{said}");
    refused(at, "serve");
    fs::remove_file(&file).unwrap();
    assert!(
        refused(at, "check-data").contains("there is no"),
        "nothing is made"
    );
    assert!(!file.exists());
}

#[test]
fn r_13_every_command_refuses_a_broken_configuration_with_78_before_it_does_anything() {
    let folder = folder();
    fs::write(
        folder.path().join("latchkey.toml"),
        "sign_up = \"open\"\n[gate]\nlistn = \"x\"\n",
    )
    .unwrap();
    for line in [
        "check-config",
        "serve",
        "migrate",
        "products list",
        "backup --to copy.db",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let ended = latchkey(folder.path(), &words);
        assert_eq!(ended.code, 78, "{line}");
        assert_eq!(
            ended.said.trim(),
            "latchkey.toml, line 3: there is no setting gate.listn; the nearest is gate.listen.",
            "{line}"
        );
        assert_eq!(ended.printed, "", "{line}");
    }
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing was begun"
    );
}

#[test]
fn a_configuration_that_can_be_used_is_said_to_be_and_starts_nothing() {
    let folder = folder();
    assert_eq!(
        done(folder.path(), "check-config"),
        "The configuration can be used.\n"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn t_63_migrating_twice_migrates_once() {
    let folder = folder();
    assert!(done(folder.path(), "migrate").contains("run."));
    assert_eq!(
        done(folder.path(), "migrate"),
        "The database is of this version already.\n"
    );
    let file = fs::metadata(folder.path().join("data/latchkey.db")).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}

#[test]
fn products_are_added_once_and_listed() {
    let folder = folder();
    let at = folder.path();
    done(
        at,
        "products add search --name Search --route api.example.com/search --route *.search.example.com",
    );
    let listed = done(at, "products list");
    assert_eq!(
        listed,
        "search\tSearch\tapi.example.com/search *.search.example.com/\n"
    );
    for (line, says) in [
        (
            "products add search --name Again --route b.example.com",
            "A product of that short name exists already.",
        ),
        (
            "products add other --name Other --route api.example.com/search",
            "belongs to another product already",
        ),
        (
            "products add Search! --name Search --route b.example.com",
            "A short name has 1 to 40",
        ),
        (
            "products add other --name Other --route b.example.com/a/../b",
            "Write it resolved",
        ),
    ] {
        assert!(refused(at, line).contains(says), "{line}");
    }
    assert_eq!(done(at, "products list"), listed);
}

#[test]
fn a_plan_gets_other_limits_and_a_product_its_rate() {
    let folder = folder();
    done(folder.path(), "migrate");
    let plans = done(folder.path(), "plans list");
    let free = "free\tper second none\tper minute 10\tburst 20\tper day 1000\tkeys none";
    assert_eq!(plans.lines().next(), Some(free));
    let changed = done(
        folder.path(),
        "plans set free --per-minute 30 --burst 60 --per-day none",
    );
    assert_eq!(
        changed.trim(),
        "free\tper second none\tper minute 30\tburst 60\tper day none\tkeys none"
    );
    assert!(done(folder.path(), "plans list").contains(changed.trim()));
    for (line, why) in [
        ("plans set fre --per-day 5", "The plans are free, starter"),
        (
            "plans set free --per-day 0",
            "--per-day has to be a whole number from 1",
        ),
        (
            "plans set free --per-minute few",
            "--per-minute has to be a whole number",
        ),
        (
            "plans set free --per-minute none",
            "--burst means nothing without --per-minute",
        ),
        ("products set-rate maps 5", "There is no product maps."),
        (
            "products set-rate maps 0",
            "The rate has to be a whole number",
        ),
    ] {
        let said = refused(folder.path(), line);
        assert!(said.contains(why), "{line}: {said}");
    }
    done(
        folder.path(),
        "products add maps --name Maps --route api.example.com/maps --per-second 7",
    );
    let said = done(folder.path(), "products set-rate maps 9");
    assert_eq!(said.trim(), "Keys may ask for maps 9 times a second.");
    let said = done(folder.path(), "products set-rate maps none");
    assert_eq!(
        said.trim(),
        "Keys may ask for maps as often as their plans allow."
    );
}

#[test]
fn t_17_a_person_is_made_without_a_password_and_gets_a_link_on_the_public_address() {
    let folder = folder();
    let at = folder.path();
    fs::write(
        at.join("latchkey.toml"),
        "public_url = \"https://keys.example.com\"\n",
    )
    .unwrap();
    let printed = done(
        at,
        "admin create-user --name Ada --email ada@example.com --staff admin",
    );
    let link = printed.lines().last().unwrap();
    let token = link
        .strip_prefix("https://keys.example.com/set-password?token=")
        .unwrap();
    assert!(token.len() >= 43, "256 bits: {}", token.len());
    let database = fs::read(at.join("data/latchkey.db")).unwrap();
    assert!(
        !database.windows(token.len()).any(|w| w == token.as_bytes()),
        "the database holds the link's token"
    );
    for (line, says) in [
        (
            "admin create-user --name Eve --email ADA@example.com",
            "Somebody with this mail address exists already.",
        ),
        (
            "admin create-user --name Eve --email eve",
            "exactly one “@”",
        ),
        (
            "admin create-user --name Eve --email eve@example.com --account nowhere",
            "There is no account of that name.",
        ),
    ] {
        assert!(refused(at, line).contains(says), "{line}");
    }
    let ended = latchkey(
        at,
        &[
            "admin",
            "create-user",
            "--name",
            "E",
            "--email",
            "e@example.com",
            "--password",
            "x",
        ],
    );
    assert_eq!(
        ended.code, 2,
        "a password on the command line would stand in the shell's history"
    );
}

#[test]
fn accounts_and_keys_that_are_not_there_are_named() {
    let folder = folder();
    let at = folder.path();
    for (line, says) in [
        (
            "accounts set-plan nowhere free",
            "There is no account nowhere.",
        ),
        (
            "keys disable key_aaaaaaaaaaaaaaaa --reason leaked",
            "There is no key key_aaaaaaaaaaaaaaaa.",
        ),
        (
            "keys enable key_aaaaaaaaaaaaaaaa --reason found",
            "There is no key key_aaaaaaaaaaaaaaaa.",
        ),
        (
            "keys disable 42 --reason leaked",
            "A key ID is “key_” followed by",
        ),
    ] {
        assert!(refused(at, line).contains(says), "{line}");
    }
    let empty = latchkey(
        at,
        &["keys", "disable", "key_aaaaaaaaaaaaaaaa", "--reason", " "],
    );
    assert_eq!(empty.code, 1);
    assert!(
        empty.said.contains("--reason must say why"),
        "{}",
        empty.said
    );
}

#[test]
fn a_backup_is_its_owners_alone_and_overwrites_nothing() {
    let folder = folder();
    let at = folder.path();
    done(
        at,
        "products add search --name Search --route api.example.com/search",
    );
    done(at, "backup --to copy.db");
    let copy = at.join("copy.db");
    assert_eq!(
        fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let before = fs::read(&copy).unwrap();
    refused(at, "backup --to copy.db");
    assert_eq!(fs::read(&copy).unwrap(), before);
    fs::write(
        at.join("latchkey.toml"),
        "database_url = \"sqlite:copy.db\"\n",
    )
    .unwrap();
    assert!(done(at, "products list").starts_with("search\t"));
}

#[test]
fn a_master_key_that_others_may_read_keeps_the_server_from_starting() {
    let folder = folder();
    let at = folder.path();
    let key = at.join("master.key");
    fs::write(&key, format!("k1 {}\n", "5a".repeat(32))).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let listeners = "[portal]\nlisten = \"127.0.0.1:0\"\n[gate]\nlisten = \"127.0.0.1:0\"\n";
    fs::write(
        at.join("latchkey.toml"),
        format!("master_key_file = \"master.key\"\n{listeners}"),
    )
    .unwrap();
    let ended = latchkey(at, &["serve"]);
    assert_ne!(ended.code, 0);
    assert!(
        ended.said.contains("mode 644") && ended.said.contains("chmod 600 master.key"),
        "{}",
        ended.said
    );
    assert!(!ended.said.contains("5a5a"), "{}", ended.said);
}

#[test]
fn a_taken_address_is_named() {
    let folder = folder();
    let at = folder.path();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let text = format!("[portal]\nlisten = \"{address}\"\n[gate]\nlisten = \"127.0.0.1:0\"\n");
    fs::write(at.join("latchkey.toml"), text).unwrap();
    let ended = latchkey(at, &["serve"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended
            .said
            .contains(&format!("The portal cannot listen on {address}")),
        "{}",
        ended.said
    );
}
