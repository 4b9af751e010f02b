//! Two nodes on one PostgreSQL: what one of them did, the other knows. `scripts/drill two-nodes` asks for figures.

use crate::database::Database;
use crate::needs;
use crate::operator::{Installation, PRODUCT, make_key, sign_up};
use crate::page::Browser;
use std::io::Write;
use std::time::Duration;

/// How long the other node took, a change a row.
struct Figures {
    what: &'static str,
    took: Vec<Duration>,
}

impl Figures {
    fn row(&mut self) -> String {
        self.took.sort();
        let at = |i: usize| self.took[i].as_millis();
        let last = self.took.len() - 1;
        format!(
            "  {:<14} {:>4} rounds   min {:>4} ms   p50 {:>4} ms   max {:>4} ms",
            self.what,
            self.took.len(),
            at(0),
            at(last / 2),
            at(last)
        )
    }
}

#[test]
fn r_04_a_new_a_disabled_and_a_deleted_key_are_known_to_the_other_node() {
    let Some(database) = Database::new() else {
        return;
    };
    let drill = needs::variable("LATCHKEY_TEST_DRILL_ROUNDS");
    let rounds: usize = drill
        .as_ref()
        .map_or(3, |rounds| rounds.parse().expect("a number of rounds"));
    let installation = Installation::on_postgres(&database.url);
    let (here, there) = (
        installation.serve_node("here"),
        installation.serve_node("there"),
    );
    let owner = sign_up(&here, "Olga Owner", "Owner Maps", "olga@owner.example");
    let account = owner.account.as_deref().unwrap();
    let mut browser = Browser::signed_in(&here.portal, &owner);
    let mut figures = ["a new key", "a disabled key", "a deleted key"].map(|what| Figures {
        what,
        took: Vec::new(),
    });
    for round in 0..rounds {
        let name = format!("Key {round}");
        let made = make_key(&mut browser, account, &name);
        // Counted from the moment at which the person who did it was told that it is done.
        let until = |code: &str| {
            let done = needs::now();
            needs::soon(code, || {
                (there.code(&made.secret, PRODUCT) == code).then_some(())
            });
            done.elapsed()
        };
        figures[0].took.push(until("VALID"));
        installation.done(&["keys", "disable", &made.key_id, "--reason", "A drill"]);
        figures[1].took.push(until("KEY_DISABLED"));
        browser
            .get(&format!("{}/delete", made.path))
            .submit("Delete", &[("name", &name)]);
        assert_eq!(browser.status, 200, "{}", browser.text());
        figures[2].took.push(until("KEY_NOT_FOUND"));
    }
    let table: Vec<String> = figures.iter_mut().map(Figures::row).collect();
    if drill.is_some() {
        let says = format!("\nKnown to the other node after:\n{}\n", table.join("\n"));
        std::io::stderr().write_all(says.as_bytes()).unwrap();
        let slow = figures
            .iter()
            .any(|f| f.took.iter().any(|took| *took > Duration::from_secs(1)));
        assert!(!slow, "slower than the second that is promised");
    }
}
