//! Where the link in a refusal leads: what its code means, for anybody, from the link alone. It knows nothing of the
//! request, so it can tell nobody anything that the answer did not.

use actix_web::{
    HttpResponse,
    web::{Path, Query},
};
use askama::Template;
use latchkey_rules::code::Code;
use serde::Deserialize;

use crate::web::{error::Error, frame::Frame, render, scope::Anyone};

crate::routes! {
    GET "/r/{request_id}" Anyone => show;
}

/// The code in the link.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Link {
    verdict: String,
}

struct CodeView {
    code: &'static str,
    group: &'static str,
    status: u16,
    title: &'static str,
    cause: &'static str,
    mend: &'static str,
}

#[derive(Template)]
#[template(path = "receipts/show.html")]
struct ReceiptView {
    frame: Frame,
    title: String,
    request_id: String,
    code: Option<CodeView>,
}

async fn show(
    _scope: Anyone,
    path: Path<String>,
    link: Query<Link>,
    frame: Frame,
) -> Result<HttpResponse, Error> {
    let request_id = path.into_inner();
    if !may_be_one(&request_id) {
        return Err(Error::NotFound);
    }
    let code = Code::from_str(&link.verdict).ok();
    let title = match code {
        Some(code) => format!("{} · {code}", code.title()),
        None => "This link names no code".to_owned(),
    };
    render::ok(&ReceiptView {
        frame,
        title,
        request_id,
        code: code.map(view),
    })
}

/// Whether a text can be a request's id: ours, or one that a proxy in front drew.
fn may_be_one(text: &str) -> bool {
    let sane = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    (1..=64).contains(&text.len()) && text.bytes().all(sane)
}

fn view(code: Code) -> CodeView {
    CodeView {
        code: code.as_str(),
        group: code.outcome_group().word(),
        status: code.http_status(),
        title: code.title(),
        cause: code.cause(),
        mend: code.mend(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_an_id_is_repeated() {
        for (text, good) in [
            ("req_abc123", true),
            ("0f7b6a5e-1c2d", true),
            ("", false),
            ("a b", false),
            ("<b>", false),
            ("é", false),
        ] {
            assert_eq!(may_be_one(text), good, "{text}");
        }
        assert!(!may_be_one(&"a".repeat(65)));
    }
}
