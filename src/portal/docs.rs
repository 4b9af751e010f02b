//! The documentation, readable by all: how to get a key, what each code means, the words. It knows no account and no key.

use actix_web::{HttpResponse, http::header, web::Data};
use askama::Template;
use latchkey_rules::code::Code;

use crate::store::accounts::{self, PlanFacts};
use crate::store::products::{self, Product};
use crate::web::{
    Shared, error::Error, format::number, frame::Frame, render, scope::Anyone, shared::SignUp,
};

crate::routes! {
    GET "/docs" Anyone => index;
    GET "/docs/get-a-key" Anyone => get_a_key;
    GET "/docs/send-it" Anyone => send_it;
    GET "/docs/keep-it-safe" Anyone => keep_it_safe;
    GET "/docs/rotate" Anyone => rotate;
    GET "/docs/restrict" Anyone => restrict;
    GET "/docs/limits" Anyone => limits;
    GET "/docs/verdicts" Anyone => verdicts;
    GET "/docs/errors" Anyone => errors;
    GET "/docs/words" Anyone => words;
}

#[derive(Template)]
#[template(path = "docs/index.html")]
struct IndexView {
    frame: Frame,
    page: &'static str,
    products: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "docs/get-a-key.html")]
struct GetAKeyView {
    frame: Frame,
    page: &'static str,
    sign_up_open: bool,
    header_name: String,
    query_name: String,
    env_var: String,
    sample_url: String,
}

#[derive(Template)]
#[template(path = "docs/errors.html")]
struct VerdictsView {
    frame: Frame,
    page: &'static str,
    rows: Vec<Row>,
}

struct Row {
    code: &'static str,
    status: u16,
    title: &'static str,
    cause: &'static str,
    mend: &'static str,
}

#[derive(Template)]
#[template(path = "docs/words.html")]
struct WordsView {
    frame: Frame,
    page: &'static str,
}

#[derive(Template)]
#[template(path = "docs/rotate.html")]
struct RotateView {
    frame: Frame,
    page: &'static str,
}

#[derive(Template)]
#[template(path = "docs/send-it.html")]
struct SendItView {
    frame: Frame,
    page: &'static str,
    header_name: String,
    query_name: String,
    env_var: String,
}

#[derive(Template)]
#[template(path = "docs/keep-it-safe.html")]
struct KeepItSafeView {
    frame: Frame,
    page: &'static str,
    header_name: String,
    env_var: String,
}

#[derive(Template)]
#[template(path = "docs/restrict.html")]
struct RestrictView {
    frame: Frame,
    page: &'static str,
}

#[derive(Template)]
#[template(path = "docs/limits.html")]
struct LimitsView {
    frame: Frame,
    page: &'static str,
    plans: Vec<PlanRow>,
}

/// What a plan allows, ready to print.
struct PlanRow {
    name: String,
    per_minute: String,
    burst: String,
    per_day: String,
}

async fn limits(_scope: Anyone, frame: Frame, shared: Data<Shared>) -> Result<HttpResponse, Error> {
    let plans = shared.db.read(accounts::plans).await?;
    let shown = |bound: Option<i64>| bound.map_or("unlimited".to_owned(), number);
    let row = |plan: PlanFacts| PlanRow {
        per_minute: shown(plan.per_minute),
        burst: shown(plan.bounds().minute().map(|rate| i64::from(rate.burst()))),
        per_day: shown(plan.per_day),
        name: plan.name,
    };
    render::ok(&LimitsView {
        frame,
        page: "limits",
        plans: plans.into_iter().map(row).collect(),
    })
}

async fn index(_scope: Anyone, frame: Frame, shared: Data<Shared>) -> Result<HttpResponse, Error> {
    let products = shared.db.read(products::all).await?;
    let link = |product: Product| (product.name, product.docs_url.unwrap_or_default());
    let products = products.into_iter().map(link).collect();
    render::ok(&IndexView {
        frame,
        page: "",
        products,
    })
}

async fn get_a_key(
    _scope: Anyone,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    let products = shared.db.read(products::all).await?;
    let sample = Product::to_try_first(products.iter()).map(|product| product.sample.url.clone());
    render::ok(&GetAKeyView {
        frame,
        page: "get-a-key",
        sign_up_open: shared.sign_up == SignUp::Open,
        header_name: shared.key_header.clone(),
        query_name: shared.key_query.clone(),
        env_var: shared.env_var_name.clone(),
        sample_url: sample.unwrap_or_else(|| "https://api.example.com/".to_owned()),
    })
}

async fn send_it(
    _scope: Anyone,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    render::ok(&SendItView {
        frame,
        page: "send-it",
        header_name: shared.key_header.clone(),
        query_name: shared.key_query.clone(),
        env_var: shared.env_var_name.clone(),
    })
}

async fn keep_it_safe(
    _scope: Anyone,
    frame: Frame,
    shared: Data<Shared>,
) -> Result<HttpResponse, Error> {
    render::ok(&KeepItSafeView {
        frame,
        page: "keep-it-safe",
        header_name: shared.key_header.clone(),
        env_var: shared.env_var_name.clone(),
    })
}

async fn rotate(_scope: Anyone, frame: Frame) -> Result<HttpResponse, Error> {
    render::ok(&RotateView {
        frame,
        page: "rotate",
    })
}

async fn restrict(_scope: Anyone, frame: Frame) -> Result<HttpResponse, Error> {
    render::ok(&RestrictView {
        frame,
        page: "restrict",
    })
}

async fn verdicts(_scope: Anyone, frame: Frame) -> Result<HttpResponse, Error> {
    let rows = Code::ALL.iter().map(|code| Row {
        code: code.as_str(),
        status: code.http_status(),
        title: code.title(),
        cause: code.cause(),
        mend: code.mend(),
    });
    render::ok(&VerdictsView {
        frame,
        page: "verdicts",
        rows: rows.collect(),
    })
}

/// The same page under the name that people guess.
async fn errors(_scope: Anyone) -> Result<HttpResponse, Error> {
    Ok(HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, "/docs/verdicts"))
        .finish())
}

async fn words(_scope: Anyone, frame: Frame) -> Result<HttpResponse, Error> {
    render::ok(&WordsView {
        frame,
        page: "words",
    })
}
