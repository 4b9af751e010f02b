//! A portal with people, accounts and products in it, on a database of its own and a clock that only the test moves.

use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use actix_web::cookie::Key;
use actix_web::test::{self, TestRequest};
use actix_web::web::Data;
use actix_web::{App, body};
use futures_util::future::LocalBoxFuture;
use latchkey::clock::{Clock, Hand};
use latchkey::portal;
use latchkey::seal::Seal;
use latchkey::store::accounts::{self, NewAccount};
use latchkey::store::products::{self, Product, Sample};
use latchkey::store::scope;
use latchkey::store::users::{self, NewUser};
use latchkey::store::{Db, Settings};
use latchkey::web::Shared;
use latchkey::web::counts::Counts;
use latchkey::web::guesses::{GuessLimits, Guesses};
use latchkey::web::limits::RequestLimits;
use latchkey::web::links::Links;
use latchkey::web::password::{Hashing, Password};
use latchkey::web::public_url::PublicUrl;
use latchkey::web::shared::{Brand, SignUp, Support};
use latchkey_rules::billing::Tier;
use latchkey_rules::email::Email;
use latchkey_rules::environment::EnvironmentSet;
use latchkey_rules::name::DisplayName;
use latchkey_rules::product::{HostPattern, KeyInQuery, PathPrefix, ResourceScope, RouteFacts};
use latchkey_rules::role::{Role, StaffRole};
use latchkey_rules::secret::Prefix;
use latchkey_rules::slug::Slug;
use latchkey_rules::time::Millis;
use zeroize::Zeroizing;

use crate::browser::Browser;
use crate::database::Database;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// The instant at which every world begins: 21 Nov 2026, 10:00 UTC.
pub(crate) const BEGIN: Millis = Millis(1_795_255_200_000);

/// The account whose people the tests are about.
pub(crate) const ACCOUNT: &str = "harbour-vale";

/// An account of somebody else.
pub(crate) const OTHER: &str = "brae-outdoor";

/// An answer of the portal.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut all = self
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let found = all.next().map(|(_, value)| value.as_str());
        assert!(
            name.eq_ignore_ascii_case("set-cookie") || all.next().is_none(),
            "{name} stands twice"
        );
        found
    }

    /// The headers, but for the request's own name.
    pub(crate) fn headers_alike(&self) -> Vec<(String, String)> {
        let mut headers = self.headers.clone();
        for (name, value) in &mut headers {
            if name == "latchkey-request-id" {
                assert!(value.starts_with("req_") && value.len() == 30, "{value}");
                "REQ".clone_into(value);
            }
        }
        headers
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }
}

type Call = Rc<dyn Fn(TestRequest) -> LocalBoxFuture<'static, Answer>>;

/// Who may be a test's person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actor {
    Anonymous,
    Stranger,
    Viewer,
    Developer,
    Owner,
    Support,
    Admin,
    ApiToken,
}

impl Actor {
    /// The design's one list of roles.
    pub(crate) const ALL: [Self; 8] = [
        Self::Anonymous,
        Self::Stranger,
        Self::Viewer,
        Self::Developer,
        Self::Owner,
        Self::Support,
        Self::Admin,
        Self::ApiToken,
    ];

    pub(crate) fn email(self) -> String {
        format!("{self:?}@example.com").to_lowercase()
    }

    fn staff(self) -> Option<StaffRole> {
        match self {
            Self::Support => Some(StaffRole::Support),
            Self::Admin => Some(StaffRole::Admin),
            _ => None,
        }
    }

    fn member_of(self) -> Option<(&'static str, Role)> {
        match self {
            Self::Stranger => Some((OTHER, Role::Owner)),
            Self::Viewer => Some((ACCOUNT, Role::Viewer)),
            Self::Developer => Some((ACCOUNT, Role::Developer)),
            Self::Owner => Some((ACCOUNT, Role::Owner)),
            _ => None,
        }
    }
}

/// How a world is to be.
pub(crate) struct Plan {
    pub(crate) public_url: &'static str,
    pub(crate) sign_up: SignUp,
    pub(crate) keys_per_account: i64,
    pub(crate) support_url: Option<&'static str>,
    /// Whether there is a mail server.
    pub(crate) mail: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8080",
            sign_up: SignUp::Open,
            keys_per_account: 100,
            support_url: None,
            mail: false,
        }
    }
}

/// A portal.
pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) hand: Hand,
    pub(crate) shared: Shared,
    pub(crate) public_url: &'static str,
    call: Call,
    database: Database,
}

/// The hash of everybody's password, made once.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let runtime = actix_web::rt::Runtime::new().unwrap();
    std::thread::scope(|_| {
        runtime
            .block_on(
                Hashing::new(1)
                    .unwrap()
                    .hash(Password::from(PASSWORD.to_owned())),
            )
            .unwrap()
    })
});

impl World {
    pub(crate) async fn new() -> Self {
        Self::planned(Plan::default()).await
    }

    pub(crate) async fn planned(plan: Plan) -> Self {
        let database = Database::new();
        let (clock, hand) = Clock::movable(BEGIN);
        let settings = Settings {
            sends_mail: plan.mail,
            ..Settings::default()
        };
        let db = Db::open_with(&database.url(), clock.clone(), settings).unwrap();
        let shared = shared(&db, &clock, &plan);
        let world = Self {
            call: call(&shared).await,
            db,
            hand,
            shared,
            public_url: plan.public_url,
            database,
        };
        world.fill().await;
        world
    }

    async fn fill(&self) {
        let hash = std::thread::spawn(|| HASH.clone()).join().unwrap();
        self.db
            .change(move |c| {
                let operator = scope::operator("test");
                for (slug, name) in [(ACCOUNT, "Harbour & Vale"), (OTHER, "Brae Outdoor")] {
                    let new = NewAccount {
                        slug: Slug::parse(slug).unwrap(),
                        name: DisplayName::parse(name).unwrap(),
                        tier: Tier::SelfServe,
                        plan: "free".to_owned(),
                    };
                    accounts::create(c, &operator, &new)?;
                }
                for actor in Actor::ALL {
                    if actor.staff().is_none() && actor.member_of().is_none() {
                        continue;
                    }
                    let new = NewUser {
                        name: DisplayName::parse(&format!("Person {actor:?}")).unwrap(),
                        email: Email::parse(&actor.email()).unwrap(),
                        staff: actor.staff(),
                        member_of: actor
                            .member_of()
                            .map(|(slug, role)| (Slug::parse(slug).unwrap(), role)),
                        password_hash: Some(hash.clone()),
                    };
                    users::create_user(c, &operator, &new)?;
                }
                for (slug, name) in [("tiles", "Map tiles"), ("search", "Search")] {
                    products::add(c, &operator, &product(slug, name))?;
                }
                Ok(())
            })
            .await
            .unwrap();
    }

    /// Sends one request as it stands.
    pub(crate) async fn call(&self, request: TestRequest) -> Answer {
        (self.call)(request).await
    }

    /// A browser in which nobody is signed in.
    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser::new(self)
    }

    /// A browser in which somebody is signed in.
    pub(crate) async fn signed_in(&self, actor: Actor) -> Browser<'_> {
        let mut browser = self.browser();
        if !matches!(actor, Actor::Anonymous | Actor::ApiToken) {
            browser.sign_in(&actor.email(), PASSWORD).await;
            assert_ne!(browser.path, "/sign-in", "{actor:?} is signed in");
        }
        if actor == Actor::ApiToken {
            browser.authorization =
                Some("Bearer lkm_0123456789abcdefghijklmnopqrstuvwxyz".to_owned());
        }
        browser
    }

    /// The handle of somebody.
    pub(crate) async fn handle(&self, actor: Actor) -> users::UserHandle {
        let email = Email::parse(&actor.email()).unwrap().folded();
        let known = self.db.read(move |r| users::credentials(r, &email));
        known.await.unwrap().unwrap().handle
    }

    /// A key of the account, made on the page; its ID.
    pub(crate) async fn key(&self, name: &str) -> String {
        let mut browser = self.signed_in(Actor::Developer).await;
        browser.get(&format!("/accounts/{ACCOUNT}/keys/new")).await;
        browser
            .submit("Create key", &[("name", name), ("products", "tiles")])
            .await;
        browser.one("#key-id")
    }

    /// A key for browsers, whose secret can be shown again.
    pub(crate) async fn widget(&self, name: &str) -> String {
        let mut browser = self.signed_in(Actor::Developer).await;
        let values = [
            ("name", name),
            ("kind", "browser"),
            ("any_site", "yes"),
            ("products", "tiles"),
        ];
        create(&mut browser, &values).await;
        browser.one("#key-id")
    }

    /// Runs a statement past the store.
    pub(crate) fn sql(&self, statement: &str) {
        self.database.run(statement);
    }

    /// Breaks the database: the table is gone.
    pub(crate) fn lose(&self, table: &str) {
        self.database.lose(table);
    }

    /// Everything that the database holds, table by table.
    pub(crate) fn dump(&self) -> String {
        self.database.dump()
    }
}

pub(crate) fn product(slug: &str, name: &str) -> Product {
    Product {
        slug: Slug::parse(slug).unwrap(),
        name: name.to_owned(),
        kind: "API".to_owned(),
        docs_url: None,
        sample: Sample {
            method: "GET".to_owned(),
            url: format!("http://127.0.0.1:8081/v1/authorize/{slug}"),
            expect: "200".to_owned(),
        },
        key_in_query: KeyInQuery::Browser,
        needs_token: false,
        per_second: None,
        recoverable: false,
        needs: needs(slug),
        routes: vec![RouteFacts {
            host: HostPattern::parse("api.example.com").unwrap(),
            prefix: PathPrefix::parse(&format!("/{slug}")).unwrap(),
            environments: EnvironmentSet::ANY,
        }],
        admin_prefixes: Vec::new(),
        scopes: parts(slug),
    }
}

/// A batch of searches is one of search.
fn needs(slug: &str) -> Vec<Slug> {
    match slug {
        "batch" => vec![Slug::parse("search").unwrap()],
        "jobs" => vec![Slug::parse("batch").unwrap()],
        _ => Vec::new(),
    }
}

/// Tiles have two parts.
fn parts(slug: &str) -> Vec<ResourceScope> {
    let part = |slug: &str, name: &str| ResourceScope {
        slug: Slug::parse(slug).unwrap(),
        name: name.to_owned(),
        prefixes: vec![PathPrefix::parse(&format!("/tiles/{slug}")).unwrap()],
    };
    match slug {
        "tiles" => vec![part("streets", "Streets"), part("aerial", "Aerial images")],
        _ => Vec::new(),
    }
}

fn shared(db: &Db, clock: &Clock, plan: &Plan) -> Shared {
    Shared {
        db: db.clone(),
        clock: clock.clone(),
        secret_seal: Seal::new(vec![("k1".to_owned(), Zeroizing::new([9; 32]))]),
        breached: None,
        brand: Brand {
            name: "Northwind Maps".to_owned(),
            logo: None,
            css: ":root{--brass:#a16a12}".to_owned(),
        },
        support: Support {
            url: plan.support_url.map(str::to_owned),
            mail: Some("help@northwind.example".to_owned()),
        },
        sales_url: Some("https://northwind.example/plans".to_owned()),
        terms_url: Some("https://northwind.example/terms".to_owned()),
        public_url: PublicUrl::parse(plan.public_url).unwrap(),
        key_header: "X-API-Key".to_owned(),
        key_query: "key".to_owned(),
        env_var_name: "NORTHWIND_KEY".to_owned(),
        secret_prefix: Prefix::parse("nw").unwrap(),
        sign_up: plan.sign_up,
        keys_per_account: plan.keys_per_account,
        gate_url: "http://127.0.0.1:8081".to_owned(),
        cookie_key: Key::generate(),
        hashing: Hashing::new(2).unwrap(),
        guesses: Guesses::new(GuessLimits::default()),
        limits: RequestLimits::default(),
        trusted_proxies: Vec::new(),
        unix_trusted: false,
        mail: plan.mail.then(|| Links::new(crate::mailbox::seal())),
        counts: Arc::new(Counts::new(&portal::routes())),
    }
}

async fn call(shared: &Shared) -> Call {
    let service = Rc::new(
        test::init_service(App::new().configure(portal::configure(Data::new(shared.clone()))))
            .await,
    );
    Rc::new(move |request| {
        let service = Rc::clone(&service);
        Box::pin(async move {
            let (response, broken) =
                match test::try_call_service(&*service, request.to_request()).await {
                    Ok(answer) => (answer.into_parts().1.map_into_boxed_body(), false),
                    Err(error) => (error.as_response_error().error_response(), true),
                };
            let headers = response
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect();
            let status = response.status().as_u16();
            let body = body::to_bytes(response.into_body())
                .await
                .ok()
                .unwrap_or_default();
            assert!(!broken || status >= 500, "an error that is no answer");
            Answer {
                status,
                headers,
                body: String::from_utf8_lossy(&body).into_owned(),
            }
        })
    })
}

/// The address of the account's keys.
pub(crate) fn keys() -> String {
    format!("/accounts/{ACCOUNT}/keys")
}

/// Fills in the form for a new key, and sends it.
pub(crate) async fn create(browser: &mut Browser<'_>, values: &[(&str, &str)]) {
    browser.get(&format!("{}/new", keys())).await;
    browser.submit("Create key", values).await;
}
