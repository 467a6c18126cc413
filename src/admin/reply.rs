//! Answers of the operator's doors: JSON, never cached, problems as RFC 9457.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use super::desk::Refused;
use crate::problem::{self, Problem};
use crate::store::Error;

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

/// The answer where something was not done.
pub(super) fn not_done(why: &Refused) -> HttpResponse {
    match why {
        Refused::Asked(invalid) => problem(
            &Problem::new(400, "/problems/bad-query", "this cannot be asked so")
                .detail(invalid.to_string()),
        ),
        Refused::Store(error) => refused(error),
    }
}

/// The answer where the store could not do it.
pub(super) fn refused(error: &Error) -> HttpResponse {
    problem(
        &Problem::new(503, "/problems/store", "the store could not be asked")
            .detail(error.to_string())
            .retry_after(1),
    )
}

/// 404 for everything that is not served here.
pub(super) async fn nothing_here() -> HttpResponse {
    problem(&Problem::new(404, "/problems/not-found", "there is nothing here"))
}
