//! What surrounds every page: brand, navigation, who is signed in, how they like to read. Templates print it; it decides
//! nothing.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use latchkey_rules::time::Millis;

use crate::web::context::Context;
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::visitor::Visitor;
use crate::web::zone::{When, Zone};
use crate::web::{Shared, assets, format};

/// The person in the menu.
#[derive(Clone, Debug)]
pub struct PersonNav {
    /// Their name.
    pub name: String,
    /// Its first letters.
    pub initials: String,
    /// Their address.
    pub email: String,
    /// Their staff role's word.
    pub staff: Option<&'static str>,
}

/// An account in the switcher.
#[derive(Clone, Debug)]
pub struct AccountNav {
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The person's role in it.
    pub role: &'static str,
}

/// The frame of a page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The operator's name.
    pub brand_name: String,
    /// The operator's picture.
    pub brand_logo: Option<String>,
    /// `auto`, `light` or `dark`.
    pub theme: &'static str,
    /// The time zone's name.
    pub zone_label: String,
    /// The style sheet.
    pub css: String,
    /// Address of the font that every page needs.
    pub font: String,
    /// The script.
    pub js: String,
    /// The icons.
    pub icons: String,
    /// The operator's colours.
    pub brand_css: String,
    /// Who is signed in.
    pub person: Option<PersonNav>,
    /// The account of this page.
    pub account: Option<AccountNav>,
    /// All accounts of the person.
    pub accounts: Vec<AccountNav>,
    /// The part of the navigation that this page belongs to.
    pub section: &'static str,
    /// Whether this is a page for staff.
    pub staff_page: bool,
    /// What was just done.
    pub flash: Option<Flash>,
    /// What holds for the whole account.
    pub band: Option<Flash>,
    /// Where people get help.
    pub support_href: Option<String>,
    /// What that link says.
    pub support_label: String,
    /// The terms of use.
    pub terms_href: Option<String>,
    /// Where people buy more.
    pub sales_href: Option<String>,
    /// This page, to come back to.
    pub here: String,
    zone: Zone,
    now: Millis,
}

impl Frame {
    /// The frame for a request.
    pub fn build(shared: &Shared, context: &Context) -> Self {
        let visitor = context.visitor();
        let visitor = visitor.as_deref();
        let zone = context
            .zone
            .clone()
            .or_else(|| visitor.and_then(Visitor::zone))
            .unwrap_or_default();
        let accounts: Vec<AccountNav> = visitor.map(Visitor::accounts_nav).unwrap_or_default();
        let slug = context
            .path
            .strip_prefix("/accounts/")
            .and_then(|rest| rest.split('/').next());
        Self {
            brand_name: shared.brand.name.clone(),
            brand_logo: shared.brand.logo.as_ref().map(|_| "/brand/logo".to_owned()),
            theme: context
                .theme
                .or_else(|| visitor.and_then(Visitor::theme))
                .unwrap_or("auto"),
            zone_label: zone.label().to_owned(),
            css: assets::href("latchkey.css"),
            font: assets::href("fonts/inter-latin.woff2"),
            js: assets::href("latchkey.js"),
            icons: assets::href("icons.svg"),
            brand_css: "/brand.css".to_owned(),
            person: visitor.map(Visitor::nav),
            account: accounts
                .iter()
                .find(|account| Some(account.slug.as_str()) == slug)
                .cloned(),
            accounts,
            section: section(&context.path),
            staff_page: context.path.starts_with("/staff/"),
            flash: context.flash.clone(),
            band: None,
            support_href: support_href(shared, None),
            support_label: "Support".to_owned(),
            terms_href: shared.terms_url.clone(),
            sales_href: shared.sales_url.clone(),
            here: context.here.clone(),
            zone,
            now: shared.clock.now(),
        }
    }

    /// An instant, as this person reads it.
    pub fn when(&self, at: Millis) -> When {
        self.zone.when(at, self.now)
    }

    /// The moment at which the page is made.
    pub fn now(&self) -> Millis {
        self.now
    }
}

/// The way to support, with a key's ID already in the message where that is possible.
pub fn support_href(shared: &Shared, key_id: Option<&str>) -> Option<String> {
    match (&shared.support.url, &shared.support.mail) {
        (Some(url), _) => Some(url.clone()),
        (None, Some(mail)) => Some(match key_id {
            Some(key_id) => format!("mailto:{mail}?subject=Key%20{key_id}"),
            None => format!("mailto:{mail}"),
        }),
        (None, None) => None,
    }
}

fn section(path: &str) -> &'static str {
    let mut parts = path.split('/').skip(1);
    match (parts.next(), parts.next(), parts.next()) {
        (Some("accounts"), _, Some("keys")) => "keys",
        (Some("accounts"), _, Some("audit")) => "audit",
        (Some("accounts"), _, Some("limits")) => "limits",
        (Some("docs"), ..) => "docs",
        (Some("staff"), Some("look-up"), _) => "look-up",
        (Some("staff"), Some("keys"), _) => "staff-keys",
        _ => "",
    }
}

impl FromRequest for Frame {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match (req.app_data::<Data<Shared>>(), Context::of(req)) {
            (Some(shared), Some(context)) => Ok(Self::build(shared, &context)),
            _ => Err(Error::Internal(
                "a page was served outside of the rim".to_owned(),
            )),
        })
    }
}

/// Initials for the menu.
pub fn person_nav(name: &str, email: &str, staff: Option<&'static str>) -> PersonNav {
    PersonNav {
        name: name.to_owned(),
        initials: format::initials(name),
        email: email.to_owned(),
        staff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_belongs_to_one_part_of_the_navigation() {
        for (path, part) in [
            ("/accounts/a/keys", "keys"),
            ("/accounts/a/keys/new", "keys"),
            ("/accounts/a/limits", "limits"),
            ("/docs/errors", "docs"),
            ("/staff/look-up", "look-up"),
            ("/staff/keys/key_x", "staff-keys"),
            ("/", ""),
            ("/accounts/keys", ""),
        ] {
            assert_eq!(section(path), part, "{path}");
        }
    }
}
