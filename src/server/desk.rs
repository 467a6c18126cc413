//! The operator's desk of a running bridge, and the slow self-check of its store.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use tokio_util::sync::CancellationToken;

use crate::admin::State;
use crate::admin::desk::Desk;
use crate::chatflow::ChatflowSettings;
use crate::clock;
use crate::delivery::{PauseReason, Pauses};
use crate::store::{Error, Letters, StoredEvent};
use crate::webhook::{Intake, NotMapped, map_again};

/// How often the rows of the store are counted.
const COUNT_EVERY: Duration = Duration::from_hours(1);

/// How often to look whether an operator has paused delivery at another replica.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A desk that maps with the sources in force and pauses the delivery that runs.
pub(super) fn desk(
    store: Arc<dyn Letters>,
    intake: &Arc<Intake>,
    pauses: &Arc<Pauses>,
    chatflow: &ChatflowSettings,
) -> Desk {
    let (intake, pauses) = (Arc::clone(intake), Arc::clone(pauses));
    let map_again = move |stored: &StoredEvent| {
        let name = stored.event.source.as_str();
        let source = intake.source(name).ok_or_else(|| NotMapped::NoSource(name.to_owned()));
        source
            .and_then(|source| map_again(&source, stored))
            .map_err(|not_mapped| not_mapped.to_string())
    };
    let switch = move |halted| {
        if halted {
            pauses.pause(PauseReason::Operator);
        } else {
            pauses.resume_by_hand();
        }
    };
    Desk::new(store, Box::new(map_again), Box::new(switch), chatflow.clone())
}

/// Has delivery stay paused where an operator has paused it before this start.
pub(super) async fn keep_halted(store: &dyn Letters, pauses: &Pauses) -> Result<(), Error> {
    if let Some(halt) = store.halted().await? {
        pauses.pause(PauseReason::Operator);
        tracing::warn!(since = %halt.since, "an operator has paused delivery: `chatflow-bridge resume` has it go on");
    }
    Ok(())
}

/// Follows what operators say at other replicas on the same store, until `stop`.
pub(super) async fn follow_halted(
    store: Arc<dyn Letters>,
    pauses: Arc<Pauses>,
    stop: CancellationToken,
) {
    let following = async {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            // A store that is away has delivery rest by itself.
            let Ok(halt) = store.halted().await else { continue };
            let is_paused = pauses.reasons().contains(&PauseReason::Operator);
            match halt {
                Some(_) if !is_paused => {
                    pauses.pause(PauseReason::Operator);
                    tracing::warn!("an operator has paused delivery");
                }
                None if is_paused => {
                    pauses.resume_by_hand();
                    tracing::info!("an operator has delivery go on");
                }
                _ => {}
            }
        }
    };
    stop.run_until_cancelled(following).await;
}

/// Counts the rows of the store once an hour, until `stop`.
pub(super) async fn count_rows(state: web::Data<State>, stop: CancellationToken) {
    let counting = async {
        loop {
            clock::sleep(&*state.clock, COUNT_EVERY).await;
            state.check_the_rows().await;
        }
    };
    stop.run_until_cancelled(counting).await;
}
