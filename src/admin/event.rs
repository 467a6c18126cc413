//! `GET /api/events/{id}`: one event with its request as it was kept, so that it can be mapped again elsewhere.
//!
//! It is the one answer that shows what a sender sent: for `explain` and `diff`, behind the token like the others.

use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::auth::Guard;
use super::{State, reply};
use crate::event::EventId;
use crate::problem::Problem;
use crate::store::StoredEvent;

/// Gives one event.
pub(super) async fn event(
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<State>,
    guard: web::Data<Guard>,
) -> HttpResponse {
    if let Err(problem) = guard.check(&request) {
        return reply::problem(&problem);
    }
    let found = match id.parse::<EventId>() {
        Ok(id) => state.store.event(id).await,
        Err(_) => Ok(None),
    };
    match found {
        Ok(Some(stored)) => reply::json(&shown(&stored)),
        Ok(None) => reply::problem(
            &Problem::new(404, "/problems/unknown-event", "there is no such event")
                .detail("it may be past its retention; ids are those of `/api/events`"),
        ),
        Err(error) => super::api::refused(&error),
    }
}

/// The event for a program. The body is given as it was sent, in base64.
fn shown(stored: &StoredEvent) -> serde_json::Value {
    let (event, request) = (&stored.event, &stored.request);
    json!({
        "event_id": event.event_id,
        "source": event.source,
        "type": event.event_type,
        "received_at": event.received_at,
        "request": {
            "method": request.method,
            "content_type": request.content_type,
            "query": request.query,
            "headers": request.headers,
            "body_base64": STANDARD.encode(&request.body),
        },
        "item": stored.item,
        "updates": stored.updates,
    })
}
