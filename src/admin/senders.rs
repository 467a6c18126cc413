//! What an operator asks of the senders' door: the requests it has refused, the secrets it was given.

use actix_web::{HttpResponse, web};
use async_trait::async_trait;
use serde_json::{Value, json};

use super::reply;
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

pub(super) type Door = web::Data<dyn Senders>;

/// `GET /api/rejected`
pub(super) async fn rejected(door: Door) -> HttpResponse {
    match door.rejected() {
        Some(rejected) => reply::json(&json!({ "rejected": rejected })),
        None => reply::problem(
            &Problem::new(404, "/problems/not-kept", "refused requests are not kept")
                .detail("set `server.keep_rejected`, such as `1h`, and start the bridge again"),
        ),
    }
}

/// `GET /api/rejected/{id}`
pub(super) async fn request(id: web::Path<String>, door: Door) -> HttpResponse {
    match id.parse().ok().and_then(|id| door.rejected_request(id)) {
        Some(rejected) => reply::json(&rejected),
        None => reply::problem(
            &Problem::new(404, "/problems/not-found", "there is no such request").detail(
                "it was never kept, or not for so long; `/api/rejected` lists those there are",
            ),
        ),
    }
}

/// `POST /api/sources/{source}/forget-secret`
pub(super) async fn forget_secret(source: web::Path<String>, door: Door) -> HttpResponse {
    let Ok(source) = SourceName::try_from(source.as_str()) else {
        let problem = Problem::new(404, "/problems/not-found", "this cannot be a source");
        return reply::problem(&problem);
    };
    match door.forget_secret(&source).await {
        Ok(was_there) => {
            tracing::info!(%source, was_there, "an operator had the adopted secret forgotten");
            reply::json(&json!({ "source": source, "forgotten": was_there }))
        }
        Err(error) => reply::refused(&error),
    }
}
