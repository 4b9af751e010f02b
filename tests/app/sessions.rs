//! Signing in and out, and what a session is worth.

use std::collections::BTreeMap;

use actix_web::cookie::Cookie;
use actix_web::http::Method;

use crate::world::{ACCOUNT, Actor, PASSWORD, Plan, World};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

async fn is_in(world: &World, cookies: &BTreeMap<String, Cookie<'static>>, path: &str) -> bool {
    let mut browser = world.browser();
    browser.cookies.clone_from(cookies);
    let request = browser.request(Method::GET, path);
    browser.send(request).await.status == 200
}

fn keys() -> String {
    format!("/accounts/{ACCOUNT}/keys")
}

#[actix_web::test]
async fn t_08_the_cookie_is_bound_to_host_and_tls_and_the_database_holds_a_digest() {
    let world = World::planned(Plan {
        public_url: "https://keys.example.com",
        ..Plan::default()
    })
    .await;
    let mut browser = world.browser();
    browser.get("/sign-in").await;
    let form = browser.form("Sign in");
    let fields: Vec<(String, String)> = form
        .fields
        .iter()
        .map(|(name, _)| {
            (
                name.clone(),
                match name.as_str() {
                    "email" => Actor::Owner.email(),
                    "password" => PASSWORD.to_owned(),
                    _ => String::new(),
                },
            )
        })
        .collect();
    let request = browser
        .request(Method::POST, "/sign-in")
        .insert_header(("content-type", "application/x-www-form-urlencoded"))
        .set_payload(crate::browser::encoded(&fields));
    let answer = browser.send(request).await.clone();
    let line = answer
        .all("set-cookie")
        .into_iter()
        .find(|line| line.starts_with("__Host-lk_session="))
        .expect("a session cookie")
        .to_owned();
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(line.split("; ").any(|one| one == part), "{part} in {line}");
    }
    assert!(!line.contains("Domain="));
    let value = Cookie::parse_encoded(line).unwrap().value().to_owned();
    let (_, token) = value.split_at(value.len() - 43);
    let dump = world.dump().to_lowercase();
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    assert!(!dump.contains(&token.to_lowercase()) && !dump.contains(&hex(token.as_bytes())));
    assert!(dump.contains(&hex(&latchkey::web::token::digest(token))));
}

#[actix_web::test]
async fn t_09_signing_in_gives_a_new_token_and_the_old_one_is_dead() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Viewer).await;
    let first = browser.cookies.clone();
    assert!(is_in(&world, &first, &keys()).await);
    browser
        .post(
            "/sign-in",
            &[
                ("email", &Actor::Owner.email()),
                ("password", PASSWORD),
                ("next", "/"),
            ],
        )
        .await;
    assert!(browser.text().contains("Person Owner"));
    assert_ne!(
        browser.cookies["lk_session"].value(),
        first["lk_session"].value()
    );
    assert!(
        !is_in(&world, &first, &keys()).await,
        "the old token is dead"
    );
}

#[actix_web::test]
async fn t_09_a_planted_cookie_is_never_adopted() {
    let world = World::new().await;
    let mut thief = world.signed_in(Actor::Viewer).await;
    let planted = thief.cookies["lk_session"].clone();
    thief.post("/sign-out", &[]).await;
    for value in [
        planted.value().to_owned(),
        "a".repeat(87),
        String::from("x"),
    ] {
        let mut browser = world.browser();
        browser.cookies.insert(
            "lk_session".to_owned(),
            Cookie::new("lk_session", value.clone()),
        );
        browser.sign_in(&Actor::Owner.email(), PASSWORD).await;
        assert_eq!(browser.path, keys());
        assert_ne!(browser.cookies["lk_session"].value(), value);
        let planted = [("lk_session".to_owned(), Cookie::new("lk_session", value))].into();
        assert!(!is_in(&world, &planted, &keys()).await);
    }
}

#[actix_web::test]
async fn t_10_a_member_is_out_after_8_idle_hours_or_7_days() {
    let world = World::new().await;
    let idle = world.signed_in(Actor::Viewer).await.cookies;
    world.hand.advance_ms(8 * HOUR - MINUTE);
    assert!(is_in(&world, &idle, &keys()).await);
    world.hand.advance_ms(8 * HOUR + MINUTE);
    assert!(!is_in(&world, &idle, &keys()).await, "idle");
    let busy = world.signed_in(Actor::Viewer).await.cookies;
    for _ in 0..(7 * 24 / 7) - 1 {
        world.hand.advance_ms(7 * HOUR);
        assert!(is_in(&world, &busy, &keys()).await);
    }
    world.hand.advance_ms(7 * HOUR + MINUTE);
    assert!(!is_in(&world, &busy, &keys()).await, "a week");
}

#[actix_web::test]
async fn r_09_t_52_a_session_that_was_over_stays_so_when_the_clock_is_set_back() {
    let world = World::new().await;
    let cookies = world.signed_in(Actor::Viewer).await.cookies;
    let other = world.signed_in(Actor::Viewer).await.cookies;
    world.hand.advance_ms(8 * HOUR);
    assert!(!is_in(&world, &cookies, &keys()).await, "idle");
    world.hand.advance_ms(-HOUR);
    assert!(!is_in(&world, &cookies, &keys()).await, "it was over");
    // The one that nobody used meanwhile was not.
    assert!(is_in(&world, &other, &keys()).await);
    world.hand.advance_ms(-9 * HOUR);
    assert!(!is_in(&world, &other, &keys()).await, "it has not begun");
}

/// Whoever is signed in is led on from the sign-in page.
async fn is_led_on(world: &World, cookies: &BTreeMap<String, Cookie<'static>>) -> bool {
    let mut browser = world.browser();
    browser.cookies.clone_from(cookies);
    let request = browser.request(Method::GET, "/sign-in");
    browser.send(request).await.status == 303
}

#[actix_web::test]
async fn t_10_staff_are_out_after_30_idle_minutes_or_12_hours() {
    let world = World::new().await;
    let idle = world.signed_in(Actor::Support).await.cookies;
    world.hand.advance_ms(29 * MINUTE);
    assert!(is_led_on(&world, &idle).await);
    world.hand.advance_ms(31 * MINUTE);
    assert!(!is_led_on(&world, &idle).await, "idle");
    let busy = world.signed_in(Actor::Support).await.cookies;
    for _ in 0..35 {
        world.hand.advance_ms(20 * MINUTE);
        assert!(is_led_on(&world, &busy).await);
    }
    world.hand.advance_ms(21 * MINUTE);
    assert!(!is_led_on(&world, &busy).await, "half a day");
}

#[actix_web::test]
async fn t_11_after_signing_out_the_token_opens_nothing() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Owner).await;
    let kept = browser.cookies.clone();
    let form = browser.form("Sign out");
    assert_eq!(
        (form.method.as_str(), form.action.as_str()),
        ("post", "/sign-out")
    );
    let request = browser.request(Method::POST, "/sign-out");
    let answer = browser.send(request).await;
    assert_eq!(answer.status, 303);
    assert_eq!(
        answer.header("clear-site-data"),
        Some("\"cache\", \"storage\"")
    );
    assert!(!browser.cookies.contains_key("lk_session"));
    assert!(!is_in(&world, &kept, &keys()).await);
    browser.get("/").await;
    assert_eq!(browser.path, "/sign-in");
    assert!(browser.text().contains("You are signed out."));
}

#[actix_web::test]
async fn a_wrong_password_and_an_unknown_address_read_the_same() {
    let world = World::new().await;
    let mut pages = Vec::new();
    for email in ["viewer@example.com", "nobody@example.com"] {
        let mut browser = world.browser();
        browser.sign_in(email, "not the password at all").await;
        assert_eq!(browser.answer.status, 422);
        assert_eq!(browser.texts("#password[aria-invalid=true]").len(), 1);
        assert!(browser.one("title").contains("(1 error)"));
        assert!(
            browser.answer.body.contains(&format!("value=\"{email}\"")),
            "what was typed stays"
        );
        pages.push((
            browser.answer.body.replace(email, "EMAIL"),
            browser.answer.headers_alike(),
        ));
    }
    assert_eq!(pages[0], pages[1]);
}

#[actix_web::test]
async fn t_56_signing_in_leads_back_and_never_away() {
    let world = World::new().await;
    let mut browser = world.browser();
    let wanted = format!("/accounts/{ACCOUNT}/keys?status=active");
    browser.get(&wanted).await;
    assert!(browser.path.starts_with("/sign-in?next="));
    browser
        .submit(
            "Sign in",
            &[("email", &Actor::Viewer.email()), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(browser.path, wanted);
    for next in [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
    ] {
        let mut browser = world.browser();
        browser
            .post(
                "/sign-in",
                &[
                    ("email", &Actor::Viewer.email()),
                    ("password", PASSWORD),
                    ("next", next),
                ],
            )
            .await;
        assert_eq!(browser.path, keys(), "{next}");
    }
}

#[actix_web::test]
async fn t_01_a_weaker_hash_is_replaced_at_sign_in() {
    let world = World::new().await;
    let weak = "$argon2id$v=19$m=8,t=1,p=1$".to_owned();
    let hash = {
        use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
        let hasher = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(8, 1, 1, None).unwrap(),
        );
        hasher
            .hash_password(PASSWORD.as_bytes())
            .unwrap()
            .to_string()
    };
    assert!(hash.starts_with(&weak));
    let handle = world.handle(Actor::Viewer).await;
    world
        .db
        .change(move |c| latchkey::store::users::set_password(c, &handle, &hash))
        .await
        .unwrap();
    assert!(world.dump().contains(&weak));
    world.signed_in(Actor::Viewer).await;
    assert!(!world.dump().contains(&weak));
    world.signed_in(Actor::Viewer).await;
}
