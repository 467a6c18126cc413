//! The senders' door as operators see it: refused requests, adopted secrets.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::admin::senders::Senders;
use crate::event::SourceName;
use crate::settings::reload::Live;
use crate::store::{Error, Store};
use crate::webhook::Intake;

/// What the answers come from.
pub(super) struct SendersDoor {
    intake: Arc<Intake>,
    store: Arc<dyn Store>,
    live: Arc<Live>,
}

impl SendersDoor {
    pub(super) fn shared(
        intake: &Arc<Intake>,
        store: &Arc<dyn Store>,
        live: &Arc<Live>,
    ) -> Arc<dyn Senders> {
        let (intake, store, live) = (Arc::clone(intake), Arc::clone(store), Arc::clone(live));
        Arc::new(Self { intake, store, live })
    }
}

#[async_trait]
impl Senders for SendersDoor {
    fn rejected(&self) -> Option<Vec<Value>> {
        let list = self.intake.rejected();
        let row = |request: crate::webhook::Rejected| {
            json!({
                "id": request.id,
                "at": request.at,
                "source": request.source,
                "reason": request.reason,
                "method": request.method,
                "body_bytes": request.body_bytes,
            })
        };
        list.is_on().then(|| list.list().into_iter().map(row).collect())
    }

    fn rejected_request(&self, id: u64) -> Option<Value> {
        let request = self.intake.rejected().list().into_iter().find(|own| own.id == id)?;
        serde_json::to_value(request).ok()
    }

    async fn forget_secret(&self, source: &SourceName) -> Result<bool, Error> {
        let was_there = self.store.forget_secret(source).await?;
        // The door that knows it is replaced by one that does not.
        self.live.open_again().await;
        Ok(was_there)
    }
}
