//! Processes of the binary: started on free ports in folders of their own, ended by their own number.

use crate::canaries;
use crate::database;
use crate::facts::Facts;
use crate::http::{Answer, Ask};
use crate::needs;
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// Below the ports that the kernel gives to outgoing connections, so that nobody takes one between asking and using it.
static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// An address of this machine that nobody listens on.
pub(crate) fn free_address() -> String {
    let spread = u16::try_from(std::process::id() % 150).unwrap() * 100;
    loop {
        let port = 12_000 + (spread + NEXT_PORT.fetch_add(1, Ordering::Relaxed)) % 8_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return format!("127.0.0.1:{port}");
        }
    }
}

/// Sends a signal to a child.
pub(crate) fn signal(child: &Child, name: &str) {
    let told = Command::new("sh")
        .args(["-c", &format!("kill -{name} {}", child.id())])
        .status()
        .expect("a shell");
    assert!(told.success(), "no process to send {name} to");
}

/// Stops a child, all of it: until its first thread has had its turn, the others go on and answer.
pub(crate) fn freeze(child: &Child) {
    signal(child, "STOP");
    needs::soon("all threads are stopped", || {
        let threads = fs::read_dir(format!("/proc/{}/task", child.id())).expect("its threads");
        let is_stopped = |thread: std::io::Result<fs::DirEntry>| {
            let stat = fs::read_to_string(thread.ok()?.path().join("stat")).ok()?;
            let (_, state) = stat.rsplit_once(") ")?;
            state.starts_with('T').then_some(())
        };
        threads.map(is_stopped).collect::<Option<Vec<()>>>()
    });
}

/// Asks a child to end and waits for it.
pub(crate) fn end(child: &mut Child) -> Option<ExitStatus> {
    if let Ok(Some(status)) = child.try_wait() {
        return Some(status);
    }
    signal(child, "TERM");
    needs::within(
        Duration::from_secs(20),
        "the process ends after SIGTERM",
        || child.try_wait().expect("a child of ours"),
    )
    .into()
}

/// Ends a child as no process can prevent.
pub(crate) fn kill(child: &mut Child) {
    child.kill().expect("a child of ours");
    child.wait().expect("a child of ours");
}

/// A serving latchkey.
pub(crate) struct Latchkey {
    pub(crate) child: Child,
    pub(crate) portal: String,
    pub(crate) gate: String,
    /// Where it runs and keeps what it prints.
    folder: PathBuf,
    /// The PostgreSQL that it keeps its data in, if it is none of its own.
    database: Option<String>,
    /// Its page of metrics, as it was when it was told to end.
    metrics: Vec<u8>,
    number: u16,
    /// Goes when the server does.
    kept: Option<TempDir>,
}

impl Latchkey {
    /// A demo without traffic in a folder of its own.
    pub(crate) fn demo() -> (Self, Facts) {
        let folder = TempDir::new().unwrap();
        let (mut latchkey, facts) = Self::demo_in(folder.path());
        latchkey.kept = Some(folder);
        (latchkey, facts)
    }

    /// A demo without traffic that keeps its data in `folder/data`.
    pub(crate) fn demo_in(folder: &Path) -> (Self, Facts) {
        Self::demo_with(folder, &[])
    }

    /// The same with these variables.
    pub(crate) fn demo_with(folder: &Path, variables: &[(&str, &str)]) -> (Self, Facts) {
        let data = folder.join("data");
        let (portal, gate) = (free_address(), free_address());
        let data = data.to_str().unwrap();
        let words = [
            "demo",
            "--json",
            "--no-traffic",
            "--data",
            data,
            "--portal",
            &portal,
            "--gate",
            &gate,
        ];
        let latchkey = Self::start(folder, &words, variables, portal.clone(), gate.clone());
        let line = needs::within(Duration::from_secs(30), "the demo's JSON line", || {
            let printed = latchkey.printed();
            printed
                .lines()
                .find(|line| line.starts_with('{'))
                .map(str::to_owned)
        });
        let facts: Facts = serde_json::from_str(&line).expect("the demo's JSON line");
        for key in &facts.keys {
            canaries::note_in(folder, "a key's secret", &key.secret);
        }
        for person in &facts.people {
            canaries::note_in(folder, "a password", &person.password);
        }
        (latchkey, facts)
    }

    /// `serve` in this folder, with these variables.
    pub(crate) fn serve_in(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let (portal, gate) = (free_address(), free_address());
        let listeners = [
            ("LATCHKEY_PORTAL__LISTEN", portal.as_str()),
            ("LATCHKEY_GATE__LISTEN", gate.as_str()),
        ];
        let variables = [&listeners[..], variables].concat();
        Self::start(folder, &["serve"], &variables, portal.clone(), gate.clone())
    }

    /// `serve --only portal` or `gate`; nobody listens at the other's address.
    pub(crate) fn serve_only(part: &str, folder: &Path, variables: &[(&str, &str)]) -> Self {
        let (portal, gate) = (free_address(), free_address());
        let listeners = [
            ("LATCHKEY_PORTAL__LISTEN", portal.as_str()),
            ("LATCHKEY_GATE__LISTEN", gate.as_str()),
        ];
        let variables = [&listeners[..], variables].concat();
        let words = ["serve", "--only", part];
        Self::start(folder, &words, &variables, portal.clone(), gate.clone())
    }

    fn start(
        folder: &Path,
        words: &[&str],
        variables: &[(&str, &str)],
        portal: String,
        gate: String,
    ) -> Self {
        let number = NEXT_PORT.load(Ordering::Relaxed);
        canaries::listens(&portal, folder);
        canaries::listens(&gate, folder);
        let database = variables.iter().find(|(name, _)| *name == "DATABASE_URL");
        let child = command(&[], folder, words, variables)
            .stdout(File::create(folder.join(format!("{number}.out"))).unwrap())
            .stderr(File::create(folder.join(format!("{number}.err"))).unwrap())
            .spawn()
            .expect("the binary starts");
        let mut latchkey = Self {
            child,
            portal,
            gate,
            folder: folder.to_owned(),
            database: database.map(|(_, url)| (*url).to_owned()),
            metrics: Vec::new(),
            number,
            kept: None,
        };
        let (path, at) = match words {
            ["serve", "--only", "portal"] => ("/sign-in", latchkey.portal.clone()),
            _ => ("/readyz", latchkey.gate.clone()),
        };
        needs::within(Duration::from_secs(90), "it answers 200", || {
            if let Some(status) = latchkey.child.try_wait().unwrap() {
                panic!("the server ended, {status}: {}", latchkey.logged());
            }
            let ready = Ask::get(path).try_send(&at).ok()?;
            (ready.status == 200).then_some(())
        });
        latchkey
    }

    /// What it has printed to standard output.
    pub(crate) fn printed(&self) -> String {
        fs::read_to_string(self.folder.join(format!("{}.out", self.number))).unwrap()
    }

    /// What it has printed to standard error: its log.
    pub(crate) fn logged(&self) -> String {
        fs::read_to_string(self.folder.join(format!("{}.err", self.number))).unwrap()
    }

    /// Ends it by SIGTERM, as a service manager would.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.keep_metrics();
        end(&mut self.child).unwrap()
    }

    /// Keeps the page of metrics of a server that still answers.
    fn keep_metrics(&mut self) {
        if let Ok(answer) = Ask::get("/metrics").try_send(&self.gate) {
            self.metrics.extend(answer.body);
        }
    }

    /// No secret of this test stands in its files, its database, its log or its metrics, in any spelling (T-33).
    fn searched(&self) -> Vec<String> {
        if canaries::counted(&self.folder).is_empty() {
            return Vec::new();
        }
        let mut places = canaries::files(&self.folder);
        places.push(("the metrics".to_owned(), self.metrics.clone()));
        places.extend(self.database.as_deref().map(database::rows));
        canaries::found_in(&self.folder, &places)
    }

    /// The whole verdict for these facts.
    pub(crate) fn verdict(&self, facts: &Value) -> Value {
        let answer = Ask::new("POST", "/v1/verify").json(facts).send(&self.gate);
        assert_eq!(answer.status, 200, "verify answers 200 for every verdict");
        answer.json()
    }

    /// The code for a secret at a product.
    pub(crate) fn code(&self, secret: &str, product: &str) -> String {
        let verdict = self.verdict(&json!({"secret": secret, "product": product}));
        verdict["code"].as_str().expect("a code").to_owned()
    }

    /// What forward-auth says of a request.
    pub(crate) fn authorize(&self, method: &str, host: &str, target: &str, secret: &str) -> Answer {
        Ask::get("/v1/authorize")
            .header("X-Forwarded-Method", method)
            .header("X-Forwarded-Host", host)
            .header("X-Forwarded-Uri", target)
            .header("X-API-Key", secret)
            .send(&self.gate)
    }
}

impl Drop for Latchkey {
    fn drop(&mut self) {
        // Killed, so that a test that fails does not wait for a server that hangs.
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            if !std::thread::panicking() {
                self.keep_metrics();
            }
            let ended = self.child.kill().and_then(|()| self.child.wait());
            if let Err(error) = ended {
                eprintln!("a server could not be killed: {error}");
            }
        }
        if !std::thread::panicking() {
            let found = self.searched();
            assert!(found.is_empty(), "{}", found.join("\n"));
        }
    }
}

fn command(by: &[&str], folder: &Path, words: &[&str], variables: &[(&str, &str)]) -> Command {
    let binary = needs::binary();
    let mut all = by.iter().map(OsStr::new).chain([binary.as_os_str()]);
    let mut command = Command::new(all.next().expect("the binary at least"));
    command
        .args(all)
        .args(words)
        .current_dir(folder)
        .env_clear()
        .env("PATH", needs::variable("PATH").unwrap_or_default())
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    command
}

/// A command of the binary that has ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) printed: String,
    pub(crate) said: String,
    pub(crate) took: Duration,
}

/// Begins a command of the binary.
pub(crate) fn begin(folder: &Path, words: &[&str], variables: &[(&str, &str)]) -> Child {
    begin_by(&[], folder, words, variables)
}

fn begin_by(by: &[&str], folder: &Path, words: &[&str], variables: &[(&str, &str)]) -> Child {
    command(by, folder, words, variables)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts")
}

/// Runs a command of the binary to its end.
pub(crate) fn run(folder: &Path, words: &[&str], variables: &[(&str, &str)]) -> Ended {
    run_by(&[], folder, words, variables)
}

/// The same by way of a command that runs what follows it.
pub(crate) fn run_by(
    by: &[&str],
    folder: &Path,
    words: &[&str],
    variables: &[(&str, &str)],
) -> Ended {
    let began = needs::now();
    let mut child = begin_by(by, folder, words, variables);
    let overdue = Duration::from_mins(1);
    while child.try_wait().unwrap().is_none() && began.elapsed() < overdue {
        std::thread::sleep(Duration::from_millis(2));
    }
    let took = began.elapsed();
    if took >= overdue {
        child.kill().expect("a child of ours");
    }
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code(),
        printed: String::from_utf8_lossy(&output.stdout).into_owned(),
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
        took,
    }
}
