//! The `[[verdict]]` entries of the configuration: the operator's own words for a refusal.

use latchkey_rules::code::Code;

use super::reading::Reading;
use super::values;

/// The operator's own words for a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictEntry {
    /// The verdict.
    pub code: Code,
    /// What clients read instead of Latchkey's message.
    pub message: Option<String>,
    /// Where they are led instead of Latchkey's page.
    pub help: Option<String>,
}

/// All entries, no two of one code.
pub(super) fn entries(root: &mut Reading<'_>) -> Vec<VerdictEntry> {
    let mut entries: Vec<VerdictEntry> = Vec::new();
    for mut table in root.tables("verdict") {
        let at = table.place("code");
        let code = table.required("code", refusal);
        let message = table.text("message", |text| values::words(text, 300));
        let help = table.text("help", values::link);
        table.end();
        let Some(code) = code else { continue };
        if entries.iter().any(|other| other.code == code) {
            let text =
                format!("verdict.code must be one that no other entry has; {code} has been used");
            root.problem(at, text);
        }
        entries.push(VerdictEntry {
            code,
            message,
            help,
        });
    }
    entries
}

fn refusal(text: &str) -> Result<Code, String> {
    match Code::from_str(text) {
        Ok(code) if !code.is_allow() => Ok(code),
        _ => Err("must be the code of a refusal, such as RATE_LIMITED".to_owned()),
    }
}
