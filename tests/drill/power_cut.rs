//! the machine loses its power. What a disk holds at that moment is what was synced to it; what people were told is
//! done must be there. SQLite only: PostgreSQL's own logs are its own promise.
//!
//! The disk is a file: ext4 on a loop device, that writes nothing by itself for ten minutes. The server is stopped where it
//! stands, the file is copied, and the copy is a disk after the power came back. Whether this sees a loss at all is tried
//! first, with a writer that does not sync each commit.

use crate::books::{Books, Site};
use crate::ledger::{self, Compared};
use crate::process::{self, Latchkey};
use crate::writers::Writer;
use rand::RngExt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

const WRITERS: usize = 8;
/// In so many cuts a writer that does not sync must have lost something.
const CUTS_OF_THE_CARELESS: usize = 5;

/// So many power cuts.
pub(crate) fn drill(cuts: u32) {
    let root = done("id", &["-u"]).trim() == "0";
    assert!(root, "this mounts disks: run it as root");
    let lost = careless();
    println!(
        "the rig: a writer with synchronous=NORMAL lost {lost} commits in at most {CUTS_OF_THE_CARELESS} cuts"
    );
    assert!(lost > 0, "the rig sees no loss, so it proves nothing");

    let site = Site::on_sqlite();
    let latchkey = site.installation.serve();
    let mut writers = Writer::sign_up(&site.installation, &latchkey, WRITERS);
    drop(latchkey);
    let mut total = Compared::default();
    for cut in 0..cuts {
        for writer in &mut writers {
            writer.lives.clear();
        }
        let found = cut_in_the_midst(&site, &mut writers);
        assert!(found.holds(), "cut {cut}: {found:?}");
        total.answered += found.answered;
        total.cut_off += found.cut_off;
        total.kept += found.kept;
    }
    println!(
        "SQLite     {cuts} cuts: {} changes answered, {} cut off of which {} were kept; 0 lost, 0 doubled",
        total.answered, total.cut_off, total.kept
    );
    assert!(total.answered > 0, "nobody wrote anything");
}

/// A server on a disk of its own, whose power is cut while all write.
fn cut_in_the_midst(site: &Site, writers: &mut [Writer]) -> Compared {
    let place = site.installation.path();
    let disk = Disk::new(&place.join("disk"));
    let kept = place.join("data").display().to_string();
    done("cp", &["-a", &format!("{kept}/."), &disk.path()]);
    done("sync", &["-f", &disk.path()]);
    let mut latchkey = site.installation.serve_node("disk");
    let later = thread::scope(|scope| {
        for writer in &mut *writers {
            writer.move_to(&latchkey.portal);
            scope.spawn(|| while writer.step().is_ok() {});
        }
        thread::sleep(Duration::from_millis(rand::rng().random_range(300..1_300)));
        cut(&mut latchkey, &disk, &place.join("copy"))
    });
    drop(latchkey);
    let mut books = Books::of_file(&later.place.join("latchkey.db"));
    assert!(books.is_whole(), "the database file is damaged");
    let found = ledger::compare(&mut books, writers);
    drop(books);
    found
}

fn cut(latchkey: &mut Latchkey, disk: &Disk, later: &Path) -> Disk {
    process::signal(&latchkey.child, "STOP");
    let later = disk.after_the_cut(later);
    process::kill(&mut latchkey.child);
    later
}

/// How much a writer loses that leaves the syncing to chance.
fn careless() -> i64 {
    let folder = TempDir::new().expect("a temporary folder");
    let lost = (0..CUTS_OF_THE_CARELESS).map(|_| careless_cut(folder.path()).max(0));
    lost.sum()
}

fn careless_cut(folder: &Path) -> i64 {
    let disk = Disk::new(&folder.join("disk"));
    let over = AtomicBool::new(false);
    // How many commits it was told of; whoever holds the lock stops it where it stands.
    let told = Mutex::new(0_i64);
    let (later, before) = thread::scope(|scope| {
        scope.spawn(|| {
            let mut books = Books::of_file(&disk.place.join("a.db"));
            books.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
            books.run("CREATE TABLE t (n INTEGER PRIMARY KEY, v TEXT)");
            while !over.load(Ordering::SeqCst) {
                let mut told = told.lock().expect("the drill goes on");
                books.run("INSERT INTO t (v) VALUES (hex(randomblob(100)))");
                *told += 1;
            }
        });
        thread::sleep(Duration::from_millis(rand::rng().random_range(500..1_500)));
        let told = told.lock().expect("the writer goes on");
        let later = disk.after_the_cut(&folder.join("copy"));
        over.store(true, Ordering::SeqCst);
        (later, *told)
    });
    let mut books = Books::of_file(&later.place.join("a.db"));
    let there = books.lines("SELECT name AS line FROM sqlite_schema WHERE name = 't'");
    if there.is_empty() {
        return before;
    }
    let rows = books.lines("SELECT CAST(COUNT(*) AS TEXT) AS line FROM t");
    before - rows[0].parse::<i64>().expect("a number")
}

/// A mounted disk image.
struct Disk {
    image: PathBuf,
    place: PathBuf,
}

impl Disk {
    fn new(place: &Path) -> Self {
        let image = place.with_extension("img");
        let file = image.display().to_string();
        done("truncate", &["-s", "96M", &file]);
        done("mkfs.ext4", &["-q", "-F", &file]);
        Self::mount(image, place)
    }

    fn mount(image: PathBuf, place: &Path) -> Self {
        fs::create_dir_all(place).expect("a folder");
        let (file, folder) = (image.display().to_string(), place.display().to_string());
        done("mount", &["-o", "loop,commit=600", &file, &folder]);
        Self {
            image,
            place: place.to_owned(),
        }
    }

    /// What a machine finds that starts again now.
    fn after_the_cut(&self, place: &Path) -> Self {
        let image = place.with_extension("img");
        fs::copy(&self.image, &image).expect("room for a copy");
        Self::mount(image, place)
    }

    fn path(&self) -> String {
        self.place.display().to_string()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, since a drill that fails may still have files open there.
        let unmounted = Command::new("umount").arg("-l").arg(&self.place).status();
        for left in [unmounted.map(drop), fs::remove_file(&self.image)] {
            if let Err(error) = left {
                println!("  {} is left behind: {error}", self.path());
            }
        }
    }
}

/// What a program of the system prints, that must be there and end well.
fn done(program: &str, words: &[&str]) -> String {
    let path = "/usr/sbin:/usr/bin:/sbin:/bin";
    let output = Command::new(program).args(words).env("PATH", path).output();
    let output = output.unwrap_or_else(|error| panic!("{program}, which this needs: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {words:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
