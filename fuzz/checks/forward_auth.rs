//! F-6: any request to the forward-auth endpoints gets a listed code with its status, never a 500, and passes only with a
//! key that is alive.
//!
//! The bytes are the peer's address on the first line (none that can be read: a Unix socket), then a request as it stands
//! on the wire, without a body. `{live}` and the like stand for secrets, which are new each time, `{basic:live}` for one
//! as a Basic credential. Lines that HTTP would not carry are left out.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, Uri};
use actix_web::rt::System;
use actix_web::test::TestRequest;
use data_encoding::BASE64;
use latchkey::store::keys::{Disabled, ImportedState};
use latchkey_rules::access::Access;
use latchkey_rules::code::Code;
use latchkey_rules::environment::Environment;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::secret::{Prefix, Secret};

use crate::world::{START, Wanted, World};

const ENDPOINTS: [&str; 2] = ["/v1/authorize", "/v1/nginx/authorize"];
const PRODUCTS: [&str; 4] = ["maps", "routing", "tiles", "search"];

/// A secret that a request may show.
struct Shown {
    /// What stands for it in the bytes.
    name: &'static str,
    secret: String,
    /// Its key's id, if it opens anything.
    alive: Option<String>,
}

/// Status and headers of an answer.
type Answer = (u16, HeaderMap);

/// A gate, and what it knows.
pub(crate) struct Rig {
    ask: Box<dyn Fn(TestRequest) -> Answer>,
    shown: Vec<Shown>,
    /// Holds the store's folder.
    _world: World,
}

impl Rig {
    pub(crate) fn new() -> Self {
        let world = World::new();
        let shown = everything_shown(&world);
        world.suspend("other");
        let gate = world.gate();
        let system = System::new();
        let ask = move |request: TestRequest| {
            let answer = system.block_on(gate.answer(request.to_request()));
            (answer.status().as_u16(), answer.headers().clone())
        };
        Self {
            ask: Box::new(ask),
            shown,
            _world: world,
        }
    }

    pub(crate) fn check(&self, data: &[u8]) {
        if let Some((request, endpoint, text)) = self.request(data) {
            let (status, headers) = (self.ask)(request);
            self.holds(endpoint, status, &headers, &text);
        }
    }

    /// The request in the bytes, the endpoint that it goes to, and its text with the secrets in place.
    fn request(&self, data: &[u8]) -> Option<(TestRequest, &'static str, String)> {
        // Each byte as one character, so that what is no UTF-8 stays what it is.
        let text: String = data.iter().copied().map(char::from).collect();
        let text = self.with_secrets(text);
        let mut lines = text.split('\n').map(|line| line.trim_end_matches('\r'));
        let peer = lines.next()?.parse::<IpAddr>().ok();
        let mut words = lines.next()?.split(' ');
        let method = Method::from_bytes(&bytes(words.next()?)).ok()?;
        let uri = Uri::try_from(bytes(words.next()?)).ok()?;
        let endpoint = endpoint_of(&uri)?;
        let mut request = TestRequest::with_uri(&uri.to_string()).method(method);
        if let Some(peer) = peer {
            request = request.peer_addr(SocketAddr::new(peer, 40_000));
        }
        for (name, value) in lines.filter_map(header) {
            request = request.append_header((name, value));
        }
        Some((request, endpoint, text))
    }

    fn with_secrets(&self, mut text: String) -> String {
        for Shown { name, secret, .. } in &self.shown {
            let basic = BASE64.encode(format!("{secret}:").as_bytes());
            text = text
                .replace(&format!("{{{name}}}"), secret)
                .replace(&format!("{{basic:{name}}}"), &basic);
        }
        text
    }

    fn holds(&self, endpoint: &str, status: u16, headers: &HeaderMap, text: &str) {
        let header = |name: &str| {
            headers
                .get(name)
                .map_or("", |value| value.to_str().unwrap())
        };
        if status == 200 {
            let id = header("latchkey-key-id");
            let key = self.shown.iter().find(|shown| {
                let basic = BASE64.encode(format!("{}:", shown.secret).as_bytes());
                let is_sent = text.contains(&shown.secret) || text.contains(&basic);
                is_sent && shown.alive.as_deref() == Some(id)
            });
            assert!(key.is_some(), "let through as {id:?}:\n{text}");
            assert!(header("latchkey-uri").starts_with('/'), "{text}");
            return;
        }
        if header("latchkey-status") == "204" {
            // A preflight, which nginx answers itself: it carries no key and gets none of the headers of an allow.
            assert_eq!((endpoint, status), (ENDPOINTS[1], 403), "{text}");
            assert!(headers.get("latchkey-key-id").is_none(), "{text}");
            return;
        }
        assert_ne!(status, 500, "{text}");
        let said = header("latchkey-verdict");
        let code = Code::ALL.iter().find(|code| code.as_str() == said);
        let code = code.unwrap_or_else(|| panic!("{said:?} is no code:\n{text}"));
        assert_ne!(*code, Code::Valid, "{text}");
        let is_refused_method = status == 405;
        let of_code = code.http_status();
        if endpoint == ENDPOINTS[0] {
            assert!(
                status == of_code || is_refused_method,
                "{status}, {said}:\n{text}"
            );
        } else if !is_refused_method {
            assert!(status == 401 || status == 403, "{status}, {said}:\n{text}");
            assert_eq!(header("latchkey-status"), of_code.to_string(), "{text}");
        }
    }
}

/// A line of a header, unless HTTP would not carry it.
fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    let name = HeaderName::from_bytes(&bytes(name)).ok()?;
    let value = HeaderValue::from_bytes(&bytes(value.trim_matches([' ', '\t']))).ok()?;
    Some((name, value))
}

fn endpoint_of(uri: &Uri) -> Option<&'static str> {
    let is_at = |endpoint: &&str| uri.path() == *endpoint;
    let below = || {
        uri.path()
            .starts_with("/v1/authorize/")
            .then_some(ENDPOINTS[0])
    };
    ENDPOINTS.into_iter().find(is_at).or_else(below)
}

/// The bytes that the characters stand for.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().filter_map(|c| u8::try_from(c).ok()).collect()
}

/// Keys in every state. Those of the account `other` are suspended with it afterwards.
fn everything_shown(world: &World) -> Vec<Shown> {
    let past = START.plus_secs(-60);
    let all = || Wanted {
        products: PRODUCTS.to_vec(),
        ..Wanted::default()
    };
    let with_state = |state: ImportedState| Wanted { state, ..all() };
    let disabled = Disabled {
        at: past,
        by: "a test".to_owned(),
        reason: "a test".to_owned(),
        by_policy: false,
    };
    let alive = [
        ("live", all()),
        (
            "reader",
            Wanted {
                access: Access::Read,
                ..all()
            },
        ),
        (
            "admin",
            Wanted {
                access: Access::Admin,
                ..all()
            },
        ),
        (
            "browser",
            Wanted {
                kind: KeyKind::Browser,
                ..all()
            },
        ),
        (
            "staging",
            Wanted {
                environment: Environment::Staging,
                ..all()
            },
        ),
        (
            "graced",
            Wanted {
                secrets: vec![Some(START.plus_secs(60))],
                ..all()
            },
        ),
    ];
    let dead = [
        (
            "retired",
            Wanted {
                secrets: vec![Some(past)],
                ..all()
            },
        ),
        (
            "expired",
            with_state(ImportedState {
                expires_at: Some(past),
                ..ImportedState::default()
            }),
        ),
        (
            "disabled",
            with_state(ImportedState {
                disabled: Some(disabled),
                ..ImportedState::default()
            }),
        ),
        (
            "paused",
            with_state(ImportedState {
                paused_at: Some(past),
                ..ImportedState::default()
            }),
        ),
        (
            "deleted",
            with_state(ImportedState {
                deleted_at: Some(past),
                ..ImportedState::default()
            }),
        ),
        (
            "suspended",
            Wanted {
                account: "other",
                ..all()
            },
        ),
        (
            "domains",
            Wanted {
                domains: vec!["example.com"],
                ..all()
            },
        ),
        (
            "ips",
            Wanted {
                ips: vec!["192.0.2.1/32"],
                ..all()
            },
        ),
    ];
    let made = |name, wanted, is_alive: bool| {
        let key = world.key(wanted);
        let alive = is_alive.then(|| key.key_id.to_string());
        Shown {
            name,
            secret: key.secret().to_owned(),
            alive,
        }
    };
    let unknown = Secret::generate(&Prefix::default(), Environment::Live, &mut rand::rng());
    let unknown = Shown {
        name: "unknown",
        secret: unknown.expose().to_owned(),
        alive: None,
    };
    let alive = alive.map(|(name, wanted)| made(name, wanted, true));
    let dead = dead.map(|(name, wanted)| made(name, wanted, false));
    alive.into_iter().chain(dead).chain([unknown]).collect()
}
