//! The JSON of a verdict, written straight into the answer's bytes: always the same fields in the same order.

use jiff::Timestamp;
use latchkey_rules::code::Code;
use latchkey_rules::key_id::KeyIdText;
use latchkey_rules::time::Millis;

use super::limits::push_json;
use super::lines::push_number;
use crate::gate::GateSettings;
use crate::gate::judge::{Judged, JudgedKey};

/// Appends a verdict.
pub(crate) fn push_verdict(
    out: &mut Vec<u8>,
    judged: &Judged<'_>,
    request_id: &[u8],
    settings: &GateSettings,
) {
    let key = judged.key.as_ref();
    let is_valid = judged.code == Code::Valid;
    push(
        out,
        if is_valid {
            "{\"valid\":true"
        } else {
            "{\"valid\":false"
        },
    );
    push_word(out, ",\"code\":", Some(judged.code.as_str().as_bytes()));
    // An allow is looked up nowhere: almost every verdict is one.
    let message = if is_valid {
        judged.message
    } else {
        settings.message(judged.code, judged.message)
    };
    push_text(out, ",\"message\":", message);
    let word = |text: fn(&JudgedKey<'_>) -> &'static str| key.map(|key| text(key).as_bytes());
    let key_id = key.map(|key| KeyIdText::of(&key.key_id));
    push_word(
        out,
        ",\"key_id\":",
        key_id.as_ref().map(KeyIdText::as_bytes),
    );
    push(out, ",\"secret_number\":");
    match key {
        Some(key) => push_number(out, key.secret_number.into()),
        None => push(out, "null"),
    }
    push_word(out, ",\"account\":", key.map(|key| key.account.as_bytes()));
    push_word(out, ",\"environment\":", word(|key| key.environment.word()));
    push_word(out, ",\"product\":", judged.product.map(str::as_bytes));
    push_word(out, ",\"access\":", word(|key| key.access.word()));
    if is_valid && judged.by_method_alone {
        push(out, ",\"access_checked\":\"method\"");
    }
    push(out, ",\"limits\":");
    push_json(out, judged.limits.as_ref());
    push_instant(out, ",\"expires_at\":", key.and_then(|key| key.expires_at));
    push_instant(out, ",\"retires_at\":", key.and_then(|key| key.retires_at));
    push(out, ",\"request_id\":\"");
    out.extend_from_slice(request_id);
    push(out, "\"}");
}

fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn push_instant(out: &mut Vec<u8>, name: &str, at: Option<Millis>) {
    let at = at.and_then(|at| Timestamp::from_millisecond(at.0).ok());
    let at = at.map(|at| at.to_string());
    push_word(out, name, at.as_ref().map(String::as_bytes));
}

/// Appends a word of ours, a name or an instant, none of which holds what JSON would escape; or null.
fn push_word(out: &mut Vec<u8>, name: &str, word: Option<&[u8]>) {
    push(out, name);
    let Some(word) = word else {
        return push(out, "null");
    };
    out.push(b'"');
    out.extend_from_slice(word);
    out.push(b'"');
}

/// Appends a text of whoever, escaped.
fn push_text(out: &mut Vec<u8>, name: &str, text: &str) {
    push(out, name);
    out.push(b'"');
    // Counted rather than looked for: the compiler then looks at many bytes at a time.
    let is_special = |byte: &u8| matches!(byte, 0..b' ' | b'"' | b'\\');
    if text.bytes().filter(is_special).count() == 0 {
        push(out, text);
    } else {
        for character in text.chars() {
            match character {
                '"' => push(out, "\\\""),
                '\\' => push(out, "\\\\"),
                '\0'..' ' => push(out, &format!("\\u{:04x}", u32::from(character))),
                _ => push(out, character.encode_utf8(&mut [0; 4])),
            }
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_as_json_wants() {
        for text in [
            "plain",
            "say \"hi\"",
            "back\\slash",
            "tab\tand\nline",
            "\u{0}\u{1f}",
            "über €",
            "",
        ] {
            let mut out = Vec::new();
            push_text(&mut out, "", text);
            let back: String = serde_json::from_slice(&out).unwrap();
            assert_eq!(back, text);
        }
    }
}
