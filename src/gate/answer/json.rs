//! The JSON of a verdict, written straight into the answer's bytes: always the same fields in the same order.

use jiff::Timestamp;
use latchkey_rules::code::Code;
use latchkey_rules::key_id::KeyIdText;
use latchkey_rules::time::Millis;

use super::limits::push_json;
use super::lines::push_number;
use crate::gate::GateSettings;
use crate::gate::judge::Judged;

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
    push_text(out, ",\"code\":", Some(judged.code.as_str()));
    // An allow is looked up nowhere: almost every verdict is one.
    let message = if is_valid {
        judged.message
    } else {
        settings.message(judged.code, judged.message)
    };
    push_text(out, ",\"message\":", Some(message));
    let key_id = key.map(|key| KeyIdText::of(&key.key_id));
    push_text(out, ",\"key_id\":", key_id.as_ref().map(KeyIdText::as_str));
    push(out, ",\"secret_number\":");
    match key {
        Some(key) => push_number(out, key.secret_number.into()),
        None => push(out, "null"),
    }
    push_text(out, ",\"account\":", key.map(|key| key.account));
    push_text(
        out,
        ",\"environment\":",
        key.map(|key| key.environment.word()),
    );
    push_text(out, ",\"product\":", judged.product);
    push_text(out, ",\"access\":", key.map(|key| key.access.word()));
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
    push_text(out, name, at.map(|at| at.to_string()).as_deref());
}

fn push_text(out: &mut Vec<u8>, name: &str, text: Option<&str>) {
    push(out, name);
    let Some(text) = text else {
        return push(out, "null");
    };
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
            push_text(&mut out, "", Some(text));
            let back: String = serde_json::from_slice(&out).unwrap();
            assert_eq!(back, text);
        }
    }
}
