//! After a day's work, no secret stands anywhere but where it was shown: not in the database, its journal, a backup, a log, the
//! metrics, an export, nor in a log of the proxy, in no spelling. The same search runs when any other test of this suite ends.

use crate::canaries;
use crate::database::Database;
use crate::http::Ask;
use crate::needs;
use crate::operator::{HOST, Installation, PATH, PRODUCT, make_key, sign_up};
use crate::page::Browser;
use crate::process::Latchkey;
use crate::proxy::Proxied;
use data_encoding::BASE64;

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
        // Where one pastes a secret by mistake: a method, a page's address, a request's name.
        Ask::new(secret, "/").send(door);
        Ask::get(&format!("/staff/keys/{secret}")).send(door);
        Ask::get(&format!("/r/{secret}")).send(door);
    }
}

/// A day with secrets of every sort, then a look into every corner.
fn a_day(installation: &Installation) {
    let mut latchkey = installation.serve();
    let nginx = Proxied::start(&latchkey.gate);
    let owner = sign_up(&latchkey, "Olga Owner", "Owner Maps", "olga@owner.example");
    let account = owner.account.as_deref().unwrap();
    let mut browser = Browser::signed_in(&latchkey.portal, &owner);
    let one = make_key(&mut browser, account, "Kept");
    let two = make_key(&mut browser, account, "Deleted");
    let (admin, _) = installation.admin(&latchkey);
    let mut staff = Browser::signed_in(&latchkey.portal, &admin);
    let mut guesser = Browser::at(&latchkey.portal);
    let guess = "a wrong but telling passphrase, 17";
    for (email, password) in [
        (&owner.email, guess),
        (&admin.email, owner.password.split_at(1).1),
    ] {
        guesser
            .get("/sign-in")
            .submit("Sign in", &[("email", email), ("password", password)]);
        assert_eq!(guesser.status, 422);
    }
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
    needs::soon("the activity is written", || {
        browser.get(&format!("{}/activity.csv?range=today", one.path));
        browser.html().contains("VALID").then_some(())
    });
    let export = ("the export".to_owned(), browser.answer.body.clone());
    browser.get("/").submit("Sign out", &[]);

    let known = canaries::counted(installation.path());
    for what in [
        "a key's secret",
        "a password",
        "a link's token",
        "a session's token",
    ] {
        let least = if what == "a link's token" { 1 } else { 2 };
        let count = known.get(what).copied().unwrap_or_default();
        assert!(count >= least, "{what}: {known:?}");
    }
    let mut places = canaries::files(installation.path());
    places.push(export);
    let found = canaries::found_in(installation.path(), &places);
    assert!(found.is_empty(), "{}", found.join("\n"));
    latchkey.stop();
    // The rest is searched when `latchkey` and `nginx` go.
}

#[test]
fn t_33_no_secret_is_written_down_anywhere_in_any_spelling() {
    let installation = Installation::new().without_limits();
    a_day(&installation);
    installation.done(&["backup", "--to", "copy.db"]);
    let places = canaries::files(installation.path());
    for needed in ["latchkey.db", "copy.db", ".err"] {
        let has = |(name, content): &canaries::Place| name.ends_with(needed) && !content.is_empty();
        assert!(places.iter().any(has), "{needed} was looked at");
    }
    let found = canaries::found_in(installation.path(), &places);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn t_33_no_secret_is_written_into_postgresql() {
    let Some(database) = Database::new() else {
        return;
    };
    a_day(&Installation::on_postgres(&database.url).without_limits());
}
