//! Ready lines to run, with the secret filled in: what a person does next after making a key. It knows no key, only the
//! product's sample request and the operator's names.

use crate::store::products::Sample;

/// The curl line in the parts that a page colours, each quoted for a shell.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Curl {
    pub flag: String,
    pub url: String,
    pub header: String,
}

/// The lines, one text for each tab.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Examples {
    pub curl: Curl,
    pub javascript: String,
    pub python: String,
    pub env_line: String,
    pub env_file: String,
    pub ignore: String,
    pub expect: String,
}

impl Examples {
    pub(super) fn of(sample: &Sample, header: &str, variable: &str, secret: &str) -> Self {
        let (method, url) = (sample.method.as_str(), sample.url.as_str());
        let flag = if method == "GET" {
            String::new()
        } else {
            format!("-X {} ", shell(method))
        };
        Self {
            curl: Curl {
                flag,
                url: shell(url),
                header: shell(&format!("{header}: {secret}")),
            },
            javascript: format!(
                "const answer = await fetch({}, {{\n  method: {},\n  headers: {{ {}: process.env.{variable} }},\n}});\nconsole.log(answer.status, await answer.text());",
                quoted(url),
                quoted(method),
                quoted(header)
            ),
            python: format!(
                "import os, urllib.request\n\nrequest = urllib.request.Request({}, method={})\nrequest.add_header({}, os.environ[{}])\nwith urllib.request.urlopen(request) as answer:\n    print(answer.status, answer.read().decode())",
                quoted(url),
                quoted(method),
                quoted(header),
                quoted(variable)
            ),
            env_line: format!("export {variable}={secret}"),
            env_file: format!("{variable}={secret}"),
            ignore: "echo .env >> .gitignore".to_owned(),
            expect: sample.expect.clone(),
        }
    }
}

/// A word for a POSIX shell: plain where it can be, else in single quotes.
fn shell(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:%,@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A string literal that JavaScript and Python read alike.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(method: &str, url: &str) -> Sample {
        Sample {
            method: method.to_owned(),
            url: url.to_owned(),
            expect: "200".to_owned(),
        }
    }

    #[test]
    fn the_parts_of_the_curl_line_are_words_of_a_shell() {
        let lines = Examples::of(
            &sample("GET", "https://api.example/search?q=Bergen&n=1"),
            "X-Api-Key",
            "MAPS_KEY",
            "lk_live_x",
        );
        assert_eq!(
            (lines.curl.flag.as_str(), lines.curl.url.as_str()),
            ("", "'https://api.example/search?q=Bergen&n=1'")
        );
        assert_eq!(lines.curl.header, "'X-Api-Key: lk_live_x'");
        let lines = Examples::of(
            &sample("POST", "https://api.example/it's"),
            "X-Api-Key",
            "MAPS_KEY",
            "lk_live_x",
        );
        assert_eq!(
            (lines.curl.flag.as_str(), lines.curl.url.as_str()),
            ("-X POST ", "'https://api.example/it'\\''s'")
        );
    }

    #[test]
    fn only_the_lines_that_must_hold_the_secret_hold_it() {
        let lines = Examples::of(
            &sample("GET", "https://api.example/"),
            "X-Api-Key",
            "MAPS_KEY",
            "lk_live_x",
        );
        assert!(
            !lines.javascript.contains("lk_live_x")
                && !lines.python.contains("lk_live_x")
                && !lines.ignore.contains("lk_live_x")
        );
        assert_eq!(lines.env_file, "MAPS_KEY=lk_live_x");
        assert_eq!(lines.env_line, "export MAPS_KEY=lk_live_x");
    }

    #[test]
    fn a_url_cannot_leave_its_quotes() {
        let lines = Examples::of(
            &sample("GET", "https://a.example/\"+x+\"\n"),
            "X-Api-Key",
            "K",
            "s",
        );
        assert!(
            lines
                .javascript
                .contains(r#""https://a.example/\"+x+\"\n""#),
            "{}",
            lines.javascript
        );
    }
}
