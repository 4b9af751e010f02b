//! The lines of an answer's headers, as they go out on the wire (RFC 9112, 5).

/// Header lines, each with its end. Names are in lower case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Vec<u8>);

impl Lines {
    /// Makes room for that many bytes at once.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.0.reserve(bytes);
    }

    /// Adds a line. A text that can be no header's becomes `-`.
    pub(crate) fn add(&mut self, name: &'static str, value: &str) {
        self.add_bytes(name, value.as_bytes());
    }

    /// Adds a line whose value came over the wire.
    pub(crate) fn add_bytes(&mut self, name: &'static str, value: &[u8]) {
        let value = if is_value(value) { value } else { b"-" };
        self.write(name, |out| out.extend_from_slice(value));
    }

    /// Adds a line whose value holds nothing but what may stand there.
    pub(super) fn write(&mut self, name: &'static str, value: impl FnOnce(&mut Vec<u8>)) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b": ");
        value(&mut self.0);
        self.0.extend_from_slice(b"\r\n");
    }

    /// All of them, as they go out.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Name and value of each.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let lines = self.0.split(|byte| *byte == b'\n');
        lines.filter_map(|line| {
            let line = line.strip_suffix(b"\r")?;
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = line.split_at_checked(colon)?;
            let value = value.strip_prefix(b": ")?;
            Some((std::str::from_utf8(name).ok()?, value))
        })
    }
}

/// Whether it may be a header's value (RFC 9110, 5.5): no control but the tab. Counted rather than looked for: the
/// compiler then looks at many bytes at a time.
fn is_value(value: &[u8]) -> bool {
    let is_control = |byte: &&u8| (**byte < b' ' && **byte != b'\t') || **byte == 0x7f;
    value.iter().filter(is_control).count() == 0
}

/// Appends a whole number in decimal digits.
pub(super) fn push_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_whole() {
        for number in [0, 7, 10, 909, 12_345, 65_535, u64::MAX] {
            let mut out = Vec::new();
            push_number(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }

    #[test]
    fn what_would_end_a_line_stands_in_none() {
        let mut lines = Lines::default();
        lines.add("one", "a: b\tc, \u{e9}");
        for broken in ["a\r\nx-forged: 1", "a\n", "\0", "\u{7f}"] {
            lines.add("two", broken);
        }
        lines.add("three", "");
        let expected: &[(&str, &[u8])] = &[
            ("one", b"a: b\tc, \xc3\xa9"),
            ("two", b"-"),
            ("two", b"-"),
            ("two", b"-"),
            ("two", b"-"),
            ("three", b""),
        ];
        assert_eq!(lines.iter().collect::<Vec<_>>(), expected);
        assert!(lines.as_bytes().starts_with(b"one: a: b"));
    }
}
