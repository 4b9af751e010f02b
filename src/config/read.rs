//! Which settings there are, what each may hold, and what must hold between them.
//!
//! Must not know how a tree is parsed, nor what the settings do.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use latchkey_rules::caller::AddressDetail;
use latchkey_rules::email::Email;
use latchkey_rules::secret::Prefix;

use super::accent::Accent;
use super::mail;
use super::place::{Broken, Place};
use super::reading::{Outcome, Reading};
use super::tree::{self, Found, Table};
use super::values::{self, GateToken, Listen, PublicUrl, TrustedProxies, TrustedProxy};
use super::{
    Activity, Brand, Config, Database, Gate, Limits, Log, LogFormat, LogLevel, Logo, Portal,
    SignUp, Support, product, verdict,
};

/// The SQLite file's name in the data folder.
pub(super) const DATABASE_FILE: &str = "latchkey.db";
const DEFAULT_FILE: &str = "latchkey.toml";
const LARGEST_LOGO: u64 = 256 * 1024;

/// Where the configuration is read from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file that was named; it must exist.
    pub named_file: Option<PathBuf>,
    /// The folder in which `latchkey.toml` is looked for when no file was named.
    pub folder: Option<PathBuf>,
    /// Environment variables; those that are not ours are passed over.
    pub variables: Vec<(String, String)>,
}

impl Sources {
    /// What the process was started with: the named file, its folder, its environment.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the place that reads the environment"
    )]
    pub fn of_process(named_file: Option<PathBuf>) -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            named_file,
            folder: std::env::current_dir().ok(),
            variables,
        }
    }
}

/// The full names of all settings, `product.…` included, sorted.
pub fn setting_names() -> BTreeSet<String> {
    let outcome = Outcome::default();
    // A table in a list is only asked for its settings when there is one.
    let lists = tree::of_file(
        &Arc::from("example"),
        "product = [{ routes = [{}], scopes = [{}] }]\nverdict = [{}]",
    );
    let _config = settings(Reading::root(
        lists.unwrap_or_default(),
        Place::Default,
        &outcome,
    ));
    outcome.known()
}

pub(super) fn config(sources: &Sources) -> Result<Config, Broken> {
    let (table, at) = match file(sources) {
        Ok(read) => read,
        Err(broken) => {
            let (_, _, log) = with_variables(Table::new(), Place::Default, sources);
            return Err(broken.logged_as(log));
        }
    };
    let (config, outcome, log) = with_variables(table, at, sources);
    match outcome.finish() {
        Ok(()) => Ok(config),
        Err(broken) => Err(broken.logged_as(log)),
    }
}

/// What the file and the environment say together, what is wrong with it, and how to log that if somebody chose.
fn with_variables(
    mut table: Table,
    at: Place,
    sources: &Sources,
) -> (Config, Outcome, Option<Log>) {
    lay_variables_over(&mut table, &sources.variables);
    let of_log = table.get("log").map(|setting| &setting.found);
    let is_chosen = matches!(of_log, Some(Found::Table(log)) if log.contains_key("format"));
    let outcome = Outcome::default();
    let config = settings(Reading::root(table, at, &outcome));
    let log = is_chosen.then_some(config.log);
    (config, outcome, log)
}

fn file(sources: &Sources) -> Result<(Table, Place), Broken> {
    let found = sources
        .folder
        .as_ref()
        .map(|folder| folder.join(DEFAULT_FILE))
        .filter(|path| path.exists());
    let Some(path) = sources.named_file.clone().or(found) else {
        return Ok((Table::new(), Place::Default));
    };
    let shown = if sources.named_file.is_some() {
        path.display().to_string()
    } else {
        DEFAULT_FILE.to_owned()
    };
    let name: Arc<str> = Arc::from(shown);
    let unreadable = |error: std::io::Error| {
        Broken::one(
            Place::File(Arc::clone(&name)),
            format!("the configuration cannot be read: {error}"),
        )
    };
    let text = std::fs::read_to_string(&path).map_err(unreadable)?;
    Ok((tree::of_file(&name, &text)?, Place::File(name)))
}

/// `DATABASE_URL` first, so that `LATCHKEY_DATABASE_URL` wins over it. Names that begin with `LATCHKEY_TEST_` belong to
/// the project's test suites.
fn lay_variables_over(table: &mut Table, variables: &[(String, String)]) {
    let mut ours: Vec<(Vec<String>, &String, &String)> = Vec::new();
    for (name, value) in variables {
        if name == "DATABASE_URL" {
            ours.push((vec!["database_url".to_owned()], name, value));
        } else if let Some(rest) = name
            .strip_prefix("LATCHKEY_")
            .filter(|rest| !rest.starts_with("TEST_"))
        {
            ours.push((
                rest.split("__").map(str::to_lowercase).collect(),
                name,
                value,
            ));
        }
    }
    ours.sort_by_key(|(_, name, _)| *name);
    for (path, name, value) in ours {
        tree::lay_over(table, &path, &Arc::from(name.as_str()), value.clone());
    }
}

fn settings(mut root: Reading<'_>) -> Config {
    let data_dir = root
        .text("data_dir", values::path)
        .unwrap_or_else(|| PathBuf::from("data"));
    let database = root
        .text("database_url", database)
        .unwrap_or_else(|| Database::Sqlite(data_dir.join(DATABASE_FILE)));
    let url_given = root.holds("public_url");
    let public_url = root.text("public_url", PublicUrl::parse);
    let sign_up = [
        ("open", SignUp::Open),
        ("invite", SignUp::Invite),
        ("closed", SignUp::Closed),
    ];
    let config = Config {
        secret_prefix: root.text("secret_prefix", prefix).unwrap_or_default(),
        env_var_name: root
            .text("env_var_name", values::env_var_name)
            .unwrap_or_else(|| "API_KEY".to_owned()),
        sign_up: root
            .text("sign_up", |t| values::one_of(t, &sign_up))
            .unwrap_or(SignUp::Open),
        keys_per_account: root.whole("keys_per_account", 1..=10_000).unwrap_or(100),
        master_key_file: root.text("master_key_file", values::path),
        breached_passwords: root.text("breached_passwords", values::path),
        brand: brand(root.table("brand")),
        support: support(root.table("support")),
        mail: mail::mail(root.table("mail")),
        sales_url: link_of(root.table("sales")),
        terms_url: link_of(root.table("terms")),
        portal: portal(root.table("portal")),
        gate: gate(root.table("gate")),
        limits: limits(root.table("limits")),
        log: log(root.table("log")),
        activity: activity(root.table("activity")),
        verdicts: verdict::entries(&mut root),
        products: product::entries(&mut root),
        public_url,
        data_dir,
        database,
    };
    if !url_given && !is_loopback_tcp(&config.portal.listen) {
        root.problem(
            root.place("public_url"),
            "public_url must be set, such as https://keys.example.com: it may only be left out while portal.listen is an address of loopback",
        );
    }
    root.end();
    config
}

fn is_loopback_tcp(listen: &Listen) -> bool {
    matches!(listen, Listen::Tcp(_)) && listen.is_local()
}

fn prefix(text: &str) -> Result<Prefix, String> {
    Prefix::parse(text).map_err(|_prefix_error| {
        "must be 2 to 12 lower-case letters and digits, a letter first, such as acme".to_owned()
    })
}

fn database(text: &str) -> Result<Database, String> {
    let allowed = "must begin with postgres:// or with sqlite: and the file's path, such as sqlite:/var/lib/latchkey/latchkey.db";
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Ok(Database::Postgres(text.to_owned()));
    }
    let path = text
        .strip_prefix("sqlite://")
        .or_else(|| text.strip_prefix("sqlite:"));
    path.filter(|p| !p.is_empty())
        .map(|p| Database::Sqlite(PathBuf::from(p)))
        .ok_or_else(|| allowed.to_owned())
}

fn brand(mut table: Reading<'_>) -> Brand {
    let brand = Brand {
        name: table
            .text("name", |t| values::words(t, 40))
            .unwrap_or_else(|| "Latchkey".to_owned()),
        logo: table.text("logo", |t| logo(Path::new(t))),
        accent: table.text("accent", Accent::parse),
    };
    table.end();
    brand
}

fn logo(path: &Path) -> Result<Logo, String> {
    let ending = path
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default();
    let media_type = match ending {
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        _ => return Err("must be the path of an .svg, .png or .webp file".to_owned()),
    };
    let size = std::fs::metadata(path)
        .map_err(|e| format!("must be a file that can be read: {e}"))?
        .len();
    if size > LARGEST_LOGO {
        return Err(format!(
            "must be a file of at most {LARGEST_LOGO} bytes; this one has {size}"
        ));
    }
    let content =
        std::fs::read(path).map_err(|e| format!("must be a file that can be read: {e}"))?;
    Ok(Logo {
        media_type,
        content: content.into(),
    })
}

fn support(mut table: Reading<'_>) -> Support {
    let mail = |text: &str| {
        Email::parse(text)
            .map(|mail| mail.as_str().to_owned())
            .map_err(|_email_error| "must be a mail address, such as help@example.com".to_owned())
    };
    let support = Support {
        url: table.text("url", values::link),
        mail: table.text("mail", mail),
    };
    table.end();
    support
}

fn link_of(mut table: Reading<'_>) -> Option<String> {
    let url = table.text("url", values::link);
    table.end();
    url
}

fn portal(mut table: Reading<'_>) -> Portal {
    let portal = Portal {
        listen: table
            .text("listen", Listen::parse)
            .unwrap_or_else(|| loopback(8080)),
        trusted_proxies: trusted(&mut table).unwrap_or_default(),
    };
    table.end();
    portal
}

fn gate(mut table: Reading<'_>) -> Gate {
    let listen_place = table.place("listen");
    let tokens_place = table.place("tokens");
    let names_place = table.place("key_headers");
    let tokens_given = table.holds("tokens");
    let tokens = table.list("tokens", GateToken::parse);
    let lacks_tokens = !tokens_given || tokens.as_ref().is_some_and(Vec::is_empty);
    let gate = Gate {
        listen: table
            .text("listen", Listen::parse)
            .unwrap_or_else(|| loopback(8081)),
        key_headers: table
            .list("key_headers", values::header_name)
            .unwrap_or_else(|| vec!["X-API-Key".to_owned()]),
        key_query: table
            .list("key_query", values::query_name)
            .unwrap_or_else(|| vec!["key".to_owned(), "api_key".to_owned()]),
        trusted_proxies: trusted(&mut table).unwrap_or_else(TrustedProxies::this_machine),
        max_staleness: table.whole("max_staleness", 1..=86_400).unwrap_or(300),
        per_address: table.whole("per_address", 0..=1_000_000).unwrap_or(0),
        tokens: tokens.unwrap_or_default(),
    };
    if gate.key_headers.is_empty() {
        table.problem(
            names_place,
            "gate.key_headers must name at least one header, such as X-API-Key",
        );
    }
    if gate.tokens.len() > 2 {
        table.problem(
            tokens_place,
            "gate.tokens must be at most two: one in use, and its successor while gateways change",
        );
    } else if lacks_tokens && !gate.listen.is_local() {
        let text = "gate.listen must be this machine's own address or a Unix socket, or gate.tokens must be set: \
                    whoever reaches the gate can try keys";
        table.problem(listen_place, text);
    }
    table.end();
    gate
}

fn activity(mut table: Reading<'_>) -> Activity {
    let details = [
        ("network", AddressDetail::Network),
        ("full", AddressDetail::Full),
        ("nothing", AddressDetail::Nothing),
    ];
    let activity = Activity {
        ip: table
            .text("ip", |t| values::one_of(t, &details))
            .unwrap_or_default(),
    };
    table.end();
    activity
}

fn limits(mut table: Reading<'_>) -> Limits {
    let mut whole = |name, range, default| table.whole(name, range).unwrap_or(default);
    let limits = Limits {
        head_seconds: whole("head_seconds", 1..=60, 5),
        body_seconds: whole("body_seconds", 1..=300, 10),
        body_kib: whole("body_kib", 16..=1_024, 64),
        batch_kib: whole("batch_kib", 16..=16_384, 512),
        connections: whole("connections", 16..=1_000_000, 20_000),
        failed_passwords: whole("failed_passwords", 3..=100, 10),
        failed_passwords_per_network: whole("failed_passwords_per_network", 10..=10_000, 30),
        longest_wait: whole("longest_wait", 1..=3_600, 300),
    };
    table.end();
    limits
}

fn log(mut table: Reading<'_>) -> Log {
    let formats = [("json", LogFormat::Json), ("text", LogFormat::Text)];
    let levels = [
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
    ];
    let log = Log {
        format: table
            .text("format", |t| values::one_of(t, &formats))
            .unwrap_or(LogFormat::Json),
        level: table
            .text("level", |t| values::one_of(t, &levels))
            .unwrap_or(LogLevel::Info),
    };
    table.end();
    log
}

fn trusted(table: &mut Reading<'_>) -> Option<TrustedProxies> {
    let entries = table.list("trusted_proxies", values::trusted_proxy)?;
    let mut proxies = TrustedProxies::default();
    for entry in entries {
        match entry {
            TrustedProxy::Unix => proxies.unix = true,
            TrustedProxy::Network(network) => proxies.networks.push(network),
        }
    }
    Some(proxies)
}

fn loopback(port: u16) -> Listen {
    Listen::Tcp(([127, 0, 0, 1], port).into())
}
