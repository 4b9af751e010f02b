//! A mail's form: the same parts in the same order, as plain text and as HTML.

use askama::Template;

/// A mail that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its subject.
    pub subject: String,
    /// Without HTML.
    pub text: String,
    /// With HTML.
    pub html: String,
}

/// What a mail says, part by part.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) subject: String,
    pub(super) greeting: String,
    pub(super) lines: Vec<String>,
    pub(super) facts: Vec<(&'static str, String)>,
    /// A label and where it leads.
    pub(super) action: Option<(&'static str, String)>,
    pub(super) after: Vec<String>,
    pub(super) sender: String,
    pub(super) why: String,
}

#[derive(Template)]
#[template(path = "mail/letter.txt")]
struct TextView<'a> {
    parts: &'a Parts,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct HtmlView<'a> {
    parts: &'a Parts,
}

impl Parts {
    /// Both forms.
    ///
    /// # Errors
    /// When a template cannot be filled in.
    pub(super) fn letter(&self) -> Result<Letter, askama::Error> {
        Ok(Letter {
            subject: self.subject.clone(),
            text: TextView { parts: self }.render()?,
            html: HtmlView { parts: self }.render()?,
        })
    }
}
