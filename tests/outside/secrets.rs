//! After a day's work, no secret stands anywhere but where it was shown: not in the database, its journal, a backup, a log, the
//! metrics, nor in a log of the proxy, in no spelling.

use crate::http::Ask;
use crate::needs;
use crate::operator::{HOST, Installation, PASSWORD, PATH, PRODUCT, make_key, sign_up};
use crate::page::Browser;
use crate::process::Latchkey;
use crate::proxy::Proxied;
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use std::fs;
use std::path::Path;

/// The spellings in which a secret might have been written down.
fn spellings(secret: &str) -> Vec<Vec<u8>> {
    let mut found = vec![
        secret.to_owned(),
        HEXLOWER.encode(secret.as_bytes()),
        HEXUPPER.encode(secret.as_bytes()),
        percent_encoding::percent_encode(secret.as_bytes(), percent_encoding::NON_ALPHANUMERIC)
            .to_string(),
        percented(&HEXLOWER.encode(secret.as_bytes())),
        percented(&HEXUPPER.encode(secret.as_bytes())),
    ];
    // In base64 it looks different at each of three offsets; what touches the neighbours is cut off.
    for offset in 0..3 {
        let shifted = format!("{}{secret}", "x".repeat(offset)).into_bytes();
        for encoded in [BASE64.encode(&shifted), BASE64URL_NOPAD.encode(&shifted)] {
            let bare = encoded.trim_end_matches('=');
            found.push(bare.get(4..bare.len() - 3).unwrap().to_owned());
        }
    }
    // Without what goes before, which all secrets share.
    found.extend(secret.strip_prefix("lk_live_").map(str::to_owned));
    found.into_iter().map(String::into_bytes).collect()
}

/// Two hexadecimal digits after each percent sign.
fn percented(hex: &str) -> String {
    let pairs: Vec<String> = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| String::from_utf8_lossy(pair).into_owned())
        .collect();
    format!("%{}", pairs.join("%"))
}

/// Every file below a folder, with its content.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found
}

fn found_in(places: &[(String, Vec<u8>)], secrets: &[(&str, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (what, secret) in secrets {
        for spelling in spellings(secret) {
            for (place, content) in places {
                if content
                    .windows(spelling.len())
                    .any(|window| window == spelling)
                {
                    let shown = String::from_utf8_lossy(&spelling).into_owned();
                    found.push(format!("{what} in {place} as {shown}"));
                }
            }
        }
    }
    found
}

/// Everything a client may do wrong with a secret, and some things right.
fn work(latchkey: &Latchkey, nginx: Option<&Proxied>, secret: &str) {
    let basic = BASE64.encode(format!("{secret}:").as_bytes());
    let doors = [
        Some(&latchkey.gate),
        nginx.map(|n| &n.address),
        Some(&latchkey.portal),
    ];
    for door in doors.into_iter().flatten() {
        for query in ["?key=", "?api_key=", "?other=", "?%6bey=", "/"] {
            let target = format!("{PATH}{query}{secret}");
            for own in [
                "/v1/authorize",
                "/v1/nginx/authorize",
                "/v1/preflight",
                &target,
            ] {
                let ask = Ask::get(own)
                    .header("X-API-Key", secret)
                    .header("Authorization", &format!("Basic {basic}"))
                    .header("X-Forwarded-Host", HOST)
                    .header("X-Forwarded-Method", "GET")
                    .header("X-Forwarded-Uri", &target)
                    .header("Referer", &format!("https://{HOST}{target}"));
                let ask = if door == &latchkey.portal {
                    ask
                } else {
                    ask.header("Host", HOST)
                };
                ask.send(door);
            }
        }
        let broken = format!("{{\"secret\": \"{secret}\", \"secret\": ");
        for body in [
            broken,
            format!("{{\"{secret}\": 1}}"),
            format!("{{\"secret\": [\"{secret}\"]}}"),
        ] {
            Ask::new("POST", "/v1/verify")
                .body("application/json", body)
                .send(door);
        }
    }
}

#[test]
fn t_33_no_secret_is_written_down_anywhere_in_any_spelling() {
    let installation = Installation::new();
    let mut latchkey = installation.serve();
    let nginx = Proxied::start(&latchkey.gate);
    let owner = sign_up(&latchkey, "Olga Owner", "Owner Maps", "olga@owner.example");
    let account = owner.account.as_deref().unwrap();
    let mut browser = Browser::signed_in(&latchkey.portal, &owner);
    let one = make_key(&mut browser, account, "Kept");
    let two = make_key(&mut browser, account, "Deleted");
    let (admin, link) = installation.admin(&latchkey);
    let mut staff = Browser::signed_in(&latchkey.portal, &admin);
    for made in [&one, &two] {
        assert_eq!(latchkey.code(&made.secret, PRODUCT), "VALID");
        work(&latchkey, nginx.as_ref(), &made.secret);
        staff
            .get("/staff/look-up")
            .submit("Look up", &[("q", &made.secret)]);
    }
    browser
        .get(&format!("{}/delete", two.path))
        .submit("Delete", &[("name", "Deleted")]);
    browser.get("/sign-in");
    needs::soon("the activity is written", || {
        browser.get(&format!("{}/activity.csv?range=today", one.path));
        browser.html().contains("VALID").then_some(())
    });
    installation.done(&["backup", "--to", "copy.db"]);

    let link = link.rsplit(['/', '=']).next().unwrap().to_owned();
    assert!(link.len() >= 40, "the link's token: {link}");
    let mut secrets = vec![
        ("a secret", one.secret.clone()),
        ("a deleted key's secret", two.secret.clone()),
        ("a password", PASSWORD.to_owned()),
        ("a link's token", link),
    ];
    for session in browser.cookie_values().chain(staff.cookie_values()) {
        secrets.push(("a session's token", session));
    }
    assert!(secrets.len() >= 6, "both sessions have a cookie");

    let metrics = Ask::get("/metrics").send(&latchkey.gate).body;
    let mut places = files(installation.path());
    assert!(
        places.iter().any(|(name, _)| name.ends_with("-wal")),
        "the journal is looked at too"
    );
    places.push(("the metrics".to_owned(), metrics));
    places.push((
        "nginx's logs".to_owned(),
        nginx.map(|n| n.logs()).unwrap_or_default().into_bytes(),
    ));
    latchkey.stop();
    places.extend(files(installation.path()));
    for needed in ["latchkey.db", "copy.db", ".err"] {
        let has =
            |(name, content): &(String, Vec<u8>)| name.ends_with(needed) && !content.is_empty();
        assert!(places.iter().any(has), "{needed} was looked at");
    }
    let found = found_in(&places, &secrets);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let secret = "lk_live_4fQ2nX7vKp0LrT9sYb3WcZ8dHjM5aE1u6GiNoPqRtSw4RrxHu".to_owned();
    for written in [
        format!("GET /?key={secret} HTTP/1.1"),
        BASE64.encode(format!("user={secret}&x").as_bytes()),
        BASE64URL_NOPAD.encode(format!("{secret}:").as_bytes()),
        HEXLOWER.encode(format!("a{secret}b").as_bytes()),
        format!("lk%5Flive%5F{}", secret.split_at(8).1),
    ] {
        let place = [("here".to_owned(), written.into_bytes())];
        assert!(
            !found_in(&place, &[("it", secret.clone())]).is_empty(),
            "{place:?}"
        );
    }
}
