//! Ways to ask a gate, and to read what it says.

use std::net::SocketAddr;

use actix_web::body::to_bytes;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::rt;
use actix_web::test::TestRequest;
use latchkey::gate::Gate;
use serde_json::{Value, json};

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Status and verdict of a forward-auth answer.
    pub(crate) fn verdict(&self) -> (u16, &str) {
        (self.status, self.header("latchkey-verdict"))
    }
}

/// Sends a request through the gate's own routes.
pub(crate) fn send(gate: &Gate, request: TestRequest) -> Answer {
    rt::System::new().block_on(async {
        let response = gate.answer(request.to_request()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body()).await.unwrap();
        Answer {
            status: status.as_u16(),
            headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    })
}

/// A request from this machine's own proxy.
pub(crate) fn request(method: &str, uri: &str) -> TestRequest {
    TestRequest::with_uri(uri)
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .peer_addr(peer("127.0.0.1:40000"))
        .insert_header(("Host", "gate.internal"))
}

pub(crate) fn peer(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// What a proxy asks about a request to `https://api.example.com/maps/1`.
pub(crate) fn forwarded(endpoint: &str) -> TestRequest {
    request("GET", endpoint)
        .insert_header(("X-Forwarded-Method", "GET"))
        .insert_header(("X-Forwarded-Host", "api.example.com"))
        .insert_header(("X-Forwarded-Uri", "/maps/1"))
}

/// `POST /v1/verify`.
pub(crate) fn verify(gate: &Gate, body: &Value) -> Value {
    let answer = send(
        gate,
        request("POST", "/v1/verify").set_payload(body.to_string()),
    );
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()
}

/// The code that a secret gets for a product.
pub(crate) fn code(gate: &Gate, secret: &str, product: &str) -> String {
    let verdict = verify(gate, &json!({"secret": secret, "product": product}));
    verdict["code"].as_str().unwrap().to_owned()
}
