//! The ledger of a running bridge, asked over its admin API.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::Child;

/// The admin token of the bridges that are killed.
pub(super) const TOKEN: &str = "the-token-of-the-crash-suite";

/// What the ledger says.
pub(super) struct Audit(Value);

impl Audit {
    async fn of(child: &Child, http: &reqwest::Client) -> Self {
        let url = format!("http://{}/api/audit", child.admin);
        let answer = http.get(url).bearer_auth(TOKEN).send().await.unwrap();
        Self(serde_json::from_str(&answer.text().await.unwrap()).unwrap())
    }

    /// The ledger when nothing is open any more; what it says after `patience` at the latest.
    pub(super) async fn when_done(
        child: &Child,
        http: &reqwest::Client,
        patience: Duration,
    ) -> Self {
        let begun = Instant::now();
        loop {
            let audit = Self::of(child, http).await;
            if audit.counted("open") == 0 || begun.elapsed() > patience {
                return audit;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What is counted under this word, over all sources.
    fn counted(&self, what: &str) -> i64 {
        let balances = self.0["balances"].as_array().into_iter().flatten();
        let of_it = balances.filter(|balance| balance["what"] == what);
        of_it.filter_map(|balance| balance["counted"].as_i64()).sum()
    }

    /// Holds the ledger against what was accepted: so many updates, so many of them refused by the API, from so
    /// many events.
    pub(super) fn check(
        &self,
        events: usize,
        updates: usize,
        refused: usize,
        wrong: &mut Vec<String>,
    ) {
        if self.0["holds"] != true {
            wrong.push(format!("the ledger does not hold: {}", self.0));
        }
        for (what, expected) in [
            ("taken", events),
            ("planned", updates),
            ("delivered", updates - refused),
            ("dead", refused),
            ("open", 0),
            ("held", 0),
            ("skipped", 0),
            ("ignored", 0),
        ] {
            let counted = self.counted(what);
            if counted != i64::try_from(expected).unwrap() {
                wrong.push(format!("{what}: {counted} in the ledger, expected {expected}"));
            }
        }
    }
}
