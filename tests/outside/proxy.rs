//! A real nginx or Caddy with the documented recipe, and a stand-in for the API behind it that remembers what reached it.

use crate::canaries;
use crate::needs;
use crate::process::{end, free_address};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// A request that reached the API.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    /// All of it, as it came.
    pub(crate) whole: String,
}

impl Seen {
    /// Every line of this name, in any case, with hyphens or underscores.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let plain = |text: &str| text.to_ascii_lowercase().replace('_', "-");
        self.headers
            .iter()
            .filter(|(n, _)| plain(n) == plain(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }
}

/// Which proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    Caddy,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Nginx, Self::Caddy];

    /// Its program, if this machine has it.
    fn binary(self) -> Option<PathBuf> {
        match self {
            Self::Nginx => needs::nginx(),
            Self::Caddy => needs::caddy(),
        }
    }

    fn begin(self, folder: &Path) -> Option<Child> {
        let mut command = Command::new(self.binary()?);
        match self {
            Self::Nginx => command
                .arg("-p")
                .arg(folder)
                .arg("-c")
                .arg(folder.join("nginx.conf"))
                .args(["-g", "daemon off;"]),
            Self::Caddy => command
                .args(["run", "--adapter", "caddyfile", "--config"])
                .arg(folder.join("Caddyfile"))
                .env("HOME", folder)
                .env("XDG_CONFIG_HOME", folder)
                .env("XDG_DATA_HOME", folder),
        };
        command
            .stdin(Stdio::null())
            .stderr(fs::File::create(folder.join("start.err")).unwrap())
            .spawn()
            .expect("the proxy starts")
            .into()
    }

    /// Its documented files, and what is replaced in each: addresses and folders, nothing else.
    fn files(self, folder: &Path, gate: &str, backend: &str, address: &str) -> Files {
        match self {
            Self::Nginx => nginx_files(folder, gate, backend, address),
            Self::Caddy => caddy_files(folder, gate, backend, address),
        }
    }

    const fn folder(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
        }
    }
}

/// A file's name, and what stands in it for what.
type Files = Vec<(&'static str, Vec<(&'static str, String)>)>;

/// A proxy in front of a gate and of the remembering API.
pub(crate) struct Proxied {
    pub(crate) kind: Kind,
    pub(crate) address: String,
    gate: String,
    proxy: Child,
    folder: TempDir,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Proxied {
    /// Starts nginx for this gate, or nothing if this machine has none.
    pub(crate) fn start(gate: &str) -> Option<Self> {
        Self::of(Kind::Nginx, gate)
    }

    /// Each of the proxies that this machine has, and for each what is in front of it.
    pub(crate) fn each<T>(
        mut make: impl FnMut() -> T,
        gate: impl Fn(&T) -> String,
    ) -> Vec<(T, Self)> {
        let here = Kind::ALL.into_iter().filter(|kind| kind.binary().is_some());
        here.map(|kind| {
            let behind = make();
            let proxied = Self::of(kind, &gate(&behind)).expect("it is here");
            (behind, proxied)
        })
        .collect()
    }

    /// All that this machine has, in front of one gate.
    pub(crate) fn all(gate: &str) -> Vec<Self> {
        Kind::ALL
            .into_iter()
            .filter_map(|kind| Self::of(kind, gate))
            .collect()
    }

    fn of(kind: Kind, gate: &str) -> Option<Self> {
        kind.binary()?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let backend = backend(Arc::clone(&seen));
        let address = free_address();
        let folder = TempDir::new().unwrap();
        configure(kind, folder.path(), gate, &backend, &address);
        let proxy = kind.begin(folder.path())?;
        let mut proxied = Self {
            kind,
            address,
            gate: gate.to_owned(),
            proxy,
            folder,
            seen,
        };
        needs::soon("the proxy listens", || {
            if let Some(status) = proxied.proxy.try_wait().unwrap() {
                panic!("the proxy ended, {status}: {}", proxied.logs());
            }
            TcpStream::connect(&proxied.address).ok()
        });
        Some(proxied)
    }

    /// What has reached the API since this was last asked.
    pub(crate) fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    /// Everything that it has written, to any log.
    pub(crate) fn logs(&self) -> String {
        [
            "start.err",
            "log/access.log",
            "log/error.log",
            "log/api-error.log",
            "log/caddy.log",
        ]
        .iter()
        .map(|name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default())
        .collect()
    }
}

impl Drop for Proxied {
    fn drop(&mut self) {
        end(&mut self.proxy);
        if !std::thread::panicking() {
            let logs = [("the proxy's logs".to_owned(), self.logs().into_bytes())];
            let found = canaries::found_behind(&self.gate, &logs);
            assert!(found.is_empty(), "{}", found.join("\n"));
        }
    }
}

/// Copies the documented files, with the documented addresses replaced by free ones: nothing else changes.
fn configure(kind: Kind, folder: &Path, gate: &str, backend: &str, address: &str) {
    // nginx's workers are another user when it is started by root.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(folder.join("log")).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/proxies")
        .join(kind.folder());
    for (name, replaced) in kind.files(folder, gate, backend, address) {
        let mut text = fs::read_to_string(root.join(name)).unwrap();
        for (documented, ours) in replaced {
            assert!(
                text.contains(documented),
                "{name} does not say {documented}"
            );
            text = text.replace(documented, &ours);
        }
        fs::write(folder.join(name), text).unwrap();
    }
}

fn caddy_files(folder: &Path, gate: &str, backend: &str, address: &str) -> Files {
    vec![
        (
            "Caddyfile",
            vec![
                ("127.0.0.1:8082", backend.to_owned()),
                (
                    "http://:80",
                    format!("http://:{}", address.rsplit(':').next().unwrap()),
                ),
                ("/var/log/caddy/", format!("{}/log/", folder.display())),
                // Caddy's own door for its keepers, which two of them cannot share.
                (
                    "{\n\t# Caddy's own log.",
                    "{\n\tadmin off\n\t# Caddy's own log.".to_owned(),
                ),
            ],
        ),
        ("latchkey.caddy", vec![("127.0.0.1:8081", gate.to_owned())]),
    ]
}

fn nginx_files(folder: &Path, gate: &str, backend: &str, address: &str) -> Files {
    let temporary: Vec<String> = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {}/{kind};", folder.display()))
        .collect();
    vec![
        (
            "nginx.conf",
            vec![
                ("127.0.0.1:8082", backend.to_owned()),
                ("listen 80;", format!("listen {address};")),
                ("/run/nginx.pid", format!("{}/nginx.pid", folder.display())),
                ("/var/log/nginx/", format!("{}/log/", folder.display())),
                ("http {\n", format!("http {{\n{}\n", temporary.join("\n"))),
            ],
        ),
        (
            "latchkey-http.conf",
            vec![("127.0.0.1:8081", gate.to_owned())],
        ),
        ("latchkey-server.conf", vec![]),
        ("latchkey-location.conf", vec![]),
    ]
}

/// An API that answers everything with 200 and remembers it. It lives as long as the test's process.
fn backend(seen: Arc<Mutex<Vec<Seen>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let seen = Arc::clone(&seen);
            std::thread::spawn(move || serve(stream, &seen));
        }
    });
    address
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Seen>>) {
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    while let Some(request) = read_request(&mut stream) {
        let length = if request.method == "HEAD" {
            ""
        } else {
            "reached"
        };
        seen.lock().unwrap().push(request);
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{length}");
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn read_request(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut one = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut one).ok()? == 0 {
            return None;
        }
        bytes.push(one[0]);
    }
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let mut lines = head.trim_end().split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let whole = head + &String::from_utf8_lossy(&body);
    Some(Seen {
        method,
        target,
        headers,
        whole,
    })
}
