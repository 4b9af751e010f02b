//! One request's name, from the gate through nginx to the API, into the logs, and to the page that explains it.

use crate::http::{Answer, Ask};
use crate::needs;
use crate::operator::{HOST, Installation, PATH, make_key, sign_up};
use crate::page::Browser;
use crate::proxy::Proxied;
use diesel::prelude::*;
use serde_json::Value;

#[derive(QueryableByName)]
struct Event {
    #[diesel(sql_type = diesel::sql_types::Text)]
    action: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    target: String,
}

/// The audit events that a request left.
fn events(installation: &Installation, id: &str) -> Vec<(String, String)> {
    let file = installation.path().join("data/latchkey.db");
    let mut database = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let events: Vec<Event> =
        diesel::sql_query("SELECT action, target FROM audit_events WHERE request_id = ?")
            .bind::<diesel::sql_types::Text, _>(id)
            .load(&mut database)
            .unwrap();
    events.into_iter().map(|e| (e.action, e.target)).collect()
}

fn id_of(answer: &Answer) -> String {
    let id = answer.header("latchkey-request-id").expect("a request id");
    assert!(id.starts_with("req_") && id.len() == 30, "{id}");
    id.to_owned()
}

fn line_with(log: &str, id: &str) -> String {
    let mut lines = log.lines().filter(|line| line.contains(id));
    let line = lines
        .next()
        .unwrap_or_else(|| panic!("no line with {id} in:\n{log}"));
    assert!(lines.next().is_none(), "more than one line with {id}");
    line.to_owned()
}

#[test]
fn t_61_one_request_has_one_name_from_the_proxy_to_the_page() {
    let installation = Installation::new();
    let latchkey = installation.serve_with(&[("LATCHKEY_LOG__FORMAT", "json")]);
    let Some(nginx) = Proxied::start(&latchkey.gate) else {
        return;
    };
    let owner = sign_up(&latchkey, "Olga Owner", "Owner Maps", "olga@owner.example");
    let mut browser = Browser::signed_in(&latchkey.portal, &owner);
    let made = make_key(&mut browser, owner.account.as_deref().unwrap(), "A key");
    let ask = |path: &str| {
        Ask::get(path)
            .header("Host", HOST)
            .header("X-API-Key", &made.secret)
            .send(&nginx.address)
    };

    let admitted = ask(&format!("{PATH}?from=here"));
    assert_eq!(admitted.status, 200, "{}", admitted.text());
    let id = id_of(&admitted);
    let seen = nginx.take_seen().remove(0);
    assert_eq!(seen.all("Latchkey-Request-Id"), [id.as_str()]);
    let line = needs::soon("the access log's line", || {
        let logs = nginx.logs();
        logs.contains(&id).then(|| line_with(&logs, &id))
    });
    assert!(line.contains(&format!("key={}", made.key_id)), "{line}");
    assert!(!line.contains("from=here"), "the query was logged: {line}");
    assert!(!latchkey.logged().contains(&id), "an allow is not logged");

    let refused = ask("/elsewhere?from=here");
    assert_eq!(refused.status, 403);
    let id = id_of(&refused);
    let error = &refused.json()["error"];
    assert_eq!(error["request_id"], id.as_str());
    let line = needs::soon("the access log's line", || {
        let logs = nginx.logs();
        logs.contains(&id).then(|| line_with(&logs, &id))
    });
    assert!(line.contains("verdict=PRODUCT_UNKNOWN"), "{line}");
    let line: Value = serde_json::from_str(&line_with(&latchkey.logged(), &id)).unwrap();
    assert_eq!(line["request.id"], id.as_str());
    assert_eq!(line["verdict.code"], "PRODUCT_UNKNOWN");
    assert_eq!(line["key.id"], made.key_id.as_str());
    let help = error["help"].as_str().expect("a link");
    let path = help.strip_prefix(&format!("http://{}", latchkey.portal));
    let path = path.unwrap_or_else(|| panic!("{help} leads elsewhere"));
    assert!(path.starts_with(&format!("/r/{id}")), "{help}");
    let mut anybody = Browser::at(&latchkey.portal);
    anybody.get(path);
    assert_eq!(anybody.status, 200, "{}", anybody.text());
    assert!(anybody.text().contains(&id) && anybody.text().contains("PRODUCT_UNKNOWN"));
}

#[test]
fn t_61_a_portals_answer_its_log_line_and_its_audit_event_have_one_name() {
    let installation = Installation::new();
    let latchkey = installation.serve_with(&[("LATCHKEY_LOG__FORMAT", "json")]);
    let owner = sign_up(&latchkey, "Olga Owner", "Owner Maps", "olga@owner.example");
    let mut browser = Browser::signed_in(&latchkey.portal, &owner);
    let made = make_key(&mut browser, owner.account.as_deref().unwrap(), "A key");
    let id = id_of(&browser.answer);
    let line: Value = serde_json::from_str(&line_with(&latchkey.logged(), &id)).unwrap();
    assert_eq!(line["http.method"], "POST");
    assert_eq!(line["http.route"], "/accounts/{account}/keys/new");
    let event = ("key.created".to_owned(), made.key_id.clone());
    assert_eq!(events(&installation, &id), [event]);

    browser.get("/accounts/nobodys/keys");
    assert_eq!(browser.status, 404);
    let id = id_of(&browser.answer);
    assert!(browser.text().contains(&id), "{}", browser.text());
    let line: Value = serde_json::from_str(&line_with(&latchkey.logged(), &id)).unwrap();
    assert_eq!(
        (&line["http.status"], &line["request.id"]),
        (&404.into(), &id.as_str().into())
    );
    assert!(events(&installation, &id).is_empty(), "nothing was changed");
}
