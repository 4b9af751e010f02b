//! Comma-separated values as RFC 4180 says, safe to open in a spreadsheet (T-57). It knows no key.

/// One field: quoted where it must be, and disarmed where a spreadsheet would take it for a formula.
pub(super) fn field(text: &str) -> String {
    let armed = text != "-"
        && text.chars().next().is_some_and(|first| {
            matches!(
                first,
                '=' | '+'
                    | '-'
                    | '@'
                    | '\t'
                    | '\r'
                    | '\0'
                    | '\u{ff1d}'
                    | '\u{ff0b}'
                    | '\u{ff0d}'
                    | '\u{ff20}'
            )
        });
    let text = if armed {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// One line.
pub(in crate::portal) fn line(fields: &[&str]) -> String {
    let fields: Vec<String> = fields.iter().map(|text| field(text)).collect();
    format!("{}\r\n", fields.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn t_57_a_spreadsheet_runs_nothing() {
        for (text, written) in [
            ("VALID", "VALID"),
            ("-", "-"),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@x", "'@x"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("", ""),
        ] {
            assert_eq!(field(text), written, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn t_57_no_field_begins_a_formula(text in ".{0,20}") {
            let written = field(&text);
            let read = written.strip_prefix('"').unwrap_or(&written);
            prop_assert!(text == "-" || !read.starts_with(['=', '+', '-', '@', '\t', '\r', '\0']));
        }
    }
}
