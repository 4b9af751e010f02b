//! What the fuzzers found worth keeping still holds. The checks and the corpora are those of `fuzz/`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

#[path = "../../fuzz/checks/forward_auth.rs"]
mod forward_auth;
#[path = "../../fuzz/checks/forwarded_for.rs"]
mod forwarded_for;
#[path = "../../fuzz/checks/path.rs"]
mod path;
#[path = "../../fuzz/checks/secret.rs"]
mod secret;

/// Runs a check on every file of a target's corpus.
fn each_of(target: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut files = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let file = entry.unwrap().path();
        let data = std::fs::read(&file).unwrap();
        let outcome = catch_unwind(AssertUnwindSafe(|| check(&data)));
        assert!(outcome.is_ok(), "{}", file.display());
        files += 1;
    }
    assert!(files >= 5, "{} holds {files} files", folder.display());
}

#[test]
fn f_1_the_corpus_of_secrets_holds() {
    each_of("secret", secret::check);
}

#[test]
fn f_3_the_corpus_of_paths_holds() {
    each_of("path", path::check);
}

#[test]
fn f_4_the_corpus_of_forwarded_addresses_holds() {
    each_of("forwarded_for", forwarded_for::check);
}

#[test]
fn f_6_the_corpus_of_forward_auth_requests_holds() {
    let rig = forward_auth::Rig::new();
    each_of("forward_auth", |data| rig.check(data));
}
