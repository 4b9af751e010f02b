//! How pages look and in whose time they speak: chosen by anybody, kept in a cookie, and with the person where one is
//! signed in. No script is needed. It knows nothing of what pages say.

mod regions;

use actix_web::{
    HttpResponse,
    cookie::{Cookie, time::Duration},
    web::Data,
};
use askama::Template;
use regions::Region;
use serde::Deserialize;

use crate::store::users;
use crate::web::{
    Shared,
    context::{THEME_COOKIE, THEMES, ZONE_COOKIE},
    error::Error,
    flash::{self, Flash},
    form::{self, Field, Fields, Post, Problems},
    frame::Frame,
    next, render,
    scope::Anyone,
    zone::Zone,
};

crate::routes! {
    GET "/preferences" Anyone => show;
    POST "/preferences/theme" Anyone => theme;
    POST "/preferences/zone" Anyone => set_zone;
}

/// How long a browser keeps a choice.
const KEPT: Duration = Duration::days(365);

const ZONE_HINT: &str = "All times on these pages are shown in it; pointing at one shows UTC. Days of charts and quotas are always UTC days.";

/// The choice of colours.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ThemeForm {
    theme: Field,
    next: String,
}

impl Fields for ThemeForm {
    const ONE: &'static [&'static str] = &["theme", "next"];
}

/// The choice of a time zone.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ZoneForm {
    zone: Field,
    next: String,
}

impl Fields for ZoneForm {
    const ONE: &'static [&'static str] = &["zone", "next"];
}

struct Pick {
    value: &'static str,
    label: &'static str,
    small: &'static str,
    checked: bool,
}

#[derive(Template)]
#[template(path = "preferences/show.html")]
struct PreferencesView {
    frame: Frame,
    title: String,
    problems: Problems,
    themes: Vec<Pick>,
    theme_error: Option<String>,
    zones: &'static [Region],
    chosen: String,
    zone_error: Option<String>,
    zone_hint: &'static str,
}

impl PreferencesView {
    fn new(frame: Frame, theme_error: Option<String>, zone_error: Option<String>) -> Self {
        let problems = form::problems(&[("theme", &theme_error), ("zone", &zone_error)]);
        let pick = |value, label, small| Pick {
            value,
            label,
            small,
            checked: frame.theme == value,
        };
        Self {
            title: form::title("Preferences", &problems),
            problems,
            themes: vec![
                pick("auto", "Auto", "As the system is set"),
                pick("light", "Light", ""),
                pick("dark", "Dark", ""),
            ],
            theme_error,
            zones: regions::all(),
            chosen: frame.zone_label.clone(),
            zone_error,
            zone_hint: ZONE_HINT,
            frame,
        }
    }
}

async fn show(_scope: Anyone, frame: Frame) -> Result<HttpResponse, Error> {
    render::ok(&PreferencesView::new(frame, None, None))
}

async fn theme(
    post: Post<Anyone, ThemeForm>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let raw = post.form.theme.raw;
    let Some(theme) = THEMES.into_iter().find(|theme| *theme == raw) else {
        let error = Some("Choose Auto, Light or Dark.".to_owned());
        return render::refused(&PreferencesView::new(frame, error, None));
    };
    keep(&shared, &post.scope, Some(theme), None).await?;
    let mut answer = render::see_other(next::safe(&post.form.next));
    set(&mut answer, &cookie(&shared, THEME_COOKIE, theme))?;
    Ok(answer)
}

async fn set_zone(
    post: Post<Anyone, ZoneForm>,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let Some(zone) = Zone::parse(&post.form.zone.raw) else {
        let error = Some("There is no time zone of this name. Choose one of the list.".to_owned());
        return render::refused(&PreferencesView::new(frame, None, error));
    };
    keep(&shared, &post.scope, None, Some(zone.label())).await?;
    let said = Flash::ok(format!("Times are shown in {}.", zone.label()));
    let mut answer = render::see_other_saying(&shared, next::safe(&post.form.next), &said);
    set(&mut answer, &cookie(&shared, ZONE_COOKIE, zone.label()))?;
    Ok(answer)
}

/// Keeps what is new with the person, if one is signed in, beside what they chose before.
async fn keep(
    shared: &Shared,
    scope: &Anyone,
    theme: Option<&str>,
    zone: Option<&str>,
) -> Result<(), Error> {
    let Some(visitor) = &scope.visitor else {
        return Ok(());
    };
    let handle = visitor.person.handle();
    let theme = theme
        .map(str::to_owned)
        .or_else(|| visitor.person.theme.clone());
    let zone = zone
        .map(str::to_owned)
        .or_else(|| visitor.person.zone.clone());
    let write = shared
        .db
        .write(move |w| users::set_preferences(w, &handle, theme.as_deref(), zone.as_deref()));
    Ok(write.await?)
}

fn cookie(shared: &Shared, name: &str, value: &str) -> Cookie<'static> {
    let name = shared.cookie_name(name);
    flash::dressed(&name, value.to_owned(), shared.public_url.is_https(), KEPT)
}

fn set(answer: &mut HttpResponse, cookie: &Cookie<'static>) -> Result<(), Error> {
    let added = answer.add_cookie(cookie);
    added.map_err(|error| Error::Internal(format!("a cookie of ours is none: {error}")))
}
