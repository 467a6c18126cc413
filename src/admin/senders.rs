//! What an operator asks of the senders' door: the requests it has refused, the secrets it was given.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use async_trait::async_trait;
use serde_json::{Value, json};

use super::auth::Guard;
use super::{api, reply};
use crate::event::SourceName;
use crate::problem::Problem;
use crate::store::Error;

/// The senders' door, as far as operators see it.
#[async_trait]
pub trait Senders: Send + Sync {
    /// The refused requests that are kept, youngest first, without headers and bodies; nothing where none are to be
    /// kept.
    fn rejected(&self) -> Option<Vec<Value>>;

    /// One of them, whole.
    fn rejected_request(&self, id: u64) -> Option<Value>;

    /// Forgets the secret that a source's sender gave, so that the next one is taken; whether there was one.
    async fn forget_secret(&self, source: &SourceName) -> Result<bool, Error>;
}

type Door = web::Data<dyn Senders>;

/// The routes of the admin listener that lead to the senders' door; before those of [`api`].
pub fn routes(
    door: &Arc<dyn Senders>,
    guard: &web::Data<Guard>,
) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let (door, guard) = (Door::from(Arc::clone(door)), web::Data::clone(guard));
    move |config| {
        config
            .app_data(door)
            .app_data(guard)
            .service(web::resource("/api/rejected").route(web::get().to(rejected)))
            .service(web::resource("/api/rejected/{id}").route(web::get().to(rejected_request)))
            .service(
                web::resource("/api/sources/{source}/forget-secret")
                    .route(web::post().to(forget_secret)),
            );
    }
}

async fn rejected(request: HttpRequest, door: Door, guard: web::Data<Guard>) -> HttpResponse {
    if let Err(problem) = guard.check(&request) {
        return reply::problem(&problem);
    }
    match door.rejected() {
        Some(rejected) => reply::json(&json!({ "rejected": rejected })),
        None => reply::problem(
            &Problem::new(404, "/problems/not-kept", "refused requests are not kept")
                .detail("set `server.keep_rejected`, such as `1h`, and start the bridge again"),
        ),
    }
}

async fn rejected_request(
    request: HttpRequest,
    id: web::Path<String>,
    door: Door,
    guard: web::Data<Guard>,
) -> HttpResponse {
    if let Err(problem) = guard.check(&request) {
        return reply::problem(&problem);
    }
    match id.parse().ok().and_then(|id| door.rejected_request(id)) {
        Some(rejected) => reply::json(&rejected),
        None => reply::problem(
            &Problem::new(404, "/problems/not-found", "there is no such request").detail(
                "it was never kept, or not for so long; `/api/rejected` lists those there are",
            ),
        ),
    }
}

async fn forget_secret(
    request: HttpRequest,
    source: web::Path<String>,
    door: Door,
    guard: web::Data<Guard>,
) -> HttpResponse {
    if let Err(problem) = guard.check(&request) {
        return reply::problem(&problem);
    }
    let Ok(source) = SourceName::try_from(source.as_str()) else {
        let problem = Problem::new(404, "/problems/not-found", "this cannot be a source");
        return reply::problem(&problem);
    };
    match door.forget_secret(&source).await {
        Ok(was_there) => {
            tracing::info!(%source, was_there, "an operator had the adopted secret forgotten");
            reply::json(&json!({ "source": source, "forgotten": was_there }))
        }
        Err(error) => api::refused(&error),
    }
}
