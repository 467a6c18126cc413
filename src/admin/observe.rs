//! `/metrics`, `/livez` and `/readyz`, on the listener for machines.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::json;

use super::reply;
use super::{Overview, State};
use crate::problem::Problem;
use crate::store::{Error, Numbers};
use crate::telemetry::metrics::{self, Metrics};

/// For how long numbers read from the store serve further scrapes.
const FRESH: Duration = Duration::from_secs(1);

/// The queue's numbers as they were last read.
#[derive(Default)]
struct Cache(Mutex<Option<(Instant, Numbers)>>);

/// The routes of the listener for machines.
pub fn routes(state: &web::Data<State>) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let state = web::Data::clone(state);
    let cache = web::Data::new(Cache::default());
    move |config| {
        config
            .app_data(state)
            .app_data(cache)
            .service(web::resource("/metrics").route(web::get().to(page)))
            .service(web::resource("/livez").route(web::get().to(live)))
            .service(web::resource("/readyz").route(web::get().to(ready)))
            .default_service(web::to(reply::nothing_here));
    }
}

/// Alive as long as it answers: nothing it depends on is asked.
async fn live() -> HttpResponse {
    reply::json(&json!({ "status": "alive" }))
}

async fn ready(state: web::Data<State>) -> HttpResponse {
    let store = state.store.check_writable().await;
    let overview = (state.look)();
    let is_ready = store.is_ok() && !overview.sources.is_empty() && !state.is_draining();
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    reply::with(status).json(detail(&state, &overview, store.err().as_ref(), is_ready))
}

fn detail(
    state: &State,
    overview: &Overview,
    trouble: Option<&Error>,
    is_ready: bool,
) -> serde_json::Value {
    let down: Vec<_> =
        overview.sources.iter().filter(|source| !source.up).map(|source| &source.source).collect();
    json!({
        "ready": is_ready,
        "store": trouble.map_or_else(|| "writable".to_owned(), ToString::to_string),
        "mappings": {
            "hash": overview.mappings_hash,
            "sources": overview.sources.len(),
            "since": overview.mappings_since,
            "problem": overview.mappings_problem,
        },
        "sources_down": down,
        "delivery_paused": overview.paused,
        "draining": state.is_draining(),
    })
}

async fn page(state: web::Data<State>, cache: web::Data<Cache>) -> HttpResponse {
    if let Ok(numbers) = fresh(&state, &cache).await {
        show(&state.metrics, &numbers, state.rows_off());
    }
    match state.metrics.page() {
        Ok(page) => reply::with(StatusCode::OK).content_type(metrics::CONTENT_TYPE).body(page),
        Err(_) => reply::problem(&Problem::new(
            500,
            "/problems/metrics",
            "the metrics could not be gathered",
        )),
    }
}

async fn fresh(state: &State, cache: &Cache) -> Result<Numbers, Error> {
    let kept = |cache: &Cache| match cache.0.lock() {
        Ok(kept) => kept.clone().filter(|(at, _)| at.elapsed() < FRESH),
        Err(_) => None,
    };
    if let Some((_, numbers)) = kept(cache) {
        return Ok(numbers);
    }
    let numbers = state.store.numbers().await?;
    if let Ok(mut kept) = cache.0.lock() {
        *kept = Some((Instant::now(), numbers.clone()));
    }
    Ok(numbers)
}

fn show(metrics: &Metrics, numbers: &Numbers, rows_off: i64) {
    let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    for (state, value) in [
        ("held", numbers.held),
        ("ready", numbers.ready),
        ("scheduled", numbers.scheduled),
        ("in_flight", numbers.in_flight),
        ("dead", numbers.dead),
    ] {
        metrics.queue_updates.with_label_values(&[state]).set(gauge(value));
    }
    let none: &[&str] = &[];
    metrics
        .queue_oldest_age_seconds
        .with_label_values(&["ready"])
        .set(gauge(numbers.oldest_ready_seconds));
    metrics
        .withdrawal_oldest_age_seconds
        .with_label_values(none)
        .set(gauge(numbers.oldest_withdrawal_seconds));
    metrics.store_size_bytes.with_label_values(none).set(gauge(numbers.size_bytes));
    let imbalance = numbers.imbalance().saturating_add(rows_off);
    metrics.ledger_imbalance.with_label_values(none).set(imbalance);
}
