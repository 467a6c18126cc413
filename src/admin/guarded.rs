//! Before every handler of the admin API: who asks, under which name, and from which page.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::web;

use super::auth::Guard;
use super::reply;
use crate::problem::Problem;

/// Lets a request through that has the token, comes under a name of ours and, where it changes something, from no
/// page of another site.
pub(super) async fn guarded(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match refusal(&request) {
        None => Ok(next.call(request).await?.map_into_left_body()),
        Some(problem) => Ok(request.into_response(reply::problem(&problem)).map_into_right_body()),
    }
}

fn refusal(request: &ServiceRequest) -> Option<Problem> {
    let Some(guard) = request.app_data::<web::Data<Guard>>() else {
        return Some(Problem::new(500, "/problems/no-guard", "nobody may ask"));
    };
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let origin = request.headers().get(header::ORIGIN).filter(|_| changes);
    if let Some(origin) = origin
        && !origin.to_str().is_ok_and(|origin| guard.is_own_origin(origin))
    {
        return Some(
            Problem::new(403, "/problems/foreign-origin", "not from a page of another site")
                .detail("add its host to `admin.hosts` if it is meant"),
        );
    }
    guard.check(request.request()).err()
}
