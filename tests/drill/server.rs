//! A PostgreSQL of a drill's own, which may be frozen and killed. It keeps its promises as it does by default: what it has
//! committed is on disk.

use crate::needs;
use crate::process::free_address;
use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The server. It goes with the drill.
pub(crate) struct Server {
    programs: PathBuf,
    home: TempDir,
    port: String,
    /// PostgreSQL refuses to run as root.
    user: Option<u32>,
    postmaster: Child,
}

impl Server {
    pub(crate) fn start() -> Self {
        let programs = programs().expect("a PostgreSQL server here: apt-get install postgresql");
        let home = TempDir::new().expect("a temporary folder");
        let user = (number_of("") == Some(0)).then(|| {
            let user = number_of("postgres").expect("a user postgres, since this runs as root");
            chown(home.path(), Some(user), None).expect("root may give it away");
            user
        });
        let data = home.path().join("data");
        let mut made = command(&programs.join("initdb"), user);
        made.args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-D",
        ]);
        let made = made.arg(&data).output().expect("initdb runs");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let address = free_address();
        let port = address.rsplit(':').next().expect("a port").to_owned();
        let postmaster = spawn(&programs, home.path(), &port, user);
        let server = Self {
            programs,
            home,
            port,
            user,
            postmaster,
        };
        server.wait();
        server
    }

    /// The address of the database that is there from the beginning.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn wait(&self) {
        let ready = || {
            let mut asks = Command::new(self.programs.join("pg_isready"));
            let asked = asks
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port])
                .status();
            asked.is_ok_and(|status| status.success()).then_some(())
        };
        needs::within(Duration::from_mins(1), "PostgreSQL is up", ready);
    }

    /// Ends it at once, as `pg_ctl restart -m immediate` does, and starts it again: it recovers from its log.
    pub(crate) fn restart_at_once(&mut self) {
        send("QUIT", &[self.postmaster.id()]);
        self.postmaster.wait().expect("a child of ours");
        self.postmaster = spawn(&self.programs, self.home.path(), &self.port, self.user);
        self.wait();
    }

    /// Stops all its processes where they stand, as a machine does that hangs.
    pub(crate) fn freeze(&self) {
        // First the one that would make more.
        send("STOP", &[self.postmaster.id()]);
        send("STOP", &children_of(self.postmaster.id()));
    }

    pub(crate) fn thaw(&self) {
        send("CONT", &children_of(self.postmaster.id()));
        send("CONT", &[self.postmaster.id()]);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.thaw();
        send("QUIT", &[self.postmaster.id()]);
        if let Err(error) = self.postmaster.wait() {
            println!("  PostgreSQL did not end: {error}");
        }
    }
}

/// Where the newest PostgreSQL of this machine has its programs; Debian keeps them out of PATH.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<PathBuf> = versions
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .filter(|folder| folder.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop()
}

/// The number of a user of this machine, or of the one that runs this.
fn number_of(user: &str) -> Option<u32> {
    let mut asks = Command::new("id");
    asks.arg("-u")
        .args([user].iter().filter(|user| !user.is_empty()));
    let said = asks.output().ok()?;
    String::from_utf8(said.stdout).ok()?.trim().parse().ok()
}

fn command(program: &Path, user: Option<u32>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").stdin(Stdio::null());
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    command
}

fn spawn(programs: &Path, home: &Path, port: &str, user: Option<u32>) -> Child {
    let log = fs::File::create(home.join("server.log")).expect("a log");
    let mut server = command(&programs.join("postgres"), user);
    server
        .arg("-D")
        .arg(home.join("data"))
        .args(["-p", port, "-k"])
        .arg(home);
    server.args(["-c", "listen_addresses=127.0.0.1"]);
    let errors = log.try_clone().expect("a log");
    server
        .stdout(log)
        .stderr(errors)
        .spawn()
        .expect("PostgreSQL starts")
}

/// The processes whose parent this is.
fn children_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("Linux");
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
    processes
        .filter_map(|entry| number(entry.ok()?))
        .filter(|process| {
            // The name in brackets may hold anything; the parent is the second word after it.
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            let after = stat.rsplit(')').next().unwrap_or_default();
            after.split_whitespace().nth(1) == Some(&parent.to_string())
        })
        .collect()
}

/// Sends a signal to processes of ours; one that has just ended does not matter.
fn send(signal: &str, processes: &[u32]) {
    if processes.is_empty() {
        return;
    }
    let numbers: Vec<String> = processes.iter().map(ToString::to_string).collect();
    let words = format!("kill -{signal} {}", numbers.join(" "));
    Command::new("sh")
        .args(["-c", &words])
        .status()
        .expect("a shell");
}
