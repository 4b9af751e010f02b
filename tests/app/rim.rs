//! What holds of every answer: headers, hosts, sizes, panics, errors as pages.

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::test::{self, TestRequest};
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse};
use latchkey::portal;
use latchkey::web::rim;

use crate::access::filled;
use crate::world::{ACCOUNT, Actor, Answer, Plan, World};

const ALWAYS: [(&str, &str); 8] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    (
        "permissions-policy",
        "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    ),
];

fn has_them_all(answer: &Answer, https: bool, what: &str) {
    for (name, value) in ALWAYS {
        assert_eq!(answer.header(name), Some(value), "{name} of {what}");
    }
    let strict = https.then_some("max-age=63072000");
    assert_eq!(answer.header("strict-transport-security"), strict, "{what}");
    assert_eq!(answer.header("server"), None, "{what}");
    let id = answer.header("latchkey-request-id").unwrap_or_default();
    assert!(id.starts_with("req_"), "{what} has no name");
}

#[actix_web::test]
async fn t_53_every_answer_carries_the_headers_errors_too() {
    for public_url in ["https://keys.example.com", "http://127.0.0.1:8080"] {
        let https = public_url.starts_with("https");
        let world = World::planned(Plan {
            public_url,
            ..Plan::default()
        })
        .await;
        let key_id = world.key("Shop front").await;
        for actor in [
            Actor::Anonymous,
            Actor::Stranger,
            Actor::Owner,
            Actor::Admin,
        ] {
            let mut browser = world.signed_in(actor).await;
            let cookies = browser.cookies.clone();
            let mut asked: Vec<(Method, String)> = portal::routes()
                .iter()
                .map(|route| {
                    (
                        Method::from_bytes(route.method.as_bytes()).unwrap(),
                        filled(route, ACCOUNT, &key_id),
                    )
                })
                .collect();
            asked.extend([
                (Method::GET, "/nothing/here".to_owned()),
                (Method::PUT, "/sign-in".to_owned()),
                (Method::TRACE, "/".to_owned()),
                (Method::GET, "/brand.css".to_owned()),
            ]);
            for (method, path) in asked {
                browser.cookies.clone_from(&cookies);
                let request = browser.request(method.clone(), &path);
                let answer = browser.send(request).await;
                has_them_all(answer, https, &format!("{actor:?} {method} {path}"));
                if path == "/sign-out" {
                    browser = world.signed_in(actor).await;
                }
            }
        }
    }
}

#[actix_web::test]
async fn t_53_what_a_signed_in_person_sees_is_stored_by_nobody() {
    let world = World::new().await;
    for (actor, path, stored) in [
        (
            Actor::Owner,
            format!("/accounts/{ACCOUNT}/keys"),
            "no-store",
        ),
        (Actor::Owner, "/nothing/here".to_owned(), "no-store"),
        (Actor::Anonymous, "/sign-in".to_owned(), "private, no-cache"),
    ] {
        let mut browser = world.signed_in(actor).await;
        let request = browser.request(Method::GET, &path);
        assert_eq!(
            browser.send(request).await.header("cache-control"),
            Some(stored),
            "{path}"
        );
    }
}

#[actix_web::test]
async fn t_42_other_hosts_are_answered_421() {
    let world = World::planned(Plan {
        public_url: "https://keys.example.com",
        ..Plan::default()
    })
    .await;
    for (host, status) in [
        ("keys.example.com", 200),
        ("evil.example", 421),
        ("localhost", 421),
        ("keys.example.com.evil.example", 421),
    ] {
        let answer = world
            .call(
                TestRequest::get()
                    .uri("/sign-in")
                    .insert_header(("host", host)),
            )
            .await;
        assert_eq!(answer.status, status, "{host}");
        assert!(!answer.body.contains("evil.example"));
    }
    let world = World::new().await;
    for (host, status) in [
        ("localhost:8080", 200),
        ("127.0.0.1:8080", 200),
        ("[::1]:8080", 200),
        ("evil.example", 421),
    ] {
        assert_eq!(
            world
                .call(
                    TestRequest::get()
                        .uri("/sign-in")
                        .insert_header(("host", host))
                )
                .await
                .status,
            status,
            "{host}"
        );
    }
}

#[actix_web::test]
async fn t_46_trace_and_foreign_methods_are_405() {
    let world = World::new().await;
    let mut browser = world.browser();
    for (method, path) in [
        (Method::TRACE, "/sign-in"),
        (Method::TRACE, "/nothing"),
        (Method::PUT, "/sign-in"),
        (Method::DELETE, "/"),
        (Method::OPTIONS, "/sign-in"),
    ] {
        let request = browser.request(method.clone(), path);
        let answer = browser.send(request).await;
        assert_eq!(answer.status, 405, "{method} {path}");
        assert!(
            answer
                .header("allow")
                .is_some_and(|allow| allow.contains("GET")),
            "{method} {path}"
        );
    }
}

#[actix_web::test]
async fn t_60_bodies_are_bounded_and_never_packed() {
    let world = World::new().await;
    let mut browser = world.browser();
    let request = browser
        .request(Method::POST, "/sign-in")
        .insert_header(("content-type", "application/x-www-form-urlencoded"))
        .set_payload("a".repeat(65 * 1024));
    let answer = browser.send(request).await;
    assert_eq!(answer.status, 413);
    assert!(answer.body.contains("more than is read of one"));
    let request = browser
        .request(Method::POST, "/sign-in")
        .insert_header(("content-encoding", "gzip"))
        .set_payload("x");
    assert_eq!(browser.send(request).await.status, 415);
    let request = browser
        .request(Method::POST, "/sign-in")
        .insert_header(("content-type", "application/json"))
        .set_payload("{}");
    assert_eq!(browser.send(request).await.status, 415);
}

#[actix_web::test]
async fn t_28_an_unknown_field_is_refused_by_name_on_every_form() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    for route in portal::routes().iter().filter(|route| route.writes()) {
        let mut browser = world
            .signed_in(if route.path.starts_with("/staff/") {
                Actor::Admin
            } else {
                Actor::Owner
            })
            .await;
        let before = world.dump();
        for (body, says) in [
            ("role=owner", "no field named &#34;role&#34;"),
            ("is_admin=1&is_admin=2", "is_admin"),
        ] {
            let request = browser
                .request(Method::POST, &filled(route, ACCOUNT, &key_id))
                .insert_header(("content-type", "application/x-www-form-urlencoded"))
                .set_payload(body);
            let answer = browser.send(request).await;
            assert_eq!(answer.status, 400, "{} {body}", route.path);
            assert!(
                answer.body.contains(says),
                "{}: {}",
                route.path,
                answer.body
            );
        }
        assert_eq!(world.dump(), before, "{}", route.path);
    }
}

async fn panics() -> HttpResponse {
    panic!("canary in a panic")
}

async fn works() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[actix_web::test]
async fn t_61_a_panic_is_a_500_page_with_a_request_id_and_the_process_lives() {
    let world = World::new().await;
    let app = App::new()
        .app_data(Data::new(world.shared.clone()))
        .service(
            web::scope("")
                .wrap(from_fn(rim::rim))
                .route("/panics", web::get().to(panics))
                .route("/works", web::get().to(works)),
        );
    let service = test::init_service(app).await;
    let ask = |path: &'static str| {
        TestRequest::get()
            .uri(path)
            .insert_header(("host", "127.0.0.1:8080"))
            .to_request()
    };
    for _ in 0..2 {
        let error = test::try_call_service(&service, ask("/panics"))
            .await
            .expect_err("the panic is an error");
        let answer = error.as_response_error().error_response();
        assert_eq!(answer.status(), 500);
        assert_eq!(answer.headers().get("x-frame-options").unwrap(), "DENY");
        let body = actix_web::body::to_bytes(answer.into_body())
            .await
            .ok()
            .unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(
            body.contains("Something broke on our side") && body.contains("req_"),
            "{body}"
        );
        assert!(!body.contains("canary"));
        assert_eq!(
            test::call_service(&service, ask("/works")).await.status(),
            200
        );
    }
}

#[actix_web::test]
async fn t_61_error_pages_name_the_request() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.get("/nothing/here").await;
    assert_eq!(browser.answer.status, 404);
    assert!(browser.one("#request").starts_with("req_"));
    assert!(browser.one("title").starts_with("There is nothing here"));
}

#[actix_web::test]
async fn a_database_that_fails_is_a_page_that_tells_nothing_of_it() {
    for (table, status) in [("sessions", 503), ("keys", 500)] {
        let world = World::new().await;
        let mut browser = world.signed_in(Actor::Owner).await;
        world.lose(table);
        let request = browser.request(Method::GET, &crate::world::keys());
        let answer = browser.send(request).await.clone();
        assert_eq!(answer.status, status, "{table}");
        has_them_all(&answer, false, table);
        assert!(
            answer.body.contains("req_") && !answer.body.contains("no such table"),
            "{table}"
        );
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert_eq!(answer.header("retry-after").is_some(), status == 503);
    }
}

#[actix_web::test]
async fn the_operators_links_stand_where_people_look_for_them() {
    let world = World::new().await;
    let mut browser = world.signed_in(Actor::Owner).await;
    browser.get(&crate::world::keys()).await;
    for (words, href) in [
        ("Ask for more", "https://northwind.example/plans"),
        ("Terms", "https://northwind.example/terms"),
        ("Support", "mailto:help@northwind.example"),
    ] {
        assert!(
            browser
                .texts(&format!("a[href='{href}']"))
                .contains(&words.to_owned()),
            "{words}"
        );
    }
    assert_eq!(
        browser.get("/brand.css").await.body,
        ":root{--brass:#a16a12}"
    );
    assert_eq!(browser.get("/brand/logo").await.status, 404);
    assert_eq!(
        browser.get("/favicon.svg").await.header("content-type"),
        Some("image/svg+xml")
    );
}
