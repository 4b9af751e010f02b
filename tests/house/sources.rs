//! Reads the repository's files for the other modules.

use std::fs;
use std::path::{Path, PathBuf};

/// One file of the repository.
pub(crate) struct Source {
    /// Path from the repository's root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// The lines of product code: without comments, and without what is `#[cfg(test)]`: one line such as `mod tests;`, or
    /// all the rest.
    pub(crate) fn code(&self) -> Vec<(usize, &str)> {
        let mut lines = Vec::new();
        let mut all = self.text.lines().enumerate();
        while let Some((number, line)) = all.next() {
            let bare = line.trim_start();
            if bare.starts_with("#[cfg(test)]") {
                if all.next().is_some_and(|(_, item)| item.ends_with(';')) {
                    continue;
                }
                break;
            }
            if !bare.starts_with("//") {
                lines.push((number + 1, line.split(" // ").next().unwrap_or(line)));
            }
        }
        lines
    }
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file of ours below `folder` with this ending, sorted by path.
pub(crate) fn below(folder: &str, ending: &str) -> Vec<Source> {
    let mut found = Vec::new();
    walk(&root().join(folder), ending, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(folder: &Path, ending: &str, found: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.map(Result::unwrap) {
        let path = entry.path();
        if path.ends_with("node_modules") {
            continue;
        }
        if path.is_dir() {
            walk(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            let name = path.strip_prefix(root()).unwrap();
            found.push(Source {
                path: name.to_string_lossy().replace('\\', "/"),
                text: fs::read_to_string(&path).unwrap(),
            });
        }
    }
}
