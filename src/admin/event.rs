//! One stored event with its request and its updates: the one answer of the admin API that shows what a sender said.

use actix_web::{HttpResponse, web};
use base64::Engine;
use serde_json::{Value, json};

use super::{State, reply};
use crate::event::EventId;
use crate::problem::Problem;
use crate::store::{Request, StoredEvent};

/// `GET /api/events/{id}`
pub(super) async fn event(id: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let id: EventId = match id.parse() {
        Ok(id) => id,
        Err(error) => {
            let problem = Problem::new(400, "/problems/bad-event-id", "this is no event id");
            return reply::problem(&problem.detail(format!("{error}")));
        }
    };
    match state.store.event(id).await {
        Ok(Some(found)) => reply::json(&shown(&found)),
        Ok(None) => reply::problem(
            &Problem::new(404, "/problems/no-such-event", "there is no such event")
                .detail("it was never here, or retention has taken it"),
        ),
        Err(error) => reply::refused(&error),
    }
}

/// An event as the API gives it: what the list of events has of it, `item` (its place in the request where
/// `body.each` split it), `request` and `updates`.
pub fn shown(stored: &StoredEvent) -> Value {
    json!({
        "event": stored.event,
        "item": stored.item,
        "request": request(&stored.request),
        "updates": stored.updates,
    })
}

/// The body byte for byte as `body_base64`, and as `body` where it is text.
fn request(kept: &Request) -> Value {
    json!({
        "method": kept.method,
        "content_type": kept.content_type,
        "query": kept.query,
        "headers": kept.headers,
        "body": std::str::from_utf8(&kept.body).ok(),
        "body_base64": base64::engine::general_purpose::STANDARD.encode(&kept.body),
    })
}
