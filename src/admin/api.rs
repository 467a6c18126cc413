//! The admin API: what is in force, what came in, what became of it. JSON, a page at a time.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::auth::Guard;
use super::{State, reply};
use crate::event::SourceName;
use crate::problem::Problem;
use crate::store::{Error, EventFilter, Page, UpdateFilter};

/// Rows of a page where the caller does not say.
const ROWS: usize = 50;
/// Rows of a page at most.
const MOST_ROWS: usize = 500;
/// The states that updates can be listed by.
const STATES: &[&str] =
    &["waiting", "in_flight", "held", "delivered", "skipped", "dead", "discarded"];

/// The routes of the admin listener.
pub fn routes(
    state: &web::Data<State>,
    guard: &web::Data<Guard>,
) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let (state, guard) = (web::Data::clone(state), web::Data::clone(guard));
    move |config| {
        config
            .app_data(state)
            .app_data(guard)
            .app_data(web::QueryConfig::default().error_handler(|error, _| {
                let problem = Problem::new(400, "/problems/bad-query", "the query cannot be read")
                    .detail(error.to_string());
                actix_web::error::InternalError::from_response(error, reply::problem(&problem))
                    .into()
            }))
            .service(web::resource("/api/status").route(web::get().to(status)))
            .service(web::resource("/api/events").route(web::get().to(events)))
            .service(web::resource("/api/events/{id}").route(web::get().to(super::event::event)))
            .service(web::resource("/api/updates").route(web::get().to(updates)))
            .default_service(web::to(reply::nothing_here));
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventQuery {
    source: Option<SourceName>,
    limit: Option<usize>,
    before: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateQuery {
    state: Option<String>,
    source: Option<SourceName>,
    limit: Option<usize>,
    before: Option<String>,
}

async fn status(
    request: HttpRequest,
    state: web::Data<State>,
    guard: web::Data<Guard>,
) -> HttpResponse {
    if let Err(problem) = guard.check(&request) {
        return reply::problem(&problem);
    }
    let numbers = match state.store.numbers().await {
        Ok(numbers) => numbers,
        Err(error) => return refused(&error),
    };
    let overview = (state.look)();
    reply::json(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "started_at": state.started,
        "draining": state.is_draining(),
        "mappings": { "hash": overview.mappings_hash },
        "sources": overview.sources,
        "delivery": { "paused": overview.paused },
        "numbers": numbers,
        "ledger_imbalance": numbers.imbalance(),
    }))
}

async fn events(
    request: HttpRequest,
    query: web::Query<EventQuery>,
    state: web::Data<State>,
    guard: web::Data<Guard>,
) -> HttpResponse {
    if let Err(problem) = guard.check(&request) {
        return reply::problem(&problem);
    }
    let query = query.into_inner();
    let page = page_of(query.limit, query.before);
    match state.store.events(&EventFilter { source: query.source }, page.clone()).await {
        Ok(rows) => listed("events", &rows, &page, |row| &row.cursor),
        Err(error) => refused(&error),
    }
}

async fn updates(
    request: HttpRequest,
    query: web::Query<UpdateQuery>,
    state: web::Data<State>,
    guard: web::Data<Guard>,
) -> HttpResponse {
    if let Err(problem) = guard.check(&request) {
        return reply::problem(&problem);
    }
    let query = query.into_inner();
    if let Some(word) = &query.state
        && !STATES.contains(&word.as_str())
    {
        let problem = Problem::new(400, "/problems/bad-query", "the query cannot be read")
            .detail(format!("`state` is one of {}", STATES.join(", ")));
        return reply::problem(&problem);
    }
    let page = page_of(query.limit, query.before);
    let filter = UpdateFilter { state: query.state, source: query.source };
    match state.store.updates(&filter, page.clone()).await {
        Ok(rows) => listed("updates", &rows, &page, |row| &row.cursor),
        Err(error) => refused(&error),
    }
}

fn page_of(limit: Option<usize>, before: Option<String>) -> Page {
    Page { most: limit.unwrap_or(ROWS).clamp(1, MOST_ROWS), before }
}

/// A page, and where the next one begins if there may be one.
fn listed<Row: Serialize>(
    name: &'static str,
    rows: &[Row],
    page: &Page,
    cursor: impl Fn(&Row) -> &String,
) -> HttpResponse {
    let next = rows.last().filter(|_| rows.len() == page.most).map(cursor);
    reply::json(&json!({ name: rows, "next": next }))
}

pub(super) fn refused(error: &Error) -> HttpResponse {
    reply::problem(
        &Problem::new(503, "/problems/store", "the store could not be asked")
            .detail(error.to_string())
            .retry_after(1),
    )
}
