//! A browser without scripts: keeps cookies, follows redirects, fills in the forms that stand on the page and no others.

use std::collections::BTreeMap;

use actix_web::cookie::Cookie;
use actix_web::cookie::time::Duration;
use actix_web::http::Method;
use actix_web::test::TestRequest;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use scraper::{ElementRef, Html, Selector};

use crate::world::{Answer, World};

/// A browser.
pub(crate) struct Browser<'w> {
    world: &'w World,
    pub(crate) cookies: BTreeMap<String, Cookie<'static>>,
    pub(crate) path: String,
    pub(crate) answer: Answer,
    pub(crate) authorization: Option<String>,
}

/// A form on a page.
pub(crate) struct Form {
    pub(crate) method: String,
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
    boxes: Vec<(String, String)>,
    radios: Vec<(String, String)>,
}

impl<'w> Browser<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        let answer = Answer {
            status: 0,
            headers: Vec::new(),
            body: String::new(),
        };
        Self {
            world,
            cookies: BTreeMap::new(),
            path: "/".to_owned(),
            answer,
            authorization: None,
        }
    }

    /// A request of this browser, as it would send it.
    pub(crate) fn request(&self, method: Method, path: &str) -> TestRequest {
        let host = self.world.public_url.split_once("://").unwrap().1;
        let mut request = TestRequest::with_uri(path)
            .method(method)
            .insert_header(("host", host))
            .insert_header(("sec-fetch-site", "same-origin"))
            .insert_header(("origin", self.world.public_url));
        for cookie in self.cookies.values() {
            request = request.cookie(cookie.clone());
        }
        if let Some(authorization) = &self.authorization {
            request = request.insert_header(("authorization", authorization.as_str()));
        }
        request
    }

    /// Sends a request and keeps the cookies of its answer, without going anywhere.
    pub(crate) async fn send(&mut self, request: TestRequest) -> &Answer {
        self.answer = self.world.call(request).await;
        for line in self
            .answer
            .all("set-cookie")
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
        {
            let cookie = Cookie::parse_encoded(line).unwrap().into_owned();
            if cookie.max_age() == Some(Duration::ZERO) || cookie.value().is_empty() {
                self.cookies.remove(cookie.name());
            } else {
                self.cookies.insert(
                    cookie.name().to_owned(),
                    Cookie::new(cookie.name().to_owned(), cookie.value().to_owned()),
                );
            }
        }
        &self.answer
    }

    /// Opens a page, going where it leads.
    pub(crate) async fn get(&mut self, path: &str) -> &Answer {
        self.path = path.to_owned();
        let request = self.request(Method::GET, path);
        self.send(request).await;
        self.follow().await
    }

    /// Sends a form's body, going where the answer leads.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> &Answer {
        let fields: Vec<(String, String)> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.path = path.to_owned();
        let request = self
            .request(Method::POST, path)
            .insert_header(("content-type", "application/x-www-form-urlencoded"))
            .set_payload(encoded(&fields));
        self.send(request).await;
        self.follow().await
    }

    async fn follow(&mut self) -> &Answer {
        for _ in 0..5 {
            if self.answer.status != 303 {
                return &self.answer;
            }
            let to = self.answer.header("location").unwrap().to_owned();
            assert!(
                to.starts_with('/') && !to.starts_with("//"),
                "a redirect leads away: {to}"
            );
            self.path = to.clone();
            let request = self.request(Method::GET, &to);
            self.send(request).await;
        }
        panic!("redirects go round in circles at {}", self.path)
    }

    /// The form with that button.
    pub(crate) fn form(&self, button: &str) -> Form {
        let page = self.html();
        let forms = Selector::parse("form").unwrap();
        let buttons = Selector::parse("button").unwrap();
        let found = page
            .select(&forms)
            .find(|form| form.select(&buttons).any(|one| text(one) == button));
        let form = found
            .unwrap_or_else(|| panic!("no button \"{button}\" on {}: {}", self.path, self.text()));
        read_form(form, &self.path)
    }

    /// What the button itself sends.
    fn pressed(&self, button: &str) -> Option<(String, String)> {
        let (page, buttons) = (self.html(), Selector::parse("button[name]").unwrap());
        let pressed = page.select(&buttons).find(|one| text(*one) == button)?;
        let value = pressed.attr("value").unwrap_or_default();
        Some((pressed.attr("name")?.to_owned(), value.to_owned()))
    }

    /// Fills in the form with that button and presses it. A name that the form does not have fails the test.
    pub(crate) async fn submit(&mut self, button: &str, values: &[(&str, &str)]) -> &Answer {
        let mut form = self.form(button);
        form.fields.extend(self.pressed(button));
        for (name, value) in values {
            form.fill(name, value);
        }
        let fields: Vec<(&str, &str)> = form
            .fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        if form.method == "get" {
            let path = format!("{}?{}", form.action, encoded(&form.fields));
            return self.get(&path).await;
        }
        let action = form.action.clone();
        self.post(&action, &fields).await
    }

    /// Signs in by the form.
    pub(crate) async fn sign_in(&mut self, email: &str, password: &str) -> &Answer {
        self.get("/sign-in").await;
        self.submit("Sign in", &[("email", email), ("password", password)])
            .await
    }

    /// The page as a tree.
    pub(crate) fn html(&self) -> Html {
        Html::parse_document(&self.answer.body)
    }

    /// The texts of what a selector finds.
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        self.html()
            .select(&Selector::parse(selector).unwrap())
            .map(text)
            .collect()
    }

    /// An attribute of what a selector finds.
    pub(crate) fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        self.html()
            .select(&Selector::parse(selector).unwrap())
            .filter_map(|found| found.attr(name).map(str::to_owned))
            .collect()
    }

    /// The text of the one thing that a selector finds.
    pub(crate) fn one(&self, selector: &str) -> String {
        let mut found = self.texts(selector);
        assert_eq!(
            found.len(),
            1,
            "{selector} on {}: {}",
            self.path,
            self.text()
        );
        found.remove(0)
    }

    /// The page's words.
    pub(crate) fn text(&self) -> String {
        text(self.html().root_element())
    }
}

impl Form {
    fn fill(&mut self, name: &str, value: &str) {
        if self.boxes.iter().any(|(known, _)| known == name) {
            assert!(
                self.boxes.contains(&(name.to_owned(), value.to_owned())),
                "no box {name}={value}"
            );
            self.fields.push((name.to_owned(), value.to_owned()));
            return;
        }
        if self.radios.iter().any(|(known, _)| known == name) {
            assert!(
                self.radios.contains(&(name.to_owned(), value.to_owned())),
                "no choice {name}={value}"
            );
            self.fields.retain(|(known, _)| known != name);
            self.fields.push((name.to_owned(), value.to_owned()));
            return;
        }
        let field = self.fields.iter_mut().find(|(known, _)| known == name);
        field.unwrap_or_else(|| panic!("no field {name}")).1 = value.to_owned();
    }
}

fn read_form(form: ElementRef<'_>, here: &str) -> Form {
    let path = here.split('?').next().unwrap().to_owned();
    let action = form.attr("action").map_or(path, str::to_owned);
    let (mut fields, mut boxes, mut radios) = (Vec::new(), Vec::new(), Vec::new());
    for field in form.select(&Selector::parse("input, textarea, select").unwrap()) {
        let Some(name) = field.attr("name") else {
            continue;
        };
        let value = field.attr("value").unwrap_or_default().to_owned();
        let pair = (name.to_owned(), value);
        match (field.value().name(), field.attr("type").unwrap_or("text")) {
            ("input", "checkbox") => {
                if field.attr("checked").is_some() {
                    fields.push(pair.clone());
                }
                boxes.push(pair);
            }
            ("input", "radio") => {
                if field.attr("checked").is_some() {
                    fields.push(pair.clone());
                }
                radios.push(pair);
            }
            ("textarea", _) => fields.push((
                name.to_owned(),
                field
                    .text()
                    .collect::<String>()
                    .trim_start_matches('\n')
                    .to_owned(),
            )),
            ("select", _) => fields.push((name.to_owned(), selected(field))),
            _ => fields.push(pair),
        }
    }
    Form {
        method: form.attr("method").unwrap_or("get").to_lowercase(),
        action,
        fields,
        boxes,
        radios,
    }
}

fn selected(select: ElementRef<'_>) -> String {
    let options: Vec<_> = select.select(&Selector::parse("option").unwrap()).collect();
    let chosen = options
        .iter()
        .find(|option| option.attr("selected").is_some())
        .or(options.first());
    chosen
        .and_then(|option| option.attr("value"))
        .unwrap_or_default()
        .to_owned()
}

/// An element's words, spaces folded.
pub(crate) fn text(element: ElementRef<'_>) -> String {
    element
        .text()
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Fields as a form sends them.
pub(crate) fn encoded(fields: &[(String, String)]) -> String {
    let pair = |(name, value): &(String, String)| {
        format!(
            "{}={}",
            utf8_percent_encode(name, NON_ALPHANUMERIC),
            utf8_percent_encode(value, NON_ALPHANUMERIC)
        )
    };
    fields.iter().map(pair).collect::<Vec<_>>().join("&")
}
