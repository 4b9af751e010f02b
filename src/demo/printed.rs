//! What the demo prints.
//!
//! Must not know how it came about.

use std::io::Write;

use super::Options;
use super::catalogue::sample_url;
use super::company::BRAND;
use super::facts::{Kept, Line};
use super::folder::Folder;
use super::products::PRODUCTS;

/// One line for programs.
pub(super) fn json(line: &Line) -> String {
    serde_json::to_string(line).unwrap_or_default()
}

/// What people need to begin: where, as whom, and a line to run.
pub(super) fn for_people(
    kept: &Kept,
    options: &Options,
    portal: &str,
    gate: &str,
    folder: &Folder,
) -> String {
    let mut lines = vec![
        String::new(),
        format!("{BRAND}, a demo of Latchkey"),
        String::new(),
        format!("  Portal   {portal}/sign-in"),
        format!("  Gate     {gate}"),
        String::new(),
        "Sign in as".to_owned(),
        String::new(),
    ];
    lines.push(row("Role", "Mail", "Password", "Account"));
    lines.extend(kept.people.iter().map(|person| {
        let account = person.account.as_deref().unwrap_or("all, as staff");
        row(&person.role, &person.email, &person.password, account)
    }));
    lines.push(String::new());
    if let Some(line) = curl(kept, options) {
        lines.push("Ask the gate, which answers VALID".to_owned());
        lines.extend([String::new(), format!("  {line}"), String::new()]);
    }
    let end = if folder.stays() {
        let folder = folder.path().display();
        format!("Ctrl+C ends the demo. It is kept in {folder} and goes on from there.")
    } else {
        "Ctrl+C ends the demo, and its data goes with it. Keep it with --data DIR.".to_owned()
    };
    lines.push(end);
    lines.join("\n")
}

fn row(role: &str, mail: &str, password: &str, account: &str) -> String {
    format!("  {role:<10} {mail:<28} {password:<26} {account}")
}

/// The first key at the first of its products.
fn curl(kept: &Kept, options: &Options) -> Option<String> {
    let key = &kept.keys.first()?.line;
    let slug = key.products.first()?;
    let product = PRODUCTS.iter().find(|product| product.slug == slug)?;
    let method = match product.method() {
        "GET" => String::new(),
        method => format!("-X {method} "),
    };
    let url = sample_url(product, options.gate);
    Some(format!(
        "curl {method}'{url}' -H 'X-API-Key: {}'",
        key.secret
    ))
}

/// Writes it at once. Whoever closed the output does not want it.
pub(super) fn out(text: &str) {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    if let Err(error) = written {
        tracing::warn!(%error, "the demo's words could not be printed");
    }
}
