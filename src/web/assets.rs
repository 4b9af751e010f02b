//! Style sheet, script, icons and fonts, embedded in the binary. Their address holds a digest of them all, so that a
//! browser may keep them for ever and relative addresses inside of them keep working. It knows no page.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use rust_embed::Embed;
use sha2::{Digest, Sha256};

use crate::web::error::Error;

#[derive(Embed)]
#[folder = "static/"]
struct Static;

static DIGEST: LazyLock<String> = LazyLock::new(|| {
    let mut sum = Sha256::new();
    let mut paths: Vec<_> = Static::iter().collect();
    paths.sort();
    for path in paths {
        if let Some(file) = Static::get(&path) {
            sum.update(path.as_bytes());
            sum.update(file.metadata.sha256_hash());
        }
    }
    let digest: [u8; 32] = sum.finalize().into();
    data_encoding::HEXLOWER.encode(
        digest
            .first_chunk::<4>()
            .map_or(&digest[..], <[u8; 4]>::as_slice),
    )
});

/// The pattern of their addresses.
pub const ROUTE: &str = "/assets/{digest}/{path:.*}";

/// The address of an embedded file.
pub fn href(path: &str) -> String {
    format!("/assets/{}/{path}", *DIGEST)
}

/// Registers the embedded files.
pub fn configure(cfg: &mut ServiceConfig) {
    cfg.service(web::resource(ROUTE).route(web::get().to(serve)));
}

async fn serve(path: web::Path<(String, String)>) -> HttpResponse {
    let (digest, path) = path.into_inner();
    // An address of another version of the portal is answered with what we have, and not kept.
    let keep = if digest == *DIGEST {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    answer(&path, keep)
}

/// An embedded file, to be kept as long as `keep` says.
pub fn answer(path: &str, keep: &'static str) -> HttpResponse {
    let Some(file) = Static::get(path) else {
        return HttpResponse::from_error(Error::NotFound);
    };
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media_type(path)))
        .insert_header((header::CACHE_CONTROL, keep))
        .body(file.data.into_owned())
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{App, test};

    #[actix_web::test]
    async fn every_embedded_file_is_kept_for_ever_under_its_digest() {
        let app = test::init_service(App::new().configure(configure)).await;
        let paths: Vec<_> = Static::iter().collect();
        assert!(paths.iter().any(|path| path == "latchkey.css"), "{paths:?}");
        for path in paths {
            let answer =
                test::call_service(&app, test::TestRequest::with_uri(&href(&path)).to_request())
                    .await;
            assert_eq!(answer.status(), 200, "{path}");
            assert!(
                answer
                    .headers()
                    .get("Cache-Control")
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .contains("immutable")
            );
            assert_ne!(
                answer.headers().get("Content-Type").unwrap(),
                "application/octet-stream",
                "{path} has a type"
            );
        }
        let old = test::call_service(
            &app,
            test::TestRequest::with_uri("/assets/00000000/latchkey.css").to_request(),
        )
        .await;
        assert_eq!(old.headers().get("Cache-Control").unwrap(), "no-cache");
        let none = test::call_service(
            &app,
            test::TestRequest::with_uri("/assets/x/../Cargo.toml").to_request(),
        )
        .await;
        assert_eq!(none.status(), 404);
    }
}
