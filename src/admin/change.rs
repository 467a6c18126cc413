//! The part of the admin API that changes something: `POST` only, each call a bounded number of updates, each change
//! in the log.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::desk::Refused;
use super::desk::asked::ChangeAsked;
use super::desk::outcome::Done;
use super::{State, reply};

/// Who asks, for the log.
fn who(request: &HttpRequest) -> String {
    let from = request.peer_addr().map(|address| address.ip().to_string());
    format!("admin API from {}", from.as_deref().unwrap_or("somewhere"))
}

fn told(done: Result<Done, Refused>) -> HttpResponse {
    match done {
        Ok(done) => reply::json(&done),
        Err(refused) => reply::not_done(&refused),
    }
}

/// Counts what was to be sent again: what waits again, and what does not.
fn counted(done: Result<Done, Refused>, state: &State) -> Result<Done, Refused> {
    if let Ok(done) = done.as_ref()
        && !done.dry_run
    {
        for outcome in &done.updates {
            let waits = outcome.changed && outcome.becomes.as_deref() == Some("waiting");
            let outcome = if waits { "requeued" } else { "failed" };
            state.metrics.replays_total.with_label_values(&[outcome]).inc();
        }
    }
    done
}

type Asked = web::Json<ChangeAsked>;

/// `POST /api/replay`
pub(super) async fn replay(
    request: HttpRequest,
    asked: Asked,
    state: web::Data<State>,
) -> HttpResponse {
    told(counted(state.desk.replay(&asked, &who(&request)).await, &state))
}

/// `POST /api/remap`
pub(super) async fn remap(
    request: HttpRequest,
    asked: Asked,
    state: web::Data<State>,
) -> HttpResponse {
    told(counted(state.desk.remap(&asked, &who(&request)).await, &state))
}

/// `POST /api/discard`
pub(super) async fn discard(
    request: HttpRequest,
    asked: Asked,
    state: web::Data<State>,
) -> HttpResponse {
    told(state.desk.discard(&asked, &who(&request)).await)
}

/// `POST /api/purge`
pub(super) async fn purge(
    request: HttpRequest,
    asked: Asked,
    state: web::Data<State>,
) -> HttpResponse {
    told(state.desk.purge(&asked, &who(&request)).await)
}

/// `POST /api/pause`
pub(super) async fn pause(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    paused(state.desk.pause(&who(&request)).await, &state)
}

/// `POST /api/resume`
pub(super) async fn resume(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    paused(state.desk.resume(&who(&request)).await, &state)
}

fn paused(done: Result<(), Refused>, state: &State) -> HttpResponse {
    match done {
        Ok(()) => reply::json(&json!({ "paused": (state.look)().paused })),
        Err(refused) => reply::not_done(&refused),
    }
}
