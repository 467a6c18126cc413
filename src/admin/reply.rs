//! Answers of the operator's doors: JSON, never cached, problems as RFC 9457.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use crate::problem::{self, Problem};

/// 200 with a JSON body.
pub(super) fn json(body: &impl Serialize) -> HttpResponse {
    with(StatusCode::OK).json(body)
}

/// An answer of this status that nobody keeps.
pub(super) fn with(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer.insert_header(("Cache-Control", "no-store"));
    answer.insert_header(("X-Content-Type-Options", "nosniff"));
    answer
}

/// A problem as its answer.
pub(super) fn problem(problem: &Problem) -> HttpResponse {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = with(status);
    if let Some(seconds) = problem.retry_after {
        answer.insert_header(("Retry-After", seconds.to_string()));
    }
    answer.content_type(problem::CONTENT_TYPE).body(
        serde_json::to_string(problem).unwrap_or_else(|_| r#"{"title":"no answer"}"#.to_owned()),
    )
}

/// 404 for everything that is not served here.
pub(super) async fn nothing_here() -> HttpResponse {
    problem(&Problem::new(404, "/problems/not-found", "there is nothing here"))
}
