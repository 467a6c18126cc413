//! At a start: what was refused before it counts on, and what a storm has killed waits again.
//!
//! Updates die before their number shows that it is a storm, and only then are made to wait again. A process that is
//! killed in between knows nothing of it; the store still has all that tells.

use super::Storm;
use super::recent::{LASTS, Refusal};

/// Contacts that are gone are refused so too: the API has to be asked which it is, at the next such answer.
const GONE: u16 = 404;

impl Storm {
    /// Reads back what was refused before this start. Where it is as good as a storm, what it has killed waits again:
    /// a start is a good moment to find out whether what was wrong still is.
    pub(in crate::delivery) async fn recall(&self) {
        let refused = match self.store.refusals(LASTS).await {
            Ok(refused) => refused,
            Err(error) => return tracing::error!(%error, "what was refused could not be read"),
        };
        let now = self.clock.monotonic();
        let killed = {
            let mut state = self.state();
            for one in refused {
                let at = now.saturating_sub(one.ago);
                let (update, contact, status) = (one.update, one.whom, one.status);
                state.recent.refused(Refusal { update, contact, status, at });
            }
            let status = state.recent.is_near().filter(|status| *status != GONE);
            status.map_or_else(Vec::new, |status| state.recent.of(status))
        };
        if killed.is_empty() {
            return;
        }
        match self.store.revive(&killed).await {
            Ok(revived) => {
                let count = revived.len();
                tracing::warn!(count, "what was refused in a storm before this start waits again");
            }
            Err(error) => {
                tracing::error!(%error, "refused updates could not be made to wait again");
            }
        }
    }
}
