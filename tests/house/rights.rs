//! Whether the handler behind each route takes the right that its family's table promises. `tests/app/access.rs` asks the
//! running portal the same; this names the handler that is wrong, and sees it before anything runs.

use crate::sources::{Source, below};

/// `METHOD "path" Who => handler;` of a family's table.
struct Row {
    family: String,
    method: String,
    path: String,
    who: String,
    handler: String,
}

impl Row {
    fn read(family: &str, line: &str) -> Option<Self> {
        let (asked, handler) = line.trim().strip_suffix(';')?.split_once(" => ")?;
        let words: Vec<&str> = asked.split(' ').collect();
        let [
            method @ ("GET" | "POST" | "PUT" | "PATCH" | "DELETE"),
            path,
            who,
        ] = words.as_slice()
        else {
            return None;
        };
        Some(Self {
            family: family.to_owned(),
            method: (*method).to_owned(),
            path: (*path).to_owned(),
            who: (*who).to_owned(),
            handler: handler.to_owned(),
        })
    }

    /// Where the handler stands, and its name: `create::new` of `src/portal/keys.rs` is in `src/portal/keys/create.rs`.
    fn place(&self) -> (String, &str) {
        match self.handler.rsplit_once("::") {
            None => (self.family.clone(), self.handler.as_str()),
            Some((inside, name)) => {
                let folder = self.family.strip_suffix(".rs").unwrap();
                (format!("{folder}/{}.rs", inside.replace("::", "/")), name)
            }
        }
    }

    /// The type that only those reach who may.
    fn right(&self) -> String {
        let scope = match self.who.as_str() {
            who @ ("Viewer" | "Developer" | "Owner") => format!("Member<{who}>"),
            who @ ("Support" | "Admin") => format!("Staff<{who}>"),
            who => who.to_owned(),
        };
        match self.method.as_str() {
            "GET" => scope,
            _ => format!("Post<{scope},"),
        }
    }
}

fn rows(sources: &[Source]) -> Vec<Row> {
    let of = |source: &Source| -> Vec<Row> {
        let lines = source.code().into_iter();
        lines
            .filter_map(|(_, line)| Row::read(&source.path, line))
            .collect()
    };
    sources.iter().flat_map(of).collect()
}

/// The type of a function's first argument.
fn first_argument(source: &Source, name: &str) -> Option<String> {
    let (_, behind) = source.text.split_once(&format!("async fn {name}("))?;
    let (_, kind) = behind.split_once(": ")?;
    let line = kind.lines().next()?;
    Some(line.to_owned())
}

#[test]
fn t_26_every_handler_takes_the_right_that_its_route_names() {
    let sources = below("src/portal", ".rs");
    let rows = rows(&sources);
    assert!(rows.len() > 20, "only {} routes were found", rows.len());
    for row in rows {
        let (file, name) = row.place();
        let what = format!("{} {} => {file}, {name}", row.method, row.path);
        let source = sources.iter().find(|source| source.path == file);
        let source = source.unwrap_or_else(|| panic!("{what}: no such file"));
        let takes = first_argument(source, name).unwrap_or_else(|| panic!("{what}: none"));
        let behind = takes.strip_prefix(&row.right());
        let holds = behind.is_some_and(|rest| rest.starts_with([',', ')', ' ']));
        assert!(holds, "{what}: takes {takes}, not {}", row.right());
    }
}
