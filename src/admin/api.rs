//! The admin API: what is in force, what came in, what became of it. JSON, a page at a time; `change` has
//! the part that changes something, `openapi.json` describes all of it.

use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::auth::Guard;
use super::desk::asked::{Filter, page};
use super::guarded::guarded;
use super::senders::{self, Senders};
use super::{State, change, reply};
use crate::event::{Named, SourceName};
use crate::problem::Problem;
use crate::store::{EventFilter, Page};

/// What the API says of itself.
const OPENAPI: &str = include_str!("openapi.json");

/// The routes of the admin listener.
pub fn routes(
    state: &web::Data<State>,
    senders: &Arc<dyn Senders>,
    guard: &web::Data<Guard>,
) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let (state, guard) = (web::Data::clone(state), web::Data::clone(guard));
    let senders = senders::Door::from(Arc::clone(senders));
    move |config| {
        let api = web::scope("/api")
            .service(web::resource("/status").route(web::get().to(status)))
            .service(web::resource("/events").route(web::get().to(events)))
            .service(web::resource("/events/{id}").route(web::get().to(super::event::event)))
            .service(web::resource("/updates").route(web::get().to(updates)))
            .service(web::resource("/updates/{name:.+}").route(web::get().to(update)))
            .service(web::resource("/causes").route(web::get().to(causes)))
            .service(web::resource("/audit").route(web::get().to(audit)))
            .service(web::resource("/openapi.json").route(web::get().to(openapi)))
            .service(web::resource("/replay").route(web::post().to(change::replay)))
            .service(web::resource("/remap").route(web::post().to(change::remap)))
            .service(web::resource("/discard").route(web::post().to(change::discard)))
            .service(web::resource("/purge").route(web::post().to(change::purge)))
            .service(web::resource("/pause").route(web::post().to(change::pause)))
            .service(web::resource("/resume").route(web::post().to(change::resume)))
            .service(web::resource("/rejected").route(web::get().to(senders::rejected)))
            .service(web::resource("/rejected/{id}").route(web::get().to(senders::request)))
            .service(
                web::resource("/sources/{source}/forget-secret")
                    .route(web::post().to(senders::forget_secret)),
            )
            .default_service(web::to(reply::nothing_here))
            .wrap(from_fn(guarded));
        config
            .app_data(state)
            .app_data(senders)
            .app_data(guard)
            .app_data(web::QueryConfig::default().error_handler(|error, _| {
                unreadable("/problems/bad-query", "the query cannot be read", error.to_string())
            }))
            .app_data(web::JsonConfig::default().limit(MOST_BODY).error_handler(|error, _| {
                unreadable("/problems/bad-body", "the body cannot be read", error.to_string())
            }))
            .service(api)
            .default_service(web::to(reply::nothing_here));
    }
}

/// Enough for as many names as one call may have.
const MOST_BODY: usize = 256 << 10;

fn unreadable(kind: &'static str, title: &'static str, detail: String) -> actix_web::Error {
    let problem = Problem::new(400, kind, title).detail(detail);
    actix_web::error::InternalError::from_response(title, reply::problem(&problem)).into()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventQuery {
    source: Option<SourceName>,
    limit: Option<usize>,
    before: Option<String>,
}

async fn status(state: web::Data<State>) -> HttpResponse {
    let (numbers, halted) = match tokio::join!(state.store.numbers(), state.desk.halted()) {
        (Ok(numbers), Ok(halted)) => (numbers, halted),
        (Err(error), _) | (_, Err(error)) => return reply::refused(&error),
    };
    let overview = (state.look)();
    reply::json(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "started_at": state.started,
        "draining": state.is_draining(),
        "mappings": {
            "hash": overview.mappings_hash,
            "since": overview.mappings_since,
            "problem": overview.mappings_problem,
        },
        "sources": overview.sources,
        "delivery": {
            "paused": overview.paused,
            "paused_by_operator_since": halted.map(|halt| halt.since),
            "other_replicas": overview.other_replicas,
        },
        "numbers": numbers,
        "ledger_imbalance": numbers.imbalance(),
        "ledger_rows_off": state.rows_off(),
    }))
}

async fn events(query: web::Query<EventQuery>, state: web::Data<State>) -> HttpResponse {
    let query = query.into_inner();
    let page = page(query.limit, query.before);
    match state.store.events(&EventFilter { source: query.source }, page.clone()).await {
        Ok(rows) => listed("events", &rows, &page, |row| &row.cursor),
        Err(error) => reply::refused(&error),
    }
}

async fn updates(query: web::Query<Filter>, state: web::Data<State>) -> HttpResponse {
    match state.desk.updates(&query).await {
        Ok(found) => reply::json(&json!({ "updates": found.rows, "next": found.next })),
        Err(refused) => reply::not_done(&refused),
    }
}

async fn update(name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let Ok(Named::Update(name)) = name.parse() else {
        return reply::problem(
            &Problem::new(400, "/problems/bad-name", "this is no name of an update")
                .detail("an update is named EVENT_ID/RULE/ITEM, as the list shows it"),
        );
    };
    match state.desk.update(&name).await {
        Ok(Some(shown)) => reply::json(&shown),
        Ok(None) => reply::problem(
            &Problem::new(404, "/problems/no-such-update", "there is no such update")
                .detail("it was never here, or retention has taken it"),
        ),
        Err(refused) => reply::not_done(&refused),
    }
}

async fn causes(query: web::Query<Filter>, state: web::Data<State>) -> HttpResponse {
    match state.desk.causes(&query).await {
        Ok(causes) => reply::json(&causes),
        Err(refused) => reply::not_done(&refused),
    }
}

async fn audit(state: web::Data<State>) -> HttpResponse {
    match state.desk.audit().await {
        Ok(audit) => reply::json(&audit),
        Err(refused) => reply::not_done(&refused),
    }
}

async fn openapi() -> HttpResponse {
    reply::with(actix_web::http::StatusCode::OK).content_type("application/json").body(OPENAPI)
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

#[cfg(test)]
mod tests {
    use super::OPENAPI;

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let described: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        let described: Vec<_> = described["paths"].as_object().unwrap().keys().cloned().collect();
        let routes = include_str!("api.rs").split("web::resource(\"").skip(1);
        let routes = routes.filter_map(|rest| rest.split_once("\")"));
        let routes: Vec<_> = routes
            .map(|(path, _)| format!("/api{}", path.replace(":.+", "")))
            .filter(|path| !path.contains('\\'))
            .collect();

        assert!(routes.len() > 10);
        assert_eq!(described, routes);
    }
}
