//! A person's browser without scripts: keeps cookies, follows redirects, and submits forms only as the page's HTML has them, so
//! that a renamed field or a missing button fails.

use crate::canaries;
use crate::facts::Person;
use crate::http::{Answer, Ask};
use scraper::{ElementRef, Html, Selector};
use std::collections::BTreeMap;

/// How long the signature is that goes before a session's token.
const SIGNATURE: usize = 44;

/// A browser at one portal.
pub(crate) struct Browser {
    portal: String,
    cookies: BTreeMap<String, String>,
    /// Path and query of the page it is at.
    pub(crate) at: String,
    pub(crate) status: u16,
    pub(crate) answer: Answer,
}

/// A field of a form, as the page offers it.
struct Field {
    name: String,
    value: String,
    /// A tick box, a radio button or an option: one of several values to choose from.
    choice: bool,
    chosen: bool,
}

fn select(css: &str) -> Selector {
    Selector::parse(css).expect("a selector")
}

fn words(element: ElementRef<'_>) -> String {
    let text: String = element.text().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn joined(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.join("&")
}

impl Browser {
    pub(crate) fn at(portal: &str) -> Self {
        let answer = Answer {
            status: 0,
            headers: Vec::new(),
            body: Vec::new(),
        };
        Self {
            portal: portal.to_owned(),
            cookies: BTreeMap::new(),
            at: "/".to_owned(),
            status: 0,
            answer,
        }
    }

    pub(crate) fn signed_in(portal: &str, person: &Person) -> Self {
        let mut browser = Self::at(portal);
        browser.get("/sign-in").submit(
            "Sign in",
            &[("email", &person.email), ("password", &person.password)],
        );
        assert!(
            browser.status == 200 && !browser.at.starts_with("/sign-in"),
            "{} signs in: {} at {}",
            person.role,
            browser.status,
            browser.at
        );
        browser
    }

    pub(crate) fn get(&mut self, path: &str) -> &mut Self {
        let ask = Ask::get(path);
        self.open(ask, path)
    }

    fn open(&mut self, ask: Ask, path: &str) -> &mut Self {
        let mut ask = ask;
        let mut path = path.to_owned();
        for _ in 0..6 {
            let origin = format!("http://{}", self.portal);
            let answer = self.dressed(ask.clone()).send(&self.portal);
            self.keep_cookies(&answer);
            self.status = answer.status;
            self.at.clone_from(&path);
            let next = answer.header("location").map(str::to_owned);
            self.answer = answer;
            let (301..=303 | 307 | 308, Some(next)) = (self.status, next) else {
                return self;
            };
            path = next.strip_prefix(&origin).unwrap_or(&next).to_owned();
            assert!(path.starts_with('/'), "redirected to {next}");
            ask = Ask::get(path.split('#').next().unwrap());
        }
        panic!("redirected without end, last to {path}");
    }

    /// What a browser adds to a request of its page's own.
    fn dressed(&self, ask: Ask) -> Ask {
        let dressed = ask
            .header("Accept", "text/html")
            .header("Origin", &format!("http://{}", self.portal))
            .header("Sec-Fetch-Site", "same-origin");
        if self.cookies.is_empty() {
            return dressed;
        }
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        dressed.header("Cookie", &cookies.join("; "))
    }

    /// Goes on at the same portal's new address, after a restart.
    pub(crate) fn move_to(&mut self, portal: &str) {
        portal.clone_into(&mut self.portal);
    }

    /// Asks without following where it leads: the first answer, if one comes.
    pub(crate) fn ask(&self, ask: Ask) -> std::io::Result<Answer> {
        self.dressed(ask).try_send(&self.portal)
    }

    /// Sends a form without looking at its page.
    pub(crate) fn post(&self, path: &str, pairs: &[(&str, &str)]) -> std::io::Result<Answer> {
        self.ask(Ask::new("POST", path).body("application/x-www-form-urlencoded", joined(pairs)))
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for line in answer.all("set-cookie") {
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').expect("name=value");
            let over = attributes.to_ascii_lowercase().contains("max-age=0");
            if over || value.is_empty() {
                self.cookies.remove(name.trim());
            } else {
                self.note_cookie(name, value);
                self.cookies
                    .insert(name.trim().to_owned(), value.to_owned());
            }
        }
    }

    /// Of cookies, a session's and a one-time link's open something; a session's token stands behind its signature.
    fn note_cookie(&self, name: &str, value: &str) {
        if name.contains("session") || name.contains("link") {
            canaries::note(&self.portal, "a cookie's value", value);
            let plain = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
            if let Some(token) = plain.get(SIGNATURE..) {
                canaries::note(&self.portal, "a session's token", token);
            }
        }
    }

    /// The address that it is at.
    pub(crate) fn portal(&self) -> &str {
        &self.portal
    }

    pub(crate) fn html(&self) -> String {
        self.answer.text()
    }

    /// The words a person reads on the page.
    pub(crate) fn text(&self) -> String {
        words(Html::parse_document(&self.html()).root_element())
    }

    /// Whether the page has a button with these words.
    pub(crate) fn offers(&self, button: &str) -> bool {
        let page = Html::parse_document(&self.html());
        page.select(&select("button"))
            .any(|found| words(found).starts_with(button))
    }

    /// Follows the link whose words begin so.
    pub(crate) fn follow(&mut self, link: &str) -> &mut Self {
        let page = Html::parse_document(&self.html());
        let target = page
            .select(&select("a[href]"))
            .find(|found| words(*found).starts_with(link))
            .and_then(|found| found.value().attr("href"))
            .unwrap_or_else(|| panic!("no link {link:?} on {}: {}", self.at, self.text()))
            .to_owned();
        self.get(&target)
    }

    /// The first text on the page that looks so.
    pub(crate) fn find(&self, begins: &str, is: impl Fn(char) -> bool) -> Option<String> {
        let html = self.html();
        html.match_indices(begins).find_map(|(at, _)| {
            let (_, rest) = html.split_at(at + begins.len());
            let tail: String = rest.chars().take_while(|c| is(*c)).collect();
            (tail.len() >= 16).then(|| format!("{begins}{tail}"))
        })
    }

    /// Presses the button whose words begin so, with these fields filled in. A field that the form does not have, or a choice
    /// that it does not offer, fails.
    pub(crate) fn submit(&mut self, button: &str, filled: &[(&str, &str)]) -> &mut Self {
        let page = Html::parse_document(&self.html());
        let (form, pressed) = page
            .select(&select("form"))
            .find_map(|form| {
                let pressed = form
                    .select(&select("button"))
                    .find(|b| words(*b).starts_with(button))?;
                Some((form, pressed))
            })
            .unwrap_or_else(|| panic!("no button {button:?} on {}: {}", self.at, self.text()));
        for (_, typed) in filled.iter().filter(|(name, _)| *name == "password") {
            canaries::note(&self.portal, "a password", typed);
        }
        let mut fields = fields(form);
        fill(&mut fields, filled, &self.at);
        let mut pairs: Vec<(&str, &str)> = fields
            .iter()
            .filter(|field| field.chosen)
            .map(|field| (field.name.as_str(), field.value.as_str()))
            .collect();
        if let Some(name) = pressed.value().attr("name") {
            pairs.push((name, pressed.value().attr("value").unwrap_or_default()));
        }
        let body = joined(&pairs);
        let action = pressed
            .value()
            .attr("formaction")
            .or(form.value().attr("action"));
        let here = self.at.clone();
        let target = action.filter(|a| !a.is_empty()).unwrap_or(&here).to_owned();
        if form
            .value()
            .attr("method")
            .is_some_and(|m| m.eq_ignore_ascii_case("post"))
        {
            let ask = Ask::new("POST", &target).body("application/x-www-form-urlencoded", body);
            return self.open(ask, &target);
        }
        let target = format!("{}?{body}", target.split('?').next().unwrap());
        self.get(&target)
    }
}

fn fields(form: ElementRef<'_>) -> Vec<Field> {
    let mut found = Vec::new();
    for element in form.select(&select("input, textarea, select")) {
        let Some(name) = element.value().attr("name") else {
            continue;
        };
        let attribute = |a: &str| element.value().attr(a);
        let kind = attribute("type").unwrap_or("text");
        let mut field = Field {
            name: name.to_owned(),
            value: attribute("value").unwrap_or_default().to_owned(),
            choice: false,
            chosen: true,
        };
        match (element.value().name(), kind) {
            (_, "checkbox" | "radio") => {
                field.choice = true;
                field.chosen = attribute("checked").is_some();
                if attribute("value").is_none() {
                    field.value = "on".to_owned();
                }
                found.push(field);
            }
            ("select", _) => found.extend(options(element, name)),
            ("textarea", _) => {
                field.value = element.text().collect();
                found.push(field);
            }
            (_, "submit" | "button") => {}
            _ => found.push(field),
        }
    }
    found
}

fn options(element: ElementRef<'_>, name: &str) -> Vec<Field> {
    let mut options: Vec<Field> = element
        .select(&select("option"))
        .map(|option| Field {
            name: name.to_owned(),
            value: option
                .value()
                .attr("value")
                .map_or_else(|| words(option), str::to_owned),
            choice: true,
            chosen: option.value().attr("selected").is_some(),
        })
        .collect();
    let single = element.value().attr("multiple").is_none();
    let open = single && !options.iter().any(|option| option.chosen);
    if let Some(first) = options.first_mut().filter(|_| open) {
        first.chosen = true;
    }
    options
}

fn fill(fields: &mut [Field], filled: &[(&str, &str)], at: &str) {
    for (name, _) in filled {
        for field in fields.iter_mut().filter(|f| f.name == *name && f.choice) {
            field.chosen = false;
        }
    }
    for (name, value) in filled {
        let field = fields
            .iter_mut()
            .find(|f| f.name == *name && (!f.choice || f.value == *value))
            .unwrap_or_else(|| panic!("the form on {at} has no field {name} that takes {value}"));
        if !field.choice {
            (*value).clone_into(&mut field.value);
        }
        field.chosen = true;
    }
}
