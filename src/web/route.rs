//! Routes as data: each family lists its pages once, with who may open them; the same list registers them and is walked by
//! the access test. It knows no page and checks no right: the handler's first argument does.

use actix_web::guard::{self, Guard};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource};

use crate::web::error::Error;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Everybody, signed in or not.
    Anyone,
    /// Everybody who is signed in.
    SignedIn,
    /// Members of the account in the path.
    Viewer,
    /// Members who may change keys.
    Developer,
    /// Members who may change the account.
    Owner,
    /// Staff who look and explain.
    Support,
    /// Staff who change things.
    Admin,
}

/// One route of the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its method.
    pub method: &'static str,
    /// Its path, parameters in braces.
    pub path: &'static str,
    /// Who may use it.
    pub who: Who,
}

impl Route {
    /// Whether it may change something: everything but GET.
    pub fn writes(&self) -> bool {
        self.method != "GET"
    }
}

/// Lists a family's routes: `GET "/path" Who => handler;`. Yields the table `ROUTES` and `configure`, which registers them.
#[macro_export]
macro_rules! routes {
    ($($method:ident $path:literal $who:ident => $handler:path;)+) => {
        /// The routes of this family, for the test that walks them.
        pub(crate) const ROUTES: &[$crate::web::route::Route] = &[$(
            $crate::web::route::Route { method: stringify!($method), path: $path, who: $crate::web::route::Who::$who },
        )+];

        /// Registers the routes of this family.
        pub(crate) fn configure(cfg: &mut ::actix_web::web::ServiceConfig) {
            let mut family = $crate::web::route::Family::default();
            $(family.add(stringify!($method), $path, |route| route.to($handler));)+
            family.register(cfg);
        }
    };
}

/// Routes gathered by path, so that a path that exists answers another method with 405.
#[derive(Default)]
pub struct Family(Vec<(&'static str, Vec<&'static str>, Resource)>);

impl Family {
    /// Adds one route.
    pub fn add(
        &mut self,
        method: &'static str,
        path: &'static str,
        handled: impl FnOnce(actix_web::Route) -> actix_web::Route,
    ) {
        let route = handled(web::route().guard(method_guard(method)));
        match self.0.iter().position(|(known, ..)| *known == path) {
            Some(position) => {
                let (path, mut methods, resource) = self.0.swap_remove(position);
                methods.push(method);
                self.0.push((path, methods, resource.route(route)));
                // Earlier paths win over later ones, so the order of the list is kept.
                let last = self.0.len() - 1;
                self.0.swap(position, last);
            }
            None => self
                .0
                .push((path, vec![method], web::resource(path).route(route))),
        }
    }

    /// Registers them all, each path answering foreign methods with the list of its own.
    pub fn register(self, cfg: &mut ServiceConfig) {
        for (_, methods, resource) in self.0 {
            let allow = allow(&methods);
            cfg.service(resource.default_service(web::to(move || {
                let allow = allow.clone();
                async move { Err::<HttpResponse, Error>(Error::MethodNotAllowed(allow)) }
            })));
        }
    }
}

fn allow(methods: &[&'static str]) -> String {
    let mut all = Vec::with_capacity(methods.len() + 1);
    for method in methods {
        all.push(*method);
        if *method == "GET" {
            all.push("HEAD");
        }
    }
    all.join(", ")
}

fn method_guard(method: &'static str) -> impl Guard {
    let wanted = actix_web::http::Method::from_bytes(method.as_bytes()).unwrap_or_default();
    guard::fn_guard(move |context| {
        let method = &context.head().method;
        *method == wanted
            || (wanted == actix_web::http::Method::GET && *method == actix_web::http::Method::HEAD)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::Method;
    use actix_web::{App, test};

    async fn first() -> &'static str {
        "first"
    }

    async fn second() -> &'static str {
        "second"
    }

    crate::routes! {
        GET "/things/new" Anyone => first;
        GET "/things/{id}" Anyone => second;
        POST "/things/new" Anyone => second;
    }

    #[actix_web::test]
    async fn the_list_registers_what_it_says_in_its_order() {
        assert_eq!(ROUTES.len(), 3);
        assert!(ROUTES.iter().any(Route::writes));
        let app = test::init_service(App::new().configure(configure)).await;
        for (method, path, status, body) in [
            (Method::GET, "/things/new", 200, "first"),
            (Method::GET, "/things/7", 200, "second"),
            (Method::POST, "/things/new", 200, "second"),
            (Method::GET, "/none", 404, ""),
        ] {
            let answer = test::call_service(
                &app,
                test::TestRequest::with_uri(path)
                    .method(method)
                    .to_request(),
            )
            .await;
            assert_eq!(answer.status(), status, "{path}");
            assert_eq!(test::read_body(answer).await, body, "{path}");
        }
    }

    #[actix_web::test]
    async fn t_46_another_method_is_405_with_what_is_allowed() {
        let app = test::init_service(App::new().configure(configure)).await;
        for method in [
            Method::DELETE,
            Method::TRACE,
            Method::from_bytes(b"BREW").unwrap(),
        ] {
            let answer = test::call_service(
                &app,
                test::TestRequest::with_uri("/things/new")
                    .method(method)
                    .to_request(),
            )
            .await;
            assert_eq!(answer.status(), 405);
            assert_eq!(answer.headers().get("Allow").unwrap(), "GET, HEAD, POST");
        }
        let answer = test::call_service(
            &app,
            test::TestRequest::with_uri("/things/7")
                .method(Method::HEAD)
                .to_request(),
        )
        .await;
        assert_eq!(answer.status(), 200);
    }
}
