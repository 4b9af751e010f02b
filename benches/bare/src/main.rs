//! The framework with nothing on it: reads a request and answers 204. What the gate's processor time is compared with.
//!
//!     latchkey-bare ADDRESS

use actix_web::{App, HttpResponse, HttpServer, web};

/// The body is read, since a connection is closed on a request whose body was left.
async fn no_content(_body: web::Bytes) -> HttpResponse {
    HttpResponse::NoContent().finish()
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_default();
    HttpServer::new(|| App::new().default_service(web::to(no_content)))
        .bind(address)?
        .run()
        .await
}
