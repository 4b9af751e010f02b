//! Signing up.

use latchkey::web::shared::SignUp;

use crate::world::{ACCOUNT, Actor, PASSWORD, Plan, World};

const NEW: [(&str, &str); 4] = [
    ("name", "Ada Byron"),
    ("company", "Analytical Engines"),
    ("email", "ada@example.org"),
    ("password", "a password for the engine"),
];

#[actix_web::test]
async fn from_sign_up_to_delete_by_the_forms_alone() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.get("/sign-up").await;
    browser.submit("Create account", &NEW).await;
    assert_eq!(browser.path, "/sign-in");
    assert!(
        browser
            .one("[role=status].band")
            .contains("its account is ready")
    );

    browser
        .submit(
            "Sign in",
            &[
                ("email", "ada@example.org"),
                ("password", "a password for the engine"),
            ],
        )
        .await;
    assert_eq!(browser.path, "/accounts/analytical-engines/keys");
    assert!(browser.text().contains("Create your first key"));

    browser.get("/accounts/analytical-engines/keys/new").await;
    browser
        .submit(
            "Create key",
            &[
                ("name", "Shop front"),
                ("environment", "live"),
                ("products", "tiles"),
            ],
        )
        .await;
    assert_eq!(browser.answer.status, 200);
    let secret = browser.one("#secret");
    assert!(
        secret.starts_with("nw_live_") && secret.len() == "nw_live_".len() + 49,
        "{secret}"
    );
    let key_id = browser.one("#key-id");

    browser.get("/accounts/analytical-engines/keys").await;
    assert!(browser.text().contains("Shop front") && browser.text().contains(&key_id));
    assert!(!browser.answer.body.contains(&secret));

    browser
        .get(&format!(
            "/accounts/analytical-engines/keys/{key_id}/delete"
        ))
        .await;
    browser
        .submit("Delete key", &[("name", "Shop front")])
        .await;
    assert_eq!(
        browser.path,
        format!("/accounts/analytical-engines/keys/{key_id}")
    );
    assert!(
        browser
            .one("[role=status].band")
            .contains("Shop front is deleted")
    );
    browser.get("/accounts/analytical-engines/keys").await;
    assert!(browser.text().contains("Create your first key"));
}

#[actix_web::test]
async fn t_05_a_taken_address_is_answered_as_a_free_one_is() {
    let world = World::new().await;
    let (mut free, mut taken) = (world.browser(), world.browser());
    let fields = |email: &'static str| {
        [
            ("name", "Ada Byron"),
            ("company", "Analytical Engines"),
            ("email", email),
            ("password", "a password for the engine"),
        ]
    };
    let mut answers = Vec::new();
    for (browser, email) in [
        (&mut free, "developer@example.org"),
        (&mut taken, "developer@example.com"),
    ] {
        let request = browser
            .request(actix_web::http::Method::POST, "/sign-up")
            .insert_header(("content-type", "application/x-www-form-urlencoded"));
        let body: Vec<(String, String)> = fields(email)
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        answers.push(
            browser
                .send(request.set_payload(crate::browser::encoded(&body)))
                .await
                .clone(),
        );
    }
    let shape = |at: usize| {
        (
            answers[at].status,
            answers[at]
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), value.len()))
                .collect::<Vec<_>>(),
            answers[at].body.clone(),
        )
    };
    assert_eq!(shape(0), shape(1));
    free.get("/sign-in").await;
    taken.get("/sign-in").await;
    assert_eq!(free.answer.body, taken.answer.body);

    taken
        .submit(
            "Sign in",
            &[
                ("email", "developer@example.com"),
                ("password", "a password for the engine"),
            ],
        )
        .await;
    assert_eq!(
        taken.answer.status, 422,
        "the old password still is the password"
    );
    taken.sign_in("developer@example.com", PASSWORD).await;
    assert_eq!(taken.path, format!("/accounts/{ACCOUNT}/keys"));
}

#[actix_web::test]
async fn errors_stand_beside_their_fields_and_what_was_typed_stays() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.get("/sign-up").await;
    browser
        .submit(
            "Create account",
            &[
                ("name", ""),
                ("company", "Engines\u{202e}"),
                ("email", "ada"),
                ("password", "short"),
            ],
        )
        .await;
    assert_eq!(browser.answer.status, 422);
    assert_eq!(browser.texts("[aria-invalid=true]").len(), 4);
    assert_eq!(browser.texts("#errors li a").len(), 4);
    assert!(browser.one("title").contains("(4 errors)"));
    assert!(browser.answer.body.contains("value=\"ada\""));
    assert!(
        !browser.answer.body.contains("short"),
        "a password is never sent back"
    );
}

#[actix_web::test]
async fn where_sign_up_is_not_open_nobody_signs_up() {
    for sign_up in [SignUp::Invite, SignUp::Closed] {
        let world = World::planned(Plan {
            sign_up,
            ..Plan::default()
        })
        .await;
        let before = world.dump();
        let mut browser = world.browser();
        browser.get("/sign-up").await;
        assert!(browser.texts("form[action='/sign-up']").is_empty());
        assert_eq!(browser.post("/sign-up", &NEW).await.status, 403);
        assert_eq!(world.dump(), before);
        browser.get("/sign-in").await;
        assert!(!browser.answer.body.contains("/sign-up"));
    }
}

#[actix_web::test]
async fn the_start_leads_to_where_a_person_works() {
    let world = World::new().await;
    for (actor, path) in [
        (Actor::Anonymous, "/sign-in".to_owned()),
        (Actor::Viewer, format!("/accounts/{ACCOUNT}/keys")),
        (Actor::Support, "/staff/look-up".to_owned()),
    ] {
        let mut browser = world.signed_in(actor).await;
        browser.get("/").await;
        assert_eq!(browser.path, path, "{actor:?}");
    }
}
