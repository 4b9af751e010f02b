//! Every route, asked by every role of the design's list (T-26).

use actix_web::http::Method;
use latchkey::{
    portal,
    web::route::{Route, Who},
};

use crate::browser::Browser;
use crate::world::{ACCOUNT, Actor, Answer, Plan, World};

/// What a role meets at a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meets {
    /// The page, a form's errors, or a redirect to go on.
    Served,
    /// The way to sign in.
    SignInFirst,
    /// A role that is too low.
    Forbidden,
    /// Nothing, as at an address that does not exist.
    NotFound,
}

fn expected(who: Who, actor: Actor) -> Meets {
    use Actor::{Admin, Anonymous, ApiToken, Developer, Owner, Support, Viewer};
    let (lowest, roles): (Actor, &[Actor]) = match who {
        Who::Anyone => return Meets::Served,
        _ if matches!(actor, Anonymous | ApiToken) => return Meets::SignInFirst,
        Who::SignedIn => return Meets::Served,
        Who::Viewer => (Viewer, &[Viewer, Developer, Owner]),
        Who::Developer => (Developer, &[Viewer, Developer, Owner]),
        Who::Owner => (Owner, &[Viewer, Developer, Owner]),
        Who::Support => (Support, &[Support, Admin]),
        Who::Admin => (Admin, &[Support, Admin]),
    };
    let rank = |of: Actor| roles.iter().position(|role| *role == of);
    match (rank(actor), rank(lowest)) {
        (None, _) => Meets::NotFound,
        (have, need) if have < need => Meets::Forbidden,
        _ => Meets::Served,
    }
}

fn met(answer: &Answer) -> Meets {
    match answer.status {
        303 if answer
            .header("location")
            .unwrap()
            .starts_with("/sign-in?next=") =>
        {
            Meets::SignInFirst
        }
        403 => Meets::Forbidden,
        404 => Meets::NotFound,
        200 | 303 | 308 | 400 | 409 | 410 | 422 => Meets::Served,
        other => panic!("status {other}"),
    }
}

/// A route's path with a real account, a real key and a code in it.
pub(crate) fn filled(route: &Route, account: &str, key_id: &str) -> String {
    let path = route
        .path
        .replace("{account}", account)
        .replace("{key_id}", key_id)
        .replace("{request_id}", "req_abc");
    assert!(
        !path.contains('{'),
        "{path} has a part that the test does not fill in"
    );
    path
}

async fn ask(browser: &mut Browser<'_>, route: &Route, path: &str) -> Answer {
    let method = Method::from_bytes(route.method.as_bytes()).unwrap();
    let mut request = browser.request(method, path);
    if route.writes() {
        request = request
            .insert_header(("content-type", "application/x-www-form-urlencoded"))
            .set_payload("");
    }
    browser.send(request).await.clone()
}

#[actix_web::test]
async fn t_26_every_route_meets_every_role_as_the_table_says() {
    let world = World::planned(Plan {
        mail: true,
        ..Plan::default()
    })
    .await;
    let key_id = world.widget("Shop front").await;
    for actor in Actor::ALL {
        let mut browser = world.signed_in(actor).await;
        let cookies = browser.cookies.clone();
        for route in portal::routes() {
            // Signing out ends the session that the next routes need; it has tests of its own.
            if route.path == "/sign-out" {
                continue;
            }
            browser.cookies.clone_from(&cookies);
            let path = filled(&route, ACCOUNT, &key_id);
            let before = world.dump();
            let answer = ask(&mut browser, &route, &path).await;
            let wanted = expected(route.who, actor);
            assert_eq!(
                met(&answer),
                wanted,
                "{actor:?} {} {path}: {}",
                route.method,
                answer.status
            );
            if wanted != Meets::Served || !route.writes() {
                assert_eq!(
                    world.dump(),
                    before,
                    "{actor:?} {} {path} changed something",
                    route.method
                );
            }
        }
    }
}

#[actix_web::test]
async fn t_13_no_get_changes_anything() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    for actor in Actor::ALL {
        let mut browser = world.signed_in(actor).await;
        for route in portal::routes().iter().filter(|route| !route.writes()) {
            for query in [
                "",
                "?q=x&range=today&next=%2F&verdict=KEY_EXPIRED&token=abc",
            ] {
                let before = world.dump();
                let path = format!("{}{query}", filled(route, ACCOUNT, &key_id));
                let request = browser.request(Method::GET, &path);
                browser.send(request).await;
                assert_eq!(world.dump(), before, "{actor:?} {path}");
            }
        }
    }
}

#[actix_web::test]
async fn t_13_a_write_from_elsewhere_is_refused_on_every_route_signed_in_or_not() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let foreign: [&[(&str, &str)]; 5] = [
        &[("sec-fetch-site", "cross-site")],
        &[
            ("sec-fetch-site", "same-site"),
            ("origin", "http://127.0.0.1:8080"),
        ],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[],
    ];
    for actor in [Actor::Anonymous, Actor::Owner, Actor::Admin] {
        let browser = world.signed_in(actor).await;
        for route in portal::routes().iter().filter(|route| route.writes()) {
            for headers in foreign {
                let before = world.dump();
                let mut request = actix_web::test::TestRequest::post()
                    .uri(&filled(route, ACCOUNT, &key_id))
                    .insert_header(("host", "127.0.0.1:8080"));
                for cookie in browser.cookies.values() {
                    request = request.cookie(cookie.clone());
                }
                for pair in headers {
                    request = request.insert_header(*pair);
                }
                let answer = world.call(request).await;
                assert_eq!(answer.status, 403, "{} {headers:?}", route.path);
                assert!(answer.body.contains("This form did not come from here"));
                assert_eq!(world.dump(), before);
            }
        }
    }
}

#[actix_web::test]
async fn t_27_foreign_and_absent_ids_are_the_same_404() {
    let world = World::new().await;
    let key_id = world.key("Shop front").await;
    let absent = "key_aaaaaaaaaaaaaaaa";
    let mut browser = world.signed_in(Actor::Stranger).await;
    let same = |answer: &Answer, account: &str, key: &str| {
        let request_id = answer
            .body
            .find("req_")
            .and_then(|at| answer.body.get(at..at + 30))
            .unwrap()
            .to_owned();
        (
            answer.status,
            answer
                .body
                .replace(&request_id, "REQ")
                .replace(key, "KEY")
                .replace(account, "ACCOUNT"),
            answer.headers_alike(),
        )
    };
    for route in portal::routes()
        .iter()
        .filter(|route| route.path.contains("{account}"))
    {
        let mut answers = Vec::new();
        // Somebody else's account, an account that does not exist; below the own account, somebody else's key, no key.
        for (account, key) in [
            (ACCOUNT, key_id.as_str()),
            ("no-such-place", absent),
            (crate::world::OTHER, key_id.as_str()),
            (crate::world::OTHER, absent),
        ] {
            if account == crate::world::OTHER && !route.path.contains("{key_id}") {
                continue;
            }
            let answer = ask(&mut browser, route, &filled(route, account, key)).await;
            assert_eq!(answer.status, 404, "{} in {account}", route.path);
            answers.push(same(&answer, account, key));
        }
        assert_eq!(answers[0], answers[1], "{}", route.path);
        if let [_, _, foreign, absent] = answers.as_slice() {
            assert_eq!(foreign, absent, "{}", route.path);
        }
    }
}
