//! What a server says when it starts on a database that is empty, or newer than itself.

use crate::operator::Installation;
use diesel::prelude::*;

#[test]
fn an_empty_installation_says_how_to_add_a_product() {
    let installation = Installation::empty();
    let latchkey = installation.serve();
    let said = latchkey.logged() + &latchkey.printed();
    assert!(said.contains("latchkey products add"), "{said}");
}

#[test]
fn t_63_a_database_newer_than_the_binary_is_refused_in_a_sentence() {
    let installation = Installation::new();
    drop(installation.serve());
    let file = installation.path().join("data/latchkey.db");
    let mut database = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    diesel::sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')")
        .execute(&mut database)
        .unwrap();
    drop(database);
    let ended = installation.run(&["serve"]);
    assert!(
        matches!(ended.code, Some(1 | 78)),
        "exit {:?}: {}",
        ended.code,
        ended.said
    );
    assert!(ended.said.contains("newer"), "{}", ended.said);
    assert!(!ended.said.contains("panicked"), "{}", ended.said);
}
