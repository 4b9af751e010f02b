//! What `latchkey demo --json` prints: who may sign in, which products there are, and keys in every state.

use serde::Deserialize;

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(crate) struct Facts {
    pub(crate) people: Vec<Person>,
    pub(crate) products: Vec<Product>,
    pub(crate) keys: Vec<Key>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) role: String,
    pub(crate) account: Option<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(crate) struct Product {
    pub(crate) slug: String,
    pub(crate) routes: Vec<Route>,
    pub(crate) token: bool,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(crate) struct Route {
    pub(crate) host: String,
    pub(crate) path: String,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(crate) struct Key {
    #[expect(clippy::struct_field_names, reason = "the name on the wire")]
    pub(crate) key_id: String,
    pub(crate) secret: String,
    pub(crate) account: String,
    pub(crate) environment: String,
    pub(crate) products: Vec<String>,
    pub(crate) state: String,
    pub(crate) plan: String,
    pub(crate) kind: String,
    pub(crate) access: String,
    pub(crate) domains: Vec<String>,
    pub(crate) ips: Vec<String>,
}

impl Key {
    /// Active, a server key, and nothing narrows it but its products and access.
    pub(crate) fn is_plain(&self) -> bool {
        self.state == "active"
            && self.kind == "server"
            && self.domains.is_empty()
            && self.ips.is_empty()
    }
}

impl Route {
    /// A host that this route serves.
    pub(crate) fn some_host(&self) -> String {
        self.host.replace('*', "anything")
    }

    /// A path below this route.
    pub(crate) fn some_path(&self) -> String {
        format!("{}/some/thing", self.path.trim_end_matches('/'))
    }
}

impl Facts {
    pub(crate) fn product(&self, slug: &str) -> &Product {
        self.products
            .iter()
            .find(|product| product.slug == slug)
            .unwrap_or_else(|| panic!("the demo has no product {slug}"))
    }

    /// The first key: plain, on one of the larger plans.
    pub(crate) fn first(&self) -> (&Key, &Route) {
        let key = &self.keys[0];
        (key, self.route_of(key))
    }

    /// A route of one of the key's products on a plain host.
    pub(crate) fn route_of(&self, key: &Key) -> &Route {
        key.products
            .iter()
            .flat_map(|slug| &self.product(slug).routes)
            .find(|route| !route.host.contains('*'))
            .unwrap_or_else(|| panic!("{} has no product on a plain host", key.key_id))
    }

    pub(crate) fn in_state(&self, state: &str) -> &Key {
        self.keys
            .iter()
            .find(|key| key.state == state)
            .unwrap_or_else(|| panic!("the demo has no key that is {state}"))
    }

    pub(crate) fn person(&self, is: impl Fn(&Person) -> bool) -> &Person {
        self.people
            .iter()
            .find(|person| is(person))
            .expect("the demo has such a person")
    }
}
